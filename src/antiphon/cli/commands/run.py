"""`antiphon run`: performs one scenario, whose own parameters are options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from antiphon.cli.app import OurScreen, ShowsTraceback
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.options import FLAGS, HELP, WITH_VALUE, Common, run_help, scenario_app
from antiphon.cli.play import play_on_screen
from antiphon.errors import ScenarioError
from antiphon.scenarios.scenario import find_scenario
from antiphon.stand.stand import load_stand

__all__ = ["command"]


def command(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    screen: OurScreen,
    shows_traceback: ShowsTraceback,
) -> int:
    """Perform what the tokens behind `antiphon run` say; the exit code."""
    target, rest = _split(tokens)
    if not target:
        if HELP.isdisjoint(rest):
            raise ScenarioError("which scenario is meant?", hint="antiphon run FILE.py:SCENARIO [OPTIONS]")
        run_help(screen)
        return PASSED
    # Imported before its options are read: they are its parameters, which only the file tells.
    scenario = find_scenario(target)

    def perform(common: Common, parameters: Mapping[str, Any]) -> int:
        return play_on_screen(
            scenario,
            parameters,
            screen,
            stand=load_stand(common.stand, near=scenario.folder),
            runs=common.runs,
            reports=common.reports,
            strict=common.strict,
            is_quiet=common.quiet,
            shows_traceback=shows_traceback,
        )

    code: int | None = scenario_app(scenario, target, perform, screen)(rest)
    return code or PASSED


def _split(tokens: Sequence[str]) -> tuple[str, list[str]]:
    """The scenario's FILE.py:NAME ("" if there is none), and the rest. Only common options may stand before it."""
    position = 0
    # Which options there are, only the scenario says; where it stands must be known before that.
    while position < len(tokens) and tokens[position].startswith("-"):
        option, _, value = tokens[position].partition("=")
        if option not in HELP | WITH_VALUE | FLAGS:
            raise ScenarioError(
                f"{option} comes before the scenario that it may belong to",
                hint=f"antiphon run FILE.py:SCENARIO {option} …",
            )
        position += 2 if option in WITH_VALUE and not value else 1
    if position >= len(tokens):
        return "", list(tokens)
    return tokens[position], [*tokens[:position], *tokens[position + 1 :]]

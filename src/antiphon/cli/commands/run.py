"""`antiphon run`: performs one scenario, whose own parameters are options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from antiphon.cli.app import OurScreen, ShowsTraceback
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.options import FLAGS, HELP, WITH_VALUE, Common, run_help, scenario_app, split_target
from antiphon.cli.play import play_on_screen
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.load.again import conversation_again
from antiphon.load.keeping import CONVERSATIONS
from antiphon.report.runs import find_load
from antiphon.scenarios.scenario import find_scenario
from antiphon.stand.stand import load_stand

__all__ = ["command"]


def command(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    screen: OurScreen,
    shows_traceback: ShowsTraceback,
) -> int:
    """Perform what the tokens behind `antiphon run` say; the exit code."""
    if _AGAIN in tokens or any(token.startswith(f"{_AGAIN}=") for token in tokens):
        return _run_again(tokens, screen, shows_traceback=shows_traceback)
    target, rest = split_target("run", tokens, with_value=WITH_VALUE, flags=FLAGS)
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


def _run_again(tokens: Sequence[str], screen: Screen, *, shows_traceback: bool) -> int:
    """Perform a conversation of a load once more: `--again LOAD/CONVERSATION`, with the options of its scenario."""
    named, rest, runs = _again(tokens)
    # Also a path of the conversation's directory, as a shell completes it, or of a file in there.
    path = named.rstrip("/")
    load, _, conversation = (str(Path(path).parent) if Path(path).is_file() else path).rpartition("/")
    load = load.removesuffix(f"/{CONVERSATIONS}")
    if not load:
        raise ScenarioError(f"which conversation of which load is {named!r}?", hint="--again LOAD/PART-NUMBER")
    again = conversation_again(find_load(load, runs), conversation)
    scenario = again.scenario

    def perform(common: Common, parameters: Mapping[str, Any]) -> int:
        stand = load_stand(common.stand or again.stand or None, near=scenario.folder)
        stand.starts_users = again.starts_users
        return play_on_screen(
            scenario,
            parameters,
            screen,
            stand=stand,
            runs=common.runs,
            reports=common.reports,
            strict=common.strict,
            is_quiet=common.quiet,
            shows_traceback=shows_traceback,
            actors=again.actors(),
        )

    code: int | None = scenario_app(scenario, f"{_AGAIN} {named}", perform, screen, again.parameters)(rest)
    return code or PASSED


def _again(tokens: Sequence[str]) -> tuple[str, list[str], Path]:
    """Which conversation is meant, the other tokens, and where loads are."""
    rest = list(tokens)
    at = next(index for index, token in enumerate(rest) if token.partition("=")[0] == _AGAIN)
    _, is_joined, named = rest.pop(at).partition("=")
    if not is_joined:
        if at >= len(rest):
            raise ScenarioError("which conversation of which load is meant?", hint=f"{_AGAIN} LOAD/PART-NUMBER")
        named = rest.pop(at)
    runs = Path("runs")
    for index, token in enumerate(rest):
        option, is_joined, value = token.partition("=")
        if option == "--runs":
            runs = Path(value if is_joined else "".join(rest[index + 1 : index + 2]))
    return named, rest, runs


_AGAIN: Final = "--again"

"""`antiphon load`: performs a scenario as many conversations at once, or a plan of several."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from antiphon.cli.app import OurScreen, ShowsTraceback
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.load_options import FLAGS, WITH_VALUE, Asked, load_app, load_help
from antiphon.cli.load_play import load_on_screen
from antiphon.cli.options import HELP, split_target
from antiphon.errors import ScenarioError
from antiphon.load.target import target_of

__all__ = ["command"]


def command(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    screen: OurScreen,
    shows_traceback: ShowsTraceback,
) -> int:
    """Perform what the tokens behind `antiphon load` say; the exit code."""
    named, rest = split_target("load", tokens, with_value=WITH_VALUE, flags=FLAGS)
    if not named:
        if HELP.isdisjoint(rest):
            raise ScenarioError(
                "which scenario or plan is meant?", hint="antiphon load FILE.py:SCENARIO --rate 20/s --for 5m"
            )
        load_help(screen)
        return PASSED
    target, meant = target_of(named)

    def run(asked: Asked) -> int:
        return load_on_screen(asked, screen, shows_traceback=shows_traceback)

    code: int | None = load_app(meant, target, run, screen)(rest)
    return code or PASSED

"""The command line: `antiphon run`, `load`, `list`, `show` and the others in `_HELP`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from cyclopts import App

from antiphon.cli.app import plain_app
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.failure import fail
from antiphon.cli.log_flags import configure_logs, split_log_flags
from antiphon.cli.screen import Screen

__all__ = ["main"]

_TRACEBACK: Final = "--traceback"

_HELP: Final[Mapping[str, str]] = {
    "demo": "Call a customer at the contact centre that comes with antiphon, and show the conversation.",
    "new": "Make a small project to begin with: a stand, an actor, a scenario, a test, files for CI.",
    "run": "Perform a scenario, whose own parameters are options: FILE.py:SCENARIO [OPTIONS].",
    "load": "Perform a scenario as thousands of conversations, and measure: FILE.py:SCENARIO --rate 20/s --for 5m.",
    "merge": "Make one load of shards that were performed apart: load … --shard 1/2, and --shard 2/2 elsewhere.\n\n"
    "Exit codes: 0 all thresholds held, 4 one was crossed, 5 the numbers may not be trusted, or a shard is missing.",
    "list": "Show the scenarios of a file, with their parameters.",
    "show": "Make the trace of a recorded run, one page with all of the conversation, and open it in the browser.\n\n"
    "Of a load it is the load's page, with --baseline beside an earlier one.",
    "runs": "Show the recorded runs and loads, the latest first: how each ended, when it was, what was said.",
    "report": "Make reports of a recorded run or load, also of one that was killed.",
    "diff": "Show what differs between two recorded runs: messages, their fields, and how long things took.\n\n"
    "Ids and times that every run has anew are left out. The exit code is 0 if nothing differs, else 1.",
    "testbed": "Run the contact centre that comes with antiphon, until Ctrl-C.",
}
"""The commands in the order of the help: `X` is the function `command` of `antiphon.cli.commands.X`.

Their help stands here, so that `antiphon --help` need not import them, and a WebSocket client with them.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Perform a command line (`sys.argv` without one), and give its exit code (see `antiphon.cli.exit_codes`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    tokens, log_flags = split_log_flags([token for token in given if token != _TRACEBACK])
    shows_traceback = _TRACEBACK in given
    screen = Screen()
    try:
        configure_logs(log_flags)
        code = _perform(tokens, {"screen": screen, "shows_traceback": shows_traceback})
    except BaseException as error:
        return fail(error, screen, shows_traceback=shows_traceback)
    return code or PASSED


def _perform(tokens: Sequence[str], known: Mapping[str, Any]) -> int | None:
    """Do what the tokens say; a command that takes what is `known` gets it, under these names."""
    command, bound, unparsed = _command_line(known["screen"]).parse_args(tokens)
    code: int | None = command(*bound.args, **bound.kwargs, **{name: known[name] for name in unparsed})
    return code


def _command_line(screen: Screen) -> App:
    app = plain_app("antiphon", screen)
    app.help = "Conversations with message-driven systems, written once: as tests, as jobs, as load."
    app.version = f"antiphon {version('antiphon')}"
    app.version_flags = ("--version",)
    app.help_epilogue = (
        "With any command: --traceback shows where an error came from, -v logs what is done, -vv every message and "
        "wait, --log-json makes each line of the log JSON."
    )
    for place, (name, text) in enumerate(_HELP.items()):
        # `antiphon run` and `antiphon load` read their tokens themselves: behind a scenario --help is that scenario's.
        own_flags: dict[str, Any] = {"help_flags": [], "version_flags": []} if name in ("run", "load") else {}
        app.command(f"antiphon.cli.commands.{name}:command", name=name, help=text, sort_key=place, **own_flags)
    return app

"""The command line: `antiphon run`, `list`, `show`, `runs`, `demo` and `testbed`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from antiphon.cli.app import plain_app
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.failure import fail
from antiphon.cli.log_flags import configure_logs, split_log_flags
from antiphon.cli.screen import Screen

__all__ = ["main"]

_TRACEBACK = "--traceback"


def main(arguments: Sequence[str] | None = None) -> int:
    """Perform a command line (`sys.argv` without one), and give its exit code (see `antiphon.cli.exit_codes`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    tokens, log_flags = split_log_flags([token for token in given if token != _TRACEBACK])
    shows_traceback = _TRACEBACK in given
    screen = Screen()
    try:
        configure_logs(log_flags)
        code: int | None = _command_line(screen, shows_traceback)(tokens)
    except BaseException as error:
        return fail(error, screen, shows_traceback=shows_traceback)
    return code or PASSED


# Each command imports what it needs when it is called: `antiphon --help` must not load a WebSocket client.


def _command_line(screen: Screen, shows_traceback: bool) -> App:
    app = plain_app("antiphon", screen)
    app.help = "Conversations with message-driven systems, written once: as tests, as jobs, as load."
    app.version = f"antiphon {version('antiphon')}"
    app.version_flags = ("--version",)
    app.help_epilogue = (
        "With any command: --traceback shows where an error came from, -v logs what is done, -vv every message and "
        "wait, --log-json makes each line of the log JSON."
    )
    app.command(_demo_command(screen, shows_traceback), name="demo", sort_key=1)
    app.command(_run_command(screen, shows_traceback), name="run", sort_key=2, help_flags=[], version_flags=[])
    app.command(_list_command(screen), name="list", sort_key=3)
    app.command(_show_command(screen), name="show", sort_key=4)
    app.command(_runs_command(screen), name="runs", sort_key=5)
    app.command(_report_command(screen), name="report", sort_key=6)
    app.command(_diff_command(screen), name="diff", sort_key=7)
    app.command(_testbed_command(screen), name="testbed", sort_key=9)
    return app


def _run_command(screen: Screen, shows_traceback: bool) -> Any:
    def command(*tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> int:
        """Perform a scenario, whose own parameters are options: FILE.py:SCENARIO [OPTIONS]."""
        from antiphon.cli.commands.run import run

        return run(tokens, screen, shows_traceback=shows_traceback)

    return command


def _list_command(screen: Screen) -> Any:
    def command(file: str, /) -> int:
        """Show the scenarios of a file, with their parameters.

        Args:
            file: a Python file with functions that have @scenario
        """
        from antiphon.cli.commands.list import list_scenarios

        return list_scenarios(file, screen)

    return command


def _show_command(screen: Screen) -> Any:
    def command(
        run: str = "last",
        /,
        *,
        runs: Path = Path("runs"),
        no_open: Annotated[bool, Parameter(negative="", show_default=False)] = False,
        to: str = "",
    ) -> int:
        """Make the trace of a recorded run, one page with all of the conversation, and open it in the browser.

        Args:
            run: its directory, its name or a part of that; the latest one by default
            runs: the directory in which runs are
            no_open: only write the page, and say where it is
            to: the file or folder in which it is written, instead of the run's directory
        """
        from antiphon.cli.commands.show import show

        return show(run, screen, runs=runs, is_opened=not no_open, target=to)

    return command


def _runs_command(screen: Screen) -> Any:
    def command(
        *,
        runs: Path = Path("runs"),
        limit: int = 20,
        failed: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    ) -> int:
        """Show the recorded runs, the latest first: how each ended, when it was, how long it took, what was said.

        Args:
            runs: the directory in which runs are
            limit: how many are shown at most
            failed: leave out those that passed
        """
        from antiphon.cli.commands.show import list_runs

        return list_runs(screen, runs=runs, limit=limit, only_failed=failed)

    return command


def _demo_command(screen: Screen, shows_traceback: bool) -> Any:
    def command(
        *,
        runs: Path = Path("runs"),
        no_record: Annotated[bool, Parameter(negative="", show_default=False)] = False,
        copy_to: Path | None = None,
    ) -> int:
        """Call a customer at the contact centre that comes with antiphon, and show the conversation.

        Args:
            runs: the directory in which the run gets one of its own
            no_record: write nothing to disk
            copy_to: instead of that, copy the example into this folder
        """
        from antiphon.cli.commands.demo import copy_example, demo

        if copy_to is not None:
            return copy_example(copy_to, screen)
        return demo(None if no_record else runs, screen, shows_traceback=shows_traceback)

    return command


def _report_command(screen: Screen) -> Any:
    def command(run: str, /, *reports: str, runs: Path = Path("runs")) -> int:
        """Make reports of a recorded run, also of one that was killed.

        Args:
            run: last, the run's directory, or its name or a part of it
            reports: junit, allure, summary, mermaid, har, trace; NAME=PATH says where it goes
            runs: the directory that runs are recorded in
        """
        from antiphon.cli.commands.report import report

        return report(run, reports, screen, runs=runs)

    return command


def _diff_command(screen: Screen) -> Any:
    def command(
        before: str,
        after: str,
        /,
        *,
        runs: Path = Path("runs"),
        ignore: Annotated[list[str] | None, Parameter(negative="")] = None,
        no_timings: Annotated[bool, Parameter(negative="", show_default=False)] = False,
        json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    ) -> int:
        """Show what differs between two recorded runs: messages, their fields, and how long things took.

        Ids and times that every run has anew are left out. The exit code is 0 if nothing differs, else 1.

        Args:
            before: last, the first run's directory, or its name or a part of it
            after: the second run
            runs: the directory that runs are recorded in
            ignore: the name of messages to leave out, as those of a heartbeat; may be given several times
            no_timings: do not compare how long things took
            json: write it as JSON
        """
        from antiphon.cli.commands.diff import diff

        return diff(before, after, screen, runs=runs, ignored=ignore or (), has_timings=not no_timings, is_json=json)

    return command


def _testbed_command(screen: Screen) -> Any:
    def command(
        *,
        host: str = "127.0.0.1",
        port: int = 8765,
        users: int | None = None,
        database: Path | None = None,
        ping_interval_s: float = 5.0,
        answer_after_s: float = 0.2,
        offer_timeout_s: float = 10.0,
        latency_s: Annotated[tuple[float, float], Parameter(negative="")] = (0.0, 0.0),
        seed: str | None = None,
        fault: Annotated[list[str] | None, Parameter(negative="")] = None,
    ) -> int:
        """Run the contact centre that comes with antiphon, until Ctrl-C.

        Args:
            host: where to listen
            port: where to listen; 0 for any free port
            users: how many users there are, instead of alice, bob, carol, dave and erin
            database: the file of its records; without it they are kept in memory
            ping_interval_s: how often a desk is pinged
            answer_after_s: how long a customer's telephone rings
            offer_timeout_s: how long a desk has to accept what it is offered
            latency_s: how late its answers are, at least and at most
            seed: same seed, same ids, latencies and faults
            fault: what goes wrong on purpose, as late:resultHangUp:2.5; may be given several times
        """
        from antiphon.cli.commands.testbed import serve

        options = {
            "host": host,
            "port": port,
            "users": users,
            "database": database,
            "ping_interval_s": ping_interval_s,
            "answer_after_s": answer_after_s,
            "offer_timeout_s": offer_timeout_s,
            "latency_s": latency_s,
            "seed": seed,
            "faults": fault or (),
        }
        return serve(options, screen)

    return command

"""`antiphon show`: the trace of a recorded run, in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from antiphon.cli.app import Flag, OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.report.formats.html.trace import write_trace
from antiphon.report.runs import find_run

__all__ = ["command"]


def command(
    run: str = "last", /, *, runs: Path = Path("runs"), no_open: Flag = False, to: str = "", screen: OurScreen
) -> int:
    """Make the trace of a run, and open it in the browser; the exit code.

    `run` is what `antiphon.report.runs.find_run` takes. Raises RecordingError if there is no such run, or its trace
    cannot be written.

    Args:
        run: its directory, its name or a part of that; the latest one by default
        runs: the directory in which runs are
        no_open: only write the page, and say where it is
        to: the file or folder in which it is written, instead of the run's directory
    """
    trace = write_trace(find_run(run, runs), to)
    screen.print(str(trace))
    if not no_open and not webbrowser.open(trace.absolute().as_uri()):
        screen.tell("no browser was found here: open that file in one")
    return PASSED

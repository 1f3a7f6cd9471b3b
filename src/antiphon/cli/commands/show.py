"""`antiphon show`: the trace of a recorded run, or the page of a load, in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from antiphon.cli.app import Flag, OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.journal.load_file import is_load
from antiphon.report.formats.html.trace import write_trace
from antiphon.report.load.reports import make_load_reports
from antiphon.report.runs import find_run
from antiphon.report.verdict import UNFINISHED, Verdict

__all__ = ["command"]


def command(
    run: str = "last",
    /,
    *,
    runs: Path = Path("runs"),
    no_open: Flag = False,
    to: str = "",
    baseline: str = "",
    screen: OurScreen,
) -> int:
    """Make the trace of a run, or the page of a load, and open it in the browser; the exit code.

    `run` is what `antiphon.report.runs.find_run` takes. Raises RecordingError if there is no such run, or its trace
    cannot be written, ScenarioError for a baseline of what is no load.

    Args:
        run: its directory, its name or a part of that; the latest one by default
        runs: the directory in which runs are
        no_open: only write the page, and say where it is
        to: the file or folder in which it is written, instead of the run's directory
        baseline: of a load, an earlier one to show what has moved since
    """
    directory = find_run(run, runs, with_loads=True)
    if is_load(directory):
        before = find_run(baseline, runs, with_loads=True) if baseline else None
        (page,) = make_load_reports(directory, [f"html={to}"], baseline=before)
    elif baseline:
        raise ScenarioError("only a load has a baseline, and this is a run", hint="antiphon diff compares two runs")
    else:
        page = write_trace(directory, to)
        _tell_why_cut_off(directory, screen)
    screen.print(str(page))
    if not no_open and not webbrowser.open(page.absolute().as_uri()):
        screen.tell("no browser was found here: open that file in one")
    return PASSED


def _tell_why_cut_off(directory: Path, screen: Screen) -> None:
    """What a run was waiting for whose journal breaks off: it has no failure that the page could show."""
    verdict = Verdict()
    for entry in read_journal(directory / FILE_NAME):
        verdict(entry)
    if verdict.own == UNFINISHED:
        screen.tell(verdict.text)

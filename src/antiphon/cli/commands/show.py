"""`antiphon show` and `antiphon runs`: what was recorded, looked at afterwards."""

from __future__ import annotations

import webbrowser
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from antiphon.cli.exit_codes import PASSED
from antiphon.cli.screen import Screen
from antiphon.conversation.wording import seconds
from antiphon.report.formats.html.trace import write_trace
from antiphon.report.glance import visible
from antiphon.report.runs import RunSummary, find_run, find_runs, summary

__all__ = ["list_runs", "show"]

_STYLES: Final = {"passed": "bold green", "failed": "bold red", "error": "bold red"}


def show(wanted: str, screen: Screen, *, runs: Path, is_opened: bool = True, target: str = "") -> int:
    """Make the trace of a run, and open it in the browser; the exit code.

    `wanted` is what `antiphon.report.runs.find_run` takes. The trace is written beside the journal, or to `target`.
    Raises RecordingError if there is no such run, or its trace cannot be written.
    """
    trace = write_trace(find_run(wanted, runs), target)
    screen.print(str(trace))
    if is_opened and not webbrowser.open(trace.absolute().as_uri()):
        screen.tell("no browser was found here: open that file in one")
    return PASSED


def list_runs(screen: Screen, *, runs: Path, limit: int, only_failed: bool = False) -> int:
    """Write the runs in the directory, the latest first, a line for each; the exit code.

    At most `limit` are shown; `only_failed` leaves out those that passed.
    """
    found = find_runs(runs)
    shown: list[RunSummary] = []
    looked_at = 0
    for directory in found:
        if len(shown) >= limit:
            break
        looked_at += 1
        run = summary(directory)
        if not only_failed or run.verdict != "passed":
            shown.append(run)
    cells = [_cells(run) for run in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for run, row in zip(shown, cells, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        screen.print(
            Text.assemble((padded[0], _STYLES.get(run.verdict, "bold yellow")), "  ", "  ".join(padded[1:]).rstrip())
        )
    if not shown:
        screen.tell(f"no {'failed ' if only_failed and found else ''}run is recorded in {runs}")
    elif looked_at < len(found):
        screen.tell(f"and {len(found) - looked_at} older: --limit {len(found)}")
    return PASSED


def _cells(run: RunSummary) -> list[str]:
    counts = [f"{run.steps} steps", f"{run.sent} sent", f"{run.received} received"]
    if run.requests:
        counts.append(f"{run.requests} HTTP")
    return [
        run.verdict,
        _when(run.started_at),
        visible(run.scenario),
        visible(run.stand) or "-",
        seconds(round(run.duration_s * 1e9)),
        ", ".join(counts),
        visible(run.directory.name),
    ]


def _when(started_at: str) -> str:
    """The moment on this machine's clock."""
    try:
        return f"{datetime.fromisoformat(started_at).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return "-"

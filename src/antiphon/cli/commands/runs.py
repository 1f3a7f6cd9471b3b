"""`antiphon runs`: what was recorded, a line for each run and each load."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from antiphon.cli.app import Flag, OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.conversation.wording import counted, seconds, visible
from antiphon.report.runs import RunSummary, find_runs, summary

__all__ = ["command"]

_STYLES: Final = {"passed": "bold green", "failed": "bold red", "error": "bold red"}


def command(*, runs: Path = Path("runs"), limit: int = 20, failed: Flag = False, screen: OurScreen) -> int:
    """Write the runs in the directory, the latest first, a line for each; the exit code.

    Args:
        runs: the directory in which runs are
        limit: how many are shown at most
        failed: leave out those that passed, or failed as their test expects
    """
    found = find_runs(runs, with_loads=True)
    shown: list[RunSummary] = []
    looked_at = 0
    # A run is read only if it is shown: there may be thousands.
    for directory in found:
        if len(shown) >= limit:
            break
        looked_at += 1
        run = summary(directory)
        if not failed or run.is_red:
            shown.append(run)
    cells = [_cells(run) for run in shown]
    # Of the runs that are shown only: a long name of an old run would push the others out of the screen.
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for run, row in zip(shown, cells, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        screen.print(
            Text.assemble((padded[0], _STYLES.get(run.verdict, "bold yellow")), "  ", "  ".join(padded[1:]).rstrip())
        )
    if not shown:
        screen.tell(f"no {'failed ' if failed and found else ''}run is recorded in {runs}")
    elif looked_at < len(found):
        screen.tell(f"and {len(found) - looked_at} older: --limit {len(found)}")
    return PASSED


def _cells(run: RunSummary) -> list[str]:
    what = f"{run.steps} steps" if run.conversations is None else counted(run.conversations, "conversation")
    counts = [what, f"{run.sent} sent", f"{run.received} received"]
    if run.requests:
        counts.append(f"{run.requests} HTTP")
    if run.unreadable:
        counts.append(run.unreadable)
    elif run.own != run.verdict:
        counts.append(f"the run itself: {run.own}")
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

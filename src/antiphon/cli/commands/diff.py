"""`antiphon diff`: what differs between two recorded runs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from antiphon.cli.exit_codes import FAILED, PASSED
from antiphon.cli.screen import Screen
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.report.difference.compare import compare
from antiphon.report.difference.text import lines
from antiphon.report.runs import find_run

__all__ = ["diff"]


def diff(
    before: str, after: str, screen: Screen, *, runs: Path, ignored: Collection[str], has_timings: bool, is_json: bool
) -> int:
    """Write what differs; the exit code, 0 if nothing does and 1 if something does.

    Both runs are what `antiphon.report.runs.find_run` takes. Raises RecordingError if one cannot be read.
    """
    first, second = find_run(before, runs), find_run(after, runs)
    difference = compare(
        read_journal(first / FILE_NAME), read_journal(second / FILE_NAME), ignored=ignored, has_timings=has_timings
    )
    if is_json:
        screen.print(msgspec.json.format(msgspec.json.encode(difference), indent=2).decode())
    else:
        screen.print(*lines(difference, first.resolve().name, second.resolve().name, screen.signs))
    return PASSED if difference.is_same else FAILED

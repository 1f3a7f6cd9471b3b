"""The runs that a directory holds: which there are, and how each of them ended."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.errors import RecordingError
from antiphon.journal import HttpExchange, RunStarted, StepStarted
from antiphon.journal.file import FILE_NAME, WrittenMessage, read_journal
from antiphon.report.verdict import Verdict, Word

__all__ = ["UNREADABLE", "RunSummary", "find_run", "find_runs", "summary"]


class RunSummary(msgspec.Struct, frozen=True):
    """A recorded run in a few words: `verdict`, `own` and `is_red` are what `antiphon.report.verdict.Verdict` has as
    `outcome`, `own` and `is_red`.

    Where a line of the journal is no entry, `unreadable` says which, and `verdict` is UNREADABLE; else it is "".
    `stand` and `started_at` are "" if the journal does not tell.
    """

    directory: Path
    scenario: str
    stand: str
    started_at: str
    verdict: str
    own: Word
    is_red: bool
    duration_s: float
    steps: int
    sent: int
    received: int
    requests: int
    unreadable: str


UNREADABLE: Final = "unreadable"


def find_runs(home: Path) -> list[Path]:
    """The directories below `home` with a journal, the run that began last first."""
    try:
        # A pipe of that name would be waited for.
        found = [path.parent for path in home.glob(f"*/{FILE_NAME}") if path.is_file()]
    except OSError as error:
        raise RecordingError(f"the runs cannot be read: {error.strerror}", place=str(home)) from error
    return sorted(found, key=_began_at, reverse=True)


def find_run(wanted: str, home: Path) -> Path:
    """The directory of a run.

    `wanted` is "last", the path of its directory or of a file in it, or its name in `home`, of which a part is enough:
    then it is the latest run with that part. Raises RecordingError if there is none.
    """
    path = Path(wanted)
    for candidate in (path, path.parent):
        # A directory of the user's may be called "last"; the word comes first, the path can be said as ./last.
        if wanted != "last" and (candidate / FILE_NAME).is_file():
            return candidate
    runs = find_runs(home)
    # Else a name that is a part of a later one could not be asked for.
    exact = [run for run in runs if run.name == wanted]
    matching = runs if wanted == "last" else exact or [run for run in runs if wanted in run.name]
    if not matching:
        missing = "no run is recorded here" if not runs else f"there is no run {wanted!r}"
        hint = "antiphon runs shows which there are" if runs else "where are they? --runs DIRECTORY"
        raise RecordingError(missing, place=str(home), hint=hint)
    return matching[0]


def summary(directory: Path) -> RunSummary:
    """How the run in that directory went. What follows a line that is no entry is not counted."""
    verdict = Verdict()
    counts = {"steps": 0, "sent": 0, "received": 0, "requests": 0}
    unreadable = ""
    try:
        for entry in read_journal(directory / FILE_NAME):
            verdict(entry)
            if isinstance(entry, WrittenMessage):
                counts["sent" if entry.is_sent else "received"] += 1
            elif isinstance(entry, StepStarted):
                counts["steps"] += 1
            elif isinstance(entry, HttpExchange):
                counts["requests"] += 1
    except RecordingError as error:
        line = (error.place or "").removeprefix(f"{directory / FILE_NAME}").removeprefix(":")
        unreadable = f"line {line} is of another version, or damaged" if line else error.text
    started = verdict.started
    return RunSummary(
        directory=directory,
        scenario=verdict.scenario,
        stand=started.stand if started is not None else "",
        started_at=started.started_at if started is not None else "",
        verdict=UNREADABLE if unreadable else verdict.outcome,
        own=verdict.own,
        is_red=verdict.is_red or bool(unreadable),
        duration_s=verdict.ended_ns / 1e9,
        unreadable=unreadable,
        **counts,
    )


def _readable(journal: Path) -> Any:
    """The entries up to the first line that is none."""
    try:
        yield from read_journal(journal)
    except RecordingError:
        return


def _began_at(directory: Path) -> tuple[str, str]:
    """The moment in a form that sorts, then the name; a journal that does not tell is as old as its file."""
    with closing(_readable(directory / FILE_NAME)) as entries:
        first = next(entries, None)
    if isinstance(first, RunStarted):
        return first.started_at, directory.name
    # As text like the others: what sorts must be of one kind.
    written = datetime.fromtimestamp((directory / FILE_NAME).stat().st_mtime, UTC)
    return iso_utc(written), directory.name

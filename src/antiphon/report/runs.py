"""The runs and loads that a directory holds: which there are, and how each of them ended."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.errors import RecordingError
from antiphon.journal import HttpExchange, RunStarted, StepStarted
from antiphon.journal.figures import LoadEnded, LoadStarted, LoadVerdict, Second
from antiphon.journal.file import FILE_NAME, WrittenMessage, read_journal
from antiphon.journal.load_file import LOAD_FILE_NAME, is_load, read_load
from antiphon.report.verdict import UNFINISHED, Verdict, Word

__all__ = ["UNREADABLE", "RunSummary", "find_load", "find_run", "find_runs", "summary"]


class RunSummary(msgspec.Struct, frozen=True):
    """A recorded run, or load, in a few words.

    `verdict`, `own` and `is_red` are what `antiphon.report.verdict.Verdict` has as `outcome`, `own` and `is_red`.
    Where a line of the journal is no entry, `unreadable` says which, and `verdict` is UNREADABLE; else it is "".
    `stand` and `started_at` are "" if the journal does not tell. `conversations` is None but for a load, which has no
    steps and requests of its own.
    """

    directory: Path
    scenario: str
    stand: str
    started_at: str
    verdict: str
    own: Word | LoadVerdict
    is_red: bool
    duration_s: float
    steps: int
    sent: int
    received: int
    requests: int
    unreadable: str
    conversations: int | None = None


UNREADABLE: Final = "unreadable"


def find_runs(home: Path, *, with_loads: bool = False) -> list[Path]:
    """The directories below `home` with a journal, or `with_loads` a load's record; what began last stands first."""
    names = (FILE_NAME, LOAD_FILE_NAME) if with_loads else (FILE_NAME,)
    try:
        # A pipe of that name would be waited for.
        found = {path.parent for name in names for path in home.glob(f"*/{name}") if path.is_file()}
    except OSError as error:
        raise RecordingError(f"the runs cannot be read: {error.strerror}", place=str(home)) from error
    return sorted(found, key=_began_at, reverse=True)


def find_run(wanted: str, home: Path, *, with_loads: bool = False) -> Path:
    """The directory of a run, `with_loads` of a load as well.

    `wanted` is "last", the path of its directory or of a file in it, or its name in `home`, of which a part is enough:
    then it is the latest run with that part. Raises RecordingError if there is none.
    """
    path = Path(wanted)
    for candidate in (path, path.parent):
        # A directory of the user's may be called "last"; the word comes first, the path can be said as ./last.
        if wanted == "last":
            break
        if (candidate / FILE_NAME).is_file() or (with_loads and is_load(candidate)):
            return candidate
        if is_load(candidate):
            raise RecordingError(
                "this is a load, and no run of a scenario",
                place=str(candidate),
                hint="antiphon show LOAD --baseline EARLIER shows what moved between two loads",
            )
    runs = find_runs(home, with_loads=with_loads)
    # Else a name that is a part of a later one could not be asked for.
    exact = [run for run in runs if run.name == wanted]
    matching = runs if wanted == "last" else exact or [run for run in runs if wanted in run.name]
    if not matching:
        missing = "no run is recorded here" if not runs else f"there is no run {wanted!r}"
        hint = "antiphon runs shows which there are" if runs else "where are they? --runs DIRECTORY"
        raise RecordingError(missing, place=str(home), hint=hint)
    return matching[0]


def find_load(wanted: str, home: Path) -> Path:
    """The directory of a load, as `find_run` finds one: "last" is the last load, whatever was run since."""
    if wanted == "last":
        loads = [each for each in find_runs(home, with_loads=True) if is_load(each)]
        if loads:
            return loads[0]
        raise RecordingError("no load is recorded here", place=str(home), hint="where are they? --runs DIRECTORY")
    found = find_run(wanted, home, with_loads=True)
    if not is_load(found):
        hint = "antiphon runs shows which are loads: those with conversations"
        raise RecordingError("this is a run of a scenario, and no load", place=str(found), hint=hint)
    return found


def summary(directory: Path) -> RunSummary:
    """How the run or load in that directory went. What follows a line that is no entry is not counted."""
    if is_load(directory):
        return _load_summary(directory)
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
        unreadable = _where(error, directory / FILE_NAME)
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


def _load_summary(directory: Path) -> RunSummary:
    """The same of a load: what its record says at its end, or has counted until it breaks off."""
    started, ended = None, None
    begun = sent = received = last_ns = 0
    parts: dict[str, None] = {}
    unreadable = ""
    try:
        for entry in read_load(directory / LOAD_FILE_NAME):
            last_ns = max(last_ns, entry.at_ns)
            match entry:
                case LoadStarted():
                    started = entry
                case Second():
                    parts.update(dict.fromkeys(entry.parts))
                    begun += sum(part.started for part in entry.parts.values())
                    sent, received = sent + entry.traffic.sent, received + entry.traffic.received
                case LoadEnded():
                    ended = entry
    except RecordingError as error:
        unreadable = _where(error, directory / LOAD_FILE_NAME)
    own: Word | LoadVerdict = ended.verdict if ended is not None else UNFINISHED
    name = started.plan.get("name") if started is not None else None
    return RunSummary(
        directory=directory,
        scenario=name if isinstance(name, str) and name else ", ".join(parts) or "unknown",
        stand=started.stand if started is not None else "",
        started_at=started.started_at if started is not None else "",
        verdict=UNREADABLE if unreadable else own,
        own=own,
        is_red=own != "passed" or bool(unreadable),
        duration_s=last_ns / 1e9,
        steps=0,
        sent=sent,
        received=received,
        requests=0,
        unreadable=unreadable,
        conversations=begun,
    )


def _where(error: RecordingError, file: Path) -> str:
    """Which line of it cannot be read."""
    line = (error.place or "").removeprefix(f"{file}").removeprefix(":")
    return f"line {line} is of another version, or damaged" if line else error.text


def _readable(directory: Path) -> Any:
    """The entries up to the first line that is none."""
    try:
        yield from read_load(directory / LOAD_FILE_NAME) if is_load(directory) else read_journal(directory / FILE_NAME)
    except RecordingError:
        return


def _began_at(directory: Path) -> tuple[str, str]:
    """The moment in a form that sorts, then the name; a journal that does not tell is as old as its file."""
    with closing(_readable(directory)) as entries:
        first = next(entries, None)
    if isinstance(first, (RunStarted, LoadStarted)):
        return first.started_at, directory.name
    file = directory / (LOAD_FILE_NAME if is_load(directory) else FILE_NAME)
    # As text like the others: what sorts must be of one kind.
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return iso_utc(written), directory.name

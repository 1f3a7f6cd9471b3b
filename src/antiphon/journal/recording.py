"""Where a run is recorded: a directory of its own, with the journal and what the reports make of it."""

from __future__ import annotations

import contextlib
import errno
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from importlib.metadata import entry_points
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, cast

from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal import Journal, Report, Sink
from antiphon.journal.file import ELSEWHERE, FILE_NAME, JournalWriter, read_journal
from antiphon.journal.log import JournalLog, is_heard
from antiphon.journal.private_files import PRIVATE_DIRECTORY, make_private_directory, reason

__all__ = [
    "AS_IT_HAPPENS",
    "STANDARD_REPORTS",
    "load_reports",
    "make_report",
    "new_run_directory",
    "recording",
    "unwritten",
]

STANDARD_REPORTS: Final = ("files", "trace")
"""What is made of every run that is recorded."""

_ELSEWHERE_REPORTED: Final = "say another place for it: NAME=PATH"

AS_IT_HAPPENS: Final = ("files",)
"""Of our own reports those that tell of no verdict, and are written while the run goes on."""


def new_run_directory(runs: Path, name: str) -> Path:
    """A directory that did not exist: `2026-11-22T07-41-44-name`, with a number behind it if there is one already.

    Only its owner may read it, whatever the umask. Safe against other processes. Raises RecordingError if it cannot be
    made.
    """
    stem = f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{name}"
    try:
        # Above the runs' directory as the umask says: those may be the user's own, for others to look into.
        runs.absolute().parent.mkdir(parents=True, exist_ok=True)
        make_private_directory(runs)
        # `mkdir` is what decides between processes: whoever makes it has it. A look before it would leave a gap.
        for number in count(1):
            path = runs / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir(PRIVATE_DIRECTORY)
                path.chmod(PRIVATE_DIRECTORY)
                return path
    except OSError as error:
        raise RecordingError(f"no run can be recorded: {error.strerror}", place=str(runs), hint=ELSEWHERE) from error
    raise AssertionError("unreachable")


@contextlib.contextmanager
def recording(
    journal: Journal, directory: Path | None, reports: Mapping[str, Report], watch: Sink | None
) -> Iterator[None]:
    """The journal's sinks, open while the run goes on."""
    sinks: list[Any] = []
    try:
        if directory is not None:
            # First: whatever a report or the screen raises, the entry is on the disk.
            sinks.append(JournalWriter(directory / FILE_NAME))
            sinks += [_guarded(name, report, directory, journal.fail) for name, report in reports.items()]
        if watch is not None:
            sinks.append(watch)
            # Whoever shows more of the run than its entries is to hide what these hide.
            getattr(watch, "take_masker", _nothing)(journal.masker)
        if is_heard():
            sinks.append(JournalLog())
        for sink in sinks:
            # A record or a log of all that was said; the others show the conversation.
            journal.attach(sink, with_protocol=isinstance(sink, (JournalWriter, JournalLog)))
        yield
    finally:
        _close(sinks)


def _close(sinks: Sequence[Any]) -> None:
    """Close them all, whatever one of them raises; what a run has failed with is not hidden by that."""
    failed = sys.exception()
    trouble: BaseException | None = None
    for sink in sinks:
        try:
            getattr(sink, "close", _nothing)()
        except Exception as error:
            trouble = trouble or error
    if trouble is not None and failed is None:
        raise trouble
    if trouble is not None and not isinstance(failed, RecordingError):  # a full disk is told once
        assert failed is not None
        failed.add_note(_Unwritten(trouble))


class _Unwritten(str):
    """A note on a run's failure: what could not be written about it, and the error that says so."""

    error: BaseException

    def __new__(cls, error: BaseException) -> _Unwritten:
        note = super().__new__(cls, error)
        note.error = error
        return note


def unwritten(error: BaseException) -> list[BaseException]:
    """What could not be written about the run that failed with this error, each as the error that says so."""
    return [note.error for note in getattr(error, "__notes__", ()) if isinstance(note, _Unwritten)]


def make_report(directory: Path, spec: str) -> None:
    """Make a report (`NAME` or `NAME=PATH`) of the run that was recorded there, also of one that was killed.

    Raises ScenarioError if there is no such report, RecordingError if the journal cannot be read or the report cannot
    be written.
    """
    ((name, report),) = load_reports([spec]).items()
    entries = read_journal(directory / FILE_NAME)
    # Before the sink is made: a report of nothing would leave an empty file.
    first = next(entries, None)
    if first is None:
        raise RecordingError(
            "this journal holds nothing", place=str(directory / FILE_NAME), hint="the run ended before it had begun"
        )
    sink = _guarded(name, report, directory)
    for entry in chain([first], entries):
        sink(entry)
    sink.close()


def load_reports(specs: Sequence[str]) -> dict[str, Report]:
    """The reports of those names; `NAME=PATH` says where that one goes instead of the run's directory.

    Raises ScenarioError if there is none of a name, it cannot be loaded, or it takes no path.
    """
    return {spec: _report(spec) for spec in specs}


def _report(spec: str) -> Report:
    name, _, target = spec.partition("=")
    report = _load_report(name)
    if not target:
        return report
    if "target" not in inspect.signature(report).parameters:
        raise ScenarioError(f"the report {name!r} takes no path", hint="it is made in the run's own directory")
    return partial(cast("Callable[..., Sink]", report), target=target)


@cache  # to look it up means to read the metadata of every distribution that is installed
def _load_report(name: str) -> Report:
    found = entry_points(group="antiphon.reports", name=name)
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group="antiphon.reports")}))
        raise ScenarioError(f"there is no report {name!r}", hint=f"there is {known}")
    try:
        report: Report = next(iter(found)).load()
    except ImportError as error:
        raise ScenarioError(
            f"the report {name!r} cannot be loaded: {error}",
            hint=f"install what it needs: pip install 'antiphon[{name}]'",
        ) from error
    return report


def _guarded(
    spec: str, report: Report, directory: Path, on_failure: Callable[[RecordingError], None] | None = None
) -> Any:
    """The report's sink, whose failures are told as failures to record: raised, or those of later to `on_failure`."""
    name, _, target = spec.partition("=")

    def wrong(error: Exception) -> RecordingError:
        if isinstance(error, RecordingError):
            return error
        told = reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        is_of_place = isinstance(error, OSError) and error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
        hint = _ELSEWHERE_REPORTED if target else ELSEWHERE
        return RecordingError(
            f"the report {name!r} cannot be written: {told}",
            place=target or str(directory),
            hint=hint if is_of_place else None,
        )

    try:
        sink = report(directory)
    except Exception as error:
        raise wrong(error) from error

    def guarded(entry: Any) -> None:
        try:
            sink(entry)
        except Exception as error:
            raise wrong(error) from error

    def close() -> None:
        try:
            getattr(sink, "close", _nothing)()
        except Exception as error:
            raise wrong(error) from error

    if on_failure is not None:
        getattr(sink, "tell_failures", _nothing)(lambda error: on_failure(wrong(error)))
    guarded.close = close  # type: ignore[attr-defined]
    return guarded


def _nothing(*_: Any) -> None:
    """Many sinks have nothing to close, and few ask for the masker."""

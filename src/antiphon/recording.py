"""Where a run is recorded: a directory of its own, with the journal and what the reports make of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path
from typing import Any

from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal import Journal, Report, Sink
from antiphon.journal_file import ELSEWHERE, FILE_NAME, JournalWriter

__all__ = ["load_reports", "new_run_directory", "recording"]


def new_run_directory(runs: Path, name: str) -> Path:
    """A directory that did not exist: `2026-11-22T07-41-44-name`, with a number behind it if there is one already.

    Safe against other processes. Raises RecordingError if it cannot be made.
    """
    stem = f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{name}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = runs / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                path.mkdir()
                return path
    except OSError as error:
        raise RecordingError(
            f"no run can be recorded: {error.strerror}", place=str(runs), hint=ELSEWHERE
        ) from error
    raise AssertionError("unreachable")


@contextlib.contextmanager
def recording(
    journal: Journal, directory: Path | None, reports: Mapping[str, Report], watch: Sink | None
) -> Iterator[None]:
    """The journal's sinks, open while the run goes on."""
    sinks: list[Any] = []
    try:
        if directory is not None:
            sinks.append(JournalWriter(directory / FILE_NAME))
            sinks += [_guarded(name, report, directory) for name, report in reports.items()]
        if watch is not None:
            sinks.append(watch)
        for sink in sinks:
            journal.attach(sink)
        yield
    finally:
        for sink in sinks:
            close = getattr(sink, "close", None)
            if close is not None:
                close()


def load_reports(names: Sequence[str]) -> dict[str, Report]:
    """The reports of those names. Raises ScenarioError if there is none of a name."""
    return {name: _load_report(name) for name in names}


@cache  # to look it up means to read the metadata of every distribution that is installed
def _load_report(name: str) -> Report:
    found = entry_points(group="antiphon.reports", name=name)
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group="antiphon.reports")}))
        raise ScenarioError(f"there is no report {name!r}", hint=f"there is {known}")
    report: Report = next(iter(found)).load()
    return report


def _guarded(name: str, report: Report, directory: Path) -> Callable[[Any], None]:
    """The report's sink, whose failures are told as failures to record."""

    def wrong(error: Exception) -> RecordingError:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        return RecordingError(f"the report {name!r} cannot be written: {reason}", place=str(directory))

    try:
        sink = report(directory)
    except Exception as error:
        raise wrong(error) from error

    def guarded(entry: Any) -> None:
        try:
            sink(entry)
        except Exception as error:
            raise wrong(error) from error

    guarded.close = getattr(sink, "close", _nothing)  # type: ignore[attr-defined]
    return guarded


def _nothing() -> None:
    """Most sinks have nothing to close."""

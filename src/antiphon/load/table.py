"""A table with a row for each conversation of a load: what it was given, what its actors learnt, what came of it."""

from __future__ import annotations

import csv
import difflib
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.actor.actor import Actor
from antiphon.conversation.clock import iso_utc
from antiphon.conversation.wording import shorten
from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal.private_files import open_private, reason, why_unwritable
from antiphon.report.load.cells import harmless
from antiphon.scenarios.run import Run

__all__ = ["ABOUT_CONVERSATIONS", "OWN_TABLE_NAME", "Columns", "TableFile", "parse_table", "require_table"]

ABOUT_CONVERSATIONS: Final = ("conversation", "part", "outcome", "cause", "user", "due", "started", "ended", "took_s")
"""What is known of each conversation beside what its scenario names; moments are ISO 8601 in UTC."""

OWN_TABLE_NAME: Final = "table.csv"
"""A shard has its rows in its own directory too, from where they are merged."""


class Columns:
    """The columns of a table, by name: one of ABOUT_CONVERSATIONS, a parameter of the scenario, what a called function
    returned, `actor.attribute`, or the attribute of whichever actor has it. Behind a dot is what that holds, as in
    `record.talk_s`."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def row(
        self, about: Mapping[str, Any], parameters: Mapping[str, Any], run: Run | None, mask: Callable[[str], str]
    ) -> list[str]:
        """The row of a conversation, secrets masked; what it has not is "", an actor is its user's name."""
        return [harmless(mask(_told(self._value(name, about, parameters, run)))) for name in self.names]

    def _value(self, name: str, about: Mapping[str, Any], parameters: Mapping[str, Any], run: Run | None) -> Any:
        if name in about:
            return about[name]
        first, *rest = name.split(".")
        value = self._found(first, parameters, run)
        for each in rest:
            value = value.get(each) if isinstance(value, Mapping) else getattr(value, "__dict__", {}).get(each)
        return value

    def _found(self, name: str, parameters: Mapping[str, Any], run: Run | None) -> Any:
        if name in parameters or run is None:
            return parameters.get(name)
        if name in run.actors:
            return run.actors[name]
        returned = run.returned.by_name()
        if name in returned:
            return returned[name]
        return next((vars(each)[name] for each in run.actors.values() if name in vars(each)), None)


class TableFile:
    """A CSV file (RFC 4180, UTF-8) that is written as conversations end, a row at once. Raises RecordingError.

    names: those of the columns. is_private: only its owner may read it, as all files of a run.
    """

    def __init__(self, path: Path, names: Sequence[str], *, is_private: bool = False) -> None:
        self._path = path
        self._names = names
        self._filled: Counter[str] = Counter()
        self._has_rows = False
        self._size_bytes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open_private(path, os.O_WRONLY | os.O_TRUNC) if is_private else path
            self._file = open(file, "wb", buffering=0)  # noqa: PTH123, SIM115 - of whichever; closed by `close`
        except OSError as error:
            raise _trouble(path, error) from error
        try:
            self._put([list(names)])
        except BaseException:
            self._file.close()
            raise

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Write these rows."""
        self._put(rows)
        self._has_rows = self._has_rows or bool(rows)
        for row in rows:
            self._filled.update(name for name, cell in zip(self._names, row, strict=True) if cell)

    def unknown(self, known: Iterable[str] = ()) -> str:
        """Which columns no conversation had anything for, and which of the `known` names may be meant; "" if none."""
        empty = [name for name in self._names if not self._filled[name] and name not in ABOUT_CONVERSATIONS]
        if not empty or not self._has_rows:
            return ""
        there = [*ABOUT_CONVERSATIONS, *known, *self._filled]
        meant = [alike for name in empty for alike in difflib.get_close_matches(name, there, n=1)]
        told = f"no conversation had anything for {', '.join(empty)} in the table"
        return f"{told}; did you mean {', '.join(dict.fromkeys(meant))}?" if meant else told

    def close(self) -> None:
        """Close it; closing twice does nothing."""
        self._file.close()

    def _put(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows, each whole or not at all: what does not fit on the disk is taken back."""
        for row in rows:
            text = io.StringIO(newline="")
            csv.writer(text).writerow(row)
            data = memoryview(text.getvalue().encode("utf-8", "backslashreplace"))
            try:
                rest = data
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError as error:
                with suppress(OSError):  # a device or a pipe cannot
                    self._file.truncate(self._size_bytes)
                raise _trouble(self._path, error) from error
            self._size_bytes += len(data)


def require_table(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise RecordingError if a table cannot be written there, as far as one can tell before it is.

    Raise ScenarioError if it would take the place of what is no table, or of one of the `inputs`, as that of a feed.
    """
    if told := why_unwritable(path):
        raise _trouble(path, told)
    if not path.is_file():
        return
    is_read = any(each.exists() and path.samefile(each) for each in inputs)
    if is_read or path.suffix.lower() != ".csv":
        what = "the load reads that file" if is_read else "a file that is there is overwritten only if it is a .csv"
        raise ScenarioError(
            f"--table would overwrite {path}", place=str(path), hint=f"{what}: give the table another name"
        )


def _trouble(path: Path, error: OSError | str) -> RecordingError:
    told = error if isinstance(error, str) else reason(error)
    return RecordingError(f"the table cannot be written: {told}", place=str(path), hint="--table FILE.csv:COLUMNS")


def parse_table(text: str) -> tuple[Path, Columns]:
    """What `--table calls.csv:interaction_id,telephone` says: the file and its columns.

    Raises ScenarioError for what says neither, or a column twice.
    """
    file, _, columns = text.rpartition(":")
    names = [name.strip() for name in columns.split(",")]
    hint = "--table calls.csv:'conversation,telephone,interaction_id,outcome'"
    if not file or not all(names):
        raise ScenarioError(f"--table {shorten(text)} names no file and columns", hint=hint)
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise ScenarioError(f"--table has the column {twice!r} twice", hint=hint)
    return Path(file), Columns(names)


def moment(epoch_s: float, at_ns: int) -> str:
    """That many nanoseconds after a moment in seconds since the epoch, as ISO 8601."""
    return iso_utc(datetime.fromtimestamp(epoch_s + at_ns / 1e9, UTC))


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Actor):
        value = getattr(value.__dict__.get("_user"), "name", "")
    if isinstance(value, (str, int, float)):
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return shorten(value, 1000)

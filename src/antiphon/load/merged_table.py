"""The tables of shards as one: the rows of each, as they are written, behind the names of the columns."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from antiphon.errors import RecordingError
from antiphon.journal.private_files import open_private, reason
from antiphon.load.shards import Shard
from antiphon.load.table import OWN_TABLE_NAME

__all__ = ["merge_tables"]


def merge_tables(shards: Sequence[Shard], directory: Path, note: Callable[[str], None]) -> None:
    """Write `table.csv` there, of all the rows that the shards have, if they were to have any.

    `note` is told of each shard whose rows are not all there. Raises RecordingError if it cannot be written.
    """
    if not shards[0].started.plan.get("table"):
        return
    path, names = directory / OWN_TABLE_NAME, b""
    try:
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_EXCL), "wb") as file:
            for shard in shards:
                rows = _rows(shard, note)
                own = next(rows, b"")
                if own and not names:
                    names = own
                    file.write(names)
                elif own != names:
                    note(f"the table of {shard.name} has other columns")
                    continue
                file.writelines(rows)
    except OSError as error:
        raise RecordingError(f"the table cannot be written: {reason(error)}", place=str(path)) from error


def _rows(shard: Shard, note: Callable[[str], None]) -> Iterator[bytes]:
    """Its rows, with the names of its columns as the first."""
    try:
        with (shard.directory / OWN_TABLE_NAME).open("rb") as file:
            is_whole = yield from _whole_rows(file)
    except OSError as error:
        note(f"the table of {shard.name} cannot be read, or was not copied with it: {reason(error)}")
        return
    if not is_whole:
        note(f"the table of {shard.name} ends in the middle of a row, which is left out")


def _whole_rows(file: BinaryIO) -> Generator[bytes, None, bool]:
    """Each row to its end; whether nothing was left behind the last one. Lines within quotes are one row (RFC 4180)."""
    row = bytearray()
    for line in file:
        row += line
        if row.endswith(_END) and row.count(b'"') % 2 == 0:
            yield bytes(row)
            row.clear()
    return not row


_END: Final = b"\r\n"

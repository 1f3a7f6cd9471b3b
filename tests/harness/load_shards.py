"""Records of shards, as machines would write them that perform a load together, made of books of loads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from load_records import LoadBook, write_record

from antiphon.journal.figures import ConversationKept, ThresholdJudged


def entries_of(book: LoadBook, k: int, n: int, **started: Any) -> list[Any]:
    """The record of a book as that of a shard; numbers of conversations are shared out as a plan does."""
    first, *rest = book.entries(verdict="passed")
    fields: dict[str, Any] = {"shard": f"{k}/{n}", "seed": 7, **started}
    entries: list[Any] = [msgspec.structs.replace(first, **fields)]
    for entry in rest:
        if isinstance(entry, ConversationKept):
            number = entry.number * n + k - 1
            name = f"{entry.part}-{number}"
            named: dict[str, Any] = {"number": number, "conversation": name, "directory": f"conversations/{name}"}
            entries.append(msgspec.structs.replace(entry, **named))
        elif not isinstance(entry, ThresholdJudged):
            entries.append(entry)
    return entries


def write_shard(home: Path, entries: Sequence[Any]) -> Path:
    """The shard on the disk, with the conversations that it kept."""
    directory = write_record(home, list(entries))
    for entry in entries:
        if isinstance(entry, ConversationKept):
            (directory / entry.directory).mkdir(parents=True)
            (directory / entry.directory / "journal.jsonl").write_text(f"{entry.number}\n")
    return directory

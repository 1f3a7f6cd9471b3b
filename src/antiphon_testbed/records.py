"""The records of all interactions, in SQLite: a file that outlives the centre, or memory.

A change costs the desk nothing: the interaction is noted, and written with all others that have changed when `flush` is
called. What is read is always up to date. The file belongs to one centre at a time.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from antiphon.errors import RecordingError
from antiphon_testbed.floor.interactions import Interaction, iso

__all__ = ["Cursor", "Page", "Records"]

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS interactions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS interactions_started ON interactions (started_ms, number);
CREATE INDEX IF NOT EXISTS interactions_open ON interactions (state) WHERE state <> 'finished';
CREATE TABLE IF NOT EXISTS parts (
    user TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (user, started_ms, number)
) WITHOUT ROWID;
"""
_WRITE = """
INSERT INTO interactions (id, state, started_ms, record) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record
"""
_WRITE_PART = """
INSERT OR IGNORE INTO parts (user, started_ms, number) SELECT ?, started_ms, number FROM interactions WHERE id = ?
"""
_READ_PAGE = """
SELECT started_ms, number, record FROM interactions
WHERE (started_ms, number) > (?, ?) ORDER BY started_ms, number LIMIT ?
"""
_READ_PAGE_OF_USER = """
SELECT parts.started_ms, parts.number, record FROM parts JOIN interactions USING (number)
WHERE parts.user = ? AND (parts.started_ms, parts.number) > (?, ?) ORDER BY parts.started_ms, parts.number LIMIT ?
"""
_BUSY_S = 1.0


class Cursor(msgspec.Struct, frozen=True, order=True):
    """The place of a record in their order: when it began, and then in the order in which they came to be known."""

    started_ms: int
    number: int

    def __str__(self) -> str:
        return f"{self.started_ms}-{self.number}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """The cursor that was written as `str(cursor)`, or None if the text is none."""
        found = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", text, re.ASCII)
        return cls(int(found[1]), int(found[2])) if found is not None else None


class Page(msgspec.Struct, frozen=True):
    """Some records, the earliest first. `next` is where the next page goes on, None after the last one."""

    items: list[dict[str, Any]]
    next: Cursor | None


class Records:
    """The records in the file at `path`, or in memory. RecordingError if the file cannot be used.

    A record that an earlier centre left unfinished, since it was killed, is finished now and says so.
    """

    def __init__(self, path: str | Path | None, now_ms: int) -> None:
        self._path = str(path) if path is not None else ":memory:"
        self._changed: dict[str, Interaction] = {}
        self.trouble: str | None = None
        try:
            self._database = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self._prepare(now_ms)
        except sqlite3.Error as error:
            self._database.close()
            raise self._failure(error) from error
        except BaseException:
            self._database.close()
            raise

    @property
    def is_behind(self) -> bool:
        """Whether changes wait to be written."""
        return bool(self._changed)

    def changed(self, interaction: Interaction) -> None:
        """Note that the interaction's record has changed."""
        self._changed[interaction.id] = interaction

    def get(self, interaction_id: str) -> dict[str, Any] | None:
        """One record, or None."""
        changed = self._changed.get(interaction_id)
        if changed is not None:
            return changed.record()
        row = self._database.execute("SELECT record FROM interactions WHERE id = ?", (interaction_id,)).fetchone()
        return _record(row[0]) if row is not None else None

    def page(
        self, *, since_ms: int = 0, user: str | None = None, after: Cursor | None = None, limit: int = 100
    ) -> Page:
        """At most `limit` records of what began at `since_ms` or later, going on `after` an earlier page.

        user: only what this user took part in. Pages overlap nowhere and leave out nothing, whatever comes meanwhile.
        """
        self._write()
        start = Cursor(since_ms, 0)
        if after is not None:
            start = max(start, after)
        place = (start.started_ms, start.number, limit + 1)
        if user is None:
            rows = self._database.execute(_READ_PAGE, place).fetchall()
        else:
            rows = self._database.execute(_READ_PAGE_OF_USER, (user, *place)).fetchall()
        items = [_record(record) for _, _, record in rows[:limit]]
        return Page(items, Cursor(*rows[limit - 1][:2]) if len(rows) > limit else None)

    def flush(self) -> None:
        """Write what has changed. If the disk does not let us, `trouble` says so, and nothing is forgotten."""
        try:
            self._write()
        except sqlite3.Error as error:
            self.trouble = f"records cannot be written to {self._path}: {error}"
        else:
            self.trouble = None

    def close(self) -> None:
        """Write what has changed and let go of the file. RecordingError if that fails."""
        try:
            self._write()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        finally:
            self._database.close()

    def _prepare(self, now_ms: int) -> None:
        execute = self._database.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")  # one centre at a time: the lock is never let go
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = OFF")  # a killed centre loses nothing, and no desk waits for the disk
        (version,) = execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise RecordingError(
                f"{self._path} holds records of version {version}, and this centre writes version {_VERSION}",
                hint="give database= another file",
            )
        self._database.executescript(_SCHEMA)
        execute(f"PRAGMA user_version = {_VERSION}")
        self._finish_leftovers(now_ms)

    def _finish_leftovers(self, now_ms: int) -> None:
        rows = self._database.execute("SELECT id, record FROM interactions WHERE state <> 'finished'").fetchall()
        if not rows:
            return
        finished = [(_encode(_finish_lost(_record(record), now_ms)), interaction_id) for interaction_id, record in rows]
        self._database.execute("BEGIN")
        self._database.executemany("UPDATE interactions SET state = 'finished', record = ? WHERE id = ?", finished)
        self._database.execute("COMMIT")

    def _write(self) -> None:
        if not self._changed:
            return
        rows = [
            (interaction.id, interaction.state, interaction.started_ms, _encode(interaction.record()))
            for interaction in self._changed.values()
        ]
        parts = [(user, interaction.id) for interaction in self._changed.values() for user in interaction.users]
        self._database.execute("BEGIN")
        try:
            self._database.executemany(_WRITE, rows)
            self._database.executemany(_WRITE_PART, parts)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):  # some failures have rolled back by themselves
                self._database.execute("ROLLBACK")
            raise
        self._changed.clear()

    def _failure(self, error: sqlite3.Error) -> RecordingError:
        if "locked" in str(error):
            hint = "another centre uses this file; give database= a file of its own"
        elif "not a database" in str(error):
            hint = "the file is something else; give database= a new file, or one that a centre has made"
        else:
            hint = "does the directory exist, may we write there, and is there room?"
        return RecordingError(f"records cannot be kept in {self._path}: {error}", hint=hint)


def _finish_lost(record: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """What became of a contact whose centre was killed is not known, except that it is over by now."""
    at = iso(now_ms)
    record["states"].append(
        {"state": "finished", "at": at, "seconds": None, "user": record["user"], "reason": "centreRestarted"}
    )
    record["ended_by"] = record["ended_by"] or "centreRestarted"
    return {**record, "state": "finished", "finished_at": at}


def _record(text: str) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.json.decode(text)
    return record


def _encode(record: dict[str, Any]) -> str:
    return msgspec.json.encode(record).decode()

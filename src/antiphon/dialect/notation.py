"""How a value becomes data and data a value: what `Structured` dialects differ in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = ["KEYS", "Notation"]

KEYS: Final = frozenset({str, int, float, bytes})
"""What can be an id: no objects, arrays, booleans or null."""


class Notation(msgspec.Struct, frozen=True):
    """A notation for objects, arrays, texts and numbers, as JSON and MessagePack are.

    read, write: of a whole frame. What they raise for what cannot be read, or written, is in `not_readable` and
        `not_writable`; anything else is a bug.
    plain: a value in what the notation knows, mappings and lists; it raises what is in `not_writable`.
    why_unreadable: a hint for what could not be read.
    keys: the types that ids have when they are read; an id of another is sent as text, and so comes back.
    """

    name: str
    read: Callable[[Data], Any]
    write: Callable[[Any], Data]
    plain: Callable[[Any], Any]
    not_readable: tuple[type[Exception], ...]
    not_writable: tuple[type[Exception], ...]
    why_unreadable: Callable[[Data, Exception], str]
    keys: frozenset[type] = KEYS

    def unreadable(self, data: Data, error: Exception) -> DialectError:
        """What to raise for data that is not in this notation."""
        beginning = f"; the data begins {shorten(data[:80])}" if data else ""
        return DialectError(f"not {self.name}: {error}{beginning}", hint=self.why_unreadable(data, error))

    def unwritable(self, name: str, body: Any, error: Exception) -> DialectError:
        """What to raise for a body that the notation cannot hold."""
        return DialectError(f"{name} cannot be written as {self.name}: {error}", hint=f"its body is {shorten(body)}")

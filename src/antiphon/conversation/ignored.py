"""Which messages need not be expected in strict mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from antiphon.conversation.message import Message
from antiphon.conversation.waits import MessageWait

__all__ = ["Excuses"]


class Excuses:
    """Names that a handler hears (all of them if `hears_all`), and what was declared ignored."""

    def __init__(self, heard: Iterable[str], hears_all: bool, ignored: Iterable[str] = ()) -> None:
        self._heard = frozenset(heard)
        self._hears_all = hears_all
        self._ignored: list[MessageWait] = []
        for name in ignored:
            self.add(name)

    def add(self, name: str | None, where: Any = None) -> None:
        """Excuse messages of that name (None: of any) whose body fits `where`."""
        self._ignored.append(MessageWait(name, where, made_ns=0, deadline_ns=None))

    def cover(self, message: Message) -> bool:
        """Whether nobody needs to expect the message."""
        return self._hears_all or message.name in self._heard or any(each.accepts(message) for each in self._ignored)

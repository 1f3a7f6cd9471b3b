"""Looking at one conversation of a load while the others go on: its latest lines, and whether it is held open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from itertools import chain
from typing import Any, Final, Literal

import msgspec
from rich.text import Text

from antiphon.load.conversations import Conversation
from antiphon.report.text import Conversation as Lines

__all__ = ["LINES", "WIDTH", "Looked", "Looking"]

LINES: Final = 40
"""So many of its latest lines are shown."""

WIDTH: Final = 160

Standing = Literal["live", "to be held", "held", "over"]
"""Under way; under way, and to be held open then; held open, when all is done; over."""


class Looked(msgspec.Struct):
    """What is seen of a conversation: its latest lines, without secrets."""

    conversation: str
    standing: Standing
    lines: list[str]


class Looking:
    """Which of an engine's conversations is looked at. `now_ns` reads the load's clock."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.is_waiting = False
        """Whether there was none to be looked at: then the next that begins is to be shown to `see`."""
        self._now_ns = now_ns
        self._number = 0
        self._is_held = False
        self._seen: Conversation | None = None
        self._is_over = False
        self._lines: deque[str] = deque(maxlen=LINES)
        self._written = Lines(self._write, width=WIDTH, explains=False)

    def look(self, number: int, is_held: bool, live: Collection[Conversation]) -> None:
        """Look at the next of those that are live, with each greater number; 0 is at none. Hold it open, or let it go.

        If it is to be held and is over already, the next is.
        """
        is_other = number != self._number or (is_held and self._is_over)
        self._number, self._is_held = number, is_held
        if number == 0:
            self._leave()
        elif is_other:
            chosen = self._next(live)
            self._leave()
            if chosen is None:
                self.is_waiting = True
            else:
                self.see(chosen)
        elif self._seen is not None:
            self._hold(self._seen)

    def see(self, conversation: Conversation) -> None:
        """Look at that one."""
        self._seen, self._is_over, self.is_waiting = conversation, False, False
        self._lines.clear()
        self._written = Lines(self._write, width=WIDTH, explains=False)
        conversation.journal.attach(self._hear)
        self._hold(conversation)

    def ended(self, conversation: Conversation) -> None:
        """A conversation is over, and what it recorded was taken."""
        if conversation is self._seen:
            self._written.flush()
            self._is_over = True

    def let_go(self) -> None:
        """Hold nothing any more: the load ends."""
        self._is_held = False
        if self._seen is not None:
            self._hold(self._seen)

    def told(self) -> Looked | None:
        """What is seen now; None if nothing is looked at."""
        if self._seen is None:
            return None
        self._written.flush()
        standing: Standing = "over" if self._is_over else "held" if self._seen.is_staying else "live"
        if standing == "live" and self._is_held:
            standing = "to be held"
        return Looked(self._seen.name, standing, list(self._lines))

    def _hold(self, conversation: Conversation) -> None:
        if self._is_held:
            conversation.hold(self._now_ns)
        else:
            conversation.let_go()

    def _leave(self) -> None:
        self.is_waiting = False
        if self._seen is not None:
            self._seen.let_go()
            self._seen.journal.detach()
            self._seen = None

    def _next(self, live: Collection[Conversation]) -> Conversation | None:
        """The one behind that which is looked at; else the one that began last, of which there is most to come."""
        if self._seen in live:
            others = chain(live, live)
            for each in others:
                if each is self._seen:
                    return next(others)
        return next(reversed(list(live)), None)

    def _hear(self, entry: Any) -> None:
        try:
            self._written(entry)
        except Exception as error:  # a mistake in what is shown is no matter of the load
            self._lines.append(f"{type(entry).__name__} cannot be shown: {type(error).__name__}: {error}")

    def _write(self, line: Text) -> None:
        self._lines.append(line.plain.rstrip())

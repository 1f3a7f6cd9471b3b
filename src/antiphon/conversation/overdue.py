"""The waits whose deadline has passed: for a while it is noticed how late what they waited for comes."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.waits import CloseWait, Wait

__all__ = ["Overdue", "mark_late"]

_MOST: Final = 16
_LATE_WITHIN_NS: Final = 60 * 1_000_000_000


class Overdue(deque[Wait[Any]]):
    """The latest 16 of them, oldest first. What comes more than a minute after the deadline is not told of."""

    def __init__(self) -> None:
        super().__init__(maxlen=_MOST)

    def note(self, message: Message, now_ns: int) -> None:
        """Tell the first wait that would have taken the message how late it is."""
        for wait in list(self):
            if wait.accepts(message):
                mark_late(wait, now_ns)
                self.remove(wait)
                return
            if now_ns - wait.settled_ns > _LATE_WITHIN_NS:
                self.remove(wait)

    def note_close(self, now_ns: int) -> None:
        """Tell those who waited for the connection's end."""
        for wait in self:
            if isinstance(wait, CloseWait):
                mark_late(wait, now_ns)


def mark_late(wait: Wait[Any], now_ns: int) -> None:
    """What the wait was for has come now; the first time counts."""
    if not wait.late_ns and wait.deadline_ns is not None:
        wait.late_ns = max(now_ns - wait.deadline_ns, 1)

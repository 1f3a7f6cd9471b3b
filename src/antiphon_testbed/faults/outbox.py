"""What is on its way to one desk: in order, as late as the centre is slow, and whatever a fault has made of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from antiphon_testbed.effects import Answer, Event

__all__ = ["Delivery", "Disconnection", "Outbox", "RawText", "TruncatedFrame"]


class TruncatedFrame(msgspec.Struct, frozen=True):
    """Half of the message's frame, and silence."""

    item: Event | Answer


class RawText(msgspec.Struct, frozen=True):
    """A text that is no message."""

    text: str


class Disconnection(msgspec.Struct, frozen=True):
    """The end of the connection, with this code and reason; 1006 without a goodbye."""

    code: int
    reason: str


Delivery: TypeAlias = Event | Answer | TruncatedFrame | RawText | Disconnection


class Outbox:
    """Hands over what is put into it, in the order in which it was put.

    Something late holds up what comes after it, so that an event never overtakes the answer that it follows.
    `now_s()` and `later(delay_s, function)` are the clock.
    """

    def __init__(
        self,
        hand_over: Callable[[Delivery], None],
        *,
        now_s: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._hand_over = hand_over
        self._now_s = now_s
        self._later = later
        self._waiting: deque[tuple[float, Delivery]] = deque()

    def put(self, item: Delivery, delay_s: float = 0.0) -> None:
        """Hand it over in `delay_s`, or when what is before it has gone, whichever is later."""
        if not self._waiting and delay_s <= 0:
            self._hand_over(item)
            return
        due_s = self._now_s() + delay_s
        if self._waiting:
            due_s = max(due_s, self._waiting[-1][0])
        self._waiting.append((due_s, item))
        if len(self._waiting) == 1:
            self._later(delay_s, self._release)

    def _release(self) -> None:
        now_s = self._now_s()
        while self._waiting and self._waiting[0][0] <= now_s:
            self._hand_over(self._waiting.popleft()[1])
        if self._waiting:
            self._later(self._waiting[0][0] - now_s, self._release)

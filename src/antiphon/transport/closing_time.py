"""The time that a peer has for its goodbye: it runs only while nothing of what was said before is leaving.

A limit from the moment of the close would throw away what a slow reader is still reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.transport.timeouts import BusyTolerantTimer

__all__ = ["ClosingTime", "broken", "overdue"]


T = TypeVar("T")


class ClosingTime(Generic[T]):
    """Calls `on_end` when what `taken` gives has stayed the same for `within_s`, unless it is cancelled.

    `taken` gives anything that changes while the peer reads; `last` is what it gave last. So the goodbye of a peer that
    has read everything is waited for between once and twice as long.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        within_s: float,
        taken: Callable[[], T],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._within_s = within_s
        self._taken = taken
        self._on_end = on_end
        self.last = taken()
        self._timer = BusyTolerantTimer(loop, within_s, self._look)

    def cancel(self) -> None:
        """Do not wait any more."""
        self._timer.cancel()

    def _look(self) -> None:
        before, self.last = self.last, self._taken()
        if self.last == before:
            self._on_end()
        else:
            self._timer = BusyTolerantTimer(self._loop, self._within_s, self._look)


def overdue(goodbye: Ending | None, unsent_bytes: int, within_s: float) -> Ending | None:
    """How a connection ended on which we said goodbye, and the time is over: what is unsent is told, and blames nobody.

    A peer that has been given everything did not answer; one that has not cannot have heard the goodbye. One that the
    peer has answered, or that says itself what was wrong, stays as it is; None is that nobody said any.
    """
    if goodbye is None or goodbye.is_clean or goodbye.detail:
        return goodbye
    if not unsent_bytes:
        return msgspec.structs.replace(goodbye, detail=f"the other side did not close within {within_s:g} s")
    detail = f"{unsent_bytes:,} bytes sent before it had not left, and none of them left for {within_s:g} s"
    return msgspec.structs.replace(goodbye, detail=detail, unsent_bytes=unsent_bytes)


def broken(goodbye: Ending, unsent_bytes: int) -> Ending:
    """How a connection ended that broke after our goodbye, with at most so much of what was said before it unsent."""
    detail = f"up to {unsent_bytes:,} bytes sent before it had not left when the connection was lost"
    return msgspec.structs.replace(goodbye, detail=detail, unsent_bytes=unsent_bytes)

"""What both sides of a stream over HTTP keep of what flows: what has not left yet, and whether anybody reads."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.transport.closing_time import ClosingTime, overdue

__all__ = ["HttpStreamFlow"]


class HttpStreamFlow(ABC):
    """One stream's; `close_within_s` is how long what was said may take to leave after our goodbye, while none of it
    does."""

    def __init__(self, close_within_s: float) -> None:
        self._close_within_s = close_within_s
        self._loop = asyncio.get_running_loop()
        self._goodbye: Ending | None = None
        self._overdue: ClosingTime[int] | None = None
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_reading = asyncio.Event()
        self._is_reading.set()

    @property
    def unsent_bytes(self) -> int:
        """What has not left: a client's is gone when it was answered, a server's when the event loop has taken it."""
        return self._unsent_bytes

    async def drained(self) -> None:
        """Return when all has left, or the stream has ended."""
        await self._is_empty.wait()

    def pause(self) -> None:
        """Read no more, so that the peer waits."""
        if self._goodbye is None:
            self._is_reading.clear()

    def resume(self) -> None:
        """Read again."""
        self._is_reading.set()

    @abstractmethod
    def abort(self) -> None:
        """End it now."""

    def _end_overdue(self) -> None:
        if self._goodbye is not None:
            goodbye = msgspec.structs.replace(self._goodbye, is_clean=False)
            self._goodbye = overdue(goodbye, self._unsent_bytes, self._close_within_s)
        self.abort()

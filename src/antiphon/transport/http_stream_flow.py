"""What both sides of a stream over HTTP, and of one of gRPC, keep of what flows: what has not left, who reads."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.closing_time import ClosingTime, overdue
from antiphon.transport.interface import Receiver
from antiphon.transport.receiver_failure import report_failure

__all__ = ["HttpStreamFlow"]


class HttpStreamFlow(ABC):
    """One stream's; `close_within_s` is how long what was said may take to leave after our goodbye, while none of it
    does."""

    subprotocol = ""

    def __init__(self, receiver: Receiver, close_within_s: float) -> None:
        self._receiver = receiver
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
    def close(self, code: int | None = None, reason: str = "") -> None:
        """End it behind what was said."""

    @abstractmethod
    def abort(self) -> None:
        """End it now."""

    def _put(self, data: Data) -> None:
        """Behind what was said before."""
        said = data.encode() if isinstance(data, str) else data
        self._unsent.append(said)
        self._unsent_bytes += len(said)
        self._is_empty.clear()

    def _take(self) -> None:
        """The first of it has left."""
        self._unsent_bytes -= len(self._unsent.popleft())

    def _tell(self, what: str, *news: Any) -> Any:
        """What the receiver says to the news; None if it wants no such news."""
        try:
            hear = getattr(self._receiver, what, None)
            return hear(*news) if hear is not None else None
        except Exception as error:
            text = report_failure(self._loop, error, what)
            self._fail(text)
            return None

    def _fail(self, text: str) -> None:
        """End it because of ourselves."""
        self._goodbye = self._goodbye or Ending(by="us", detail=text)
        self.abort()

    def _end_overdue(self) -> None:
        if self._goodbye is not None:
            goodbye = msgspec.structs.replace(self._goodbye, is_clean=False)
            self._goodbye = overdue(goodbye, self._unsent_bytes, self._close_within_s)
        self.abort()

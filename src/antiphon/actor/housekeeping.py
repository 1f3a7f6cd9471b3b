"""What a protocol owes by itself on a connection: its opening, acknowledgements, heartbeats, its goodbye."""

from __future__ import annotations

import asyncio

from antiphon.conversation.ending import Ending
from antiphon.dialect.codec import Codec
from antiphon.errors import ConnectFailed
from antiphon.runtime.runtime import Runtime
from antiphon.transport.interface import Connection

__all__ = ["Housekeeping"]


class Housekeeping:
    """The duties of one codec on one connection. Most codecs have none, and then this does nothing."""

    def __init__(self, runtime: Runtime, codec: Codec, owner: str) -> None:
        self.has_debts = type(codec).owed is not Codec.owed
        self._runtime = runtime
        self._codec = codec
        self._owner = owner
        self._connection: Connection | None = None
        self._became_ready: asyncio.Future[None] | None = None

    def begin(self, connection: Connection) -> None:
        """The connection is there: say what opens the protocol, and keep its heart beating."""
        self._connection = connection
        for data in self._codec.opening():
            connection.send(data)
        if self._codec.heartbeat_s is not None:
            self._runtime.later(self._codec.heartbeat_s, self._beat)

    def pay(self) -> None:
        """Data was decoded: say what the protocol owes for it."""
        if self._connection is not None:
            for data in self._codec.owed():
                self._connection.send(data)
        if self._became_ready is not None and self._codec.is_ready and not self._became_ready.done():
            self._became_ready.set_result(None)

    async def until_ready(self, address: str, within_s: float) -> None:
        """Wait for the protocol's own opening to be done.

        Raises ConnectFailed if that takes longer than `within_s`, or the connection ends before.
        """
        if self._codec.is_ready:
            return
        self._became_ready = self._runtime.loop.create_future()
        try:
            async with asyncio.timeout(within_s):
                await self._became_ready
        except TimeoutError:
            if self._connection is not None:
                self._connection.abort()
            text = f"the connection is there, but its protocol did not open within {within_s:g} s"
            raise ConnectFailed(text, place=address) from None
        finally:
            self._became_ready = None

    def part(self) -> None:
        """We are about to close: say goodbye."""
        if self._connection is not None:
            for data in self._codec.closing():
                self._connection.send(data)

    def end(self, ending: Ending) -> None:
        """The connection has ended."""
        self._connection = None
        if self._became_ready is not None and not self._became_ready.done():
            self._became_ready.set_exception(ConnectFailed(f"{self._owner}: {ending}, before its protocol was open"))

    def _beat(self) -> None:
        if self._connection is None or self._codec.heartbeat_s is None:
            return
        for data in self._codec.heartbeat():
            self._connection.send(data)
        self._runtime.later(self._codec.heartbeat_s, self._beat)

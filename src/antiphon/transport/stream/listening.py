"""A listening server of streams, and who comes in there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.acceptor import Acceptor
from antiphon.transport.interface import Accept, Connection, Opening, Peer, RejectConnection
from antiphon.transport.stream.connection import StreamConnection

__all__ = ["StreamDoor", "StreamListening"]


class StreamDoor:
    """Who is in, and who may come in."""

    def __init__(self, accept: Accept, close_within_s: float) -> None:
        self.accept = accept
        self.close_within_s = close_within_s
        self.connections: set[StreamConnection] = set()
        self.emptied = asyncio.Event()

    def enter(self) -> StreamConnection:
        """The protocol for a stream that was accepted."""
        return _Incoming(self)

    def forget(self, connection: StreamConnection) -> None:
        """It has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self.emptied.set()


class StreamListening:
    """A listening server. `close` calls `forget`, too, when nobody can come in any more."""

    def __init__(
        self, address: str, door: StreamDoor, acceptor: Acceptor, forget: Callable[[], None] | None = None
    ) -> None:
        self.address = address
        self._door = door
        self._acceptor = acceptor
        self._forget = forget

    async def close(self) -> None:
        """Stop listening, and say goodbye on every connection; none is left when it returns."""
        await self._acceptor.close()
        if self._forget is not None:
            self._forget()
            self._forget = None
        door = self._door
        for connection in tuple(door.connections):
            connection.close()
        while door.connections:  # each ends by itself, and not before what was said on it has left
            door.emptied.clear()
            await door.emptied.wait()


class _Incoming(StreamConnection):
    """A stream that was accepted: open as soon as it is there, if it is let in."""

    def __init__(self, door: StreamDoor) -> None:
        super().__init__(_Refused(), door.close_within_s, door.forget)
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._door.connections.add(self)
        try:
            self._receiver = self._door.accept(Opening(peer=Peer.of(transport)))
        except RejectConnection:
            self.abort()  # a stream has no words for a refusal
        except Exception as error:
            text = "the accept function of a stream listener failed"
            self._loop.call_exception_handler({"message": text, "exception": error})
            self.abort()
        self.open()


class _Refused:
    """The receiver of a stream that is not let in."""

    def on_opened(self, connection: Connection) -> None:
        pass

    def on_data(self, data: Data) -> None:
        pass

    def on_ended(self, ending: Ending) -> None:
        pass

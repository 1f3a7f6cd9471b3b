"""The other side of a child process: this one, for whoever has started it, over its standard input and output."""

from __future__ import annotations

import asyncio
import os
from typing import Any, cast

from antiphon.errors import TransportError
from antiphon.transport.interface import Accept, Opening, Receiver, RejectConnection
from antiphon.transport.stream.byte_stream import CLOSE_WITHIN_S
from antiphon.transport.stream.connection import StreamConnection
from antiphon.transport.stream.pipes import PipePair

__all__ = ["StdioListener", "StdioListening"]


class StdioListener:
    """Listens at `stdio:`, for one connection.

    Its data has the standard output to itself from then on: what anybody prints goes to standard error.
    """

    async def listen(self, address: str, accept: Accept, *, close_within_s: float = CLOSE_WITHIN_S) -> StdioListening:
        """Open the connection. Raises TransportError if input and output are no pipes, or `accept` refuses."""
        if address.removeprefix("stdio:").strip("/"):
            raise TransportError(
                f"cannot listen: {address!r} is a program's address", place=address, hint='say "stdio:"'
            )
        try:
            receiver = accept(Opening())
        except RejectConnection as refused:
            raise TransportError(f"the only connection was refused: {refused}", place=address) from refused
        own = _Own(receiver, close_within_s)
        loop = asyncio.get_running_loop()
        reading, writing = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
        try:
            # The writing first: what comes may have to be answered at once.
            write, _ = await loop.connect_write_pipe(lambda: _Half(own), writing)
            read, _ = await loop.connect_read_pipe(lambda: _Half(own), reading)
        except ValueError as error:
            reading.close()
            writing.close()
            text = "cannot listen: standard input and output are no pipes"
            raise TransportError(text, place=address, hint="somebody else is to start this process") from error
        os.dup2(2, 1)
        own.connection_made(cast("asyncio.BaseTransport", PipePair(read, write)))
        own.open()
        return StdioListening(own)


class StdioListening:
    """The connection, as a listening server."""

    address = "stdio:"

    def __init__(self, own: _Own) -> None:
        self._own = own

    async def close(self) -> None:
        """Say goodbye; nothing is left when it returns."""
        self._own.close()
        await self._own.gone.wait()


class _Own(StreamConnection):
    """The process's own pipes as a stream."""

    def __init__(self, receiver: Receiver, close_within_s: float) -> None:
        super().__init__(receiver, close_within_s)
        self.gone = asyncio.Event()
        self._halves = 2

    def half_lost(self, exc: Exception | None) -> None:
        """One of the pipes has ended."""
        self._halves -= 1
        if exc is not None:  # who has started us reads no more
            self.abort()
        if not self._halves:
            self.connection_lost(exc)
            self.gone.set()

    def half_ended(self) -> None:
        """The input has."""
        if not (self._is_hearing and self.eof_received()):
            self._stream.close()


class _Half(asyncio.Protocol):
    """What the event loop tells of one of the pipes."""

    def __init__(self, own: _Own) -> None:
        self._own = own
        self.data_received: Any = own.data_received
        self.resume_writing: Any = own.resume_writing

    def eof_received(self) -> None:
        self._own.half_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self._own.half_lost(exc)

"""What ways to connect to a stream of bytes, and to listen for some, have in common: public base classes.

A subclass reads an address, has the event loop make a stream, and knows what an error means; that is all that differs
between TCP, Unix sockets and pipes. `Where` is what it makes of an address.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from antiphon.errors import ConnectFailed, TransportError
from antiphon.transport.acceptor import Acceptor
from antiphon.transport.interface import Accept, Opening, Receiver
from antiphon.transport.stream.connection import CLOSE_WITHIN_S, StreamConnection
from antiphon.transport.stream.listening import StreamDoor, StreamListening
from antiphon.transport.timeouts import timeout

__all__ = ["CLOSE_WITHIN_S", "ByteStream", "ByteStreamListener", "Listened"]

Where = TypeVar("Where")


class ByteStream(ABC, Generic[Where]):
    """A way to connect. `close_within_s` is how long the peer may take for its goodbye after ours."""

    form: ClassVar[str]
    """How an address is written, as a hint."""

    def __init__(self, *, close_within_s: float = CLOSE_WITHIN_S) -> None:
        self.close_within_s = close_within_s

    @abstractmethod
    def read(self, address: str) -> Where:
        """An address taken apart. Raises ValueError, whose text says what is wrong with it."""

    @abstractmethod
    async def create(self, where: Where, opening: Opening, begin: Callable[[], Any]) -> tuple[Any, Any]:
        """Have the event loop make a stream with a protocol that `begin` gives; give both. Raises OSError."""

    @abstractmethod
    def explain(self, where: Where, error: OSError | ValueError) -> tuple[str, str | None]:
        """What it means that there is no stream, and a hint. It was no matter of time."""

    def protocol(self, receiver: Receiver) -> StreamConnection:
        """The connection for a stream that is to be made."""
        return StreamConnection(receiver, self.close_within_s)

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> StreamConnection:
        """Connect; `opening.within_s` bounds all of it. Raises ConnectFailed, for headers and subprotocols, too."""
        try:
            where = self.read(address)
        except ValueError as error:
            raise ConnectFailed(f"cannot connect: {error}", place=address, hint=self.form) from error
        if opening.headers or opening.subprotocols:
            text = "a stream of bytes has no headers and no subprotocols to open with"
            raise ConnectFailed(text, place=address, hint="leave them out, or say them in the dialect's opening()")
        # A host may have several addresses, and each attempt has a protocol of its own: none may be left open.
        attempts: list[StreamConnection] = []

        def begin() -> StreamConnection:
            attempts.append(self.protocol(receiver))
            return attempts[-1]

        try:
            async with timeout(opening.within_s):
                _, connection = await self.create(where, opening, begin)
        except BaseException as error:
            for attempt in attempts:
                attempt.abandon()
            if isinstance(error, TimeoutError):
                text = f"no connection within {opening.within_s:g} s"
                raise ConnectFailed(text, place=address, hint="does somebody accept connections there?") from error
            if isinstance(error, (OSError, ValueError)):
                text, hint = self.explain(where, error)
                raise ConnectFailed(text, place=address, hint=hint) from error
            raise
        # Only now: the loops differ in what they call after a connect that is cancelled late.
        opened: StreamConnection = connection
        opened.open()
        return opened


class Listened(msgspec.Struct):
    """A listening socket, where clients find it, and what is to be done when nobody listens there any more."""

    acceptor: Acceptor
    address: str
    forget: Callable[[], None] | None = None


class ByteStreamListener(ABC, Generic[Where]):
    """A way to listen. There are no openings: `accept` gets one with the peer only."""

    form: ClassVar[str]

    @abstractmethod
    def read(self, address: str) -> Where:
        """As that of `ByteStream`."""

    @abstractmethod
    async def open(self, where: Where, make: Callable[[], StreamConnection], *_: Any, **options: Any) -> Listened:
        """Listen, with a protocol that `make` gives for each stream. Raises OSError, or ValueError for options."""

    @abstractmethod
    def explain(self, where: Where, error: OSError) -> tuple[str, str | None]:
        """What it means that nobody can listen there, and a hint."""

    async def listen(
        self, address: str, accept: Accept, *, close_within_s: float = CLOSE_WITHIN_S, **options: Any
    ) -> StreamListening:
        """Listen, with options of `open`. Raises TransportError if nobody can listen there, or with those."""
        try:
            where = self.read(address)
        except ValueError as error:
            raise TransportError(f"cannot listen: {error}", place=address, hint=self.form) from error
        door = StreamDoor(accept, close_within_s)
        try:
            opened = await self.open(where, door.enter, **options)
        except OSError as error:
            text, hint = self.explain(where, error)
            raise TransportError(f"cannot listen: {text}", place=address, hint=hint) from error
        return StreamListening(opened.address, door, opened.acceptor, opened.forget)

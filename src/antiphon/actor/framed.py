"""A connection with a framing: what comes is cut into frames before the codec reads it, what goes is wrapped."""

from __future__ import annotations

from typing import Any, cast

from antiphon.actor.codec_failure import read_all, unreadable
from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.framing import Framing
from antiphon.transport.interface import Connection

__all__ = ["Framed"]


class Framed:
    """The framing of one connection. A bad message is its own affair; after a broken frame nothing can be told."""

    def __init__(self, framing: Framing, dialect: Dialect, codec: Codec) -> None:
        self._framing = framing.framing()
        self._dialect = dialect
        self._codec = codec
        self._connection: Connection | None = None
        self._is_broken = False
        self._hears_frames = False

    def carry(self, connection: Connection) -> Connection:
        """The connection, on which all that is sent is wrapped.

        A wire may know frames one way only, as HTTP knows a request from the next: nothing is cut, or wrapped, there.
        """
        self._connection = connection
        self._hears_frames = getattr(connection, "hears_frames", False)
        if getattr(connection, "sends_frames", False):
            return connection
        return cast("Connection", _Wrapping(connection, self._framing))

    def decode(self, data: Data) -> list[Message]:
        """The messages in the frames that this completes; a broken frame is the last one, and ends the connection."""
        read: list[Message] = []
        if self._is_broken:
            return read
        if self._hears_frames:
            return read_all(self._dialect, self._codec, data)
        try:
            for frame in self._framing.feed(data.encode() if isinstance(data, str) else data):
                read += read_all(self._dialect, self._codec, frame)
        except Exception as error:
            self._is_broken = True
            read.append(unreadable(self._dialect, data, error))
            if self._connection is not None:
                self._connection.close()
        return read


class _Wrapping:
    """What it does not do itself is the wire's own, as what only that transport can do."""

    def __init__(self, wire: Connection, framing: Framing) -> None:
        self.wire = wire
        self._framing = framing

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wire, name)

    @property
    def holds_part(self) -> bool:
        return self._framing.holds_part

    def send(self, data: Data) -> None:
        self.wire.send(self._framing.wrap(data))

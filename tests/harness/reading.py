"""A stream without a wire, and the two handshakes on it, read in any pieces."""

from __future__ import annotations

import asyncio
import re
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any, NamedTuple

from antiphon.conversation.ending import Ending
from antiphon.errors import ConnectFailed
from antiphon.transport.interface import Opening
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.client_handshake import ClientHandshake, UpgradeRequest
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.deflate import Terms
from antiphon.transport.websocket.server_handshake import IncomingConnection, ListenerState

LIMIT_BYTES = 1000

REQUEST = (
    b"GET /desk HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
ACCEPT = b"=ACCEPT-ACCEPT-ACCEPT-ACCEP="
"""What stands in a server's answer for the value that answers the client's key."""

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n"
)
COMPRESSED_ANSWER = ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"


class FakeStream(asyncio.Transport):
    """Keeps what is written; whoever is its protocol gets what `hear` is given."""

    def __init__(self, protocol: asyncio.BaseProtocol, socket: socket.socket) -> None:
        super().__init__({"socket": socket})
        self.written = b""
        self.has_ended = False
        self._is_closing = False
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_write_buffer_size(self) -> int:
        return 1  # what is written always comes here, never to the socket

    def write(self, data: Any) -> None:
        if not self.has_ended:
            self.written += bytes(data)

    def writelines(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self.has_ended = self._is_closing = True

    def abort(self) -> None:
        self.close()

    def hear(self, data: bytes) -> None:
        """One read."""
        protocol = self.get_protocol()
        if not isinstance(protocol, asyncio.BufferedProtocol):
            protocol.data_received(data)
            return
        while data:
            room = memoryview(protocol.get_buffer(len(data)))
            size = min(len(room), len(data))
            room[:size] = data[:size]
            protocol.buffer_updated(size)
            data = data[size:]
            protocol = self.get_protocol()


class Hearing:
    """Remembers what it hears and answers it, so that it is seen what goes out when."""

    def __init__(self) -> None:
        self.data: list[Any] = []
        self.ending: Ending | None = None
        self._connection: Any = None

    def on_opened(self, connection: Any) -> None:
        self._connection = connection

    def on_data(self, data: Any) -> None:
        self.data.append(data)
        self._connection.send(f"heard {len(data)}")

    def on_ended(self, ending: Ending) -> None:
        self.ending = ending


class Outcome(NamedTuple):
    """All that can be told of a connection from outside."""

    data: list[Any]
    ending: Ending | None
    refusal: str
    written: bytes


class Reading:
    """Has either side read the same bytes in different pieces."""

    def __init__(self, runner: asyncio.Runner, socket: socket.socket) -> None:
        self._runner = runner
        self._socket = socket

    def as_server(self, pieces: Sequence[bytes], *, compression: bool = False) -> Outcome:
        """What a listener makes of a connection, its upgrade request included."""

        async def read() -> Outcome:
            hearing = Hearing()

            def accept(_opening: Opening) -> Hearing:
                return hearing

            state = ListenerState(
                accept=accept,
                http=None,
                compression=compression,
                subprotocols=(),
                max_size_bytes=LIMIT_BYTES,
                close_within_s=1,
            )
            protocol = IncomingConnection(state)
            stream = FakeStream(protocol, self._socket)
            protocol.connection_made(stream)
            await self._feed(stream, pieces)
            return Outcome(hearing.data, hearing.ending, "", stream.written)

        return self._runner.run(read())

    def as_client(self, pieces: Sequence[bytes], *, compression: bool = False) -> Outcome:
        """What a client makes of a connection, the answer to its upgrade included; ACCEPT stands for its key."""

        async def read() -> Outcome:
            hearing = Hearing()

            def connected(subprotocol: str, terms: Terms | None) -> WebSocketConnection:
                return WebSocketConnection(
                    hearing, subprotocol=subprotocol, terms=terms, max_size_bytes=LIMIT_BYTES, close_within_s=1
                )

            where = WebSocketAddress.parse("ws://here/desk")
            request = UpgradeRequest(where=where, headers=[], subprotocols=[], offers_compression=compression)
            protocol = ClientHandshake(request, connected, LIMIT_BYTES)
            stream = FakeStream(protocol, self._socket)
            protocol.connection_made(stream)
            protocol.ask()
            key = stream.written.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r")[0]
            assert key, "it asked for nothing"
            accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            await self._feed(stream, [piece.replace(ACCEPT, accept) for piece in pieces])
            refusal = ""
            if protocol.outcome.done() and protocol.outcome.exception() is not None:
                failed = protocol.outcome.exception()
                assert isinstance(failed, ConnectFailed)
                # How much of what is no HTTP is quoted depends on how much had come.
                refusal = re.sub("it said b.*", "", f"{failed} {getattr(failed, 'body', b'')!r}")
            else:
                protocol.outcome.cancel()
            return Outcome(hearing.data, hearing.ending, refusal, b"")

        return self._runner.run(read())

    async def _feed(self, stream: FakeStream, pieces: Sequence[bytes]) -> None:
        """Each piece is a read of its own, in a turn of its own; then the connection is lost."""
        wrong: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
        for piece in pieces:
            if piece:
                stream.hear(piece)
                await asyncio.sleep(0)
        stream.get_protocol().connection_lost(None)
        await asyncio.sleep(0)
        assert not wrong, wrong


@contextmanager
def reader() -> Iterator[Reading]:
    """Reads any number of connections."""
    with asyncio.Runner() as runner, socket.socket() as unconnected:
        yield Reading(runner, unconnected)

"""Certificates, event loops, and peers that speak WebSocket byte by byte."""

from __future__ import annotations

import asyncio
import ssl
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from typing import Any

import pytest
import trustme
import uvloop

from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

PATIENCE_S = 10.0
"""How long anything may take; nothing waits for so long unless it is broken."""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates of these tests."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a server that is called localhost and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a client that trusts it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine to its end, on either event loop; what goes wrong in a callback fails the test."""
    make_loop = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    async def bounded(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(2 * PATIENCE_S):
            return await coroutine

    def run(coroutine: Coroutine[Any, Any, Any], *, expected: str | None = None) -> Any:
        """`expected` is a message that the loop's exception handler must have been called with."""
        wrong: list[dict[str, Any]] = []
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.get_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
            result = runner.run(bounded(coroutine))
        assert [context["message"] for context in wrong] == ([expected] if expected is not None else [])
        return result

    return run


class RawPeer:
    """One end of a TCP connection whose frames are made by hand (RFC 6455 section 5.2)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool) -> None:
        self.reader = reader
        self.writer = writer
        self.is_client = is_client
        self.head = b""

    def frame(
        self,
        opcode: int,
        payload: bytes = b"",
        *,
        fin: bool = True,
        rsv: int = 0,
        masked: bool | None = None,
        length: bytes | None = None,
    ) -> bytes:
        """A frame; `masked` and `length` (the bytes after the first two) may be wrong on purpose."""
        is_masked = self.is_client if masked is None else masked
        if length is not None:
            size = {2: 126, 8: 127}[len(length)]
        elif len(payload) < 126:
            size, length = len(payload), b""
        elif len(payload) < 65536:
            size, length = 126, struct.pack(">H", len(payload))
        else:
            size, length = 127, struct.pack(">Q", len(payload))
        head = bytes([fin << 7 | rsv << 4 | opcode, is_masked << 7 | size]) + length
        # A mask of zeros is as good as any other, and leaves the payload readable here.
        return head + (bytes(4) if is_masked else b"") + payload

    def say(self, *frames: bytes) -> None:
        """Write frames in one go."""
        self.writer.write(b"".join(frames))

    async def hear(self) -> tuple[int, bool, int, bytes]:
        """The other side's next frame: opcode, fin, reserved bits, payload."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
        assert bool(second & 0x80) != self.is_client, "clients mask, servers do not"
        mask = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
        payload = await self.reader.readexactly(size)
        unmasked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        return first & 0xF, bool(first & 0x80), first >> 4 & 7, unmasked

    async def hear_close(self) -> bytes:
        """The payload of the other side's close, which is the next frame."""
        opcode, fin, rsv, payload = await self.hear()
        assert (opcode, fin, rsv) == (8, True, 0), (opcode, fin, rsv, payload)
        return payload

    async def hear_end(self) -> bytes:
        """Whatever else comes until the other side is gone."""
        with suppress(ConnectionError):
            return await self.reader.read()
        return b""

    async def leave(self) -> None:
        """Close the TCP connection."""
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


Behaviour = Callable[[RawPeer], Awaitable[Any]]


@asynccontextmanager
async def raw_server(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A TCP server on a free port; gives its `ws://` or `wss://` address. A behaviour that fails, fails the test."""
    failures: list[BaseException] = []
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        peer = RawPeer(reader, writer, is_client=False)
        try:
            await behaviour(peer)
        except BaseException as error:
            failures.append(error)
        finally:
            await peer.leave()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        scheme = "wss" if tls is not None else "ws"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        if serving:
            await asyncio.wait(serving, timeout=PATIENCE_S)
    for failure in failures:
        raise failure


async def answer(peer: RawPeer, *headers: str, then: bytes = b"", connection: str = "Upgrade") -> None:
    """Answer an upgrade with 101, further headers, and what is said in the same breath."""
    peer.head = await peer.reader.readuntil(b"\r\n\r\n")
    (key,) = [line[19:] for line in peer.head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: ")]
    accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        f"Connection: {connection}",
        f"Sec-WebSocket-Accept: {accept}",
        *headers,
    ]
    peer.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + then)


REQUEST = (
    "Host: here",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


async def raw_client(address: str, *, tls: ssl.SSLContext | None = None) -> RawPeer:
    """A TCP connection to a listener's address; nothing has been said."""
    host, _, port = address.partition("://")[2].partition("/")[0].rpartition(":")
    name = host if tls is not None else None
    reader, writer = await asyncio.open_connection(host, int(port), ssl=tls, server_hostname=name)
    return RawPeer(reader, writer, is_client=True)


async def ask(peer: RawPeer, *lines: str, first: str = "GET / HTTP/1.1", then: bytes = b"") -> bytes:
    """Send a request's head (a good one, if no lines are given); gives the head of the answer."""
    peer.writer.write("\r\n".join([first, *(lines or REQUEST)]).encode() + b"\r\n\r\n" + then)
    peer.head = await peer.reader.readuntil(b"\r\n\r\n")
    return peer.head


@asynccontextmanager
async def against_client(behaviour: Behaviour, **options: Any) -> AsyncIterator[Hearing]:
    """Our client, connected to a raw server that has answered 101 and goes on as `behaviour` says."""

    async def serve(peer: RawPeer) -> None:
        await answer(peer)
        await behaviour(peer)

    async with raw_server(serve) as address:
        hearing = Hearing()
        await WebSocketTransport(**options).connect(address, Opening(), hearing)
        yield hearing
        await hearing.ended()


@asynccontextmanager
async def against_server(behaviour: Behaviour, **options: Any) -> AsyncIterator[Hearing]:
    """Our listener's receiver, connected to a raw client that goes on as `behaviour` says."""
    hearing = Hearing()
    listening = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: hearing, **options)
    try:
        peer = await raw_client(listening.address)
        assert (await ask(peer)).startswith(b"HTTP/1.1 101 ")
        await hearing.until(lambda: hearing.connection is not None, "the opening")
        behaving = asyncio.ensure_future(behaviour(peer))
        try:
            yield hearing
            await behaving
            await peer.leave()
            await hearing.ended()
        finally:
            behaving.cancel()
            await peer.leave()
    finally:
        await listening.close()


class Raw:
    """What the tests of RFC 6455 are made of, as test modules cannot import each other."""

    answer = staticmethod(answer)
    ask = staticmethod(ask)
    client = staticmethod(raw_client)
    server = staticmethod(raw_server)
    request = REQUEST


@pytest.fixture
def raw() -> type[Raw]:
    """Peers by hand."""
    return Raw


@pytest.fixture(params=[against_client, against_server], ids=["client", "server"])
def against(request: pytest.FixtureRequest) -> Any:
    """Our side in either role, against a raw peer: `async with against(behaviour, **options) as hearing`."""
    return request.param

"""Other HTTP on the port of a WebSocket listener."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from antiphon.testing.transports import Hearing
from antiphon.transport.websocket.server import WebSocketListener

TEXT = 0x1


class Echo(Hearing):
    """Says back what it hears."""

    def on_data(self, data: Any) -> None:
        super().on_data(data)
        assert self.connection is not None
        self.connection.send(data)


@asynccontextmanager
async def listening(address: str = "ws://127.0.0.1:0", **options: Any) -> AsyncIterator[Any]:
    server = await WebSocketListener().listen(address, lambda _opening: Echo(), **options)
    try:
        yield server
    finally:
        await server.close()


async def hello(request: web.Request) -> web.Response:
    body = await request.text()
    if request.path == "/large":
        return web.Response(body=bytes(8_000_000))
    return web.Response(text=f"{request.method} {request.path} {len(body)}")


@asynccontextmanager
async def with_http(**options: Any) -> AsyncIterator[Any]:
    """A listener with an aiohttp application beside it."""
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        async with listening(http=runner.server, **options) as server:
            yield server
    finally:
        await runner.cleanup()


class TestHttpBeside:
    @pytest.mark.parametrize("secure", [False, True])
    def test_both_on_one_port(
        self, run: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, secure: bool
    ) -> None:
        """Requests, uploads and upgrades through one pool of connections: the pool reuses them for upgrades too."""

        async def scene() -> None:
            options = {"address": "wss://127.0.0.1:0", "tls": server_tls} if secure else {}
            async with with_http(**options) as server, aiohttp.ClientSession() as session:
                url = server.address.replace("ws", "http", 1)
                tls = client_tls if secure else True

                async def request(method: str, path: str, body: Any = None) -> str:
                    async with session.request(method, url + path, data=body, ssl=tls) as response:
                        assert response.status == 200
                        return await response.text()

                async def chunks() -> AsyncIterator[bytes]:
                    for _ in range(10):
                        yield b"y" * 1000

                for _ in range(2):
                    assert await request("GET", "/health") == "GET /health 0"
                    assert await request("POST", "/login", b"x" * 500_000) == "POST /login 500000"
                    async with session.ws_connect(url + "/desk", ssl=tls) as websocket:
                        await websocket.send_str("over the pool")
                        assert await websocket.receive_str() == "over the pool"
                    assert await request("PUT", "/record", chunks()) == "PUT /record 10000"
                assert await asyncio.gather(*(request("GET", f"/{number}") for number in range(20))) == [
                    f"GET /{number} 0" for number in range(20)
                ]

        run(scene())

    def test_requests_in_one_breath(self, run: Any, raw: Any) -> None:
        """Pipelined requests with bodies, cut anywhere, and an upgrade at the end."""

        async def scene() -> bytes:
            async with with_http() as server:
                peer = await raw.client(server.address)
                post = b"POST /a HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nGET /"
                for byte in post + b"GET /b HTTP/1.1\r\nHost: here\r\n\r\n":
                    peer.writer.write(bytes([byte]))
                    await asyncio.sleep(0)
                answers = b""
                while b"GET /b 0" not in answers:
                    answers += await peer.reader.read(1000)
                await raw.ask(peer, then=peer.frame(TEXT, b"now"))
                assert (await peer.hear())[3] == b"now"
                await peer.leave()
                return answers

        assert b"POST /a 5" in run(scene())

    def test_an_answer_that_is_read_slowly(self, run: Any, raw: Any) -> None:
        """It does not fit into the socket's buffers: the application is paused and resumed."""

        async def scene() -> int:
            async with with_http() as server:
                peer = await raw.client(server.address)
                await raw.ask(peer, "Host: here", first="GET /large HTTP/1.1")
                for _ in range(50):
                    await asyncio.sleep(0)
                body = await peer.reader.readexactly(8_000_000)
                await peer.leave()
                return len(body)

        assert run(scene()) == 8_000_000

    @pytest.mark.parametrize(
        ("header", "body"),
        [
            ("Content-Length: many", b""),
            ("Content-Length: +5", b"12345"),
            ("Content-Length: " + "9" * 5000, b""),
            ("Transfer-Encoding: gzip", b""),
            *(("Transfer-Encoding: chunked", length + b"\r\n") for length in (b"many", b"-6", b"+5", b"1_0", b"0x5")),
        ],
    )
    def test_bodies_whose_end_nobody_can_tell(self, run: Any, raw: Any, header: str, body: bytes) -> None:
        async def scene() -> bytes:
            async with with_http() as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, "Host: here", header, first="POST / HTTP/1.1", then=body)
                await peer.leave()
                return head

        assert run(scene()).startswith(b"HTTP/1.1 400 ")

    def test_an_application_that_reads_into_buffers(self, run: Any, raw: Any) -> None:
        class Buffered(asyncio.BufferedProtocol):
            def __init__(self) -> None:
                self.buffer = bytearray(10)
                self.read = b""

            def connection_made(self, transport: Any) -> None:
                self.transport = transport

            def get_buffer(self, sizehint: int) -> bytearray:
                return self.buffer

            def buffer_updated(self, nbytes: int) -> None:
                self.read += self.buffer[:nbytes]
                if self.read.endswith(b"end"):
                    self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n%d" % len(self.read))
                    self.transport.close()

        async def scene() -> bytes:
            async with listening(http=Buffered) as server:
                peer = await raw.client(server.address)
                await raw.ask(peer, "Content-Length: 93", first="POST / HTTP/1.1", then=b"x" * 90 + b"end")
                body = await peer.hear_end()
                await peer.leave()
                return body

        assert run(scene()) == str(len("POST / HTTP/1.1\r\nContent-Length: 93\r\n\r\n") + 93).encode()

    def test_the_application_is_told_of_the_end(self, run: Any, raw: Any) -> None:
        lost: list[Any] = []

        class Application(asyncio.Protocol):
            def connection_lost(self, exc: Exception | None) -> None:
                lost.append(exc)

        async def scene() -> None:
            async with listening(http=Application) as server:
                peer = await raw.client(server.address)
                peer.writer.write(b"GET / HTTP/1.1\r\n\r\n")
                await peer.writer.drain()
                await peer.leave()

        run(scene())
        assert lost == [None]

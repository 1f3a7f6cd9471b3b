"""How the WebSocket listener opens, refuses and ends connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon.errors import TransportError
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening, RejectConnection
from antiphon.transport.websocket import server_handshake as websocket_door
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

TEXT, CLOSE = 0x1, 0x8


class Echo(Hearing):
    """Says back what it hears."""

    def on_data(self, data: Any) -> None:
        super().on_data(data)
        assert self.connection is not None
        self.connection.send(data)


@asynccontextmanager
async def listening(accept: Any = None, address: str = "ws://127.0.0.1:0", **options: Any) -> AsyncIterator[Any]:
    server = await WebSocketListener().listen(address, accept or (lambda _opening: Echo()), **options)
    try:
        yield server
    finally:
        await server.close()


def without(name: str, raw: Any) -> list[str]:
    return [line for line in raw.request if not line.startswith(name)]


class TestUpgrade:
    @pytest.mark.parametrize(
        "connection", ["Upgrade", "keep-alive, Upgrade", "upgrade,keep-alive", "KEEP-ALIVE , UPGRADE"]
    )
    def test_connection_is_a_list(self, run: Any, raw: Any, connection: str) -> None:
        async def scene() -> bytes:
            async with listening() as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, *without("Connection", raw), f"Connection: {connection}")
                await peer.leave()
                return head

        head = run(scene())
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head

    def test_frames_in_the_same_segment_as_the_request(self, run: Any, raw: Any) -> None:
        async def scene() -> list[Any]:
            async with listening() as server:
                peer = await raw.client(server.address)
                frames = b"".join(peer.frame(TEXT, f"{number}".encode()) for number in range(300))
                await raw.ask(peer, then=frames)
                heard = [(await peer.hear())[3] for _ in range(300)]
                await peer.leave()
                return heard

        assert run(scene()) == [str(number).encode() for number in range(300)]

    def test_a_request_byte_by_byte(self, run: Any, raw: Any) -> None:
        async def scene() -> bytes:
            async with listening() as server:
                peer = await raw.client(server.address)
                request = "\r\n".join(["GET / HTTP/1.1", *raw.request]).encode() + b"\r\n\r\n" + peer.frame(TEXT, b"hi")
                for byte in request:
                    peer.writer.write(bytes([byte]))
                    await asyncio.sleep(0)
                await peer.reader.readuntil(b"\r\n\r\n")
                payload = (await peer.hear())[3]
                await peer.leave()
                return payload

        assert run(scene()) == b"hi"

    @pytest.mark.parametrize(
        ("lines", "status", "words"),
        [
            (["Sec-WebSocket-Key"], 400, b"Sec-WebSocket-Key"),
            (["Sec-WebSocket-Key", "Sec-WebSocket-Key: short"], 400, b"Sec-WebSocket-Key"),
            (["Sec-WebSocket-Key", "Sec-WebSocket-Key: " + "?" * 24], 400, b"Sec-WebSocket-Key"),
            (["Connection", "Connection: close"], 400, b"Connection"),
            (["Sec-WebSocket-Version"], 426, b"version 13"),
            (["Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"], 426, b"version 13"),
            (["Nothing", "Content-Length: 3"], 400, b"no body"),
            (["Nothing", "Transfer-Encoding: chunked"], 400, b"no body"),
            (["Nothing", "Sec-WebSocket-Extensions: a; b; b"], 400, b"repeated parameter"),
            (["Nothing", " folded: line"], 400, b"malformed"),
            (["Nothing", "no colon"], 400, b"malformed"),
        ],
    )
    def test_requests_that_are_not_in_order(
        self, run: Any, raw: Any, lines: list[str], status: int, words: bytes
    ) -> None:
        accepted = []

        async def scene() -> tuple[bytes, bytes]:
            async with listening(accepted.append) as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, *without(lines[0], raw), *lines[1:])
                body = await peer.hear_end()
                await peer.leave()
                return head, body

        head, body = run(scene())
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"\r\nConnection: close\r\n" in head
        assert (b"Sec-WebSocket-Version: 13" in head) == (status == 426)
        assert words in body
        assert accepted == []

    @pytest.mark.parametrize(
        ("first", "status"),
        [
            ("POST / HTTP/1.1", 400),
            ("GET / HTTP/1.0", 400),
            ("GET /", 400),
            ("GET  HTTP/1.1", 400),
            ("hello", 400),
            ("GET / HTTP/1.1", 101),
        ],
    )
    def test_first_lines(self, run: Any, raw: Any, first: str, status: int) -> None:
        async def scene() -> bytes:
            async with listening() as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, first=first)
                await peer.leave()
                return head

        assert run(scene()).startswith(f"HTTP/1.1 {status} ".encode())

    def test_a_head_that_never_ends(self, run: Any, raw: Any) -> None:
        async def scene() -> bytes:
            async with listening() as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, "X: " + "x" * 20_000)
                await peer.leave()
                return head

        assert run(scene()).startswith(b"HTTP/1.1 431 ")

    def test_a_head_that_does_not_come(self, run: Any, raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(websocket_door, "HEAD_WITHIN_S", 0.02)

        async def scene() -> None:
            async with listening() as server:
                for start in (b"", b"GET / HT"):
                    peer = await raw.client(server.address)
                    peer.writer.write(start)
                    assert await peer.hear_end() == b""
                    await peer.leave()

        run(scene())

    def test_tls_where_there_is_none(self, run: Any, raw: Any, client_tls: ssl.SSLContext) -> None:
        """Answered at once, and not when the patience for heads is over."""

        async def scene() -> None:
            async with listening() as server:
                with pytest.raises(ssl.SSLError):
                    await raw.client(server.address, tls=client_tls)

        run(scene())


class TestOrder:
    @pytest.mark.parametrize("secure", [False, True])
    def test_what_comes_before_a_broken_frame_is_answered_before_it(
        self, run: Any, raw: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, secure: bool
    ) -> None:
        """In one read, which picows looks through one frame ahead; and a long one follows, which nobody reads."""

        async def scene() -> tuple[list[Any], bytes]:
            options: dict[str, Any] = {"address": "wss://127.0.0.1:0", "tls": server_tls} if secure else {}
            async with listening(**options) as server:
                peer = await raw.client(server.address, tls=client_tls if secure else None)
                await raw.ask(peer)
                peer.say(peer.frame(TEXT, b"hello"), peer.frame(0x3, b"?"), peer.frame(TEXT, bytes(100_000)))
                heard = [await peer.hear()]
                said = await peer.hear_close()
                await peer.leave()
                return heard, said

        heard, said = run(scene())
        assert heard == [(TEXT, True, 0, b"hello")]
        assert said[:2] == b"\x03\xea"
        assert b"opcode=0x3" in said


class TestAccept:
    def test_what_accept_is_told(self, run: Any, raw: Any) -> None:
        openings: list[Opening] = []

        def accept(opening: Opening) -> Any:
            openings.append(opening)
            return Echo()

        async def scene() -> None:
            async with listening(accept, subprotocols=("v2",)) as server:
                peer = await raw.client(server.address)
                more = (
                    "Cookie: a=b",
                    "X-Two: 1",
                    "x-two: 2",
                    "cookie: c=d",
                    "Sec-WebSocket-Protocol: v1 ,v2",
                    "X-Ü: ü",
                )
                head = await raw.ask(peer, *raw.request, *more, first="GET /desk?seat=7 HTTP/1.1")
                assert b"Sec-WebSocket-Protocol: v2\r\n" in head
                await peer.leave()

        run(scene())
        (opening,) = openings
        assert opening.path == "/desk?seat=7"
        assert opening.subprotocols == ("v1", "v2")
        assert opening.headers["COOKIE"] == "a=b; c=d"
        assert opening.headers["X-Two"] == "1, 2"
        assert "x-nothing" not in opening.headers

    def test_no_subprotocol_in_common(self, run: Any, raw: Any) -> None:
        async def scene() -> bytes:
            async with listening(subprotocols=("v9",)) as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer, *raw.request, "Sec-WebSocket-Protocol: v1")
                await peer.leave()
                return head

        head = run(scene())
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Protocol:" not in head

    @pytest.mark.parametrize("status", [401, 404, 499, 503, 599])
    def test_a_refusal(self, run: Any, raw: Any, status: int) -> None:
        def accept(_opening: Opening) -> Any:
            raise RejectConnection(status, "nicht Sie, Frau Müller", {"WWW-Authenticate": "Bearer"})

        async def scene() -> tuple[bytes, bytes]:
            async with listening(accept) as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer)
                body = await peer.hear_end()
                await peer.leave()
                return head, body

        head, body = run(scene())
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"WWW-Authenticate: Bearer\r\n" in head
        assert b"Content-Length: 23\r\n" in head
        assert body.decode() == "nicht Sie, Frau Müller"

    def test_a_refusal_that_cannot_be_said(self, run: Any, raw: Any) -> None:
        def accept(_opening: Opening) -> Any:
            raise RejectConnection(401, "", {"X-A": "b\r\nX-C: d"})

        async def scene() -> bytes:
            async with listening(accept) as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer)
                await peer.leave()
                return head

        head = run(scene(), expected="a refusal cannot be sent")
        assert head.startswith(b"HTTP/1.1 500 ")
        assert b"X-C" not in head

    def test_an_accept_that_fails(self, run: Any, raw: Any) -> None:
        def accept(_opening: Opening) -> Any:
            raise KeyError("the secret of the house")

        async def scene() -> bytes:
            async with listening(accept) as server:
                peer = await raw.client(server.address)
                head = await raw.ask(peer)
                body = await peer.hear_end()
                await peer.leave()
                return head + body

        answer = run(scene(), expected="the accept function of a WebSocket listener failed")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"secret" not in answer

    def test_no_upgrade_and_no_http(self, run: Any, raw: Any) -> None:
        async def scene() -> bytes:
            async with listening() as server:
                peer = await raw.client(server.address)
                head = await raw.ask(
                    peer, "Host: here", "Content-Length: 100000", first="POST / HTTP/1.1", then=b"x" * 50_000
                )
                body = await peer.hear_end()
                await peer.leave()
                return head + body

        answer = run(scene())
        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert b"Upgrade: websocket\r\n" in answer
        assert answer.endswith(b"this address speaks WebSocket (RFC 6455)")


class TestListening:
    def test_the_address_is_one_to_connect_to(self, run: Any, server_tls: ssl.SSLContext) -> None:
        async def scene() -> list[str]:
            addresses = []
            for address in (
                "ws://127.0.0.1:0/desk",
                "http://localhost:0",
                "ws://0.0.0.0:0",
                "ws://[::1]:0",
                "ws://[::]:0",
            ):
                async with listening(address=address) as server:
                    addresses.append(server.address)
                    hearing = Hearing()
                    connection = await WebSocketTransport().connect(server.address, Opening(), hearing)
                    connection.send("hello")
                    await hearing.until(lambda hearing=hearing: hearing.data == ["hello"], "the echo")
            return addresses

        addresses = run(scene())
        assert [address.rpartition(":")[0] for address in addresses] == [
            "ws://127.0.0.1",
            "ws://localhost",
            "ws://127.0.0.1",
            "ws://[::1]",
            "ws://[::1]",
        ]
        assert addresses[0].endswith("/desk")

    def test_a_port_that_is_taken(self, run: Any) -> None:
        async def scene() -> None:
            async with listening() as server:
                with pytest.raises(TransportError, match="is taken") as caught:
                    await WebSocketListener().listen(server.address, lambda _opening: Echo())
                assert caught.value.place == server.address
            async with listening(address=server.address):  # now it is free again
                pass

        run(scene())

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("tcp://127.0.0.1:0", "tcp is no scheme"),
            ("ws://no-such-host.invalid:0", "does not resolve"),
            ("ws://no-such-host.invalid:80", "does not resolve"),
            ("wss://127.0.0.1:0", "needs tls="),
        ],
    )
    def test_addresses_that_cannot_be_listened_at(self, run: Any, address: str, words: str) -> None:
        async def scene() -> None:
            with pytest.raises(TransportError, match=words):
                await WebSocketListener().listen(address, lambda _opening: Echo())

        run(scene())

    def test_tls_for_a_plain_address(self, run: Any, server_tls: ssl.SSLContext) -> None:
        async def scene() -> None:
            with pytest.raises(TransportError, match="does not say wss://"):
                await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: Echo(), tls=server_tls)

        run(scene())

    def test_closing_does_not_wait_for_the_deaf(self, run: Any, raw: Any) -> None:
        """A client that does not say goodbye back, one that has said half a request, one that has said nothing."""
        echo = Echo()

        async def scene() -> bytes:
            server = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: echo, close_within_s=0.05)
            deaf, half, silent = [await raw.client(server.address) for _ in range(3)]
            await raw.ask(deaf)
            half.writer.write(b"GET / HT")
            await server.close()
            payload = await deaf.hear_close()
            for peer in (deaf, half, silent):
                assert await peer.hear_end() == b""
                await peer.leave()
            return payload

        assert run(scene())[:2] == (1001).to_bytes(2, "big")
        assert echo.ending is not None
        assert (echo.ending.code, echo.ending.by, echo.ending.is_clean) == (1001, "us", False)

    def test_closing_during_a_tls_handshake(
        self, run: Any, raw: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
    ) -> None:
        """A connection that was not there yet when the server closed does not outlive it."""

        async def scene() -> None:
            server = await WebSocketListener().listen("wss://127.0.0.1:0", lambda _opening: Echo(), tls=server_tls)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            handshake = client_tls.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            peer = await raw.client(server.address.replace("wss", "ws"))
            with pytest.raises(ssl.SSLWantReadError):
                handshake.do_handshake()
            peer.writer.write(outgoing.read())
            incoming.write(await peer.reader.read(10_000))
            handshake.do_handshake()
            await server.close()
            peer.writer.write(outgoing.read())
            await peer.hear_end()
            await peer.leave()

        run(scene())

    def test_closing_twice(self, run: Any, raw: Any) -> None:
        async def scene() -> None:
            server = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: Echo())
            hearing = Hearing()
            await WebSocketTransport().connect(server.address, Opening(), hearing)
            await asyncio.gather(server.close(), server.close())
            await hearing.ended()
            await server.close()

        run(scene())

    def test_many_connections(self, run: Any) -> None:
        async def scene() -> None:
            async with listening() as server:
                hearings = [Hearing() for _ in range(300)]
                transport = WebSocketTransport()
                connections = await asyncio.gather(
                    *(transport.connect(server.address, Opening(), hearing) for hearing in hearings)
                )
                for number, connection in enumerate(connections):
                    connection.send(f"{number}")
                for number, hearing in enumerate(hearings):
                    await hearing.until(lambda hearing=hearing: bool(hearing.data), "the echo")
                    assert hearing.data == [str(number)]

        run(scene())

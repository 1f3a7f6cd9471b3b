"""With an implementation that is not ours: the `websockets` library as server and as client."""

from __future__ import annotations

import asyncio
import os
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect, unix_connect
from websockets.asyncio.server import serve, unix_serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.typing import Subprotocol

from antiphon.conversation.ending import Ending
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

MIB = 1024 * 1024

MESSAGES: list[str | bytes] = [
    "hello",
    "hello",
    "",
    b"",
    "grüß 😀" * 1000,
    b"\x00\xff" * 50_000,
    "x" * 200_000,
    "hello",
]


class Echo(Hearing):
    def on_data(self, data: Any) -> None:
        super().on_data(data)
        assert self.connection is not None
        self.connection.send(data)


@asynccontextmanager
async def their_server(handler: Any, **options: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"{'wss' if options.get('ssl') else 'ws'}://127.0.0.1:{port}"


@asynccontextmanager
async def our_server(receiver: Hearing, address: str = "ws://127.0.0.1:0", **options: Any) -> AsyncIterator[str]:
    listening = await WebSocketListener().listen(address, lambda _opening: receiver, **options)
    try:
        yield listening.address
    finally:
        await listening.close()


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


SERVER_COMPRESSIONS = {
    "none": None,
    "as it comes": [ServerPerMessageDeflateFactory()],
    "small windows": [ServerPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)],
    "the smallest window": [ServerPerMessageDeflateFactory(client_max_window_bits=8)],
    "no server context": [ServerPerMessageDeflateFactory(server_no_context_takeover=True)],
    "no contexts": [ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)],
}

CLIENT_COMPRESSIONS = {
    "none": None,
    "as it comes": [ClientPerMessageDeflateFactory(client_max_window_bits=True)],
    "small windows": [ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)],
    "no server context": [ClientPerMessageDeflateFactory(server_no_context_takeover=True)],
    "no client context": [ClientPerMessageDeflateFactory(client_no_context_takeover=True)],
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("compression", SERVER_COMPRESSIONS)
def test_our_client_and_their_server(
    run: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, compression: str, secure: bool
) -> None:
    async def scene() -> Hearing:
        options = {"extensions": SERVER_COMPRESSIONS[compression], "compression": None}
        async with their_server(echo, **options, ssl=server_tls if secure else None) as address:
            hearing = Hearing()
            transport = WebSocketTransport(tls=client_tls, compression=True)
            connection = await transport.connect(address, Opening(), hearing)
            for message in MESSAGES:
                connection.send(message)
            await hearing.until(lambda: len(hearing.data) == len(MESSAGES), "the echoes")
            connection.close(4000, "enough")
            await hearing.ended()
            return hearing

    hearing = run(scene())
    assert hearing.data == MESSAGES
    assert hearing.ending == Ending(code=4000, reason="enough", by="us", is_clean=True)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("compression", CLIENT_COMPRESSIONS)
def test_their_client_and_our_server(
    run: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, compression: str, secure: bool
) -> None:
    async def scene() -> tuple[list[Any], Hearing]:
        hearing = Echo()
        ours = {"address": "wss://127.0.0.1:0", "tls": server_tls} if secure else {}
        theirs = {"ssl": client_tls} if secure else {}
        extensions = CLIENT_COMPRESSIONS[compression]
        async with our_server(hearing, **ours) as address:
            async with connect(address, extensions=extensions, compression=None, **theirs) as websocket:
                assert bool(websocket.protocol.extensions) == (extensions is not None)
                heard = []
                for message in MESSAGES:
                    await websocket.send(message)
                    heard.append(await websocket.recv())
                await websocket.close(4000, "enough")
                assert (websocket.close_code, websocket.close_reason) == (4000, "enough")
            await hearing.ended()
            return heard, hearing

    heard, hearing = run(scene())
    assert heard == hearing.data == MESSAGES
    assert hearing.ending == Ending(code=4000, reason="enough", by="peer", is_clean=True)


def test_compression_only_where_both_want_it(run: Any) -> None:
    async def scene() -> None:
        for compression, allowed in ((None, True), ("deflate", False)):
            hearing = Echo()
            async with (
                our_server(hearing, compression=allowed) as address,
                connect(address, compression=compression) as websocket,
            ):
                assert websocket.protocol.extensions == []
                await websocket.send("plain")
                assert await websocket.recv() == "plain"

    run(scene())


def test_fragments(run: Any) -> None:
    async def fragments() -> AsyncIterator[str]:
        for part in ("a", "", "é", "b" * 70_000):
            yield part

    async def scene() -> Hearing:
        async def handler(websocket: Any) -> None:
            await websocket.send(fragments())
            await websocket.send([b"c", b"d" * 1000])
            await websocket.ping(b"in between")

        async with their_server(handler) as address:
            hearing = Hearing()
            await WebSocketTransport(compression=True).connect(address, Opening(), hearing)
            await hearing.ended()
            return hearing

    hearing = run(scene())
    assert hearing.data == ["aé" + "b" * 70_000, b"c" + b"d" * 1000]
    assert (hearing.ending.code, hearing.ending.by) == (1000, "peer")


def test_pings_of_theirs_are_answered(run: Any) -> None:
    async def scene() -> None:
        async with our_server(Echo()) as address, connect(address) as websocket:
            await (await websocket.ping(b"are you there?"))

    run(scene())


def test_pings_of_ours_are_answered(run: Any) -> None:
    async def scene() -> Any:
        async with their_server(echo) as address:
            connection = await WebSocketTransport(ping_every_s=0.01).connect(address, Opening(), Hearing())
            took_s = [await connection.ping() for _ in range(3)]
            connection.abort()
            return took_s

    assert all(each is not None for each in run(scene()))


def test_over_a_unix_socket_both_ways(run: Any, tmp_path: Path) -> None:
    async def scene() -> Any:
        ours = Hearing()
        async with unix_serve(echo, str(tmp_path / "theirs")):
            connection = await WebSocketTransport().connect(f"ws+unix://{tmp_path}/theirs:/desk", Opening(), ours)
            connection.send("hello")
            await ours.until(lambda: bool(ours.data), "an answer")
            connection.close()
            await ours.ended()
        theirs = Hearing("welcome")
        async with (
            our_server(theirs, f"ws+unix://{tmp_path}/ours"),
            unix_connect(str(tmp_path / "ours"), "ws://localhost/desk") as websocket,
        ):
            return ours.data, await websocket.recv()

    assert run(scene()) == (["hello"], "welcome")


def test_subprotocols(run: Any) -> None:
    async def scene() -> None:
        async with their_server(echo, subprotocols=[Subprotocol("v2"), Subprotocol("v1")]) as address:
            hearing = Hearing()
            connection = await WebSocketTransport().connect(address, Opening(subprotocols=("v1", "v3")), hearing)
            assert connection.subprotocol == "v1"
            connection.close()
            await hearing.ended()
        offered = [Subprotocol("v1"), Subprotocol("v2")]
        async with (
            our_server(Echo(), subprotocols=("v2",)) as address,
            connect(address, subprotocols=offered) as websocket,
        ):
            assert websocket.subprotocol == "v2"

    run(scene())


def test_a_frame_of_20_mib_from_their_server(run: Any) -> None:
    """Ours says 1009 and what to do; theirs hears 1009 although it was in the middle of sending."""

    async def scene() -> tuple[Ending, Any]:
        heard = asyncio.get_running_loop().create_future()

        async def handler(websocket: Any) -> None:
            try:
                await websocket.send(b"x" * 20 * MIB)
                await websocket.recv()
            except websockets.ConnectionClosed as closed:
                heard.set_result(closed.rcvd)

        async with their_server(handler, compression=None) as address:
            hearing = Hearing()
            await WebSocketTransport().connect(address, Opening(), hearing)
            return await hearing.ended(), await heard

    ending, received = run(scene())
    assert (ending.code, ending.by) == (1009, "us")
    assert ending.detail == "a frame of 20971520 bytes; the limit is 16777216: raise max_size_bytes"
    assert received.code == 1009
    assert received.reason == "a frame of 20971520 bytes; the limit is 16777216"


def test_a_frame_of_20_mib_from_their_client(run: Any) -> None:
    async def scene() -> tuple[Ending, Any]:
        hearing = Hearing()
        async with our_server(hearing) as address:
            websocket = await connect(address, compression=None)
            # It may still be sending when it hears of the end.
            with suppress(websockets.ConnectionClosed):
                await websocket.send(b"x" * 20 * MIB)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await websocket.recv()
            return await hearing.ended(), closed.value.rcvd

    ending, received = run(scene())
    assert (ending.code, ending.by) == (1009, "us")
    assert received.code == 1009


@pytest.mark.slow
def test_a_frame_of_20_mib_where_it_is_welcome(run: Any) -> None:
    payload = os.urandom(MIB) * 20

    async def scene() -> Any:
        hearing = Hearing()
        async with (
            our_server(hearing, max_size_bytes=20 * MIB) as address,
            connect(address, compression=None, max_size=None) as websocket,
        ):
            await websocket.send(payload)
            await hearing.until(lambda: bool(hearing.data), "the frame")
            return hearing.data

    assert run(scene()) == [payload]


def test_a_compression_bomb(run: Any, raw: Any) -> None:
    stream = zlib.compressobj(wbits=-15)
    bomb = stream.compress(bytes(20 * MIB)) + stream.flush(zlib.Z_SYNC_FLUSH)

    async def scene() -> tuple[Ending, bytes]:
        hearing = Hearing()
        async with our_server(hearing) as address:
            peer = await raw.client(address)
            await raw.ask(peer, *raw.request, "Sec-WebSocket-Extensions: permessage-deflate")
            peer.say(peer.frame(2, bomb.removesuffix(b"\x00\x00\xff\xff"), rsv=4))
            payload = await peer.hear_close()
            await peer.leave()
            return await hearing.ended(), payload

    ending, payload = run(scene())
    assert len(bomb) < 30_000
    assert payload[:2] == (1009).to_bytes(2, "big")
    assert (
        ending.detail
        == "a compressed message that inflates to more than 16777216 bytes; the limit is 16777216: raise max_size_bytes"
    )


def test_compressed_frames_that_are_none(run: Any, raw: Any) -> None:
    async def scene() -> Ending:
        hearing = Hearing()
        async with our_server(hearing) as address:
            peer = await raw.client(address)
            await raw.ask(peer, *raw.request, "Sec-WebSocket-Extensions: permessage-deflate")
            peer.say(peer.frame(1, b"\xff\xff\xff", rsv=4))
            await peer.hear_close()
            await peer.leave()
            return await hearing.ended()

    ending = run(scene())
    assert (ending.code, ending.detail) == (1007, "a compressed message that is not deflate")


def test_text_that_utf8_cannot_carry_under_compression(run: Any) -> None:
    from antiphon.errors import TransportError

    async def scene() -> list[Any]:
        async with their_server(echo) as address:
            hearing = Hearing()
            connection = await WebSocketTransport(compression=True).connect(address, Opening(), hearing)
            with pytest.raises(TransportError, match="surrogate"):
                connection.send("\ud800")
            connection.send("fine")
            await hearing.until(lambda: bool(hearing.data), "the echo")
            connection.close()
            await hearing.ended()
            return hearing.data

    assert run(scene()) == ["fine"]

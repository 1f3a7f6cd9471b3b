"""What is sent arrives: whole, in order, and where it belongs."""

from __future__ import annotations

from antiphon.conversation.message import Data
from antiphon.testing.transport_check import check
from antiphon.testing.wires import Hearing, Wires, play_scene, require

__all__ = [
    "check_connections_apart",
    "check_data_with_the_opening",
    "check_large_data",
    "check_order",
    "check_text_and_binary",
]


@check()
async def check_order(wires: Wires) -> None:
    """A thousand sends each way, both ways at once, arrive whole and in order."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        # With an end in each, so that a stream's pieces, joined, tell which is missing.
        there = [scene.data(f"there {number};") for number in range(1000)]
        back = [scene.data(f"back {number};") for number in range(1000)]
        for ours, theirs in zip(there, back, strict=True):
            client.connection.send(ours)
            server.connection.send(theirs)
        await scene.expect_data(server, there, "what the client sent")
        await scene.expect_data(client, back, "what the server sent")


@check("has_text", "has_frames")
async def check_text_and_binary(wires: Wires) -> None:
    """Text arrives as text and binary as binary, whatever is in it, also nothing."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        # The same bytes as text and as binary: a transport that guesses by the content fails here.
        data: list[Data] = ["plain", b"plain", "", b"", "gr\u00fc\u00df \U0001f600 \x00", bytes(range(256))]
        for piece in data:
            client.connection.send(piece)
            server.connection.send(piece)
        for hearing in (client, server):
            await scene.expect_data(hearing, data, "mixed data")
            require([type(piece) for piece in hearing.data] == [type(piece) for piece in data], "text stays text")


@check()
async def check_data_with_the_opening(wires: Wires) -> None:
    """What either side says at its opening arrives, after the other's on_opened."""
    async with play_scene(wires) as scene:
        hello = [scene.data(f"hello {number};") for number in range(3)]
        # Both speak first, so data comes with the last octets of the handshake: P1 begins there.
        scene.accepts = lambda: Hearing(*hello)
        client = await scene.connect(*hello)
        await scene.expect_data(client, hello, "what the server said first")
        await scene.until(lambda: bool(scene.servers), "the server's accept")
        await scene.expect_data(scene.servers[0], hello, "what the client said first")


@check()
async def check_large_data(wires: Wires) -> None:
    """1 MiB arrives whole, each way."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        # More than any buffer's usual size, and no piece of it like its neighbour.
        large: Data = bytes(range(256)) * 4096
        client.connection.send(large)
        server.connection.send(large)
        await scene.expect_data(server, [large], "1 MiB from the client")
        await scene.expect_data(client, [large], "1 MiB from the server")


@check()
async def check_connections_apart(wires: Wires) -> None:
    """Several connections do not hear each other."""
    async with play_scene(wires) as scene:
        pairs = [await scene.pair() for _ in range(10)]
        for number, (client, _) in enumerate(pairs):
            assert client.connection is not None
            client.connection.send(scene.data(f"from {number}"))
        for number, (_, server) in enumerate(pairs):
            await scene.expect_data(server, [scene.data(f"from {number}")], "one client's data")

"""Back pressure: what a side that does not read leaves on the other."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from antiphon.conversation.message import Data
from antiphon.testing.transport_check import check
from antiphon.testing.wires import TURNS, Hearing, Scene, Wires, play_scene, require, require_clean

__all__ = [
    "check_close_behind_unsent_data",
    "check_close_by_a_paused_side",
    "check_close_of_a_server_that_is_never_read",
    "check_close_that_is_never_read",
    "check_paused_client",
    "check_paused_server",
]

_MOST_HELD_BYTES: Final = 16 * 1024 * 1024
"""What no wire holds by itself: Linux gives a TCP connection 4 MiB on this side and 6 MiB on the other."""

_REFUSED_PIECES: Final = 4
"""A wire is full when it has taken not one byte of so many pieces in a row."""

_PIECE_BYTES: Final = 256 * 1024

_STILL_S: Final = 0.1
"""A wire that has taken nothing for so long is still: Linux acknowledges what has come within 40 ms."""


@check("has_back_pressure")
async def check_paused_server(wires: Wires) -> None:
    """What a paused server does not read is unsent until it reads on, and arrives whole."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_paused(scene, client, server)


@check("has_back_pressure")
async def check_paused_client(wires: Wires) -> None:
    """A paused client likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_paused(scene, server, client)


async def _check_paused(scene: Scene, speaking: Hearing, paused: Hearing) -> None:
    assert speaking.connection is not None
    assert paused.connection is not None
    await speaking.connection.drained()
    require(speaking.connection.unsent_bytes == 0, "nothing was sent since, and nothing is unsent")
    sent = await _hold_back(speaking, paused)
    # Two, since whoever keeps one waiter forgets the other.
    draining = [asyncio.ensure_future(speaking.connection.drained()) for _ in range(2)]
    for _ in range(TURNS):
        await asyncio.sleep(0)
    require(not any(each.done() for each in draining), "drained() waits while the other side is paused")
    paused.connection.resume()
    paused.connection.resume()
    await asyncio.gather(*draining)
    require(speaking.connection.unsent_bytes == 0, "nothing is unsent when drained() returns")
    await scene.expect_data(paused, sent, "what was sent to a paused side")


async def _hold_back(speaking: Hearing, paused: Hearing) -> list[Data]:
    """Pause one side, and have the other say more than the wire itself holds; gives what it said."""
    assert speaking.connection is not None
    assert paused.connection is not None
    paused.connection.pause()
    paused.connection.pause()
    piece: Data = random.Random(8).randbytes(_PIECE_BYTES)  # noqa: S311 - what cannot be compressed
    sent: list[Data] = []
    refused = 0
    while refused < _REFUSED_PIECES and len(sent) * len(piece) < _MOST_HELD_BYTES:
        before = speaking.connection.unsent_bytes
        speaking.connection.send(piece)
        sent.append(piece)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        refused = refused + 1 if speaking.connection.unsent_bytes - before >= len(piece) else 0
    what = f"unsent_bytes of the {speaking.side} tells what the {paused.side}, which is paused, does not read"
    require(speaking.connection.unsent_bytes > 0, what)
    return sent


async def _hold_back_for_long(speaking: Hearing, paused: Hearing) -> None:
    """As `_hold_back`, and say more until a piece is left when the wire is still.

    What a wire has refused it may take a moment later: a kernel finds more room for a peer that does not read.
    """
    assert speaking.connection is not None
    left = 0
    while left < _PIECE_BYTES:
        await _hold_back(speaking, paused)
        before, left = -1, speaking.connection.unsent_bytes
        while left != before:
            await asyncio.sleep(_STILL_S)
            before, left = left, speaking.connection.unsent_bytes


@check("has_back_pressure")
async def check_close_behind_unsent_data(wires: Wires) -> None:
    """A goodbye does not push aside what was sent before it, though the other side reads it late."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        sent = await _hold_back(client, server)
        assert client.connection is not None
        assert server.connection is not None
        client.connection.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        server.connection.resume()
        ours, _ = await client.ended(), await server.ended()
        await scene.expect_data(server, sent, "what was sent before the goodbye")
        require_clean(client, server)
        require(ours.unsent_bytes == 0, "nothing was thrown away")


@check("has_back_pressure")
async def check_close_that_is_never_read(wires: Wires) -> None:
    """A client's goodbye to a server that reads no more comes to an end, which counts what was thrown away."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_never_read(client, server)


@check("has_back_pressure")
async def check_close_of_a_server_that_is_never_read(wires: Wires) -> None:
    """A server's goodbye to a client that reads no more likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_never_read(server, client)
        assert client.connection is not None
        client.connection.resume()


async def _check_never_read(closing: Hearing, paused: Hearing) -> None:
    await _hold_back_for_long(closing, paused)
    assert closing.connection is not None
    draining = asyncio.ensure_future(closing.connection.drained())
    closing.connection.close()
    ours = await closing.ended()
    # Whoever waits for a peer that never reads must hear of the end, too (P8).
    await draining
    is_told = ours.by == "us" and not ours.is_clean
    require(is_told, f"the {closing.side}, which closed, hears by='us', unclean: {ours!r}")
    require(ours.unsent_bytes > 0, f"the {closing.side} hears how much was thrown away: {ours!r}")


@check("has_back_pressure", "has_half_close")
async def check_close_by_a_paused_side(wires: Wires) -> None:
    """A side that is paused and says goodbye reads on, and hears what was said to it."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        sent = await _hold_back(server, client)
        assert client.connection is not None
        client.connection.close()
        ours = await client.ended()
        await scene.expect_data(client, sent, "what was said to a side that closes")
        require(ours.is_clean, f"both said goodbye: the client's ending is clean: {ours!r}")

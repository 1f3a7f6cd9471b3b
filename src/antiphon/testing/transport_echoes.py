"""What a client must do that no listener of ours belongs to: its peer says back all that it hears."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.conversation.message import Data
from antiphon.errors import ConnectFailed
from antiphon.testing.transport_check import check
from antiphon.testing.wires import TURNS, Hearing, Wires, play_echo, require
from antiphon.transport.interface import Opening

__all__ = [
    "check_echo",
    "check_echo_aborted",
    "check_echo_cancelled_connect",
    "check_echo_closed",
    "check_echo_closed_at_once",
    "check_echo_finished",
    "check_echo_large",
    "check_echo_nowhere",
    "check_echoes_apart",
]


@check("peer")
async def check_echo(wires: Wires) -> None:
    """A thousand sends come back whole and in order."""
    async with play_echo(wires) as scene:
        client = await scene.connect()
        assert client.connection is not None
        sent = [scene.data(f"piece {number};") for number in range(1000)]
        for data in sent:
            client.connection.send(data)
        await scene.expect_data(client, sent, "what the other side says back")
        client.connection.close()


@check("peer")
async def check_echo_large(wires: Wires) -> None:
    """1 MiB comes back whole."""
    async with play_echo(wires) as scene:
        client = await scene.connect()
        assert client.connection is not None
        text = "0123456789abcdef" * 65536
        large: Data = text if wires.has_text else text.encode()
        client.connection.send(large)
        await scene.expect_data(client, [large], "1 MiB that the other side says back")
        client.connection.close()


@check("peer")
async def check_echoes_apart(wires: Wires) -> None:
    """Several connections do not hear each other."""
    async with play_echo(wires) as scene:
        clients = [await scene.connect() for _ in range(5)]
        for number, client in enumerate(clients):
            assert client.connection is not None
            client.connection.send(scene.data(f"from {number}"))
        for number, client in enumerate(clients):
            await scene.expect_data(client, [scene.data(f"from {number}")], "one client's data")
            assert client.connection is not None
            client.connection.close()


@check("peer", "has_half_close")
async def check_echo_closed(wires: Wires) -> None:
    """What was sent before our goodbye still comes back; the ending is ours, and nothing is sent after it."""
    async with play_echo(wires) as scene:
        client = await scene.connect()
        assert client.connection is not None
        sent = [scene.data(f"before the end {number};") for number in range(100)]
        for data in sent:
            client.connection.send(data)
        client.connection.close()
        client.connection.send(scene.data("after the goodbye"))
        client.connection.close()
        ending = await client.ended()
        await scene.expect_data(client, sent, "what was sent before the goodbye, and nothing after it")
        require(ending.by == "us" and ending.is_clean, f"the client, which closed, hears by='us', clean: {ending!r}")


@check("peer")
async def check_echo_closed_at_once(wires: Wires) -> None:
    """A client that says goodbye as soon as it is open, or as soon as connect returns, hears of the end."""
    async with play_echo(wires) as scene:
        leaving = Hearing(leaves=True)
        scene.clients.append(leaving)
        await wires.transport.connect(scene.address, Opening(), leaving)
        await leaving.ended()
        left = await scene.connect()
        assert left.connection is not None
        left.connection.close()
        await left.ended()


@check("peer", "has_finish")
async def check_echo_finished(wires: Wires) -> None:
    """A client that says no more hears what is still said to it, and then of the peer's goodbye."""
    async with play_echo(wires) as scene:
        client = await scene.connect()
        finishing: Any = client.connection
        sent = [scene.data(f"piece {number};") for number in range(100)]
        for data in sent:
            finishing.send(data)
        finishing.finish()
        finishing.send(scene.data("too late"))
        ending = await client.ended()
        await scene.expect_data(client, sent, "what was sent before the end of sending, and nothing after it")
        require(ending.by == "peer" and ending.is_clean, f"the client hears by='peer', clean: {ending!r}")


@check("peer")
async def check_echo_aborted(wires: Wires) -> None:
    """A client that aborts hears of an end of its own, at once, and of nothing after it."""
    async with play_echo(wires) as scene:
        client = await scene.connect()
        assert client.connection is not None
        client.connection.send(scene.data("something"))
        client.connection.abort()
        ending = await client.ended()
        require(ending.by == "us" and not ending.is_clean, f"the client, which aborted, hears by='us': {ending!r}")
        client.connection.send(scene.data("after the end"))
        client.connection.close()
        client.connection.abort()
        for _ in range(TURNS):
            await asyncio.sleep(0)


@check("peer")
async def check_echo_cancelled_connect(wires: Wires) -> None:
    """A connect that is cancelled, at whatever moment, is told to nobody, or is open; the next one works."""
    async with play_echo(wires) as scene:
        await scene.cancel_connects()
        last = await scene.connect(scene.data("the last"))
        await scene.expect_data(last, [scene.data("the last")], "what the other side says back")
        assert last.connection is not None
        last.connection.close()


@check("nowhere")
async def check_echo_nowhere(wires: Wires) -> None:
    """Connecting to where nobody is raises ConnectFailed with a place and a hint."""
    client = Hearing()
    try:
        await wires.transport.connect(wires.nowhere, Opening(), client)
    except ConnectFailed as failed:
        require(failed.place is not None and failed.hint is not None, f"the error has a place and a hint: {failed}")
    else:
        require(False, "connecting to nobody raises ConnectFailed")
    require(client.connection is None and client.ending is None, "the client's receiver hears nothing")

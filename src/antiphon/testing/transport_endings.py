"""How connections end, and what either side hears of that."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.testing.transport_check import check
from antiphon.testing.wires import TURNS, Hearing, Scene, Wires, play_scene, require, require_clean
from antiphon.transport.interface import HalfClosable, Opening

__all__ = [
    "check_aborted_by_client",
    "check_aborted_by_server",
    "check_closed_at_once",
    "check_closed_by_client",
    "check_closed_by_server",
    "check_closes_that_cannot_be_sent",
    "check_finish_as_a_goodbye",
    "check_finished_by_both",
    "check_finished_by_client",
    "check_finished_by_server",
    "check_nothing_after_the_end",
    "check_server_closes_all",
]


@check()
async def check_closed_by_client(wires: Wires) -> None:
    """A client's goodbye is heard on both sides, with its code and reason, and behind what was sent before it."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_close(scene, client, server)


@check()
async def check_closed_by_server(wires: Wires) -> None:
    """A server's goodbye likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_close(scene, server, client)


async def _check_close(scene: Scene, closing: Hearing, closed: Hearing) -> None:
    assert closing.connection is not None
    sent = [scene.data(f"before the end {number};") for number in range(100)]
    for data in sent:
        closing.connection.send(data)
    if scene.wires.has_codes:
        # A code of the private range (RFC 6455 section 7.4.2), and a reason that is longer in UTF-8 than in characters.
        closing.connection.close(4321, "enough, th\u00e4nks")
    else:
        closing.connection.close()
    ours, theirs = await closing.ended(), await closed.ended()
    await scene.expect_data(closed, sent, "what was sent before the goodbye")
    require(ours.by == "us", f"the {closing.side}, which closed, hears by='us': {ours!r}")
    require(theirs.by == "peer", f"the {closed.side} hears by='peer': {theirs!r}")
    require_clean(closing, closed)
    if scene.wires.has_codes:
        for hearing, ending in ((closing, ours), (closed, theirs)):
            is_told = (ending.code, ending.reason) == (4321, "enough, th\u00e4nks")
            require(is_told, f"code and reason travel; the {hearing.side} heard {ending!r}")


@check()
async def check_closed_at_once(wires: Wires) -> None:
    """A side that says goodbye as soon as it is open hears of the end, and the other hears what it said before."""
    async with play_scene(wires) as scene:
        last = scene.data("hello, and goodbye")
        leaving = Hearing(last, leaves=True)
        scene.clients.append(leaving)
        await wires.transport.connect(scene.address, Opening(), leaving)
        await leaving.ended()
        await scene.until(lambda: bool(scene.servers), "the server's accept")
        await scene.expect_data(scene.servers[0], [last], "what the client said at its opening")
        left = await scene.connect()
        assert left.connection is not None
        left.connection.close()
        await left.ended()
        scene.accepts = lambda: Hearing(last, leaves=True)
        client = await scene.connect()
        await scene.expect_data(client, [last], "what the server said at its opening")
        await client.ended()


@check("has_codes")
async def check_closes_that_cannot_be_sent(wires: Wires) -> None:
    """Codes and reasons that no close frame can carry raise ValueError, and the connection goes on."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        # Below and above what exists, the two that only a local end may have (RFC 6455 section 7.4.1), and a reason of
        # 124 bytes, where a close frame has room for 123.
        for code, reason in ((999, ""), (1005, ""), (1006, ""), (5000, ""), (1000, "\u00e4" * 62)):
            try:
                client.connection.close(code, reason)
            except ValueError:
                continue
            require(False, f"close({code}, {reason!r}) raises ValueError")
        client.connection.send(scene.data("still here"))
        await scene.expect_data(server, [scene.data("still here")], "what was sent after a close that failed")


@check("has_resets")
async def check_aborted_by_client(wires: Wires) -> None:
    """A client that vanishes: its server hears of an end that is not clean, and that nobody announced."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(client, server)


@check("has_resets")
async def check_aborted_by_server(wires: Wires) -> None:
    """A server that vanishes likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(server, client)


async def _check_abort(aborting: Hearing, aborted: Hearing) -> None:
    assert aborting.connection is not None
    aborting.connection.abort()
    ours, theirs = await aborting.ended(), await aborted.ended()
    require(not ours.is_clean, f"an abort is no clean end for the {aborting.side}, which aborted: {ours!r}")
    require(not theirs.is_clean, f"an abort is no clean end for the {aborted.side}: {theirs!r}")
    require(ours.by == "us", f"the {aborting.side}, which aborted, hears by='us': {ours!r}")
    # By nobody that it knows of: to blame the peer would be a guess.
    require(theirs.by == "wire", f"the {aborted.side} hears by='wire': {theirs!r}")


@check()
async def check_nothing_after_the_end(wires: Wires) -> None:
    """After the end, sending, closing and aborting do nothing, and nothing is heard."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        assert client.connection is not None
        assert server.connection is not None
        client.connection.close()
        # Tasks that do not know of the end yet go on saying things: that must neither raise nor go out.
        client.connection.send(scene.data("after the goodbye"))
        client.connection.close()
        await client.ended()
        await server.ended()
        for connection in (client.connection, server.connection):
            connection.send(scene.data("after the end"))
            connection.close()
            connection.abort()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        require(not client.data and not server.data, "what is sent after the goodbye is ignored")


@check("has_finish")
async def check_finished_by_client(wires: Wires) -> None:
    """A client that says no more hears what is still said to it by a server that stays; both endings are clean."""
    async with play_scene(wires) as scene:
        scene.accepts = lambda: Hearing(stays=True)
        client, server = await scene.pair()
        await _check_finish(scene, client, server)


@check("has_finish")
async def check_finished_by_server(wires: Wires) -> None:
    """A server that says no more likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        client.stays = True
        await _check_finish(scene, server, client)


async def _check_finish(scene: Scene, finishing: Hearing, staying: Hearing) -> None:
    last, more = scene.data("the last;"), scene.data("and still heard;")
    halved = _halves_of(finishing)
    halved.send(last)
    halved.finish()
    halved.finish()
    halved.send(scene.data("too late"))
    await staying.until(lambda: staying.has_peer_finished, "the other side's end of sending")
    await scene.expect_data(staying, [last], "what was sent before the end of sending, and nothing after it")
    require(staying.ending is None, "who stays has not ended")
    assert staying.connection is not None
    staying.connection.send(more)
    staying.connection.close()
    await scene.expect_data(finishing, [more], "what is said to a side that says no more")
    ours, theirs = await finishing.ended(), await staying.ended()
    require_clean(finishing, staying)
    require((ours.by, theirs.by) == ("peer", "us"), f"the {staying.side}, which stayed, ends it: {ours!r}; {theirs!r}")


@check("has_finish")
async def check_finish_as_a_goodbye(wires: Wires) -> None:
    """A side that does not stay takes the other side's end of sending for its goodbye; the other has gone then, too."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        _halves_of(client).finish()
        _, theirs = await client.ended(), await server.ended()
        require_clean(client, server)
        require(theirs.by == "peer", f"the server, which was left, hears by='peer': {theirs!r}")


@check("has_finish")
async def check_finished_by_both(wires: Wires) -> None:
    """When both sides have finished, the connection has ended."""
    async with play_scene(wires) as scene:
        scene.accepts = lambda: Hearing(stays=True)
        client, server = await scene.pair()
        client.stays = True
        _halves_of(client).finish()
        await server.until(lambda: server.has_peer_finished, "the client's end of sending")
        _halves_of(server).finish()
        await client.ended()
        await server.ended()
        require_clean(client, server)


def _halves_of(hearing: Hearing) -> HalfClosable:
    connection: Any = hearing.connection
    require(hasattr(connection, "finish"), "a connection of a wire with has_finish has a finish()")
    halved: HalfClosable = connection
    return halved


@check()
async def check_server_closes_all(wires: Wires) -> None:
    """When the server stops, every connection ends, with code 1001 where there are codes, and nothing is left."""
    async with play_scene(wires) as scene:
        assert scene.listening is not None
        pairs = [await scene.pair() for _ in range(5)]
        await scene.listening.close()
        for client, server in pairs:
            require(server.ending is not None, "the server's side has ended when close() returns")
            ending = await client.ended()
            require(ending.by == "peer", f"the client hears by='peer': {ending!r}")
            require(not wires.has_codes or ending.code == 1001, f"the client hears code 1001: {ending!r}")

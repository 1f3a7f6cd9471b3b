"""What every transport must do, as checks to run on one's own: `async` functions that raise AssertionError.

    @pytest.mark.parametrize("check", transports.CHECKS, ids=transports.name_of)
    def test_contract(check):
        asyncio.run(check(Wires(MyListener(), MyTransport(), "my://127.0.0.1:0")))

A `Wires` says what is checked and what it can do; a check that asks for more than that passes without doing anything.
`missing(check, wires)` are the flags that it asks for in vain, so that a test can say that it skips it. The event loops
differ: try a transport on asyncio and on uvloop.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final

from antiphon.conversation.message import Data
from antiphon.errors import ConnectFailed, UpgradeRefused
from antiphon.testing.wires import Hearing, Scene, Wires, play_scene, require
from antiphon.transport.interface import Opening, Receiver, RejectConnection

__all__ = ["CHECKS", "Hearing", "Wires", "missing", "name_of"]


Check = Callable[[Wires], Awaitable[None]]

_MOST_HELD_BYTES: Final = 16 * 1024 * 1024
"""What no wire holds by itself: Linux gives a TCP connection 4 MiB on this side and 6 MiB on the other."""

_REFUSED_PIECES: Final = 4
"""A wire is full when it has taken not one byte of so many pieces in a row."""

_PIECE_BYTES: Final = 256 * 1024

_STILL_S: Final = 0.1
"""A wire that has taken nothing for so long is still: Linux acknowledges what has come within 40 ms."""

_TURNS: Final = 10
"""How many turns of the loop something gets to happen that must not."""


def name_of(check: Check) -> str:
    """A check's name in few words, as an id for pytest."""
    name: str = getattr(check, "__name__", repr(check))
    return name.removeprefix("check_")


def missing(check: Check, wires: Wires) -> tuple[str, ...]:
    """What the check asks for and the wire does not know, by the names of its flags: then nothing is checked."""
    return tuple(flag for flag in _NEEDS.get(check, ()) if not getattr(wires, flag))


_NEEDS: Final[dict[Check, tuple[str, ...]]] = {}


def _needs(*flags: str) -> Callable[[Check], Check]:
    """A check that is skipped where the wire lacks one of these."""

    def decorate(check: Check) -> Check:
        @wraps(check)
        async def skipping(wires: Wires) -> None:
            if not missing(skipping, wires):
                await check(wires)

        _NEEDS[skipping] = flags
        return skipping

    return decorate


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


@_needs("has_text", "has_frames")
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


async def check_connections_apart(wires: Wires) -> None:
    """Several connections do not hear each other."""
    async with play_scene(wires) as scene:
        pairs = [await scene.pair() for _ in range(10)]
        for number, (client, _) in enumerate(pairs):
            assert client.connection is not None
            client.connection.send(scene.data(f"from {number}"))
        for number, (_, server) in enumerate(pairs):
            await scene.expect_data(server, [scene.data(f"from {number}")], "one client's data")


async def check_closed_by_client(wires: Wires) -> None:
    """A client's goodbye is heard on both sides, with its code and reason, and behind what was sent before it."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_close(scene, client, server)


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
    require(ours.by == "us", f"who closed hears by='us', not {ours.by!r}")
    require(theirs.by == "peer", f"who was closed hears by='peer', not {theirs.by!r}")
    require(ours.is_clean and theirs.is_clean, "both said goodbye: both endings are clean")
    if scene.wires.has_codes:
        for ending in (ours, theirs):
            require((ending.code, ending.reason) == (4321, "enough, th\u00e4nks"), f"code and reason travel: {ending}")


@_needs("has_codes")
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


@_needs("has_resets")
async def check_aborted_by_client(wires: Wires) -> None:
    """A client that vanishes: its server hears of an end that is not clean, and that nobody announced."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(client, server)


@_needs("has_resets")
async def check_aborted_by_server(wires: Wires) -> None:
    """A server that vanishes likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_abort(server, client)


async def _check_abort(aborting: Hearing, aborted: Hearing) -> None:
    assert aborting.connection is not None
    aborting.connection.abort()
    ours, theirs = await aborting.ended(), await aborted.ended()
    require(not ours.is_clean, f"an abort is no clean end for who aborted: {ours}")
    require(not theirs.is_clean, f"an abort is no clean end for the other side: {theirs}")
    require(ours.by == "us", f"who aborted hears by='us', not {ours.by!r}")
    # By nobody that it knows of: to blame the peer would be a guess.
    require(theirs.by == "wire", f"the other hears by='wire', not {theirs.by!r}")


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
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        require(not client.data and not server.data, "what is sent after the goodbye is ignored")


@_needs("has_back_pressure")
async def check_paused_server(wires: Wires) -> None:
    """What a paused server does not read is unsent until it reads on, and arrives whole."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_paused(scene, client, server)


@_needs("has_back_pressure")
async def check_paused_client(wires: Wires) -> None:
    """A paused client likewise."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _check_paused(scene, server, client)


async def _check_paused(scene: Scene, speaking: Hearing, paused: Hearing) -> None:
    assert speaking.connection is not None
    assert paused.connection is not None
    require(speaking.connection.unsent_bytes == 0, "nothing was sent, and nothing is unsent")
    await speaking.connection.drained()
    sent = await _hold_back(speaking, paused)
    # Two, since whoever keeps one waiter forgets the other.
    draining = [asyncio.ensure_future(speaking.connection.drained()) for _ in range(2)]
    for _ in range(_TURNS):
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
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        refused = refused + 1 if speaking.connection.unsent_bytes - before >= len(piece) else 0
    require(speaking.connection.unsent_bytes > 0, "unsent_bytes tells what a paused side does not read")
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


@_needs("has_back_pressure")
async def check_close_behind_unsent_data(wires: Wires) -> None:
    """A goodbye does not push aside what was sent before it, though the other side reads it late."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        sent = await _hold_back(client, server)
        assert client.connection is not None
        assert server.connection is not None
        client.connection.close()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.connection.resume()
        ours, theirs = await client.ended(), await server.ended()
        await scene.expect_data(server, sent, "what was sent before the goodbye")
        require(ours.is_clean and theirs.is_clean, "both said goodbye: both endings are clean")
        require(ours.unsent_bytes == 0, "nothing was thrown away")


@_needs("has_back_pressure")
async def check_close_that_is_never_read(wires: Wires) -> None:
    """A goodbye to a side that reads no more comes to an end, which counts what was thrown away."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        await _hold_back_for_long(client, server)
        assert client.connection is not None
        draining = asyncio.ensure_future(client.connection.drained())
        client.connection.close()
        ours = await client.ended()
        # Whoever waits for a peer that never reads must hear of the end, too (P8).
        await draining
        require(ours.by == "us" and not ours.is_clean, f"who closed hears by='us', and it was not clean: {ours}")
        require(ours.unsent_bytes > 0, f"what was thrown away is counted: {ours}")


@_needs("has_back_pressure", "has_half_close")
async def check_close_by_a_paused_side(wires: Wires) -> None:
    """A side that is paused and says goodbye reads on, and hears what was said to it."""
    async with play_scene(wires) as scene:
        client, server = await scene.pair()
        sent = await _hold_back(server, client)
        assert client.connection is not None
        client.connection.close()
        ours = await client.ended()
        await scene.expect_data(client, sent, "what was said to a side that closes")
        require(ours.is_clean, "both said goodbye: the ending is clean")


@_needs("has_openings")
async def check_opening(wires: Wires) -> None:
    """The server hears of the path with its query, and of the headers, whatever their case."""
    async with play_scene(wires) as scene:
        assert scene.listening is not None
        address = f"{scene.address.rstrip('/')}/desk/7?shift=late"
        await wires.transport.connect(address, Opening(headers={"X-Seat": "7a"}), Hearing())
        # Once: an accept that is asked twice would cast two actors.
        (opening,) = scene.openings
        require(opening.path.endswith("/desk/7?shift=late"), f"path and query arrive: {opening.path!r}")
        require(opening.headers.get("x-seat") == "7a", "headers are found without regard to case")


@_needs("has_openings", "has_subprotocols")
async def check_subprotocols(wires: Wires) -> None:
    """The client's first choice that the server supports is what both sides have; none is "" on both."""
    async with play_scene(wires, subprotocols=("v2", "v1")) as scene:
        for offered, agreed in ((("v3", "v1", "v2"), "v1"), (("v9",), ""), ((), "")):
            client = await scene.connect(opening=Opening(subprotocols=offered))
            server = scene.servers[-1]
            assert client.connection is not None
            assert server.connection is not None
            heard = (client.connection.subprotocol, server.connection.subprotocol)
            require(heard == (agreed, agreed), f"of {offered} the choice is {agreed!r}, not {heard}")
            require(tuple(scene.openings[-1].subprotocols) == offered, "the server hears what was offered")


@_needs("has_openings")
async def check_refusal(wires: Wires) -> None:
    """A refused opening raises UpgradeRefused with status, headers and body; the receiver hears nothing."""

    def refuse() -> Receiver:
        raise RejectConnection(403, "not you", {"X-Why": "the list"})

    async with play_scene(wires) as scene:
        scene.accepts = refuse
        client = Hearing()
        try:
            await wires.transport.connect(scene.address, Opening(), client)
        except UpgradeRefused as refused:
            require(refused.status == 403, f"the status is 403, not {refused.status}")
            require(refused.headers.get("x-why") == "the list", "the refusal's headers arrive")
            require(refused.body == b"not you", f"the refusal's body arrives: {refused.body!r}")
            require(refused.place is not None, "the error says where")
        else:
            require(False, "a refused opening raises UpgradeRefused")
        require(client.connection is None and client.ending is None, "a refused receiver hears nothing")


async def check_nobody_there(wires: Wires) -> None:
    """Connecting to where nobody listens any more raises ConnectFailed with a place and a hint."""
    async with play_scene(wires) as scene:
        assert scene.listening is not None
        address = scene.address
        await scene.listening.close()
        client = Hearing()
        try:
            await wires.transport.connect(address, Opening(), client)
        except ConnectFailed as failed:
            require(failed.place is not None and failed.hint is not None, "the error has a place and a hint")
        else:
            require(False, "connecting to nobody raises ConnectFailed")
        require(client.connection is None and client.ending is None, "its receiver hears nothing")


async def check_cancelled_connect(wires: Wires) -> None:
    """A connect that is cancelled, at whatever moment, leaves nothing open on either side."""
    async with play_scene(wires) as scene:
        for turns in range(30):
            client = Hearing()
            connecting = asyncio.ensure_future(wires.transport.connect(scene.address, Opening(), client))
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if isinstance(outcome, BaseException):
                require(isinstance(outcome, asyncio.CancelledError), f"a cancelled connect raised {outcome!r}")
            else:
                outcome.close()
            scene.clients.append(client)
        await scene.pair()  # the server has by now heard of all that came before
        for server in scene.servers[:-1]:
            if server.connection is not None:
                await server.ended()


async def check_server_closes_all(wires: Wires) -> None:
    """When the server stops, every connection ends, with code 1001 where there are codes, and nothing is left."""
    async with play_scene(wires) as scene:
        assert scene.listening is not None
        pairs = [await scene.pair() for _ in range(5)]
        await scene.listening.close()
        for client, server in pairs:
            require(server.ending is not None, "its own side has ended when close() returns")
            ending = await client.ended()
            require(ending.by == "peer", f"clients hear by='peer', not {ending.by!r}")
            require(not wires.has_codes or ending.code == 1001, f"clients hear code 1001, not {ending.code}")


CHECKS: Final[tuple[Check, ...]] = (
    check_order,
    check_text_and_binary,
    check_data_with_the_opening,
    check_large_data,
    check_connections_apart,
    check_closed_by_client,
    check_closed_by_server,
    check_closes_that_cannot_be_sent,
    check_aborted_by_client,
    check_aborted_by_server,
    check_nothing_after_the_end,
    check_paused_server,
    check_paused_client,
    check_close_behind_unsent_data,
    check_close_that_is_never_read,
    check_close_by_a_paused_side,
    check_opening,
    check_subprotocols,
    check_refusal,
    check_nobody_there,
    check_cancelled_connect,
    check_server_closes_all,
)

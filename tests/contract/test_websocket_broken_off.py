"""Half a frame and then silence: what a connection does, on either side, when it is told to break off."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.transport.websocket.connection import WebSocketConnection

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
BYE = b"\x03\xe8bye"


def breaking_off(hearing: Any) -> WebSocketConnection:
    connection = hearing.connection
    assert isinstance(connection, WebSocketConnection)
    return connection


def half_of(peer: Any, opcode: int, payload: bytes) -> bytes:
    frame = peer.frame(opcode, payload, masked=not peer.is_client)
    head = len(frame) - len(payload)
    return bytes(frame[: head + len(payload) // 2] if payload else frame[:1])


async def part_of_a_message(connection: WebSocketConnection) -> None:
    """Nobody is called back for that, so it is looked at in every turn of the loop."""
    async with asyncio.timeout(5):
        while not connection.holds_part:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)


@pytest.mark.parametrize("size", [0, 1, 2, 125, 126, 65535, 65536, 200_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_the_first_half_of_a_frame_and_nothing_more(run: Any, against: Any, size: int, opcode: int) -> None:
    payload = b"x" * size

    async def behave(peer: Any) -> None:
        wanted = half_of(peer, opcode, payload)
        assert await peer.reader.readexactly(len(wanted)) == wanted
        peer.say(peer.frame(TEXT, b"still there?"), peer.frame(PING, b"?"), peer.frame(CLOSE, BYE))
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            connection = breaking_off(hearing)
            connection.break_off(payload.decode() if opcode == TEXT else payload)
            connection.break_off("again")
            connection.send("more")
            await hearing.until(lambda: bool(hearing.data), "what the peer says")
            assert hearing.data == ["still there?"]
            return await hearing.ended()

    ending = run(scene())
    assert (ending.code, ending.reason, ending.by, ending.is_clean) == (1000, "bye", "peer", False)


def test_closing_after_half_a_frame_ends_the_connection(run: Any, against: Any) -> None:
    async def behave(peer: Any) -> None:
        await peer.reader.readexactly(len(half_of(peer, TEXT, b"12345678")))
        peer.say(peer.frame(TEXT, b"and?"))
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            connection = breaking_off(hearing)
            connection.break_off("12345678")
            await hearing.until(lambda: bool(hearing.data), "what the peer says")
            with pytest.raises(ValueError, match="1005 is no close code"):
                connection.close(1005)
            connection.close(4000, "enough")
            return await hearing.ended()

    ending = run(scene())
    assert (ending.code, ending.by, ending.is_clean) == (1006, "us", False)


def test_a_violation_after_half_a_frame_ends_the_connection(run: Any, against: Any) -> None:
    async def behave(peer: Any) -> None:
        await peer.reader.readexactly(len(half_of(peer, TEXT, b"12345678")))
        peer.say(peer.frame(0x3, b"what?"))
        await peer.hear_end()

    async def scene() -> Any:
        async with against(behave) as hearing:
            breaking_off(hearing).break_off("12345678")
            return await hearing.ended()

    ending = run(scene())
    assert (ending.code, ending.by) == (1002, "us")
    assert ending.detail


def test_after_the_end_nothing_is_broken_off(run: Any, against: Any) -> None:
    async def behave(peer: Any) -> None:
        peer.say(peer.frame(CLOSE, BYE))
        assert await peer.hear_close() == BYE
        assert await peer.hear_end() == b""

    async def scene() -> None:
        async with against(behave) as hearing:
            connection = breaking_off(hearing)
            await hearing.ended()
            connection.break_off("12345678")

    run(scene())


@pytest.mark.parametrize("sizes", [(), (10,), (16_000, 5, 16_128), (16_384,), (300_000, 3)], ids=str)
@pytest.mark.parametrize("part", [1, 9, 1_010])
def test_whoever_hears_knows_that_part_of_a_message_has_come(
    run: Any, against: Any, sizes: tuple[int, ...], part: int
) -> None:
    """However large the messages before it were: they have made the buffer grow."""

    async def behave(peer: Any) -> None:
        for size in sizes:
            peer.say(peer.frame(TEXT, b"x" * size))
        peer.say(peer.frame(TEXT, b"now"))
        await peer.hear()
        frame = peer.frame(TEXT, b"y" * 2_000)
        peer.say(frame[:part])
        await peer.hear()
        peer.say(frame[part:])
        await peer.hear_end()

    async def scene() -> None:
        async with against(behave) as hearing:
            connection = breaking_off(hearing)
            await hearing.until(lambda: hearing.data[-1:] == ["now"], "whole messages")
            assert not connection.holds_part
            connection.send("go on")
            await part_of_a_message(connection)
            connection.send("and the rest")
            await hearing.until(lambda: len(hearing.data) == len(sizes) + 2, "the rest")
            assert not connection.holds_part
            connection.abort()
            await hearing.ended()
            assert not connection.holds_part

    run(scene())


def test_a_fragmented_message_that_has_begun_is_part_of_a_message(run: Any, against: Any) -> None:
    async def behave(peer: Any) -> None:
        first = bytearray(peer.frame(TEXT, b"be"))
        first[0] &= 0x7F
        peer.say(bytes(first))
        await peer.hear_end()

    async def scene() -> None:
        async with against(behave) as hearing:
            connection = breaking_off(hearing)
            await part_of_a_message(connection)
            connection.abort()
            await hearing.ended()

    run(scene())

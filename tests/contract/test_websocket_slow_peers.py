"""Peers that read slowly, or not at all: what is said to them is bounded, and lost only with a word."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


@pytest.mark.slow
def test_what_was_said_before_a_close_reaches_a_slow_reader(against: Any, run: Any) -> None:
    """It reads for several times as long as a goodbye may take: all arrives, though it answers too late for us."""
    size, count = 262_144, 64
    heard: list[int] = []

    async def behave(peer: Any) -> None:
        mask = 0 if peer.is_client else 4
        left = count * (10 + mask + size) + 4 + mask
        while left > 0:
            data = await peer.reader.read(left)
            assert data, f"{left} bytes are missing"
            left -= len(data)
            if left // 1_000_000 != (left + len(data)) // 1_000_000:
                await asyncio.sleep(0.04)
        heard.append(left)

    async def scene() -> Any:
        async with against(behave, close_within_s=0.1) as hearing:
            for number in range(count):
                hearing.connection.send(bytes([number]) * size)
            hearing.connection.close()
            return await hearing.ended()

    ending = run(scene())
    assert (ending.code, ending.by, ending.unsent_bytes) == (1000, "us", 0)
    assert heard == [0]


@pytest.mark.slow
def test_a_peer_that_pings_and_does_not_read_does_not_fill_our_memory(against: Any, run: Any) -> None:
    """Only the latest ping needs an answer (RFC 6455 section 5.5.3)."""
    count = 80_000
    released = asyncio.Event()

    async def behave(peer: Any) -> None:
        pings = [peer.frame(PING, b"%0100d" % number) for number in range(count)]
        for start in range(0, count, 1000):
            peer.say(*pings[start : start + 1000])
            await peer.writer.drain()
        peer.say(peer.frame(TEXT, b"did you hear?"))
        await released.wait()
        opcode, payload = 0, b""
        while payload != b"%0100d" % (count - 1):
            opcode, _, _, payload = await peer.hear()
            assert opcode == PONG
        peer.say(peer.frame(CLOSE, b"\x03\xe8"))
        await peer.hear_close()

    async def scene() -> tuple[int, Any]:
        async with against(behave) as hearing:
            await hearing.until(lambda: bool(hearing.data), "the end of the flood")
            unsent_bytes = hearing.connection.unsent_bytes
            released.set()
            return unsent_bytes, await hearing.ended()

    unsent_bytes, ending = run(scene())
    assert unsent_bytes < 1_000_000
    assert ending.is_clean

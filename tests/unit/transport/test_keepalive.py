"""When a pong that does not come means that the peer is dead: over a stream that tells what a test has it tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from antiphon.transport.websocket.keepalive import Keepalive, Pings


class Stream:
    """What has not left of it, each time that somebody looks; the last figure stays."""

    def __init__(self, *unsent_bytes: int) -> None:
        self._left: Iterator[int] = iter(unsent_bytes[:-1])
        self._last = unsent_bytes[-1]
        self.looks = 0

    def get_write_buffer_size(self) -> int:
        self.looks += 1
        return next(self._left, self._last)

    def get_extra_info(self, _name: str) -> None:
        return None


class Connection:
    """What a connection was told; it does not read for as many looks as `paused`."""

    def __init__(self, paused: int = 0) -> None:
        self.pings: list[bytes] = []
        self.dead = asyncio.Event()
        self.detail = ""
        self._paused = paused

    def send_ping(self, payload: bytes) -> None:
        self.pings.append(payload)

    def end_dead(self, detail: str) -> None:
        self.detail = detail
        self.dead.set()

    @property
    def is_paused(self) -> bool:
        self._paused -= 1
        return self._paused >= 0


async def until_dead(stream: Any, connection: Connection) -> None:
    keepalive = Keepalive(connection, stream, Pings(0.001, 0.005))
    keepalive.begin()
    async with asyncio.timeout(10):
        await connection.dead.wait()
    keepalive.end()
    assert connection.detail.startswith("no pong came within 0.005 s")
    assert connection.pings == [b"1"]  # another would stand behind it, and tell nothing more


def test_with_nothing_unsent_the_peer_had_its_time() -> None:
    async def scene() -> None:
        stream = Stream(0)
        await until_dead(stream, Connection())
        assert stream.looks == 2

    asyncio.run(scene())


def test_what_leaves_before_the_ping_is_waited_for() -> None:
    async def scene() -> None:
        stream = Stream(*range(30, 0, -1), 0)
        await until_dead(stream, Connection())
        assert stream.looks > 30

    asyncio.run(scene())


def test_what_does_not_leave_is_no_excuse() -> None:
    async def scene() -> None:
        await until_dead(Stream(500), Connection())

    asyncio.run(scene())


def test_as_long_as_we_do_not_read_the_time_begins_anew() -> None:
    async def scene() -> None:
        stream = Stream(0)
        await until_dead(stream, Connection(paused=5))
        assert stream.looks >= 6

    asyncio.run(scene())

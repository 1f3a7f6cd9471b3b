"""The buffer of what was read and not yet understood: its order, and what it costs."""

from __future__ import annotations

import asyncio
import socket
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FakeStream, Hearing

from antiphon.transport import read_buffer
from antiphon.transport.read_buffer import ReadBuffer
from antiphon.transport.websocket.server_handshake import IncomingConnection, ListenerState


class CountingArray(bytearray):
    """Counts the bytes that are copied out of it or searched through."""

    work_bytes = 0

    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        CountingArray.work_bytes += len(piece) if isinstance(piece, bytearray) else 1
        return piece

    def find(self, mark: Any, start: Any = 0, end: Any = None) -> int:
        found = super().find(mark, start, end)
        CountingArray.work_bytes += (found if found >= 0 else len(self)) - start
        return found


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[CountingArray]:
    monkeypatch.setattr(read_buffer, "bytearray", CountingArray, raising=False)
    CountingArray.work_bytes = 0
    return CountingArray


@given(lines=st.lists(st.text("ab\r", max_size=5)), cuts=st.lists(st.integers(0, 60)))
def test_lines_are_found_however_they_were_cut(lines: list[str], cuts: list[int]) -> None:
    data = "".join(f"{line}\n\n" for line in lines).encode() + b"rest"
    buffer, found = ReadBuffer(), []
    for start, end in pairwise([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]):
        buffer.append(data[start:end])
        while (line := buffer.take_until(b"\n\n")) is not None:
            found.append(line.decode())
    assert found == lines
    assert (buffer.take(2), len(buffer), buffer.take(), len(buffer)) == (b"re", 2, b"st", 0)


def test_what_stands_before_is_skipped() -> None:
    buffer = ReadBuffer()
    buffer.append(b"\r\n\nx\n")
    buffer.skip(b"\r\n")
    assert bytes(buffer.data) == b"x\n"
    buffer.clear()
    assert not buffer


def test_a_head_in_pieces_of_one_byte_is_searched_once(counting: type[CountingArray]) -> None:
    buffer = ReadBuffer()
    for _ in range(10_000):
        buffer.append(b"x")
        assert buffer.take_until(b"\r\n\r\n") is None
    assert counting.work_bytes <= 5 * 10_000


def test_many_heads_in_one_read_are_copied_once(counting: type[CountingArray]) -> None:
    buffer = ReadBuffer()
    buffer.append(b"GET / HTTP/1.1\r\n\r\n" * 10_000)
    while buffer.take_until(b"\r\n\r\n") is not None:
        pass
    assert counting.work_bytes <= 2 * 18 * 10_000


REQUEST = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5 + b"0\r\n\r\n"


@pytest.mark.parametrize("size_bytes", [1, 7, len(REQUEST) * 500])
def test_a_connection_costs_what_is_said_on_it(counting: type[CountingArray], size_bytes: int) -> None:
    """Requests with bodies in chunks of one byte, in reads of any size, passed on to the HTTP side."""
    passed_on: list[bytes] = []

    class Application(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            passed_on.append(data)

    async def scene() -> None:
        with socket.socket() as unconnected:
            state = ListenerState(
                accept=lambda _opening: Hearing(),
                http=Application,
                compression=False,
                subprotocols=(),
                max_size_bytes=1000,
                close_within_s=1,
            )
            connection = IncomingConnection(state)
            stream = FakeStream(connection, unconnected)
            connection.connection_made(stream)
            said = REQUEST * 500
            for start in range(0, len(said), size_bytes):
                stream.hear(said[start : start + size_bytes])
            assert b"".join(passed_on) == said
            assert counting.work_bytes <= 8 * len(said)
            connection.connection_lost(None)

    asyncio.run(scene())

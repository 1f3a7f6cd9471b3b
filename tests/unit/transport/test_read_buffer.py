"""The buffer of what was read and not yet understood: its order, and what it costs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.transport import read_buffer
from antiphon.transport.read_buffer import ReadBuffer


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

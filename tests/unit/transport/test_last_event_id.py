"""Which event of a stream was the last (HTML Standard, section 9.2.6)."""

from __future__ import annotations

import pytest

from antiphon.transport.last_event_id import LastEventId

STREAM = b"id: 1\r\ndata: a\r\n\r\n: id: 9\r\nid:2\r\ndata: b\r\n\r\ndata: c\r\n\r\nid: 3\r\ndata: not whole\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_id_counts_when_its_event_is_whole_and_stays(size: int) -> None:
    last = LastEventId()
    for begin in range(0, len(STREAM), size):
        last.feed(STREAM[begin : begin + size])
    assert last.value == "2"


def test_an_empty_id_takes_it_back_and_one_with_a_nul_is_none() -> None:
    last = LastEventId()
    last.feed(b"id: 1\n\nid: a\0b\n\n")
    assert last.value == "1"
    last.feed(b"id\n\n")
    assert last.value == ""


def test_what_was_not_whole_of_one_stream_is_not_of_the_next() -> None:
    last = LastEventId()
    last.feed(b"id: 1\n\nid: 2\nda")
    last.begin()
    last.feed(b"data: x\n\n")
    assert last.value == "1"


def test_a_long_line_is_not_kept() -> None:
    last = LastEventId()
    last.feed(b"data: ")
    for _ in range(100):
        last.feed(b"x" * 1000)
    last.feed(b"\nid: 1\n\n")
    assert last.value == "1"

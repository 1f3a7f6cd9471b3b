"""What a stream of events says for the next one (HTML Standard, section 9.2.6)."""

from __future__ import annotations

import pytest

from antiphon.transport.resumption import Resumption

STREAM = b"id: 1\r\ndata: a\r\n\r\n: id: 9\r\nid:2\r\ndata: b\r\n\r\ndata: c\r\n\r\nid: 3\r\ndata: not whole\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_id_counts_when_its_event_is_whole_and_stays(size: int) -> None:
    read = Resumption()
    for begin in range(0, len(STREAM), size):
        read.feed(STREAM[begin : begin + size])
    assert read.last_event_id == "2"


def test_an_empty_id_takes_it_back_and_one_with_a_nul_is_none() -> None:
    read = Resumption()
    read.feed(b"id: 1\n\nid: a\0b\n\n")
    assert read.last_event_id == "1"
    read.feed(b"id\n\n")
    assert read.last_event_id == ""


def test_what_was_not_whole_of_one_stream_is_not_of_the_next() -> None:
    read = Resumption()
    read.feed(b"id: 1\n\nid: 2\nda")
    read.begin()
    read.feed(b"data: x\n\n")
    assert read.last_event_id == "1"


def test_a_long_line_is_not_kept() -> None:
    read = Resumption()
    read.feed(b"data: ")
    for _ in range(100):
        read.feed(b"x" * 1000)
    read.feed(b"\nid: 1\n\n")
    assert read.last_event_id == "1"


@pytest.mark.parametrize(
    ("stream", "retry_s"),
    [
        (b"data: a\n\n", None),
        (b"retry: 2500\n", 2.5),
        (b"retry:10\n\nretry: 0\ndata: a\n\n", 0.0),
        (b"retry: 10\nretry: soon\nretry: -1\nretry:\nretry: 1.5\n", 0.01),
        (b"retry: " + b"9" * 4000 + b"\n", 86_400.0),
        ("retry: \u0661\n".encode(), None),
    ],
)
def test_how_long_to_wait_is_a_number_of_milliseconds(stream: bytes, retry_s: float | None) -> None:
    read = Resumption()
    for byte in stream:
        read.feed(bytes([byte]))
    assert read.retry_s == retry_s
    read.begin()
    assert read.retry_s == retry_s

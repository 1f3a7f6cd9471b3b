"""Server-Sent Events, as the HTML Standard reads them (section 9.2)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.message import UNREADABLE, Unreadable
from antiphon.dialect.event_stream import Events, EventStream
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, TransportError

STREAM = (
    b"\xef\xbb\xbfevent: add\r\ndata: 73857293\r\n\r\n: a comment\rdata\rdata\r\rdata:test\n\ndata: test\nid: 1\n\n"
)
HEARD = [("add", "73857293"), ("message", "\n"), ("message", "test"), ("message", "test")]


def heard(*pieces: bytes, body: str = "text") -> list[tuple[str, Any]]:
    codec = EventStream(body=body).codec(Meeting())
    return [(message.name, message.body) for piece in pieces for message in codec.decode(piece)]


def test_a_stream_is_read_wherever_it_is_cut() -> None:
    assert heard(STREAM) == HEARD
    assert heard(*(bytes([byte]) for byte in STREAM)) == HEARD
    for cut in range(len(STREAM)):
        assert heard(STREAM[:cut], STREAM[cut:]) == HEARD


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_may_end_in_three_ways_and_an_end_may_be_cut(end: bytes) -> None:
    stream = end.join((b"data: 1", b"", b"data: 2", b"", b""))
    for cut in range(len(stream)):
        assert heard(stream[:cut], stream[cut:]) == [("message", "1"), ("message", "2")]


def test_an_event_without_data_is_none_and_its_name_is_not_the_nexts() -> None:
    assert heard(b"event: lonely\n\ndata: 1\n\n") == [("message", "1")]


def test_data_that_is_json_is_the_body_and_what_is_none_hides_no_neighbour() -> None:
    codec = EventStream().codec(Meeting())
    first, bad, last = codec.decode(b'data: {"n":1}\n\nevent: x\ndata: {\n\ndata: 2\n\n')
    assert (first.body, last.body) == ({"n": 1}, 2)
    assert isinstance(bad, Unreadable)
    assert (bad.name, bad.raw) == (UNREADABLE, "event: x\ndata: {\n\n")
    assert bad.trouble is not None
    assert "the data of the event x is no JSON" in bad.trouble.text


def test_what_is_said_is_heard_as_it_was() -> None:
    codec = EventStream(body="text").codec(Meeting())
    said = codec.encode("news", "one\r\ntwo\rthree\n")
    assert said.raw == "event: news\ndata: one\ndata: two\ndata: three\ndata: \n\n"
    assert heard(str(said.raw).encode()) == [("news", "one\ntwo\nthree\n")]
    assert EventStream().codec(Meeting()).encode("message", {"a": 1}).raw == 'data: {"a":1}\n\n'


def test_what_cannot_be_said() -> None:
    with pytest.raises(DialectError, match="the name of an event is one line"):
        EventStream().codec(Meeting()).encode("two\nlines", 1)
    with pytest.raises(DialectError):
        EventStream().codec(Meeting()).encode("news", object())
    with pytest.raises(DialectError, match="x cannot be sent as text"):
        EventStream(body="text").codec(Meeting()).encode("x", "\ud800")
    with pytest.raises(TransportError, match="an event is text"):
        Events().framing().wrap(b"\xff")


def test_an_event_over_the_limit_is_refused_before_it_is_whole() -> None:
    events = Events(limit_bytes=50)
    with pytest.raises(DialectError, match="over the limit of 50"):
        list(events.feed(b"data: 1\n" * 10))


def test_a_part_is_held() -> None:
    events = Events()
    assert list(events.feed(b"data: 1\n")) == []
    assert events.holds_part
    assert list(events.feed(b"\n")) == ["1"]
    assert not events.holds_part

"""What cuts streams of bytes into frames and events, given what is nearly right: wherever it is cut, it reads the same.

Or it says in an error of ours what is wrong, and what was given before that counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wounding import CUTS, in_pieces, mutated

from antiphon import DialectError
from antiphon.dialect.event_stream import Events, EventStream
from antiphon.dialect.framing import ContentLength, Framing, LengthPrefix, Lines, NulTerminated
from antiphon.dialect.meeting import Meeting
from antiphon.transport.resumption import Resumption
from antiphon.transport.stream.pipes import WholeLines

pytestmark = pytest.mark.deep
EACH = settings(max_examples=1_000, suppress_health_check=list(HealthCheck), deadline=None)

LIMIT_BYTES = 300

FRAMINGS: dict[str, Framing] = {
    "lines": Lines(limit_bytes=LIMIT_BYTES),
    "nul": NulTerminated(limit_bytes=LIMIT_BYTES),
    "length": LengthPrefix(2, limit_bytes=LIMIT_BYTES),
    "head": ContentLength(limit_bytes=LIMIT_BYTES),
    "events": Events(limit_bytes=LIMIT_BYTES),
}
EVENTS = b'\xef\xbb\xbfid: 1\r\nevent: a\r\ndata: {"n": 1}\r\n\r\n: x\rdata\rdata: 2\rid: 2\r\rretry: 5\ndata:3\nid\n\n'
WRAPPED = tuple(b"".join(map(framing.wrap, ("hello", "", '{"a": 1}'))) for framing in FRAMINGS.values())


def verdict(framing: Framing, pieces: Sequence[bytes]) -> tuple[list[Any], bool]:
    frames: list[Any] = []
    try:
        for piece in pieces:
            frames += framing.feed(piece)
    except DialectError:
        return frames, True
    assert isinstance(framing.holds_part, bool)
    return frames, False


@pytest.mark.parametrize("name", FRAMINGS)
@EACH
@given(data=mutated(*WRAPPED, EVENTS), cuts=CUTS)
@example(data=b"data: 1\r\n\r\ndata: 2\r\n\r\n", cuts=[8, 9, 10, 11])
def test_framings(name: str, data: bytes, cuts: list[int]) -> None:
    made = FRAMINGS[name]
    whole, pieces = verdict(made.framing(), [data]), verdict(made.framing(), in_pieces(data, cuts))
    assert whole == pieces
    assert all(len(frame) <= LIMIT_BYTES for frame in whole[0])


@EACH
@given(data=mutated(EVENTS), cuts=CUTS)
def test_events(data: bytes, cuts: list[int]) -> None:
    def told(pieces: Sequence[bytes]) -> list[tuple[str, Any, Any]]:
        codec = EventStream().codec(Meeting())
        messages = (message for piece in pieces for message in codec.decode(piece))
        return [(message.name, message.body, message.raw) for message in messages]

    assert told(in_pieces(data, cuts)) == told([data])


@EACH
@given(data=mutated(EVENTS), cuts=CUTS)
def test_what_a_stream_says_for_the_next_one(data: bytes, cuts: list[int]) -> None:
    def last(pieces: Sequence[bytes]) -> tuple[str, float | None]:
        found = Resumption()
        for piece in pieces:
            found.feed(piece)
        return found.last_event_id, found.retry_s

    assert last(in_pieces(data, cuts)) == last([data])


@EACH
@given(data=mutated(b"a warning\nanother\r\nhalf a line"), cuts=CUTS, begins=st.integers(0, 5))
def test_lines_of_standard_error(data: bytes, cuts: list[int], begins: int) -> None:
    told: list[str] = []
    lines = WholeLines(told.append)
    for number, piece in enumerate(in_pieces(data, cuts)):
        if number == begins:
            lines.begin()
        lines.feed(piece)
    lines.end()
    # Nothing is lost but the ends of lines, where they end what is told.
    assert "".join("".join(told).split()) == "".join(data.decode(errors="backslashreplace").split())

"""Framings: what they refuse, and what is theirs alone; `tests/contract/test_framings.py` has what is common to all."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.dialect.event_stream import Events
from antiphon.dialect.framing import ContentLength, Framing, LengthPrefix, Lines, NulTerminated
from antiphon.errors import DialectError, TransportError

FRAMINGS = {
    "lines": Lines(limit_bytes=100),
    "nul": NulTerminated(limit_bytes=100),
    "length": LengthPrefix(limit_bytes=100),
    "length of text": LengthPrefix(2, is_text=True, limit_bytes=100),
    "head": ContentLength(limit_bytes=100),
    "events": Events(limit_bytes=100),
}


@pytest.fixture(params=FRAMINGS.values(), ids=FRAMINGS)
def framing(request: pytest.FixtureRequest) -> Framing:
    made: Framing = request.param
    return made.framing()


def heard(framing: Framing, *pieces: bytes) -> list[str]:
    return [frame if isinstance(frame, str) else frame.decode() for piece in pieces for frame in framing.feed(piece)]


def test_text_that_utf8_cannot_carry_is_no_frame(framing: Framing) -> None:
    with pytest.raises(TransportError, match="surrogate at index 1"):
        framing.wrap("a\ud800")


@pytest.mark.parametrize(("framing", "said"), [(Lines(), "a\nb"), (NulTerminated(), "a\0b")])
def test_what_holds_the_end_is_no_frame(framing: Framing, said: str) -> None:
    with pytest.raises(TransportError, match="would end the frame"):
        framing.wrap(said)


def test_a_length_that_has_no_room_is_said() -> None:
    with pytest.raises(TransportError, match="256 bytes are more than a length of 1 bytes can say"):
        LengthPrefix(1).wrap(bytes(256))


@pytest.mark.parametrize(
    "head", [b"Content-Type: x", b"Content-Length: -1", b"Content-Length: many", b"GET / HTTP/1.1"]
)
def test_a_head_without_a_length_is_broken(head: bytes) -> None:
    with pytest.raises(DialectError, match="a head without a length"):
        heard(ContentLength(), head + b"\r\n\r\n")


def test_a_head_that_never_ends_is_broken() -> None:
    with pytest.raises(DialectError, match="a head has not ended"):
        heard(ContentLength(), b"x" * 9000)


def test_other_fields_of_a_head_are_read_over() -> None:
    assert heard(ContentLength(), b"Content-Type: x\r\ncontent-length:5\r\n\r\nhello") == ["hello"]


@pytest.mark.parametrize("line", [b"caf\xe9", b"\xff"])
def test_bytes_that_are_no_text_are_the_dialects_affair(line: bytes) -> None:
    frames: list[Any] = list(Lines().feed(b"one\r\n" + line + b"\ntwo\n"))
    assert frames == ["one", line, "two"]

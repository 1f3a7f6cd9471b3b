"""What is made of bytes does not depend on how they were cut: the same messages, the same verdict."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reading import ACCEPT, ANSWER, COMPRESSED_ANSWER, REQUEST

Frame = tuple[int, bytes]
"""The first byte and the payload."""

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x81, 0x82, 0x80, 0x88, 0x89, 0x8A
RSV1, NOT_FINAL = 0x40, 0x7F

FRAMES: st.SearchStrategy[Frame] = st.sampled_from(
    [
        (TEXT, b"hello"),
        (TEXT, "grüß".encode()),
        (TEXT, b"not \xff text"),
        (TEXT & NOT_FINAL, b"begun \xc3"),
        (CONTINUATION & NOT_FINAL, b"\xbc"),
        (CONTINUATION, b"ended"),
        (CONTINUATION, b"\xff"),
        (BINARY, bytes(200)),
        (BINARY, bytes(1001)),
        (BINARY & NOT_FINAL, bytes(900)),
        (PING, b"ping"),
        (PONG, b""),
        (PING & NOT_FINAL, b"in pieces"),
        (CLOSE, b""),
        (CLOSE, b"\x00\x00"),
        (CLOSE, b"\x03"),
        (CLOSE, b"\x03\xe8bye"),
        (CLOSE, b"\x03\xe8\xff"),
        (CLOSE, b"\x03\xee"),
        (CLOSE | RSV1, b"\x03\xe8"),
        (0x83, b"no such opcode"),
        (TEXT | 0x20, b"reserved"),
        (TEXT | RSV1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"),
        (TEXT | RSV1, b"\x03\x00\x03\x00\x00"),
        (TEXT | RSV1, zlib.compress(bytes(5000))[2:-4]),
        (TEXT | RSV1 & NOT_FINAL, b"\xf2\x48\xcd"),
        (CONTINUATION, b"\xc9\xc9\x07\x00"),
    ]
)
SAID = st.lists(FRAMES, max_size=6)
CUTS = st.lists(st.integers(0, 500), max_size=12)
NOISE = st.binary(max_size=30)


def frame(frame: Frame, *, is_masked: bool) -> bytes:
    first, payload = frame
    size = len(payload)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    # A mask of zeros is as good as any other.
    return bytes([first, length[0] | is_masked << 7]) + length[1:] + (bytes(4) if is_masked else b"") + payload


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(min(place, len(data)) for place in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def same_however_cut(read: Callable[..., Any], head: bytes, said: bytes, cuts: list[int], **options: Any) -> None:
    in_turn = [head, *(said[place : place + 1] for place in range(len(said)))]
    whole = read([head + said], **options)
    assert read([head, *cut(said, cuts)], **options) == whole
    assert read(in_turn, **options) == whole


QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class TestFrames:
    @QUICK
    @given(said=SAID, noise=NOISE, cuts=CUTS, compression=st.booleans())
    def test_of_a_client(
        self, reading: Any, said: list[Frame], noise: bytes, cuts: list[int], compression: bool
    ) -> None:
        data = b"".join(frame(each, is_masked=True) for each in said) + noise
        same_however_cut(reading.as_server, REQUEST, data, cuts, compression=compression)

    @QUICK
    @given(said=SAID, noise=NOISE, cuts=CUTS, compression=st.booleans())
    def test_of_a_server(
        self, reading: Any, said: list[Frame], noise: bytes, cuts: list[int], compression: bool
    ) -> None:
        data = b"".join(frame(each, is_masked=False) for each in said) + noise
        head = COMPRESSED_ANSWER if compression else ANSWER
        same_however_cut(reading.as_client, head, data, cuts, compression=compression)

    @pytest.mark.parametrize("in_one_read", [True, False])
    def test_a_close_with_code_0_is_none_whatever_follows(self, reading: Any, in_one_read: bool) -> None:
        said = [frame((CLOSE, b"\x00\x00"), is_masked=True), frame((0x83, b"?"), is_masked=True)]
        outcome = reading.as_server([REQUEST, b"".join(said)] if in_one_read else [REQUEST, *said])
        assert (outcome.ending.code, outcome.ending.by, outcome.ending.is_clean) == (1002, "us", False)
        assert "the code 0" in outcome.ending.detail

    @pytest.mark.parametrize("in_one_read", [True, False])
    def test_the_first_of_two_broken_frames_is_the_reason(self, reading: Any, in_one_read: bool) -> None:
        said = [frame((TEXT, b"\xff"), is_masked=True), frame((0x83, b"?"), is_masked=True)]
        outcome = reading.as_server([REQUEST, b"".join(said)] if in_one_read else [REQUEST, *said])
        assert outcome.ending.code == 1007
        assert b"\x88" in outcome.written
        assert b"\x03\xef" in outcome.written

    def test_a_message_before_a_broken_frame_is_answered(self, reading: Any) -> None:
        said = [(TEXT, b"hello"), (PING, b"you?"), (0x83, b"?")]
        outcome = reading.as_server([REQUEST + b"".join(frame(each, is_masked=True) for each in said)])
        assert b"\x81\x07heard 5\x8a\x04you?\x88" in outcome.written

    @pytest.mark.parametrize("in_one_read", [True, False])
    def test_what_follows_a_servers_answer_is_heard(self, reading: Any, in_one_read: bool) -> None:
        said = [ANSWER, frame((TEXT, b"hello"), is_masked=False), frame((CLOSE, b"\x03\xe8bye"), is_masked=False)]
        outcome = reading.as_client([b"".join(said)] if in_one_read else said)
        assert (outcome.data, outcome.refusal) == (["hello"], "")
        assert (outcome.ending.code, outcome.ending.by, outcome.ending.is_clean) == (1000, "peer", True)

    def test_nothing_is_read_behind_a_broken_frame_in_a_long_read(self, reading: Any) -> None:
        """Its 60,000 bytes are more than picows' buffer holds, and come in the same read as the handshake."""
        too_long = b"\x82" + bytes([126 | 0x80]) + (60_000).to_bytes(2, "big") + bytes(4) + bytes(60_000)
        outcome = reading.as_server([REQUEST + too_long + frame((TEXT, b"later"), is_masked=True)])
        assert (outcome.data, outcome.ending.code) == ([], 1009)


REQUESTS = st.sampled_from(
    [
        REQUEST,
        b"\r\n\r\n" + REQUEST,
        REQUEST.replace(b"GET", b"POST"),
        REQUEST.replace(b"13", b"8"),
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000,
        b"G" * 20_000 + b"\r\n\r\n",
    ]
)
ANSWERS = st.sampled_from(
    [
        ANSWER,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + ANSWER,
        ANSWER.replace(ACCEPT, ACCEPT.lower()),
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello and more",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n-6\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 1_0\r\n\r\nhello",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"SSH-2.0-OpenSSH",
        b"\x15\x03\x01",
        b"HTTP/1.1 000 \r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000,
    ]
)
FEW_CUTS = st.lists(st.integers(0, 400) | st.integers(16_000, 17_000), max_size=6)


class TestHeads:
    @QUICK
    @given(head=REQUESTS, cuts=FEW_CUTS)
    def test_of_a_client(self, reading: Any, head: bytes, cuts: list[int]) -> None:
        said = head + frame((TEXT, b"hello"), is_masked=True)
        assert reading.as_server(cut(said, cuts)) == reading.as_server([said])

    @QUICK
    @example(head=b"\x15\x03\x01", cuts=[1])
    @given(head=ANSWERS, cuts=FEW_CUTS)
    def test_of_a_server(self, reading: Any, head: bytes, cuts: list[int]) -> None:
        mark = head.find(ACCEPT)
        outside = [place for place in cuts if not mark < place < mark + len(ACCEPT) or mark < 0]
        said = head + frame((TEXT, b"hello"), is_masked=False)
        assert reading.as_client(cut(said, outside)) == reading.as_client([said])

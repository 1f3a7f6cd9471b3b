"""Where the bodies of HTTP/1.1 end, without a wire."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.transport import http1_head as heads
from antiphon.transport.http1_body import Body, body_of_request, body_of_response


def end_of_body(head: bytes, data: bytes, cuts: list[int]) -> tuple[int, bool]:
    """How many bytes the request's body takes of the data, when that comes in pieces; and whether it is done."""
    body = body_of_request(heads.read_request(head))
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    taken = 0
    for start, end in pairwise(places):
        piece = data[start:end]
        while piece and not body.is_done:
            size = body.take(piece)
            taken, piece = taken + size, piece[size:]
    return taken, body.is_done


CUTS = st.lists(st.integers(0, 200), max_size=8)
NEXT = b"GET / HTTP/1.1\r\n\r\n"


NO_LENGTHS = (b"-6", b"+5", b"1_0", b"0x5", "٥".encode(), "５".encode(), b"9" * 5000, b"F" * 40)


class CountingBytes(bytes):
    """Counts what is copied out of it."""

    copied_bytes = 0

    def __getitem__(self, key: Any) -> Any:
        piece = super().__getitem__(key)
        self.copied_bytes += len(piece) if isinstance(piece, bytes) else 1
        return piece


class TestBodies:
    @given(content=st.binary(max_size=50), cuts=CUTS)
    def test_a_body_of_known_length(self, content: bytes, cuts: list[int]) -> None:
        head = b"POST / HTTP/1.1\r\nContent-Length: %d" % len(content)
        assert end_of_body(head, content + NEXT, cuts) == (len(content), True)

    @given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=4), cuts=CUTS, trailers=st.booleans())
    def test_a_body_in_chunks(self, chunks: list[bytes], cuts: list[int], trailers: bool) -> None:
        content = b"".join(b"%X;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        content += b"0\r\n" + (b"X: y\r\nZ: 1\r\n" if trailers else b"") + b"\r\n"
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked"
        assert end_of_body(head, content + NEXT, cuts) == (len(content), True)

    def test_a_body_that_is_not_all_there(self) -> None:
        assert end_of_body(b"POST / HTTP/1.1\r\nContent-Length: 9", b"1234", []) == (4, False)
        assert end_of_body(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked", b"9\r\n1234", []) == (7, False)

    def test_a_transfer_coding_has_no_case(self) -> None:
        assert end_of_body(b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked", b"0\r\n\r\n", []) == (5, True)

    def test_one_byte_chunks_cost_what_they_are_long(self) -> None:
        body = body_of_request(heads.read_request(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked"))
        data = CountingBytes(b"1\r\nx\r\n" * 10_000)
        assert body.take(data) == len(data)
        assert data.copied_bytes <= len(data)

    def test_no_body(self) -> None:
        assert body_of_request(heads.read_request(b"GET / HTTP/1.1")).is_done

    @pytest.mark.parametrize("head", [b"CONNECT a:1 HTTP/1.1", b"GET / HTTP/1.1\r\nUpgrade: h2c"])
    def test_what_has_no_end(self, head: bytes) -> None:
        assert end_of_body(head, NEXT * 3, [5]) == (len(NEXT) * 3, False)

    @pytest.mark.parametrize(
        ("line", "data"),
        [
            (b"Content-Length: x", b""),
            (b"Content-Length: -1", b""),
            (b"Content-Length: 1, 1", b""),
            *((b"Content-Length: " + number, b"") for number in NO_LENGTHS),
            (b"Transfer-Encoding: chunked, gzip", b""),
            *((b"Transfer-Encoding: chunked", number + b"\r\n0123456789") for number in NO_LENGTHS),
            (b"Transfer-Encoding: chunked", b"many\r\n"),
            (b"Transfer-Encoding: chunked", b"\r\n"),
            (b"Transfer-Encoding: chunked", b" 5\r\n"),
            (b"Transfer-Encoding: chunked", b"5\n"),
            (b"Transfer-Encoding: chunked", b"2\r\nab0\r\n\r\n"),
            (b"Transfer-Encoding: chunked", b"1" * 10_000),
        ],
    )
    def test_bodies_whose_end_nobody_can_tell(self, line: bytes, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"Content-Length|coding|chunk"):
            end_of_body(b"POST / HTTP/1.1\r\n" + line, data, [])


def answer(head: bytes, *pieces: bytes, kept_bytes: int = 100) -> Body:
    body = body_of_response(heads.read_response(b"HTTP/1.1 " + head), kept_bytes)
    for piece in pieces:
        body.take(piece)
    return body


class TestAnswers:
    def test_chunks_that_were_cut_off(self) -> None:
        assert answer(b"500 X\r\nTransfer-Encoding: chunked", b"3\r\nab", b"c\r\n4\r\nde").content == b"abcde"

    def test_chunks_that_are_none(self) -> None:
        body = answer(b"500 X\r\nTransfer-Encoding: chunked", b"3\r\nabc\r\n")
        with pytest.raises(ValueError, match="no length"):
            body.take(b"nonsense\r\n")
        assert body.content == b"abc"

    def test_a_known_length(self) -> None:
        body = answer(b"500 X\r\nContent-Length: 5", b"abc", b"defgh")
        assert (body.content, body.is_done) == (b"abcde", True)

    def test_no_length(self) -> None:
        body = answer(b"500 X\r\nX: y", b"abc", b"def")
        assert (body.content, body.is_done) == (b"abcdef", False)

    @pytest.mark.parametrize("length", [*NO_LENGTHS, b"", b"5, 6"])
    def test_a_length_that_is_none(self, length: bytes) -> None:
        with pytest.raises(ValueError, match="the Content-Length is no length"):
            answer(b"500 X\r\nContent-Length: " + length)

    def test_answers_without_a_body(self) -> None:
        assert answer(b"204 No Content").is_done
        assert answer(b"304 Not Modified\r\nContent-Length: 10").is_done

    def test_no_more_is_kept_than_may_be(self) -> None:
        body = answer(b"500 X\r\nContent-Length: 500", b"ab" * 100, kept_bytes=7)
        assert (body.content, body.is_full, body.is_done) == (b"abababa", True, False)

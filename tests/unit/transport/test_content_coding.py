"""Bodies that were compressed on their way."""

from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.transport.content_coding import PIECE_BYTES, decoder_for


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


FORMS = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
}


CONTENT = st.binary() | st.sampled_from([bytes(PIECE_BYTES * 3), bytes(PIECE_BYTES)])


def decoded(coding: str, data: bytes, cuts: list[int]) -> bytes:
    decoder = decoder_for(coding)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [piece for start, end in pairwise(places) for piece in decoder.decode(data[start:end])]
    decoder.end()
    return b"".join(pieces)


@pytest.mark.parametrize("coding", FORMS)
@given(
    content=st.binary() | st.sampled_from([bytes(PIECE_BYTES * 3), bytes(PIECE_BYTES)]),
    cuts=st.lists(st.integers(0, 300)),
)
def test_a_body_is_read_however_it_was_cut(coding: str, content: bytes, cuts: list[int]) -> None:
    assert decoded(coding, FORMS[coding](content), cuts) == content


@given(cuts=st.lists(st.integers(0, 100)))
def test_files_behind_each_other_and_padding(cuts: list[int]) -> None:
    assert decoded("gzip", gzip.compress(b"one") + gzip.compress(b"two") + bytes(20), cuts) == b"onetwo"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@given(padding=st.text("\x00\x1fx", min_size=1).map(str.encode), cuts=st.lists(st.integers(0, 100)))
@example(padding=b"\x00\x1f\x00", cuts=[len(gzip.compress(b"one")) + 1])
def test_what_follows_padding_is_padding_however_it_was_cut(coding: str, padding: bytes, cuts: list[int]) -> None:
    assert decoded(coding, FORMS[coding](b"one") + b"\x00" + padding, cuts) == b"one"


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_no_body_at_all(coding: str) -> None:
    assert decoded(coding, b"", []) == b""


@given(data=st.binary(min_size=1), cuts=st.lists(st.integers(0, 100)), coding=st.sampled_from(["gzip", "deflate"]))
def test_noise_is_an_error_or_nothing_worse_however_it_was_cut(data: bytes, cuts: list[int], coding: str) -> None:
    def verdict(cuts: list[int]) -> bytes | None:
        try:
            return decoded(coding, data, cuts)
        except ValueError:
            return None

    assert verdict(cuts) == verdict([])


def test_a_body_that_ends_too_early() -> None:
    with pytest.raises(ValueError, match="in the middle of its gzip"):
        decoded("gzip", gzip.compress(b"hello")[:-1], [])


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd" * 1000])
def test_codings_that_are_not_ours(coding: str) -> None:
    with pytest.raises(ValueError, match="we read gzip, deflate") as caught:
        decoder_for(coding)
    assert len(str(caught.value)) < 150

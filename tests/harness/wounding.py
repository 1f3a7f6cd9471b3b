"""Good inputs of parsers with bytes cut out, doubled, overwritten and put in, and where to cut them into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

__all__ = ["CUTS", "in_pieces", "mutated"]

ODD = [
    *(
        b"\x00",
        b"\xff",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b'"',
        b"'",
        b"\\",
        b"=",
        b"#",
    ),
    *(b"-6", b"+5", b"1_0", b"0x5", "٥".encode(), b"9" * 30, b"9" * 5000, b"1e400", b"-0", b"NaN", b"null", b"true"),
    *(b"[", b"]", b"{", b"}", b"[" * 3000, b'{"a":' * 3000, b'"\\ud800"', b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc3"),
    *(b"\x03\x00" * 50, b"\x00\x00\xff\xff", b"\x1f\x8b", b"\x82\xfe\xff\xff", b"\x88\x82\x00\x00\x00\x00\x00\x00"),
]
"""What parsers have stumbled over."""


def mutated(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """One of these with a few wounds."""
    wound = st.tuples(
        st.integers(0, 3000), st.integers(0, 20), st.one_of(st.just(b""), st.sampled_from(ODD), st.binary(max_size=8))
    )
    return st.builds(_wounded, st.sampled_from(seeds), st.lists(wound, max_size=4), st.booleans())


def _wounded(data: bytes, wounds: Sequence[tuple[int, int, bytes]], is_doubled: bool) -> bytes:
    for place, size, new in wounds:
        start = place % (len(data) + 1)
        data = data[:start] + new + data[start + size :]
    return data * 2 if is_doubled else data


def in_pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The data, cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 5000), max_size=5)

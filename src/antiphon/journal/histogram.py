"""How long things took, as counters: in the format of HdrHistogram, so that parts of a load merge without a loss.

There is one shape for every histogram of ours: microseconds from 1 to 60,000,000, told apart to 3 significant digits.
Up to 2,047 us each value has a counter of its own; from there on counters are as wide as keeps a value to less than a
thousandth of itself. Since the shape is the same everywhere, merging adds counters, and what is merged is equal to what
one histogram would have counted. Counters tell values only to their width: so the exact least, greatest and sum of the
values stand beside them.

The text of a histogram is the V2 encoding, compressed, in base64: what the HdrHistogram libraries of other languages
read and write (https://github.com/HdrHistogram/HdrHistogram, `AbstractHistogram.encodeIntoByteBuffer`,
`ZigZagEncoding`).
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from antiphon.errors import RecordingError

__all__ = ["DIGITS", "HIGHEST_US", "LOWEST_US", "Histogram", "PackedHistogram"]

LOWEST_US: Final = 1
HIGHEST_US: Final = 60_000_000
DIGITS: Final = 3


class PackedHistogram(NamedTuple):
    """What a histogram has counted, as arrays: places of counters that are not 0, and these."""

    places: array[int]
    counts: array[int]
    min_us: int
    max_us: int
    sum_us: int


class Histogram:
    """Counts of durations in microseconds; empty when it is made.

    `min_us`, `max_us`, `sum_us` are exact, and 0 while it is empty. Two are equal if all counters and these are.
    """

    __slots__ = ("_counts", "_max_us", "_min_us", "_sum_us")

    def __init__(self) -> None:
        self._counts: defaultdict[int, int] = defaultdict(int)  # by place, without those that are 0
        self._min_us = _NONE_YET
        self._max_us = 0
        self._sum_us = 0

    def record(self, us: int, count: int = 1) -> None:
        """Count a duration, `count` times (1 or more). Less than 1 us counts as 1.

        What is longer than the counters reach (67.1 s) is in the last one, and exact in `max_us` and `sum_us`.
        """
        if us < LOWEST_US:
            us = LOWEST_US
        if us < self._min_us:
            self._min_us = us
        if us > self._max_us:
            self._max_us = us
        self._sum_us += us * count
        # As in `_place_of`; a call would cost as much as all this.
        shift = us.bit_length() - _FINE_BITS
        if shift <= 0:
            self._counts[us] += count
        elif shift < _SHIFTS:
            self._counts[(shift << _HALF_BITS) + (us >> shift)] += count
        else:
            self._counts[_LAST] += count

    def add(self, other: Histogram) -> None:
        """Count all that the other has counted, as if it had been recorded here."""
        counts = self._counts
        for place, count in other._counts.items():
            counts[place] += count
        self._min_us = min(self._min_us, other._min_us)
        self._max_us = max(self._max_us, other._max_us)
        self._sum_us += other._sum_us

    @property
    def count(self) -> int:
        """How many were recorded."""
        return sum(self._counts.values())

    @property
    def min_us(self) -> int:
        """The shortest."""
        return self._min_us if self._counts else 0

    @property
    def max_us(self) -> int:
        """The longest."""
        return self._max_us

    @property
    def sum_us(self) -> int:
        """All together."""
        return self._sum_us

    @property
    def mean_us(self) -> float:
        """The mean, 0 while it is empty."""
        return self._sum_us / self.count if self._counts else 0.0

    def percentile(self, percentile: float) -> int:
        """The value that so many percent (0 to 100) are not above, in microseconds; 0 while it is empty."""
        return self.percentiles([percentile])[0]

    def percentiles(self, percentiles: Iterable[float]) -> list[int]:
        """The same for several in one pass, in the order in which they are asked for.

        As HdrHistogram has it: the greatest value that its counter stands for, of 0 % the least. So it is never less
        than the exact one, and at most a thousandth more. In the last counter it is the longest that was recorded.
        """
        asked = list(percentiles)
        total = self.count
        found = [0] * len(asked)
        ranks = sorted((_rank(percentile, total), number) for number, percentile in enumerate(asked))
        passed = 0
        slots = iter(sorted(self._counts.items()))
        place = 0
        for rank, number in ranks if total else []:
            while passed < rank:
                place, count = next(slots)
                passed += count
            found[number] = self._greatest_at(place) if asked[number] > 0 else _least_at(place)
        return found

    def in_buckets(self, bounds_us: Sequence[int]) -> list[int]:
        """How many lie up to the first of these rising bounds, up to each further one, and above the last.

        A value lies where the greatest one does that its counter stands for. A bound is less than 60 s, or that.
        """
        # A counter is within a bound if the next one begins at most one above it.
        limits = [_place_of(bound_us + 1) for bound_us in bounds_us]
        found = [0] * (len(limits) + 1)
        for place, count in self._counts.items():
            found[bisect_right(limits, place)] += count
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The values that were recorded, rising, with how often: the greatest that each counter stands for, in us."""
        for place, count in sorted(self._counts.items()):
            yield self._greatest_at(place), count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        mine = (self._min_us, self._max_us, self._sum_us, self._counts)
        return mine == (other._min_us, other._max_us, other._sum_us, other._counts)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        if not self._counts:
            return "Histogram()"
        return f"Histogram(count={self.count}, min_us={self.min_us}, max_us={self.max_us}, sum_us={self.sum_us})"

    def packed(self) -> PackedHistogram:
        """The same in a thirtieth of the memory, to be kept and not to be added to."""
        counts = self._counts
        most = max(counts.values(), default=0)
        # Of a second most counters are small, and a load has hundreds of seconds with dozens of histograms.
        width = next(width for width in "BHIQ" if most < 1 << 8 * array(width).itemsize)
        return PackedHistogram(
            array("H", counts.keys()), array(width, counts.values()), self._min_us, self._max_us, self._sum_us
        )

    @classmethod
    def unpacked(cls, packed: PackedHistogram) -> Histogram:
        """The histogram that `packed` gave."""
        made = cls()
        made._counts.update(zip(packed.places, packed.counts, strict=True))
        made._min_us, made._max_us, made._sum_us = packed.min_us, packed.max_us, packed.sum_us
        return made

    def to_blob(self) -> str:
        """Its counters as a text of printable ASCII, without the exact values beside them."""
        payload = _encode(sorted(self._counts.items()))
        packed = zlib.compress(_HEADER.pack(_COOKIE_V2, len(payload), *_SHAPE) + payload)
        return base64.b64encode(_OUTER.pack(_COOKIE_V2_COMPRESSED, len(packed)) + packed).decode("ascii")

    @classmethod
    def from_blob(cls, blob: str) -> Histogram:
        """The histogram of a text that `to_blob` gave, or another HdrHistogram of this shape.

        `min_us`, `max_us` and `sum_us` are as near as the counters tell them; `of` has them exact. A text that is
        damaged, cut, of another shape or version is a RecordingError.
        """
        made = cls()
        counts = _decode(_unpack(blob))
        made._counts.update(counts)
        if counts:
            made._min_us = max(_least_at(min(counts)), LOWEST_US)
            made._max_us = _greatest_at(max(counts))
            # The middle of what a counter stands for, as HdrHistogram has it for the mean.
            middles = [(_least_at(place) + _greatest_at(place) + 1) // 2 * count for place, count in counts.items()]
            made._sum_us = sum(middles)
        return made

    @classmethod
    def of(cls, count: int, min_us: int, max_us: int, sum_us: int, blob: str) -> Histogram:
        """The histogram of a text with the exact values that stood beside it, as a snapshot has them.

        It is a RecordingError, too, if they cannot be those of the text.
        """
        made = cls()
        counts = _decode(_unpack(blob))
        total = sum(counts.values())
        if total != count:
            raise _unreadable(f"counts {total} durations, and {count} were said to be in it")
        if counts:
            ends = (_place_of(min_us), _place_of(max_us))
            is_possible = ends == (min(counts), max(counts)) and min_us * count <= sum_us <= max_us * count
            made._counts.update(counts)
            made._min_us, made._max_us, made._sum_us = min_us, max_us, sum_us
        else:
            is_possible = not (min_us or max_us or sum_us)
        if not is_possible:
            raise _unreadable(f"holds no {count} durations from {min_us} to {max_us} us, {sum_us} us together")
        return made

    def _greatest_at(self, place: int) -> int:
        return _greatest_at(place) if place < _LAST else max(_greatest_at(place), self._max_us)


def _rank(percentile: float, total: int) -> int:
    """Which one of so many in order it is, from 1. One bit less, for a rounding may not lead to the one behind."""
    just_below = math.nextafter(min(percentile, 100.0), -math.inf)
    return max(math.ceil(just_below * total / 100), 1)


# Places of counters. Values below 2,048 have one each. Above, a value with so many bits more is shifted by as many: of
# what is left, 1,024 to 2,047, there are 1,024 places for each shift.
_HALF_BITS: Final = 10
_FINE_BITS: Final = _HALF_BITS + 1
_SHIFTS: Final = HIGHEST_US.bit_length() - _HALF_BITS
_PLACES: Final = (_SHIFTS + 1) << _HALF_BITS
_LAST: Final = _PLACES - 1

_NONE_YET: Final = 1 << 63


def _place_of(us: int) -> int:
    """Where a duration is counted."""
    shift = max(us.bit_length() - _FINE_BITS, 0)
    return (shift << _HALF_BITS) + (us >> shift) if shift < _SHIFTS else _LAST


def _least_at(place: int) -> int:
    """The least value that is counted there."""
    shift = max((place >> _HALF_BITS) - 1, 0)
    return (place - (shift << _HALF_BITS)) << shift


def _greatest_at(place: int) -> int:
    """The greatest value that is counted there, for the last place that which its width would allow."""
    return _least_at(place + 1) - 1


# The text: a cookie and a length, and compressed a header with the counters. All numbers are big-endian. The cookies'
# second digit from the right is the size of a word, which is no matter in V2.
_OUTER: Final = struct.Struct(">II")
_HEADER: Final = struct.Struct(">IIIIQQd")  # cookie, length; offset, digits, lowest, highest, ratio to doubles
_SHAPE: Final = (0, DIGITS, LOWEST_US, HIGHEST_US, 1.0)
_COOKIE_V2: Final = 0x1C849313
_COOKIE_V2_COMPRESSED: Final = 0x1C849314
_COOKIES_BEFORE: Final = {0x1C849302, 0x1C849309}  # V1 and V0, compressed
_WORD_SIZE: Final = 0xF0
_LONGEST_WORD: Final = 9
_LONGEST: Final = _HEADER.size + _PLACES * _LONGEST_WORD


def _encode(counts: list[tuple[int, int]]) -> bytes:
    """Counters in order up to the last that is not 0; several that are 0 are one negative number."""
    encoded = bytearray()
    following = 0
    for place, count in counts:
        skipped = place - following
        if skipped:
            # As the Java library has it, to the byte: one 0 is a 0. In zigzag a negative number is odd.
            _put(encoded, 2 * skipped - 1 if skipped > 1 else 0)
        if count < 0x40:
            encoded.append(2 * count)
        else:
            _put(encoded, 2 * count)
        following = place + 1
    return bytes(encoded)


def _put(encoded: bytearray, word: int) -> None:
    """Append an LEB128 of up to 64 bits, of which the ninth byte holds eight."""
    for _ in range(_LONGEST_WORD - 1):
        if word < 0x80:
            break
        encoded.append(word & 0x7F | 0x80)
        word >>= 7
    encoded.append(word)


def _decode(encoded: bytes) -> dict[int, int]:
    """The counters that are not 0, by their places, which rise."""
    counts: dict[int, int] = {}
    place = word = bits = 0
    for byte in encoded:
        if byte >= 0x80 and bits < 7 * (_LONGEST_WORD - 1):
            word |= (byte & 0x7F) << bits
            bits += 7
            continue
        word |= byte << bits
        if word & 1:
            place += (word + 1) >> 1
        else:
            if word:
                counts[place] = word >> 1
            place += 1
        word = bits = 0
    if bits:
        raise _unreadable("ends within a counter")
    if place > _PLACES:
        raise _unreadable(f"has more than {_PLACES} counters")
    return counts


def _unpack(blob: str) -> bytes:
    """The counters of a text, encoded, once its shape is known to be ours."""
    try:
        data = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unreadable("is no base64") from error
    if len(data) < _OUTER.size:
        raise _unreadable("is too short")
    cookie, length = _OUTER.unpack_from(data)
    _check_cookie(cookie, _COOKIE_V2_COMPRESSED)
    if length != len(data) - _OUTER.size:
        raise _unreadable(f"has {len(data) - _OUTER.size} bytes, and says {length}")
    unpacked = _decompress(data[_OUTER.size :])
    if len(unpacked) < _HEADER.size:
        raise _unreadable("has no header")
    cookie, length, *shape = _HEADER.unpack_from(unpacked)
    _check_cookie(cookie, _COOKIE_V2)
    if tuple(shape) != _SHAPE:
        raise _of_another_shape(*shape)
    if length != len(unpacked) - _HEADER.size:
        raise _unreadable(f"has {len(unpacked) - _HEADER.size} bytes of counters, and says {length}")
    return unpacked[_HEADER.size :]


def _decompress(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(packed, _LONGEST)
    except zlib.error as error:
        raise _unreadable("cannot be decompressed") from error
    if unpacking.unconsumed_tail:
        raise _unreadable(f"has more than {_PLACES} counters")
    if not unpacking.eof or unpacking.unused_data:
        raise _unreadable("does not end where its compressed data does")
    return unpacked


def _check_cookie(cookie: int, wanted: int) -> None:
    if cookie & ~_WORD_SIZE == wanted & ~_WORD_SIZE:
        return
    if cookie & ~_WORD_SIZE in _COOKIES_BEFORE:
        raise _unreadable("is in an encoding before V2", hint="the libraries of HdrHistogram since 2.1.9 write V2")
    raise _unreadable(f"begins with {cookie:#010x}, and {wanted:#010x} begins the V2 encoding")


def _of_another_shape(offset: int, digits: int, lowest: int, highest: int, ratio: float) -> RecordingError:
    moved = "" if (offset, ratio) == (0, 1.0) else f", shifted by {offset} and scaled by {ratio:g}"
    return _unreadable(
        f"is of another shape: {lowest} to {highest} with {digits} digits{moved}",
        hint=f"antiphon merges histograms from {LOWEST_US} to {HIGHEST_US} with {DIGITS} digits, in microseconds",
    )


def _unreadable(why: str, hint: str = "it was cut, or changed since it was written: read it anew") -> RecordingError:
    return RecordingError(f"a histogram cannot be read: it {why}", hint=hint)

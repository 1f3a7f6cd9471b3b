"""Histograms: the same counters as HdrHistogram has, whoever wrote them, and nothing lost when they are merged."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon.errors import RecordingError
from antiphon.journal.histogram import DIGITS, HIGHEST_US, LOWEST_US, Histogram

LAST_COUNTED_US = 67_108_863  # what the counters for 60 s reach: 2**26 - 1
COUNTERS = 17_408

durations = st.one_of(
    st.integers(1, 3_000), st.integers(1, HIGHEST_US), st.integers(0, 26).map(lambda bits: max((1 << bits) - 1, 1))
)
many_durations = st.lists(durations, max_size=60)


def recorded(values: Sequence[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def by_the_library(values: Sequence[int]) -> HdrHistogram:
    theirs = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for value in values:
        assert theirs.record_value(value)
    return theirs


def merged(parts: Sequence[Histogram]) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.add(part)
    return whole


def repacked(payload: bytes, **header: int | float) -> str:
    """A text with these encoded counters, and this said otherwise in its headers."""
    said: dict[str, int | float] = {
        "cookie": 0x1C849313,
        "length": len(payload),
        "offset": 0,
        "digits": 3,
        "lowest": 1,
        "highest": 60_000_000,
        "ratio": 1.0,
    }
    said |= {key: value for key, value in header.items() if key in said}
    packed = zlib.compress(struct.pack(">IIIIQQd", *said.values()) + payload)
    outer = struct.pack(">II", header.get("outer_cookie", 0x1C849314), header.get("outer_length", len(packed)))
    return base64.b64encode(outer + packed).decode()


# As HdrHistogram 2.2.2 for Java wrote and read it.
OF_JAVA = "HISTFAAAADF4nJNpmSzMwMAAwiDADKUZwZzJ7Qz2H6AiTAxMX+WZmJjudzCyPE9mWsvMBAC1kAgy"
VALUES_OF_JAVA = [1, 3, 2_047, 2_048, 2_050, 812_345, 812_345, 60_000_000, 67_108_863]
PERCENTILES_OF_JAVA = {0: 1, 1: 1, 50: 2_051, 75: 812_543, 90: 67_108_863, 99.9: 67_108_863, 100: 67_108_863}


def test_the_library_of_java_writes_the_same_text_and_tells_the_same_percentiles() -> None:
    histogram = recorded(VALUES_OF_JAVA)
    assert histogram.to_blob() == OF_JAVA
    assert histogram.percentiles(PERCENTILES_OF_JAVA) == list(PERCENTILES_OF_JAVA.values())
    assert list(Histogram.from_blob(OF_JAVA)) == list(histogram)


@settings(max_examples=max(10, settings.default.max_examples // 3))
@given(many_durations)
def test_the_library_of_python_reads_our_counters(values: list[int]) -> None:
    theirs = by_the_library(values)
    ours = HdrHistogram.decode(recorded(values).to_blob())
    assert len(ours.counts) == COUNTERS
    assert ours.counts[:] == theirs.counts[:]
    assert ours.equals(HdrHistogram.decode(theirs.encode()))


@settings(max_examples=max(10, settings.default.max_examples // 3))
@given(many_durations)
def test_we_read_the_counters_of_the_library_of_python(values: list[int]) -> None:
    theirs = by_the_library(values)
    ours = Histogram.from_blob(theirs.encode().decode())
    assert list(ours) == list(recorded(values))
    if values:
        assert math.isclose(ours.mean_us, theirs.get_mean_value(), rel_tol=1e-3, abs_tol=1)
        assert (ours.min_us, ours.max_us) == (theirs.get_min_value(), HdrHistogram.decode(theirs.encode()).max_value)


@given(st.lists(many_durations, max_size=5))
def test_merged_parts_are_equal_to_one_that_counted_all(parts: list[list[int]]) -> None:
    everything = [value for part in parts for value in part]
    whole = merged([recorded(part) for part in parts])
    assert whole == recorded(everything)
    assert whole.to_blob() == recorded(everything).to_blob()
    assert (whole.count, whole.sum_us) == (len(everything), sum(everything))


@given(many_durations.filter(bool), st.sampled_from([0.1, 1, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100]))
def test_a_percentile_is_that_of_the_sorted_list_to_three_digits(values: list[int], percentile: float) -> None:
    rank = max(math.ceil(round(percentile * len(values), 6) / 100), 1)
    exact = sorted(values)[rank - 1]
    found = recorded(values).percentile(percentile)
    assert exact <= found <= exact * 1.001


@given(many_durations.filter(bool))
def test_what_stands_beside_the_counters_is_exact(values: list[int]) -> None:
    histogram = recorded(values)
    exact = (len(values), min(values), max(values), sum(values))
    assert (histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us) == exact
    assert histogram.mean_us == sum(values) / len(values)
    assert Histogram.of(*exact, histogram.to_blob()) == histogram
    assert histogram.percentile(0) <= histogram.min_us
    assert histogram.percentile(100) >= histogram.max_us


@given(many_durations)
def test_a_text_holds_all_counters(values: list[int]) -> None:
    histogram = recorded(values)
    read = Histogram.from_blob(histogram.to_blob())
    assert list(read) == list(histogram)
    assert read.to_blob() == histogram.to_blob()


def test_several_percentiles_come_in_the_order_in_which_they_are_asked_for() -> None:
    histogram = recorded(range(1, 1_001))
    assert histogram.percentiles([99, 50, 50, 100, 0, 99.9]) == [990, 500, 500, 1_000, 1, 999]
    assert histogram.percentiles([]) == []


@pytest.mark.parametrize("total", [10, 1_000, 100_000, 10_000_000])
def test_a_rounding_leads_to_no_other_value(total: int) -> None:
    histogram = Histogram()
    histogram.record(1, total // 1_000 * 999)
    histogram.record(2, total - total // 1_000 * 999)
    assert histogram.percentile(99.9) == (1 if total >= 1_000 else 2)
    assert histogram.percentile(99.91) == 2


def test_values_rise_with_how_often_they_were_recorded() -> None:
    histogram = Histogram()
    histogram.record(2_049, 2)
    histogram.record(7)
    histogram.record(2_048, 3)
    assert list(histogram) == [(7, 1), (2_049, 5)]
    assert histogram.count == 6


@given(many_durations, st.lists(st.integers(LOWEST_US, HIGHEST_US), max_size=5, unique=True).map(sorted))
@example([2_500, 2_501, 2_502, HIGHEST_US, 10**9], [2_499, 2_500, 2_501, HIGHEST_US])
def test_buckets_are_those_of_the_greatest_values_of_counters(values: list[int], bounds_us: list[int]) -> None:
    histogram = recorded(values)
    expected = [0] * (len(bounds_us) + 1)
    for us, count in histogram:
        expected[sum(bound_us < us for bound_us in bounds_us)] += count
    assert histogram.in_buckets(bounds_us) == expected


@pytest.mark.parametrize("us", [0, -1, -(10**12)])
def test_less_than_a_microsecond_is_one(us: int) -> None:
    assert recorded([us]) == recorded([1])


def test_what_is_longer_than_the_counters_reach_is_in_the_last_and_exact_beside_it() -> None:
    histogram = recorded([5, LAST_COUNTED_US, LAST_COUNTED_US + 1, 300_000_000])
    assert list(histogram) == [(5, 1), (300_000_000, 3)]
    assert histogram.max_us == 300_000_000
    assert histogram.sum_us == 5 + 2 * LAST_COUNTED_US + 1 + 300_000_000
    assert histogram.percentile(99) == 300_000_000
    theirs = HdrHistogram.decode(histogram.to_blob())
    assert (theirs.total_count, theirs.counts[COUNTERS - 1]) == (4, 3)
    exact = (4, 5, 300_000_000, histogram.sum_us)
    assert Histogram.of(*exact, histogram.to_blob()) == histogram


def test_an_empty_one() -> None:
    empty = Histogram()
    assert (empty.count, empty.min_us, empty.max_us, empty.sum_us, empty.mean_us) == (0, 0, 0, 0, 0.0)
    assert empty.percentiles([0, 50, 100]) == [0, 0, 0]
    assert list(empty) == []
    assert Histogram.of(0, 0, 0, 0, empty.to_blob()) == empty == merged([empty, Histogram()])
    assert repr(empty) == "Histogram()"
    assert HdrHistogram.decode(empty.to_blob()).total_count == 0


def test_it_is_equal_to_what_has_the_same_in_it() -> None:
    assert recorded([1, 2]) == recorded([2, 1])
    assert recorded([1, 2]) != recorded([1, 2, 2])
    assert recorded([2_048, 2_049]) != recorded([2_048, 2_048])  # the same counters
    assert recorded([1]) != {1: 1}
    with pytest.raises(TypeError):
        hash(recorded([1]))
    assert repr(recorded([3, 4])) == "Histogram(count=2, min_us=3, max_us=4, sum_us=7)"


@given(st.integers(1, 2**63 - 1), st.integers(1, 20))
@example(2**63 - 1, 3)
@example(2**62 - 1, 3)
def test_counters_may_be_of_any_size(count: int, us: int) -> None:
    histogram = Histogram()
    histogram.record(us, count)
    assert Histogram.of(count, us, us, us * count, histogram.to_blob()) == histogram
    if count < 2**62:  # the library of Python reads no more
        assert HdrHistogram.decode(histogram.to_blob()).counts[us] == count


def test_a_value_of_zero_that_another_library_counted_stays_one() -> None:
    theirs = by_the_library([0, 0, 7])
    ours = Histogram.from_blob(theirs.encode().decode())
    assert list(ours) == [(0, 2), (7, 1)]
    assert ours.min_us == 1


GOOD = recorded([3, 5, 2_048, 812_345])


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        ("", "is too short"),
        (base64.b64encode(b"\x1c\x84\x93\x14").decode(), "is too short"),
        ("not base64!", "is no base64"),
        ("größe", "is no base64"),
        (GOOD.to_blob()[:-4], "bytes, and says"),
        (GOOD.to_blob() + "AAAA", "is no base64"),
        (repacked(b"\x02", outer_cookie=0x1C849302), "is in an encoding before V2"),
        (repacked(b"\x02", outer_cookie=0x1C849309), "is in an encoding before V2"),
        (repacked(b"\x02", outer_cookie=0x1C849313), "begins with 0x1c849313, and 0x1c849314 begins the V2 encoding"),
        (repacked(b"\x02", cookie=0x1C849301), "begins with 0x1c849301, and 0x1c849313 begins the V2 encoding"),
        (repacked(b"\x02", outer_length=7), "bytes, and says 7"),
        (repacked(b"\x02", length=3), "has 1 bytes of counters, and says 3"),
        (repacked(b"\x02\x82"), "ends within a counter"),
        (repacked(b"\x02" * (COUNTERS + 1)), "has more than 17408 counters"),
        (repacked(b"\xff\xff\xff\x7f\x02"), "has more than 17408 counters"),
        (repacked(bytes(1_000_000)), "has more than 17408 counters"),
    ],
)
def test_a_damaged_text_is_one_error_that_says_what_it_is(blob: str, why: str) -> None:
    with pytest.raises(RecordingError) as caught:
        Histogram.from_blob(blob)
    assert str(caught.value).startswith("a histogram cannot be read: it ")
    assert why in caught.value.text
    assert caught.value.hint


def outer(packed: bytes) -> str:
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (b"no zlib", "cannot be decompressed"),
        (zlib.compress(b"short"), "has no header"),
        (zlib.compress(bytes(60))[:-2], "does not end where its compressed data does"),
        (zlib.compress(bytes(60)) + b"more", "does not end where its compressed data does"),
    ],
)
def test_damaged_compressed_data_is_the_same_error(packed: bytes, why: str) -> None:
    with pytest.raises(RecordingError, match=why):
        Histogram.from_blob(outer(packed))


@pytest.mark.parametrize(
    ("header", "shape"),
    [
        ({"highest": 3_600_000_000}, "1 to 3600000000 with 3 digits"),
        ({"digits": 2}, "1 to 60000000 with 2 digits"),
        ({"lowest": 1_000}, "1000 to 60000000 with 3 digits"),
        ({"offset": 4}, "1 to 60000000 with 3 digits, shifted by 4 and scaled by 1"),
        ({"ratio": 0.5}, "1 to 60000000 with 3 digits, shifted by 0 and scaled by 0.5"),
    ],
)
def test_another_shape_is_not_merged(header: dict[str, int | float], shape: str) -> None:
    with pytest.raises(RecordingError) as caught:
        Histogram.from_blob(repacked(b"\x02", **header))
    assert caught.value.text.endswith(f"it is of another shape: {shape}")
    assert "from 1 to 60000000 with 3 digits" in (caught.value.hint or "")


def test_the_size_of_a_word_is_no_matter() -> None:
    assert list(Histogram.from_blob(repacked(b"\x00\x02", cookie=0x1C849303, outer_cookie=0x1C849304))) == [(1, 1)]


@pytest.mark.parametrize(
    ("exact", "why"),
    [
        ((3, 3, 812_345, 814_401), "counts 4 durations, and 3 were said to be in it"),
        ((4, 4, 812_345, 814_401), "holds no 4 durations from 4 to 812345 us"),
        ((4, 3, 813_345, 814_401), "holds no 4 durations from 3 to 813345 us"),
        ((4, 3, 812_345, 11), "holds no 4 durations from 3 to 812345 us, 11 us together"),
        ((4, 3, 812_345, 812_345 * 4 + 1), "holds no 4 durations"),
        ((4, -3, 812_345, 814_401), "holds no 4 durations"),
    ],
)
def test_figures_that_cannot_be_those_of_the_text_are_told(exact: tuple[int, int, int, int], why: str) -> None:
    with pytest.raises(RecordingError, match=why):
        Histogram.of(*exact, GOOD.to_blob())
    assert Histogram.of(4, 3, 812_345, 814_401, GOOD.to_blob()) == GOOD


@pytest.mark.parametrize("exact", [(0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)])
def test_an_empty_text_has_no_figures(exact: tuple[int, int, int, int]) -> None:
    with pytest.raises(RecordingError, match="holds no 0 durations"):
        Histogram.of(*exact, Histogram().to_blob())


@given(st.data())
def test_whatever_is_changed_in_a_text_is_told_or_is_no_matter(data: st.DataObject) -> None:
    blob = bytearray(GOOD.to_blob().encode())
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] = data.draw(st.integers(0, 127))
    try:
        read = Histogram.from_blob(blob.decode())
    except RecordingError:
        return
    assert list(read) == list(GOOD)


@given(st.lists(st.tuples(st.integers(1, 100_000_000), st.sampled_from([1, 255, 256, 65_535, 65_536, 1 << 32]))))
def test_packed_it_is_the_same(durations: list[tuple[int, int]]) -> None:
    histogram = Histogram()
    for us, count in durations:
        histogram.record(us, count)
    assert Histogram.unpacked(histogram.packed()) == histogram


def test_packed_it_takes_three_bytes_for_a_counter_of_a_second() -> None:
    """A load keeps hundreds of seconds with dozens of histograms each."""
    packed = recorded([*range(1, 1_001), 5, 5]).packed()

    assert sum(each.itemsize * len(each) for each in (packed.places, packed.counts)) == 3 * 1_000

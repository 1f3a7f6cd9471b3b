"""Rates, durations and pauses as authors write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ScenarioError
from antiphon.load.rates import Span, duration_s, pause_span, rate_per_s


@pytest.mark.parametrize(
    ("written", "per_s"),
    [
        ("20/s", 20.0),
        ("90/min", 1.5),
        ("1000/h", 1000 / 3600),
        ("0.5/s", 0.5),
        (" 20 / s ", 20.0),
        ("0", 0.0),
        ("0/min", 0.0),
        (14, 14.0),
        (0.25, 0.25),
    ],
)
def test_a_rate(written: Any, per_s: float) -> None:
    assert rate_per_s(written) == per_s


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5m", 300.0),
        ("5min", 300.0),
        ("30s", 30.0),
        ("1h30m", 5400.0),
        ("1h 30m 5s 250ms", 5405.25),
        ("250ms", 0.25),
        ("1.5h", 5400.0),
        ("90", 90.0),
        (90, 90.0),
        (0, 0.0),
    ],
)
def test_a_duration(written: Any, seconds: float) -> None:
    assert duration_s(written) == seconds


@pytest.mark.parametrize(
    ("written", "least_s", "most_s"),
    [
        ("1..3", 1.0, 3.0),
        ("500ms..2s", 0.5, 2.0),
        ("1..3m", 60.0, 180.0),
        ("1s..3m", 1.0, 180.0),
        ("2", 2.0, 2.0),
        ("1m30s", 90.0, 90.0),
        (2, 2.0, 2.0),
        ((0.5, 2), 0.5, 2.0),
    ],
)
def test_a_pause(written: Any, least_s: float, most_s: float) -> None:
    assert pause_span(written) == Span(least_s, most_s)


def test_a_span_is_gone_through_evenly() -> None:
    assert [Span(1.0, 3.0).at(share) for share in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("read", "written", "why", "column"),
    [
        (rate_per_s, "20", "in what time?", 2),
        (rate_per_s, "20/x", "'x' is no unit of rates", 3),
        (rate_per_s, "20/", "a unit is missing here", 3),
        (rate_per_s, "20/s or so", "'or so' was not expected here", 5),
        (rate_per_s, "20s", "'s' was not expected here", 2),
        (rate_per_s, "-20/s", "a number is missing here", 0),
        (rate_per_s, "fast", "a number is missing here", 0),
        (rate_per_s, "2000000/s", "it is more than 1,000,000/s", 0),
        (duration_s, "5x", "'x' is no unit of time", 1),
        (duration_s, "1h30", "a unit is missing here", 4),
        (duration_s, "30m1h", "h cannot stand behind m", 4),
        (duration_s, "1m1min", "min cannot stand behind m", 3),
        (duration_s, "5m!", "'!' was not expected here", 2),
        (duration_s, "9999999h", "it is more than 1,000,000,000 s", 0),
        (pause_span, "3..1", "the first is more than the second", 0),
        (pause_span, "1..", "a number is missing here", 3),
        (pause_span, "1..2m30s", "the first has no unit, and the second several", 0),
        (pause_span, "1..2..3", "'..3' was not expected here", 4),
    ],
)
def test_what_cannot_be_read_is_pointed_at(read: Any, written: str, why: str, column: int) -> None:
    with pytest.raises(ScenarioError) as raised:
        read(written, place="plan.py:7")
    first, text, caret = raised.value.text.split("\n")
    assert first.endswith(f" '{written}': {why}")
    assert (text, caret) == (f"  {written}", f"  {' ' * column}^")
    assert raised.value.place == "plan.py:7"
    assert raised.value.hint


def test_the_pointer_stands_right_behind_what_cannot_be_seen() -> None:
    with pytest.raises(ScenarioError) as raised:
        rate_per_s("20\u200b/s")
    assert raised.value.text.split("\n")[1:] == ["  20\\u200b/s", "    ^"]


def test_nothing_has_no_pointer_but_an_error() -> None:
    with pytest.raises(ScenarioError, match="rate '': a number is missing here"):
        rate_per_s("  ")


def test_a_long_text_is_cut() -> None:
    with pytest.raises(ScenarioError) as raised:
        duration_s("5m" + " " * 500 + "x" * 500)
    assert max(map(len, str(raised.value).split("\n"))) < 200


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, None, [1], 1e7])
def test_a_number_that_is_no_rate(value: Any) -> None:
    with pytest.raises(ScenarioError, match="is no number from 0 to 1,000,000"):
        rate_per_s(value)


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), (1, "2"), None, -1, True])
def test_what_is_no_pause(value: Any) -> None:
    with pytest.raises(ScenarioError, match="is no number"):
        pause_span(value)


def test_a_pause_in_the_wrong_order() -> None:
    with pytest.raises(ScenarioError, match=r"pause \(3, 1\): the first is more than the second"):
        pause_span((3, 1))


def test_the_error_says_which_duration() -> None:
    with pytest.raises(ScenarioError, match="ramp 'soon': a number is missing here"):
        duration_s("soon", "ramp")


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_units_add_up(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    total_s = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    assert duration_s(f"{hours}h{minutes}m{seconds}s{milliseconds}ms") == pytest.approx(total_s, abs=1e-9)


@given(st.text(max_size=30))
def test_any_text_is_read_or_told_of(text: str) -> None:
    for read in (rate_per_s, duration_s, pause_span):
        try:
            read(text)
        except ScenarioError as error:
            assert error.hint  # noqa: PT017  # either way is right, and nothing else

"""The time of a run, and moments as they are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.clock import Clock, iso_utc


def test_a_clock_counts_from_its_creation() -> None:
    now_ns = 5_000
    clock = Clock(lambda: now_ns)
    assert clock.now_ns() == 0
    now_ns = 5_700
    assert clock.now_ns() == 700


def test_a_clock_knows_the_wall_time_of_its_zero() -> None:
    before = datetime.now(UTC)
    clock = Clock()
    assert before <= clock.started_at <= datetime.now(UTC)
    assert clock.started_at.tzinfo is UTC
    assert 0 <= clock.now_ns() <= clock.now_ns()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 7, 41, 44, 123_999, tzinfo=UTC), "2026-11-22T07:41:44.123Z"),
        (datetime(2026, 11, 22, 7, 41, 44, tzinfo=UTC), "2026-11-22T07:41:44.000Z"),
        (datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000Z"),
    ],
)
def test_moments_are_written_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert iso_utc(moment) == text


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))
def test_a_written_moment_is_that_moment(moment: datetime) -> None:
    text = iso_utc(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    read = datetime.fromisoformat(text)
    assert timedelta(0) <= moment.astimezone(UTC) - read < timedelta(milliseconds=1)

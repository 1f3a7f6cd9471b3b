"""When a channel is opened again, and after what."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Backoff, ConnectFailed, Ending, OpeningRefused, ScenarioError, UpgradeRefused


def test_each_wait_is_longer_than_the_one_before_up_to_a_limit() -> None:
    backoff = Backoff(first_s=0.5, factor=3, at_most_s=10, attempts=5)
    assert [backoff.wait_s(attempt, 0.0) for attempt in range(1, 7)] == [0.5, 1.5, 4.5, 10, 10, None]


def test_without_an_end_no_attempt_is_the_last() -> None:
    backoff = Backoff(attempts=None)
    assert backoff.wait_s(10**6, 0.0) == 30


def test_the_peers_word_counts_for_the_first_wait() -> None:
    backoff = Backoff(first_s=0.5, at_most_s=10)
    assert [backoff.wait_s(attempt, 0.0, 3.0) for attempt in (1, 2, 3)] == [3, 6, 10]
    assert backoff.wait_s(4, 0.0, 60.0) == 60


@given(
    attempt=st.integers(1, 10_000),
    chance=st.floats(0, 1, exclude_max=True),
    first_s=st.floats(0, 1e6),
    factor=st.floats(1, 1e6),
    at_most_s=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
def test_a_wait_is_a_number_of_seconds_that_is_not_above_the_limit(
    attempt: int, chance: float, first_s: float, factor: float, at_most_s: float, jitter: float
) -> None:
    backoff = Backoff(first_s=first_s, factor=factor, at_most_s=at_most_s, jitter=jitter, attempts=None)
    wait_s = backoff.wait_s(attempt, chance)
    assert wait_s is not None
    assert 0 <= wait_s <= max(first_s, at_most_s)
    assert wait_s >= min(first_s, at_most_s) * (1 - jitter)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"first_s": -1}, r"Backoff\(first_s=-1\) is no number from 0"),
        ({"first_s": math.nan}, r"first_s=nan"),
        ({"first_s": "0.5"}, r"first_s='0.5'"),
        ({"factor": 0.5}, r"factor=0\.5\) is no number from 1"),
        ({"at_most_s": math.inf}, r"at_most_s=inf"),
        ({"jitter": 1.5}, r"jitter=1\.5\) is no number from 0 to 1"),
        ({"attempts": 0}, r"attempts=0\) is no number from 1"),
        ({"attempts": True}, r"attempts=True"),
        ({"attempts": 2.0}, r"attempts=2\.0"),
        ({"after": 1008}, r"after=1008\) is no set of codes"),
        ({"after": "1008"}, r"after='1008'"),
    ],
)
def test_what_makes_no_sense_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        Backoff(**wrong)


@pytest.mark.parametrize("code", [None, 1001, 1006, 1011, 1012, 1013, 1014, -9])
def test_what_is_lost_is_followed(code: int | None) -> None:
    assert Backoff().follows(Ending(code))


@pytest.mark.parametrize("code", [0, 1, 139, 1000, 1002, 1005, 1007, 1008, 1009, 4000])
def test_what_was_meant_is_not_unless_it_is_named(code: int) -> None:
    assert not Backoff().follows(Ending(code, by="peer"))
    assert Backoff(after={code}).follows(Ending(code, by="peer"))


def refused(status: int) -> UpgradeRefused:
    return UpgradeRefused("refused", status=status, headers={}, body=b"")


@pytest.mark.parametrize(
    "failure", [ConnectFailed("nobody"), *map(refused, (408, 425, 429, 500, 503)), OpeningRefused(1013, "")]
)
def test_what_may_be_otherwise_soon_is_tried_again(failure: ConnectFailed) -> None:
    assert Backoff().tries_again(failure)


@pytest.mark.parametrize(
    "failure", [*map(refused, (302, 401, 403, 404, 410)), OpeningRefused("NOAUTH", ""), OpeningRefused(5, "")]
)
def test_a_refusal_that_is_meant_is_not_unless_it_is_named(failure: OpeningRefused) -> None:
    assert not Backoff().tries_again(failure)
    assert Backoff(after={failure.code}).tries_again(failure)


@pytest.mark.parametrize(
    ("asked", "least_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("9" * 400, 86_400.0),
        ("", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("\u0667", 0.0),
    ],
)
def test_a_refusal_may_ask_for_time(asked: str, least_s: float) -> None:
    busy = UpgradeRefused("refused", status=503, headers={"Retry-After": asked}, body=b"")
    assert Backoff.least_s(busy) == least_s
    assert Backoff.least_s(refused(503)) == Backoff.least_s(ConnectFailed("nobody")) == 0.0


def test_what_the_text_says_of_codes_is_what_is_done() -> None:
    said = " ".join((Backoff.__doc__ or "").partition("Without it: ")[2].split())
    followed, _, meant = said.partition("Not after ")
    assert [code for code in range(1000, 1016) if Backoff().follows(Ending(code, by="peer"))] == [
        int(code) for code in re.findall(r"\b10\d\d\b", followed)
    ]
    assert re.findall(r"\b10\d\d\b", meant) == ["1005"]

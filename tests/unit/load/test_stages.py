"""The language of stages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ScenarioError
from antiphon.load.stages import Stage, Stages, parse_stages


@pytest.mark.parametrize(
    ("written", "unit", "stages"),
    [
        (
            "0..20/s in 1m, 20/s for 5m, 0 in 10s",
            "rate",
            [Stage(0, 20, 60), Stage(20, 20, 300), Stage(20, 0, 10)],
        ),
        ("20/s in 1m", "rate", [Stage(0, 20, 60)]),
        ("60..120/min in 10", "rate", [Stage(1, 2, 10)]),
        ("60/min..2/s in 10", "rate", [Stage(1, 2, 10)]),
        ("0 for 10s, 5/s for 10s", "rate", [Stage(0, 0, 10), Stage(5, 5, 10)]),
        ("5/s for 1s, 50..100/s in 1s", "rate", [Stage(5, 5, 1), Stage(50, 100, 1)]),
        ("0..20 in 1m, 20 for 5m", "users", [Stage(0, 20, 60), Stage(20, 20, 300)]),
        ("0..100% in 1m,50% for 1h", "percent", [Stage(0, 100, 60), Stage(50, 50, 3600)]),
        ("7..7 for 1m", "users", [Stage(7, 7, 60)]),
    ],
)
def test_what_stages_say(written: str, unit: Any, stages: list[Stage]) -> None:
    assert parse_stages(written) == Stages(unit, tuple(stages))


@pytest.mark.parametrize(
    ("written", "why", "column"),
    [
        ("20/s", '"in" or "for" and a time are missing here', 4),
        ("20/s at 5m", '"in" or "for" and a time are missing here', 5),
        ("20/s for", "a number is missing here", 8),
        ("20/s for 0s", "a stage takes some time", 9),
        ("20/s for 5m,", "a number is missing here", 12),
        ("20/s for 5m 10/s for 1m", "a unit is missing here", 14),  # as in 5m 10s
        ("0..20/s for 1m", 'from one level to another it is "in" a time', 8),
        ("20/s for 5m, 10 for 1m", "these are users, and before it was starts in a second", 13),
        ("20 for 5m, 10% in 1m", "these are hundredths, and before it was users", 11),
        ("10..20/x in 1m", "'x' is no unit of rates", 7),
        ("2.5 for 1m", "users are whole numbers", 0),
        ("0 for 1m", "nothing would ever start", 0),
        ("2000000/s for 1m", "it is more than 1,000,000 starts in a second", 0),
        ("1/s for 200000h, 1/s for 200000h", "they take more than 1,000,000,000 s", 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(written: str, why: str, column: int) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse_stages(written, place="plan.py:7")
    lines = raised.value.text.split("\n")
    assert lines == [f"stages '{written}': {why}", f"  {written}", f"  {' ' * column}^"]
    assert raised.value.place == "plan.py:7"
    assert raised.value.hint


def test_stages_are_a_text() -> None:
    with pytest.raises(ScenarioError, match="stages are a text, not 20"):
        parse_stages(20)


@given(st.text(alphabet="0123456789./%,sminhfor ", max_size=40))
def test_any_text_is_read_or_told_of(text: str) -> None:
    try:
        stages = parse_stages(text).stages
    except ScenarioError as error:
        assert error.hint  # noqa: PT017  # either way is right, and nothing else
    else:
        assert all(stage.duration_s > 0 and stage.begin >= 0 and stage.end >= 0 for stage in stages)

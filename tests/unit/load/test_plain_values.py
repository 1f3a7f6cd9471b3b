"""Values of parameters on their way to other processes, and into records."""

from __future__ import annotations

import datetime as dt
import enum
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from antiphon.errors import ScenarioError
from antiphon.load.plain_values import as_recorded, of_plain, plain
from antiphon.scenarios.scenario import REQUIRED, Parameter


class Colour(enum.Enum):
    RED = "red-value"
    BLUE = 2


class State(enum.Enum):
    HELD = "held"


class Ring:
    """It leads to itself."""

    def __init__(self) -> None:
        self.ring = self


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Colour, Colour.BLUE),
        (Colour | None, Colour.RED),
        (list[Colour], [Colour.RED, Colour.BLUE]),
        (tuple[Colour, ...], (Colour.BLUE,)),
        (list[State], [State.HELD]),
        (dt.date, dt.date(2026, 1, 2)),
        (dt.datetime | None, dt.datetime(2026, 1, 2, 3, 4, 5)),
        (dt.timedelta, dt.timedelta(minutes=5)),
        (Decimal, Decimal("1.50")),
        (Path | None, Path("/tmp/x")),
        (bool, True),
        (list[str] | None, ["007", "x"]),
        (tuple[int, ...], (1, 2)),
        (dict[int, str], {1: "a"}),
        (Literal["a", "b"], "b"),
        (int | str, "007"),
        (Any, "007"),
    ],
)
def test_a_value_is_the_same_in_another_process(kind: Any, value: Any) -> None:
    told = json.loads(json.dumps(plain("it", value)))

    made = of_plain(Parameter("it", kind, REQUIRED), told)
    assert (made, type(made)) == (value, type(value))


def test_a_default_says_what_a_parameter_without_a_type_is() -> None:
    made = of_plain(Parameter("on", Any, dt.date(2026, 1, 1)), plain("on", dt.date(2026, 1, 2)))
    assert made == dt.date(2026, 1, 2)


@pytest.mark.parametrize("value", [Ring(), "\udcff", object()])
def test_what_other_processes_cannot_be_told_is_said(value: Any) -> None:
    with pytest.raises(ScenarioError, match=r"^colour cannot be .* in a load"):
        plain("colour", value)


def test_an_object_of_the_authors_is_recorded_in_short() -> None:
    recorded = as_recorded({"path": Path("/tmp/x"), "ring": Ring()})
    assert "Ring object" in json.dumps(recorded)
    assert "/tmp/x" in recorded["path"]

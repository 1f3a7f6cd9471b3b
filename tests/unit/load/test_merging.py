"""What several processes measured in the same interval, put side by side."""

from __future__ import annotations

from antiphon.journal.figures import PartFigures, Second
from antiphon.load.merging import beside


def second(asking_ns: int | None, **counts: int) -> Second:
    return Second(at_ns=10**9, from_ns=0, parts={"calls": PartFigures(asked=2.0, asking_ns=asking_ns, **counts)})


def test_what_is_asked_for_adds_up_and_the_time_in_which_it_is_does_not() -> None:
    merged = beside([second(400, started=3, outlasting=1), second(1_000, started=4), second(None)])

    assert merged.parts["calls"] == PartFigures(asked=6.0, started=7, outlasting=1, asking_ns=1_000)


def test_of_a_record_of_before_it_is_not_known_for_how_long_something_was_asked_for() -> None:
    assert beside([second(None), second(None)]).parts["calls"].asking_ns is None
    assert beside([second(0), second(0)]).parts["calls"].asking_ns == 0

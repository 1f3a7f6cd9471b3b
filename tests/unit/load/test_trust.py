"""Whether a load may be trusted, by what its generator could not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.journal.figures import Audit, PartFigures, Second
from antiphon.load.trust import Trust
from antiphon.report.load.figures import LoadFigures


def doubts(**counts: int) -> list[str]:
    """Those of a load with such a part, whose books agree."""
    figures = LoadFigures(Path())
    figures.add(Second(at_ns=10**9, from_ns=0, parts={"calls": PartFigures(**counts)}))
    return Trust().doubts(figures, Audit())


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"started": 100, "late": 2}, "2 of 100 conversations began more than 50 ms after they were due: "),
        (
            {"started": 100, "dropped": 2},
            "0 of 100 conversations began more than 50 ms after they were due, and 2 more ",
        ),
        ({"dropped": 4}, "0 of 0 conversations began more than 50 ms after they were due, and 4 more never began: "),
    ],
)
def test_conversations_that_began_late_or_never_are_a_doubt(counts: dict[str, int], told: str) -> None:
    (doubt,) = doubts(**counts)
    assert doubt.startswith(told)


@pytest.mark.parametrize("counts", [{"late": 1}, {"dropped": 1}, {"late": 5, "dropped": 5}])
def test_one_or_few_of_many_are_none(counts: dict[str, int]) -> None:
    assert doubts(started=1000, **counts) == []

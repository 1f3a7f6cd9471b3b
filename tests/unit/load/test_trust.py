"""Whether a load may be trusted, by what its generator could not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.journal.figures import Audit, GeneratorFigures, PartFigures, Second
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


def test_a_load_that_was_ended_before_it_began_was_not_busy() -> None:
    trust, figures = Trust(), LoadFigures(Path())
    generator = GeneratorFigures(process=0, pid=1, seq=1, wall_s=-0.2, cpu_s=0.1, lag_ms=0.0, rss_kib=1)
    trust.look([generator])
    figures.add(Second(at_ns=-200_000_000, from_ns=0, parts={"calls": PartFigures(asking_ns=0)}))

    assert trust.doubts(figures, Audit(), is_whole=False) == []
    assert figures.asking_ns == 0


@pytest.mark.parametrize(
    ("shares", "is_busy"), [([1.0], True), ([1.0, 1.0], True), ([1.0, 0.1], False), ([1.0, 1.0, *[0.2] * 58], False)]
)
def test_a_short_load_that_used_its_whole_core_all_the_time_is_a_doubt(shares: list[float], is_busy: bool) -> None:
    """Two seconds of a minute are allowed; all of two seconds are not."""
    trust = Trust()
    for seq, share in enumerate(shares, 1):
        trust.look([GeneratorFigures(process=0, pid=1, seq=seq, wall_s=1.0, cpu_s=share, lag_ms=1.0, rss_kib=1)])

    told = trust.doubts(LoadFigures(Path()), Audit())

    assert bool(told) == is_busy
    assert all("the generator used its whole core in" in doubt for doubt in told)

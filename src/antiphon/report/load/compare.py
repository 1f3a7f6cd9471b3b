"""What moved between two loads, which way, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from antiphon.journal.histogram import Histogram
from antiphon.report.load.bootstrap import LEAST_BEYOND, Interval, Resampling, interval
from antiphon.report.load.figures import LoadFigures
from antiphon.report.load.timeline import Point

__all__ = ["Comparison", "Direction", "Moved", "compare"]

LEAST_CHANGE: Final = 0.02
"""A change up to this is none, however certain it is."""

_FEW: Final = (0.5, 1.0)
"""What a share of few is counted with, so that none before has a ratio, too: half a failure of one conversation."""

_PERCENTILES: Final = (("p50", 50.0), ("p95", 95.0), ("p99", 99.0))

Direction = Literal["worse", "better", "same", "unknown"]


class Moved(Struct):
    """A figure of two loads: times are milliseconds, the rate is conversations a second, errors are a share.

    `low` and `high` are the ends of the 95 % interval of `ratio`, now to before; they are null where there is too
    little to tell, and then the direction is "unknown". It is "same" unless the interval excludes 1 and the change is
    more than 2 %.
    """

    what: Annotated[str, Meta(description="rate, errors, or the name of a series")]
    figure: str
    before: float
    now: float
    ratio: float | None
    low: float | None
    high: float | None
    direction: Direction


class Comparison(Struct):
    """A load beside an earlier one, the baseline. Series that only one of them has are `new` or `gone`.

    `block_s` is how long the blocks of seconds are that were drawn to tell a change from chance.
    """

    baseline: str
    block_s: float
    figures: list[Moved]
    new: list[str]
    gone: list[str]
    remarks: list[str]

    @property
    def worse(self) -> list[Moved]:
        """What got worse: first of all conversations, then of steps, then of what is in them."""
        return self._moved("worse")

    @property
    def better(self) -> list[Moved]:
        """What got better, in the same order."""
        return self._moved("better")

    def _moved(self, direction: Direction) -> list[Moved]:
        found = [moved for moved in self.figures if moved.direction == direction]
        return sorted(found, key=lambda moved: min(moved.what.count("/"), 2))


def compare(now: LoadFigures, before: LoadFigures) -> Comparison:
    """What moved from the load `before` to the load `now`."""
    pair = _Pair(now, before)
    figures = [pair.rate(), pair.errors()]
    for name in now.series:
        if name in before.series:
            figures += pair.series(name)
    return Comparison(
        before.directory.resolve().name,
        pair.block_s,
        figures,
        [name for name in now.series if name not in before.series],
        [name for name in before.series if name not in now.series],
        list(_remarks(now, before)),
    )


class _Pair:
    """Two loads, and what may be drawn of each."""

    def __init__(self, now: LoadFigures, before: LoadFigures) -> None:
        self._loads = now, before
        self._now, self._before = Resampling(now.points, 1), Resampling(before.points, 2)
        self.block_s = max(self._now.block_s, self._before.block_s)
        self._tells = self._now.is_long_enough and self._before.is_long_enough

    def rate(self) -> Moved:
        """Conversations that began, while they were asked for."""
        now, before = (_quotient(load.total.started, load.asking_ns / 1e9) for load in self._loads)
        chance = interval(self._now.ratios(_begun), self._before.ratios(_begun))
        return self._moved("rate", "started per second", before, now, chance, is_less_worse=True)

    def errors(self) -> Moved:
        """Conversations that failed, of those that ended."""
        counts = [(load.total.failed, load.total.failed + load.total.passed) for load in self._loads]
        now, before = (_quotient(failed, ended) for failed, ended in counts)
        chance = interval(self._now.ratios(_failed, _FEW), self._before.ratios(_failed, _FEW))
        few_now, few_before = ((failed + _FEW[0]) / (ended + _FEW[1]) for failed, ended in counts)
        return self._moved("errors", "failed share", before, now, chance, ratio=few_now / few_before)

    def series(self, name: str) -> Iterator[Moved]:
        """The mean of a series, and its percentiles."""
        now, before = (load.series[name].histogram for load in self._loads)
        drawn_now, drawn_before = self._now.series(name), self._before.series(name)
        chance = interval(drawn_now.means(), drawn_before.means())
        has_enough = min(now.count, before.count) >= 2 * LEAST_BEYOND
        yield self._moved(name, "mean", _mean_ms(before), _mean_ms(now), chance if has_enough else None)
        for figure, percentile in _PERCENTILES:
            has_enough = min(now.count, before.count) * (100 - percentile) / 100 >= LEAST_BEYOND
            chance = None
            if has_enough and self._tells:
                chance = interval(drawn_now.percentiles(percentile), drawn_before.percentiles(percentile))
            before_ms, now_ms = before.percentile(percentile) / 1000, now.percentile(percentile) / 1000
            yield self._moved(name, figure, before_ms, now_ms, chance)

    def _moved(
        self,
        what: str,
        figure: str,
        before: float,
        now: float,
        chance: Interval | None,
        *,
        ratio: float | None = None,
        is_less_worse: bool = False,
    ) -> Moved:
        if ratio is None and before:
            ratio = now / before
        if ratio is None or chance is None or not self._tells:
            return Moved(what, figure, before, now, ratio, None, None, "unknown")
        low, high = chance
        direction: Direction = "same"
        if not low <= 1 <= high and abs(ratio - 1) > LEAST_CHANGE:
            direction = "worse" if (ratio < 1) == is_less_worse else "better"
        return Moved(what, figure, before, now, ratio, low, high, direction)


def _begun(point: Point) -> tuple[float, float]:
    parts = point.parts.values()
    is_asked = any(part.asked or part.due for part in parts)
    return sum(part.started for part in parts), point.wall_ns / 1e9 if is_asked else 0.0


def _failed(point: Point) -> tuple[float, float]:
    failed = sum(part.failed for part in point.parts.values())
    return failed, failed + sum(part.passed for part in point.parts.values())


def _mean_ms(histogram: Histogram) -> float:
    return _quotient(histogram.sum_us, histogram.count) / 1000


def _quotient(above: float, below: float) -> float:
    return above / below if below else 0.0


def _remarks(now: LoadFigures, before: LoadFigures) -> Iterator[str]:
    """What else differs between the two, which may be why something moved."""
    for load, which in ((before, "the baseline"), (now, "this load")):
        if not load.is_valid:
            yield f"{which} is {load.word}: {load.doubts[0]}"
    if now.started is None or before.started is None:
        return
    # Each load has a seed of its own unless it is given one; and who writes a table loads nothing otherwise.
    plans = [
        {name: value for name, value in load.plan.items() if name not in ("seed", "table")}
        for load in (now.started, before.started)
    ]
    if plans[0] != plans[1]:
        yield "the two plans are not the same"
    for what in ("stand", "machine", "cpus", "processes", "python", "antiphon"):
        there, here = getattr(before.started, what), getattr(now.started, what)
        if there != here:
            yield f"{what}: {there} before, {here} now"

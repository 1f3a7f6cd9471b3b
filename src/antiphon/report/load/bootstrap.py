"""How much of a difference between two loads may be chance: the block bootstrap over their seconds.

A load is cut into blocks of neighbouring seconds, which are drawn with replacement: so what lasts several seconds (a
queue, a collector's pause) is drawn as a whole, and does not count as many independent observations (Carlstein 1986,
"The use of subseries values for estimating the variance of a general statistic from a stationary sequence", The Annals
of Statistics 14). The draws are seeded: the same two records give the same words.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import itemgetter
from random import Random
from typing import Any, Final

from antiphon.journal.histogram import Histogram
from antiphon.report.load.timeline import Point

__all__ = ["Interval", "Resampling", "SeriesDraws", "interval"]

SHORTEST_BLOCK_NS: Final = 5_000_000_000
MOST_BLOCKS: Final = 60
"""Blocks are 5 s, of a load of ten minutes 10 s, and longer in a longer one."""
FEWEST_BLOCKS: Final = 5
"""A load of fewer tells nothing of chance."""
DRAWS: Final = 400
LEAST_BEYOND: Final = 5
"""A percentile with fewer observations beyond it is chance itself."""

_SEED: Final = 20261127
_CONFIDENCE: Final = 0.95
_ROUNDING: Final = 1e-9

Interval = tuple[float, float]

Draw = Callable[[Sequence[Any]], Sequence[Any]]
"""Takes of something that each block has what the blocks of a draw have."""


class Resampling:
    """A load in blocks, of which loads like it are drawn: `block_s` is how long one is, `number` tells two loads apart.

    Each figure is given for the load itself and for every draw, the same draws for all figures; None where a draw has
    nothing to tell it of.
    """

    def __init__(self, points: Sequence[Point], number: int) -> None:
        self.blocks = _blocks(points)
        self.block_s = max((sum(point.wall_ns for point in block) / 1e9 for block in self.blocks), default=0.0)
        self.is_long_enough = len(self.blocks) >= FEWEST_BLOCKS
        random, places = Random(_SEED + number), range(len(self.blocks))  # noqa: S311 - seeded on purpose
        self._draws: list[Draw] = []
        if self.is_long_enough:
            self._draws = [itemgetter(*random.choices(places, k=len(places))) for _ in range(DRAWS)]

    def ratios(self, of: Callable[[Point], tuple[float, float]], prior: Interval = (0.0, 0.0)) -> list[float | None]:
        """A sum divided by another in each draw, of what a point counts; the prior is added to both sums."""
        sums = [[sum(column) for column in zip(*map(of, block), strict=True)] for block in self.blocks]
        above, below = [each[0] for each in sums], [each[1] for each in sums]
        return [
            (sum(draw(above)) + prior[0]) / bottom if (bottom := sum(draw(below)) + prior[1]) else None
            for draw in self._draws
        ]

    def series(self, name: str) -> SeriesDraws:
        """What is drawn of a series."""
        histograms = []
        for block in self.blocks:
            merged = Histogram()
            for point in block:
                if name in point.series:
                    merged.add(point.series[name].histogram)
            histograms.append(merged)
        return SeriesDraws(histograms, self._draws)


class SeriesDraws:
    """A series whose blocks are merged anew in each draw.

    A percentile of a draw is near that of all blocks, so the values are searched from there; how many observations each
    block has up to a value is counted once.
    """

    def __init__(self, histograms: Sequence[Histogram], draws: Sequence[Draw]) -> None:
        pairs = [list(histogram) for histogram in histograms]
        self._draws = draws
        self._sums = [histogram.sum_us for histogram in histograms]
        self._values = sorted({value for block in pairs for value, _ in block})
        self._block_values = [[value for value, _ in block] for block in pairs]
        self._block_counts = [[0, *accumulate(count for _, count in block)] for block in pairs]
        self._totals = [counts[-1] for counts in self._block_counts]
        self._columns: dict[int, list[int]] = {}

    def means(self) -> list[float | None]:
        """The mean in each draw, in microseconds."""
        return [sum(draw(self._sums)) / count if (count := sum(draw(self._totals))) else None for draw in self._draws]

    def percentiles(self, percentile: float) -> list[float | None]:
        """A percentile in each draw, in microseconds."""
        if not self._values:
            return [None] * len(self._draws)
        place = self._place(tuple, percentile, len(self._values) // 2)
        found: list[float | None] = []
        for draw in self._draws:
            is_told = any(draw(self._totals))
            if is_told:
                place = self._place(draw, percentile, place)
            found.append(float(self._values[place]) if is_told else None)
        return found

    def _place(self, draw: Draw, percentile: float, near: int) -> int:
        """The place of the first value up to which so many percent of what is drawn are."""
        rank = max(math.ceil(percentile * sum(draw(self._totals)) / 100 - _ROUNDING), 1)
        low, high, stride = near, near, 1
        while low > 0 and sum(draw(self._column(low))) >= rank:
            low, high, stride = max(low - stride, 0), low, stride * 2
        stride = 1
        while high < len(self._values) - 1 and sum(draw(self._column(high))) < rank:
            low, high, stride = high, min(high + stride, len(self._values) - 1), stride * 2
        return bisect_left(range(high), rank, low, key=lambda place: sum(draw(self._column(place))))

    def _column(self, place: int) -> list[int]:
        """How many observations each block has up to the value at that place."""
        column = self._columns.get(place)
        if column is None:
            value = self._values[place]
            column = [
                counts[bisect_right(values, value)]
                for values, counts in zip(self._block_values, self._block_counts, strict=True)
            ]
            self._columns[place] = column
        return column


def interval(now: Sequence[float | None], before: Sequence[float | None]) -> Interval | None:
    """The ends between which the ratio of the one to the other lies in 95 of 100 draws.

    None if more than a tenth of the draws tell nothing.
    """
    ratios = sorted(one / other for one, other in zip(now, before, strict=False) if one is not None and other)
    if len(ratios) < 0.9 * DRAWS:
        return None
    tail = (1 - _CONFIDENCE) / 2
    return ratios[math.floor(tail * len(ratios))], ratios[math.ceil((1 - tail) * len(ratios)) - 1]


def _blocks(points: Sequence[Point]) -> list[list[Point]]:
    """The points in blocks of the same length, but for the last, which may be up to half as long again."""
    whole_ns = sum(point.wall_ns for point in points)
    length_ns = max(SHORTEST_BLOCK_NS, whole_ns / MOST_BLOCKS)
    blocks: list[list[Point]] = []
    filled_ns = 0
    left_ns = whole_ns
    for point in points:
        if not blocks or (filled_ns >= length_ns and left_ns >= length_ns / 2):
            blocks.append([])
            filled_ns = 0
        blocks[-1].append(point)
        filled_ns += point.wall_ns
        left_ns -= point.wall_ns
    return blocks

"""What is known of a load that is under way, as far as it is shown: its sums, and how its last seconds went."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec

from antiphon.journal.figures import GeneratorFigures, LoadStarted, Measured, PartFigures, ProcessLost, Second, Traffic
from antiphon.load.trust import BUSY_SHARE, LAG_MS, LATE_SHARE
from antiphon.report.load.timeline import CauseKey, Measurement, Point, add_part, add_traffic

__all__ = ["HISTORY", "PERCENTILES_S", "RATES_S", "FrequentCause", "LoadPicture", "Row", "shown_series"]

PERCENTILES_S: Final = 10.0
"""Percentiles are those of so many last seconds."""

RATES_S: Final = 5.0
"""Rates are those of so many: they are looked at after a change, and should tell of it soon."""

HISTORY: Final = 300
"""So many intervals are remembered as a line."""

SHOWN: Final[frozenset[Measured]] = frozenset({"conversation", "step", "timer"})
"""Of what there are percentiles: what an author has given a name."""


class Row(msgspec.Struct, frozen=True):
    """What was measured of a series in the last seconds; `kind` and `name` as in the record."""

    name: str
    kind: Measured
    count: int
    errors: int
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int


class FrequentCause(msgspec.Struct, frozen=True):
    """Why so many conversations of a part failed until now."""

    count: int
    part: str
    step: str
    error: str
    text: str


class _Interval(msgspec.Struct):
    from_ns: int
    at_ns: int
    started: dict[str, int]
    traffic: Traffic
    series: dict[str, Measurement]


class LoadPicture:
    """`parts` are totals by name, with what is `asked` and `live` now; `rates` are conversations begun a second, and
    `p95_us` by series, in each of the last intervals, 0 where nothing was measured."""

    def __init__(self) -> None:
        self.started: LoadStarted | None = None
        self.at_ns = 0
        self.parts: dict[str, PartFigures] = {}
        self.rates: deque[float] = deque(maxlen=HISTORY)
        self.p95_us: dict[str, deque[int]] = {}
        self.rows: list[Row] = []
        self.generators: list[GeneratorFigures] = []
        self.lost: list[ProcessLost] = []
        self._causes: Counter[CauseKey] = Counter()
        self._steps: dict[CauseKey, str] = {}
        self._recent: deque[_Interval] = deque()
        self._kinds: dict[str, Measured] = {}

    def add(self, entry: Any, series: dict[str, Measurement]) -> None:
        """The next entry of the record; for a Second also what was measured in it, which must not change any more."""
        match entry:
            case LoadStarted():
                self.started = entry
            case ProcessLost():
                self.lost.append(entry)
            case Second():
                self._add_second(entry, series)

    @property
    def total(self) -> PartFigures:
        """All parts together, without what is asked for, which adds up to nothing."""
        total = PartFigures()
        for part in self.parts.values():
            live = total.live + part.live
            add_part(total, part)
            total.live, total.asked = live, 0.0
        return total

    def rate_per_s(self, parts: Collection[str]) -> float:
        """How many conversations of these parts began a second lately."""
        began = [each.started.get(part, 0) for each in self._lately(RATES_S) for part in parts]
        return self._per_s(sum(began), RATES_S)

    @property
    def messages_per_s(self) -> tuple[float, float]:
        """How many messages were sent a second lately, and received."""
        told = Traffic()
        for each in self._lately(RATES_S):
            add_traffic(told, each.traffic)
        return self._per_s(told.sent, RATES_S), self._per_s(told.received, RATES_S)

    @property
    def slowest(self) -> Row | None:
        """The action with the highest p95 lately; if nothing has a name but the conversations, the slowest of those."""
        steps = [row for row in self.rows if row.kind == "step"] or self.rows
        return max(steps, key=lambda row: row.p95_us, default=None)

    def causes(self, most: int) -> list[FrequentCause]:
        """Why conversations failed, the most frequent causes."""
        return [
            FrequentCause(count, key[0], self._steps.get(key, ""), key[1], key[2])
            for key, count in self._causes.most_common(most)
        ]

    @property
    def how_many_causes(self) -> int:
        """How many causes there are."""
        return len(self._causes)

    @property
    def lag_ms(self) -> float:
        """The longest that an event loop of the generator was late in the last interval."""
        return max((each.lag_ms for each in self.generators), default=0.0)

    @property
    def busiest(self) -> float:
        """The highest share of a core that a process of the generator used in the last interval."""
        return max((each.cpu_s / each.wall_s for each in self.generators if each.wall_s > 0), default=0.0)

    @property
    def doubts(self) -> list[str]:
        """What would make the numbers untrue if it went on: by the measures by which the end judges."""
        doubts = [f"process {lost.process} of the generator was lost: {lost.text}" for lost in self.lost[-1:]]
        if self.lag_ms >= LAG_MS:
            doubts.append(f"the event loop is late by {self.lag_ms:.0f} ms: that is in what is measured")
        if self.busiest >= BUSY_SHARE:
            doubts.append("the generator uses its whole core: the system may be faster than it")
        total = self.total
        if total.late > 1 and total.late > LATE_SHARE * total.started:
            doubts.append(f"{total.late:,} of {total.started:,} conversations began later than they were due")
        return doubts

    def _add_second(self, second: Second, series: dict[str, Measurement]) -> None:
        self.at_ns = second.at_ns
        started = {name: part.started for name, part in second.parts.items()}
        wall_s = (second.at_ns - second.from_ns) / 1e9
        for name, part in second.parts.items():
            add_part(self.parts.setdefault(name, PartFigures()), part)
        for cause in second.causes:
            key = (cause.part, cause.error, cause.text)
            self._causes[key] += cause.count
            self._steps.setdefault(key, cause.step)
        self.generators = second.generators
        self.rates.append(sum(started.values()) / wall_s if wall_s > 0 else 0.0)
        self._recent.append(_Interval(second.from_ns, second.at_ns, started, second.traffic, series))
        while self._recent[0].at_ns <= self.at_ns - PERCENTILES_S * 1e9:
            self._recent.popleft()
        for name, measured in series.items():
            self._kinds.setdefault(name, measured.kind)
            self.p95_us.setdefault(name, deque([0] * (len(self.rates) - 1), HISTORY))
        for name, line in self.p95_us.items():
            line.append(series[name].histogram.percentile(95) if name in series else 0)
        self.rows = [row for name in sorted(self._kinds, key=self._place) if (row := self._row(name)) is not None]

    def _place(self, name: str) -> tuple[int, bool]:
        """Each part before what is in it, which stays in the order in which it first came."""
        part, _, inside = name.partition("/")
        return [*self.parts].index(part) if part in self.parts else len(self.parts), bool(inside)

    def _row(self, name: str) -> Row | None:
        kind = self._kinds[name]
        measured = [each.series[name] for each in self._recent if name in each.series]
        if not measured:
            return None
        total = Measurement(kind, type(measured[0].histogram)())
        for each in measured:
            total.add(each)
        histogram = total.histogram
        # A percentile is that of its counter, which may be a thousandth more than the longest.
        p50_us, p95_us, p99_us = (min(us, histogram.max_us) for us in histogram.percentiles([50, 95, 99]))
        return Row(name, kind, histogram.count, total.errors, p50_us, p95_us, p99_us, histogram.max_us)

    def _lately(self, window_s: float) -> Iterator[_Interval]:
        return (each for each in self._recent if each.at_ns > self.at_ns - window_s * 1e9)

    def _per_s(self, count: int, window_s: float) -> float:
        spans = [each.at_ns - each.from_ns for each in self._lately(window_s)]
        return count * 1e9 / sum(spans) if sum(spans) else 0.0


def shown_series(point: Point) -> dict[str, Measurement]:
    """What of a point is shown, in copies: the point becomes another when its neighbour is added to it."""
    copied: dict[str, Measurement] = {}
    for name, measured in point.series.items():
        if measured.kind in SHOWN:
            empty = Measurement(measured.kind, type(measured.histogram)())
            empty.add(measured)
            copied[name] = empty
    return copied

"""What a load has measured since it began, as the samples of its metrics: the sum of its intervals, and nothing else.

It is added to once an interval. What a message costs is no more than without it.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from antiphon.journal.figures import GeneratorFigures, PartFigures, Second, Traffic
from antiphon.journal.histogram import Histogram
from antiphon.report.load.timeline import Point, add_part, add_traffic
from antiphon.report.metrics import families
from antiphon.report.metrics.families import BOUNDS_S, Family

__all__ = ["MOST_CAUSES", "OTHERS", "Accumulated", "Durations", "Sample"]

MOST_CAUSES: Final = 100
"""So many causes of failures have a label of their own: a label's values are kept by whoever collects, for ever."""

OTHERS: Final = "others"
"""The cause of all failures beyond those."""

LONGEST_CAUSE: Final = 200

_BOUNDS_US: Final = [round(bound * 1e6) for bound in BOUNDS_S]


class Durations:
    """Durations by bucket: `counts` has one for each of BOUNDS_S and one for what is longer, not cumulative."""

    __slots__ = ("count", "counts", "max_us", "min_us", "sum_us")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.count = 0
        self.sum_us = 0
        self.min_us = 0
        self.max_us = 0

    def add(self, histogram: Histogram) -> None:
        """Count those of a histogram, into the bucket of the greatest value that its counter stands for."""
        added = histogram.in_buckets(_BOUNDS_US)
        self.counts = [before + more for before, more in zip(self.counts, added, strict=True)]
        self.count += sum(added)
        if histogram.max_us:
            self.min_us = min(self.min_us or histogram.min_us, histogram.min_us)
            self.max_us = max(self.max_us, histogram.max_us)
            self.sum_us += histogram.sum_us

    def copy(self) -> Durations:
        """The same, which stays as it is."""
        copied = Durations()
        copied.counts = self.counts.copy()
        copied.count, copied.sum_us = self.count, self.sum_us
        copied.min_us, copied.max_us = self.min_us, self.max_us
        return copied


class Sample(NamedTuple):
    """A value of a metric, and those of its labels in their order."""

    labels: tuple[str, ...]
    value: float | Durations


class Accumulated:
    """Is added to where the load is driven, and read in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[str, PartFigures] = defaultdict(PartFigures)
        self._durations: dict[tuple[str, str], Durations] = defaultdict(Durations)
        self._causes: Counter[tuple[str, str]] = Counter()
        self._wrong: Counter[str] = Counter()
        self._traffic = Traffic()
        self._cpu_s: dict[int, float] = defaultdict(float)
        self._generators: list[GeneratorFigures] = []

    def add(self, second: Second, point: Point) -> None:
        """The next interval, and what it is as a point, which has its histograms."""
        with self._lock:
            for name, part in second.parts.items():
                add_part(self._parts[name], part)
            for name, measured in point.series.items():
                self._durations[name, measured.kind].add(measured.histogram)
            for cause in second.causes:
                self._causes[self._key(cause.part, f"{cause.error}: {cause.text}"[:LONGEST_CAUSE])] += cause.count
            self._wrong.update(second.correctness)
            add_traffic(self._traffic, second.traffic)
            for figures in second.generators:
                self._cpu_s[figures.process] += figures.cpu_s
            # Of a process that is lost nothing is told any more but what it had used.
            self._generators = list(second.generators)

    def samples(self) -> list[tuple[Family, list[Sample]]]:
        """All metrics with what they are now."""
        with self._lock:
            return list(self._samples())

    def _key(self, part: str, cause: str) -> tuple[str, str]:
        known = (part, cause)
        return known if known in self._causes or len(self._causes) < MOST_CAUSES else (part, OTHERS)

    def _samples(self) -> Iterator[tuple[Family, list[Sample]]]:
        parts, traffic = self._parts, self._traffic
        for family, field in (
            (families.ASKED, "asked"),
            (families.DUE, "due"),
            (families.STARTED, "started"),
            (families.LATE, "late"),
            (families.LIVE, "live"),
        ):
            yield family, [Sample((name,), getattr(part, field)) for name, part in parts.items()]
        yield (
            families.CONVERSATIONS,
            [
                Sample((name, outcome), getattr(part, outcome))
                for name, part in parts.items()
                for outcome in ("passed", "failed", "interrupted", "dropped")
            ],
        )
        yield families.DURATION, [Sample(labels, each.copy()) for labels, each in self._durations.items()]
        yield families.ERRORS, [Sample(labels, count) for labels, count in self._causes.items()]
        yield families.MESSAGES, [Sample(("sent",), traffic.sent), Sample(("received",), traffic.received)]
        yield families.BYTES, [Sample(("sent",), traffic.sent_bytes), Sample(("received",), traffic.received_bytes)]
        yield families.WRONG, [Sample((what,), count) for what, count in self._wrong.items()]
        yield families.CPU, [Sample((str(process),), used_s) for process, used_s in self._cpu_s.items()]
        yield families.LAG, [Sample((str(each.process),), each.lag_ms / 1e3) for each in self._generators]
        yield families.MEMORY, [Sample((str(each.process),), each.rss_kib * 1024) for each in self._generators]

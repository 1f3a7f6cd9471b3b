"""How a load went over time, in a bounded number of points: what a longer load has more is merged, counter by counter.

So a report of ten hours takes the memory and the room on the screen of one of ten minutes, and a percentile of a point
is exact to the histogram: it is none of percentiles.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from antiphon.journal.figures import GeneratorFigures, Measured, PartFigures, Second, Traffic
from antiphon.journal.histogram import Histogram, PackedHistogram

__all__ = ["MOST_POINTS", "CauseKey", "Measurement", "Point", "Timeline", "add_part", "add_traffic"]

MOST_POINTS: Final = 600
"""A timeline has at most so many points; an even number."""

CauseKey = tuple[str, str, str]
"""What tells causes of failures apart: the part, the class of the error, and its text without ids and times."""


class Measurement(msgspec.Struct):
    """What was measured of one series in some time.

    `histogram` has all of them, those that failed too, which are `errors`; `split_us` is how its sum divides over what
    was awaited, by the message's name, and "" for what was no wait. Both are empty where nothing was.
    """

    kind: Measured
    counted: Histogram | PackedHistogram
    errors: int = 0
    split_us: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def histogram(self) -> Histogram:
        """All of them; where they are packed, made anew each time."""
        counted = self.counted
        return Histogram.unpacked(counted) if isinstance(counted, PackedHistogram) else counted

    def pack(self) -> None:
        """Let it take less memory: mostly nothing is added any more."""
        if isinstance(self.counted, Histogram):
            self.counted = self.counted.packed()

    def add(self, other: Measurement) -> None:
        """Merge what was measured at another time, or by another process."""
        self.counted = histogram = self.histogram
        histogram.add(other.histogram)
        self.errors += other.errors
        self.split_us.update(other.split_us)


class Point(msgspec.Struct):
    """What was measured from `from_ns` until `at_ns`; `wall_ns` is how much of that was measured.

    `causes` counts failures. What parts and generators say of a moment (`asked`, `live`, `rss_kib`) is that of its end.
    """

    from_ns: int
    at_ns: int
    wall_ns: int
    parts: dict[str, PartFigures]
    series: dict[str, Measurement]
    causes: Counter[CauseKey]
    traffic: Traffic
    generators: dict[int, GeneratorFigures]

    @classmethod
    def of(cls, second: Second) -> Point:
        """The point of one interval. Raises RecordingError for a histogram that cannot be read."""
        causes: Counter[CauseKey] = Counter()
        for cause in second.causes:
            causes[cause.part, cause.error, cause.text] += cause.count
        series = {
            name: Measurement(
                figures.kind,
                Histogram.of(figures.count, figures.min_us, figures.max_us, figures.sum_us, figures.blob),
                figures.errors,
                Counter(figures.split),
            )
            for name, figures in second.series.items()
        }
        return cls(
            second.from_ns,
            second.at_ns,
            second.at_ns - second.from_ns,
            {name: msgspec.structs.replace(part) for name, part in second.parts.items()},
            series,
            causes,
            msgspec.structs.replace(second.traffic),
            {each.process: msgspec.structs.replace(each) for each in second.generators},
        )

    def add(self, later: Point) -> None:
        """Merge the point that follows."""
        self.at_ns = later.at_ns
        self.wall_ns += later.wall_ns
        for name, part in later.parts.items():
            add_part(self.parts.setdefault(name, PartFigures()), part)
        for name, measured in later.series.items():
            if name in self.series:
                self.series[name].add(measured)
            else:
                self.series[name] = measured
        self.causes.update(later.causes)
        add_traffic(self.traffic, later.traffic)
        for process, figures in later.generators.items():
            if process in self.generators:
                _add_generator(self.generators[process], figures)
            else:
                self.generators[process] = figures

    def pack(self) -> None:
        """Let it take less memory: hundreds of them are kept, with dozens of series in each."""
        for measured in self.series.values():
            measured.pack()


class Timeline:
    """Points in the order of time, at most MOST_POINTS: when there are more, each two become one."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.intervals_a_point = 1
        self._intervals_in_last = 0

    def add(self, point: Point) -> None:
        """The next interval."""
        if self.points and self._intervals_in_last < self.intervals_a_point:
            self.points[-1].add(point)
            self._intervals_in_last += 1
            return
        if self.points:
            self.points[-1].pack()
        self.points.append(point)
        self._intervals_in_last = 1
        if len(self.points) > MOST_POINTS:
            self._halve()

    def _halve(self) -> None:
        """Merge each two points; the last has no second one yet, since their number is odd."""
        self.intervals_a_point *= 2
        for earlier, later in zip(self.points[:-1:2], self.points[1::2], strict=True):
            earlier.add(later)
            earlier.pack()
        self.points = self.points[::2]


def add_part(total: PartFigures, more: PartFigures) -> None:
    """Count what a later interval had more; what is said of a moment is the later one's."""
    total.asked, total.live = more.asked, more.live
    total.due += more.due
    total.started += more.started
    total.late += more.late
    total.passed += more.passed
    total.failed += more.failed
    total.interrupted += more.interrupted
    total.dropped += more.dropped
    total.outlasting += more.outlasting
    if more.asking_ns is not None:
        total.asking_ns = (total.asking_ns or 0) + more.asking_ns


def add_traffic(total: Traffic, more: Traffic) -> None:
    """Count what was said in another interval."""
    total.sent += more.sent
    total.received += more.received
    total.sent_bytes += more.sent_bytes
    total.received_bytes += more.received_bytes


def _add_generator(total: GeneratorFigures, more: GeneratorFigures) -> None:
    total.pid, total.seq, total.rss_kib = more.pid, more.seq, more.rss_kib
    total.wall_s += more.wall_s
    total.cpu_s += more.cpu_s
    total.lag_ms = max(total.lag_ms, more.lag_ms)
    total.late_us += more.late_us

"""What a load measured, read once from its record: how it was asked for, what came of it, and whether to trust it.

Whatever is counted is the sum of what the record's intervals counted, histograms counter by counter. A record that was
cut off by a kill, or is damaged, tells as much as is readable of it, and that it is not all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from antiphon.errors import RecordingError
from antiphon.journal.figures import (
    Audit,
    CauseFigures,
    ConversationKept,
    GeneratorFigures,
    LoadChanged,
    LoadEnded,
    LoadStarted,
    LoadVerdict,
    PartFigures,
    ProcessLost,
    Second,
    ThresholdJudged,
    Traffic,
)
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LOAD_FILE_NAME, LoadRecord, read_load
from antiphon.report.load.timeline import CauseKey, Measurement, Point, Timeline, add_part, add_traffic

__all__ = ["Cause", "GeneratorTotal", "LoadFigures", "Word", "read_figures"]

Word = LoadVerdict | Literal["unfinished"]

CUT_OFF: Final = "the record has no end: the load was killed, or is still under way"


class Cause(msgspec.Struct):
    """All failures of one kind; `example` is the whole text of the first of them, `conversation` the name of that.

    `kept` are the conversations that failed so and were kept whole, `step` is where the first one failed.
    """

    part: str
    error: str
    text: str
    count: int = 0
    step: str = ""
    example: str = ""
    conversation: str = ""
    kept: list[ConversationKept] = []


class GeneratorTotal(msgspec.Struct):
    """How a process of the generator did: its CPU and wall time, the longest that its event loop was late, the most
    memory that it had, and the sum by which conversations began late."""

    process: int
    pid: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    busiest: float = 0.0
    most_lag_ms: float = 0.0
    most_rss_kib: int = 0
    late_us: int = 0

    def add(self, figures: GeneratorFigures) -> None:
        """Count another interval; `busiest` is the highest share of a core in one."""
        self.pid = figures.pid
        self.wall_s += figures.wall_s
        self.cpu_s += figures.cpu_s
        self.busiest = max(self.busiest, figures.cpu_s / figures.wall_s if figures.wall_s else 0.0)
        self.most_lag_ms = max(self.most_lag_ms, figures.lag_ms)
        self.most_rss_kib = max(self.most_rss_kib, figures.rss_kib)
        self.late_us += figures.late_us


class LoadFigures:
    """A load as its record in `directory` tells of it, an entry at a time.

    `parts` and `series` are totals by name in the order in which they were first seen, `points` how it went over time.
    Of a part `live` and `asked` are those at the end; `most_live` is how many conversations were under way at once.
    `asking_ns` is how long conversations were asked for: without the grace in which those under way may end. `entries`
    is how many could be read. `latest` is what the last interval measured, for whoever looks on: with the next it may
    become that of both.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries = 0
        self.started: LoadStarted | None = None
        self.ended: LoadEnded | None = None
        self.unreadable = ""
        self.parts: dict[str, PartFigures] = {}
        self.series: dict[str, Measurement] = {}
        self.traffic = Traffic()
        self.correctness: Counter[str] = Counter()
        self.generators: dict[int, GeneratorTotal] = {}
        self.changes: list[LoadChanged] = []
        self.kept: list[ConversationKept] = []
        self.lost: list[ProcessLost] = []
        self.thresholds: list[ThresholdJudged] = []
        self.most_live = 0
        self.asking_ns = 0
        self.latest: Point | None = None
        self._causes: dict[CauseKey, Cause] = {}
        self._kept: defaultdict[tuple[str, str], list[ConversationKept]] = defaultdict(list)
        self._timeline = Timeline()
        self._last_ns = 0

    def add(self, entry: LoadRecord) -> None:
        """The next entry. Raises RecordingError for a histogram that cannot be read; then nothing of it is counted."""
        match entry:
            case LoadStarted():
                self.started = entry
            case Second():
                self._add_second(entry)
            case LoadChanged():
                self.changes.append(entry)
            case ConversationKept():
                self.kept.append(entry)
                self._kept[entry.part, entry.cause].append(entry)
            case ProcessLost():
                self.lost.append(entry)
            case ThresholdJudged():
                self.thresholds.append(entry)
            case LoadEnded():
                self.ended = entry
        self._last_ns = max(self._last_ns, entry.at_ns)
        self.entries += 1

    @property
    def planned(self) -> list[str]:
        """The names of its parts, as the plan has them, also of a load that measured nothing; else those measured."""
        parts = self.started.plan.get("parts") if self.started is not None else None
        names = [part.get("name") for part in parts or () if isinstance(part, dict)]
        return [name for name in names if isinstance(name, str)] or list(self.parts)

    # -- what was measured --------------------------------------------------------------------------------------------

    @property
    def points(self) -> list[Point]:
        """How it went, at most MOST_POINTS."""
        return self._timeline.points

    @property
    def total(self) -> PartFigures:
        """All parts together; their rates and users add up to nothing, so `asked` is 0."""
        total = PartFigures()
        for part in self.parts.values():
            live = total.live + part.live
            add_part(total, part)
            total.live, total.asked = live, 0.0
        return total

    @property
    def causes(self) -> list[Cause]:
        """Why conversations failed, the most frequent cause first."""
        for cause in self._causes.values():
            cause.kept = self._kept.get((cause.part, cause.text), [])
        return sorted(self._causes.values(), key=lambda cause: -cause.count)

    @property
    def duration_ns(self) -> int:
        """From the beginning to the end, or as far as the record tells."""
        return self._last_ns

    # -- how it ended -------------------------------------------------------------------------------------------------

    @property
    def word(self) -> Word:
        """The verdict. Numbers that do not add up are no reason to pass, or to fail."""
        if self.ended is None:
            return "unfinished"
        is_judged = self.ended.verdict in ("passed", "failed")
        return "inconclusive" if is_judged and self.doubts else self.ended.verdict

    @property
    def audit(self) -> Audit:
        """The books as the load closed them, else as far as the record's intervals tell."""
        if self.ended is not None:
            return self.ended.audit
        total, lost = self.total, sum(sum(each.live.values()) for each in self.lost)
        return Audit(total.started, total.passed, total.failed, total.interrupted, lost, total.dropped)

    @property
    def doubts(self) -> list[str]:
        """Why the numbers may not be trusted: what the load said itself, and what does not add up in its record."""
        doubts = list(self.ended.doubts) if self.ended is not None else [CUT_OFF]
        if self.unreadable:
            doubts.append(f"the record cannot be read to its end: {self.unreadable}")
        if self.ended is not None:
            told = "\n".join(doubts)
            doubts += [problem for problem in self.audit.problems if problem not in told]
            doubts += self._unequal_sums()
        return doubts

    @property
    def is_valid(self) -> bool:
        """Whether the numbers may be trusted."""
        return not self.doubts

    def _unequal_sums(self) -> list[str]:
        total, audit = self.total, self.audit
        return [
            f"the intervals of the record count {summed} {what}, and its end {said}"
            for what in ("started", "passed", "failed", "interrupted", "dropped")
            if (summed := getattr(total, what)) != (said := getattr(audit, what))
        ]

    # -- reading ------------------------------------------------------------------------------------------------------

    def _add_second(self, second: Second) -> None:
        point = self.latest = Point.of(second)
        for name, measured in point.series.items():
            if name not in self.series:
                self.series[name] = Measurement(measured.kind, Histogram())
            self.series[name].add(measured)
        self._timeline.add(point)
        for name, part in second.parts.items():
            add_part(self.parts.setdefault(name, PartFigures()), part)
        self.most_live = max(self.most_live, sum(part.live for part in second.parts.values()))
        self.asking_ns += _asking_ns(second)
        for told in second.causes:
            self._add_cause(told)
        add_traffic(self.traffic, second.traffic)
        self.correctness.update(second.correctness)
        for figures in second.generators:
            self.generators.setdefault(figures.process, GeneratorTotal(figures.process)).add(figures)

    def _add_cause(self, told: CauseFigures) -> None:
        key = (told.part, told.error, told.text)
        cause = self._causes.setdefault(key, Cause(*key))
        cause.count += told.count
        # Told once in the record, but by each process of its own.
        if told.example and not cause.example:
            cause.example, cause.conversation = told.example, told.conversation
        cause.step = cause.step or told.step


def _asking_ns(second: Second) -> int:
    """For how much of it conversations were asked for; a record of before tells that of all of it or of nothing."""
    # A load that is ended before its time 0 has an interval of less than nothing.
    whole_ns, parts = max(second.at_ns - second.from_ns, 0), second.parts.values()
    told = [part.asking_ns for part in parts if part.asking_ns is not None]
    if told:
        return min(max(told), whole_ns)
    return whole_ns if any(part.asked or part.due for part in parts) else 0


def read_figures(directory: Path) -> LoadFigures:
    """What the record in that directory tells. Raises RecordingError if there is none, or not even its first entry."""
    figures = LoadFigures(directory)
    entry: Any = None
    try:
        for entry in read_load(directory / LOAD_FILE_NAME):
            figures.add(entry)
    except RecordingError as error:
        if entry is None:
            raise
        figures.unreadable = error.text if error.place is None else f"{error.text} ({error.place})"
    if entry is None:
        raise RecordingError(
            "this record holds nothing",
            place=str(directory / LOAD_FILE_NAME),
            hint="the load ended before it had begun",
        )
    return figures

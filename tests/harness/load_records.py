"""Records of loads as a load would write them, made without one: two minutes of calls, with all that can go wrong.

What is recorded is kept beside it as plain lists, so that a test can count for itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from antiphon.journal.figures import (
    Audit,
    CauseFigures,
    ConversationKept,
    GeneratorFigures,
    LoadChanged,
    LoadEnded,
    LoadStarted,
    Measured,
    PartFigures,
    ProcessLost,
    Second,
    SeriesFigures,
    ThresholdJudged,
    Traffic,
)
from antiphon.journal.file import JournalWriter
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LOAD_FILE_NAME

SECOND_NS = 1_000_000_000
HOSTILE = "</script><script>window.harm = 1</script><!-- \u202e\x00\x1b[31m & | `"

KINDS: dict[str, Measured] = {
    "outgoing": "conversation",
    "outgoing/connect operator.desk": "connect",
    "outgoing/log_in": "step",
    "outgoing/log_in/POST /login": "http",
    "outgoing/outbound_call": "step",
    "outgoing/outbound_call/startNewOutInteraction": "ask",
    "outgoing/outbound_call/newRtc": "expect",
    "outgoing/outbound_call/newWorkitemState": "expect",
    "outgoing/hang_up": "step",
    "outgoing/hang_up/hangUp": "ask",
    "outgoing/delivery": "timer",
    "long_case": "conversation",
    "long_case/transfer": "step",
    "long_case/transfer/newTransfer": "ask",
}
CAUSES = [
    ("DeadlinePassed", "waited 5 s for newWorkitemState where state=connected; nearest: state='held'", "outbound_call"),
    ("RequestRefused", "the centre refused startNewOutInteraction: busy", "outbound_call"),
    ("ChannelClosed", f"operator.desk was closed with 1011: {HOSTILE}", "hang_up"),
]


@dataclass
class _Interval:
    parts: dict[str, PartFigures] = field(default_factory=lambda: defaultdict(PartFigures))
    durations: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    splits: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    causes: Counter[tuple[str, int]] = field(default_factory=Counter)
    traffic: Traffic = field(default_factory=Traffic)
    late_us: int = 0


class LoadBook:
    """A load of `seconds`, in which a server stalls from a half of it on for 5 s; with `write` it is on the disk.

    `durations` and `errors` are all that was measured, by series; `failures` how often each cause was. `slower` makes
    every call so many times as long. With `loses_process` one of two dies at three quarters.
    """

    def __init__(
        self,
        *,
        seconds: int = 120,
        per_s: int = 20,
        seed: int = 7,
        slower: float = 1.0,
        failing: float = 0.04,
        loses_process: bool = False,
    ) -> None:
        self.seconds = seconds
        self.per_s = per_s
        self.seed = seed
        self.loses_process = loses_process
        self.durations: dict[str, list[int]] = defaultdict(list)
        self.errors: Counter[str] = Counter()
        self.failures: Counter[tuple[str, str, str]] = Counter()
        self.totals: dict[str, PartFigures] = defaultdict(PartFigures)
        self.lost: Counter[str] = Counter()
        self.kept: list[ConversationKept] = []
        self._slower = slower
        self._failing = failing
        self._random = Random(seed)
        self._intervals = [_Interval() for _ in range(seconds + 10)]
        self._examples: set[tuple[str, int]] = set()
        for second in range(seconds):
            for place in range(per_s):
                self._call(second + place / per_s)
        for user in range(8):
            self._cases(user / 8)
        self._count_live()

    # -- what happens -------------------------------------------------------------------------------------------------

    def _call(self, due_s: float) -> None:
        """A call of an operator: connect, log in, call, hang up."""
        late_us = 12_000 if self._random.random() < 0.01 else self._random.randrange(900)
        now_us = round(due_s * 1e6) + late_us
        begun = self._at(now_us / 1e6)
        part = begun.parts["outgoing"]
        begun.late_us += late_us
        part.due += 1
        part.started += 1
        part.late += late_us > 10_000
        cause = None
        if self._random.random() < self._failing:
            cause = self._random.choices(range(3), [6, 3, 1])[0]
        now_us = self._take(now_us, "outgoing/connect operator.desk", self._about(4_000))
        now_us = self._step(now_us, "outgoing/log_in", {"POST /login": self._about(30_000)}, 900)
        waits = {
            "startNewOutInteraction": self._about(120_000),
            "newRtc": self._about(400_000),
            "newWorkitemState": 5_000_000 if cause == 0 else self._about(180_000),
        }
        now_us = self._step(now_us, "outgoing/outbound_call", waits, 22_000, fails=cause in (0, 1))
        if cause in (None, 2):
            self._take(now_us, "outgoing/delivery", self._about(2_000))
            now_us += 1_500_000
            now_us = self._step(now_us, "outgoing/hang_up", {"hangUp": self._about(9_000)}, 400, fails=cause == 2)
        self._end("outgoing", due_s, now_us, cause)

    def _cases(self, from_s: float) -> None:
        """Users who take one case after the other, which is transferred."""
        now_us = round(from_s * 1e6)
        while now_us < self.seconds * 1_000_000:
            due_s = now_us / 1e6
            begun = self._at(due_s).parts["long_case"]
            begun.due += 1
            begun.started += 1
            now_us = self._step(now_us, "long_case/transfer", {"newTransfer": self._about(800_000)}, 3_000)
            now_us += 6_000_000
            self._end("long_case", due_s, now_us, None)
            now_us += self._random.randrange(1_000_000, 3_000_000)

    def _step(self, now_us: int, name: str, waits: dict[str, int], ours_us: int, *, fails: bool = False) -> int:
        begun_us = now_us
        split: Counter[str] = Counter({"": ours_us})
        for message, took_us in waits.items():
            told_us = self._stalled(now_us, took_us)
            split[message] += told_us
            is_last = message == list(waits)[-1]
            now_us = self._take(now_us, f"{name}/{message}", took_us, fails=fails and is_last)
        now_us += ours_us
        self._record(now_us, name, now_us - begun_us, fails=fails)
        self._at(now_us / 1e6).splits[name].update(split)
        return now_us

    def _take(self, now_us: int, name: str, took_us: int, *, fails: bool = False) -> int:
        took_us = self._stalled(now_us, took_us)
        self._record(now_us + took_us, name, took_us, fails=fails)
        interval = self._at((now_us + took_us) / 1e6)
        interval.traffic.sent += 1
        interval.traffic.received += 1
        interval.traffic.sent_bytes += 180
        interval.traffic.received_bytes += 420
        return now_us + took_us

    def _stalled(self, now_us: int, took_us: int) -> int:
        """How long it takes of a server that says nothing for 5 s in the middle of the load."""
        stall_us = self.seconds * 500_000
        ends_us = now_us + took_us
        return took_us if not stall_us <= ends_us < stall_us + 5_000_000 else stall_us + 5_000_000 - now_us

    def _about(self, us: int) -> int:
        return round(self._random.lognormvariate(0, 0.35) * us * self._slower)

    def _end(self, part: str, due_s: float, now_us: int, cause: int | None) -> None:
        if self.loses_process and due_s < self._lost_at_s <= now_us / 1e6 and self._random.random() < 0.5:
            self.lost[part] += 1
            return
        figures = self._at(now_us / 1e6).parts[part]
        if now_us >= (self.seconds + 9) * 1_000_000:
            figures.interrupted += 1
            return
        self._record(now_us, part, now_us - round(due_s * 1e6), fails=cause is not None)
        if cause is None:
            figures.passed += 1
            return
        figures.failed += 1
        self._at(now_us / 1e6).causes[part, cause] += 1
        self.failures[part, CAUSES[cause][0], CAUSES[cause][1]] += 1
        if sum(kept.cause == CAUSES[cause][1] for kept in self.kept) < 3:
            self._keep(part, due_s, now_us, CAUSES[cause][1])

    @property
    def _lost_at_s(self) -> float:
        return self.seconds * 0.75

    def _keep(self, part: str, due_s: float, now_us: int, cause: str) -> None:
        number = round(due_s * self.per_s)
        self.kept.append(
            ConversationKept(
                at_ns=now_us * 1000,
                conversation=f"{part}-{number}",
                part=part,
                number=number,
                why="failed",
                directory=f"conversations/{part}-{number}",
                due_ns=round(due_s * 1e9),
                started_ns=round(due_s * 1e9),
                took_us=now_us - round(due_s * 1e6),
                parameters={"telephone": "890000002"},
                users={"operator": f"op-{number % 40}"},
                cause=cause,
            )
        )

    def _record(self, now_us: int, name: str, us: int, *, fails: bool) -> None:
        interval = self._at(now_us / 1e6)
        interval.durations[name].append(us)
        interval.errors[name] += fails
        self.durations[name].append(us)
        self.errors[name] += fails

    def _at(self, at_s: float) -> _Interval:
        return self._intervals[min(int(at_s), self.seconds + 9)]

    def _count_live(self) -> None:
        live: Counter[str] = Counter()
        for second, interval in enumerate(self._intervals):
            if self.loses_process and second == int(self._lost_at_s):
                live.subtract(self.lost)
            for name in ("outgoing", "long_case"):
                part = interval.parts[name]
                live[name] += part.started - part.passed - part.failed - part.interrupted
                part.live = live[name]
                part.asked = (self.per_s if name == "outgoing" else 8) if second < self.seconds else 0
                total = self.totals[name]
                for what in ("due", "started", "late", "passed", "failed", "interrupted", "dropped"):
                    setattr(total, what, getattr(total, what) + getattr(part, what))

    # -- the record ---------------------------------------------------------------------------------------------------

    def entries(self, **ended: Any) -> list[Any]:
        """All entries of the record; `ended` replaces what the last one says."""
        entries: list[Any] = [self._started()]
        for second in range(len(self._intervals)):
            entries.append(self._second(second))
            if second == 30:
                entries.append(
                    LoadChanged(at_ns=31 * SECOND_NS, text="outgoing raised to 20/s", asked={"outgoing": 20})
                )
            if self.loses_process and second == int(self._lost_at_s):
                fields = {"process": 1, "seen_ns": second * SECOND_NS, "live": dict(self.lost)}
                entries.append(ProcessLost(at_ns=(second + 1) * SECOND_NS, text="it was killed by SIGKILL", **fields))
        end_ns = len(self._intervals) * SECOND_NS
        entries += self.kept
        entries += [
            ThresholdJudged(at_ns=end_ns, threshold=text, has_passed=has_passed, measured=measured)
            for text, has_passed, measured in (
                ("errors < 1%", self._failing < 0.01, f"{self._failing:.1%} of the conversations failed"),
                ("outgoing/outbound_call p95 < 8s", True, "p95 was 5.120 s"),
                ("outgoing/hang_up p50 < 20ms", True, "p50 was 9.2 ms"),
            )
        ]
        return [*entries, self._ended(end_ns, ended)]

    def write(self, directory: Path, **ended: Any) -> Path:
        """Write the record; its directory."""
        return write_record(directory, self.entries(**ended))

    def _started(self) -> LoadStarted:
        parts = [
            {
                "name": "outgoing",
                "scenario": "outgoing",
                "scenario_place": "calls.py:12",
                "model": "open",
                "stages": [{"begin": self.per_s, "end": self.per_s, "duration_s": self.seconds}],
                "count": None,
                "pause_s": [0, 0],
                "parameters": {"talk_s": 1.5},
                "feeds": [{"feed": "phones.csv", "order": "circular", "column": None}],
                "place": "plan.py:7",
            },
            {
                "name": "long_case",
                "scenario": "long_case",
                "model": "closed",
                "stages": [{"begin": 8, "end": 8, "duration_s": self.seconds}],
                "pause_s": [1, 3],
                "parameters": {},
                "feeds": [],
            },
        ]
        return LoadStarted(
            at_ns=0,
            plan={"name": "busy_day", "parts": parts, "duration_s": self.seconds, "grace_s": 30, "seed": self.seed}
            | {"target": {"file": "calls.py", "users": None}, "stand": None},
            stand="local",
            seed=self.seed,
            started_at="2026-11-27T07:00:00.000Z",
            antiphon="0.1.0",
            python="3.11.7",
            machine="x86_64, Linux 6.1",
            cpus=4,
            processes=2,
        )

    def _second(self, second: int) -> Second:
        interval = self._intervals[second]
        series = {}
        for name in KINDS:
            if name in interval.durations:
                series[name] = self._figures(name, interval)
        causes = []
        for (part, cause), count in interval.causes.items():
            error, text, step = CAUSES[cause]
            is_new = (part, cause) not in self._examples
            self._examples.add((part, cause))
            example = (
                f"{error}: {text}\n  at desk.py:9\n  in the step {step}('890000002')\n  {HOSTILE}" if is_new else ""
            )
            name = next(kept.conversation for kept in self.kept if kept.cause == text) if is_new else ""
            causes.append(CauseFigures(part, error, text, count, step, example, name))
        return Second(
            at_ns=(second + 1) * SECOND_NS,
            from_ns=second * SECOND_NS,
            parts=dict(interval.parts),
            series=series,
            causes=causes,
            traffic=interval.traffic,
            correctness={"duplicate": 1} if second in (40, 41) else {},
            generators=[self._generator(process, second, interval) for process in self._processes(second)],
        )

    def _processes(self, second: int) -> list[int]:
        return [0] if self.loses_process and second >= self._lost_at_s else [0, 1]

    def _generator(self, process: int, second: int, interval: _Interval) -> GeneratorFigures:
        lag_ms = 38.5 if second == 50 and not process else 1.5 + (second * 7 + process) % 5 / 2
        cpu_s = 0.30 + (second * 13 + process * 5) % 20 / 200
        return GeneratorFigures(
            process, 4711 + process, second + 1, 1.0, cpu_s, lag_ms, 61_440 + 16 * second, interval.late_us // 2
        )

    @staticmethod
    def _figures(name: str, interval: _Interval) -> SeriesFigures:
        histogram = Histogram()
        for us in interval.durations[name]:
            histogram.record(us)
        return SeriesFigures(
            KINDS[name],
            histogram.count,
            histogram.min_us,
            histogram.max_us,
            histogram.sum_us,
            histogram.to_blob(),
            interval.errors[name],
            dict(interval.splits.get(name, {})),
        )

    def _ended(self, end_ns: int, ended: dict[str, Any]) -> LoadEnded:
        names = ("started", "passed", "failed", "interrupted")
        sums = [sum(getattr(part, name) for part in self.totals.values()) for name in names]
        lost = sum(self.lost.values())
        doubts = [f"process 1 was lost with {lost} conversations under way"] if lost else []
        verdict = "inconclusive" if doubts else "failed" if self._failing >= 0.01 else "passed"
        return LoadEnded(at_ns=end_ns, **{"verdict": verdict, "doubts": doubts, "audit": Audit(*sums, lost)} | ended)


def write_record(directory: Path, entries: list[Any]) -> Path:
    """Write these entries as a load's record; its directory."""
    directory.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(directory / LOAD_FILE_NAME)
    for entry in entries:
        writer(entry)
    writer.close()
    return directory

"""`summary.json`: a load in numbers, for machines; and what the texts and the page of it are made of.

The shape has a version, `schema`, and a JSON Schema, `summary.schema.json` beside this module. Fields may be added
within a version; whatever changes what is there makes another one. Durations of what was measured are milliseconds,
exact to a microsecond in least, greatest and mean, and to a thousandth of themselves in percentiles.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from antiphon.journal.figures import ConversationKept, Measured, PartFigures, ProcessLost, ThresholdJudged
from antiphon.report.load.compare import Comparison
from antiphon.report.load.figures import Cause, GeneratorTotal, LoadFigures, Word
from antiphon.report.load.timeline import Measurement

__all__ = [
    "SCHEMA_NAME",
    "SUMMARY_NAME",
    "CauseSummary",
    "Conversations",
    "LoadSummary",
    "SeriesSummary",
    "json_schema",
    "summarised",
    "summary_json",
]

SUMMARY_NAME: Final = "summary.json"
SCHEMA_NAME: Final = "summary.schema.json"
_SCHEMA_ADDRESS: Final = "https://json-schema.org/draft/2020-12/schema"

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0, 99.9)

Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1, description="from 0 to 1")]
PerSecond = Annotated[float, Meta(ge=0)]
Milliseconds = Annotated[float, Meta(ge=0)]


class Conversations(Struct):
    """Conversations of a part, or of all: how many were due, and what came of them.

    Rates are those of the time in which conversations were asked for; `late` began more than 50 ms after they were due,
    `dropped` were due and never begun, `lost` were under way in a process that died, `most_live` were under way at
    once. `asked` is what was asked for last while something was: conversations a second, or users.
    """

    due: Count
    started: Count
    passed: Count
    failed: Count
    interrupted: Count
    lost: Count
    dropped: Count
    late: Count
    due_per_s: PerSecond
    started_per_s: PerSecond
    failed_share: Annotated[Share, Meta(description="failed of passed and failed")]
    most_live: Count | None = None
    asked: float | None = None


class SeriesSummary(Struct):
    """What was measured of one thing: a whole conversation from when it was due, a step, or something in it.

    `count` has those that failed, which are `errors`. `split_ms` is for a step how its mean divides over what was
    awaited in it, by name, "" for what was no wait.
    """

    name: Annotated[str, Meta(description="part, part/step or part/step/message")]
    kind: Measured
    count: Count
    errors: Count
    error_share: Share
    per_s: PerSecond
    min_ms: Milliseconds
    mean_ms: Milliseconds
    p50_ms: Milliseconds
    p90_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds
    p999_ms: Milliseconds
    max_ms: Milliseconds
    split_ms: dict[str, Milliseconds]


class KeptSummary(Struct):
    """A conversation that was kept whole, in `directory`, relative to the load's."""

    conversation: str
    part: str
    number: Count
    why: str
    directory: str
    due_s: float
    took_ms: Milliseconds


class CauseSummary(Struct):
    """All failures of one kind; `example` is the whole text of the first, `share` that of all failures."""

    part: str
    error: str
    text: Annotated[str, Meta(description="without ids and times")]
    step: str
    count: Count
    share: Share
    example: str
    conversation: str
    kept: list[KeptSummary]


class ThresholdSummary(Struct):
    """What had to hold, whether it did, and what was measured, as a sentence."""

    threshold: str
    has_passed: bool
    measured: str
    ended_the_load: bool


class TrafficSummary(Struct):
    """Messages and their bytes, each way."""

    sent: Count
    received: Count
    sent_bytes: Count
    received_bytes: Count


class GeneratorSummary(Struct):
    """How a process of the generator did. `cpu_share` is of one core, `busiest_share` the highest of an interval."""

    process: Count
    pid: int
    cpu_s: float
    cpu_share: float
    busiest_share: float
    most_lag_ms: Milliseconds
    most_rss_kib: Count
    late_ms: Annotated[Milliseconds, Meta(description="the sum by which conversations began after they were due")]


class LostProcess(Struct):
    """A process of the generator that died; what it did after `seen_s` is not known."""

    process: int
    seen_s: float
    at_s: float
    live: dict[str, int]
    text: str


class TimeSummary(Struct):
    """Where the time of all conversations together went: they began late, our CPU worked, and the rest.

    The rest is the system's, and what scenarios wait on purpose.
    """

    conversations_s: float
    late_s: float
    cpu_s: float
    rest_s: float


class Change(Struct):
    """Somebody changed the load while it ran."""

    at_s: float
    text: str


class LoadSummary(Struct, kw_only=True):
    """A load in numbers, as antiphon writes it into summary.json."""

    schema: Literal[1]
    name: Annotated[str, Meta(description="of the plan, else of its parts")]
    verdict: Annotated[Word, Meta(description='"unfinished" is that the record has no end')]
    is_valid: Annotated[bool, Meta(description="whether the numbers may be trusted")]
    doubts: Annotated[list[str], Meta(description="why they may not be")]
    error: Annotated[str, Meta(description="what ended the load, if that was no verdict")]
    stand: str
    seed: int
    shard: str
    started_at: Annotated[str, Meta(description="ISO 8601, UTC; empty if the record does not tell")]
    duration_s: float
    asking_s: Annotated[float, Meta(description="how long conversations were asked for")]
    antiphon: str
    python: str
    machine: str
    cpus: Count
    processes: Count
    plan: dict[str, Any]
    conversations: Conversations
    parts: dict[str, Conversations]
    series: list[SeriesSummary]
    causes: Annotated[list[CauseSummary], Meta(description="the most frequent first")]
    thresholds: list[ThresholdSummary]
    correctness: Annotated[dict[str, Count], Meta(description="what was wrong with messages although nobody waited")]
    traffic: TrafficSummary
    generators: list[GeneratorSummary]
    lost_processes: list[LostProcess]
    time: TimeSummary
    changes: list[Change]
    kept: list[KeptSummary]
    baseline: Comparison | None = None

    @property
    def crossed(self) -> list[ThresholdSummary]:
        """The thresholds that did not hold."""
        return [threshold for threshold in self.thresholds if not threshold.has_passed]


def summarised(figures: LoadFigures, baseline: Comparison | None = None) -> LoadSummary:
    """The numbers of a load; `baseline` is how it compares with an earlier one."""
    started = figures.started
    duration_s = figures.duration_ns / 1e9
    return LoadSummary(
        schema=1,
        name=load_name(figures),
        verdict=figures.word,
        is_valid=figures.is_valid,
        doubts=figures.doubts,
        error=figures.ended.error if figures.ended is not None else "",
        stand=started.stand if started is not None else "",
        seed=started.seed if started is not None else 0,
        shard=started.shard if started is not None else "",
        started_at=started.started_at if started is not None else "",
        duration_s=duration_s,
        asking_s=figures.asking_ns / 1e9,
        antiphon=started.antiphon if started is not None else "",
        python=started.python if started is not None else "",
        machine=started.machine if started is not None else "",
        cpus=started.cpus if started is not None else 0,
        processes=started.processes if started is not None else 0,
        plan=started.plan if started is not None else {},
        conversations=_all_conversations(figures),
        parts={name: _conversations(figures, name, part) for name, part in figures.parts.items()},
        series=[_series(name, figures.series[name], duration_s) for name in in_order(figures)],
        causes=_causes(figures.causes),
        thresholds=[_threshold(judged) for judged in figures.thresholds],
        correctness=dict(figures.correctness),
        traffic=TrafficSummary(*msgspec.structs.astuple(figures.traffic)),
        generators=[_generator(total) for _, total in sorted(figures.generators.items())],
        lost_processes=[_lost(lost) for lost in figures.lost],
        time=_time(figures),
        changes=[Change(change.at_ns / 1e9, change.text) for change in figures.changes],
        kept=[_kept(kept) for kept in figures.kept],
        baseline=baseline,
    )


def load_name(figures: LoadFigures) -> str:
    """What the plan is called, else its parts; "load" for one that did not come to say them."""
    plan = figures.started.plan if figures.started is not None else {}
    name = plan.get("name")
    return name if isinstance(name, str) and name else ", ".join(figures.planned) or "load"


def in_order(figures: LoadFigures) -> list[str]:
    """The names of the series as they are shown: each part, its steps as they first came, what is in each below it."""
    names = list(figures.series)
    parts = {name: place for place, name in enumerate(figures.parts)}
    steps: dict[str, int] = {}
    for name in names:
        steps.setdefault(_step_of(name), len(steps))

    def place(name: str) -> tuple[int, bool, int, bool, int]:
        part, is_in_part, _ = name.partition("/")
        step = _step_of(name)
        return parts.get(part, len(parts)), bool(is_in_part), steps[step], name != step, names.index(name)

    return sorted(names, key=place)


def summary_json(summary: LoadSummary) -> bytes:
    """The summary as an indented JSON document."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `summary.json`, as it is published."""
    published: dict[str, Any] = msgspec.json.decode(files(__package__).joinpath(SCHEMA_NAME).read_bytes())
    return published


def made_schema() -> dict[str, Any]:
    """The same, made of the types here: what is published must be equal to it."""
    ref, components = msgspec.json.schema_components([LoadSummary], ref_template="#/$defs/{name}")
    head = {"$schema": _SCHEMA_ADDRESS, "title": "The summary of a load, by antiphon"}
    made: dict[str, Any] = _tidied(head | ref[0] | {"$defs": components})
    return made


def _tidied(value: Any) -> Any:
    """Descriptions without the indentation of docstrings, which CPython itself leaves out from 3.13 on."""
    if isinstance(value, dict):
        return {
            name: inspect.cleandoc(each) if name == "description" and isinstance(each, str) else _tidied(each)
            for name, each in value.items()
        }
    return [_tidied(each) for each in value] if isinstance(value, list) else value


def _step_of(name: str) -> str:
    return "/".join(name.split("/", 2)[:2])


def _all_conversations(figures: LoadFigures) -> Conversations:
    told = _conversations(figures, None, figures.total)
    told.lost, told.most_live, told.asked = figures.audit.lost, figures.most_live, None
    return told


def _conversations(figures: LoadFigures, name: str | None, part: PartFigures) -> Conversations:
    asking_s = figures.asking_ns / 1e9
    ended = part.passed + part.failed
    asked = [point.parts[name].asked for point in figures.points if name in point.parts and point.parts[name].asked]
    return Conversations(
        due=part.due,
        started=part.started,
        passed=part.passed,
        failed=part.failed,
        interrupted=part.interrupted,
        lost=sum(lost.live.get(name, 0) for lost in figures.lost) if name is not None else 0,
        dropped=part.dropped,
        late=part.late,
        due_per_s=part.due / asking_s if asking_s else 0.0,
        started_per_s=part.started / asking_s if asking_s else 0.0,
        failed_share=part.failed / ended if ended else 0.0,
        asked=asked[-1] if asked else None,
    )


def _series(name: str, measured: Measurement, duration_s: float) -> SeriesSummary:
    histogram, count = measured.histogram, measured.histogram.count
    p50, p90, p95, p99, p999 = (
        # A counter is told by the greatest value that it stands for, and the longest is known exactly.
        min(us, histogram.max_us) / 1000
        for us in histogram.percentiles(PERCENTILES)
    )
    return SeriesSummary(
        name,
        measured.kind,
        count,
        measured.errors,
        measured.errors / count if count else 0.0,
        count / duration_s if duration_s else 0.0,
        histogram.min_us / 1000,
        histogram.sum_us / count / 1000 if count else 0.0,
        p50,
        p90,
        p95,
        p99,
        p999,
        histogram.max_us / 1000,
        {what: us / count / 1000 for what, us in measured.split_us.items() if count},
    )


def _causes(causes: Sequence[Cause]) -> list[CauseSummary]:
    failures = sum(cause.count for cause in causes)
    return [
        CauseSummary(
            part=cause.part,
            error=cause.error,
            text=cause.text,
            step=cause.step,
            count=cause.count,
            share=cause.count / failures if failures else 0.0,
            example=cause.example,
            conversation=cause.conversation,
            kept=[_kept(kept) for kept in cause.kept],
        )
        for cause in causes
    ]


def _kept(kept: ConversationKept) -> KeptSummary:
    return KeptSummary(
        kept.conversation, kept.part, kept.number, kept.why, kept.directory, kept.due_ns / 1e9, kept.took_us / 1000
    )


def _threshold(judged: ThresholdJudged) -> ThresholdSummary:
    return ThresholdSummary(judged.threshold, judged.has_passed, judged.measured, judged.ended_the_load)


def _generator(total: GeneratorTotal) -> GeneratorSummary:
    return GeneratorSummary(
        total.process,
        total.pid,
        total.cpu_s,
        total.cpu_s / total.wall_s if total.wall_s else 0.0,
        total.busiest,
        total.most_lag_ms,
        total.most_rss_kib,
        total.late_us / 1000,
    )


def _lost(lost: ProcessLost) -> LostProcess:
    return LostProcess(lost.process, lost.seen_ns / 1e9, lost.at_ns / 1e9, lost.live, lost.text)


def _time(figures: LoadFigures) -> TimeSummary:
    whole = [each.histogram.sum_us for each in figures.series.values() if each.kind == "conversation"]
    conversations_s = sum(whole) / 1e6
    late_s = sum(total.late_us for total in figures.generators.values()) / 1e6
    cpu_s = sum(total.cpu_s for total in figures.generators.values())
    return TimeSummary(conversations_s, late_s, cpu_s, max(conversations_s - late_s - cpu_s, 0.0))

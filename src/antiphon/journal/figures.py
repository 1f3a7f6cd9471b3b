"""What can stand in the record of a load: what was asked for, what was measured each second, and how it ended.

A load's record is a file of its own, `load.jsonl`, beside the journals of the conversations that were kept whole. All
reports of a load are made of it, so whoever makes them need not know how a load is driven. Times are nanoseconds since
the load began, durations microseconds.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from antiphon.journal.entries import Entry

__all__ = [
    "Audit",
    "CauseFigures",
    "ConversationKept",
    "GeneratorFigures",
    "LoadChanged",
    "LoadEnded",
    "LoadStarted",
    "LoadVerdict",
    "Measured",
    "PartFigures",
    "ProcessLost",
    "Second",
    "SeriesFigures",
    "ThresholdJudged",
    "Traffic",
    "WhyKept",
]

Measured = Literal["conversation", "step", "ask", "expect", "http", "connect", "timer"]
"""What is timed: a whole conversation from when it was due, an action, a request until its (last) reply, a wait until
its message came, a request over HTTP, the opening of a channel, what the author times."""

LoadVerdict = Literal["passed", "failed", "inconclusive", "interrupted"]
"""How a load ended: "failed" is that a threshold was crossed, "inconclusive" that its numbers may not be trusted."""

WhyKept = Literal["failed", "slowest", "sample", "held"]


class LoadStarted(Entry, tag="load-started", omit_defaults=False):
    """The first entry: what is asked for, of which stand, by which processes of which machine.

    `plan` is the plan as data (see `antiphon.load.plan`), `started_at` the wall-clock time of zero, `shard` "2/8" for
    the second of eight that divide a plan.
    """

    plan: dict[str, Any]
    stand: str
    seed: int
    started_at: str
    antiphon: str
    python: str
    machine: str
    cpus: int
    processes: int
    shard: str = ""


class SeriesFigures(msgspec.Struct, omit_defaults=True):
    """What was measured of one thing in an interval; its name is `part`, `part/step` or `part/step/message`.

    `count` has those that failed in it, which are `errors`; `blob` is the histogram of all of them
    (`antiphon.journal.histogram`), beside the exact least, most and sum. `split` is, for a step, how the sum divides
    over what was awaited in it: by the message's name, and "" for what was no wait.
    """

    kind: Measured
    count: int
    min_us: int
    max_us: int
    sum_us: int
    blob: str
    errors: int = 0
    split: dict[str, int] = msgspec.field(default_factory=dict)


class PartFigures(msgspec.Struct, omit_defaults=True):
    """The conversations of a part in an interval.

    `due` were to begin in it and `started` did, `late` of those more than 50 ms after they were due; `passed`, `failed`
    and `interrupted` (by the load's own end) have ended in it; `live` are under way at its end. `asked` is what was
    asked for at its end: conversations a second in an open model, users in a closed one. `dropped` were due and were
    not begun, since there was no user for them or the load ended. `outlasting` are those of the interrupted that had
    gone on for longer than any of the part that has ended. `asking_ns` is for how long of the interval something was
    asked for, None in a record of before.
    """

    asked: float = 0.0
    due: int = 0
    started: int = 0
    late: int = 0
    passed: int = 0
    failed: int = 0
    interrupted: int = 0
    dropped: int = 0
    live: int = 0
    outlasting: int = 0
    asking_ns: int | None = None


class CauseFigures(msgspec.Struct, omit_defaults=True):
    """So many failures of one kind in an interval: the same part, error class and text without ids and times.

    `step` is the action in which it failed. `example` is the whole text of the first one, secrets masked, and
    `conversation` its name; both "" where they have been told already.
    """

    part: str
    error: str
    text: str
    count: int
    step: str = ""
    example: str = ""
    conversation: str = ""


class Traffic(msgspec.Struct, omit_defaults=True):
    """Messages and their raw bytes, each way."""

    sent: int = 0
    received: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class GeneratorFigures(msgspec.Struct, omit_defaults=True):
    """How a process of the generator did in an interval: `seq` counts its intervals from 1.

    `cpu_s` is its CPU time in it, `wall_s` how long it was, `lag_ms` the longest that its event loop was late,
    `late_us` the sum by which conversations began after they were due.
    """

    process: int
    pid: int
    seq: int
    wall_s: float
    cpu_s: float
    lag_ms: float
    rss_kib: int
    late_us: int = 0


class Second(Entry, tag="second"):
    """What all processes measured from `from_ns` on until `at_ns`, mostly a second.

    `correctness` counts what is wrong with messages although no deadline passed: "duplicate", "stale", "forbidden",
    "foreign" (somebody else's), "left over".
    """

    from_ns: int
    parts: dict[str, PartFigures] = msgspec.field(default_factory=dict)
    series: dict[str, SeriesFigures] = msgspec.field(default_factory=dict)
    causes: list[CauseFigures] = msgspec.field(default_factory=list)
    traffic: Traffic = msgspec.field(default_factory=Traffic)
    correctness: dict[str, int] = msgspec.field(default_factory=dict)
    generators: list[GeneratorFigures] = msgspec.field(default_factory=list)


class LoadChanged(Entry, tag="load-changed"):
    """Somebody changed the load while it ran: `asked` is what each part is to have from now on."""

    text: str
    asked: dict[str, float] = msgspec.field(default_factory=dict)


class ConversationKept(Entry, tag="conversation-kept"):
    """A conversation's own journal was written: in `directory`, relative to the load's.

    `number` counts the part's conversations from 0, over all processes and shards; with the part, the plan and the seed
    it says which parameters it had. `users` are those that its actors had, by the actor's name.
    """

    conversation: str
    part: str
    number: int
    why: WhyKept
    directory: str
    due_ns: int
    started_ns: int
    took_us: int
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    users: dict[str, str] = msgspec.field(default_factory=dict)
    cause: str = ""


class ProcessLost(Entry, tag="process-lost"):
    """A process of the generator died: what it measured since its last snapshot, at `seen_ns`, is not known.

    `live` conversations were under way there then; `text` says how it ended.
    """

    process: int
    seen_ns: int
    live: dict[str, int]
    text: str


class ThresholdJudged(Entry, tag="threshold"):
    """What had to hold, and whether it did. `measured` says what was measured, as a sentence."""

    threshold: str
    has_passed: bool
    measured: str
    ended_the_load: bool = False


class Audit(msgspec.Struct, omit_defaults=True):
    """Whether the books agree: started = passed + failed + interrupted + lost, and `problems` says what does not."""

    started: int = 0
    passed: int = 0
    failed: int = 0
    interrupted: int = 0
    lost: int = 0
    dropped: int = 0
    problems: list[str] = msgspec.field(default_factory=list)


class LoadEnded(Entry, tag="load-ended", omit_defaults=False):
    """The last entry. `doubts` say why the numbers may not be trusted; none is that they may."""

    verdict: LoadVerdict
    doubts: list[str]
    audit: Audit
    error: str = ""

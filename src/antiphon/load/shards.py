"""Shards of one load, each performed and recorded by itself on some machine: whether they belong together, and what all
of them measured, put side by side by the wall clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal.figures import ConversationKept, LoadChanged, LoadStarted, ProcessLost, Second
from antiphon.journal.load_file import LOAD_FILE_NAME, LoadRecord
from antiphon.load.merging import beside, standing
from antiphon.load.shares import Share
from antiphon.report.load.figures import LoadFigures

__all__ = ["APART_NS", "SKEW_S", "Shard", "differing", "doubts_of", "require_one_load", "side_by_side", "started_of"]

SKEW_S: Final = 1.0
"""Shards that begin so much later than the first were no load together, as the plan has it."""

APART_NS: Final = 500_000_000
"""Each shard is asked every second what it measured; what two measured less than half of that apart is side by side."""

_FRESH_NS: Final = 5_000_000_000
"""A load writes every second: one that has no end, and wrote so lately, is under way."""


class Shard:
    """A shard as its record tells of it. The entries are read once, and may be cut off: `unreadable` says why.

    Raises RecordingError if they do not begin as a load's, ScenarioError if it is no shard.
    """

    def __init__(self, directory: Path, entries: Iterable[LoadRecord]) -> None:
        self.directory = directory
        self.figures = LoadFigures(directory)
        self.last: Second | None = None
        try:
            for entry in entries:
                self.figures.add(entry)
                if isinstance(entry, Second):
                    self.last = entry
        except RecordingError as error:
            if self.figures.started is None:
                raise
            self.figures.unreadable = str(error)
        if self.figures.started is None:
            file = directory / LOAD_FILE_NAME
            raise RecordingError("this is no record of a load", place=str(file), hint="it does not say what began")
        self.started: LoadStarted = self.figures.started
        if not self.started.shard:
            raise ScenarioError(
                "this load was performed whole, and not as a shard",
                place=str(directory),
                hint="shards are made by antiphon load … --shard 1/2, and --shard 2/2 elsewhere",
            )
        self.share = Share.parse(self.started.shard)
        self.began_ns = round(datetime.fromisoformat(self.started.started_at).timestamp() * 1000) * 1_000_000
        """The wall clock at its time 0, in nanoseconds since the epoch: exact to the millisecond."""

    @property
    def name(self) -> str:
        """How it is called in a sentence."""
        return f"shard {self.share}"

    @property
    def is_cut_off(self) -> bool:
        """Whether it was killed, or is still under way, or its copy is not whole."""
        return self.figures.ended is None

    def is_under_way(self, now_ns: int) -> bool:
        """Whether it has not ended yet, as far as one can tell; `now_ns` is the wall clock."""
        return self.is_cut_off and now_ns - (self.began_ns + self.figures.duration_ns) < _FRESH_NS

    @property
    def processes(self) -> int:
        """How many numbers its processes need: one that is lost keeps its own."""
        return max(self.started.processes, *(process + 1 for process in self.figures.generators), 1)

    @property
    def loss(self) -> ProcessLost | None:
        """What is lost with it if it was cut off: its conversations that were under way then."""
        if not self.is_cut_off:
            return None
        seen_ns = self.last.at_ns if self.last is not None else 0
        parts = self.last.parts if self.last is not None else {}
        return ProcessLost(
            at_ns=self.figures.duration_ns,
            process=0,
            seen_ns=seen_ns,
            live={name: part.live for name, part in parts.items() if part.live},
            text=f"the record of {self.name} has no end: it was killed, or its copy is not whole",
        )


# -- whether they belong together -------------------------------------------------------------------------------------


def require_one_load(shards: Sequence[Shard], now_ns: int) -> None:
    """Raises ScenarioError if they are not shards of one load, each of them once, that is over.

    A sum of anything else would tell of a load that nobody performed.
    """
    if not shards:
        raise ScenarioError("which shards are meant?", hint="antiphon merge SHARD…, the directories of all of them")
    first = shards[0]
    there: dict[int, Shard] = {}
    for shard in shards:
        place = str(shard.directory)
        if shard.is_under_way(now_ns):
            raise ScenarioError(
                f"{shard.name} is still under way, or was killed a moment ago",
                place=place,
                hint="wait until it has ended",
            )
        if shard.share.of != first.share.of:
            text = f"this is {shard.name}, and {first.directory} is {first.name}"
            raise ScenarioError(text, place=place, hint="merge the shards of one division")
        if shard.share.index in there:
            hint = f"{there[shard.share.index].directory} is it too: leave out one of them"
            raise ScenarioError(f"{shard.name} is there twice", place=place, hint=hint)
        there[shard.share.index] = shard
        if shard.started.stand != first.started.stand:
            text = f"{shard.name} loaded the stand {shard.started.stand!r}, and {first.name} {first.started.stand!r}"
            raise ScenarioError(text, place=place, hint="two systems are two loads")
        if differs := differing(shard.started.plan, first.started.plan):
            raise ScenarioError(
                f"{shard.name} is of another plan than {first.name}: its {differs}",
                place=place,
                hint="give all shards the same file, the same parameters and the same options, but for --shard",
            )


def differing(plan: dict[str, Any], other: dict[str, Any]) -> str:
    """What is asked for otherwise, as `rate is …`; "" for nothing. Where it was written, and who draws, is no plan."""
    one, two = _bare(plan), _bare(other)
    for name in {**one, **two}:
        if one.get(name) != two.get(name):
            return f"{name} is {shorten(one.get(name), 200)}, not {shorten(two.get(name), 200)}"
    return ""


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(each) for name, each in value.items() if name not in _NO_PLAN}
    return [_bare(each) for each in value] if isinstance(value, list) else value


_NO_PLAN: Final = frozenset({"place", "scenario_place", "share", "seed", "thresholds"})
"""Machines have their files where they like. A seed is doubted below; thresholds are all judged of the whole."""


def doubts_of(shards: Sequence[Shard]) -> list[str]:
    """Why what they are together is not quite the load that was asked for, or is not known to be."""
    doubts = _missing(shards)
    first_ns = min(shard.began_ns for shard in shards)
    for shard in shards:
        late_s = (shard.began_ns - first_ns) / 1e9
        if late_s >= SKEW_S:
            doubts.append(f"{shard.name} began {late_s:.1f} s after the first: give all of them the same --start-at")
        ended = shard.figures.ended
        if shard.figures.unreadable:
            doubts.append(f"{shard.name} cannot be read to its end: {shard.figures.unreadable}")
        if ended is None:
            continue
        if ended.verdict == "interrupted":
            doubts.append(f"{shard.name} was interrupted" + (f": {ended.error}" if ended.error else ""))
        doubts += [f"{shard.name} was ended by its threshold {each}" for each in _ended_by(shard)]
        doubts += [f"{shard.name}: {doubt}" for doubt in shard.figures.doubts]
    if len({shard.started.seed for shard in shards}) > 1 and _is_drawn(shards[0].started.plan):
        doubts.append("each shard drew by chance for itself, for they have different seeds: give all the same --seed")
    versions = Counter(shard.started.antiphon for shard in shards)
    if len(versions) > 1:
        doubts.append(f"the shards were measured by different versions of antiphon: {', '.join(sorted(versions))}")
    return doubts


def _missing(shards: Sequence[Shard]) -> list[str]:
    of = shards[0].share.of
    missing = [str(index + 1) for index in sorted({*range(of)} - {shard.share.index for shard in shards})]
    if not missing:
        return []
    if len(missing) == 1:
        return [f"shard {missing[0]} of {of} is missing"]
    return [f"shards {', '.join(missing[:-1])} and {missing[-1]} of {of} are missing"]


def _is_drawn(plan: Any) -> bool:
    """Whether a plan has anything that goes by chance: when conversations begin, pauses, which values they get."""
    if isinstance(plan, dict):
        least_s, most_s = plan.get("pause_s") or (0, 0)
        says_so = plan.get("arrivals") == "poisson" or plan.get("order") == "random" or least_s != most_s
        return says_so or any(map(_is_drawn, plan.values()))
    return isinstance(plan, list) and any(map(_is_drawn, plan))


def _ended_by(shard: Shard) -> list[str]:
    return [each.threshold for each in shard.figures.thresholds if each.ended_the_load]


# -- as one load ------------------------------------------------------------------------------------------------------


def started_of(shards: Sequence[Shard], thresholds: Sequence[str]) -> LoadStarted:
    """The first entry of what they are together; `thresholds` are those that it is judged by."""
    first = min(shards, key=lambda shard: shard.began_ns).started

    def all_of(name: str) -> str:
        return "; ".join(dict.fromkeys(getattr(shard.started, name) for shard in shards))

    return msgspec.structs.replace(
        first,
        plan={**first.plan, "share": "1/1", "thresholds": list(thresholds)},
        antiphon=all_of("antiphon"),
        python=all_of("python"),
        machine=all_of("machine"),
        cpus=sum(shard.started.cpus for shard in shards),
        processes=sum(shard.processes for shard in shards),
        shard="",
    )


def side_by_side(shards: Sequence[Shard], records: Sequence[Iterable[LoadRecord]]) -> Iterator[LoadRecord]:
    """What all of them measured, changed, kept and lost, in the order of time; `records` are their entries once more.

    Nothing of it is counted twice or left out: each interval of each shard is in exactly one of the intervals given,
    which follow each other without gaps. Processes are numbered through, shard by shard.
    """
    first_ns = min(shard.began_ns for shard in shards)
    rows, process = [], 0
    for shard, entries in zip(shards, records, strict=True):
        rows.append(_Row(_placed(shard, entries, shard.began_ns - first_ns, process)))
        process += shard.processes
    until_ns, reached_ns = None, 0
    while heads := [row.head for row in rows if row.head is not None]:
        at_ns = min(head.at_ns for head in heads)
        taken = [row.take() for row in rows if row.head is not None and row.head.at_ns < at_ns + APART_NS]
        for row in rows:
            yield from row.take_others()
        # Who has not been asked at that time is as it was before.
        standing = [row.standing(at_ns) for row in rows if row.head is not None and row.latest not in taken]
        second = beside([*taken, *filter(None, standing)])
        reached_ns = max(reached_ns, second.at_ns)
        if all(row.head is None for row in rows):
            at_ns = reached_ns
        begun_ns = second.from_ns if until_ns is None else until_ns
        until_ns = max(at_ns, begun_ns)
        yield msgspec.structs.replace(second, from_ns=begun_ns, at_ns=until_ns)
    for row in rows:
        yield from row.take_others()


class _Row:
    """The entries of a shard: `head` is the interval that comes next, None behind the last; `latest` the one before."""

    def __init__(self, entries: Iterator[LoadRecord]) -> None:
        self.head: Second | None = None
        self.latest: Second | None = None
        self._entries = entries
        self._others: list[LoadRecord] = []
        self._coming: list[LoadRecord] = []
        self._advance()

    def take(self) -> Second:
        """The next interval; what was recorded before it can be taken then."""
        taken = self.latest = self.head
        assert taken is not None
        self._others += self._coming
        self._advance()
        return taken

    def take_others(self) -> list[LoadRecord]:
        """What else was recorded until then."""
        others, self._others = self._others, []
        return others

    def standing(self, at_ns: int) -> Second | None:
        """What is still so at that moment of what was so at the end of the latest interval; None before the first."""
        return standing(self.latest, at_ns) if self.latest is not None else None

    def _advance(self) -> None:
        self.head, self._coming = None, []
        for entry in self._entries:
            if isinstance(entry, Second):
                self.head = entry
                return
            self._coming.append(entry)
        self._others += self._coming


def _placed(shard: Shard, entries: Iterable[LoadRecord], later_ns: int, process: int) -> Iterator[LoadRecord]:
    """A shard's entries that are the whole's as well, by the whole's clock and with its numbers of processes."""
    replace = msgspec.structs.replace
    for entry in _readable(entries):
        at_ns = entry.at_ns + later_ns
        match entry:
            case Second():
                generators = [replace(each, process=each.process + process) for each in entry.generators]
                yield replace(entry, at_ns=at_ns, from_ns=entry.from_ns + later_ns, generators=generators)
            case LoadChanged():
                yield replace(entry, at_ns=at_ns, text=f"{shard.name}: {entry.text}")
            case ConversationKept():
                due_ns, started_ns = entry.due_ns + later_ns, entry.started_ns + later_ns
                yield replace(entry, at_ns=at_ns, due_ns=due_ns, started_ns=started_ns)
            case ProcessLost():
                yield replace(entry, at_ns=at_ns, process=entry.process + process, seen_ns=entry.seen_ns + later_ns)
            case _:
                pass  # how it began and ended, and what held of it alone, is said anew of the whole
    if (loss := shard.loss) is not None:
        yield replace(loss, at_ns=loss.at_ns + later_ns, process=process, seen_ns=loss.seen_ns + later_ns)


def _readable(entries: Iterable[LoadRecord]) -> Iterator[LoadRecord]:
    """As far as they can be read; that it is not all has been told."""
    try:
        yield from entries
    except RecordingError:
        return

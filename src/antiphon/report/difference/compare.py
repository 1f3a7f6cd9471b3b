"""Compares two runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from statistics import median
from typing import Any, Final, Literal

import msgspec

from antiphon.conversation.wording import shorten, visible
from antiphon.report.difference.alignment import aligned, moved
from antiphon.report.difference.correlation import Correlation
from antiphon.report.difference.extract import Place, Spoken, Utterance
from antiphon.report.difference.fields import body_of, flat, path_of, type_name
from antiphon.report.difference.variable import Renaming, are_made_up, as_id, ids_in, is_time, may_be_made_up

__all__ = ["Difference", "FieldChange", "MessageChange", "TimingChange", "compare"]

MOVED_BY: Final = 1.5
MOVED_BY_MS: Final = 50.0
"""A timing has moved if its median is by that factor more or less than before, and by that many milliseconds."""

NEARLY_ALL: Final = 0.9
FEWEST: Final = 5
"""Values that differ in nearly all of so many pairs or more, and nearly always in each run too, are variable."""

EXAMPLE_LENGTH: Final = 60

MOST_LOOKED_AT: Final = 1_000_000
"""So often at most is looked whether a message passed one that it belongs to; beyond that each that moved has."""

Pair = tuple[Utterance, Utterance]

Kind = Literal["added", "removed", "type", "value", "id"]


class MessageChange(msgspec.Struct, frozen=True):
    """Messages of one name that are "new", "missing" or "reordered" in a place; the first is the `number`th there."""

    kind: Literal["new", "missing", "reordered"]
    actor: str
    channel: str
    direction: str
    name: str
    count: int
    number: int
    at_s: float


class FieldChange(msgspec.Struct, frozen=True):
    """A field of a message that was "added", "removed", or has another "type", "value" or "id".

    It is so in `count` of the `of` pairs of messages; `before` and `after` are one of them. "id" is an id that
    corresponds to another one elsewhere: the message speaks of something else.
    """

    kind: Kind
    direction: str
    name: str
    path: str
    before: str
    after: str
    count: int
    of: int


class TimingChange(msgspec.Struct, frozen=True):
    """What took longer or shorter: medians in milliseconds, and of how many."""

    what: str
    before_ms: float
    after_ms: float
    before_count: int
    after_count: int


class Difference(msgspec.Struct, frozen=True):
    """What differs between two runs, `before` and `after` being their verdicts.

    `variable` are the fields whose differences are those of any two runs, with how many they were, and `renamed` is how
    many ids were found as others. The scenarios with their parameters are told, and are no difference by themselves.
    """

    before: str
    after: str
    before_call: str
    after_call: str
    compared: int
    messages: list[MessageChange]
    fields: list[FieldChange]
    timings: list[TimingChange]
    variable: dict[str, int]
    renamed: int

    @property
    def is_same(self) -> bool:
        return self.before == self.after and not (self.messages or self.fields or self.timings)


def compare(
    before: Iterable[Any], after: Iterable[Any], *, ignored: Collection[str] = (), has_timings: bool = True
) -> Difference:
    """What is different in the entries of the second run. Messages with an `ignored` name are left out of both."""
    first, second = Spoken(before), Spoken(after)
    messages: list[MessageChange] = []
    fields = _Fields()
    sequences = [_Sequence(place, first, second, ignored) for place in sorted({*first.sequences, *second.sequences})]
    # What it takes is to read all that was said: only where others than the plain pairs may be meant.
    if any(sequence.may_be_mixed() for sequence in sequences):
        correlation = Correlation(first, second)
        for sequence in sequences:
            sequence.pair_by(correlation)
    for sequence in sequences:
        messages += sequence.changes()
        for one, other in sequence.pairs:
            fields.compare(sequence.place, one, other)
    fields.look_at_equal()
    changes, variable = fields.judged()
    return Difference(
        before=first.verdict.own,
        after=second.verdict.own,
        before_call=visible(first.verdict.call),
        after_call=visible(second.verdict.call),
        compared=sum(len(sequence.pairs) for sequence in sequences),
        messages=sorted(messages, key=lambda change: change.at_s),
        fields=changes,
        timings=_timings(first.took_ns, second.took_ns) if has_timings else [],
        variable=variable,
        renamed=len(fields.renaming),
    )


class _Sequence:
    """What was said in a place in both runs: the `pairs` that correspond, and what is gone, new or elsewhere."""

    def __init__(self, place: Place, first: Spoken, second: Spoken, ignored: Collection[str]) -> None:
        self.place = place
        old = [said for said in first.sequences[place] if said.name not in ignored]
        new = [said for said in second.sequences[place] if said.name not in ignored]
        names = [said.name for said in old], [said.name for said in new]
        pairs = aligned(*names)
        elsewhere, gone, come = moved(*names, pairs)
        self.pairs: list[Pair] = [(old[one], new[other]) for one, other in (*pairs, *elsewhere)]
        self._gone = [old[at] for at in gone]
        self._come = [new[at] for at in come]
        self._elsewhere = [new[at] for _, at in elsewhere]

    def may_be_mixed(self) -> bool:
        """Whether other pairs may be more alike, or what is elsewhere may have gone on beside the rest."""
        differing = Counter(old.name for old, new in self.pairs if old.raw != new.raw)
        return bool(self._elsewhere) or any(times > 1 for times in differing.values())

    def pair_by(self, correlation: Correlation) -> None:
        """Pair those of each name that belong together, and leave what went on side by side where it is."""
        named: defaultdict[str, list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            named[pair[0].name].append(pair)
        self.pairs = []
        for pairs in named.values():
            olds, news = (
                sorted((old for old, _ in pairs), key=_by_number),
                sorted((new for _, new in pairs), key=_by_number),
            )
            self.pairs += correlation.paired(olds, news)
        if len(self._elsewhere) * len(self.pairs) <= MOST_LOOKED_AT:
            moved_here = {id(said) for said in self._elsewhere}
            moved_pairs = [pair for pair in self.pairs if id(pair[1]) in moved_here]
            self._elsewhere = [pair[1] for pair in moved_pairs if self._is_out_of_order(pair, correlation)]

    def _is_out_of_order(self, pair: Pair, correlation: Correlation) -> bool:
        old, new = pair
        return any(
            (old.number < one.number) != (new.number < other.number) and not correlation.is_beside(pair, (one, other))
            for one, other in self.pairs
            if one is not old
        )

    def changes(self) -> list[MessageChange]:
        """What is in one of the runs only, and what has another place."""
        return [
            *_changes("missing", self.place, self._gone),
            *_changes("new", self.place, self._come),
            *_changes("reordered", self.place, self._elsewhere),
        ]


def _changes(
    kind: Literal["new", "missing", "reordered"], place: Place, said: Sequence[Utterance]
) -> list[MessageChange]:
    counts = Counter(one.name for one in said)
    firsts = {one.name: one for one in reversed(said)}
    return [
        MessageChange(
            kind,
            place.actor,
            place.channel,
            place.direction,
            name,
            count,
            firsts[name].number,
            firsts[name].at_ns / 1e9,
        )
        for name, count in counts.items()
    ]


def _timings(before: dict[str, list[int]], after: dict[str, list[int]]) -> list[TimingChange]:
    found = []
    for what in (name for name in before if name in after):
        old, new = median(before[what]) / 1e6, median(after[what]) / 1e6
        # Both, since 2 ms are twice 1 ms, and a second more may be noise of an hour.
        if abs(new - old) > MOVED_BY_MS and max(old, new) > MOVED_BY * min(old, new):
            found.append(TimingChange(what, round(old, 3), round(new, 3), len(before[what]), len(after[what])))
    return sorted(found, key=lambda change: change.before_ms - change.after_ms)


class _Field:
    """What is known of one field of the messages of one name."""

    def __init__(self) -> None:
        self.times = 0
        self.ids: list[tuple[Any, Any, list[tuple[str, str, str]]]] = []
        self.values: list[tuple[Any, Any]] = []
        self.made_up = 0
        self.others: dict[Kind, tuple[int, str, str]] = {}

    def add(self, path: str, old: Any, new: Any, renaming: Renaming) -> list[tuple[str, str, str]]:
        """The field has these two values in a pair of messages; gives the ids in them that are renamed."""
        # First: whether something is a time or an id says nothing if it is a number here and a text there.
        if type_name(old) != type_name(new):
            self.count("type", *(f"{type_name(value)} {shorten(value, EXAMPLE_LENGTH)}" for value in (old, new)))
        elif is_time(path, old, new):
            self.times += 1
        elif (ids := as_id(path, old, new)) is not None:
            # Judged later: only when all pairs have been seen is known which id corresponds to which.
            renaming.learn(ids)
            self.ids.append((old, new, ids))
            self.made_up += are_made_up(old, new)
            return ids
        else:
            self.values.append((old, new))
        return []

    def settle(self, renaming: Renaming) -> None:
        """What stands where mostly made-up ids are is one, too, whatever it looks like."""
        alike = [pair for pair in self.values if may_be_made_up(*pair)] if self.made_up else []
        if alike and self.made_up >= len(alike):
            self.values = [pair for pair in self.values if pair not in alike]
            for old, new in alike:
                renaming.learn([("", old, new)])
                self.ids.append((old, new, [("", old, new)]))

    def judged(self, of: int, renaming: Renaming) -> tuple[dict[Kind, tuple[int, str, str]], int]:
        """What has changed: how often, and an example; and how many differences are those of any two runs."""
        strange = [(old, new) for old, new, ids in self.ids if not renaming.agrees(ids)]
        constant = [] if _differs_by_nature(self.values, of) else self.values
        found = dict(self.others)
        kinds: list[tuple[Kind, list[tuple[Any, Any]]]] = [("id", strange), ("value", constant)]
        for kind, pairs in kinds:
            if pairs:
                examples = Counter((shorten(old, EXAMPLE_LENGTH), shorten(new, EXAMPLE_LENGTH)) for old, new in pairs)
                found[kind] = (len(pairs), *examples.most_common(1)[0][0])
        return found, self.times + len(self.ids) - len(strange) + len(self.values) - len(constant)

    def count(self, kind: Kind, old: str, new: str) -> None:
        """One more difference of that kind."""
        number, first_old, first_new = self.others.get(kind, (0, old, new))
        self.others[kind] = number + 1, first_old, first_new


class _Fields:
    """The fields of all pairs of messages, by direction, name and path."""

    def __init__(self) -> None:
        self.renaming = Renaming()
        self._fields: defaultdict[tuple[str, str, str], _Field] = defaultdict(_Field)
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._equal: list[tuple[Place, Utterance]] = []
        self._kept: list[tuple[Place, _Field, Any, tuple[str, str]]] = []
        self._renamed: set[tuple[Place, str, str]] = set()

    def compare(self, place: Place, old: Utterance, new: Utterance) -> None:
        """Compare two messages that correspond."""
        self._pairs[place.direction, old.name] += 1
        # What is equal as text needs no reading, which is most of what a comparison costs.
        if old.raw == new.raw:
            self._equal.append((place, old))
            return
        before, after = flat(body_of(old.raw)), flat(body_of(new.raw))
        for path, value in before.items():
            field = self._field(place.direction, old.name, path)
            if path not in after:
                field.count("removed", shorten(value, EXAMPLE_LENGTH), "")
            elif _is_same(value, after[path]):
                self._kept += [(place, field, value, each) for each in ids_in(path_of(path), value)]
            else:
                for scope, one, _ in field.add(path, value, after[path], self.renaming):
                    self._renamed.add((place, scope, one))
        for path, value in after.items():
            if path not in before:
                self._field(place.direction, old.name, path).count("added", "", shorten(value, EXAMPLE_LENGTH))

    def look_at_equal(self) -> None:
        """An id that is another one elsewhere in its direction of a channel has to be that wherever it stands."""
        for place, said in self._equal if self._renamed else ():
            for path, value in flat(body_of(said.raw)).items():
                ids = ids_in(path_of(path), value)
                self._kept += [(place, self._field(place.direction, said.name, path), value, each) for each in ids]
        for place, field, value, (scope, one) in self._kept:
            if (place, scope, one) in self._renamed:
                self.renaming.learn([(scope, one, one)])
                field.ids.append((value, value, [(scope, one, one)]))

    def _field(self, direction: str, name: str, place: str) -> _Field:
        return self._fields[direction, name, path_of(place)]

    def judged(self) -> tuple[list[FieldChange], dict[str, int]]:
        """What has changed, and how often which fields differ as they do in any two runs."""
        changes: list[FieldChange] = []
        variable: dict[str, int] = {}
        for field in self._fields.values():
            field.settle(self.renaming)
        for (direction, name, path), field in self._fields.items():
            of = self._pairs[direction, name]
            found, usual = field.judged(of, self.renaming)
            changes += [
                FieldChange(kind, direction, name, path, old, new, count, of)
                for kind, (count, old, new) in found.items()
            ]
            if usual:
                variable[f"{name} {path}".rstrip()] = usual
        return changes, variable


def _is_same(old: Any, new: Any) -> bool:
    """Equal as JSON is: 1 is 1.0, and is not true."""
    return bool(old == new) and (type(old) is type(new) or type_name(old) == type_name(new))


_by_number = attrgetter("number")


def _differs_by_nature(pairs: Sequence[tuple[Any, Any]], of: int) -> bool:
    """True if the values differ in nearly all pairs, and within each run as well."""
    if len(pairs) < max(FEWEST, NEARLY_ALL * of):
        return False
    # Within each run as well: a field that has one value before and another after is the change that is looked for.
    return all(len({repr(pair[side]) for pair in pairs}) >= NEARLY_ALL * len(pairs) for side in (0, 1))

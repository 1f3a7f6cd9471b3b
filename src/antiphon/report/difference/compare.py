"""Compares two runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from statistics import median
from typing import Any, Final, Literal

import msgspec

from antiphon.conversation.wording import shorten, visible
from antiphon.report.difference.alignment import aligned, moved
from antiphon.report.difference.extract import Place, Spoken, Utterance
from antiphon.report.difference.fields import body_of, flat, path_of, type_name
from antiphon.report.difference.variable import Renaming, as_id, is_time

__all__ = ["Difference", "FieldChange", "MessageChange", "TimingChange", "compare"]

MOVED_BY: Final = 1.5
MOVED_BY_MS: Final = 50.0
"""A timing has moved if its median is by that factor more or less than before, and by that many milliseconds."""

NEARLY_ALL: Final = 0.9
FEWEST: Final = 5
"""Values that differ in nearly all of so many pairs or more, and nearly always in each run too, are variable."""

EXAMPLE_LENGTH: Final = 60

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
    compared = 0
    for place in sorted({*first.sequences, *second.sequences}):
        old = [said for said in first.sequences[place] if said.name not in ignored]
        new = [said for said in second.sequences[place] if said.name not in ignored]
        names = [said.name for said in old], [said.name for said in new]
        pairs = aligned(*names)
        elsewhere, gone, come = moved(*names, pairs)
        messages += _changes("missing", place, [old[at] for at in gone])
        messages += _changes("new", place, [new[at] for at in come])
        messages += _changes("reordered", place, [new[at] for _, at in elsewhere])
        for one, other in (*pairs, *elsewhere):
            fields.compare(place.direction, old[one], new[other])
        compared += len(pairs) + len(elsewhere)
    changes, variable = fields.judged()
    return Difference(
        before=first.verdict.own,
        after=second.verdict.own,
        before_call=visible(first.verdict.call),
        after_call=visible(second.verdict.call),
        compared=compared,
        messages=sorted(messages, key=lambda change: change.at_s),
        fields=changes,
        timings=_timings(first.took_ns, second.took_ns) if has_timings else [],
        variable=variable,
        renamed=len(fields.renaming),
    )


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
        self.others: dict[Kind, tuple[int, str, str]] = {}

    def add(self, path: str, old: Any, new: Any, renaming: Renaming) -> None:
        """The field has these two values in a pair of messages."""
        # First: whether something is a time or an id says nothing if it is a number here and a text there.
        if type_name(old) != type_name(new):
            self.count("type", *(f"{type_name(value)} {shorten(value, EXAMPLE_LENGTH)}" for value in (old, new)))
        elif is_time(path, old, new):
            self.times += 1
        elif (ids := as_id(path, old, new)) is not None:
            # Judged later: only when all pairs have been seen is known which id corresponds to which.
            renaming.learn(ids)
            self.ids.append((old, new, ids))
        else:
            self.values.append((old, new))

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

    def compare(self, direction: str, old: Utterance, new: Utterance) -> None:
        """Compare two messages that correspond."""
        self._pairs[direction, old.name] += 1
        # What is equal as text needs no reading, which is most of what a comparison costs.
        if old.raw == new.raw:
            return
        before, after = flat(body_of(old.raw)), flat(body_of(new.raw))
        for place, value in before.items():
            if place not in after:
                self._field(direction, old.name, place).count("removed", shorten(value, EXAMPLE_LENGTH), "")
            elif not _is_same(value, after[place]):
                self._field(direction, old.name, place).add(place, value, after[place], self.renaming)
        for place, value in after.items():
            if place not in before:
                self._field(direction, old.name, place).count("added", "", shorten(value, EXAMPLE_LENGTH))

    def _field(self, direction: str, name: str, place: str) -> _Field:
        return self._fields[direction, name, path_of(place)]

    def judged(self) -> tuple[list[FieldChange], dict[str, int]]:
        """What has changed, and how often which fields differ as they do in any two runs."""
        changes: list[FieldChange] = []
        variable: dict[str, int] = {}
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


def _differs_by_nature(pairs: Sequence[tuple[Any, Any]], of: int) -> bool:
    """True if the values differ in nearly all pairs, and within each run as well."""
    if len(pairs) < max(FEWEST, NEARLY_ALL * of):
        return False
    # Within each run as well: a field that has one value before and another after is the change that is looked for.
    return all(len({repr(pair[side]) for pair in pairs}) >= NEARLY_ALL * len(pairs) for side in (0, 1))

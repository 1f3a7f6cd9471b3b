"""Which messages of two runs say the same thing in what they belong to, where several such go on at once.

Two calls side by side are told in another order in each run, and have each other's numbers. So an id of the first run
is one of the second's by what is said with it: the messages in which it stands, in their order, without what every run
has anew. Messages of one name are paired by the ids in them then, and in their order among those that have the same.
Only what went on at once may have changed places: of calls one after the other, the order is what was said.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from antiphon.report.difference.extract import Place, Spoken, Utterance
from antiphon.report.difference.fields import body_of, flat, path_of
from antiphon.report.difference.variable import constant, ids_in

__all__ = ["Correlation"]

Id = tuple[str, str]
"""Where it is valid, and the id."""


class Correlation:
    """The ids of two runs that correspond, by what is said with them."""

    def __init__(self, first: Spoken, second: Spoken) -> None:
        self._before, self._after = _Ids(first), _Ids(second)
        self._counterparts = _matched(self._before, self._after)

    def paired(self, old: Sequence[Utterance], new: Sequence[Utterance]) -> list[tuple[Utterance, Utterance]]:
        """The messages of a name in a place, as many of each run, in pairs."""
        waiting: defaultdict[Hashable, list[Utterance]] = defaultdict(list)
        for said in reversed(new):
            waiting[self._after.of(said)].append(said)
        pairs: dict[int, Utterance] = {}
        for said in old:
            ids = frozenset(self._counterparts.get(each, each) for each in self._before.of(said))
            if waiting[ids]:
                pairs[id(said)] = waiting[ids].pop()
        # In their order, as all are where nothing tells them apart.
        taken = {id(said) for said in pairs.values()}
        rest = iter([said for said in new if id(said) not in taken])
        found = [(said, pairs[id(said)] if id(said) in pairs else next(rest)) for said in old]
        return found if self._went_on_at_once(found) else list(zip(old, new, strict=True))

    def is_beside(self, one: tuple[Utterance, Utterance], other: tuple[Utterance, Utterance]) -> bool:
        """Whether two pairs of messages belong to what went on side by side, in one of the runs at least."""
        return self._before.overlap(one[0], other[0]) or self._after.overlap(one[1], other[1])

    def _went_on_at_once(self, pairs: Sequence[tuple[Utterance, Utterance]]) -> bool:
        """Whether all that has changed places belongs to what went on side by side."""
        return all(one[1].number < other[1].number or self.is_beside(one, other) for one, other in pairwise(pairs))


class _Ids:
    """The ids that stand in more than one message of a run, and what is said with each."""

    def __init__(self, spoken: Spoken) -> None:
        said_in = [(place, said) for place, sequence in spoken.sequences.items() for said in sequence]
        said_in.sort(key=lambda each: each[1].at_ns)
        read = [(place, said, *_read(place, said)) for place, said in said_in]
        counted = Counter(each for _, _, ids, _ in read for each in ids)
        answered: defaultdict[Id, set[Id]] = defaultdict(set)
        for place, said, ids, _ in read:
            if said.key:
                answered[_key(place, said)] |= {each for each in ids if counted[each] > 1}
        self.said_with: defaultdict[Id, dict[Hashable, None]] = defaultdict(dict)
        self._of: dict[int, frozenset[Id]] = {}
        self._spans: dict[Id, tuple[int, int]] = {}
        for number, (place, said, ids, says) in enumerate(read):
            # A request belongs to what its replies belong to: they tell what it has begun.
            known = frozenset(each for each in ids if counted[each] > 1) | answered.get(_key(place, said), set())
            self._of[id(said)] = known
            for each in known:
                self.said_with[each][place, said.name, says] = None
                self._spans[each] = (self._spans.get(each, (number, 0))[0], number)

    def of(self, said: Utterance) -> frozenset[Id]:
        """Those in a message."""
        return self._of[id(said)]

    def overlap(self, one: Utterance, other: Utterance) -> bool:
        """Whether something that only the one message belongs to went on while something only of the other did."""
        ours, theirs = self.of(one), self.of(other)
        return any(
            self._spans[first][0] < self._spans[second][1] and self._spans[second][0] < self._spans[first][1]
            for first in ours - theirs
            for second in theirs - ours
        )


def _key(place: Place, said: Utterance) -> Id:
    return f"{place.actor}.{place.channel}", said.key


def _read(place: Place, said: Utterance) -> tuple[set[Id], int]:
    """The ids in a message, and what it says without them, as a number."""
    leaves = flat(body_of(said.raw))
    ids = {each for path, value in leaves.items() for each in ids_in(path_of(path), value)}
    if said.key:
        ids.add(_key(place, said))
    says = [(path, type(value).__name__, _hashable(constant(path_of(path), value))) for path, value in leaves.items()]
    return ids, hash(tuple(says))


def _hashable(value: Any) -> Hashable:
    return value if isinstance(value, Hashable) else msgspec.json.encode(value)


def _matched(before: _Ids, after: _Ids) -> Mapping[Id, Id]:
    """The counterparts of the first run's ids: those with which the same is said, then those with most of it alike, and
    of such that nothing tells apart the first with the first.

    How often something is said is not looked at: else a message with the id of another would make the one the other.
    """
    found: dict[Id, Id] = {}
    waiting: defaultdict[Hashable, deque[Id]] = defaultdict(deque)
    for each, said in after.said_with.items():
        waiting[each[0], frozenset(said)].append(each)
    for each, said in before.said_with.items():
        if alike := waiting[each[0], frozenset(said)]:
            found[each] = alike.popleft()
    left = dict.fromkeys(each for alike in waiting.values() for each in alike)
    holders: defaultdict[Hashable, list[Id]] = defaultdict(list)
    for each in after.said_with:
        if each in left:
            for says in after.said_with[each]:
                holders[each[0], says].append(each)
    for each, said in before.said_with.items():
        if each not in found:
            votes = Counter(other for says in said for other in holders[each[0], says][:_MOST_ALIKE] if other in left)
            if votes:
                found[each] = votes.most_common(1)[0][0]
                del left[found[each]]
    return found


_MOST_ALIKE: Final = 16
"""Of the ids with which the same is said so many are looked at: what is said with all of them tells none apart."""

"""Faults at work: between what the centre says to a desk and what is on its way there.

The centre itself knows nothing of it: it has said its message, and its state is that of having said it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from antiphon.conversation.match import matches
from antiphon_testbed.effects import Answer, Event, Request
from antiphon_testbed.faults.faults import (
    ANY_MESSAGE,
    Closed,
    Fault,
    HalfFrame,
    Late,
    Missing,
    NotJson,
    Overtaken,
    Reordered,
    Twice,
    WithoutField,
    WrongField,
    WrongId,
)
from antiphon_testbed.faults.outbox import Delivery, Disconnection, RawText, TruncatedFrame
from antiphon_testbed.seed import Seed

__all__ = ["FaultInjector", "FaultyLink"]


class Downstream(Protocol):
    """What leads on to a desk, and its clock."""

    def put(self, item: Delivery, delay_s: float = 0.0) -> None:
        """Hand it over in `delay_s`, behind what is on its way already."""
        ...

    def hand_over(self, item: Delivery) -> None:
        """Hand it over at once."""
        ...

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """Call it in `delay_s`, unless the desk is gone by then."""
        ...


class FaultInjector:
    """The faults of a centre: which of them hit which message. `happened` is told the kind of each that did."""

    def __init__(self, faults: Sequence[Fault], seed: Seed, happened: Callable[[str], None]) -> None:
        self._faults = tuple(enumerate(faults))
        self._seed = seed
        self._happened = happened
        self._times: dict[tuple[int, str], int] = {}

    def hits(self, user: str, item: Event | Answer) -> list[Fault]:
        """The faults that hit this message of the user's, in their order. It counts: ask once for each message."""
        name = item.name
        hits = [fault for index, fault in self._faults if self._is_hit(index, fault, user, name, item.data)]
        for fault in hits:
            self._happened(fault.word)
        return hits

    def other_id(self, user: str, given: Any) -> Any:
        """An id of nothing that there is, of the same type."""
        if given.__class__ is int:
            return self._seed.number(f"wrong id/{user}")
        return self._seed.uuid(f"wrong id/{user}")

    def other_order(self, user: str, count: int) -> list[int]:
        """The numbers from 0 to `count` - 1 in an order that is not theirs, if there is another one."""
        order = list(range(count))
        # Fisher and Yates, by the centre's seed: the same seed breaks the same order.
        for last in range(count - 1, 0, -1):
            other = int(self._seed.fraction(f"order/{user}") * (last + 1))
            order[last], order[other] = order[other], order[last]
        # Chance may give the order that it was; then nothing would have gone wrong.
        return order if order != list(range(count)) else order[1:] + order[:1]

    def _is_hit(self, index: int, fault: Fault, user: str, name: str, data: Mapping[str, Any]) -> bool:
        if fault.message not in (name, ANY_MESSAGE) or (fault.users and user not in fault.users):
            return False
        # Before it is counted: nth is the n-th message that it could have hit.
        if (fault.where and not matches(fault.where, data)) or not fault.fits(data):
            return False
        if fault.probability is not None:
            # A stream of chance for each fault and user: how many desks there are changes nobody's faults.
            return self._seed.fraction(f"fault/{index}/{user}") < fault.probability
        if fault.nth is None:
            return True
        times = self._times[index, user] = self._times.get((index, user), 0) + 1
        return times == fault.nth


class FaultyLink:
    """The way to one desk, with the centre's faults on it."""

    def __init__(self, injector: FaultInjector, user: str, downstream: Downstream) -> None:
        self._injector = injector
        self._user = user
        self._downstream = downstream
        self._moment: _Moment | None = None

    def put(self, item: Event | Answer, delay_s: float) -> None:
        """Say it in `delay_s`, or whatever becomes of it."""
        hits = self._injector.hits(self._user, item)
        if self._moment is None and any(isinstance(fault, (Overtaken, Reordered)) for fault in hits):
            self._moment = moment = _Moment()
            # At the next turn of the loop at the latest, if nobody says before that all is said.
            self._downstream.after(0.0, lambda: self._end(moment))
        if self._moment is not None:
            self._moment.add(item, delay_s, hits)
        else:
            self._pass_on(item, delay_s, hits)

    def say_now(self, item: Event) -> None:
        """Say it at once, or whatever becomes of it. What does not wait behind others keeps no order with them."""
        hits = self._injector.hits(self._user, item)
        delivery = self._altered(item, hits)
        if delivery is None:
            return
        late_s = _late_s(hits)
        for delay_s in (late_s, *(late_s + after_s for after_s in _copies_s(hits))):
            if delay_s > 0:
                self._downstream.after(delay_s, lambda: self._downstream.hand_over(delivery))
            else:
                self._downstream.hand_over(delivery)

    def end_moment(self) -> None:
        """All is said that was to be said at this moment."""
        if self._moment is not None:
            self._end(self._moment)

    def _end(self, moment: _Moment) -> None:
        if moment is not self._moment:
            return
        self._moment = None
        for item, delay_s, hits in moment.arranged(lambda count: self._injector.other_order(self._user, count)):
            self._pass_on(item, delay_s, hits)

    def _pass_on(self, item: Event | Answer, delay_s: float, hits: list[Fault]) -> None:
        delivery = self._altered(item, hits)
        if delivery is None:
            return
        delay_s += _late_s(hits)
        self._downstream.put(delivery, delay_s)
        for after_s in _copies_s(hits):
            if after_s > 0:
                self._downstream.after(delay_s + after_s, lambda: self._downstream.put(delivery))
            else:
                self._downstream.put(delivery, delay_s)

    def _altered(self, item: Event | Answer, hits: list[Fault]) -> Delivery | None:
        """What becomes of the message, None if nothing does; after a fault that replaces it no further one counts."""
        for fault in hits:
            match fault:
                case Missing():
                    return None
                case Closed():
                    return Disconnection(fault.code, fault.reason)
                case HalfFrame():
                    return TruncatedFrame(item)
                case NotJson():
                    return RawText(fault.text)
                case _:
                    item = _with_data(item, self._falsified(item.data, fault))
        return item

    def _falsified(self, data: dict[str, Any], fault: Fault) -> dict[str, Any]:
        match fault:
            case WrongId():
                field = fault.field_in(data)
                return data if field is None else {**data, field: self._injector.other_id(self._user, data[field])}
            case WrongField():
                return {**data, fault.field: fault.value}
            case WithoutField():
                return {name: value for name, value in data.items() if name != fault.field}
        return data


_Entry = tuple[Event | Answer, float, list[Fault]]


class _Moment:
    """What is said to a desk at one moment, from the first message on whose order is to suffer."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def add(self, item: Event | Answer, delay_s: float, hits: list[Fault]) -> None:
        self._entries.append((item, delay_s, hits))

    def arranged(self, other_order: Callable[[int], list[int]]) -> list[_Entry]:
        entries = self._entries
        first = next((index for index, (_, _, hits) in enumerate(entries) if _has(hits, Reordered)), None)
        if first is not None:
            order = other_order(len(entries) - first)
            entries = entries[:first] + [entries[first + index] for index in order]
        return sorted(entries, key=lambda entry: _has(entry[2], Overtaken))


def _has(hits: list[Fault], kind: type[Fault]) -> bool:
    return any(isinstance(fault, kind) for fault in hits)


def _late_s(hits: list[Fault]) -> float:
    return sum(fault.seconds for fault in hits if isinstance(fault, Late))


def _copies_s(hits: list[Fault]) -> list[float]:
    return [fault.after_s for fault in hits if isinstance(fault, Twice)]


def _with_data(item: Event | Answer, data: dict[str, Any]) -> Event | Answer:
    if data is item.data:
        return item
    if isinstance(item, Event):
        return Event(item.desk, item.name, data, item.is_prompt)
    request: Request = item.request
    return Answer(request, data)

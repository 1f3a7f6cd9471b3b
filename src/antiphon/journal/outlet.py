"""Where what is recorded leaves memory: made an entry, placed under its step, masked, and given to each sink."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from antiphon.conversation.message import Message
from antiphon.conversation.waits import Wait
from antiphon.errors import RecordingError
from antiphon.journal.entries import Recorded, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.entry_masks import Mask, mask_of
from antiphon.journal.masking import Masker
from antiphon.journal.performed import PerformedStep
from antiphon.journal.placing import Placing, place_of
from antiphon.journal.recordable import Deferred, Recordable, maker_of

__all__ = ["Outlet", "Sink"]

Sink = Callable[[Any], None]
"""Called with each entry or message (masked) as it happens."""


class Outlet:
    """The sinks of one journal, whose entries are kept in `ring` as well."""

    def __init__(self, ring: deque[Any], masker: Masker) -> None:
        self._keep = ring.append
        self._masker = masker
        self._placing = Placing()
        self._each = _Each()
        self._give: Sink = self._each
        self.on_failure: Callable[[RecordingError], None] | None = None
        """Told what a sink could not write, which `record` raises otherwise."""

    def add(self, sink: Sink, *, with_protocol: bool) -> None:
        """Give this sink every entry from now on; what protocols said by themselves only `with_protocol`."""
        self._each.sinks.append((sink, with_protocol))
        # For the only one nothing is to be chosen, or given to others if it fails.
        self._give = _quick(sink) if len(self._each.sinks) == 1 and with_protocol else self._each

    def record(self, recorded: Recordable) -> None:
        """See `Journal.record`."""
        # `type` and not `__class__`, and what is kept in `self` read before it is called: of things of many kinds the
        # class, and of what is no method the place, are looked up anew each time otherwise.
        entry: Any = recorded
        kind = type(recorded)
        keep, give = self._keep, self._give
        if kind is tuple:
            (over,) = recorded  # type: ignore[misc]  # mypy does not narrow by `kind`
            make, place, mask = _end_of(type(over))
            entry = make(over)
        else:
            begin, place, mask = _way_of(kind)
            if begin is not None:
                entry = begin(recorded)
        keep(entry)
        place(self._placing, entry)  # only here: in memory, steps that nobody reads need not be found
        try:
            give(mask(entry, self._masker))
        except RecordingError as error:
            if self.on_failure is None:
                raise
            self.on_failure(error)


def _quick(sink: Sink) -> Sink:
    """The same sink, as the interpreter calls it soonest: an object by its method, without a way through its class."""
    call = vars(type(sink)).get("__call__")
    return MethodType(call, sink) if isinstance(call, FunctionType) else sink


class _Each:
    """Gives to several sinks; what one of them raises does not keep the entry from the others."""

    def __init__(self) -> None:
        self.sinks: list[tuple[Sink, bool]] = []

    def __call__(self, masked: Any) -> None:
        is_aside = isinstance(masked, Message) and masked.is_protocol
        failure: Exception | None = None
        for sink, with_protocol in self.sinks:
            if is_aside and not with_protocol:
                continue
            try:
                sink(masked)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure


_Make = Callable[[Any], Recorded]
_Place = Callable[[Placing, Any], None]
_Way = tuple[_Make | None, _Place, Mask]
_End = tuple[_Make, _Place, Mask]


class _Ways(dict[Any, _Way]):
    """What of a thing of some kind makes an entry (None for what is one), places that, and masks it.

    Looked up for every entry, for which a function that remembers would take twice the time.
    """

    def __missing__(self, kind: Any) -> _Way:
        way: _Way
        if issubclass(kind, Deferred):
            way = maker_of(kind), Placing.__call__, _mask
        elif issubclass(kind, PerformedStep):
            way = maker_of(kind), place_of(StepStarted), mask_of(StepStarted)
        elif issubclass(kind, Wait):
            way = maker_of(kind), place_of(WaitStarted), mask_of(WaitStarted)
        else:
            way = maker_of(kind), place_of(kind), mask_of(kind)
        self[kind] = way
        return way


class _Ends(dict[Any, _End]):
    """The same for what has ended, a step or a wait."""

    def __missing__(self, kind: Any) -> _End:
        made: Any = StepEnded if issubclass(kind, PerformedStep) else WaitEnded
        end = self[kind] = made.of, place_of(made), mask_of(made)
        return end


# Functions in C: to `[…]` of a class that inherits from `dict` the interpreter has a longer way.
_way_of, _end_of = _Ways().__getitem__, _Ends().__getitem__


def _mask(entry: Any, masker: Masker) -> Any:
    return mask_of(entry.__class__)(entry, masker)

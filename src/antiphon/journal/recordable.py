"""What a run records: entries, and what they are made of when somebody reads them, or at once where there is a sink."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec

from antiphon.conversation.waits import Wait
from antiphon.journal.entries import Entry, Recorded, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.performed import PerformedStep

__all__ = ["Deferred", "Recordable", "at_ns", "entries_of", "maker_of", "write_down_in", "written"]


class Deferred(msgspec.Struct, frozen=True):
    """An entry of that moment which is made when somebody reads it: what nobody reads need not be put into words.

    `subject` is what it is made of, where somebody wants to know that without the entry; else None.
    """

    at_ns: int
    make: Callable[[], Entry]
    subject: Any = None


Recordable = Recorded | Deferred | Wait[Any] | PerformedStep | tuple[Wait[Any] | PerformedStep]
"""What `Journal.record` takes: a wait or a step where it begins, and in a tuple of its own where it has ended."""


def written(recorded: Recordable) -> Recorded:
    """The entry that stands in the journal for it."""
    make = maker_of(recorded.__class__)  # type: ignore[arg-type]  # every class is hashable
    return make(recorded) if make is not None else recorded  # type: ignore[return-value]  # it is an entry


@cache  # asked for every entry
def maker_of(kind: type) -> Callable[[Any], Recorded] | None:
    """What makes an entry of such a thing; None for what is one."""
    if issubclass(kind, tuple):
        return _end_of
    if issubclass(kind, PerformedStep):
        return StepStarted.of
    if issubclass(kind, Deferred):
        return _make
    return WaitStarted.of if issubclass(kind, Wait) else None


def _end_of(over: tuple[Wait[Any] | PerformedStep]) -> Recorded:
    (ended,) = over
    return StepEnded.of(ended) if isinstance(ended, PerformedStep) else WaitEnded.of(ended)


def _make(deferred: Deferred) -> Recorded:
    return deferred.make()


def at_ns(recorded: Recordable) -> int:
    """When it happened, in nanoseconds since the run began."""
    if isinstance(recorded, tuple):
        (over,) = recorded
        return over.settled_ns if isinstance(over, Wait) else over.ended_ns
    return recorded.made_ns if isinstance(recorded, Wait) else recorded.at_ns


def entries_of(recorded: Iterable[Recordable]) -> list[Any]:
    """The entries of what is recorded, made now."""
    return [written(each) for each in recorded]


def write_down_in(kept: deque[Any] | list[Any], wait: Wait[Any]) -> bool:
    """Put entries in the place of what is kept there of the wait; whether its beginning was among that."""
    # From the newest on: a wait that is over has mostly begun a short while ago. It may have fallen out.
    for back, entry in enumerate(reversed(kept), 1):
        if entry is wait or (entry.__class__ is tuple and entry[0] is wait):
            kept[-back] = written(entry)
            if entry is wait:
                return True
    return False

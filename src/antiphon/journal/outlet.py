"""Where what is recorded leaves memory: made an entry, placed under its step, masked, and given to each sink."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

from antiphon.conversation.message import Message
from antiphon.conversation.waits import Wait
from antiphon.journal.entries import Recorded, StepStarted, WaitEnded, WaitStarted
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

    def add(self, sink: Sink, *, with_protocol: bool) -> None:
        """Give this sink every entry from now on; what protocols said by themselves only `with_protocol`."""
        self._each.sinks.append((sink, with_protocol))
        # For the only one nothing is to be chosen, or given to others if it fails.
        self._give = sink if len(self._each.sinks) == 1 and with_protocol else self._each

    def record(self, recorded: Recordable) -> None:
        """See `Journal.record`."""
        make, place, mask = _way_of(recorded.__class__)  # type: ignore[arg-type]  # every class is hashable
        entry: Any = make(recorded) if make is not None else recorded
        self._keep(entry)
        place(self._placing, entry)  # only here: in memory, steps that nobody reads need not be found
        self._give(mask(entry, self._masker))


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


@cache  # asked for every entry
def _way_of(kind: Any) -> tuple[Callable[[Any], Recorded] | None, Callable[[Placing, Any], None], Mask]:
    """What of such a thing makes an entry (None for what is one), places that, and masks it."""
    if issubclass(kind, tuple):  # the end of a step, or of a wait: they have the same mask
        return maker_of(kind), Placing.__call__, mask_of(WaitEnded)
    if issubclass(kind, Deferred):
        return maker_of(kind), Placing.__call__, _mask
    made = kind
    if issubclass(kind, PerformedStep):
        made = StepStarted
    elif issubclass(kind, Wait):
        made = WaitStarted
    return maker_of(kind), place_of(made), mask_of(made)


def _mask(entry: Any, masker: Masker) -> Any:
    return mask_of(entry.__class__)(entry, masker)

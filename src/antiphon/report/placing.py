"""The entries of a journal in the order in which they are shown, each with the business step that it is shown under.

The steps are those that were recorded (`antiphon.journal.placing` tells how they are found, and why there).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from antiphon.conversation.message import Message
from antiphon.journal import StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.file import WrittenMessage
from antiphon.journal.placing import Arrival

__all__ = ["Depths", "Placed", "Reading", "placed"]


class Placed(msgspec.Struct):
    """An entry, and the number of the step that it is shown under, 0 for none.

    wait: for the end of a wait its beginning; for a received message the wait that took it as it came. handler: which
    handler saw a received message. is_told: for the end of a wait, that it took the message before it, which was told.
    is_aside: for a received message that only a handler saw, and for what that said.
    """

    entry: Any
    step: int
    wait: WaitStarted | None = None
    handler: str = ""
    is_told: bool = False
    is_aside: bool = False


class Reading:
    """Reads entries in order. A received message is kept back, with what its handlers said, until the next entry or
    `flush`: only then is known which handler saw it and which wait took it."""

    def __init__(self) -> None:
        self._waits: dict[int, WaitStarted] = {}
        self._arrival: Arrival | None = None
        self._asides: list[Any] = []

    def __call__(self, entry: Any) -> list[Placed]:
        """The entries that can be shown now that this one has come."""
        if isinstance(entry, WaitStarted):
            self._waits[entry.number] = entry
        # A handler reacts before the mailbox is asked (P11), so what it says stands in the journal between a message
        # and the wait that takes it.
        if self._arrival is not None and self._arrival.goes_on_with(entry):
            self._asides.append(entry)
            return []
        wait = self._waits.pop(entry.number, None) if isinstance(entry, WaitEnded) else None
        is_told = wait is not None and self._is_of_arrival(entry)
        shown = self._release(wait, entry.step) if is_told else self.flush()
        if isinstance(entry, (Message, WrittenMessage)) and not entry.is_sent:
            self._arrival = Arrival(entry)
        else:
            shown.append(Placed(entry, _step_of(entry, wait), wait, is_told=is_told))
        return shown

    def flush(self) -> list[Placed]:
        """What is kept back."""
        return self._release(None, None)

    def _is_of_arrival(self, ended: WaitEnded) -> bool:
        return self._arrival is not None and ended.step is not None and self._arrival.message.number == ended.message

    def _release(self, wait: WaitStarted | None, step: int | None) -> list[Placed]:
        if self._arrival is None:
            return []
        message, asides = self._arrival.message, self._asides
        self._arrival, self._asides = None, []
        handler = next((each.handler for each in asides if hasattr(each, "handler")), "")
        # A message that a handler has seen is in the mailbox all the same (P11): if somebody awaited it too, it is no
        # aside.
        is_aside = bool(handler) and wait is None
        first = Placed(message, message.step if step is None else step, wait, handler, is_aside=is_aside)
        around = first.step if handler else 0  # what a handler says stands with what it has heard
        return [first, *(Placed(each, _step_of(each, None) or around, is_aside=is_aside) for each in asides)]


class Depths:
    """The steps that are under way, and how deep what is in them stands."""

    def __init__(self) -> None:
        self._steps: dict[int, tuple[StepStarted, int]] = {}

    def begin(self, step: StepStarted) -> int:
        """A step begins; how deep it stands, 0 for one that is in no other."""
        depth = self.inside(step.parent)
        self._steps[step.number] = step, depth
        return depth

    def end(self, ended: StepEnded) -> tuple[StepStarted | None, int]:
        """A step has ended: it, and how deep it stood; None if its beginning is not known."""
        return self._steps.pop(ended.number, (None, 0))

    def inside(self, step: int) -> int:
        """How deep that stands which belongs to the step of that number; 0 for one that is over."""
        return self._steps[step][1] + 1 if step in self._steps else 0


def placed(entries: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """The entries, each with the number of its step; 0 for none."""
    reading = Reading()
    for entry in entries:
        for each in reading(entry):
            yield each.entry, each.step
    for each in reading.flush():
        yield each.entry, each.step


def _step_of(entry: Any, wait: WaitStarted | None) -> int:
    if wait is not None:
        return wait.step
    if isinstance(entry, (StepStarted, StepEnded)):
        return entry.number
    return int(getattr(entry, "step", 0) or 0)

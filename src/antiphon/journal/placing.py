"""Under which business step that stands which belongs to no step by itself: decided here, once, and recorded.

It is decided while entries are recorded, because only then is the run's state known without going through all that was
before; so the text, the page and whatever else is made of the record just read it, and cannot differ. A message is
written the moment it comes, since a run may be killed the moment after, and before it is known who takes it: so it
carries the step in which it is awaited then. If a wait takes it as it comes, the end of that wait, which is the next
entry, carries the step of the wait, and that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.conversation.message import Message
from antiphon.journal.entries import (
    Dropped,
    Handled,
    RunStarted,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
    kind_of,
)

__all__ = ["Arrival", "Placing"]


class Arrival:
    """A message that has just been received: the next entries tell what came of it in the same turn.

    `message` has `actor`, `channel` and `number`, as every form of a message does.
    """

    __slots__ = ("_is_handled", "message")

    def __init__(self, message: Any) -> None:
        self.message = message
        self._is_handled = False

    def goes_on_with(self, entry: Any) -> bool:
        """Whether it is told between the message and the end of the wait that takes it: handlers, and what they say."""
        if isinstance(entry, WaitStarted):
            return True
        message = self.message
        if (getattr(entry, "actor", None), getattr(entry, "channel", None)) != (message.actor, message.channel):
            return False
        if isinstance(entry, Handled):
            self._is_handled = True
            return True
        # A handler tells what it has said before it is told of itself; what is said after that is somebody else's.
        return getattr(entry, "is_sent", False) and not self._is_handled


class Placing:
    """Stamps the entries of a run, which it is given in order, with their steps."""

    def __init__(self) -> None:
        self._actors = 0
        self._steps: dict[int, tuple[StepStarted, int]] = {}
        self._waits: dict[int, WaitStarted] = {}
        self._arrival: Arrival | None = None
        # By the class, for it is asked for every entry.
        self._places: dict[type, Callable[[Any, Arrival | None], None]] = {
            Message: self._place_message,
            Handled: self._place_handled,
            Dropped: self._place_dropped,
            WaitStarted: self._begin_wait,
            WaitEnded: self._end_wait,
            StepStarted: self._begin_step,
            StepEnded: self._end_step,
            RunStarted: self._begin_run,
        }

    def __call__(self, entry: Any) -> None:
        arrival = self._arrival
        if arrival is not None and not arrival.goes_on_with(entry):
            self._arrival = None
        place = self._places.get(kind_of(entry))
        if place is not None:
            place(entry, arrival)

    def _place_message(self, message: Message, _arrival: Arrival | None) -> None:
        if not message.is_sent:
            message.step = self._step_of(message)
            self._arrival = Arrival(message)

    def _place_handled(self, handled: Handled, arrival: Arrival | None) -> None:
        # Not if the handler did more than speak on its channel (a signal, a step): then that stands between, and is
        # what was done last.
        is_now = arrival is not None and arrival.message.number == handled.message and arrival is self._arrival
        handled.step = arrival.message.step if is_now and arrival else self._innermost(handled.actor)

    def _place_dropped(self, dropped: Dropped, _arrival: Arrival | None) -> None:
        dropped.step = self._innermost(dropped.actor)

    def _begin_run(self, started: RunStarted, _arrival: Arrival | None) -> None:
        self._actors = len(started.actors)

    def _begin_step(self, step: StepStarted, _arrival: Arrival | None) -> None:
        around = self._steps.get(step.parent)
        self._steps[step.number] = step, around[1] + 1 if around is not None else 0

    def _end_step(self, ended: StepEnded, _arrival: Arrival | None) -> None:
        self._steps.pop(ended.number, None)

    def _begin_wait(self, wait: WaitStarted, _arrival: Arrival | None) -> None:
        self._waits[wait.number] = wait

    def _end_wait(self, ended: WaitEnded, arrival: Arrival | None) -> None:
        wait = self._waits.pop(ended.number, None)
        if wait is None or arrival is None:
            return
        message = arrival.message
        if (wait.actor, wait.channel, ended.message) == (message.actor, message.channel, message.number):
            # A wait that was begun in a step that is over has no place there any more.
            ended.step = wait.step if wait.step in self._steps else message.step

    def _step_of(self, message: Message) -> int:
        """Where a message of its name is awaited, or anything else on its channel; else what its actor is doing."""
        here = [wait for wait in self._waits.values() if (wait.actor, wait.channel) == (message.actor, message.channel)]
        named = [wait for wait in here if wait.awaits == "message" and wait.name == message.name]
        steps = [wait.step for wait in named or here if wait.step in self._steps]
        return steps[-1] if steps else self._innermost(message.actor)

    def _innermost(self, actor: str) -> int:
        """The deepest step that this actor is doing, or else all are doing; 0 for none."""
        steps = [(depth, number, step.actor) for number, (step, depth) in self._steps.items()]
        own = [(depth, number) for depth, number, who in steps if who == actor or self._actors == 1]
        common = [(depth, number) for depth, number, who in steps if not who]
        return max(own or common, default=(0, 0))[1]

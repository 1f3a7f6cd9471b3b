"""Under which business step that stands which belongs to no step by itself: decided here, once, and recorded.

It is decided while entries are recorded, because only then is the run's state known without going through all that was
before; so the text, the page and whatever else is made of the record just read it, and cannot differ. A message is
written the moment it comes, since a run may be killed the moment after, and before it is known who takes it: so it
carries the step in which it is awaited then. If a wait takes it as it comes, the end of that wait, which is the next
entry, carries the step of the wait, and that counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Message
from antiphon.journal.entries import (
    Dropped,
    Handled,
    RunStarted,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
)

__all__ = ["Arrival", "Placing", "place_of"]


class Arrival(msgspec.Struct):
    """A message that has just been received: the next entries tell what came of it in the same turn.

    `message` has `actor`, `channel` and `number`, as every form of a message does.
    """

    message: Any
    is_handled: bool = False

    def goes_on_with(self, entry: Any) -> bool:
        """Whether it is told between the message and the end of the wait that takes it: handlers, and what they say."""
        if isinstance(entry, WaitStarted):
            return True
        message = self.message
        if (getattr(entry, "actor", None), getattr(entry, "channel", None)) != (message.actor, message.channel):
            return False
        if isinstance(entry, Handled):
            self.is_handled = True
            return True
        # A handler tells what it has said before it is told of itself; what is said after that is somebody else's.
        return getattr(entry, "is_sent", False) and not self.is_handled


class Placing:
    """Stamps the entries of a run, which it is given in order, with their steps."""

    def __init__(self) -> None:
        self._actors = 0
        self._steps: dict[int, tuple[StepStarted, int]] = {}
        self._waits: dict[int, tuple[WaitStarted, dict[int, WaitStarted]]] = {}
        """Each with all that were begun on its channel and are not over."""
        self._waits_on: dict[tuple[str, str], dict[int, WaitStarted]] = defaultdict(dict)
        """By actor and channel, in the order in which they were begun."""
        self._arrival: Arrival | None = None
        self._here: dict[int, WaitStarted] = {}
        """The waits on the channel of the last message that was received."""

    def __call__(self, entry: Any) -> None:
        place_of(entry.__class__)(self, entry)

    def _follow(self, entry: Any) -> None:
        """What tells nothing of the message before it ends its arrival."""
        if self._arrival is not None and not self._arrival.goes_on_with(entry):
            self._arrival = None

    def _place_message(self, message: Message) -> None:
        if self._arrival is not None:
            self._follow(message)
        if not message.is_sent:
            here = self._here = self._waits_on[message.actor, message.channel]
            message.step = self._step_of(message, here)
            self._arrival = Arrival(message)

    def _place_handled(self, handled: Handled) -> None:
        self._follow(handled)
        # Not if the handler did more than speak on its channel (a signal, a step): then that stands between, and is
        # what was done last.
        arrival = self._arrival
        is_now = arrival is not None and arrival.message.number == handled.message
        handled.step = arrival.message.step if is_now and arrival else self._innermost(handled.actor)

    def _place_dropped(self, dropped: Dropped) -> None:
        self._follow(dropped)
        dropped.step = self._innermost(dropped.actor)

    def _begin_run(self, started: RunStarted) -> None:
        self._arrival = None
        self._actors = len(started.actors)

    def _begin_step(self, step: StepStarted) -> None:
        self._arrival = None
        around = self._steps.get(step.parent)
        self._steps[step.number] = step, around[1] + 1 if around is not None else 0

    def _end_step(self, ended: StepEnded) -> None:
        self._arrival = None
        self._steps.pop(ended.number, None)

    def _begin_wait(self, wait: WaitStarted) -> None:  # it may go on with an arrival
        here, number = self._waits_on[wait.actor, wait.channel], wait.number
        here[number] = wait
        self._waits[number] = wait, here

    def _end_wait(self, ended: WaitEnded) -> None:
        begun = self._waits.pop(ended.number, None)
        if begun is not None:
            wait, here = begun
            del here[ended.number]
            arrival = self._arrival
            if arrival is not None and here is self._here and ended.message == arrival.message.number:
                # A wait that was begun in a step that is over has no place there any more.
                ended.step = wait.step if wait.step in self._steps else arrival.message.step
        self._arrival = None

    def _step_of(self, message: Message, here: dict[int, WaitStarted]) -> int:
        """Where a message of its name is awaited, or anything else on its channel; else what its actor is doing."""
        if here:
            name, steps, is_named, found = message.name, self._steps, False, None
            for wait in here.values():
                if wait.awaits == "message" and (
                    wait.name == name or (isinstance(wait.name, tuple) and name in wait.name)
                ):
                    if not is_named:
                        is_named, found = True, None
                elif is_named:
                    continue
                if wait.step in steps:
                    found = wait.step
            if found is not None:
                return found
        return self._innermost(message.actor)

    def _innermost(self, actor: str) -> int:
        """The deepest step that this actor is doing, or else all are doing; 0 for none."""
        steps = [(depth, number, step.actor) for number, (step, depth) in self._steps.items()]
        own = [(depth, number) for depth, number, who in steps if who == actor or self._actors == 1]
        common = [(depth, number) for depth, number, who in steps if not who]
        return max(own or common, default=(0, 0))[1]


@cache  # asked for every entry
def place_of(kind: type) -> Callable[[Placing, Any], None]:
    """What places an entry of that kind, or message."""
    # A dialect may make messages of a class of its own.
    return _PLACES[Message] if issubclass(kind, Message) else _PLACES.get(kind, Placing._follow)


_PLACES: Final[dict[type, Callable[[Placing, Any], None]]] = {
    Message: Placing._place_message,
    Handled: Placing._place_handled,
    Dropped: Placing._place_dropped,
    WaitStarted: Placing._begin_wait,
    WaitEnded: Placing._end_wait,
    StepStarted: Placing._begin_step,
    StepEnded: Placing._end_step,
    RunStarted: Placing._begin_run,
}

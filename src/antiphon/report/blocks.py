"""Which business step each message is shown under, and how deep that stands."""

from __future__ import annotations

from antiphon.conversation.message import Message
from antiphon.journal import StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.file import WrittenMessage

__all__ = ["Blocks"]


class Blocks:
    """The steps and the waits that are under way. `actors` are the run's, by name."""

    def __init__(self) -> None:
        self.actors: list[str] = []
        self._steps: dict[int, tuple[StepStarted, int]] = {}
        self._waits: dict[int, WaitStarted] = {}

    def step_started(self, step: StepStarted) -> int:
        """A step begins; how deep it stands, 0 for one that is in no other."""
        depth = self.depth_inside(step.parent)
        self._steps[step.number] = step, depth
        return depth

    def step_ended(self, ended: StepEnded) -> tuple[StepStarted | None, int]:
        """A step has ended: it, and how deep it stood; None if its beginning is not known."""
        return self._steps.pop(ended.number, (None, 0))

    def wait_started(self, wait: WaitStarted) -> None:
        """A wait begins."""
        self._waits[wait.number] = wait

    def wait_ended(self, ended: WaitEnded) -> WaitStarted | None:
        """A wait has ended: it, or None if its beginning is not known."""
        return self._waits.pop(ended.number, None)

    def depth_inside(self, step: int) -> int:
        """How deep that stands which belongs to the step of that number; 0 for one that is over."""
        return self._steps[step][1] + 1 if step in self._steps else 0

    def deepest(self, actor: str) -> int:
        """How deep that stands which belongs to whatever this actor is doing, or else all are doing."""
        return self.depth_inside(self.innermost(actor))

    def innermost(self, actor: str) -> int:
        """The number of the deepest step that this actor is doing, or else all are doing; 0 for none."""
        steps = [(depth, number, step.actor) for number, (step, depth) in self._steps.items()]
        own = [(depth, number) for depth, number, who in steps if who == actor or len(self.actors) == 1]
        common = [(depth, number) for depth, number, who in steps if not who]
        return max(own or common, default=(0, 0))[1]

    def depth_of_received(self, message: Message | WrittenMessage, wait: WaitStarted | None) -> int:
        """How deep a received message stands."""
        return self.depth_inside(self.step_of_received(message, wait))

    def step_of_received(self, message: Message | WrittenMessage, wait: WaitStarted | None) -> int:
        """The number of the step that a received message is shown under; 0 for none.

        That in which it was awaited; else where one of its name is awaited, or anything else on its channel; else
        whatever its actor is doing.
        """
        waits = [wait] if wait is not None else self._candidates(message)
        steps = [found.step for found in waits if found.step in self._steps]
        return steps[-1] if steps else self.innermost(message.actor)

    def _candidates(self, message: Message | WrittenMessage) -> list[WaitStarted]:
        here = [wait for wait in self._waits.values() if (wait.actor, wait.channel) == (message.actor, message.channel)]
        return [wait for wait in here if wait.awaits == "message" and wait.name == message.name] or here

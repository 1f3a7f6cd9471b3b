"""A task at an agent's desk: something to do, with nobody to talk to. Completing it finishes it, without wrap-up."""

from __future__ import annotations

from typing import Final

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Outgoing, Request, success
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["Task"]

LONGEST_OUTCOME: Final = 200


class Task(Workitem):
    """A task at one desk."""

    channel = "task"

    def complete(self, request: Request, outcome: str, now_ms: int) -> list[Outgoing]:
        """The agent has done it. The desk has room for another one a little later."""
        self.refuse_unless("connected")
        if not outcome.strip() or len(outcome) > LONGEST_OUTCOME:
            raise ErrorReply("badOutcome", f"the outcome has {len(outcome)} characters; 1 to {LONGEST_OUTCOME} can be")
        self.interaction.extras["outcome"] = outcome
        finished = self._enter("finished", now_ms, outcome=outcome)
        ended = self._book.end(self.contact, "agent", now_ms)
        return [success(request), finished, *ended, self._release_later()]

    def _wrap_up(self, by: str, now_ms: int) -> list[Outgoing]:
        return [self._enter("finished", now_ms, reason=by), self._release_later()]

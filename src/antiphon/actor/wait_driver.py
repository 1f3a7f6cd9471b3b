"""A mailbox at work: its waits in the journal, their deadlines in time, and those who wait told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from antiphon.actor.reading_pause import ReadingPause
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.explanation_text import explain
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange, Wait
from antiphon.errors import DeadlinePassed
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.resumable import Resumer
from antiphon.runtime.runtime import Runtime

__all__ = ["WaitDriver"]


class WaitDriver(Resumer):
    """The waits of one channel, driven. `holds_part` says whether part of a message has come, and its rest has not.

    `within_ns` is the deadline of waits that give none, None for a time without an end. `tell_given_up` tells the peer
    that nobody waits for the replies to a request any more, None without a word for it.
    """

    within_ns: int | None

    def __init__(
        self,
        runtime: Runtime,
        mailbox: Mailbox,
        actor: str,
        channel: str,
        holds_part: Callable[[], bool],
        reading_pause: ReadingPause,
    ) -> None:
        super().__init__(runtime.loop)
        self.mailbox = mailbox
        self.actor = actor
        self.channel = channel
        self._runtime = runtime
        self._record = runtime.record
        self._begun, self._satisfied = runtime.inlet.begun, runtime.inlet.satisfied
        self._deadlines = runtime.deadlines
        self._holds_part = holds_part
        self._reading_pause = reading_pause
        self.tell_given_up: Callable[[Message], None] | None = None

    def begin(self, wait: Wait[Any]) -> None:
        """A wait has been made, and the mailbox has it."""
        deadline_ns = wait.deadline_ns
        # Most deadlines are later than the one that the run's timer is set for: those cost nothing more.
        if deadline_ns is not None and deadline_ns < self._deadlines.armed_ns and wait.settled_ns < 0:
            self._deadlines.note(deadline_ns)
        self.note(wait)

    def note(self, wait: Wait[Any]) -> None:
        """Put it into the journal: itself, for what stands there is made of it when somebody reads that."""
        self._begun(wait)
        if self._reading_pause.is_paused:
            self._reading_pause.look_again()

    def note_unanswered(self, exchange: Exchange[Any]) -> None:
        """The same with a request to a peer that has said that it says no more: its wait is over (P8)."""
        self.note(exchange)
        ending = self.mailbox.ending
        if ending is not None:  # else the connection is about to end, with all that waits
            self.mailbox.close(ending, self._runtime.now_ns())
            self.wake()

    def wake(self) -> None:
        """Tell those whose waits are settled; they may do anything meanwhile, also settle more.

        `receiving` does the same for one that a message has satisfied, as nearly all are.
        """
        mailbox, satisfied = self.mailbox, self._satisfied
        if mailbox.soft_failures:
            self._tell_soft()
        # A loop, because whoever is told goes on at once, and may settle further waits before it gives way.
        while settled := mailbox.settled:
            mailbox.settled = []
            for wait in settled:
                if wait.error is not None:
                    self._fail(wait)
                elif wait.settled_ns >= 0:
                    (satisfied if not wait.is_abandoned else self._record)((wait,))
            # Only when all are in the journal: a step that goes on writes its own entries behind theirs.
            for wait in settled:
                if (sleeper := wait.sleeper) is not None:
                    wait.sleeper = None
                    self.resume(sleeper)

    def _tell_soft(self) -> None:
        failures, self.mailbox.soft_failures = self.mailbox.soft_failures, []
        for failure in failures:
            self._runtime.tell_soft(failure)

    def _fail(self, wait: Wait[Any]) -> None:
        if self.is_awaited(wait):
            if isinstance(wait, Exchange):
                wait.is_left = False
        elif not (isinstance(wait, Exchange) and wait.is_left):  # P7: if nobody ever does, the run fails with it
            self._runtime.unheard[wait] = None
        if isinstance(wait.error, DeadlinePassed):
            wait.error.explanation.holds_part = self._holds_part()
            self._tell_given_up(wait)
        self._record((wait,))
        # Its error has the frames of all who are told of it: they are not kept as long as the record is.
        self._runtime.journal.write_down(wait)

    def abandon(self, wait: Wait[Any]) -> None:
        """Cancel a wait; what it had received and nobody saw goes back into the mailbox."""
        if wait.is_abandoned:
            return
        was_pending = wait.is_pending
        if not was_pending:
            self._runtime.journal.write_down(wait)  # as it was: what it had is taken from it
        self.mailbox.abandon(wait, self._runtime.now_ns())  # P10
        if was_pending:
            self._record((wait,))
            self._tell_given_up(wait)
        self.wake()

    def withdraw(self, requests: Collection[Message]) -> None:
        """They were not sent after all: give up what waits for their replies, of which the peer need not be told."""
        unsent = {id(request) for request in requests if request.asks is not None}
        for wait in self.mailbox.pending if unsent else ():
            if isinstance(wait, Exchange) and id(wait.request) in unsent:
                sleeper = wait.sleeper
                self.mailbox.withdraw(wait, self._runtime.now_ns())
                self._record((wait,))
                if sleeper is not None:
                    sleeper.cancel()

    def _tell_given_up(self, wait: Wait[Any]) -> None:
        if self.tell_given_up is not None and isinstance(wait, Exchange):
            self.tell_given_up(wait.request)

    def leave(self, wait: Exchange[Any], /) -> None:
        """See `antiphon.conversation.waits.Driver`."""
        if wait.is_pending:
            wait.is_left = True
            self.cancel(wait)
        else:  # had it been left a moment sooner, what it failed with would not matter either
            self._runtime.unheard.pop(wait, None)

    def walk_away(self, wait: Exchange[Any], /) -> None:
        """See `antiphon.conversation.waits.Driver`."""
        wait.is_left = True
        # Only where the peer learns of it: elsewhere the rest comes all the same, and may still be awaited. Not at
        # once, for who stops iterating may be about to await it.
        if self.tell_given_up is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._leave_unawaited, wait)

    def _leave_unawaited(self, wait: Exchange[Any]) -> None:
        if wait.is_pending and not self.is_awaited(wait):
            self.leave(wait)

    def expect_refusal(self, wait: Exchange[Any], code: int | str | None, /) -> None:
        """See `antiphon.conversation.waits.Driver`."""
        listed = list(self.mailbox.settled)
        self.mailbox.expect_refusal(wait, code)
        # Of one that was over already all have been told: what came of it now is for whoever awaits it.
        self.mailbox.settled = listed
        if wait.settled_ns >= 0:
            self._runtime.unheard.pop(wait, None)
            if wait.error is not None:
                self._runtime.unheard[wait] = None

    def give_up(self, wait: Wait[Any]) -> None:
        """Nobody awaits the wait any more; a failure has been told already."""
        if wait.error is None:
            self.abandon(wait)
        else:
            self._runtime.unheard.pop(wait, None)

    def cancel(self, wait: Wait[Any], /) -> bool:
        """See `antiphon.conversation.waits.Driver`."""
        if wait.settled_ns >= 0:
            return False
        sleeper = wait.sleeper
        self.abandon(wait)
        if sleeper is not None:
            sleeper.cancel()
        return True

    def trouble(self, wait: Wait[Any], /) -> BaseException:
        """See `antiphon.conversation.waits.Driver`."""
        if wait.error is not None:
            self._runtime.unheard.pop(wait, None)
            return wait.error
        if wait.settled_ns >= 0:
            return asyncio.CancelledError()
        return asyncio.InvalidStateError(f"still waiting for {wait.describe()}")

    def unfinished(self, step: PerformedStep) -> list[Explanation]:
        """Why what is waited for in that step, or in one that is a part of it, has not come until now."""
        waits = [wait for wait in self.mailbox.pending if wait.step is not None and _is_inside(wait.step, step)]
        return [explain(wait, self.mailbox, self._runtime.now_ns(), "deadline") for wait in waits]

    @property
    def next_deadline_ns(self) -> int | None:
        """The earliest deadline of what is waited for."""
        return self.mailbox.next_deadline_ns

    def expire(self, now_ns: int) -> None:
        """End the waits whose deadlines have passed."""
        self.mailbox.expire(now_ns)  # P7; what was read before this is in time
        self.wake()


def _is_inside(step: PerformedStep, around: PerformedStep) -> bool:
    inner: PerformedStep | None = step
    while inner is not None and inner is not around:
        inner = inner.around
    return inner is around

"""A mailbox at work: its waits in the journal, their deadlines in time, and those who wait told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from antiphon.actor.reading_pause import ReadingPause
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.waits import ReplyWait, Wait
from antiphon.errors import DeadlinePassed
from antiphon.journal import WaitEnded
from antiphon.runtime.pending import Pending
from antiphon.runtime.runtime import Runtime

__all__ = ["WaitDriver"]

T = TypeVar("T")


class WaitDriver:
    """The waits of one channel, driven. `holds_part` says whether part of a message has come, and its rest has not."""

    def __init__(
        self,
        runtime: Runtime,
        mailbox: Mailbox,
        actor: str,
        channel: str,
        holds_part: Callable[[], bool],
        reading_pause: ReadingPause,
    ) -> None:
        self.loop = runtime.loop
        self.woken = runtime.woken
        self.mailbox = mailbox
        self._runtime = runtime
        self._actor = actor
        self._channel = channel
        self._holds_part = holds_part
        self._reading_pause = reading_pause

    def pending(self, wait: Wait, read: Callable[[Any], T]) -> Pending[T]:
        """The wait, which the mailbox has been given, as something to await; `read` makes the result of it."""
        self.begin(wait)
        if self.mailbox.settled:
            self.wake()
        return Pending(self, wait, read)

    def begin(self, wait: Wait) -> None:
        """A wait has been made."""
        runtime = self._runtime
        deadline_ns = wait.deadline_ns
        # Most deadlines are later than the one that the run's timer is set for: those cost nothing more.
        if deadline_ns is not None and deadline_ns < runtime.deadlines.armed_ns and wait.settled_ns < 0:
            runtime.deadlines.note(deadline_ns)
        wait.actor = self._actor
        wait.channel = self._channel
        runtime.record(wait)  # itself: what stands in the journal is made of it when somebody reads that
        if self._reading_pause.is_paused:
            self._reading_pause.look_again()

    def wake(self) -> None:
        """Tell those whose waits are settled; they may do anything meanwhile, also settle more."""
        mailbox, record = self.mailbox, self._runtime.record
        if mailbox.soft_failures:
            self._tell_soft()
        # A loop, because whoever is told goes on at once, and may settle further waits before it gives way.
        while mailbox.settled:
            settled, mailbox.settled = mailbox.settled, []
            for wait in settled:
                if wait.error is not None:
                    self._fail(wait)
                elif wait.settled_ns >= 0:
                    message = wait.message
                    number = message.number if message is not None else 0
                    record(WaitEnded(at_ns=wait.settled_ns, number=wait.order, outcome="satisfied", message=number))
            # Only when all are in the journal: a step that goes on writes its own entries behind theirs.
            for wait in settled:
                if wait.settled_ns >= 0 and (notify := wait.on_settled) is not None:
                    wait.on_settled = None
                    notify()
                if wait.__class__ is ReplyWait and (notify := wait.on_message) is not None:
                    wait.on_message = None
                    notify()

    def _tell_soft(self) -> None:
        failures, self.mailbox.soft_failures = self.mailbox.soft_failures, []
        for failure in failures:
            self._runtime.tell_soft(failure)

    def _fail(self, wait: Wait) -> None:
        if wait.on_settled is None:  # P7: nobody awaits it yet; if nobody ever does, the run fails with it
            self._runtime.unheard[wait] = None
        if isinstance(wait.error, DeadlinePassed):
            wait.error.explanation.holds_part = self._holds_part()
        self._runtime.journal.write_down(wait)
        self._runtime.record(
            WaitEnded(
                at_ns=wait.settled_ns,
                number=wait.order,
                outcome="failed",
                message=wait.message.number if wait.message is not None else 0,
                error=type(wait.error).__name__,
            )
        )

    def abandon(self, wait: Wait) -> None:
        """Cancel a wait; what it had received and nobody saw goes back into the mailbox."""
        now_ns = self._runtime.now_ns()
        was_pending = wait.is_pending
        self.mailbox.abandon(wait, now_ns)  # P10
        if was_pending:
            self._runtime.record(WaitEnded(at_ns=now_ns, number=wait.order, outcome="cancelled"))
        self.wake()

    def heard(self, wait: Wait) -> None:
        """Someone has been told of the wait's failure."""
        self._runtime.unheard.pop(wait, None)

    @property
    def next_deadline_ns(self) -> int | None:
        """The earliest deadline of what is waited for."""
        return self.mailbox.next_deadline_ns

    def expire(self, now_ns: int) -> None:
        """End the waits whose deadlines have passed."""
        self.mailbox.expire(now_ns)  # P7; what was read before this is in time
        self.wake()

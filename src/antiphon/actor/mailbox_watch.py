"""What seldom concerns anyone after a message: predicates, what was forbidden, what fell out, what is too much."""

from __future__ import annotations

from antiphon.actor.reading_pause import ReadingPause
from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.message import Message
from antiphon.journal import Dropped
from antiphon.runtime.runtime import Runtime

__all__ = ["MailboxWatch"]


class MailboxWatch:
    """Looks after the mailbox of one channel; `reading` pauses when that is full."""

    def __init__(self, runtime: Runtime, driver: WaitDriver, reading: ReadingPause, actor: str, channel: str) -> None:
        self.reading = reading
        self._runtime = runtime
        self._driver = driver
        self._mailbox = driver.mailbox
        self._actor = actor
        self._channel = channel
        self._told_dropped = 0

    def look(self, now_ns: int) -> None:
        """A message was delivered, and the mailbox has news."""
        mailbox = self._mailbox
        self._driver.wake()
        if mailbox.untils:
            mailbox.look_again(now_ns)
            self._driver.wake()
        mailbox.has_news = bool(mailbox.untils)
        violations, mailbox.violations = mailbox.violations, []
        for violation in violations:
            self._runtime.fail(violation)
        self._tell_dropped(now_ns)
        self.reading.begin_if_full()

    def bound_memory(self, latest: Message, size_bytes: int) -> None:
        """A large piece of data has come, of which `latest` is the last message: fewer of the past are remembered."""
        self._runtime.journal.weigh(latest, size_bytes)
        self._mailbox.past.trim()

    def _tell_dropped(self, now_ns: int) -> None:
        """P12: said at the first message that falls out, and then every time the number has doubled."""
        mailbox = self._mailbox
        dropped = mailbox.dropped
        if dropped and dropped >= 2 * self._told_dropped:
            self._told_dropped = dropped
            self._runtime.record(
                Dropped(
                    at_ns=now_ns,
                    actor=self._actor,
                    channel=self._channel,
                    count=dropped,
                    limit=mailbox.limit,
                    # One too many leaves as many as there may be; fewer are left where it was their data.
                    limit_bytes=mailbox.limit_bytes if len(mailbox) < mailbox.limit else None,
                )
            )

"""Why a wait failed: the facts, gathered at the moment of failure.

What follows from them is looked for when it is read, and so are the words (`explanation_text`): a message which comes
soon after its deadline is still told of, and a load that fails thousands of waits does not pay for what nobody reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Literal, Protocol

from antiphon.conversation.awaited import is_same_where
from antiphon.conversation.ending import Ending
from antiphon.conversation.failure_signs import is_name_of_failure, sign_of_failure
from antiphon.conversation.gap import Gap, gaps_within
from antiphon.conversation.history import History
from antiphon.conversation.match import Difference, matches
from antiphon.conversation.message import Message
from antiphon.conversation.names import is_among
from antiphon.conversation.nearest import Nearest, nearest_of
from antiphon.conversation.predicate_text import values_at
from antiphon.conversation.waits import AbsenceWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import Line, in_pieces, plain_text

__all__ = ["Explanation", "FailureKind", "Memory"]

FailureKind = Literal["deadline", "closed", "check", "refused", "accepted", "forbidden", "unproven", "cut off"]
"""The deadline passed, the connection closed, a check failed, a request was refused, or was to be and was not, what was
forbidden came, or did not come, and for a while could not, or nobody knows how it went on."""


class Memory(Protocol):
    """What an explanation reads of a mailbox."""

    @property
    def owner(self) -> str: ...
    @property
    def history(self) -> Iterable[Message]: ...
    @property
    def taken(self) -> Iterable[tuple[int, Wait[Any] | None]]: ...
    @property
    def past(self) -> History: ...
    @property
    def received(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def ending(self) -> Ending | None: ...
    @property
    def gaps(self) -> tuple[Gap, ...]: ...
    @property
    def ignored(self) -> Container[Message]: ...
    @property
    def other(self) -> str: ...


class Explanation:
    """The facts of a failed wait, as they were when it failed; `tell` puts them into words.

    outcome: how it failed.
    culprit: the message that failed a check, refused the request or was forbidden.
    differences: where the culprit does not fit.
    history: the latest messages of the channel, oldest first; `received` is how many had come in all.
    has_memory: whether messages are remembered at all.
    asides: the latest lines that came beside the messages, oldest first.
    gaps: the times since the wait began in which there was no connection, and another one was to follow.
    other: what the other side is called, "the server" or "the client".
    condition: the values that a condition read which never was true, in lines.

    Set by whoever knows more, before the text is made: `mask` takes the secrets out of it; `holds_part` says that part
    of a message had come, and its rest had not; `later` are the messages that came after the failure, `listened_ns` is
    how long it was listened for them; `beside` is what happened on other channels, in lines; `cut_short` is what ended
    the wait before its own deadline, in words, `aftermath` where that stands and what else it ended, in lines.
    """

    def __init__(
        self,
        wait: Wait[Any],
        memory: Memory,
        now_ns: int,
        outcome: FailureKind,
        *,
        tell: Callable[[Explanation], list[Line]],
        culprit: Message | None = None,
        differences: Sequence[Difference] = (),
    ) -> None:
        self.wait = wait
        self.owner = memory.owner
        self.at_ns = now_ns
        self.outcome = outcome
        self.culprit = culprit
        self.differences = list(differences)
        self.ending = memory.ending
        self.gaps = gaps_within(memory.gaps, wait, now_ns)
        self.other = memory.other
        self.received = memory.received
        self.dropped = memory.dropped
        self.limit = memory.limit
        # Copies: the mailbox goes on, and what is told is how it was.
        self.history = tuple(memory.history)
        self.has_memory = bool(memory.past.messages.maxlen)
        self.asides = memory.past.asides
        self.mask: Callable[[str], str] | None = None
        self.holds_part = False
        self.later: Sequence[Message] = ()
        self.listened_ns = 0
        self.beside: Sequence[Line] = ()
        self.condition = values_at(wait.predicate) if isinstance(wait, UntilWait) else []
        self.cut_short: str | None = None
        self.aftermath: Sequence[str] = ()
        self._tell = tell
        self._taken = tuple(memory.taken)
        self._ignored = memory.ignored

    def lines(self) -> list[Line]:
        """The facts in words as they are now, without secrets if there is a mask; in lines of pieces."""
        lines = self._tell(self)
        if self.mask is not None:
            lines = in_pieces(self.mask(plain_text(lines)), lines)
        # After the mask, which would not know a part of a secret. Where ids differ they are told whole, further down.
        return [tuple((_ID.sub(_shortened, text), role) for text, role in lines[0]), *lines[1:]]

    def __str__(self) -> str:
        return plain_text(self.lines())

    @property
    def is_absence(self) -> bool:
        """True if it failed because something did not come."""
        return self.outcome in ("deadline", "closed", "unproven", "cut off")

    @property
    def came(self) -> list[Message]:
        """What came since the wait began and is remembered, oldest first, without the culprit."""
        return [message for message in self.history if message.number > self.wait.after and message is not self.culprit]

    @cached_property
    def fitting(self) -> Message | None:
        """The latest message that fits what was awaited, but went to someone else or came before `since`."""
        wait = self.wait
        if not self.is_absence:
            return None
        if isinstance(wait, Exchange):
            return next((m for m in reversed(self.history) if wait.accepts(m) and m not in wait.messages), None)
        return next((message for message in reversed(self.history) if self._fits(message)), None)

    def _fits(self, message: Message) -> bool:
        """Whether it is what was awaited, whenever it came; what a predicate raises here is not noted."""
        wait = self.wait
        if not isinstance(wait, MessageWait):
            return wait.accepts(message)
        return is_among(message.name, wait.name) and (wait.where is None or matches(wait.where, message.body))

    @property
    def taker(self) -> Wait[Any] | None:
        """The wait that took the fitting message; None if there is none."""
        if self.fitting is None:
            return None
        number = self.fitting.number
        # A message that was given back has several takers; who gave it back has not taken it (P10).
        takers = [wait for taken, wait in self._taken if taken == number and wait is not None]
        if isinstance(self.wait, Exchange):
            # P5: of a reply the request that it belongs to, whoever took it from the mailbox afterwards.
            return next((wait for wait in takers if isinstance(wait, Exchange)), None)
        return next((wait for wait in reversed(takers) if not wait.is_abandoned), None)

    @property
    def is_taker_alike(self) -> bool:
        """True if the wait that took the fitting message was for the same."""
        taker, wait = self.taker, self.wait
        if not isinstance(taker, MessageWait) or not isinstance(wait, MessageWait):
            return False
        return taker.name == wait.name and is_same_where(taker.where, wait.where)

    @property
    def twin(self) -> Message | None:
        """The latest message before the culprit that says exactly the same."""
        culprit = self.culprit
        if culprit is None or isinstance(self.wait, Exchange):
            return None
        earlier = (message for message in reversed(self.history) if message.number < culprit.number)
        return next((m for m in earlier if m.name == culprit.name and m.body == culprit.body), None)

    @property
    def strays(self) -> list[Message]:
        """The replies that came since the wait began and that belong to no request which was open, oldest first."""
        answers = {number for number, wait in self._taken if isinstance(wait, Exchange)}
        # A key that is the name is that of a dialect whose events look like replies.
        return [m for m in self.came if m.reply_to not in (None, m.name) and m.number not in answers]

    @property
    def is_drained(self) -> bool:
        """True if the fitting message was drained."""
        return self.fitting is not None and (self.fitting.number, None) in self._taken

    @property
    def contradiction(self) -> Message | None:
        """What says that something failed and came instead of what was awaited, None if nothing does.

        What came during the wait is asked first, then what came after it, then what lay unread before it.
        """
        wait = self.wait
        if not self.is_absence or isinstance(wait, AbsenceWait):
            return None
        if is_name_of_failure(wait.name if isinstance(wait, MessageWait) else None):
            return None  # a failure is what was wanted
        for messages in (self.came, self.later, reversed(self.unread)):
            failed = [(sign, m) for m in messages if self._is_news(m) and (sign := sign_of_failure(m))]
            if failed:
                return max(failed, key=lambda pair: (self._is_correlated(pair[1]), _SIGNS.index(pair[0])))[1]
        return None

    @property
    def unread(self) -> list[Message]:
        """What lay in the mailbox when the wait began, and came after the last message that anyone took."""
        taken = {number for number, wait in self._taken if wait is None or not wait.is_abandoned}
        heard = max((number for number in taken if number <= self.wait.after), default=0)
        return [m for m in self.history if heard < m.number <= self.wait.after and m.number not in taken]

    @property
    def newer(self) -> Message | None:
        """The first message after one that failed its check that passes it; that was then in the mailbox, too."""
        wait, culprit = self.wait, self.culprit
        if self.outcome != "check" or culprit is None or not isinstance(wait, MessageWait):
            return None
        later = (message for message in self.history if message.number > culprit.number)
        return next((m for m in later if self._fits(m) and matches(wait.check, m.body)), None)

    def is_taken(self, message: Message) -> bool:
        """Whether somebody took the message, and did not give it back."""
        return any(number == message.number and (w is None or not w.is_abandoned) for number, w in self._taken)

    def is_routine(self, message: Message) -> bool:
        """Whether a handler hears the message, or nobody needs to expect it."""
        return message in self._ignored

    def _is_news(self, message: Message) -> bool:
        """Whether nobody has heard it who was to: an error that was expected elsewhere explains nothing here."""
        if self._fits(message):
            return message.is_failure  # of a request that was given up
        if message.is_failure:
            return True
        return not self.is_routine(message) and not (message in self.history and self.is_taken(message))

    def _is_correlated(self, message: Message) -> bool:
        wait = self.wait
        return isinstance(wait, Exchange) and message.reply_to is not None and message.reply_to == wait.key

    @property
    def nearest(self) -> Message | None:
        """Of what came, also before the wait, and does not fit: the message most like what was awaited."""
        return self._nearest.message if self._nearest is not None else None

    @property
    def nearest_differences(self) -> list[Difference]:
        """Where the nearest message differs from what was awaited; the path `NAME_PATH` is that of the name."""
        return self._nearest.differences if self._nearest is not None else []

    @cached_property
    def _nearest(self) -> Nearest | None:
        wait = self.wait
        if not isinstance(wait, MessageWait) or not self.is_absence:
            return None
        counting = [message for message in self.history if message.number > wait.since]
        if self.fitting is not None and not any(m.number > wait.after for m in counting):
            return None  # what there was before is no news beside one that fits
        return nearest_of(wait.name, wait.where, counting, wait.after, self.is_routine, self.is_taken)


def _shortened(found: re.Match[str]) -> str:
    return f"{found[0][:6]}…{found[0][-4:]}"


_SIGNS: Final = ("", "name", "body", "dialect")
_ID: Final = re.compile(r"(?<![0-9A-Za-z-])(?=[0-9A-Za-z-]*\d)[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*(?<=[0-9A-Za-z-]{24})")
"""What is so long, has a digit, and no blank in it, is there to be compared, and not to be read."""

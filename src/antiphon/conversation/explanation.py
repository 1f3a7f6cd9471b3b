"""Why a wait failed: the facts, gathered at the moment of failure.

What follows from them is looked for when it is read, and so are the words (`explanation_text`): a message which comes
soon after its deadline is still told of, and a load that fails thousands of waits does not pay for what nobody reads.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Literal, Protocol

from antiphon.conversation.awaited import is_same_where
from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import Gap, gaps_within
from antiphon.conversation.history import History
from antiphon.conversation.match import Difference, differences
from antiphon.conversation.message import Message
from antiphon.conversation.names import is_among
from antiphon.conversation.waits import Exchange, MessageWait, Wait
from antiphon.errors import Line, in_pieces, plain_text

__all__ = ["NAME_PATH", "Explanation", "FailureKind", "Memory"]

NAME_PATH: Final = "its name"
"""In a difference: not a field of the body, the message's name."""

FailureKind = Literal["deadline", "closed", "check", "refused", "accepted", "forbidden", "unproven"]
"""The deadline passed, the connection closed, a check failed, a request was refused, or was to be and was not, what was
forbidden came, or did not come, and for a while could not."""


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


class Explanation:
    """The facts of a failed wait, as they were when it failed; `tell` puts them into words.

    outcome: how it failed.
    culprit: the message that failed a check, refused the request or was forbidden.
    differences: where the culprit does not fit.
    history: the latest messages of the channel, oldest first; `received` is how many had come in all.
    asides: the latest lines that came beside the messages, oldest first.
    gaps: the times since the wait began in which there was no connection, and another one was to follow.
    mask: takes the secrets out of the text, once whoever performs the run has set it.
    holds_part: part of a message had come by then, and its rest had not; set by whoever knows the connection.
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
        self.received = memory.received
        self.dropped = memory.dropped
        self.limit = memory.limit
        # Copies: the mailbox goes on, and what is told is how it was.
        self.history = tuple(memory.history)
        self.asides = memory.past.asides
        self.mask: Callable[[str], str] | None = None
        self.holds_part = False
        self._tell = tell
        self._taken = tuple(memory.taken)

    def lines(self) -> list[Line]:
        """The facts in words as they are now, without secrets if there is a mask; in lines of pieces."""
        lines = self._tell(self)
        return in_pieces(self.mask(plain_text(lines)), lines) if self.mask is not None else lines

    def __str__(self) -> str:
        return plain_text(self.lines())

    @property
    def is_absence(self) -> bool:
        """True if it failed because something did not come."""
        return self.outcome in ("deadline", "closed", "unproven")

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
        return next((message for found, message in self._ranked if not found), None)

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
    def nearest(self) -> Message | None:
        """Of what came, also before the wait, and does not fit: the message most like what was awaited."""
        return self._nearest[0]

    @property
    def nearest_differences(self) -> list[Difference]:
        """Where the nearest message differs from what was awaited; the path `NAME_PATH` is that of the name."""
        return self._nearest[1]

    @cached_property
    def _nearest(self) -> tuple[Message | None, list[Difference]]:
        wait = self.wait
        if not isinstance(wait, MessageWait):
            return None, []
        unlike = [pair for pair in self._ranked if pair[0] and pair[1].number > wait.since]
        if unlike:
            found, message = min(unlike, key=lambda pair: len(pair[0]))
            return message, found
        # A typo in a name: nothing of that name came, and something nearly of that name did.
        if not self._ranked and wait.name is not None and self.is_absence:
            names = wait.name if isinstance(wait.name, tuple) else (wait.name,)
            alike = {_alike(name, (message.name for message in self.history)): name for name in names}
            for message in reversed(self.history):
                if message.name in alike:
                    return message, [Difference(NAME_PATH, alike[message.name], message.name)]
        return None, []

    @cached_property
    def _ranked(self) -> list[tuple[list[Difference], Message]]:
        """The remembered messages of the awaited name, the latest first, with where they differ."""
        wait = self.wait
        if not isinstance(wait, MessageWait) or not self.is_absence:
            return []
        named = [m for m in reversed(self.history) if is_among(m.name, wait.name)]
        return [([] if wait.where is None else differences(wait.where, m.body), m) for m in named]


def _alike(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that is this one but for its case, or nearly this one."""
    folded = {other[:_LONGEST_NAME].casefold(): other for other in names}
    found = difflib.get_close_matches(name[:_LONGEST_NAME].casefold(), folded, n=1, cutoff=0.8)
    return folded[found[0]] if found else None


_LONGEST_NAME: Final = 80

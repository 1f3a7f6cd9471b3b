"""What a mailbox can be asked to wait for: five kinds of wait, each plain data and an outcome.

A wait is made, given to a mailbox, and settled by it exactly once: satisfied, or failed with an error. Nothing here
knows time or tasks; whoever drives the mailbox sets `on_settled` and calls it after the mailbox has finished its own
change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import msgspec

from antiphon.conversation.awaited import WaitKind, describe_awaited, is_predicate
from antiphon.conversation.match import matches
from antiphon.conversation.message import Message

__all__ = ["AbsenceWait", "Ban", "CloseWait", "MessageWait", "ReplyWait", "UntilWait", "Wait", "surrender"]


class Wait(msgspec.Struct, eq=False, kw_only=True):
    """What every wait has: when it was made, until when it may last, where it stands in the scenario, how it ended.

    Given by whoever makes it: `made_ns`; `deadline_ns`, None for a wait without one; `source`, FILE:LINE of the code
    that waits; `step`, the business step around it (a `StepStarted`).

    Set by the mailbox: `order`, which grows as waits are made and names the wait in the journal; `after`, how many
    messages had come by then; `message`, what satisfied it; `settled_ns`, below 0 while it is pending; `error`;
    `is_abandoned`; `late_ns`, by how much what was awaited came after the deadline, if it did.

    Set by whoever drives the mailbox: `actor` and `channel`, who waits and where; `on_settled`; `is_seen`, when the
    outcome has been given to whoever waits, for what has been seen is not given back.
    """

    kind: ClassVar[WaitKind]

    made_ns: int
    deadline_ns: int | None
    source: str | None = None
    step: Any = None
    order: int = 0
    after: int = 0
    message: Message | None = None
    settled_ns: int = -1
    error: BaseException | None = None
    is_abandoned: bool = False
    late_ns: int = 0
    on_settled: Callable[[], None] | None = None
    is_seen: bool = False
    actor: str = ""
    channel: str = ""

    def __repr__(self) -> str:
        state = "pending" if self.is_pending else "abandoned" if self.is_abandoned else self.error or "satisfied"
        return f"<{type(self).__name__} {self.order} {self.describe()}: {state!s}>"

    @property
    def is_pending(self) -> bool:
        """True until it is settled or abandoned."""
        return self.settled_ns < 0

    def describe(self) -> str:
        """What is waited for, on one line."""
        raise NotImplementedError

    def accepts(self, message: Message, /) -> bool:
        """Whether `message` is (one of) what is waited for, wherever it stands and whoever has taken it."""
        raise NotImplementedError


class MessageWait(Wait):
    """For one message of a name (None: of any) whose body fits `where`, after number `since`; `check` judges it.

    A `where` that is a predicate and raises does not fit; `raised` is the latest message on which it did, and what.
    """

    kind = "message"

    name: str | None
    where: Any = None
    check: Any = None
    since: int = 0
    raised: tuple[Message, Exception] | None = None

    def describe(self) -> str:
        return describe_awaited("message", self.name, self.where)

    def accepts(self, message: Message, /) -> bool:
        if (self.name is not None and self.name != message.name) or message.number <= self.since:
            return False
        return self.where is None or _fits(self, message, if_raised=False)


class AbsenceWait(Wait):
    """For the deadline to pass without a message of that name whose body fits `where`, after number `since`.

    A `where` that is a predicate and raises has not ruled the message out: it counts as fitting; `raised` tells why.
    """

    kind = "absence"

    name: str | None
    where: Any = None
    since: int = 0
    raised: tuple[Message, Exception] | None = None

    def describe(self) -> str:
        return describe_awaited("absence", self.name, self.where)

    def accepts(self, message: Message, /) -> bool:
        if (self.name is not None and self.name != message.name) or message.number <= self.since:
            return False
        return self.where is None or _fits(self, message, if_raised=True)


class Ban:
    """A `forbid` in force: no message of this name whose body fits `where` may come."""

    __slots__ = ("source", "wait")

    def __init__(self, wait: AbsenceWait) -> None:
        self.wait = wait
        self.source = wait.source


class ReplyWait(Wait):
    """For the replies to one request, up to the last.

    `key` is what the codec gave the request. `messages` are the replies so far, of which whoever iterates the exchange
    has seen the first `seen`; `message` is the answer among them: the latest that says it is one, else the latest.
    `several` lists them if there is more than one: most requests have one reply, and a list is one thing more that the
    collector walks as long as the wait is kept. `on_message` is called when a reply has come that is not the last.
    """

    kind = "reply"

    request: Message
    check: Any = None
    several: list[Message] | None = None
    seen: int = 0
    on_message: Callable[[], None] | None = None

    @property
    def key(self) -> Hashable:
        return self.request.asks

    @property
    def messages(self) -> list[Message]:
        if self.several is not None:
            return self.several
        return [self.message] if self.message is not None else []

    def add(self, further: Message, answer: Message) -> None:
        """A reply has come after the first; `answer` has been the answer so far."""
        self.several = self.messages
        self.several.append(further)
        # What comes after the answer, as a status that ends the exchange, is no better answer.
        if further.is_answer or not answer.is_answer:
            self.message = further

    def describe(self) -> str:
        return describe_awaited("reply", self.request.name)

    def accepts(self, message: Message, /) -> bool:
        # P5: an id may be 0, so only None is no key; what came before the request is a reply to another of this id.
        return message.reply_to is not None and message.reply_to == self.request.asks and message.number > self.after


class UntilWait(Wait):
    """For a predicate without arguments to become true; it is looked at after every message. `place` is where it is
    written, "" if that is not known."""

    kind = "until"

    predicate: Callable[[], Any]
    place: str

    @property
    def name(self) -> str | None:
        return getattr(self.predicate, "__name__", None)

    def describe(self) -> str:
        return describe_awaited("until", self.name, place=self.place)

    def accepts(self, _message: Message, /) -> bool:
        return False


class CloseWait(Wait):
    """For the connection to close, with `code` if that is given."""

    kind = "close"

    code: int | None

    def describe(self) -> str:
        return describe_awaited("close", code=self.code)

    def accepts(self, _message: Message, /) -> bool:
        return False


def surrender(wait: Wait) -> list[Message]:
    """Take from a wait what it has received and nobody has seen."""
    if wait.is_seen:
        return []
    if isinstance(wait, ReplyWait):
        messages = wait.messages
        wait.several, wait.message = messages[: wait.seen], None
        return messages[wait.seen :]
    message, wait.message = wait.message, None
    return [message] if message is not None else []


def _fits(wait: MessageWait | AbsenceWait, message: Message, *, if_raised: bool) -> bool:
    where = wait.where
    if not is_predicate(where):
        return matches(where, message.body)
    # A predicate that raises says neither yes nor no. For `expect` the safe answer is to wait on, for an absence it is
    # to fail (P9): each keeps what happened, so that a slip in the predicate is told as one.
    try:
        return bool(where(message.body))
    except Exception as error:
        wait.raised = (message, error)
        return if_raised

"""What a mailbox can be asked to wait for: five kinds of wait, each plain data, an outcome, and what a task awaits.

A wait is made, given to a mailbox, and settled by it exactly once: satisfied, or failed with an error. Nothing here
knows time or tasks: a wait is awaited by way of its `driver`, who drives the mailbox, lets tasks sleep and resumes them
after the mailbox has finished its own change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Generator, Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec

from antiphon.conversation.awaited import WaitKind, describe_awaited, is_predicate
from antiphon.conversation.ending import Ending
from antiphon.conversation.match import matches
from antiphon.conversation.message import Message
from antiphon.conversation.names import B, Names
from antiphon.conversation.quick_writes import quick_writes
from antiphon.conversation.wording import own_words
from antiphon.errors import ScenarioError

__all__ = [
    "AbsenceWait",
    "Ban",
    "CloseWait",
    "Driver",
    "Exchange",
    "MessageWait",
    "Replies",
    "UntilWait",
    "Wait",
    "surrender",
]

T = TypeVar("T")


class Driver(Protocol):
    """Whoever drives a mailbox, as its waits know it: who waits on which channel, and how a task awaits a wait."""

    actor: str
    channel: str

    new_sleeper: Callable[[], Any]
    """Makes what a task sleeps on who awaits a wait: a future as its event loop knows them, of which `waits` are the
    waits that are given up with it. The task is resumed once there is something new about one of them."""

    def cancel(self, wait: Wait[Any], /) -> bool:
        """Give the wait up, and tell those who await it; False if it is settled already."""
        ...

    def give_up(self, wait: Wait[Any], /) -> None:
        """Nobody awaits the wait any more."""
        ...

    def leave(self, wait: Exchange[Any], /) -> None:
        """Whoever asked does not want the replies that are still to come."""
        ...

    def walk_away(self, wait: Exchange[Any], /) -> None:
        """Whoever iterated the replies has stopped before the last of them; called from anywhere, in any thread."""
        ...

    def expect_refusal(self, wait: Exchange[Any], code: int | str | None, /) -> None:
        """A refusal is what is wanted, with that code if it is given."""
        ...

    def trouble(self, wait: Wait[Any], /) -> BaseException:
        """What to raise for a wait that has no result."""
        ...

    def any_of(self, waits: Collection[Wait[Any]], /) -> Awaitable[None]:
        """To be awaited until one of the waits, which are pending, is settled, or has a further reply."""
        ...

    def call_when_done(self, wait: Wait[Any], function: Callable[[Any], object], context: Any, /) -> None:
        """Have the event loop call `function(wait)` once the wait is settled."""
        ...

    def call_no_more(self, wait: Wait[Any], function: Callable[[Any], object], /) -> int:
        """Take that back; returns how often it was to be called."""
        ...


class Wait(msgspec.Struct, Generic[T], eq=False, kw_only=True):
    """A wait in progress, or over: await it for what was waited for. Its deadline runs from the moment it was made.

    Awaited, it raises ExpectationFailed or a child of it when the wait fails. It may be awaited any number of times,
    also by several tasks; `done`, `result`, `exception`, `cancel`, `cancelled` and `add_done_callback` are those of an
    `asyncio.Future`.

    Given by whoever makes it: `made_ns`; `deadline_ns`, None for a wait without one; `source`, FILE:LINE of the code
    that waits; `step`, the business step around it; `driver`.

    Set by the mailbox: `order`, which grows as waits are made and names the wait in the journal; `after`, how many
    messages had come by then; `message`, what satisfied it; `settled_ns`, below 0 while it is pending; `error`;
    `is_abandoned`; `late_ns`, by how much what was awaited came after the deadline, if it did.

    `is_seen` says that the outcome has been given to whoever waits, for what has been seen is not given back.
    `sleeper` is the driver's: what resumes those who await it, None while nobody does.
    """

    kind: ClassVar[WaitKind]

    made_ns: int
    deadline_ns: int | None
    source: str | None = None
    step: Any = None
    driver: Driver = None  # type: ignore[assignment]  # none in a mailbox that is driven by hand
    order: int = 0
    after: int = 0
    message: Message | None = None
    settled_ns: int = -1
    error: BaseException | None = None
    is_abandoned: bool = False
    late_ns: int = 0
    is_seen: bool = False
    sleeper: Any = None

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

    if not TYPE_CHECKING:  # to a type checker it stays an error

        def __getitem__(self, key):
            """A forgotten `await`, which is otherwise a TypeError that names a class nobody knows."""
            raise ScenarioError(
                f"this is a wait for {self.describe()}, and not yet what it waits for, which may have {key!r}",
                hint=f"await it first: (await self.expect(…))[{key!r}]",
            )

    # -- what whoever waits does with it ------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, T]:
        while self.settled_ns < 0:
            sleeper = self.sleeper
            if sleeper is None:
                new_sleeper = self.driver.new_sleeper
                sleeper = self.sleeper = new_sleeper()
                sleeper.waits = (self,)
            sleeper._asyncio_future_blocking = True  # how a future is awaited by its task: see `asyncio.isfuture`
            try:
                yield sleeper
            except BaseException:
                self.driver.give_up(self)  # also where nobody cancelled it, but closed the coroutine
                raise
        message: Any = self.message
        if message is None or self.error is not None:
            return self.result()
        # The same for what nearly every wait gets: what has a message was neither given up nor failed.
        self.is_seen = True
        return message  # type: ignore[no-any-return]

    def done(self) -> bool:
        """True once there is a result or an error, or it was given up."""
        return self.settled_ns >= 0

    def result(self) -> T:
        """The result. Raises the error there is instead, CancelledError, or InvalidStateError while it is pending."""
        if self.error is not None or self.is_abandoned or self.settled_ns < 0:
            raise self.driver.trouble(self)
        self.is_seen = True
        found: Any = self.message  # None where no message is waited for
        return found  # type: ignore[no-any-return]

    def exception(self) -> BaseException | None:
        """The error, None for a result. Raises CancelledError, or InvalidStateError while it is pending."""
        if self.error is not None:
            return self.driver.trouble(self)
        self.result()
        return None

    def cancelled(self) -> bool:
        """True if it was given up."""
        return self.is_abandoned

    def cancel(self, msg: Any = None) -> bool:
        """Give up; False if it is settled. What had come for it and was not seen goes back into the mailbox."""
        return self.driver.cancel(self)

    def add_done_callback(self, function: Callable[[Any], object], *, context: Any = None) -> None:
        """Have the event loop call `function(self)` once it is settled or given up."""
        self.driver.call_when_done(self, function, context)

    def remove_done_callback(self, function: Callable[[Any], object]) -> int:
        """Do not have it called any more; returns how often it had been added."""
        return self.driver.call_no_more(self, function)


@quick_writes
class MessageWait(Wait[Message]):
    """For one message of that name, or of one of several, whose body fits `where`, after number `since`.

    `check` judges it. A `where` that is a predicate and raises does not fit; `raised` is the latest message on which it
    did, and what.
    """

    kind = "message"

    name: Names
    where: Any = None
    check: Any = None
    since: int = 0
    raised: tuple[Message, Exception] | None = None

    def describe(self) -> str:
        return describe_awaited("message", self.name, self.where)

    def require_answers(self, whose: str) -> None:
        """Raise ScenarioError if the predicate raised: that of a word of this name, for which it must judge each
        message."""
        if self.raised is not None:
            message, error = self.raised
            raise ScenarioError(
                f"the where= of {whose} raised {type(error).__name__}: {own_words(error)}, on {message.name}",
                hint="a pattern, as where={'state': 'ready'}, does not raise when a field is missing",
            ) from error

    def accepts(self, message: Message, /) -> bool:
        name = self.name
        if name is not None and name != message.name and (name.__class__ is not tuple or message.name not in name):
            return False
        if message.number <= self.since:
            return False
        return self.where is None or _fits(self, message, if_raised=False)


@quick_writes
class AbsenceWait(Wait[None]):
    """For the deadline to pass without a message of such a name whose body fits `where`, after number `since`.

    A `where` that is a predicate and raises has not ruled the message out: it counts as fitting; `raised` tells why.
    """

    kind = "absence"

    name: Names
    where: Any = None
    since: int = 0
    raised: tuple[Message, Exception] | None = None

    def describe(self) -> str:
        return describe_awaited("absence", self.name, self.where)

    def accepts(self, message: Message, /) -> bool:
        name = self.name
        if name is not None and name != message.name and (name.__class__ is not tuple or message.name not in name):
            return False
        if message.number <= self.since:
            return False
        return self.where is None or _fits(self, message, if_raised=True)


class Ban:
    """A `forbid` in force: no message of such a name whose body fits `where` may come."""

    __slots__ = ("source", "wait")

    def __init__(self, wait: AbsenceWait) -> None:
        self.wait = wait
        self.source = wait.source


@quick_writes
class Exchange(Wait[B]):
    """A request and its replies: await it for the answer, or iterate it for every message that belongs to it.

    `async for` ends after the last reply; a refusal is raised when it comes. `async with self.ask(…) as replies` leaves
    the exchange at its end (see `leave`). Whoever breaks out of `async for` has left it, too: in the next turn of the
    event loop if the dialect has a word for that and nobody awaits it by then; without such a word it may still be
    awaited, and as long as nobody does, nothing that comes of it matters.

    `request` is what was sent, and its `asks` the key of the replies. `messages` are the replies so far, of which
    whoever iterates has seen the first `seen`; `message` is the answer among them: the latest that says it is one, else
    the latest. `several` lists them if there is more than one: most requests have one reply, and a list is one thing
    more that the collector walks as long as the wait is kept. `is_left` says that nobody wants more of them.
    """

    kind = "reply"

    request: Message
    check: Any = None
    several: list[Message] | None = None
    seen: int = 0
    is_left: bool = False

    @property
    def key(self) -> Hashable:
        return self.request.asks

    @property
    def messages(self) -> list[Message]:
        """The replies so far, oldest first."""
        if self.several is not None:
            return list(self.several)
        return [self.message] if self.message is not None else []

    @property
    def given_check(self) -> Any:
        """The check that the answer is judged by, as whoever asked gave it."""
        return self.check

    def is_judged_by(self, check: Any) -> None:
        """It is a message that is awaited, and judged by that check."""
        self.check = check

    def refused(self, code: int | str | None = None) -> Exchange[Message]:
        """Say that the request is to be refused: await what this gives for the refusal, which is a message.

        `code` is what the refusal must say, a number or a word as the peer has it (`1` and `"1"` are the same); a
        `check` that was given judges the refusal. Raises CheckFailed when it is awaited and the request was accepted.
        """
        self.driver.expect_refusal(self, code)
        return self  # type: ignore[return-value]  # whatever its answer was to be, a refusal is a message

    def leave(self) -> None:
        """Want no more of the replies: the peer is told so if the dialect has a word for it (`Codec.cancel`).

        Nothing of it is left behind: replies that were not seen, or that still come, are in the journal only. One that
        is over stays as it is.
        """
        self.driver.leave(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.leave()

    def __aiter__(self) -> Replies:
        return Replies(self)

    def add(self, further: Message) -> None:
        """A reply has come after the first."""
        answer = self.message
        assert answer is not None
        if self.several is None:
            self.several = [answer]
        self.several.append(further)
        # What comes after the answer, as a status that ends the exchange, is no better answer.
        if further.is_answer or not answer.is_answer:
            self.message = further

    def describe(self) -> str:
        return describe_awaited("reply", self.request.name)

    def accepts(self, message: Message, /) -> bool:
        # P5: an id may be 0, so only None is no key; what came before the request is a reply to another of this id.
        return message.reply_to is not None and message.reply_to == self.request.asks and message.number > self.after


class Replies:
    """The replies of an exchange, one by one, as they come.

    Not a generator: one that is thrown away in the middle is ended by the event loop, some turns later.
    """

    __slots__ = ("_exchange", "_is_under_way")

    def __init__(self, exchange: Exchange[Any]) -> None:
        self._exchange = exchange
        self._is_under_way = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        exchange = self._exchange
        self._is_under_way = False
        while not exchange.is_seen:  # whoever has awaited it has seen all there was
            several = exchange.several
            if exchange.seen < (len(several) if several is not None else exchange.message is not None):
                exchange.seen += 1
                self._is_under_way = True
                return several[exchange.seen - 1] if several is not None else exchange.message  # type: ignore[return-value]
            if exchange.settled_ns >= 0:
                break
            await exchange.driver.any_of((exchange,))
        if exchange.error is not None:
            raise exchange.driver.trouble(exchange)
        raise StopAsyncIteration

    def __del__(self) -> None:
        if self._is_under_way and self._exchange.is_pending:
            self._exchange.driver.walk_away(self._exchange)


@quick_writes
class UntilWait(Wait[None]):
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

    def look(self, owner: str) -> tuple[bool, ScenarioError | None]:
        """Whether it is over: the predicate is true or has raised, which is the fault of who wrote it."""
        try:
            return bool(self.predicate()), None
        except Exception as error:
            failure = ScenarioError(
                f"{owner or 'the channel'} was to wait {self.describe()}, which raised {type(error).__name__}: "
                f"{own_words(error)}",
                place=self.source,
                hint="the predicate is looked at from the beginning on: give what it reads a value before the wait",
            )
            failure.__cause__ = error
            return True, failure

    def accepts(self, _message: Message, /) -> bool:
        return False


@quick_writes
class CloseWait(Wait[Ending]):
    """For the connection to close, with `code` if that is given; `ending` is how it did."""

    kind = "close"

    code: int | None
    ending: Ending | None = None

    def result(self) -> Ending:
        if self.error is not None or self.ending is None:
            raise self.driver.trouble(self)
        self.is_seen = True
        return self.ending

    def describe(self) -> str:
        return describe_awaited("close", code=self.code)

    def accepts(self, _message: Message, /) -> bool:
        return False


def surrender(wait: Wait[Any]) -> list[Message]:
    """Take from a wait what it has received and nobody has seen, and what somebody may still want."""
    if wait.is_seen or (isinstance(wait, Exchange) and wait.is_left):
        return []
    if isinstance(wait, Exchange):
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

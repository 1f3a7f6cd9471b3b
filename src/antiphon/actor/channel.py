"""One connection of an actor: a transport speaking a dialect, with a mailbox, in the journal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from multidict import CIMultiDict

from antiphon.actor.asking import Ask, asking, refusing
from antiphon.actor.beside import Beside, thrown_away
from antiphon.actor.codec_failure import decoder_of
from antiphon.actor.framed import Framed
from antiphon.actor.handlers import Dispatcher, Handlers
from antiphon.actor.housekeeping import Housekeeping
from antiphon.actor.mailbox_watch import MailboxWatch
from antiphon.actor.opening_failure import tell_of_opening
from antiphon.actor.party import Party
from antiphon.actor.protocol_opening import refusal_of
from antiphon.actor.reading_pause import ReadingPause
from antiphon.actor.receiving import receiving
from antiphon.actor.sending import DEFAULT_MAX_UNSENT_BYTES, Sender
from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.ending import Ending
from antiphon.conversation.mailbox import DEFAULT_LIMIT_BYTES, Mailbox
from antiphon.conversation.message import Data, Message
from antiphon.conversation.names import B, Names, Wanted
from antiphon.conversation.strict import Ignored
from antiphon.conversation.vocabulary import Vocabulary
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.dialect.codec import Dialect
from antiphon.dialect.framing import Framing
from antiphon.dialect.meeting import Meeting, Side
from antiphon.errors import (
    ConnectFailed,
    ErrorReply,
    OpeningRefused,
    ScenarioError,
)
from antiphon.runtime.call_site import caller, place_of
from antiphon.runtime.deadlines import nanoseconds
from antiphon.runtime.runtime import STEP, Runtime
from antiphon.transport.interface import Connection, Opening, Transport

__all__ = ["DEFAULT_MAX_UNSENT_BYTES", "Channel", "Mark"]

Mark = int
"""A moment in the stream of received messages: how many had come."""


class Channel:
    """One connection of an actor.

    `address`, `headers` and `subprotocols` are used when it opens: change them before. `within_s` is the deadline of
    waits that give none. `ending` tells how the last connection ended, None while there was none.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        *,
        actor: str,
        party: Party,
        dialect: Dialect,
        framing: Framing | None = None,
        vocabulary: Vocabulary,
        transport: Transport | None = None,
        address: Callable[[], str] | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: tuple[str, ...] = (),
        within_s: float = 10.0,
        open_within_s: float = 10.0,
        handlers: Handlers | None = None,
        ignored: Iterable[Names] = (),
        mailbox_limit: int = 10_000,
        mailbox_bytes: int = DEFAULT_LIMIT_BYTES,
        when_full: str = "drop",
        max_unsent_bytes: int = DEFAULT_MAX_UNSENT_BYTES,
        allow_half_open: bool = False,
        history: int = 64,
    ) -> None:
        self.name = name
        self.actor = actor
        self.loop = runtime.loop
        self.open_within_s = open_within_s
        self.headers: CIMultiDict[str] = CIMultiDict(headers or {})
        self.subprotocols = subprotocols
        self.subprotocol = ""
        handlers = handlers if handlers is not None else Handlers()
        self.ignored = Ignored(handlers.named, handlers.other is not None, ignored)
        self.mailbox = Mailbox(
            f"{actor}.{name}",
            limit=mailbox_limit,
            limit_bytes=mailbox_bytes,
            keeps_all=when_full == "pause",
            history=history,
            ignored=self.ignored,
            next_order=runtime.next_wait,
        )
        self._runtime = runtime
        self._dispatcher = Dispatcher(runtime, self, handlers)
        self._heard = handlers.heard
        self._dialect = dialect
        self._framing = framing
        self._transport = transport
        self._resolve_address = address
        self._now_ns = runtime.now_ns
        self._record = runtime.record
        self._opening_ns: int | None = None
        self._meeting: Meeting | None = None
        self._party = party
        self._sender = Sender(runtime, self.mailbox, vocabulary, actor, name, max_unsent_bytes)
        reading = ReadingPause(self.mailbox, self._sender)
        self._driver = WaitDriver(runtime, self.mailbox, actor, name, self._sender.holds_part, reading)
        self.within_s = within_s
        runtime.deadlines.add(self._driver)  # P7: also of what is awaited before it is open, or when it cannot be again
        self._watch = MailboxWatch(runtime, self._driver, reading, actor, name)
        self._beside = Beside(runtime, self._driver, self._sender, self._dispatcher, allow_half_open)
        self.on_protocol, self.on_aside = self._beside.on_protocol, self._beside.on_aside
        self._note = self._driver.note if when_full == "pause" else runtime.inlet.begun
        self.exchange: Ask = refusing(self.mailbox)
        """What `ask` does, for whoever has taken its arguments already, and was called by the author."""

    def __repr__(self) -> str:
        return f"<Channel {self.mailbox.owner}: {'open' if self.is_open else self.ending or 'not open'}>"

    @property
    def is_open(self) -> bool:
        """True while there is a connection."""
        return self._sender.connection is not None

    @property
    def connection(self) -> Connection | None:
        """The transport's own connection while it is open, for what only that transport can do."""
        return self._sender.connection

    @property
    def ending(self) -> Ending | None:
        """How the last connection ended."""
        ending = self.mailbox.ending
        return ending if ending is None or not ending.is_half else None

    # -- opening and closing ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect; an open channel stays as it is.

        Raises ConnectFailed, or UpgradeRefused with the status, headers and body of the refusal.
        """
        if self.is_open:
            return
        if self._transport is None or self._resolve_address is None:
            raise ScenarioError(f"{self.mailbox.owner} is accepted, not opened: it has no address")
        meeting = self.meet("client", self._resolve_address(), self.headers, self.subprotocols)
        opening = Opening(headers=meeting.headers, subprotocols=meeting.subprotocols, within_s=self.open_within_s)
        self._opening_ns = self._now_ns()
        try:
            await self._transport.connect(meeting.address, opening, self)
            await self._housekeeping.until_ready(meeting.address, self.open_within_s)
        except ConnectFailed as failed:
            self._beside.not_opened(failed)
            tell_of_opening(failed, self.mailbox.owner, meeting)
            raise
        self._party.previous = self._sender.codec

    async def reconnect(self) -> None:
        """Close if open, and connect again, with the address and headers as they are now.

        What was received stays in the mailbox; what ended the old connection stays in the journal.
        """
        await self.close()
        await self.open()

    def reopened(self, *, within_s: float | None = None) -> Wait[None]:
        """Wait until a channel with `reopens` is open, and `@on.reopened` is done; at once where it is.

        Raises ChannelClosed if it is given up or closed, ScenarioError on a channel that is not opened by itself.
        """
        text = f"{self.mailbox.owner} is not opened again by itself"
        raise ScenarioError(text, place=caller(), hint="Link(…, reopens=Backoff()); reconnect() does it by hand")

    async def expect_refusal(self, code: int | str | None = None) -> OpeningRefused:
        """Try to open, expecting the peer to refuse, with that HTTP status or code of the dialect; gives the refusal.

        It is an UpgradeRefused, with status, headers and body, where the upgrade was refused.
        """
        return await refusal_of(self, code)

    def close(self, code: int | None = None, reason: str = "") -> Wait[Ending]:
        """Say goodbye now, with that code (WebSocket: 1000 if none is given) and reason; await it for how it ended.

        Raises ScenarioError for a code or reason that cannot be sent.
        """
        # No deadline: how long it may take depends on how much has to leave first, and the transport sees to its end.
        goodbye = self._expect_close(None, self._made(math.inf))
        if self._sender.connection is not None:
            try:
                self._housekeeping.part(code, reason)
            except ValueError as error:
                self._driver.abandon(goodbye)
                raise ScenarioError(f"{self.mailbox.owner} cannot be closed like that: {error}") from error
        elif goodbye.is_pending:  # it was never open
            goodbye.ending = Ending(by="us")
            self._driver.abandon(goodbye)
        return goodbye

    def finish(self) -> None:
        """Say no more, and hear on. Raises ScenarioError without a connection, or on one whose ways end together."""
        self._beside.finish()

    def abort(self) -> None:
        """End the connection now, without a goodbye."""
        if self._sender.connection is not None:
            self._sender.connection.abort()

    def meet(self, side: Side, address: str, headers: Mapping[str, str], subprotocols: Sequence[str]) -> Meeting:
        """A connection is on its way: make its codec, which may change what it is opened with."""
        if self.mailbox.ending is not None and self.mailbox.gap is None:
            self.mailbox.reopen()
        meeting, codec = self._party.meet(self._dialect, side, address, headers, subprotocols)
        self._meeting, self._sender.codec = meeting, codec
        # What a codec is like is looked at once, and not for each message.
        framed = self._framed = Framed(self._framing, self._dialect, codec) if self._framing is not None else None
        decode = framed.decode if framed is not None else decoder_of(self._dialect, codec)
        self._housekeeping = Housekeeping(
            self._runtime, self._sender, self._dialect, self._watch.reading, side, self._dispatcher.stop
        )
        self._driver.tell_given_up = self._housekeeping.give_up
        self._receive = receiving(
            self._runtime, self._driver, self._watch, self._dispatcher, self._heard, self._housekeeping, decode
        )
        return meeting

    # -- what the transport calls -------------------------------------------------------------------------------------

    def on_opened(self, connection: Connection) -> None:
        meeting, self._meeting = self._meeting or self.meet("server", "", {}, ()), None
        self.subprotocol = meeting.subprotocol = connection.subprotocol
        if self._framed is not None:
            connection = self._framed.carry(connection)
        self._sender.begin(connection)
        self.exchange = asking(self._runtime, self._sender, self._driver, connection, self._note)
        self._beside.opened(meeting, self._opening_ns)
        self._housekeeping.begin()
        self._dispatcher.opened()

    # In C, for a transport may ask for it with each piece of data.
    on_data = property(attrgetter("_receive"), doc="Called with all that arrives.")

    def on_finished(self) -> bool:
        connection, driver = self._sender.connection, self._driver
        if connection is not None:
            self.exchange = asking(self._runtime, self._sender, driver, connection, driver.note_unanswered)
        return self._beside.on_finished()

    def on_ended(self, ending: Ending) -> None:
        now_ns = self._now_ns()
        self._sender.connection = None
        self._watch.reading.is_paused = False  # it was this connection that was
        self.exchange = refusing(self.mailbox)
        ending = self._housekeeping.end(ending)
        self._beside.ended(ending, now_ns)
        self._end_waits(ending, now_ns)  # P8; told below, when handlers have had their say
        self._dispatcher.closed(ending)
        self._driver.wake()
        if ending.unsent_bytes:
            self._runtime.fail(thrown_away(self.mailbox.owner, ending))

    def _end_waits(self, ending: Ending, now_ns: int) -> None:
        self.mailbox.close(ending, now_ns)

    # -- saying -------------------------------------------------------------------------------------------------------

    def send(self, name: object, body: Any = None, /, **fields: Any) -> None:
        """Say it: a message of that name, whose body is `body` or is made of `fields`; or an instance of its type.

        Raises ChannelClosed when there is no connection, ScenarioError when such a message cannot be said.
        """
        self._sender.send(name, body, fields)

    def send_data(self, data: Data) -> None:
        """Say something that the dialect would not: `data` as it is, text for `str` and binary for `bytes`."""
        self._sender.send_data(data)

    def ask(
        self,
        name: object,
        body: Any = None,
        /,
        *,
        reply: type[B] | tuple[type[B], ...] | None = None,
        provisional: Any = None,
        check: Any = None,
        within_s: float | None = None,
        **fields: Any,
    ) -> Exchange[B]:
        """Send a request now, as `send` does; await what this returns for its answer, or iterate it for every reply.

        Only replies to this request count. An error reply raises RequestRefused at once; an answer that does not fit
        `check`, or the type `reply` that is to be given, CheckFailed. `provisional` replies (of these names, or whose
        body fits this pattern) are followed by others. The deadline runs from the sending.
        """
        make = Exchange if reply is None and provisional is None else self._sender.vocabulary.asks(reply, provisional)
        return self.exchange(name, body, fields, check, within_s, make)

    def answer(self, request: Message, body: Any = None, /, *, is_last: bool = True, **fields: Any) -> bool:
        """Answer a received request with that body; nothing happens if the connection that it came on is gone.

        `is_last` is False if other answers follow; gives whether this one is the last, as the dialect says it.
        """
        return self._sender.answer(request, body, fields, is_last)

    def refuse(self, request: Message, code: int | str, message: str, /, **fields: Any) -> None:
        """Answer a received request with the dialect's failure; nothing happens if its connection is gone."""
        self.refuse_with(request, ErrorReply(code, message, **fields))

    def refuse_with(self, request: Message, refusal: ErrorReply) -> None:
        """The same, with a refusal that was raised."""
        self._sender.refuse(request, refusal)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """What is said inside the `with` goes out together at its end, in one frame where the dialect has that.

        If what is inside raises, or it cannot go out, nothing was said, and what was asked is given up.
        """
        messages: list[Message] = []
        try:
            with self._sender.batch(messages):
                yield
        except BaseException:
            self._driver.withdraw(messages)
            raise

    @property
    def unsent_bytes(self) -> int:
        """How much of what was said has not left, because the peer does not read so fast."""
        return self._sender.connection.unsent_bytes if self._sender.connection is not None else 0

    async def flushed(self, *, within_s: float | None = None) -> None:
        """Wait until all that was said has left; `within_s` as for `expect`.

        Raises DeadlinePassed, or ChannelClosed if the connection ends before.
        """
        await self._sender.flushed(self._driver.within_ns if within_s is None else nanoseconds(within_s))

    async def ping(self, *, within_s: float | None = None) -> float:
        """The seconds that a sign of life of the peer takes, by the wire's own means: WebSocket's ping and pong.

        Raises as `flushed` does; ScenarioError where the wire has no such thing. `within_s` is as there.
        """
        return await self._sender.ping(self._driver.within_ns if within_s is None else nanoseconds(within_s))

    # -- waiting ------------------------------------------------------------------------------------------------------

    def expect(
        self,
        name: Wanted[B] = None,
        where: Any = None,
        *,
        check: Any = None,
        since: Mark = 0,
        within_s: float | None = None,
    ) -> Wait[B]:
        """Wait for a message: the oldest in the mailbox that matches, or else the first that comes.

        name: one, or a tuple of several; None for a message of any name; a type, or several, to be given an instance.
        where: a pattern or a predicate of the body (see `antiphon.conversation.match`); it selects.
        check: a pattern that the selected message must fit. since: a `mark()`; what came before does not count.
        """
        make: Any = MessageWait if name is None or name.__class__ is str else self._sender.vocabulary.wait
        wait = make(name, where, check, since, **self._made(within_s))
        self.mailbox.expect(wait)
        self._begin(wait)
        return wait  # type: ignore[no-any-return]

    def expect_none(
        self, name: Wanted[Any] = None, where: Any = None, *, within_s: float, since: Mark = 0
    ) -> Wait[None]:
        """Wait for `within_s` to pass without such a message.

        One that lies in the mailbox already, or comes, raises ForbiddenMessage.
        """
        wait = AbsenceWait(self._sender.vocabulary.names(name), where, since, **self._made(within_s))
        self.mailbox.expect_none(wait)
        self._begin(wait)
        return wait

    def expect_close(self, code: int | None = None, *, within_s: float | None = None) -> Wait[Ending]:
        """Wait for the connection to end, with that close code if given; a connection that has ended counts."""
        return self._expect_close(code, self._made(within_s))

    def _expect_close(self, code: int | None, made: dict[str, Any]) -> CloseWait:
        wait = CloseWait(code, **made)
        self.mailbox.expect_close(wait)
        self._begin(wait)
        return wait

    def expect_finish(self, *, within_s: float | None = None) -> Wait[None]:
        """Wait for the peer to say that it says no more: by its end of sending (`allow_half_open`), or its goodbye."""
        wait = UntilWait(self._beside.peer_has_finished, "", **self._made(within_s))
        self.mailbox.expect_until(wait)
        self._begin(wait)
        return wait

    def until(self, predicate: Callable[[], Any], *, within_s: float | None = None) -> Wait[None]:
        """Wait until `predicate()` is true; it is looked at now and after every message of this channel."""
        wait = UntilWait(predicate, place_of(predicate), **self._made(within_s))
        self.mailbox.expect_until(wait)
        self._begin(wait)
        return wait

    @contextmanager
    def forbid(self, name: Wanted[Any], where: Any = None) -> Iterator[None]:
        """Inside the `with`, a message of such a name that fits `where` fails the run at once."""
        wait = AbsenceWait(self._sender.vocabulary.names(name), where, **self._made(math.inf))
        ban = self.mailbox.forbid(wait)
        try:
            yield
        finally:
            self.mailbox.lift(ban)
            self._beside.tell_gaps(wait)

    def drain(self, name: Wanted[B] = None, where: Any = None, *, since: Mark = 0) -> list[B]:
        """Take every such message out of the mailbox, oldest first. Of types it gives instances, as `expect` does."""
        drained = self.mailbox.drain(self._sender.vocabulary.names(name), where, since)
        self._watch.reading.look_again()
        return self._sender.vocabulary.bodies(name, drained, caller())

    def mark(self) -> Mark:
        """This moment, for `since=`."""
        return self.mailbox.received

    def ignore(self, name: Wanted[Any], where: Any = None) -> None:
        """Such messages, of any moment of this run, need not be expected in strict mode; name None: of any name."""
        self.ignored.add(self._sender.vocabulary.names(name), where)
        self.mailbox.ignore_more()

    def _begin(self, wait: Wait[Any]) -> None:
        self._driver.begin(wait)
        if self.mailbox.settled:  # what it waits for was there
            self._driver.wake()

    @property
    def within_s(self) -> float:
        """The deadline of waits that give none, in seconds from the moment when they are made."""
        return self._within_s

    @within_s.setter
    def within_s(self, within_s: float) -> None:
        self._driver.within_ns = nanoseconds(within_s)
        self._within_s = within_s

    def _made(self, within_s: float | None) -> dict[str, Any]:
        """What every wait is given that somebody makes now."""
        now_ns = self._now_ns()
        within_ns = self._driver.within_ns if within_s is None else nanoseconds(within_s)
        return {
            "made_ns": now_ns,
            "deadline_ns": now_ns + within_ns if within_ns is not None else None,
            "source": caller(2),
            "step": STEP.get(),
            "driver": self._driver,
        }

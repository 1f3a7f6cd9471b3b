"""What an author says on a channel: made by the codec, put into the journal, handed to the connection."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any, Final, NoReturn

from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Data, Message, require_data
from antiphon.conversation.typed import class_name, plain_body
from antiphon.conversation.vocabulary import Vocabulary
from antiphon.conversation.wording import seconds
from antiphon.dialect.codec import Codec
from antiphon.errors import (
    AntiphonError,
    ChannelClosed,
    DeadlinePassed,
    DialectError,
    ErrorReply,
    ScenarioError,
    SendBufferFull,
    TransportError,
)
from antiphon.journal import Note
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.call_site import caller
from antiphon.runtime.runtime import STEP, Runtime
from antiphon.transport.interface import Connection
from antiphon.transport.timeouts import timeout

__all__ = ["DEFAULT_MAX_UNSENT_BYTES", "Sender", "body_of", "not_open", "raise_unsaid"]

DEFAULT_MAX_UNSENT_BYTES: Final = 64 * 1024 * 1024

LOOK_EVERY_BYTES: Final = 64 * 1024
"""How much is sent before it is seen whether it leaves; a peer with no more than that unsent is not behind."""

TOLD_FROM_BYTES: Final = 1024 * 1024
"""How much must be unsent to be worth a note; then each time it has doubled."""


class Sender:
    """The saying side of one channel. `connection` is None while there is none; `codec` is that of the connection, and
    there is none before the first. `vocabulary` has the names of what is said as an instance of its type.

    `max_unsent_bytes` bounds what has not left when more is to be sent. That is looked at every 64 KiB (or as often as
    the bound is reached, if that is less), and for each message while the peer is behind: `unlooked_bytes` is what was
    sent since, and beyond `unwatched_bytes` it is looked at. `sent` is the number of the latest message.
    """

    __slots__ = (
        "_actor",
        "_batch",
        "_channel",
        "_finished",
        "_heard_before",
        "_is_behind",
        "_left_ns",
        "_look_every_bytes",
        "_mailbox",
        "_max_unsent_bytes",
        "_now_ns",
        "_record",
        "_record_sent",
        "_told_bytes",
        "_unsent_bytes",
        "_weigh",
        "codec",
        "connection",
        "sent",
        "unlooked_bytes",
        "unwatched_bytes",
        "vocabulary",
    )

    codec: Codec

    def __init__(
        self,
        runtime: Runtime,
        mailbox: Mailbox,
        vocabulary: Vocabulary,
        actor: str,
        channel: str,
        max_unsent_bytes: int,
    ) -> None:
        self.vocabulary = vocabulary
        self.connection: Connection | None = None
        self._heard_before = 0
        self._mailbox = mailbox
        self._actor = actor
        self._channel = channel
        self._now_ns = runtime.now_ns
        self._record = runtime.record
        self._record_sent = runtime.inlet.sent
        self._weigh = runtime.journal.weigh
        self._max_unsent_bytes = max_unsent_bytes
        self._look_every_bytes = min(LOOK_EVERY_BYTES, max_unsent_bytes)
        self.sent = 0
        self.unlooked_bytes = 0
        self._unsent_bytes = 0
        self._left_ns = 0
        self._is_behind = False
        self._told_bytes = 0
        self._batch: list[Message] | None = None
        self._finished: Connection | None = None
        self.unwatched_bytes: float = self._look_every_bytes

    def _collect(self, batch: list[Message] | None) -> None:
        """From now on keep what is said in that list; None: say it."""
        self._batch = batch
        # In a batch, and on a connection on which we say no more, there is always too much unwatched, so that one look
        # tells all of that for each message.
        is_watched = batch is None and self._finished is None
        self.unwatched_bytes = self._look_every_bytes if is_watched else -math.inf

    @property
    def owner(self) -> str:
        """The channel's name in what is told of it."""
        return self._mailbox.owner

    def begin(self, connection: Connection) -> None:
        """There is a connection to say something on."""
        self.connection = connection
        self._heard_before = self._mailbox.received

    def _is_asked_here(self, request: Message) -> bool:
        """Whether the peer asked that on this connection: on another one the id may be that of another question."""
        return request.number > self._heard_before

    def holds_part(self) -> bool:
        """Whether part of a message has come, and its rest has not; False where the transport does not tell."""
        return bool(getattr(self.connection, "holds_part", False))

    def send(self, name: Any, body: Any, fields: dict[str, Any]) -> None:
        """See `Channel.send`."""
        connection = self.connection
        if connection is None:
            raise not_open(self._mailbox, name)
        if name.__class__ is not str:
            name, body = self.vocabulary.said(name, body, fields)
        try:
            message = self.codec.encode(name, body_of(name, body, fields))
            self.transmit(connection, message, self._now_ns(), STEP.get())
        except (DialectError, TransportError) as error:
            raise_unsaid(error)

    def send_data(self, data: Data) -> None:
        """See `Channel.send_data`."""
        require_data(data)
        if self.connection is None:
            raise not_open(self._mailbox, "data")
        try:
            self.transmit(self.connection, Message("data", data, data), self._now_ns(), STEP.get())
        except TransportError as error:
            raise_unsaid(error)

    def answer(self, request: Message, body: Any, fields: dict[str, Any], is_last: bool) -> bool:
        """See `Channel.answer`."""
        if self.connection is None or not self._is_asked_here(request):
            return True
        body = body_of(request.name, body, fields)
        answer = self.codec.answer(request, body) if is_last else self.codec.answer_interim(request, body)
        answer.reply_to = request.asks  # whoever reads the record sees which question it answers
        self.transmit(self.connection, answer, self._now_ns(), STEP.get())
        return is_last or answer.is_last

    def refuse(self, request: Message, refusal: ErrorReply) -> None:
        """See `Channel.refuse_with`."""
        if self.connection is not None and self._is_asked_here(request):
            answer = self.codec.refuse(request, refusal)
            answer.reply_to = request.asks
            self.transmit(self.connection, answer, self._now_ns(), STEP.get())

    def transmit(self, connection: Connection, message: Message, now_ns: int, step: PerformedStep | None) -> None:
        """Put the message into the journal, and hand it over; in a batch it is kept until that ends."""
        raw = message.raw
        unlooked_bytes = self.unlooked_bytes + len(raw)
        if unlooked_bytes > self.unwatched_bytes:
            if self._batch is not None:
                self._batch.append(message)
            else:
                self._transmit_watched(connection, message, now_ns, step)
            return
        self.unlooked_bytes = unlooked_bytes
        # The journal has it before it is on its way: whatever comes of it, also in this very call, comes after it.
        self.sent = message.number = self.sent + 1
        message.at_ns = now_ns
        message.actor = self._actor
        message.channel = self._channel
        message.is_sent = True
        if step is not None:
            message.step = step.number
        if message.frames is None:
            sent = self._record_sent
            sent(message)
            connection.send(raw)
        else:
            self._record(message)
            for data in message.frames:
                self.unlooked_bytes += len(data)
                connection.send(data)

    def _transmit_watched(
        self, connection: Connection, message: Message, now_ns: int, step: PerformedStep | None
    ) -> None:
        """The same, seeing whether the peer reads what it is sent; while it is behind, for each message."""
        if self._has_finished:
            text = f"{message.name} cannot be said: {self._mailbox.owner} has finished"
            raise TransportError(text, hint="finish() is the end of all that is said; close() ends the connection")
        size_bytes = len(message.raw)
        said_bytes = self.unlooked_bytes + size_bytes - (self._look_every_bytes if self._is_behind else 0)
        self.unlooked_bytes = self._look_every_bytes  # what is refused now is not counted
        self._look(connection, now_ns)
        self._weigh(message, said_bytes)
        self.unlooked_bytes = -size_bytes
        self.transmit(connection, message, now_ns, step)
        if self._is_behind:
            self._unsent_bytes = connection.unsent_bytes
            self.unlooked_bytes = self._look_every_bytes

    def _look(self, connection: Connection, now_ns: int) -> None:
        """Raises SendBufferFull if far too much has not left."""
        unsent_bytes = connection.unsent_bytes
        if not self._is_behind or unsent_bytes < self._unsent_bytes:
            self._left_ns = now_ns
        self._is_behind = unsent_bytes > self._look_every_bytes
        # Each time it has doubled: a peer that never reads makes a handful of notes, not one a message.
        if unsent_bytes >= max(2 * self._told_bytes, TOLD_FROM_BYTES):
            self._told_bytes = unsent_bytes
            who = f"{self._mailbox.owner}: {self._mailbox.other}"
            text = f"{who} is behind, {unsent_bytes:,} bytes sent to it have not left"
            self._record(Note(at_ns=now_ns, text=text))
        if unsent_bytes > self._max_unsent_bytes:
            raise SendBufferFull(
                f"{self._mailbox.owner}: {self._mailbox.other} does not read what it is sent: "
                f"{unsent_bytes:,} bytes have not left, and none has for {seconds(now_ns - self._left_ns)}",
                place=caller(),
                hint=f"await channel.flushed() before sending more; the limit is max_unsent_bytes="
                f"{self._max_unsent_bytes}",
            )

    def finish(self) -> None:
        """End our sending. Raises ScenarioError where that cannot be."""
        connection, owner = self.connection, self._mailbox.owner
        if connection is None:
            raise not_open(self._mailbox, "the end of what is said")
        finish = getattr(connection, "finish", None)
        if finish is None:
            text = f"{owner} cannot finish: the two directions of its connection end together"
            raise ScenarioError(text, place=caller(), hint="close() ends both")
        try:
            finish()
        except TransportError as error:
            raise ScenarioError(f"{owner} cannot finish: {error.text}", place=caller(), hint=error.hint) from error
        self._finished = connection
        self._collect(self._batch)

    @property
    def _has_finished(self) -> bool:
        """Whether we say no more on this connection; one that came after it is looked at once."""
        if self._finished is not None and self._finished is not self.connection:
            self._finished = None
            self._collect(self._batch)
        return self._finished is not None

    def send_owed(self, duty: str, owed: Data | Message) -> None:
        """Say what the protocol owes by itself, marked as such; it belongs to no step, and waits for no batch."""
        if self.connection is None or self._has_finished:
            return
        message = owed if isinstance(owed, Message) else Message(duty, owed, owed)
        message.is_protocol = True
        # A pong that waits for the author's batch to end comes too late for whoever asked.
        batch = self._batch
        self._collect(None)
        try:
            self.transmit(self.connection, message, self._now_ns(), None)
        finally:
            self._collect(batch)

    async def flushed(self, within_ns: int | None) -> None:
        """See `Channel.flushed`; None for a time without an end."""
        connection, owner = self.connection, self._mailbox.owner
        if connection is None:
            raise not_open(self._mailbox, "nothing more")
        try:
            async with _limited(within_ns):
                await connection.drained()
        except TimeoutError:
            text = f"{owner}: {connection.unsent_bytes:,} bytes had not left after {_seconds(within_ns):g} s"
            raise DeadlinePassed(
                text, place=caller(), hint=f"{self._mailbox.other} does not read what it is sent"
            ) from None
        # `drained` returns also when the connection ends, since then nothing leaves any more (P8).
        if self.connection is not connection:
            text = f"{owner} closed before all that was said had left: {self._mailbox.ending}"
            raise ChannelClosed(text, place=caller())

    async def ping(self, within_ns: int | None) -> float:
        """See `Channel.ping`; None for a time without an end."""
        connection, owner = self.connection, self._mailbox.owner
        if connection is None:
            raise not_open(self._mailbox, "a ping")
        ping: Callable[[], Awaitable[float | None]] | None = getattr(connection, "ping", None)
        if ping is None:
            raise ScenarioError(f"{owner} has no pings: WebSocket has", place=caller())
        try:
            async with _limited(within_ns):
                took_s = await ping()
        except TimeoutError:
            text = f"{owner}: no pong came within {_seconds(within_ns):g} s"
            raise DeadlinePassed(
                text, place=caller(), hint=f"{self._mailbox.other} hangs, or the connection is half-open"
            ) from None
        if took_s is None:
            raise ChannelClosed(f"{owner} closed before a pong came: {self._mailbox.ending}", place=caller())
        return took_s

    @contextmanager
    def batch(self, messages: list[Message]) -> Iterator[None]:
        """See `Channel.batch`; what is said inside is in `messages`."""
        if self._batch is not None:
            raise ScenarioError(f"{self._mailbox.owner} is in a batch already")
        self._collect(messages)
        begun_on = self.connection
        try:
            yield
        finally:
            self._collect(None)
        if messages:
            if self.connection is None:
                raise not_open(self._mailbox, "a batch")
            if begun_on is not None and self.connection is not begun_on:  # whose codec has made the data
                text = f"a batch cannot be sent: the connection on which it was begun has ended ({self._mailbox.owner})"
                raise ChannelClosed(text, place=caller())
            try:
                self._transmit_together(self.connection, messages)
            except (DialectError, TransportError) as error:
                raise_unsaid(error)

    def _transmit_together(self, connection: Connection, messages: list[Message]) -> None:
        data, now_ns, step = self.codec.bundle(messages), self._now_ns(), STEP.get()
        for message in messages:
            # In the journal each by itself, on the wire all at once: the last one carries the data of all.
            message.frames = ()
        messages[-1].frames = data  # so that all are in the journal before any is on its way
        for message in messages:
            self.transmit(connection, message, now_ns, step)


def _seconds(within_ns: int | None) -> float:
    return within_ns / 1e9 if within_ns is not None else math.inf


def _limited(within_ns: int | None) -> AbstractAsyncContextManager[None]:
    """Raises TimeoutError after so long; what happened while our own loop stood still was not late."""
    return timeout(_seconds(within_ns)) if within_ns is not None else nullcontext()


def body_of(name: str, body: Any, fields: dict[str, Any]) -> Any:
    """A message's body, as it was given or made of fields, plain if it was typed; None if nothing was given."""
    if body is None:
        return fields or None
    body = plain_body(body)
    if not fields:
        return body
    if not isinstance(body, Mapping):
        text = f"{name} has a body that is no mapping, and fields {sorted(fields)} too"
        raise ScenarioError(text, place=caller(), hint="give one or the other")
    return {**body, **fields}


def raise_unsaid(error: DialectError | TransportError) -> NoReturn:
    """What cannot be written, or sent, is the fault of who says it; but for the peer's, who does not read."""
    if isinstance(error, SendBufferFull):
        raise error
    raise ScenarioError(error.text, place=caller(), hint=error.hint) from error


def not_open(mailbox: Mailbox, said: Any) -> AntiphonError:
    """There is no connection to say it on: not yet, or not any more."""
    name = said if isinstance(said, str) else class_name(said.__class__)  # a typed message may hold secrets
    if mailbox.ending is None:
        return ScenarioError(
            f"{name} cannot be sent: {mailbox.owner} is not connected",
            place=caller(),
            hint="actors are connected while their scenario is performed; channel.open() opens one by hand",
        )
    ended = mailbox.ending.told_of_channel(mailbox.other, at=f" at {seconds(mailbox.ended_ns)}")
    text, hint = f"{mailbox.owner} {ended}; {name} cannot be sent", None
    if mailbox.gap is not None:
        text, hint = f"{text}: {mailbox.gap.outlook}", "await channel.reopened() waits until there is a connection"
    closed = ChannelClosed(text, place=caller(), hint=hint)
    closed.channel = mailbox.owner
    return closed

"""What an author says on a channel: made by the codec, put into the journal, handed to the connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec
from antiphon.errors import AntiphonError, ChannelClosed, DialectError, ErrorReply, ScenarioError, TransportError
from antiphon.journal import StepStarted
from antiphon.runtime.call_site import caller
from antiphon.runtime.runtime import STEP, Runtime
from antiphon.transport.interface import Connection

__all__ = ["Sender", "body_of", "not_open", "unsayable"]


class Sender:
    """The saying side of one channel. `connection` is None while there is none; `codec` is that of the connection."""

    __slots__ = ("_actor", "_batch", "_channel", "_mailbox", "_now_ns", "_record", "_sent", "codec", "connection")

    def __init__(self, runtime: Runtime, mailbox: Mailbox, codec: Codec, actor: str, channel: str) -> None:
        self.codec = codec
        self.connection: Connection | None = None
        self._mailbox = mailbox
        self._actor = actor
        self._channel = channel
        self._now_ns = runtime.now_ns
        self._record = runtime.record
        self._sent = 0
        self._batch: list[Message] | None = None

    def send(self, name: str, body: Any, fields: dict[str, Any]) -> None:
        """See `Channel.send`."""
        connection = self.connection
        if connection is None:
            raise not_open(self._mailbox, name)
        try:
            message = self.codec.encode(name, body_of(name, body, fields))
            self.transmit(connection, message, self._now_ns(), STEP.get())
        except (DialectError, TransportError) as error:
            raise unsayable(error) from error

    def send_data(self, data: Data) -> None:
        """See `Channel.send_data`."""
        if self.connection is None:
            raise not_open(self._mailbox, "data")
        self.transmit(self.connection, Message("data", data, data), self._now_ns(), STEP.get())

    def answer(self, request: Message, body: Any, fields: dict[str, Any]) -> None:
        """See `Channel.answer`."""
        if self.connection is not None:
            answer = self.codec.answer(request, body_of(request.name, body, fields))
            self.transmit(self.connection, answer, self._now_ns(), STEP.get())

    def refuse(self, request: Message, refusal: ErrorReply) -> None:
        """See `Channel.refuse_with`."""
        if self.connection is not None:
            self.transmit(self.connection, self.codec.refuse(request, refusal), self._now_ns(), STEP.get())

    def transmit(self, connection: Connection, message: Message, now_ns: int, step: StepStarted | None) -> None:
        """Put the message into the journal, and hand it over; in a batch it is kept until that ends."""
        if self._batch is not None:
            self._batch.append(message)
            return
        # The journal has it before it is on its way: whatever comes of it, also in this very call, comes after it.
        self._enter(message, now_ns, step)
        if message.frames is None:
            connection.send(message.raw)
        else:
            for data in message.frames:
                connection.send(data)

    def send_owed(self, data: Data) -> None:
        """Say what the protocol owes by itself."""
        if self.connection is not None:
            self.connection.send(data)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """See `Channel.batch`."""
        if self._batch is not None:
            raise ScenarioError(f"{self._mailbox.owner} is in a batch already")
        messages = self._batch = []
        try:
            yield
        finally:
            self._batch = None
        if messages:
            if self.connection is None:
                raise not_open(self._mailbox, "a batch")
            now_ns, step = self._now_ns(), STEP.get()
            for message in messages:
                self._enter(message, now_ns, step)
            for data in self.codec.bundle(messages):
                self.connection.send(data)

    def _enter(self, message: Message, now_ns: int, step: StepStarted | None) -> None:
        self._sent = message.number = self._sent + 1
        message.at_ns = now_ns
        message.actor = self._actor
        message.channel = self._channel
        message.is_sent = True
        if step is not None:
            message.step = step.number
        record = self._record
        record(message)


def body_of(name: str, body: Any, fields: dict[str, Any]) -> Any:
    """A message's body, as it was given or made of fields; None if nothing was given."""
    if body is None:
        return fields or None
    if not fields:
        return body
    if not isinstance(body, Mapping):
        text = f"{name} has a body that is no mapping, and fields {sorted(fields)} too"
        raise ScenarioError(text, place=caller(), hint="give one or the other")
    return {**body, **fields}


def unsayable(error: AntiphonError) -> ScenarioError:
    """What cannot be written, or sent, is the fault of who says it."""
    return ScenarioError(error.text, place=caller(), hint=error.hint)


def not_open(mailbox: Mailbox, name: str) -> AntiphonError:
    """There is no connection to say it on: not yet, or not any more."""
    if mailbox.ending is None:
        return ScenarioError(
            f"{name} cannot be sent: {mailbox.owner} is not connected",
            place=caller(),
            hint="actors are connected while their scenario is performed; channel.open() opens one by hand",
        )
    return ChannelClosed(f"{name} cannot be sent: {mailbox.owner} is closed, because {mailbox.ending}", place=caller())

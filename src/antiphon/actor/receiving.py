"""What a channel does with what arrives, until whoever waited for it has gone on."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from antiphon.actor.codec_failure import unreadable
from antiphon.actor.handlers import Dispatcher
from antiphon.actor.housekeeping import Housekeeping
from antiphon.actor.mailbox_watch import MailboxWatch
from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Data, Message
from antiphon.conversation.waits import Wait
from antiphon.journal import Sink
from antiphon.runtime.runtime import Runtime

__all__ = ["LARGE_BYTES", "receiving"]

LARGE_BYTES = 4 * 1024
"""What is remembered of the past is bounded by counts, which is enough for data up to this size."""


def receiving(
    runtime: Runtime,
    driver: WaitDriver,
    watch: MailboxWatch,
    dispatcher: Dispatcher,
    heard: Container[str],
    housekeeping: Housekeeping,
    decode: Callable[[Data], Sequence[Message]],
) -> Callable[[Data], None]:
    """What takes the data of one connection, in one turn of the event loop: `decode` makes messages of it, of which
    those whose names are `heard` have a handler.

    It is a function with all that it needs at hand, as what asks is (see `asking`).
    """

    def receive(
        data: Data,
        mailbox: Mailbox = driver.mailbox,
        decode: Callable[[Data], Sequence[Message]] = decode,
        record: Sink = runtime.record,
        received: Sink = runtime.inlet.received,
        record_end: Sink = runtime.inlet.satisfied,
        actor: str = driver.actor,
        channel: str = driver.channel,
        heard: Container[str] = heard,
        hand_out: Callable[[Message, int], Wait[Any] | None] = driver.mailbox.hand_out,
        resume: Callable[[Any], None] = driver.resume,
        look: Callable[[int], None] = watch.look,
        read_ns: Callable[[], int] = runtime.read_ns,
        origin_ns: int = runtime.origin_ns,
        tidy_above_bytes: int = -1 if housekeeping.has_duties else LARGE_BYTES,
    ) -> None:
        now_ns = read_ns() - origin_ns
        try:
            messages = decode(data)
        except Exception as error:
            messages = (unreadable(housekeeping.dialect, data, error),)
        for message in messages:
            message.at_ns = now_ns
            message.number = mailbox.received = mailbox.received + 1
            message.actor = actor
            message.channel = channel
            if message.is_protocol:
                record(message)
                housekeeping.hear(message)
                continue  # it has its place among the others, and nobody waits for it
            received(message)  # before anyone reacts: what is said in answer stands behind it
            if message.name in heard:
                _react(mailbox, dispatcher, message)
            satisfied = hand_out(message, now_ns)  # P1: whether or not anyone waits
            if satisfied is not None:  # within this turn, and before the next message of the same read
                record_end((satisfied,))
                sleeper = satisfied.sleeper
                if sleeper is not None:
                    satisfied.sleeper = None
                    resume(sleeper)
            if mailbox.has_news:
                look(now_ns)
        if len(data) > tidy_above_bytes:
            _tidy_up(housekeeping, watch, messages, len(data))

    return receive


def _react(mailbox: Mailbox, dispatcher: Dispatcher, message: Message) -> None:
    """P11: handlers are first, and take nothing from the mailbox."""
    mailbox.received -= 1  # a mark that a handler makes stands before the message that it sees
    dispatcher.react(message)
    message.number = mailbox.received = mailbox.received + 1


def _tidy_up(housekeeping: Housekeeping, watch: MailboxWatch, messages: Sequence[Message], size_bytes: int) -> None:
    if housekeeping.has_duties:
        housekeeping.pay()
    if size_bytes > LARGE_BYTES and messages:
        watch.bound_memory(messages[-1], size_bytes)

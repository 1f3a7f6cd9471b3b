"""A request, from its name and fields until it is on its way and somebody may await its replies."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from antiphon.actor.sending import Sender, body_of, not_open, raise_unsaid
from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange
from antiphon.errors import DialectError, TransportError
from antiphon.journal import Sink
from antiphon.runtime.call_site import find_place, getframe, known_place
from antiphon.runtime.deadlines import Deadlines, nanoseconds
from antiphon.runtime.runtime import Runtime, step_under_way
from antiphon.transport.interface import Connection

__all__ = ["Ask", "asking", "refusing"]


class Ask(Protocol):
    """What `Channel.ask` does, for whoever has taken its arguments already; `make` makes the exchange."""

    def __call__(
        self,
        name: Any,
        body: Any,
        fields: dict[str, Any],
        check: Any,
        within_s: float | None,
        make: Any = Exchange,
        /,
    ) -> Exchange[Any]: ...


def asking(
    runtime: Runtime,
    sender: Sender,
    driver: WaitDriver,
    connection: Connection,
    note: Callable[[Exchange[Any]], object],
) -> Ask:
    """What asks on a connection that is open, called by what the author calls; `note` puts the wait into the journal.

    It does in one pass what `Mailbox.expect_reply` and `Sender.transmit` do each by itself, and is a function with all
    that it needs at hand: to look that up for each request takes as long as to do it. As defaults it lies together: of
    names in here each would have a cell of its own, which no cache holds any more once a thousand connections ask.
    """

    def ask(
        name: Any,
        body: Any,
        fields: dict[str, Any],
        check: Any,
        within_s: float | None,
        make: Any = Exchange,
        sender: Sender = sender,
        driver: WaitDriver = driver,
        mailbox: Mailbox = driver.mailbox,
        request_of: Callable[[str, Any], Message] = sender.codec.request,
        sent: Sink = runtime.inlet.sent,
        deadlines: Deadlines = runtime.deadlines,
        actor: str = driver.actor,
        channel: str = driver.channel,
        next_order: Callable[[], int] = runtime.next_wait,
        read_ns: Callable[[], int] = runtime.read_ns,
        origin_ns: int = runtime.origin_ns,
        put: Callable[[Hashable, Exchange[Any]], object] = driver.mailbox.exchanges.setdefault,
        connection: Connection = connection,
        note: Callable[[Exchange[Any]], object] = note,
    ) -> Exchange[Any]:
        if name.__class__ is not str:
            name, body = sender.vocabulary.said(name, body, fields)
        try:
            request = request_of(name, body_of(name, body, fields) if body is not None else fields or None)
        except DialectError as error:
            raise_unsaid(error)
        now_ns = read_ns() - origin_ns
        within_ns = nanoseconds(within_s) if within_s is not None else driver.within_ns
        if within_ns is None:
            deadline_ns = None
        else:
            deadline_ns = now_ns + within_ns
            if deadline_ns < deadlines.armed_ns:
                deadlines.note(deadline_ns)
        frame = getframe(2)
        step = step_under_way()
        exchange: Exchange[Any] = make(
            request,
            check,
            made_ns=now_ns,
            deadline_ns=deadline_ns,
            source=known_place(id(frame.f_code) + frame.f_lasti) or find_place(frame),
            step=step,
            driver=driver,
            order=next_order(),
            after=mailbox.received,
        )
        # P5: before the request is on its way, so that no reply comes too early.
        if put(request.asks, exchange) is not exchange:
            mailbox.exchanges.queue(exchange)
        raw = request.raw
        unlooked_bytes = sender.unlooked_bytes + len(raw)
        try:
            if unlooked_bytes > sender.unwatched_bytes or request.frames is not None:
                sender.transmit(connection, request, now_ns, step)
            else:
                sender.unlooked_bytes = unlooked_bytes
                request.number = sender.sent = sender.sent + 1
                request.at_ns = now_ns
                request.actor = actor
                request.channel = channel
                request.is_sent = True
                if step is not None:
                    request.step = step.number
                sent(request)
                connection.send(raw)
            note(exchange)
            return exchange
        except TransportError as error:
            mailbox.withdraw(exchange, now_ns)
            raise_unsaid(error)

    return ask


def refusing(mailbox: Mailbox) -> Ask:
    """What asks while there is no connection."""

    def ask(name: Any, *_rest: object) -> Exchange[Any]:
        raise not_open(mailbox, name)

    return ask

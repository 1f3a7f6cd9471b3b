"""The centre's end of one desk's connection: an actor that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from antiphon import ANY, Accepted, Actor, Ending, Json, Message, on
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.rfc6455 import ABNORMAL
from antiphon_testbed.counters import Counters
from antiphon_testbed.effects import Answer, Event
from antiphon_testbed.faults.injector import FaultInjector, FaultyLink
from antiphon_testbed.faults.outbox import Delivery, Disconnection, Outbox, RawText, TruncatedFrame
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.switchboard import Switchboard
from antiphon_testbed.users import User

__all__ = ["Desk"]


class Desk(Actor):
    """One connected desk: passes on what it hears, and says what it is given to say, or what `injector` makes of it."""

    link = Accepted(
        dialect=Json(name="action", body="data", reply="result{Name}", failed={"result": "error"}),
        mailbox_limit=1,  # nobody waits here: every message is handled when it comes
    )

    def __init__(
        self, switchboard: Switchboard, user: User, counters: Counters, injector: FaultInjector | None = None
    ) -> None:
        self.name = user.name
        self._switchboard = switchboard
        self._seated_user = user  # not `user`: that is whom an actor takes from its stand
        self._counters = counters
        self._agent: Agent | None = None
        self._outbox = Outbox(self.hand_over, now_s=asyncio.get_running_loop().time, later=self.after)
        self._faulty = (
            FaultyLink(injector, user.name, _Downstream(self, self._outbox)) if injector is not None else None
        )

    @on.opened
    def sit_down(self) -> None:
        """The connection is there."""
        self._counters.open()
        self._agent = self._switchboard.connect(self, self._seated_user)

    @on(ANY)
    def hear(self, message: Message) -> None:
        """Whatever the desk asks; its answer is put into the outbox."""
        self._counters.hear(message.name)
        if self._agent is not None:
            self._switchboard.hear(self._agent, message)
        if self._faulty is not None:
            self._faulty.end_moment()

    @on.unreadable
    def hear_nonsense(self, message: Message) -> None:
        """What is not even JSON gets its error too."""
        self.hear(message)

    @on.closed
    def get_up(self, ending: Ending) -> None:
        """The connection has ended, by whomever."""
        self._counters.close(ending)
        if self._agent is not None:
            self._switchboard.disconnect(self._agent)

    def put(self, item: Event | Answer, delay_s: float) -> None:
        """See `ConnectedDesk`."""
        if self._faulty is not None:
            self._faulty.put(item, delay_s)
        else:
            self._outbox.put(item, delay_s)

    def say_now(self, item: Event) -> None:
        """See `ConnectedDesk`."""
        if self._faulty is not None:
            self._faulty.say_now(item)
        else:
            self.hand_over(item)

    def hang_up(self, code: int, reason: str) -> None:
        """See `ConnectedDesk`."""
        self.close(code, reason)

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """See `ConnectedDesk`."""
        self.later(delay_s, function)

    def hand_over(self, item: Delivery) -> None:
        """Let it out, whatever it is; nothing if the connection is gone."""
        if not self.link.is_open:
            return
        match item:
            case Event():
                self.send(item.name, item.data)
                self._counters.say(item.name)
            case Answer():
                self.answer(item.request.handle, item.data)
                self._counters.say(item.name)
            case RawText():
                self.link.send_data(item.text)
            case TruncatedFrame():
                self._break_off(item.item)
            case Disconnection():
                self._disconnect(item)

    def _break_off(self, item: Event | Answer) -> None:
        connection = self.link.connection
        assert isinstance(connection, WebSocketConnection), "a desk's connection is a WebSocket"
        connection.break_off(msgspec.json.encode({"action": item.name, "data": item.data}).decode())

    def _disconnect(self, item: Disconnection) -> None:
        if item.code == ABNORMAL:
            self.link.abort()
        else:
            self.close(item.code, item.reason)


class _Downstream:
    """What leads on from a faulty link to its desk."""

    def __init__(self, desk: Desk, outbox: Outbox) -> None:
        self.put = outbox.put
        self.hand_over = desk.hand_over
        self.after = desk.after

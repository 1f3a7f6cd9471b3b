"""The centre's end of one desk's connection: an actor that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from antiphon import ANY, Accepted, Actor, Ending, Json, Message, on
from antiphon.testbed.agents import Agent
from antiphon.testbed.outbox import Outbox
from antiphon.testbed.outgoing import Answer, Say
from antiphon.testbed.switchboard import Switchboard
from antiphon.testbed.users import User

__all__ = ["Desk"]


class Desk(Actor):
    """One connected desk: passes on what it hears, and says what it is given to say."""

    line = Accepted(
        dialect=Json(name="action", body="data", reply="result{Name}", failed={"result": "error"}),
        mailbox_limit=1,  # nobody waits here: every message is handled when it comes
    )

    def __init__(self, switchboard: Switchboard, user: User) -> None:
        self.name = user.name
        self._switchboard = switchboard
        self._sitter = user
        self._agent: Agent | None = None
        self._outbox = Outbox(self._say, now_s=asyncio.get_running_loop().time, later=self.after)

    @on.opened
    def sit_down(self) -> None:
        """The connection is there."""
        self._agent = self._switchboard.connect(self, self._sitter)

    @on(ANY)
    def hear(self, message: Message) -> None:
        """Whatever the desk asks; its answer is put into the outbox."""
        if self._agent is not None:
            self._switchboard.hear(self._agent, message)

    @on.unreadable
    def hear_nonsense(self, message: Message) -> None:
        """What is not even JSON gets its error too."""
        self.hear(message)

    @on.closed
    def get_up(self, _: Ending) -> None:
        """The connection has ended, by whomever."""
        if self._agent is not None:
            self._switchboard.disconnect(self._agent)

    def put(self, item: Say | Answer, delay_s: float) -> None:
        """See `Seat`."""
        self._outbox.put(item, delay_s)

    def say_now(self, item: Say) -> None:
        """See `Seat`."""
        self._say(item)

    def hang_up(self, code: int, reason: str) -> None:
        """See `Seat`."""
        self.close(code, reason)

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        """See `Seat`."""
        self.later(delay_s, function)

    def _say(self, item: Say | Answer) -> None:
        if not self.line.is_open:
            return
        if isinstance(item, Answer):
            self.answer(item.request.handle, item.data)
        else:
            self.send(item.name, item.data)

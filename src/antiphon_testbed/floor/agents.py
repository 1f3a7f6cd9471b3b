"""A user at a desk: state, room for work on each channel, and the heartbeat that shows that the desk is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect, Event, Request, success
from antiphon_testbed.protocol import DICTIONARIES
from antiphon_testbed.users import User

__all__ = ["CAPACITY", "UNANSWERED_AT_MOST", "Agent", "Heartbeat", "Work"]

CAPACITY: Final[Mapping[str, int]] = MappingProxyType({"voice": 1, "chat": 3, "task": 5})
"""How many contacts of each channel a desk has room for."""

UNANSWERED_AT_MOST: Final = 1
"""How many pings may be unanswered when the next one is due; one more, and nobody is there."""


class Work(Protocol):
    """A workitem of an agent, as the agent sees it."""

    state: str

    @property
    def channel(self) -> str:
        """The channel that it takes room on."""
        ...

    def vanish(self, reason: str, now_ms: int) -> list[Effect]:
        """The agent's desk is gone; gives what others hear of it."""
        ...


class Heartbeat:
    """Counts pings (1, 2, …) and the pongs that come for them. A pong answers every ping up to its own."""

    __slots__ = ("_answered", "_sent")

    def __init__(self) -> None:
        self._sent = 0
        self._answered = 0

    @property
    def is_lost(self) -> bool:
        """Whether too many pings are unanswered."""
        return self._sent - self._answered > UNANSWERED_AT_MOST

    def beat(self) -> int:
        """The next ping's number."""
        self._sent += 1
        return self._sent

    def heard(self, seq: int) -> None:
        """A pong came. One that answers no ping counts for nothing."""
        # Neither an old one that comes late, nor one for a ping that was never sent.
        if self._answered < seq <= self._sent:
            self._answered = seq


class Agent:
    """One user for as long as one desk is there.

    `desk` is the desk's sessionID, `free` the room left on each channel, `work` what the agent is not free of yet.
    `changed(agent)` is told whenever the agent may have become free for more, or less.

    States: those of the dictionary `states`, which the agent chooses, and `wrapUp`, which a call's end brings.
    """

    def __init__(self, user: User, agent_id: str, desk: str, changed: Callable[[Agent], None]) -> None:
        self.user = user
        self.id = agent_id
        self.desk = desk
        self.heartbeat = Heartbeat()
        self.free = dict(CAPACITY)
        self.work: list[Work] = []
        self.state = "notReady"
        self.reason: str | None = "login"
        self._chosen: tuple[str, str | None] = (self.state, self.reason)
        self._changed = changed

    @property
    def is_ready(self) -> bool:
        """Whether the agent wants work."""
        return self.state == "ready"

    @property
    def load(self) -> int:
        """How much the agent has in hand: neither what is only offered, nor what is done."""
        return sum(work.state not in ("", "offered", "finished") for work in self.work)

    @property
    def has_call(self) -> bool:
        """Whether the line is in use, or will be, or was just now."""
        return any(work.channel == "voice" for work in self.work)

    def can_take(self, channel: str) -> bool:
        """Whether a contact of the channel can be offered."""
        return self.is_ready and self.free[channel] > 0 and not (channel == "voice" and self.has_call)

    def opening(self) -> list[Effect]:
        """What the desk hears before it says anything."""
        status = {"status": "connected", "user": self.user.name, "sessionID": self.desk}
        return [Event(self.desk, "connectionStatus", status), self.say_state(), self.say_capacity()]

    def data(self) -> dict[str, Any]:
        """Who the agent is, as `getAgentData` answers."""
        return {"id": self.id, "name": self.user.name, "skills": list(self.user.skills), "line": self.user.line}

    def choose(self, request: Request, state: str, reason: str | None) -> list[Effect]:
        """The agent chooses a state; not while a call waits to be finished."""
        if state not in DICTIONARIES["states"]:
            raise ErrorReply(
                "unknownState", f"{state!r} is no state to choose; {', '.join(DICTIONARIES['states'])} are"
            )
        if any(work.state == "wrapUp" and work.channel == "voice" for work in self.work):
            raise ErrorReply("wrongState", "the agent is in wrapUp; finish the workitem first")
        # Kept apart from the state: a call's wrap-up ends where the agent wanted to be, not where it was.
        self._chosen = (state, reason)
        return [success(request), self._enter(state, reason)]

    def wrap_up(self) -> Event:
        """The talk is over, the work is not."""
        return self._enter("wrapUp", None)

    def settle(self) -> Event:
        """The work is over: back to the state that the agent chose last."""
        return self._enter(*self._chosen)

    def take_on(self, work: Work) -> None:
        """There is one more thing to do."""
        self.work.append(work)
        self._changed(self)

    def drop(self, work: Work) -> None:
        """It is done."""
        self.work.remove(work)
        self._changed(self)

    def move_on(self) -> None:
        """A workitem has changed its state."""
        self._changed(self)

    def take(self, channel: str) -> Event:
        """Use one place of the channel, of which there must be one."""
        self.free[channel] -= 1
        self._changed(self)
        return self.say_capacity()

    def give_back(self, channel: str) -> Event:
        """Free one place of the channel."""
        self.free[channel] += 1
        self._changed(self)
        return self.say_capacity()

    def say_capacity(self) -> Event:
        """The room left."""
        return Event(self.desk, "agentCapacity", dict(self.free))

    def say_state(self) -> Event:
        """The state, with its reason if it has one."""
        data = {"state": self.state} if self.reason is None else {"state": self.state, "reason": self.reason}
        return Event(self.desk, "newAgentState", data)

    def _enter(self, state: str, reason: str | None) -> Event:
        self.state, self.reason = state, reason
        self._changed(self)
        return self.say_state()

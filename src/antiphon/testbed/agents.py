"""A user at a desk: state, and room for work on each channel."""

from __future__ import annotations

from typing import Any, Protocol

from antiphon.errors import Refusal
from antiphon.testbed.dictionaries import DICTIONARIES
from antiphon.testbed.heartbeat import Heartbeat
from antiphon.testbed.outgoing import Outgoing, Request, Say, success
from antiphon.testbed.users import User

__all__ = ["Agent", "Work"]

_FULL_CAPACITY = (("voice", 1), ("chat", 3), ("task", 5))


class Work(Protocol):
    """A workitem of an agent: a call, and whatever else comes on a channel."""

    workitem_id: str
    state: str

    def abandon(self, reason: str, now_ms: int) -> None:
        """The agent's desk is gone."""
        ...


class Agent:
    """One user for as long as one desk is there.

    `desk` is the desk's sessionID, `free` the room left on each channel, `work` what the agent is not free of yet.

    States: those of the dictionary `states`, which the agent chooses, and `wrapUp`, which a call's end brings.
    """

    def __init__(self, user: User, agent_id: str, desk: str) -> None:
        self.user = user
        self.id = agent_id
        self.desk = desk
        self.heartbeat = Heartbeat()
        self.free = dict(_FULL_CAPACITY)
        self.work: list[Work] = []
        self.state = "notReady"
        self.reason: str | None = "login"
        self._chosen: tuple[str, str | None] = (self.state, self.reason)

    def opening(self) -> list[Outgoing]:
        """What the desk hears before it says anything."""
        status = {"status": "connected", "user": self.user.name, "sessionID": self.desk}
        return [Say(self.desk, "connectionStatus", status), self.say_state(), self.say_capacity()]

    def data(self) -> dict[str, Any]:
        """Who the agent is, as `getAgentData` answers."""
        return {"id": self.id, "name": self.user.name, "skills": list(self.user.skills), "line": self.user.line}

    def choose(self, request: Request, state: str, reason: str | None) -> list[Outgoing]:
        """The agent chooses a state; not while a call waits to be finished."""
        if state not in DICTIONARIES["states"]:
            raise Refusal("unknownState", f"{state!r} is no state to choose; {', '.join(DICTIONARIES['states'])} are")
        if any(work.state == "wrapUp" for work in self.work):
            raise Refusal("wrongState", "the agent is in wrapUp; finish the workitem first")
        self._chosen = (state, reason)
        return [success(request), self._enter(state, reason)]

    def wrap_up(self) -> Say:
        """The talk is over, the work is not."""
        return self._enter("wrapUp", None)

    def settle(self) -> Say:
        """The work is over: back to the state that the agent chose last."""
        return self._enter(*self._chosen)

    def take(self, channel: str) -> Say:
        """Use one place of the channel; Refusal if there is none."""
        if self.free[channel] == 0:
            raise Refusal("noCapacity", f"the agent has no room for another {channel} contact")
        self.free[channel] -= 1
        return self.say_capacity()

    def give_back(self, channel: str) -> None:
        """Free one place of the channel."""
        self.free[channel] += 1

    def say_capacity(self) -> Say:
        """The room left."""
        return Say(self.desk, "agentCapacity", dict(self.free))

    def say_state(self) -> Say:
        """The state, with its reason if it has one."""
        data = {"state": self.state} if self.reason is None else {"state": self.state, "reason": self.reason}
        return Say(self.desk, "newAgentState", data)

    def _enter(self, state: str, reason: str | None) -> Say:
        self.state, self.reason = state, reason
        return self.say_state()

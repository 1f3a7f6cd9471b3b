"""The floor: every agent at a desk, and all that desks and the outside world begin.

Pure: times come in (milliseconds since the epoch), ordered lists of `Effect` go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import After, Close, Effect, Event
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.calls import Call, refuse_destination
from antiphon_testbed.floor.dispatch import Dispatch
from antiphon_testbed.floor.idle import IdleDesks
from antiphon_testbed.floor.interactions import Interaction, Party
from antiphon_testbed.floor.ledger import Ledger
from antiphon_testbed.floor.workitems import Workitem
from antiphon_testbed.options import Timing
from antiphon_testbed.seed import Seed
from antiphon_testbed.users import User

__all__ = ["NO_PONG", "REPLACED", "Floor"]

NO_PONG: Final = 4408
REPLACED: Final = 4409
"""Close codes of the range that is free for applications (RFC 6455 section 7.4.2)."""


class Floor:
    """Who is there and what they do. `changed` is told of every interaction whose record changes."""

    def __init__(
        self, *, seed: Seed, timing: Timing, ping_interval_s: float, changed: Callable[[Interaction], None]
    ) -> None:
        self.agents: dict[str, Agent] = {}
        self.ledger = Ledger(seed, timing, changed)
        self.idle = IdleDesks()
        self.dispatch = Dispatch(self.ledger, self.idle)
        self._seed = seed
        self._ping_interval_s = ping_interval_s
        self._by_user: dict[str, Agent] = {}
        self._by_line: dict[str, Agent] = {}
        self._agent_ids: dict[str, str] = {}

    @property
    def workitems(self) -> Mapping[str, Workitem]:
        """What desks are not free of, by its id."""
        return self.ledger.workitems

    @property
    def calls(self) -> dict[str, Call]:
        """The calls that desks are not free of, by their workitems' ids."""
        return {key: work for key, work in self.ledger.workitems.items() if isinstance(work, Call)}

    def agent_named(self, name: str) -> Agent | None:
        """The user of that name, if at a desk."""
        return self._by_user.get(name)

    def agent_at(self, line: str) -> Agent | None:
        """The user whose telephone line it is, if at a desk."""
        return self._by_line.get(line)

    def settled(self, effects: list[Effect], now_ms: int) -> list[Effect]:
        """What happens, with what follows from it: who is free now gets what waits. So it is at every later moment.

        Whatever the floor gives to be carried out has passed through here.
        """
        return [self._with_sequel(item) for item in (*effects, *self.dispatch.route(now_ms))]

    def arrive(self, user: User, now_ms: int) -> tuple[Agent, list[Effect]]:
        """The user sits down at a desk; one that the user had before is closed, and its calls end."""
        effects: list[Effect] = []
        earlier = self._by_user.get(user.name)
        if earlier is not None:
            effects += [Close(earlier.desk, REPLACED, "replaced"), *self._remove(earlier, "deskReplaced", now_ms)]
        agent = Agent(user, self._agent_id(user), self._seed.uuid(f"desk/{user.name}"), self.idle.update)
        self.agents[agent.desk] = self._by_user[user.name] = self._by_line[user.line] = agent
        self.idle.arrive(agent)
        effects += agent.opening()  # at once, before the desk says anything
        effects.append(After(agent.desk, self._ping_interval_s, lambda at_ms: self._beat(agent, at_ms)))
        return agent, self.settled(effects, now_ms)

    def leave(self, agent: Agent, reason: str, now_ms: int) -> list[Effect]:
        """The agent's desk is gone: its calls end, and their records say `reason`; what else it had goes to others.

        Nothing if it has left already.
        """
        return self.settled(self._remove(agent, reason, now_ms), now_ms)

    def close(self, now_ms: int) -> None:
        """Everybody goes home: what is not finished ends."""
        for workitem in list(self.ledger.workitems.values()):
            workitem.shut("centreStopped", now_ms)
        for contact in list(self.ledger.contacts.values()):
            self.ledger.end(contact, "centreStopped", now_ms)
        for agent in list(self.agents.values()):
            self._remove(agent, "centreStopped", now_ms)

    def new_call(self, agent: Agent, destination: str) -> Call:
        """A call that the agent wants to make; ErrorReply if no call can be made there, or not now."""
        # First what is wrong with the request, then what is wrong with the moment: the former never mends itself.
        refuse_destination(destination)
        if any(work.channel == "voice" and work.state != "finished" for work in agent.work):
            raise ErrorReply("wrongState", "the agent has a call; finish it first")
        if agent.state == "wrapUp" or agent.has_call:
            raise ErrorReply(
                "wrongState", "the agent's line is not free yet; agentCapacity and newAgentState tell when it is"
            )
        name = agent.user.name
        contact = self.ledger.open(
            "voice",
            Party("customer", destination),
            f"call/{name}",
            direction="out",
            destination=destination,
            user=name,
            about={"destination": destination},
        )
        call = self.ledger.assign(agent, contact)
        assert isinstance(call, Call)
        contact.owner = call
        return call

    def _with_sequel(self, item: Effect) -> Effect:
        if not isinstance(item, After):
            return item
        then = item.then
        return After(item.desk, item.delay_s, lambda now_ms: self.settled(then(now_ms), now_ms))

    def _remove(self, agent: Agent, reason: str, now_ms: int) -> list[Effect]:
        if self.agents.pop(agent.desk, None) is None:
            return []
        del self._by_user[agent.user.name]
        # Users that are given may share a line: it is then whose desk came last.
        if self._by_line.get(agent.user.line) is agent:
            del self._by_line[agent.user.line]
        self.idle.leave(agent)
        return [said for work in list(agent.work) for said in work.vanish(reason, now_ms)]

    def _beat(self, agent: Agent, now_ms: int) -> list[Effect]:
        if agent.heartbeat.is_lost:
            return [Close(agent.desk, NO_PONG, "no pong"), *self._remove(agent, "noPong", now_ms)]
        return [
            # Not behind late answers: a slow centre would find its own desks dead.
            Event(agent.desk, "ping", {"seq": agent.heartbeat.beat()}, is_prompt=True),
            After(agent.desk, self._ping_interval_s, lambda at_ms: self._beat(agent, at_ms)),
        ]

    def _agent_id(self, user: User) -> str:
        # An agent keeps its id from desk to desk, while every desk has a sessionID of its own.
        if user.name not in self._agent_ids:
            self._agent_ids[user.name] = self._seed.uuid(f"agent/{user.name}")
        return self._agent_ids[user.name]

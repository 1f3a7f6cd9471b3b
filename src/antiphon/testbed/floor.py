"""The floor: every agent at a desk, and every call.

Pure: times come in (milliseconds since the epoch), ordered lists of `Outgoing` go out.
"""

from __future__ import annotations

from collections.abc import Callable

from antiphon.errors import Refusal
from antiphon.testbed.agents import Agent
from antiphon.testbed.calls import OutgoingCall, Timing, refuse_destination
from antiphon.testbed.interactions import Interaction
from antiphon.testbed.offer import media_offer
from antiphon.testbed.outgoing import After, Close, Outgoing, Say
from antiphon.testbed.seed import Seed
from antiphon.testbed.users import User

__all__ = ["NO_PONG", "REPLACED", "Floor"]

NO_PONG = 4408
REPLACED = 4409


class Floor:
    """Who is there and what they do. `changed` is told of every interaction whose record changes."""

    def __init__(
        self, *, seed: Seed, timing: Timing, ping_interval_s: float, changed: Callable[[Interaction], None]
    ) -> None:
        self.agents: dict[str, Agent] = {}
        self.calls: dict[str, OutgoingCall] = {}
        self._seed = seed
        self._timing = timing
        self._ping_interval_s = ping_interval_s
        self._changed = changed
        self._by_user: dict[str, Agent] = {}
        self._agent_ids: dict[str, str] = {}

    def arrive(self, user: User, now_ms: int) -> tuple[Agent, list[Outgoing]]:
        """The user sits down at a desk; one that the user had before is closed, and its calls end."""
        outgoing: list[Outgoing] = []
        earlier = self._by_user.get(user.name)
        if earlier is not None:
            outgoing.append(Close(earlier.desk, REPLACED, "replaced"))
            self.leave(earlier, "deskReplaced", now_ms)
        agent = Agent(user, self._agent_id(user), self._seed.uuid(f"desk/{user.name}"))
        self.agents[agent.desk] = self._by_user[user.name] = agent
        outgoing += agent.opening()
        outgoing.append(After(agent.desk, self._ping_interval_s, lambda at_ms: self._beat(agent, at_ms)))
        return agent, outgoing

    def leave(self, agent: Agent, reason: str, now_ms: int) -> None:
        """The agent's desk is gone: its calls end, and their records say `reason`. Nothing if it has left already."""
        if self.agents.pop(agent.desk, None) is None:
            return
        del self._by_user[agent.user.name]
        for work in agent.work:
            work.abandon(reason, now_ms)
            del self.calls[work.workitem_id]

    def close(self, now_ms: int) -> None:
        """Everybody goes home: what is not finished ends."""
        for agent in list(self.agents.values()):
            self.leave(agent, "centreStopped", now_ms)

    def call_of(self, agent: Agent, workitem_id: str) -> OutgoingCall:
        """The agent's call with this workitem; Refusal if there is none, or if it is another agent's."""
        call = self.calls.get(workitem_id)
        if call is None:
            raise Refusal("unknownWorkitem", f"there is no workitem {workitem_id[:64]!r}")
        if call.agent is not agent:
            raise Refusal("foreignWorkitem", f"workitem {workitem_id} is not this agent's")
        return call

    def new_call(self, agent: Agent, destination: str) -> OutgoingCall:
        """A call that the agent wants to make; Refusal if no call can be made there, or not now."""
        refuse_destination(destination)
        if any(work.state != "finished" for work in agent.work):
            raise Refusal("wrongState", "the agent has a call; finish it first")
        if agent.state == "wrapUp" or agent.free["voice"] == 0:
            raise Refusal(
                "wrongState", "the agent's line is not free yet; agentCapacity and newAgentState tell when it is"
            )
        user, scope = agent.user.name, f"call/{agent.user.name}"
        interaction = Interaction(
            self._seed.uuid(scope), user=user, channel="voice", direction="out", destination=destination
        )
        call = OutgoingCall(agent, self._seed.uuid(scope), interaction, self._timing, self._changed)
        agent.work.append(call)
        self.calls[call.workitem_id] = call
        return call

    def offer(self, agent: Agent) -> str:
        """A media offer for the agent's desk."""
        return media_offer(self._seed.number(f"offer/{agent.user.name}"))

    def release_later(self, call: OutgoingCall) -> After:
        """The call is finished; its agent is free a little later."""
        return After(call.agent.desk, self._timing.release_s, lambda _: self._release(call))

    def _release(self, call: OutgoingCall) -> list[Outgoing]:
        if self.calls.pop(call.workitem_id, None) is None:
            return []
        call.agent.work.remove(call)
        return call.release()

    def _beat(self, agent: Agent, now_ms: int) -> list[Outgoing]:
        if agent.heartbeat.is_lost:
            self.leave(agent, "noPong", now_ms)
            return [Close(agent.desk, NO_PONG, "no pong")]
        return [
            Say(agent.desk, "ping", {"seq": agent.heartbeat.beat()}, is_prompt=True),
            After(agent.desk, self._ping_interval_s, lambda at_ms: self._beat(agent, at_ms)),
        ]

    def _agent_id(self, user: User) -> str:
        if user.name not in self._agent_ids:
            self._agent_ids[user.name] = self._seed.uuid(f"agent/{user.name}")
        return self._agent_ids[user.name]

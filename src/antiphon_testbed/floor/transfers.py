"""Transfers: a contact goes from one desk to another one, at once or after the agents have talked.

blind: the contact leaves the desk and is offered to the other user, who may not take it and so give it to the queue,
like any other. To a skill: it goes to the queue, for whoever has the skill.

consult (calls only): the customer is held, and the call is offered to the other user as well, or one after the other to
the free ones who have the skill. Once connected, the agents talk. `complete` hands the customer over; `cancel` brings
them back, and so does an agent who does not take the call, or leaves it.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect, Request, success
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.calls import Call
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["cancel", "complete", "transfer"]

MOST_TOLD: Final = 8


def transfer(floor: Floor, workitem: Workitem, request: Request, to: str, kind: str, now_ms: int) -> list[Effect]:
    """Begin a transfer `to` a user or a skill; ErrorReply if it cannot be."""
    if kind not in ("blind", "consult"):
        raise ErrorReply("unknownKind", f"{kind[:64]!r} is no kind of transfer; blind and consult are")
    workitem.refuse_unless("connected", "held")
    if isinstance(workitem, Call):
        workitem.refuse_consulting()
    elif kind == "consult":
        raise ErrorReply(
            "wrongChannel", f"only calls are transferred by consulting; the workitem is a {workitem.channel}"
        )
    agent = floor.agent_named(to)
    if agent is not None:
        _refuse_agent(workitem, agent)
    elif not floor.idle.has_skill(to):
        names = ", ".join(other.user.name for other in islice(floor.agents.values(), MOST_TOLD))
        raise ErrorReply(
            "unknownTarget", f"nobody at a desk is called {to[:64]!r} or has such a skill; at desks are {names}"
        )
    if isinstance(workitem, Call) and kind == "consult":
        return _Consult(floor, workitem, None if agent is not None else to).begin(request, agent, now_ms)
    return [success(request), *_give(floor, workitem, agent, to, now_ms)]


def complete(call: Call, request: Request, now_ms: int) -> list[Effect]:
    """The agent who was consulted takes the customer over; ErrorReply if they do not talk yet."""
    _refuse_unless_consulting(call)
    helper = call.contact.helper
    if not isinstance(helper, Call) or helper.state != "connected":
        raise ErrorReply("wrongState", "the other agent has not answered yet")
    call.contact.is_consulting = False
    handed_over = call.hand_over(now_ms)
    return [success(request), *handed_over, *helper.take_over(now_ms), call.party_list()]


def cancel(call: Call, request: Request, now_ms: int) -> list[Effect]:
    """The customer is back, and the agent who was consulted is no longer needed."""
    _refuse_unless_consulting(call)
    helper = call.contact.helper
    let_go = helper.let_go("cancelled", now_ms) if helper is not None else []
    call.contact.helper, call.contact.is_consulting = None, False
    return [success(request), *call.take_back("cancelled", now_ms), *let_go]


def _give(floor: Floor, workitem: Workitem, agent: Agent | None, to: str, now_ms: int) -> list[Effect]:
    contact = workitem.contact
    contact.about = _about(workitem)
    if agent is None:
        contact.interaction.skill = to
        contact.about["skill"] = to
    contact.passed.clear()
    said = [*workitem.hand_over(now_ms), workitem.party_list()]
    floor.dispatch.submit(contact, now_ms)
    if agent is not None:
        said += floor.dispatch.offer(contact, agent, now_ms)
    return said


def _about(workitem: Workitem) -> dict[str, object]:
    """What the next desk is told of the contact."""
    contact, told = workitem.contact, {}
    if contact.customer is not None:
        told["from"] = contact.customer.name
    about = {name: value for name, value in contact.about.items() if name != "destination"}
    return {**told, **about, "transferredBy": workitem.agent.user.name}


def _refuse_agent(workitem: Workitem, agent: Agent) -> None:
    name = agent.user.name
    if agent is workitem.agent:
        raise ErrorReply("ownDesk", "the contact is at this desk already")
    if not agent.is_ready:
        raise ErrorReply("targetNotReady", f"{name} is not ready, but in state {agent.state}")
    if not agent.can_take(workitem.channel):
        raise ErrorReply("targetBusy", f"{name} has no room for another {workitem.channel} contact")


def _refuse_unless_consulting(call: Call) -> None:
    call.refuse_unless("connected", "held")
    if call.is_helper or not call.contact.is_consulting:
        raise ErrorReply("wrongState", "the agent consults nobody; transfer with kind consult first")


class _Consult:
    """One agent looks for another one to talk to; `skill` is what any must have, None for one user and no other."""

    def __init__(self, floor: Floor, call: Call, skill: str | None) -> None:
        self._floor = floor
        self._call = call
        self._skill = skill
        self._passed: dict[str, None] = {}

    def begin(self, request: Request, agent: Agent | None, now_ms: int) -> list[Effect]:
        """Hold the customer and offer the call; ErrorReply if nobody is free."""
        chosen = agent if agent is not None else self._next()
        if chosen is None:
            raise ErrorReply("targetBusy", f"nobody who has the skill {self._skill!r} is free")
        held = self._call.put_on_hold(now_ms) if self._call.state == "connected" else []
        self._call.contact.is_consulting = True
        return [success(request), *held, *self._offer(chosen, now_ms)]

    def _offer(self, agent: Agent, now_ms: int) -> list[Effect]:
        helper = self._floor.ledger.assign(agent, self._call.contact, _about(self._call))
        self._call.contact.helper = helper
        return helper.offer(self._pass_on, now_ms)

    def _pass_on(self, helper: Workitem, reason: str, now_ms: int) -> list[Effect]:
        """The agent has not taken the call: the next one may, or the customer is back."""
        self._passed[helper.agent.user.name] = None
        self._call.contact.helper = None
        agent = self._next()
        if agent is not None:
            return self._offer(agent, now_ms)
        self._call.contact.is_consulting = False
        return self._call.take_back(reason, now_ms)

    def _next(self) -> Agent | None:
        if self._skill is None:
            return None
        agent = self._floor.idle.longest_idle("voice", self._skill, self._passed)
        return None if agent is None or agent.user.name in self._passed else agent

"""What each request of a desk does: one table from the action's name to its fields and its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec

from antiphon.errors import Refusal
from antiphon.testbed import requests
from antiphon.testbed.agents import Agent
from antiphon.testbed.dictionaries import DICTIONARIES, items
from antiphon.testbed.floor import Floor
from antiphon.testbed.outgoing import Outgoing, Request, Say, failure, success

__all__ = ["ORDERS", "complaint", "hear"]

Perform: TypeAlias = Callable[[Floor, Agent, Request, Any, int], list[Outgoing]]


def hear(floor: Floor, agent: Agent, name: str, body: Mapping[str, Any], handle: Any, now_ms: int) -> list[Outgoing]:
    """What a request of the agent's desk leads to, in order. `handle` comes back with its answer."""
    order = ORDERS.get(name)
    if order is None:
        return [complaint(agent.desk, "unknownAction", f"there is no action {name[:64]!r}", name, body)]
    fields_type, perform = order
    try:
        fields = msgspec.convert(body, fields_type)
    except msgspec.ValidationError as error:
        return [complaint(agent.desk, "badField", str(error), name, body)]
    request = Request(agent.desk, name, fields.request_id, handle)
    try:
        return perform(floor, agent, request, fields, now_ms)
    except Refusal as refusal:
        return [failure(request, refusal)]


def complaint(
    desk: str, code: str, message: str, action: str | None = None, body: Mapping[str, Any] | None = None
) -> Say:
    """The `error` message: what was said is no request that the centre knows."""
    data: dict[str, Any] = {"code": code, "message": message}
    if action is not None:
        data["action"] = action
    request_id = body.get("requestID") if body is not None else None
    if request_id.__class__ in (str, int):
        data["requestID"] = request_id
    return Say(desk, "error", data)


def _get_agent_data(_: Floor, agent: Agent, request: Request, __: requests.GetAgentData, ___: int) -> list[Outgoing]:
    return [success(request, **agent.data())]


def _get_dictionary_data(
    _: Floor, __: Agent, request: Request, fields: requests.GetDictionaryData, ___: int
) -> list[Outgoing]:
    if fields.name not in DICTIONARIES:
        raise Refusal(
            "unknownDictionary", f"there is no dictionary {fields.name[:64]!r}; {', '.join(DICTIONARIES)} are there"
        )
    return [success(request, name=fields.name, items=items(fields.name))]


def _change_agent_state(
    _: Floor, agent: Agent, request: Request, fields: requests.ChangeAgentState, __: int
) -> list[Outgoing]:
    return agent.choose(request, fields.state, fields.reason)


def _new_out_interaction(
    floor: Floor, agent: Agent, request: Request, fields: requests.NewOutInteraction, now_ms: int
) -> list[Outgoing]:
    return floor.new_call(agent, fields.destination).create(request, now_ms)


def _start(
    floor: Floor, agent: Agent, request: Request, fields: requests.StartNewOutInteraction, now_ms: int
) -> list[Outgoing]:
    call = floor.call_of(agent, fields.workitem_id)
    return call.start(request, fields.destination, floor.offer(agent), now_ms)


def _accept_rtc(floor: Floor, agent: Agent, request: Request, fields: requests.AcceptRtc, _: int) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).accept_rtc(request, fields.interaction_id, fields.answer)


def _set_mute(floor: Floor, agent: Agent, request: Request, fields: requests.SetMute, now_ms: int) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).set_mute(request, fields.mute, now_ms)


def _set_hold(floor: Floor, agent: Agent, request: Request, fields: requests.SetHold, now_ms: int) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).hold(request, now_ms)


def _set_resume(
    floor: Floor, agent: Agent, request: Request, fields: requests.SetResume, now_ms: int
) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).resume(request, now_ms)


def _send_dtmf(floor: Floor, agent: Agent, request: Request, fields: requests.SendDtmf, _: int) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).send_dtmf(request, fields.digits)


def _hang_up(floor: Floor, agent: Agent, request: Request, fields: requests.HangUp, now_ms: int) -> list[Outgoing]:
    return floor.call_of(agent, fields.workitem_id).hang_up(request, now_ms)


def _finish(
    floor: Floor, agent: Agent, request: Request, fields: requests.FinishWorkitem, now_ms: int
) -> list[Outgoing]:
    call = floor.call_of(agent, fields.workitem_id)
    return [*call.finish(request, fields.disposition_id, now_ms), floor.release_later(call)]


def _pong(_: Floor, agent: Agent, __: Request, fields: requests.Pong, ___: int) -> list[Outgoing]:
    agent.heartbeat.heard(fields.seq)
    return []


ORDERS: Final[Mapping[str, tuple[type[requests.Fields], Perform]]] = MappingProxyType(
    {
        "getAgentData": (requests.GetAgentData, _get_agent_data),
        "getDictionaryData": (requests.GetDictionaryData, _get_dictionary_data),
        "changeAgentState": (requests.ChangeAgentState, _change_agent_state),
        # the beginning of an outgoing call
        "newOutInteraction": (requests.NewOutInteraction, _new_out_interaction),
        "startNewOutInteraction": (requests.StartNewOutInteraction, _start),
        "acceptRtc": (requests.AcceptRtc, _accept_rtc),
        # the beginning of an inbound call comes later: acceptInteraction, rejectInteraction
        # during a call
        "setMute": (requests.SetMute, _set_mute),
        "setHold": (requests.SetHold, _set_hold),
        "setResume": (requests.SetResume, _set_resume),
        "sendDtmf": (requests.SendDtmf, _send_dtmf),
        # transfers come later: transfer, completeTransfer, cancelTransfer
        # chats and tasks come later: sendChatMessage, completeTask
        # the end of a call
        "hangUp": (requests.HangUp, _hang_up),
        "finishWorkitem": (requests.FinishWorkitem, _finish),
        "pong": (requests.Pong, _pong),
    }
)
"""Each action that a desk can ask for: its fields, and what it does."""

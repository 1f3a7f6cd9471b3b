"""What each request of a desk does: one table from the action's name to its fields and its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from antiphon.errors import ErrorReply
from antiphon_testbed import protocol as requests
from antiphon_testbed.dictionaries import DICTIONARIES, items
from antiphon_testbed.effects import Outgoing, Request, Say, failure, success
from antiphon_testbed.floor import transfers
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.calls import Call
from antiphon_testbed.floor.chats import Chat
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.tasks import Task
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["ORDERS", "complaint", "hear"]

W = TypeVar("W", bound=Workitem)
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
        return floor.settled(perform(floor, agent, request, fields, now_ms), now_ms)
    except ErrorReply as refusal:
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


def _workitem(floor: Floor, agent: Agent, fields: requests.OfWorkitem) -> Workitem:
    return floor.ledger.workitem_of(agent, fields.workitem_id)


def _of_kind(kind: type[W], floor: Floor, agent: Agent, fields: requests.OfWorkitem) -> W:
    workitem = _workitem(floor, agent, fields)
    if not isinstance(workitem, kind):
        raise ErrorReply("wrongChannel", f"this is for channel {kind.channel}, and the workitem is {workitem.channel}")
    return workitem


def _call(floor: Floor, agent: Agent, fields: requests.OfWorkitem) -> Call:
    return _of_kind(Call, floor, agent, fields)


def _get_agent_data(_: Floor, agent: Agent, request: Request, __: requests.GetAgentData, ___: int) -> list[Outgoing]:
    return [success(request, **agent.data())]


def _get_dictionary_data(
    _: Floor, __: Agent, request: Request, fields: requests.GetDictionaryData, ___: int
) -> list[Outgoing]:
    if fields.name not in DICTIONARIES:
        raise ErrorReply(
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
    return _call(floor, agent, fields).start(request, fields.destination, now_ms)


def _accept_rtc(
    floor: Floor, agent: Agent, request: Request, fields: requests.AcceptRtc, now_ms: int
) -> list[Outgoing]:
    return _call(floor, agent, fields).accept_rtc(request, fields.interaction_id, fields.answer, now_ms)


def _accept_interaction(
    floor: Floor, agent: Agent, request: Request, fields: requests.AcceptInteraction, now_ms: int
) -> list[Outgoing]:
    return _workitem(floor, agent, fields).accept(request, now_ms)


def _reject_interaction(
    floor: Floor, agent: Agent, request: Request, fields: requests.RejectInteraction, now_ms: int
) -> list[Outgoing]:
    return _workitem(floor, agent, fields).reject(request, now_ms)


def _set_mute(floor: Floor, agent: Agent, request: Request, fields: requests.SetMute, now_ms: int) -> list[Outgoing]:
    return _call(floor, agent, fields).set_mute(request, fields.mute, now_ms)


def _set_hold(floor: Floor, agent: Agent, request: Request, fields: requests.SetHold, now_ms: int) -> list[Outgoing]:
    return _call(floor, agent, fields).hold(request, now_ms)


def _set_resume(
    floor: Floor, agent: Agent, request: Request, fields: requests.SetResume, now_ms: int
) -> list[Outgoing]:
    return _call(floor, agent, fields).resume(request, now_ms)


def _send_dtmf(floor: Floor, agent: Agent, request: Request, fields: requests.SendDtmf, _: int) -> list[Outgoing]:
    return _call(floor, agent, fields).send_dtmf(request, fields.digits)


def _transfer(floor: Floor, agent: Agent, request: Request, fields: requests.Transfer, now_ms: int) -> list[Outgoing]:
    return transfers.transfer(floor, _workitem(floor, agent, fields), request, fields.to, fields.kind, now_ms)


def _complete_transfer(
    floor: Floor, agent: Agent, request: Request, fields: requests.CompleteTransfer, now_ms: int
) -> list[Outgoing]:
    return transfers.complete(_call(floor, agent, fields), request, now_ms)


def _cancel_transfer(
    floor: Floor, agent: Agent, request: Request, fields: requests.CancelTransfer, now_ms: int
) -> list[Outgoing]:
    return transfers.cancel(_call(floor, agent, fields), request, now_ms)


def _send_chat_message(
    floor: Floor, agent: Agent, request: Request, fields: requests.SendChatMessage, now_ms: int
) -> list[Outgoing]:
    return _of_kind(Chat, floor, agent, fields).send(request, fields.text, now_ms)


def _complete_task(
    floor: Floor, agent: Agent, request: Request, fields: requests.CompleteTask, now_ms: int
) -> list[Outgoing]:
    return _of_kind(Task, floor, agent, fields).complete(request, fields.outcome, now_ms)


def _hang_up(floor: Floor, agent: Agent, request: Request, fields: requests.HangUp, now_ms: int) -> list[Outgoing]:
    workitem = _workitem(floor, agent, fields)
    if not isinstance(workitem, (Call, Chat)):
        raise ErrorReply("wrongChannel", "a task has nobody to hang up on; completeTask is for tasks")
    return workitem.hang_up(request, now_ms)


def _finish(
    floor: Floor, agent: Agent, request: Request, fields: requests.FinishWorkitem, now_ms: int
) -> list[Outgoing]:
    return _workitem(floor, agent, fields).finish(request, fields.disposition_id, now_ms)


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
        # what is offered
        "acceptInteraction": (requests.AcceptInteraction, _accept_interaction),
        "rejectInteraction": (requests.RejectInteraction, _reject_interaction),
        # during a call
        "setMute": (requests.SetMute, _set_mute),
        "setHold": (requests.SetHold, _set_hold),
        "setResume": (requests.SetResume, _set_resume),
        "sendDtmf": (requests.SendDtmf, _send_dtmf),
        # transfers
        "transfer": (requests.Transfer, _transfer),
        "completeTransfer": (requests.CompleteTransfer, _complete_transfer),
        "cancelTransfer": (requests.CancelTransfer, _cancel_transfer),
        # chats and tasks
        "sendChatMessage": (requests.SendChatMessage, _send_chat_message),
        "completeTask": (requests.CompleteTask, _complete_task),
        # the end of a call or a chat
        "hangUp": (requests.HangUp, _hang_up),
        "finishWorkitem": (requests.FinishWorkitem, _finish),
        "pong": (requests.Pong, _pong),
    }
)
"""Each action that a desk can ask for: its fields, and what it does."""

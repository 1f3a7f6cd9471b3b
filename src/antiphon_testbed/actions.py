"""What each request of a desk does: one table from its fields to the function that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from antiphon.errors import ErrorReply
from antiphon_testbed import protocol
from antiphon_testbed.effects import Effect, Event, Request, failure, success
from antiphon_testbed.floor import transfers
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.calls import Call
from antiphon_testbed.floor.chats_and_tasks import Chat, Task
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.workitems import Workitem
from antiphon_testbed.protocol import DICTIONARIES, REQUESTS, dictionary_items

__all__ = ["ACTIONS", "error_event", "handle_request"]

W = TypeVar("W", bound=Workitem)
Perform: TypeAlias = Callable[[Floor, Agent, Request, Any, int], list[Effect]]


def handle_request(
    floor: Floor, agent: Agent, name: str, body: Mapping[str, Any], handle: Any, now_ms: int
) -> list[Effect]:
    """What a request of the agent's desk leads to, in order. `handle` comes back with its answer."""
    fields_type = REQUESTS.get(name)
    if fields_type is None:
        return [error_event(agent.desk, "unknownAction", f"there is no action {name[:64]!r}", name, body)]
    try:
        fields = msgspec.convert(body, fields_type)
    except msgspec.ValidationError as error:
        return [error_event(agent.desk, "badField", str(error), name, body)]
    request = Request(agent.desk, name, fields.request_id, handle)
    try:
        return floor.settled(ACTIONS[fields_type](floor, agent, request, fields, now_ms), now_ms)
    except ErrorReply as refusal:
        return [failure(request, refusal)]


def error_event(
    desk: str, code: str, message: str, action: str | None = None, body: Mapping[str, Any] | None = None
) -> Event:
    """The `error` message: what was said is no request that the centre knows."""
    data: dict[str, Any] = {"code": code, "message": message}
    if action is not None:
        data["action"] = action
    request_id = body.get("requestID") if body is not None else None
    if request_id.__class__ in (str, int):
        data["requestID"] = request_id
    return Event(desk, "error", data)


def _workitem(floor: Floor, agent: Agent, fields: protocol.OfWorkitem) -> Workitem:
    return floor.ledger.workitem_of(agent, fields.workitem_id)


def _of_kind(kind: type[W], floor: Floor, agent: Agent, fields: protocol.OfWorkitem) -> W:
    workitem = _workitem(floor, agent, fields)
    if not isinstance(workitem, kind):
        raise ErrorReply("wrongChannel", f"this is for channel {kind.channel}, and the workitem is {workitem.channel}")
    return workitem


def _call(floor: Floor, agent: Agent, fields: protocol.OfWorkitem) -> Call:
    return _of_kind(Call, floor, agent, fields)


def _get_agent_data(_: Floor, agent: Agent, request: Request, __: protocol.GetAgentData, ___: int) -> list[Effect]:
    return [success(request, **agent.data())]


def _get_dictionary_data(
    _: Floor, __: Agent, request: Request, fields: protocol.GetDictionaryData, ___: int
) -> list[Effect]:
    if fields.name not in DICTIONARIES:
        raise ErrorReply(
            "unknownDictionary", f"there is no dictionary {fields.name[:64]!r}; {', '.join(DICTIONARIES)} are there"
        )
    return [success(request, name=fields.name, items=dictionary_items(fields.name))]


def _change_agent_state(
    _: Floor, agent: Agent, request: Request, fields: protocol.ChangeAgentState, __: int
) -> list[Effect]:
    return agent.choose(request, fields.state, fields.reason)


def _new_out_interaction(
    floor: Floor, agent: Agent, request: Request, fields: protocol.NewOutInteraction, now_ms: int
) -> list[Effect]:
    return floor.new_call(agent, fields.destination).create(request, now_ms)


def _start(
    floor: Floor, agent: Agent, request: Request, fields: protocol.StartNewOutInteraction, now_ms: int
) -> list[Effect]:
    return _call(floor, agent, fields).start(request, fields.destination, now_ms)


def _accept_rtc(floor: Floor, agent: Agent, request: Request, fields: protocol.AcceptRtc, now_ms: int) -> list[Effect]:
    return _call(floor, agent, fields).accept_rtc(request, fields.interaction_id, fields.answer, now_ms)


def _accept_interaction(
    floor: Floor, agent: Agent, request: Request, fields: protocol.AcceptInteraction, now_ms: int
) -> list[Effect]:
    return _workitem(floor, agent, fields).accept(request, now_ms)


def _reject_interaction(
    floor: Floor, agent: Agent, request: Request, fields: protocol.RejectInteraction, now_ms: int
) -> list[Effect]:
    return _workitem(floor, agent, fields).reject(request, now_ms)


def _set_mute(floor: Floor, agent: Agent, request: Request, fields: protocol.SetMute, now_ms: int) -> list[Effect]:
    return _call(floor, agent, fields).set_mute(request, fields.mute, now_ms)


def _set_hold(floor: Floor, agent: Agent, request: Request, fields: protocol.SetHold, now_ms: int) -> list[Effect]:
    return _call(floor, agent, fields).hold(request, now_ms)


def _set_resume(floor: Floor, agent: Agent, request: Request, fields: protocol.SetResume, now_ms: int) -> list[Effect]:
    return _call(floor, agent, fields).resume(request, now_ms)


def _send_dtmf(floor: Floor, agent: Agent, request: Request, fields: protocol.SendDtmf, _: int) -> list[Effect]:
    return _call(floor, agent, fields).send_dtmf(request, fields.digits)


def _transfer(floor: Floor, agent: Agent, request: Request, fields: protocol.Transfer, now_ms: int) -> list[Effect]:
    return transfers.transfer(floor, _workitem(floor, agent, fields), request, fields.to, fields.kind, now_ms)


def _complete_transfer(
    floor: Floor, agent: Agent, request: Request, fields: protocol.CompleteTransfer, now_ms: int
) -> list[Effect]:
    return transfers.complete(_call(floor, agent, fields), request, now_ms)


def _cancel_transfer(
    floor: Floor, agent: Agent, request: Request, fields: protocol.CancelTransfer, now_ms: int
) -> list[Effect]:
    return transfers.cancel(_call(floor, agent, fields), request, now_ms)


def _send_chat_message(
    floor: Floor, agent: Agent, request: Request, fields: protocol.SendChatMessage, now_ms: int
) -> list[Effect]:
    return _of_kind(Chat, floor, agent, fields).send(request, fields.text, now_ms)


def _complete_task(
    floor: Floor, agent: Agent, request: Request, fields: protocol.CompleteTask, now_ms: int
) -> list[Effect]:
    return _of_kind(Task, floor, agent, fields).complete(request, fields.outcome, now_ms)


def _hang_up(floor: Floor, agent: Agent, request: Request, fields: protocol.HangUp, now_ms: int) -> list[Effect]:
    workitem = _workitem(floor, agent, fields)
    if not isinstance(workitem, (Call, Chat)):
        raise ErrorReply("wrongChannel", "a task has nobody to hang up on; completeTask is for tasks")
    return workitem.hang_up(request, now_ms)


def _finish(floor: Floor, agent: Agent, request: Request, fields: protocol.FinishWorkitem, now_ms: int) -> list[Effect]:
    return _workitem(floor, agent, fields).finish(request, fields.disposition_id, now_ms)


def _pong(_: Floor, agent: Agent, __: Request, fields: protocol.Pong, ___: int) -> list[Effect]:
    agent.heartbeat.heard(fields.seq)
    return []


ACTIONS: Final[Mapping[type[protocol.Fields], Perform]] = MappingProxyType(
    {
        protocol.GetAgentData: _get_agent_data,
        protocol.GetDictionaryData: _get_dictionary_data,
        protocol.ChangeAgentState: _change_agent_state,
        # the beginning of an outgoing call
        protocol.NewOutInteraction: _new_out_interaction,
        protocol.StartNewOutInteraction: _start,
        protocol.AcceptRtc: _accept_rtc,
        # what is offered
        protocol.AcceptInteraction: _accept_interaction,
        protocol.RejectInteraction: _reject_interaction,
        # during a call
        protocol.SetMute: _set_mute,
        protocol.SetHold: _set_hold,
        protocol.SetResume: _set_resume,
        protocol.SendDtmf: _send_dtmf,
        # transfers
        protocol.Transfer: _transfer,
        protocol.CompleteTransfer: _complete_transfer,
        protocol.CancelTransfer: _cancel_transfer,
        # chats and tasks
        protocol.SendChatMessage: _send_chat_message,
        protocol.CompleteTask: _complete_task,
        # the end of a call or a chat
        protocol.HangUp: _hang_up,
        protocol.FinishWorkitem: _finish,
        protocol.Pong: _pong,
    }
)
"""What each request does, by the type of its fields; `protocol.REQUESTS` has their names."""

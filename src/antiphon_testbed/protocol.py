"""What a desk can ask, field by field, and what is wrong with data that is no request."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon.conversation.message import UNNAMED, Data

__all__ = [
    "AcceptInteraction",
    "AcceptRtc",
    "CancelTransfer",
    "ChangeAgentState",
    "CompleteTask",
    "CompleteTransfer",
    "Fields",
    "FinishWorkitem",
    "GetAgentData",
    "GetDictionaryData",
    "HangUp",
    "NewOutInteraction",
    "OfWorkitem",
    "Pong",
    "RejectInteraction",
    "SendChatMessage",
    "SendDtmf",
    "SetHold",
    "SetMute",
    "SetResume",
    "StartNewOutInteraction",
    "Transfer",
    "malformation",
]


def _wire_name(field: str) -> str:
    """`workitem_id` is `workitemID` on the wire."""
    head, *rest = field.split("_")
    return head + "".join("ID" if word == "id" else word.capitalize() for word in rest)


class Fields(msgspec.Struct, frozen=True, rename=_wire_name):
    """The data of a request. Any request may carry `requestID`, a string or an integer, which its answer repeats."""

    request_id: str | int | None = msgspec.field(default=None, name="requestID")


class GetAgentData(Fields, frozen=True, kw_only=True):
    """Who the desk's agent is."""


class GetDictionaryData(Fields, frozen=True, kw_only=True):
    """The items of a dictionary."""

    name: str


class ChangeAgentState(Fields, frozen=True, kw_only=True):
    """The agent chooses a state."""

    state: str
    reason: str | None = None


class NewOutInteraction(Fields, frozen=True, kw_only=True):
    """The agent wants to call somebody."""

    destination: str


class OfWorkitem(Fields, frozen=True, kw_only=True):
    """A request about one workitem."""

    workitem_id: str


class StartNewOutInteraction(OfWorkitem, frozen=True, kw_only=True):
    """The agent calls."""

    destination: str


class AcceptRtc(OfWorkitem, frozen=True, kw_only=True):
    """The desk's media answer to `newRtc`'s offer."""

    interaction_id: str
    answer: str


class AcceptInteraction(OfWorkitem, frozen=True, kw_only=True):
    """The agent takes what was offered."""


class RejectInteraction(OfWorkitem, frozen=True, kw_only=True):
    """The agent does not take what was offered."""


class SetMute(OfWorkitem, frozen=True, kw_only=True):
    """The agent's microphone off or on."""

    mute: bool


class SetHold(OfWorkitem, frozen=True, kw_only=True):
    """The customer hears music."""


class SetResume(OfWorkitem, frozen=True, kw_only=True):
    """The customer hears the agent again."""


class SendDtmf(OfWorkitem, frozen=True, kw_only=True):
    """The agent presses keys of the telephone."""

    digits: str


class Transfer(OfWorkitem, frozen=True, kw_only=True):
    """The agent gives the contact to another user, or to whoever has a skill; `kind` is `blind` or `consult`."""

    to: str
    kind: str


class CompleteTransfer(OfWorkitem, frozen=True, kw_only=True):
    """The agent who was consulted takes the customer over."""


class CancelTransfer(OfWorkitem, frozen=True, kw_only=True):
    """The agent takes the customer back."""


class SendChatMessage(OfWorkitem, frozen=True, kw_only=True):
    """The agent writes to the customer."""

    text: str


class CompleteTask(OfWorkitem, frozen=True, kw_only=True):
    """The agent has done it; `outcome` says what came of it."""

    outcome: str


class HangUp(OfWorkitem, frozen=True, kw_only=True):
    """The agent ends the call or the chat."""


class FinishWorkitem(OfWorkitem, frozen=True, kw_only=True):
    """The agent says how it went and is done with it."""

    disposition_id: str


class Pong(Fields, frozen=True, kw_only=True):
    """The answer to a ping."""

    seq: int


class _Envelope(msgspec.Struct, frozen=True):
    action: str
    data: dict[str, Any]


def malformation(name: str, body: Any, raw: Data) -> str | None:
    """Why a frame is not `{"action": NAME, "data": {…}}` in text, or None if it is."""
    if isinstance(raw, bytes):
        return "a binary frame; the centre speaks JSON in text frames"
    if name != UNNAMED and body.__class__ is dict and body:
        return None
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError) as error:
        return f'not {{"action": NAME, "data": {{…}}}}: {error}'
    return None if envelope.action else "the action's name is empty"

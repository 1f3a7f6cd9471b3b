"""What desks and centre say to each other: the requests with their fields, the messages' names, and fixed texts.

A frame is `{"action": NAME, "data": {…}}`, JSON in text.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from antiphon.conversation.message import UNNAMED, Data

__all__ = [
    "DICTIONARIES",
    "EVENTS",
    "MESSAGES",
    "REQUESTS",
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
    "answer_to",
    "dictionary_items",
    "malformation",
    "media_offer",
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


REQUESTS: Final[Mapping[str, type[Fields]]] = MappingProxyType(
    {
        "getAgentData": GetAgentData,
        "getDictionaryData": GetDictionaryData,
        "changeAgentState": ChangeAgentState,
        # the beginning of an outgoing call
        "newOutInteraction": NewOutInteraction,
        "startNewOutInteraction": StartNewOutInteraction,
        "acceptRtc": AcceptRtc,
        # what is offered
        "acceptInteraction": AcceptInteraction,
        "rejectInteraction": RejectInteraction,
        # during a call
        "setMute": SetMute,
        "setHold": SetHold,
        "setResume": SetResume,
        "sendDtmf": SendDtmf,
        # transfers
        "transfer": Transfer,
        "completeTransfer": CompleteTransfer,
        "cancelTransfer": CancelTransfer,
        # chats and tasks
        "sendChatMessage": SendChatMessage,
        "completeTask": CompleteTask,
        # the end of a call or a chat
        "hangUp": HangUp,
        "finishWorkitem": FinishWorkitem,
        "pong": Pong,
    }
)
"""Each action that a desk can ask for, and its fields."""

EVENTS: Final = frozenset(
    {
        *("agentCapacity", "connectionStatus", "error", "newAgentState", "newChatMessage", "newRtc"),
        *("newWorkitemState", "ping", "workitemPartyList"),
    }
)
"""What the centre says by itself."""


def answer_to(action: str) -> str:
    """The name of a request's answer: that of `hangUp` is `resultHangUp`."""
    return f"result{action[:1].upper()}{action[1:]}"


MESSAGES: Final = EVENTS | {answer_to(action) for action in REQUESTS if action != "pong"}
"""Everything that the centre says: events, and the answers to requests. A `pong` has none."""


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


DICTIONARIES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "dispositions": MappingProxyType(
            {
                "resolved": "Resolved",
                "callback": "Call back later",
                "refused": "The customer refused",
                "wrongNumber": "Wrong number",
                "busy": "Busy",
                "noAnswer": "No answer",
            }
        ),
        "states": MappingProxyType({"ready": "Ready", "notReady": "Not ready", "break": "Break"}),
    }
)
"""Each dictionary by its name: the title of each of its ids."""


def dictionary_items(name: str) -> list[dict[str, str]]:
    """The dictionary's items as the wire has them, in order; KeyError for an unknown dictionary."""
    return [{"id": key, "title": title} for key, title in DICTIONARIES[name].items()]


_OFFER_LINES: Final = (
    "v=0",
    "o=- {session} 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 8 101",
    "c=IN IP4 0.0.0.0",
    "a=setup:actpass",
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
)


def media_offer(session: int) -> str:
    """The offer for the media session of this number (SDP, RFC 8866; offers and answers, RFC 3264)."""
    return "".join(f"{line}\r\n" for line in _OFFER_LINES).format(session=session)

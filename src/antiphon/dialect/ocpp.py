"""OCPP over JSON, 1.6 and 2.0.1: charging stations and their central system.

Sections are those of "OCPP-J 1.6 Specification" and of "OCPP 2.0.1 Part 4 - JSON over WebSockets", section 4 of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from antiphon.conversation.message import Data, Message
from antiphon.conversation.typed import class_name
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import JSON
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply, ScenarioError

__all__ = ["Ocpp"]


class Ocpp:
    """OCPP-J, as station and as central system at once: both may call.

    `ask("BootNotification", chargePointModel="…")` is a CALL; its CALLRESULT comes as `BootNotification.result`, its
    CALLERROR as `BootNotification.error` with `code`, `description` and `details`, which fails the request. `result`
    and `error` are replies to nothing that was asked here. A call of the peer comes under its action; what its handler
    returns answers it, None with `{}`, and `ErrorReply("NotSupported", "why")` refuses it. OCPP knows no message
    without an answer, so there is no `send`.

    Left to the scenario, to keep or to break on purpose: that a side has one call open at a time (section 4.1.1), and
    that a call which nobody knows is refused with `NotImplemented` (`@on(ANY)`).

    version: "1.6" or "2.0.1"; the subprotocol that a client offers by itself (`ocpp1.6`, `ocpp2.0.1`).
    new_id: what makes the id of a call, at most 36 characters; None for 1, 2, …, which goes on when the channel is
        connected again. 2.0.1 wants ids that a station has never used before (section 4.1.4): `new_id=uuid4`.

    Raises ScenarioError for another version.
    """

    def __init__(self, version: str = "1.6", *, new_id: Callable[[], Any] | None = None) -> None:
        if version not in _VERSIONS:
            raise ScenarioError(f"version={version!r} is none of {', '.join(_VERSIONS)}")
        self.version = version
        self.new_id = new_id

    def codec(self, meeting: Meeting, /) -> Codec:
        subprotocol = f"ocpp{self.version}"
        if meeting.side == "client" and subprotocol not in meeting.subprotocols:
            meeting.subprotocols.append(subprotocol)
        before = meeting.previous.new_id if isinstance(meeting.previous, _OcppCodec) else None
        return _OcppCodec(self.new_id or before or count(1).__next__)

    def name_of(self, kind: Any, /) -> str:
        """`BootNotification` for a type of that name: actions begin with a capital."""
        return class_name(kind)


class _OcppCodec(Codec):
    gives_messages = True

    def __init__(self, new_id: Callable[[], Any]) -> None:
        self.new_id = new_id
        self._asked: dict[str, str] = {}

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            document = JSON.read(data)
        except JSON.not_readable as error:
            raise JSON.unreadable(data, error) from error
        match document:
            # `int`, since 2.0 is no message type number (section 4.1.3), though it equals one.
            case [int(kind), str(key), str(action), dict(payload)] if kind == _CALL and action:
                return (Message(action, payload, data, asks=key, is_request=True),)
            case [int(kind), str(key), dict(payload)] if kind == _RESULT:
                return (self._reply(key, "result", payload, data),)
            case [int(kind), str(key), str(code), str(description), dict(details)] if kind == _ERROR:
                body = {"code": code, "description": description, "details": details}
                return (self._reply(key, "error", body, data),)
        hint = 'a CALL is [2, "id", "Action", {…}], its answer [3, "id", {…}] or [4, "id", "code", "text", {…}]'
        raise DialectError(f"no message of OCPP: {shorten(document)}", hint=hint)

    def _reply(self, key: str, kind: str, body: Any, data: Data) -> Message:
        asked = self._asked.pop(key, None)
        name = kind if asked is None else f"{asked}.{kind}"
        return Message(name, body, data, reply_to=key, is_answer=True, is_last=True, is_failure=kind == "error")

    def encode(self, name: str, body: Any) -> Message:
        raise DialectError(f"{name} cannot be sent: every call of OCPP has an answer", hint=f"ask({name!r}, …)")

    def request(self, name: str, body: Any) -> Message:
        key = str(self.new_id())
        request = _message(name, body, [_CALL, key, name, _payload(name, body)])
        request.asks = key
        self._asked[key] = name
        if len(self._asked) > _MOST_ASKED:  # a peer that never answers must not fill the memory
            del self._asked[next(iter(self._asked))]
        return request

    def answer(self, request: Message, body: Any) -> Message:
        name = f"{request.name}.result"
        return _message(name, body, [_RESULT, request.asks, _payload(name, body)])

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        body = {"code": str(refusal.code), "description": refusal.message, "details": refusal.fields}
        return _message(f"{request.name}.error", body, [_ERROR, request.asks, *body.values()])


def _payload(name: str, body: Any) -> Any:
    """None as an empty object, which section 4.2.1 prefers to null."""
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        try:
            body = JSON.plain(body)
        except JSON.not_writable as error:
            raise JSON.unwritable(name, body, error) from error
    if not isinstance(body, Mapping):
        raise DialectError(f"{name}: a payload of OCPP is an object, not {shorten(body)}")
    return body


def _message(name: str, body: Any, document: list[Any]) -> Message:
    try:
        return Message(name, body, str(JSON.write(document)))
    except JSON.not_writable as error:
        raise JSON.unwritable(name, body, error) from error


_VERSIONS: Final = ("1.6", "2.0.1")
_CALL: Final = 2
_RESULT: Final = 3
_ERROR: Final = 4
_MOST_ASKED: Final = 10_000

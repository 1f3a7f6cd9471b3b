"""OCPP over JSON, 1.6 and 2.0.1: charging stations and their central system (OCPP-J specifications, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import JSON
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply

__all__ = ["Ocpp"]


class Ocpp:
    """OCPP-J, as station and as central system at once: both may call.

    `ask("BootNotification", chargePointModel="…")` is a CALL; its CALLRESULT comes as `BootNotification.result`, its
    CALLERROR as `BootNotification.error` with `code`, `description` and `details`, which fails the request. A call of
    the peer comes under its action; what its handler returns answers it, and `ErrorReply("NotSupported", "why")`
    refuses it. OCPP knows no message without an answer, so there is no `send`. In 1.6 and 2.0.1 a side has one call
    open at a time (section 4.1.1): that is for the scenario to keep, or to break on purpose.

    version: "1.6" or "2.0.1"; the subprotocol that a client offers by itself (`ocpp1.6`, `ocpp2.0.1`).
    """

    def __init__(self, version: str = "1.6") -> None:
        self.version = version

    def codec(self, meeting: Meeting, /) -> Codec:
        subprotocol = f"ocpp{self.version}"
        if meeting.side == "client" and subprotocol not in meeting.subprotocols:
            meeting.subprotocols.append(subprotocol)
        # The id of a call must be new for its sender on all connections of a station (section 4.1.4).
        return _OcppCodec(getattr(meeting.previous, "new_id", None) or count(1).__next__)


class _OcppCodec(Codec):
    gives_messages = True

    def __init__(self, new_id: Any) -> None:
        self.new_id = new_id
        self._asked: dict[str, str] = {}

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            document = JSON.read(data)
        except JSON.not_readable as error:
            raise JSON.unreadable(data, error) from error
        match document:
            case [2, str(key), str(action), dict(payload)] if action:
                return (Message(action, payload, data, asks=key, is_request=True),)
            case [3, str(key), dict(payload)]:
                return (self._reply(key, "result", payload, data),)
            case [4, str(key), str(code), str(description), *rest] if len(rest) <= 1:
                body = {"code": code, "description": description, "details": rest[0] if rest else {}}
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
        request = _message(name, body, [2, key, name, _payload(name, body)])
        request.asks = key
        self._asked[key] = name
        if len(self._asked) > _MOST_ASKED:  # a peer that never answers must not fill the memory
            del self._asked[next(iter(self._asked))]
        return request

    def answer(self, request: Message, body: Any) -> Message:
        return _message(f"{request.name}.result", body, [3, request.asks, _payload(request.name, body)])

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        details = refusal.fields
        body = {"code": str(refusal.code), "description": refusal.message, "details": details}
        return _message(f"{request.name}.error", body, [4, request.asks, body["code"], refusal.message, details])


def _payload(name: str, body: Any) -> Any:
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        body = JSON.plain(body)
    if not isinstance(body, Mapping):
        raise DialectError(f"{name}: a payload of OCPP is an object, not {shorten(body)}")
    return body


def _message(name: str, body: Any, document: list[Any]) -> Message:
    try:
        return Message(name, body, str(JSON.write(document)))
    except JSON.not_writable as error:
        raise JSON.unwritable(name, body, error) from error


_MOST_ASKED: Final = 10_000

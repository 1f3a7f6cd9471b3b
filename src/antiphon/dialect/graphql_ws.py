"""GraphQL over WebSocket, both sides (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message, Withdrawal
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.json_text import JSON
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply

__all__ = ["SUBPROTOCOL", "GraphqlWs"]

SUBPROTOCOL: Final = "graphql-transport-ws"


class GraphqlWs:
    """The subprotocol `graphql-transport-ws`, which a client offers by itself; a server names it in `subprotocols=`.

    An operation is a request: `ask("subscribe", query="…", variables={…})` gives the result of a query, and iterated
    every result of a subscription; whoever leaves it early says `complete`. Results are messages `next` with the
    payload as body; `error` fails the request with the list of errors. The handler of `subscribe` on a server returns
    one payload or yields several. Pings are answered.

    payload: what `connection_init` carries, None for nothing; texts in it are filled in from the actor, as
        `{"authorization": "Bearer {token}"}`.
    ping_every_s: how often to send a ping, None for never.
    admit: of a server: called with the payload of `connection_init`; false closes with 4403, and a mapping goes into
        the acknowledgement.
    """

    def __init__(
        self,
        payload: Mapping[str, Any] | None = None,
        *,
        ping_every_s: float | None = None,
        admit: Callable[[Any], Any] | None = None,
    ) -> None:
        self.payload = payload
        self.ping_every_s = ping_every_s
        self.admit = admit

    def codec(self, meeting: Meeting, /) -> Codec:
        if meeting.side == "server":
            return _Server(self)
        if SUBPROTOCOL not in meeting.subprotocols:
            meeting.subprotocols.append(SUBPROTOCOL)
        return _Client(self, filled(self.payload, meeting))


class _GraphqlWsCodec(Codec):
    """What both sides have."""

    is_ready = False
    kinds: tuple[str, ...]

    def __init__(self, dialect: GraphqlWs) -> None:
        self.heartbeat_s = dialect.ping_every_s
        self._owed: list[Message] = []
        self._read: dict[str, Callable[[dict[str, Any], Data], Message]] = {
            kind: getattr(self, f"_read_{kind}") for kind in self.kinds
        }

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            document = JSON.read(data)
        except JSON.not_readable as error:
            raise JSON.unreadable(data, error) from error
        read = self._read.get(document.get("type", "")) if document.__class__ is dict else None
        if read is None:
            raise _invalid(f"this side is told {', '.join(self.kinds)}", document)
        return (read(document, data),)

    def encode(self, name: str, body: Any) -> Message:
        """Any message but those of operations, as it is written: `send("pong")`, whose body is the payload."""
        return _message(name, body)

    def owed(self) -> Iterable[Message]:
        owed, self._owed = self._owed, []
        return owed

    def heartbeat(self) -> Iterable[Message]:
        return (_message("ping", None),)

    def _read_ping(self, document: dict[str, Any], data: Data) -> Message:
        self._owed.append(_message("pong", document.get("payload")))
        return Message("ping", document.get("payload"), data, is_protocol=True)

    def _read_pong(self, document: dict[str, Any], data: Data) -> Message:
        return Message("pong", document.get("payload"), data, is_protocol=True)


class _Client(_GraphqlWsCodec):
    kinds = ("connection_ack", "next", "error", "complete", "ping", "pong")

    def __init__(self, dialect: GraphqlWs, payload: Any) -> None:
        super().__init__(dialect)
        self._payload = payload
        self._new_id = count(1).__next__

    def opening(self) -> Iterable[Message]:
        return (_message("connection_init", self._payload),)

    def request(self, name: str, body: Any) -> Message:
        if name != "subscribe":
            raise DialectError(f"{name} cannot be asked: an operation is", hint='ask("subscribe", query="{ hello }")')
        key = str(self._new_id())
        return _message(name, body, asks=key, id=key)

    def cancel(self, request: Message, /) -> Iterable[Message]:
        return (_message("complete", None, id=request.asks),)

    def _read_connection_ack(self, document: dict[str, Any], data: Data) -> Message:
        self.is_ready = True
        return Message("connection_ack", document.get("payload"), data, is_protocol=True)

    def _read_next(self, document: dict[str, Any], data: Data) -> Message:
        return Message("next", document.get("payload"), data, reply_to=_id(document), is_answer=True)

    def _read_error(self, document: dict[str, Any], data: Data) -> Message:
        key = _id(document)
        payload = document.get("payload")
        return Message("error", payload, data, reply_to=key, is_answer=True, is_last=True, is_failure=True)

    def _read_complete(self, document: dict[str, Any], data: Data) -> Message:
        return Message("complete", None, data, reply_to=_id(document), is_last=True)


class _Server(_GraphqlWsCodec):
    kinds = ("connection_init", "subscribe", "complete", "ping", "pong")

    def __init__(self, dialect: GraphqlWs) -> None:
        super().__init__(dialect)
        self._admit = dialect.admit
        self._open: set[str] = set()

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            return super().decode(data)
        except DialectError as error:
            self._end(4400, str(error))
            raise

    def answer(self, request: Message, body: Any) -> Message:
        key = str(request.asks)
        self._open.discard(key)
        complete = _message("complete", None, id=key)
        if body is None:
            return complete
        result = _message("next", body, id=key)
        result.frames = (result.raw, complete.raw)
        return result

    def answer_interim(self, request: Message, body: Any) -> Message:
        return _message("next", body, id=request.asks)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        self._open.discard(str(request.asks))
        error = {"message": refusal.message, "extensions": {"code": refusal.code}, **refusal.fields}
        return _message("error", [error], id=request.asks)

    def _read_connection_init(self, document: dict[str, Any], data: Data) -> Message:
        payload = document.get("payload")
        if self.is_ready:
            self._end(4429, "Too many initialisation requests")
        else:
            admitted = self._admit(payload) if self._admit is not None else None
            if admitted is False:
                self._end(4403, "Forbidden")
            else:
                self.is_ready = True
                self._owed.append(_message("connection_ack", admitted if isinstance(admitted, Mapping) else None))
        return Message("connection_init", payload, data, is_protocol=True)

    def _read_subscribe(self, document: dict[str, Any], data: Data) -> Message:
        key, payload = _id(document), document.get("payload")
        if payload.__class__ is not dict or not isinstance(payload.get("query"), str):
            raise _invalid("subscribe has a payload with a query", document)
        if not self.is_ready:
            self._end(4401, "Unauthorized")
        elif key in self._open:
            self._end(4409, f"Subscriber for {key} already exists")
        else:
            self._open.add(key)
            return Message("subscribe", payload, data, asks=key, is_request=True)
        return Message("subscribe", payload, data, is_protocol=True)

    def _read_complete(self, document: dict[str, Any], data: Data) -> Message:
        key = _id(document)
        self._open.discard(key)
        return Withdrawal("complete", None, data, withdraws=key)

    def _end(self, code: int, reason: str) -> None:
        self.ending = self.ending or Ending(code=code, reason=reason[:_LONGEST_REASON], by="us")


def _message(kind: str, payload: Any, asks: str | None = None, **members: Any) -> Message:
    document = {**members, "type": kind} if payload is None else {**members, "type": kind, "payload": payload}
    try:
        return Message(kind, payload, str(JSON.write(document)), asks=asks)
    except JSON.not_writable as error:
        raise JSON.unwritable(kind, payload, error) from error


def _id(document: dict[str, Any]) -> str:
    key = document.get("id")
    if key.__class__ is not str or not key:
        raise _invalid("it wants an id, which is a text", document)
    return str(key)


def _invalid(reason: str, document: Any) -> DialectError:
    return DialectError(f"no message of {SUBPROTOCOL}: {reason}; it is {shorten(document)}")


_LONGEST_REASON: Final = 100
"""Of the 123 bytes that a close frame has room for (RFC 6455 section 5.5)."""

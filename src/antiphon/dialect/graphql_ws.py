"""GraphQL over WebSocket, both sides (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
from itertools import count
from typing import Any, Final

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message, Withdrawal
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.json_text import JSON
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply, ScenarioError

__all__ = ["SUBPROTOCOL", "GraphqlWs"]

SUBPROTOCOL: Final = "graphql-transport-ws"


class GraphqlWs:
    """The subprotocol `graphql-transport-ws`, which a client offers by itself; a server names it in `subprotocols=`.

    An operation is a request: `await ask("subscribe", query="…", variables={…})` gives the result of a query, as a
    message `next` with the payload as body. Iterated it gives every result of a subscription, and `complete` behind
    them; whoever leaves it early says `complete`, and what still comes for it is in the journal only. `error` fails the
    request with the list of errors. The handler of `subscribe` on a server returns one payload or yields several.

    Pings are answered; `send("ping")` and `send("pong")` may be said at any time, with an object as payload. What is no
    message of the protocol ends the connection with 4400, whichever side hears it.

    payload: what `connection_init` carries, None for nothing; texts in it are filled in from the actor, as
        `{"authorization": "Bearer {token}"}`.
    ping_every_s: how often to send a ping, None for never.
    admit: of a server: called with the payload of `connection_init`, None if there was none. A mapping admits and goes
        into the acknowledgement, True admits; anything false closes with 4403. Without it everybody is admitted.

    Raises ScenarioError for an `admit` that is a coroutine function: a codec waits for nobody.
    """

    def __init__(
        self,
        payload: Mapping[str, Any] | None = None,
        *,
        ping_every_s: float | None = None,
        admit: Callable[[Any], Any] | None = None,
    ) -> None:
        if iscoroutinefunction(admit):
            raise ScenarioError("admit= of GraphqlWs is called, and not awaited", hint="def, not async def")
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
        self._read: dict[Any, Callable[[dict[str, Any], Data], Message]] = {
            kind: getattr(self, f"_read_{kind}") for kind in self.kinds
        }

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            return (self._message(data),)
        except DialectError:
            self._end(4400, "Invalid message received")
            raise

    def _message(self, data: Data) -> Message:
        try:
            document = JSON.read(data)
        except JSON.not_readable as error:
            raise JSON.unreadable(data, error) from error
        kind = document.get("type") if document.__class__ is dict else None
        read = self._read.get(kind) if kind.__class__ is str else None
        if read is None:
            raise _invalid(f"the type is one of {', '.join(self.kinds)}", document)
        return read(document, data)

    def encode(self, name: str, body: Any) -> Message:
        if name not in ("ping", "pong"):
            text = f"{name} cannot be sent: of itself a side says ping and pong only"
            raise DialectError(text, hint='an operation is a request: ask("subscribe", query="{ hello }")')
        if body is not None and not isinstance(body, Mapping):
            body = _plain(name, body)
        return _said(name, body)

    def owed(self) -> Iterable[Message]:
        owed, self._owed = self._owed, []
        return owed

    def heartbeat(self) -> Iterable[Message]:
        return (_said("ping", None),)

    def _read_ping(self, document: dict[str, Any], data: Data) -> Message:
        payload = _details(document)
        self._owed.append(_said("pong", payload))
        return Message("ping", payload, data, is_protocol=True)

    def _read_pong(self, document: dict[str, Any], data: Data) -> Message:
        return Message("pong", _details(document), data, is_protocol=True)

    def _end(self, code: int, reason: str) -> None:
        self.ending = self.ending or Ending(code=code, reason=reason, by="us")


class _Client(_GraphqlWsCodec):
    kinds = ("connection_ack", "next", "error", "complete", "ping", "pong")

    def __init__(self, dialect: GraphqlWs, payload: Any) -> None:
        super().__init__(dialect)
        self._payload = payload
        self._new_id = count(1).__next__
        self._left: dict[str, None] = {}

    def opening(self) -> Iterable[Message]:
        return (_said("connection_init", self._payload),)

    def request(self, name: str, body: Any) -> Message:
        if name != "subscribe":
            raise DialectError(f"{name} cannot be asked: an operation is", hint='ask("subscribe", query="{ hello }")')
        payload = body if isinstance(body, Mapping) else _plain(name, body)
        key = str(self._new_id())
        request = _said(name, payload, id=key)
        request.asks = key
        return request

    def cancel(self, request: Message, /) -> Iterable[Message]:
        key = str(request.asks)
        _remember(self._left, key)
        return (_said("complete", None, id=key),)

    def _read_connection_ack(self, document: dict[str, Any], data: Data) -> Message:
        payload = _details(document)
        self.is_ready = True
        return Message("connection_ack", payload, data, is_protocol=True)

    def _read_next(self, document: dict[str, Any], data: Data) -> Message:
        payload = document.get("payload")
        if payload.__class__ is not dict:
            raise _invalid("the payload of next is an object", document)
        return self._reply(Message("next", payload, data, reply_to=_id(document), is_answer=True))

    def _read_error(self, document: dict[str, Any], data: Data) -> Message:
        errors = document.get("payload")
        if errors.__class__ is not list or not errors or any(error.__class__ is not dict for error in errors):
            raise _invalid("the payload of error is a list of errors", document)
        reply = Message("error", errors, data, reply_to=_id(document), is_answer=True, is_last=True, is_failure=True)
        return self._reply(reply)

    def _read_complete(self, document: dict[str, Any], data: Data) -> Message:
        return self._reply(Message("complete", None, data, reply_to=_id(document), is_last=True))

    def _reply(self, reply: Message) -> Message:
        # What was under way when the operation was left is to be ignored, and is no answer that somebody has missed.
        reply.is_protocol = reply.reply_to in self._left
        return reply


class _Server(_GraphqlWsCodec):
    kinds = ("connection_init", "subscribe", "complete", "ping", "pong")

    def __init__(self, dialect: GraphqlWs) -> None:
        super().__init__(dialect)
        self._admit = dialect.admit
        self._open: dict[str, None] = {}

    def answer(self, request: Message, body: Any) -> Message:
        key = str(request.asks)
        complete = _said("complete", None, id=key)
        if body is not None:
            result = self.answer_interim(request, body)
            result.frames = (result.raw, complete.raw)
            complete = result
        self._open.pop(key, None)
        return complete

    def answer_interim(self, request: Message, body: Any) -> Message:
        return _said("next", body if isinstance(body, Mapping) else _plain("next", body), id=request.asks)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        error = {"message": refusal.message, "extensions": {"code": refusal.code}, **refusal.fields}
        refused = _said("error", [error], id=request.asks)
        self._open.pop(str(request.asks), None)
        return refused

    def _read_connection_init(self, document: dict[str, Any], data: Data) -> Message:
        payload = _details(document)
        if self.is_ready:
            self._end(4429, "Too many initialisation requests")
        elif self.ending is None:
            self._let_in(payload)
        return Message("connection_init", payload, data, is_protocol=True)

    def _let_in(self, payload: Any) -> None:
        admitted = self._admit(payload) if self._admit is not None else True
        details = admitted if isinstance(admitted, Mapping) else None
        if not admitted and details is None:
            self._end(4403, "Forbidden")
            return
        self._owed.append(_said("connection_ack", details))
        self.is_ready = True

    def _read_subscribe(self, document: dict[str, Any], data: Data) -> Message:
        key, payload = _id(document), document.get("payload")
        if payload.__class__ is not dict or payload.get("query").__class__ is not str:
            raise _invalid("subscribe has a payload with a query, which is a text", document)
        for name, kind in (("operationName", str), ("variables", dict), ("extensions", dict)):
            if payload.get(name) is not None and payload[name].__class__ is not kind:
                raise _invalid(f"{name} is {'a text' if kind is str else 'an object'} or null", document)
        if not self.is_ready:
            self._end(4401, "Unauthorized")
        elif key in self._open:
            self._end(4409, _cut(f"Subscriber for {key} already exists"))
        if self.ending is not None:
            return Message("subscribe", payload, data, is_protocol=True)
        _remember(self._open, key)
        return Message("subscribe", payload, data, asks=key, is_request=True)

    def _read_complete(self, document: dict[str, Any], data: Data) -> Message:
        key = _id(document)
        self._open.pop(key, None)
        return Withdrawal("complete", None, data, withdraws=key)


def _said(kind: str, payload: Any, **members: Any) -> Message:
    document = {**members, "type": kind} if payload is None else {**members, "type": kind, "payload": payload}
    try:
        return Message(kind, payload, str(JSON.write(document)))
    except JSON.not_writable as error:
        raise JSON.unwritable(kind, payload, error) from error


def _plain(kind: str, body: Any) -> Mapping[str, Any]:
    """A typed body as the object that a payload must be."""
    try:
        payload = JSON.plain(body)
    except JSON.not_writable as error:
        raise JSON.unwritable(kind, body, error) from error
    if not isinstance(payload, Mapping):
        hint = 'ask("subscribe", query="{ hello }"); a result is {"data": …}'
        raise DialectError(f"the payload of {kind} is an object, not {shorten(body)}", hint=hint)
    return payload


def _details(document: dict[str, Any]) -> Any:
    payload = document.get("payload")
    if payload is not None and payload.__class__ is not dict:
        raise _invalid("its payload is an object, null or missing", document)
    return payload


def _id(document: dict[str, Any]) -> str:
    key = document.get("id")
    if key.__class__ is not str or not key:
        raise _invalid("it wants an id, which is a text", document)
    return str(key)


def _invalid(reason: str, document: Any) -> DialectError:
    return DialectError(f"no message of {SUBPROTOCOL}: {reason}; it is {shorten(document)}")


def _cut(reason: str) -> str:
    """As much of it as a close frame has room for (RFC 6455 section 5.5)."""
    return reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")


def _remember(keys: dict[str, None], key: str) -> None:
    keys[key] = None
    if len(keys) > _MOST_REMEMBERED:  # a peer that never ends an operation must not fill the memory
        del keys[next(iter(keys))]


_LONGEST_REASON_BYTES: Final = 123
_MOST_REMEMBERED: Final = 10_000

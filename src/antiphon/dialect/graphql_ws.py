"""GraphQL over WebSocket, both sides (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
from itertools import count
from typing import Annotated, Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message, Withdrawal
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.graphql_document import is_subscription
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
    resubscribes: on a channel that `reopens`, say the subscriptions (no queries and no mutations) that are under way
        again on the next connection; what was told between the two is lost. False: they fail when theirs ends.
    admit: of a server: called with the payload of `connection_init`, None if there was none. A mapping admits and goes
        into the acknowledgement, True admits; anything false closes with 4403. Without it everybody is admitted.

    Raises ScenarioError for an `admit` that is a coroutine function: a codec waits for nobody.
    """

    def __init__(
        self,
        payload: Mapping[str, Any] | None = None,
        *,
        ping_every_s: float | None = None,
        resubscribes: bool = False,
        admit: Callable[[Any], Any] | None = None,
    ) -> None:
        if iscoroutinefunction(admit):
            raise ScenarioError("admit= of GraphqlWs is called, and not awaited", hint="def, not async def")
        self.payload = payload
        self.ping_every_s = ping_every_s
        self.resubscribes = resubscribes
        self.admit = admit

    def codec(self, meeting: Meeting, /) -> Codec:
        if meeting.side == "server":
            return _Server(self)
        if SUBPROTOCOL not in meeting.subprotocols:
            meeting.subprotocols.append(SUBPROTOCOL)
        return _Client(self, filled(self.payload, meeting), meeting)


class _Payload(msgspec.Struct):
    """What PROTOCOL.md says of the payload of `subscribe`; there may be more in it."""

    query: str
    operationName: str | None = None  # noqa: N815
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class _Aside(msgspec.Struct, tag_field="type"):
    payload: dict[str, Any] | None = None


class _Init(_Aside, tag="connection_init"): ...


class _Ack(_Aside, tag="connection_ack"): ...


class _Ping(_Aside, tag="ping"): ...


class _Pong(_Aside, tag="pong"): ...


class _Operation(msgspec.Struct, tag_field="type"):
    id: Annotated[str, msgspec.Meta(min_length=1)]


class _Complete(_Operation, tag="complete"): ...


class _Subscribe(_Operation, tag="subscribe"):
    payload: dict[str, Any]


class _Next(_Operation, tag="next"):
    payload: dict[str, Any]


class _Error(_Operation, tag="error"):
    payload: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


class _GraphqlWsCodec(Codec):
    """What both sides have."""

    is_ready = False

    def __init__(self, dialect: GraphqlWs, read: Callable[[Data], Any]) -> None:
        self.heartbeat_s = dialect.ping_every_s
        self._owed: list[Message] = []
        self._read = read

    @abstractmethod
    def _hear(self, said: Any, data: Data) -> Message:
        """What this side alone is told."""

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            said = self._read(data)
            if said.__class__ is _Subscribe:
                msgspec.convert(said.payload, _Payload)
        except JSON.not_readable as error:
            self._end(4400, "Invalid message received")
            if isinstance(error, msgspec.ValidationError):
                raise DialectError(f"no message of {SUBPROTOCOL}: {error}; it is {shorten(data)}") from error
            raise JSON.unreadable(data, error) from error
        if said.__class__ is _Ping:
            self._owed.append(_said("pong", said.payload))
        if isinstance(said, (_Ping, _Pong)):
            return (_protocol(said, data),)
        return (self._hear(said, data),)

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

    def _end(self, code: int, reason: str) -> None:
        self.ending = self.ending or Ending(code=code, reason=reason, by="us")


class _Client(_GraphqlWsCodec):
    def __init__(self, dialect: GraphqlWs, payload: Any, meeting: Meeting) -> None:
        super().__init__(dialect, _read_by_client)
        self._payload = payload
        self._resubscribes = dialect.resubscribes
        self._again = {str(request.asks): request for request in meeting.unanswered}
        # Those that are said again keep their ids.
        previous = meeting.previous
        self._new_id: Callable[[], int] = previous._new_id if isinstance(previous, _Client) else count(1).__next__
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
        if self._again.pop(key, None) is not None:
            return ()  # on this connection it was not said yet
        _remember(self._left, key)
        return (_said("complete", None, id=key),)

    def resumes(self, request: Message, /) -> bool:
        return self._resubscribes and is_subscription(request.body)

    def _hear(self, said: Any, data: Data) -> Message:
        if isinstance(said, _Ack):
            self.is_ready = True
            self._owed += [_said("subscribe", each.body, id=key) for key, each in self._again.items()]
            self._again.clear()
            return _protocol(said, data)
        reply = Message(said.__struct_config__.tag, getattr(said, "payload", None), data, reply_to=said.id)
        reply.is_failure = isinstance(said, _Error)
        reply.is_answer = isinstance(said, (_Next, _Error))
        reply.is_last = not isinstance(said, _Next)
        # What was under way when the operation was left is to be ignored, and is no answer that somebody has missed.
        reply.is_protocol = said.id in self._left
        return reply


class _Server(_GraphqlWsCodec):
    def __init__(self, dialect: GraphqlWs) -> None:
        super().__init__(dialect, _read_by_server)
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

    def _hear(self, said: Any, data: Data) -> Message:
        if isinstance(said, _Subscribe):
            return self._begin(said, data)
        if isinstance(said, _Complete):
            self._open.pop(said.id, None)
            return Withdrawal("complete", None, data, withdraws=said.id)
        if self.is_ready:
            self._end(4429, "Too many initialisation requests")
        elif self.ending is None:
            self._let_in(said.payload)
        return _protocol(said, data)

    def _let_in(self, payload: Any) -> None:
        admitted = self._admit(payload) if self._admit is not None else True
        details = admitted if isinstance(admitted, Mapping) else None
        if not admitted and details is None:
            self._end(4403, "Forbidden")
            return
        self._owed.append(_said("connection_ack", details))
        self.is_ready = True

    def _begin(self, said: _Subscribe, data: Data) -> Message:
        if not self.is_ready:
            self._end(4401, "Unauthorized")
        elif said.id in self._open:
            self._end(4409, _cut(f"Subscriber for {said.id} already exists"))
        if self.ending is not None:
            return _protocol(said, data)
        _remember(self._open, said.id)
        return Message("subscribe", said.payload, data, asks=said.id, is_request=True)


def _protocol(said: Any, data: Data) -> Message:
    return Message(said.__struct_config__.tag, said.payload, data, is_protocol=True)


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


def _cut(reason: str) -> str:
    """As much of it as a close frame has room for (RFC 6455 section 5.5)."""
    return reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")


def _remember(keys: dict[str, None], key: str) -> None:
    keys[key] = None
    if len(keys) > _MOST_REMEMBERED:  # a peer that never ends an operation must not fill the memory
        del keys[next(iter(keys))]


_LONGEST_REASON_BYTES: Final = 123
_MOST_REMEMBERED: Final = 10_000

_read_by_client: Final = msgspec.json.Decoder(_Ack | _Next | _Error | _Complete | _Ping | _Pong).decode
_read_by_server: Final = msgspec.json.Decoder(_Init | _Subscribe | _Complete | _Ping | _Pong).decode

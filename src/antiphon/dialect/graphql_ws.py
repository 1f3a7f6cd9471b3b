"""GraphQL over WebSocket, both sides (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from itertools import count
from typing import Any

from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.graphql_codec import SUBPROTOCOL, GraphqlWsCodec, remember
from antiphon.dialect.graphql_document import is_subscription
from antiphon.dialect.graphql_messages import (
    Ack,
    Failed,
    Next,
    payload_of,
    protocol_message,
    read_by_client,
    said_message,
)
from antiphon.dialect.graphql_server import GraphqlWsServer
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ScenarioError

__all__ = ["SUBPROTOCOL", "GraphqlWs"]


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
            return GraphqlWsServer(self.ping_every_s, self.admit)
        if SUBPROTOCOL not in meeting.subprotocols:
            meeting.subprotocols.append(SUBPROTOCOL)
        return _Client(self, filled(self.payload, meeting), meeting)


class _Client(GraphqlWsCodec):
    def __init__(self, dialect: GraphqlWs, payload: Any, meeting: Meeting) -> None:
        super().__init__(dialect.ping_every_s, read_by_client)
        self._payload = payload
        self._resubscribes = dialect.resubscribes
        self._again = {str(request.asks): request for request in meeting.unanswered}
        # Those that are said again keep their ids.
        previous = meeting.previous
        self._new_id: Callable[[], int] = previous._new_id if isinstance(previous, _Client) else count(1).__next__
        self._left: dict[str, None] = {}

    def opening(self) -> Iterable[Message]:
        return (said_message("connection_init", self._payload),)

    def request(self, name: str, body: Any) -> Message:
        if name != "subscribe":
            raise DialectError(f"{name} cannot be asked: an operation is", hint='ask("subscribe", query="{ hello }")')
        payload = body if isinstance(body, Mapping) else payload_of(name, body)
        key = str(self._new_id())
        request = said_message(name, payload, id=key)
        request.asks = key
        return request

    def cancel(self, request: Message, /) -> Iterable[Message]:
        key = str(request.asks)
        if self._again.pop(key, None) is not None:
            return ()  # on this connection it was not said yet
        remember(self._left, key)
        return (said_message("complete", None, id=key),)

    def resumes(self, request: Message, /) -> bool:
        return self._resubscribes and is_subscription(request.body)

    def _hear(self, said: Any, data: Data) -> Message:
        if isinstance(said, Ack):
            self.is_ready = True
            self._owed += [said_message("subscribe", each.body, id=key) for key, each in self._again.items()]
            self._again.clear()
            return protocol_message(said, data)
        reply = Message(said.__struct_config__.tag, getattr(said, "payload", None), data, reply_to=said.id)
        reply.is_failure = isinstance(said, Failed)
        reply.is_answer = isinstance(said, (Next, Failed))
        reply.is_last = not isinstance(said, Next)
        # What was under way when the operation was left is to be ignored, and is no answer that somebody has missed.
        reply.is_protocol = said.id in self._left
        return reply

"""GraphQL over WebSocket, as a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from antiphon.conversation.message import Data, Message, Withdrawal
from antiphon.dialect.graphql_codec import GraphqlWsCodec, remember
from antiphon.dialect.graphql_messages import (
    Complete,
    Subscribe,
    payload_of,
    protocol_message,
    read_by_server,
    said_message,
)
from antiphon.errors import ErrorReply

__all__ = ["GraphqlWsServer"]

_LONGEST_REASON_BYTES: Final = 123


class GraphqlWsServer(GraphqlWsCodec):
    """One connection's; `admit` is called with the payload of `connection_init`, None if there was none."""

    def __init__(self, ping_every_s: float | None, admit: Callable[[Any], Any] | None) -> None:
        super().__init__(ping_every_s, read_by_server)
        self._admit = admit
        self._open: dict[str, None] = {}

    def answer(self, request: Message, body: Any) -> Message:
        key = str(request.asks)
        complete = said_message("complete", None, id=key)
        if body is not None:
            result = self.answer_interim(request, body)
            result.frames = (result.raw, complete.raw)
            complete = result
        self._open.pop(key, None)
        return complete

    def answer_interim(self, request: Message, body: Any) -> Message:
        return said_message("next", body if isinstance(body, Mapping) else payload_of("next", body), id=request.asks)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        error = {"message": refusal.message, "extensions": {"code": refusal.code}, **refusal.fields}
        refused = said_message("error", [error], id=request.asks)
        self._open.pop(str(request.asks), None)
        return refused

    def _hear(self, said: Any, data: Data) -> Message:
        if isinstance(said, Subscribe):
            return self._begin(said, data)
        if isinstance(said, Complete):
            self._open.pop(said.id, None)
            return Withdrawal("complete", None, data, withdraws=said.id)
        if self.is_ready:
            self._end(4429, "Too many initialisation requests")
        elif self.ending is None:
            self._let_in(said.payload)
        return protocol_message(said, data)

    def _let_in(self, payload: Any) -> None:
        admitted = self._admit(payload) if self._admit is not None else True
        details = admitted if isinstance(admitted, Mapping) else None
        if not admitted and details is None:
            self._end(4403, "Forbidden")
            return
        self._owed.append(said_message("connection_ack", details))
        self.is_ready = True

    def _begin(self, said: Subscribe, data: Data) -> Message:
        if not self.is_ready:
            self._end(4401, "Unauthorized")
        elif said.id in self._open:
            self._end(4409, _cut(f"Subscriber for {said.id} already exists"))
        if self.ending is not None:
            return protocol_message(said, data)
        remember(self._open, said.id)
        return Message("subscribe", said.payload, data, asks=said.id, is_request=True)


def _cut(reason: str) -> str:
    """As much of it as a close frame has room for (RFC 6455 section 5.5)."""
    return reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")

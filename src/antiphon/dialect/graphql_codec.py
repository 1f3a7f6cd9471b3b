"""What both sides of GraphQL over WebSocket have."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.graphql_messages import Payload, Ping, Pong, Subscribe, payload_of, protocol_message, said_message
from antiphon.dialect.json_text import JSON
from antiphon.errors import DialectError

__all__ = ["SUBPROTOCOL", "GraphqlWsCodec", "remember"]

SUBPROTOCOL: Final = "graphql-transport-ws"
_MOST_REMEMBERED: Final = 10_000


class GraphqlWsCodec(Codec):
    """What both sides have."""

    is_ready = False

    def __init__(self, ping_every_s: float | None, read: Callable[[Data], Any]) -> None:
        self.heartbeat_s = ping_every_s
        self._owed: list[Message] = []
        self._read = read

    @abstractmethod
    def _hear(self, said: Any, data: Data) -> Message:
        """What this side alone is told."""

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            said = self._read(data)
            if said.__class__ is Subscribe:
                msgspec.convert(said.payload, Payload)
        except JSON.not_readable as error:
            self._end(4400, "Invalid message received")
            if isinstance(error, msgspec.ValidationError):
                raise DialectError(f"no message of {SUBPROTOCOL}: {error}; it is {shorten(data)}") from error
            raise JSON.unreadable(data, error) from error
        if said.__class__ is Ping:
            self._owed.append(said_message("pong", said.payload))
        if isinstance(said, (Ping, Pong)):
            return (protocol_message(said, data),)
        return (self._hear(said, data),)

    def encode(self, name: str, body: Any) -> Message:
        if name not in ("ping", "pong"):
            text = f"{name} cannot be sent: of itself a side says ping and pong only"
            raise DialectError(text, hint='an operation is a request: ask("subscribe", query="{ hello }")')
        if body is not None and not isinstance(body, Mapping):
            body = payload_of(name, body)
        return said_message(name, body)

    def owed(self) -> Iterable[Message]:
        owed, self._owed = self._owed, []
        return owed

    def heartbeat(self) -> Iterable[Message]:
        return (said_message("ping", None),)

    def _end(self, code: int, reason: str) -> None:
        self.ending = self.ending or Ending(code=code, reason=reason, by="us")


def remember(keys: dict[str, None], key: str) -> None:
    """Add it to the operations that something is known of."""
    keys[key] = None
    if len(keys) > _MOST_REMEMBERED:  # a peer that never ends an operation must not fill the memory
        del keys[next(iter(keys))]

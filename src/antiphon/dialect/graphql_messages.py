"""The messages of GraphQL over WebSocket, as they are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.json_text import JSON
from antiphon.errors import DialectError

__all__ = [
    "Ack",
    "Complete",
    "Failed",
    "Init",
    "Next",
    "Payload",
    "Ping",
    "Pong",
    "Subscribe",
    "payload_of",
    "protocol_message",
    "read_by_client",
    "read_by_server",
    "said_message",
]


class Payload(msgspec.Struct):
    """What PROTOCOL.md says of the payload of `subscribe`; there may be more in it."""

    query: str
    operationName: str | None = None  # noqa: N815
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class Aside(msgspec.Struct, tag_field="type"):
    payload: dict[str, Any] | None = None


class Init(Aside, tag="connection_init"): ...


class Ack(Aside, tag="connection_ack"): ...


class Ping(Aside, tag="ping"): ...


class Pong(Aside, tag="pong"): ...


class Operation(msgspec.Struct, tag_field="type"):
    id: Annotated[str, msgspec.Meta(min_length=1)]


class Complete(Operation, tag="complete"): ...


class Subscribe(Operation, tag="subscribe"):
    payload: dict[str, Any]


class Next(Operation, tag="next"):
    payload: dict[str, Any]


class Failed(Operation, tag="error"):
    payload: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]


def protocol_message(said: Any, data: Data) -> Message:
    """One that nobody waits for."""
    return Message(said.__struct_config__.tag, said.payload, data, is_protocol=True)


def said_message(kind: str, payload: Any, **members: Any) -> Message:
    """One of that type, with its payload and further members. Raises DialectError for what JSON cannot hold."""
    document = {**members, "type": kind} if payload is None else {**members, "type": kind, "payload": payload}
    try:
        return Message(kind, payload, str(JSON.write(document)))
    except JSON.not_writable as error:
        raise JSON.unwritable(kind, payload, error) from error


def payload_of(kind: str, body: Any) -> Mapping[str, Any]:
    """A typed body as the object that a payload must be."""
    try:
        payload = JSON.plain(body)
    except JSON.not_writable as error:
        raise JSON.unwritable(kind, body, error) from error
    if not isinstance(payload, Mapping):
        hint = 'ask("subscribe", query="{ hello }"); a result is {"data": …}'
        raise DialectError(f"the payload of {kind} is an object, not {shorten(body)}", hint=hint)
    return payload


read_by_client: Final = msgspec.json.Decoder(Ack | Next | Failed | Complete | Ping | Pong).decode
read_by_server: Final = msgspec.json.Decoder(Init | Subscribe | Complete | Ping | Pong).decode

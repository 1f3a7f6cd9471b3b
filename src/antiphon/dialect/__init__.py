"""Dialects: how messages are encoded, named and correlated."""

from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.graphql_ws import GraphqlWs
from antiphon.dialect.json import Json
from antiphon.dialect.jsonrpc import JsonRpc
from antiphon.dialect.lsp import Lsp
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.mqtt import Mqtt
from antiphon.dialect.notation import Notation
from antiphon.dialect.ocpp import Ocpp
from antiphon.dialect.packed import Cbor, MessagePack
from antiphon.dialect.plain import Raw, Text
from antiphon.dialect.protobuf import Protobuf
from antiphon.dialect.resp import Resp
from antiphon.dialect.socketio import SocketIo
from antiphon.dialect.stomp import Stomp
from antiphon.dialect.structured import Structured
from antiphon.dialect.xml import Xml

__all__ = [
    "Cbor",
    "Codec",
    "Dialect",
    "GraphqlWs",
    "Json",
    "JsonRpc",
    "Lsp",
    "Meeting",
    "MessagePack",
    "Mqtt",
    "Notation",
    "Ocpp",
    "Protobuf",
    "Raw",
    "Resp",
    "SocketIo",
    "Stomp",
    "Structured",
    "Text",
    "Xml",
]

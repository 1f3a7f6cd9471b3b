"""Protocol Buffers (protobuf.dev), by the types that protoc has generated from a .proto file."""

from __future__ import annotations

from copy import copy
from importlib import import_module
from typing import Any, Final

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.notation import Notation
from antiphon.dialect.structured import Structured, StructuredCodec
from antiphon.errors import ScenarioError

__all__ = ["Protobuf"]

_NAME: Final = "<name>"
_BODY: Final = "<body>"
_ABOUT: Final = "it takes generated types: Protobuf(desk_pb2.Said, desk_pb2.Heard)"


class Protobuf(Structured):
    """One message a frame: clients say a `request`, servers a `response`, as in `rpc Talk(stream Said) returns (…)`.

    Where such a type has a oneof, the field that is set names the message, and is its body; `oneof` says which, if it
    has several. Otherwise the type names it, and its fields are the body. Bodies are objects with the names of the
    .proto file, enums by name, bytes as they are. Fields that cannot be absent are there with their defaults. What is
    said may be a generated message, too.

    `id` is the field for the id of requests and replies, beside the oneof; 0 and "" are none. `reply`, `failed`,
    `provisional` and `envelope` are those of `Json`. Raises ScenarioError for types that are none of protobuf's.
    """

    def __init__(self, request: Any, response: Any, *, id: str | None = None, oneof: str = "", **options: Any) -> None:  # noqa: A002
        kinds = {"client": _Kind(request, oneof, id), "server": _Kind(response, oneof, id)}
        beside = all(each.oneof for each in kinds.values())
        super().__init__(_NAME, _BODY, id=id if id is None or beside else f"{_BODY}.{id}", **options)
        self._sides = {
            side: _notation(says=kinds[side], hears=kinds[other])
            for side, other in (("client", "server"), ("server", "client"))
        }

    def name_of(self, kind: Any) -> str:
        """What the field of a oneof would be called."""
        return str(kind.__name__)

    def codec(self, meeting: Meeting, /) -> Codec:
        ours = copy(self)
        ours.notation = self._sides[meeting.side]  # type: ignore[misc]  # each side reads what the other writes
        return _ProtobufCodec(ours)


class _ProtobufCodec(StructuredCodec):
    def encode(self, name: str, body: Any, key: Any = None) -> Message:
        return super().encode(name, _fields(body) if hasattr(body, "DESCRIPTOR") else body, key)


class _Kind:
    """A generated type, and its oneof that names messages, "" for none."""

    def __init__(self, kind: Any, oneof: str, key: str | None) -> None:
        if not (hasattr(kind, "DESCRIPTOR") and hasattr(kind, "FromString") and hasattr(kind, "SerializeToString")):
            raise ScenarioError(f"Protobuf: {shorten(kind)} is no type that protoc has generated", hint=_ABOUT)
        found = [each.name for each in kind.DESCRIPTOR.oneofs if not each.name.startswith("_")]  # those are `optional`
        if len(found) > 1 and oneof not in found:
            text = f"Protobuf: {kind.DESCRIPTOR.name} has several oneofs, {', '.join(found)}"
            raise ScenarioError(text, hint=f"oneof={found[0]!r} says which of them names messages")
        self.kind = kind
        self.key = key
        self.name = kind.DESCRIPTOR.name
        self.oneof = oneof if oneof in found else found[0] if found and not oneof else ""

    def read(self, data: Data) -> dict[str, Any]:
        message = self.kind.FromString(data)
        fields = _fields(message)
        if self.key is not None and not fields.get(self.key):
            fields.pop(self.key, None)  # an id that was not set is there as 0, or ""
        if not self.oneof:
            return {_NAME: self.name, _BODY: fields}
        name = message.WhichOneof(self.oneof)
        return fields if name is None else {**fields, _NAME: name, _BODY: fields.pop(name)}

    def write(self, document: dict[str, Any]) -> bytes:
        beside = {name: value for name, value in document.items() if name not in (_NAME, _BODY)}
        name, body = document[_NAME], document[_BODY]
        if self.oneof:
            return bytes(self.kind(**beside, **{name: body}).SerializeToString())
        if name != self.name:
            raise ValueError(f"all that is said here is a {self.name}")
        return bytes(self.kind(**beside, **body).SerializeToString())


def _notation(*, says: _Kind, hears: _Kind) -> Notation:
    errors = import_module("google.protobuf.message").Error  # which every generated type has imported already
    return Notation(
        name=f"protobuf ({says.name}, {hears.name})",
        read=hears.read,
        write=says.write,
        plain=_fields,
        not_readable=(errors, TypeError, UnicodeError, RecursionError),
        not_writable=(errors, TypeError, ValueError, RecursionError),
        why_unreadable=lambda _data, _error: f"is each frame a {hears.name}, in the other side's version of it?",
    )


def _fields(message: Any) -> dict[str, Any]:
    """A message's fields, without those that are absent."""
    return {
        field.name: _value(field, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _value(field: Any, value: Any) -> Any:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"]
        return {key: _single(inner, value[key]) for key in value}
    return [_single(field, each) for each in value] if _is_repeated(field) else _single(field, value)


def _is_repeated(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def _single(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        return _fields(value)
    if field.enum_type is None:
        return value
    known = field.enum_type.values_by_number.get(value)
    return known.name if known is not None else value  # of a later version: its number is all that is known

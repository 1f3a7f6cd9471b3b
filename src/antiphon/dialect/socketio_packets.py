"""The packets of Socket.IO, those with binary attachments too (https://socket.io/docs/v4/socket-io-protocol/).

Each is an Engine.IO message, `4…`, and its attachments are the binary frames behind it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.conversation.typed import plain_value
from antiphon.conversation.wording import shorten
from antiphon.dialect.json_text import JSON, encode_json
from antiphon.errors import DialectError

__all__ = [
    "ACK",
    "CONNECT",
    "CONNECT_ERROR",
    "DISCONNECT",
    "EVENT",
    "RESERVED",
    "Packet",
    "PacketReader",
    "said",
]

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
_IS_BINARY: Final = 3
"""A BINARY_EVENT is an EVENT and three, a BINARY_ACK an ACK and three."""

RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""What no event may be called."""

_PACKET: Final = re.compile(r"4([0-6])(?:([0-9]{1,9})-)?(?:(/[^,]*)(?:,|\Z))?([0-9]{1,16})?(.*)", re.DOTALL)
_MOST_ATTACHMENTS: Final = 1_000


class Packet(msgspec.Struct):
    """One packet, its attachments put in their places; `payload` is None where there is none."""

    kind: int
    namespace: str
    id: int | None
    payload: Any
    raw: Data


class PacketReader:
    """Reads packets, and holds one whose attachments have not all come. A packet has at most `limit_bytes`."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._packet: Packet | None = None
        self._missing = 0
        self._attachments: list[bytes] = []
        self._size_bytes = 0

    def read(self, text: str) -> Packet | None:
        """The packet that the text is; None if attachments follow."""
        if self._packet is not None:
            self._packet = None
            raise DialectError(f"{self._missing} attachments of a packet have not come, and a text has")
        self._size_bytes = 0
        self._weigh(len(text) if text.isascii() else len(_as_bytes(text)))
        found = _PACKET.match(text)
        if found is None:
            raise DialectError(f"no packet of Socket.IO: {shorten(text)}", hint='an event is 42["name",…]')
        code, count, namespace, key, rest = found.groups()
        kind, is_binary = (int(code) - _IS_BINARY, True) if int(code) > CONNECT_ERROR else (int(code), False)
        if is_binary != (count is not None) or (is_binary and not 0 < int(count) <= _MOST_ATTACHMENTS):
            text = f"a packet {code} with {count or 'no'} attachments"
            raise DialectError(text, hint=f"5 and 6 have from 1 to {_MOST_ATTACHMENTS:,}, the others none")
        try:
            payload = JSON.read(rest) if rest else None
        except JSON.not_readable as error:
            raise JSON.unreadable(rest, error) from error
        if not _fits(kind, payload, is_there=bool(rest)):
            raise DialectError(f"a packet {code} with the payload {shorten(rest)}")
        if kind == ACK if key is None else kind not in (EVENT, ACK):
            raise DialectError(f"a packet {code} with {'an' if key else 'no'} id: {shorten(text)}")
        packet = Packet(kind, namespace or "/", None if key is None else int(key), payload, text)
        if not is_binary:
            return packet
        self._packet, self._missing, self._attachments = packet, int(count), []
        return None

    def attach(self, data: bytes) -> Packet | None:
        """The packet whose last attachment this is; None if others follow."""
        packet = self._packet
        if packet is None:
            raise DialectError(f"binary data, and no packet wants it: {shorten(data)}")
        self._weigh(len(data))
        self._attachments.append(data)
        self._missing -= 1
        if self._missing:
            return None
        attachments, self._attachments, self._packet = self._attachments, [], None
        try:
            packet.payload = _filled(packet.payload, attachments)
        except RecursionError as error:
            raise DialectError("a packet that is nested too deeply") from error
        packet.raw = b"".join((_as_bytes(str(packet.raw)), *attachments))
        return packet

    def _weigh(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        if self._size_bytes > self._limit_bytes:
            self._packet, self._attachments = None, []
            raise DialectError(f"a packet of more than {self._limit_bytes:,} bytes", hint="limit_bytes= is the limit")


def _as_bytes(text: str) -> bytes:
    """Of half a character, which no wire brings, a question mark."""
    return text.encode("utf-8", "replace")


def _fits(kind: int, payload: Any, *, is_there: bool) -> bool:
    """Whether a packet of this kind may have this payload."""
    match kind:
        case 0:
            return isinstance(payload, dict) or not is_there
        case 1:
            return not is_there
        case 2:
            return isinstance(payload, list) and bool(payload) and _is_name(payload[0])
        case 3:
            return isinstance(payload, list)
    return isinstance(payload, (dict, str))


def _is_name(name: Any) -> bool:
    return name.__class__ in (int, float) or (isinstance(name, str) and name != "" and name not in RESERVED)


def _filled(value: Any, attachments: list[bytes]) -> Any:
    """The value with the attachments where their placeholders are."""
    if isinstance(value, list):
        return [_filled(each, attachments) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is not True:
        return {key: _filled(each, attachments) for key, each in value.items()}
    number = value.get("num")
    if number.__class__ is not int or not 0 <= number < len(attachments):
        raise DialectError(f"there is no attachment {shorten(number)}")
    return attachments[number]


def said(name: str, body: Any, kind: int, namespace: str, key: int | None = None, payload: Any = None) -> Message:
    """A message to be sent. Raises DialectError for what JSON and attachments cannot hold."""
    attachments: list[bytes] = []
    text = ""
    try:
        if payload is not None:
            plain = msgspec.to_builtins(payload, builtin_types=(*_BYTES, Decimal), enc_hook=plain_value)
            text = encode_json(_emptied(plain, attachments))
        if attachments and kind not in (EVENT, ACK):
            raise TypeError("bytes are for events and acknowledgements")
        namespace.encode()  # half a character would stop at the wire, where nobody can tell whose it was
    except JSON.not_writable as error:
        raise JSON.unwritable(name, body, error) from error
    head = f"4{kind + _IS_BINARY}{len(attachments)}-" if attachments else f"4{kind}"
    text = f"{head}{'' if namespace == '/' else namespace + ','}{'' if key is None else key}{text}"
    if not attachments:
        return Message(name, body, text)
    # As a whole, so that the record has all of it.
    return Message(name, body, b"".join((text.encode(), *attachments)), frames=(text, *attachments))


def _emptied(value: Any, attachments: list[bytes]) -> Any:
    """The value with placeholders where it has bytes, which are put behind the other attachments."""
    if isinstance(value, _BYTES):
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, dict):
        return {key: _emptied(each, attachments) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_emptied(each, attachments) for each in value]
    return value


_BYTES: Final = (bytes, bytearray, memoryview)

"""The packets of MQTT 3.1.1 and 5, as bytes (OASIS MQTT 3.1.1 and 5.0, section 2 and 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "KINDS",
    "Packet",
    "Reader",
    "packets",
    "read_properties",
    "write_binary",
    "write_packet",
    "write_properties",
    "write_text",
]

DEFAULT_LIMIT_BYTES: Final = 16 * 1024 * 1024
KINDS: Final = (
    *("RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK"),
    *("UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"),
)
"""The names of packets, at their number (section 2.1.2)."""


class Packet(msgspec.Struct, frozen=True):
    """One packet: its kind by name, the four flags of its first byte, its rest, and all of its bytes."""

    kind: str
    flags: int
    rest: bytes
    raw: bytes


def packets(buffer: bytearray, limit_bytes: int) -> Iterator[Packet]:
    """The packets that the buffer holds whole, which are taken from it. Raises DialectError."""
    while len(buffer) >= 2:
        size, begin = _remaining_length(buffer)
        if size > limit_bytes:
            buffer.clear()
            text = f"a packet of {size:,} bytes is over the limit of {limit_bytes:,}"
            raise DialectError(f"no MQTT: {text}", hint="Mqtt(limit_bytes=…) takes larger ones")
        if begin == 0 or len(buffer) < begin + size:
            return
        raw = bytes(buffer[: begin + size])
        del buffer[: begin + size]
        yield Packet(KINDS[raw[0] >> 4], raw[0] & 15, raw[begin:], raw)


def _remaining_length(buffer: bytearray) -> tuple[int, int]:
    """The size of what follows the first bytes, and where that begins; 0 if it cannot be told yet (section 2.2.3)."""
    size = 0
    for place, byte in enumerate(buffer[1:5]):
        size |= (byte & 127) << 7 * place
        if byte < 128:
            return size, place + 2
    if len(buffer) >= 5:
        buffer.clear()
        raise DialectError("no MQTT: a length of more than four bytes", hint="is it MQTT that the peer speaks?")
    return 0, 0


class Reader:
    """Reads the fields of a packet from its rest; raises DialectError where there are too few bytes."""

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._at = 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._packet.rest)

    def take(self, size: int) -> bytes:
        data = self._packet.rest[self._at : self._at + size]
        if len(data) < size:
            raise self.broken("it ends too early")
        self._at += size
        return data

    def rest(self) -> bytes:
        return self.take(len(self._packet.rest) - self._at)

    def number(self, size: int = 2) -> int:
        return int.from_bytes(self.take(size), "big")

    def variable(self) -> int:
        """A variable byte integer (5.0 section 1.5.5)."""
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise self.broken("a number of more than four bytes")

    def binary(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        data = self.binary()
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.broken(f"a text that is no UTF-8 ({error})") from error

    def broken(self, why: str) -> DialectError:
        return DialectError(f"no {self._packet.kind} of MQTT: {why}; it is {shorten(self._packet.raw)}")


def write_packet(kind: str, rest: bytes, flags: int = 0) -> bytes:
    """A packet of that kind. Raises DialectError for one that is too large for MQTT."""
    if len(rest) >= _TOO_LARGE:
        raise DialectError(f"{kind}: {len(rest):,} bytes are more than a packet of MQTT holds")
    return bytes([KINDS.index(kind) << 4 | flags]) + _variable(len(rest)) + rest


def write_binary(data: bytes) -> bytes:
    """With its length of two bytes before it (section 1.5.6)."""
    if len(data) > _MOST_BYTES:
        raise DialectError(f"{len(data):,} bytes are more than a field of MQTT holds, which are {_MOST_BYTES:,}")
    return len(data).to_bytes(2, "big") + data


def write_text(text: Any) -> bytes:
    """The same for a text (section 1.5.4)."""
    if not isinstance(text, str):
        raise DialectError(f"MQTT wants a text here, not {shorten(text)}")
    try:
        return write_binary(text.encode())
    except UnicodeEncodeError as error:
        raise DialectError(f"{shorten(text)} is no text that can be sent: {error}") from error


def _variable(value: int) -> bytes:
    pieces = bytearray()
    while True:
        value, low = divmod(value, 128)
        pieces.append(low | (128 if value else 0))
        if not value:
            return bytes(pieces)


_TOO_LARGE: Final = 128**4
_MOST_BYTES: Final = 0xFFFF

# -- properties (5.0 section 2.2.2.2) ---------------------------------------------------------------------------------

_PROPERTIES: Final = {
    **{
        number: (name, "byte")
        for number, name in [
            (1, "payload_format"),
            (23, "request_problem"),
            (25, "request_response"),
            (36, "maximum_qos"),
            (37, "retain_available"),
            (40, "wildcard_subscription_available"),
            (41, "subscription_identifiers_available"),
            (42, "shared_subscription_available"),
        ]
    },
    **{
        number: (name, "two")
        for number, name in [
            (19, "server_keep_alive"),
            (33, "receive_maximum"),
            (34, "topic_alias_maximum"),
            (35, "topic_alias"),
        ]
    },
    **{
        number: (name, "four")
        for number, name in [
            (2, "message_expiry"),
            (17, "session_expiry"),
            (24, "will_delay"),
            (39, "maximum_packet_size"),
        ]
    },
    **{
        number: (name, "text")
        for number, name in [
            (3, "content_type"),
            (8, "response_topic"),
            (18, "assigned_client_id"),
            (21, "authentication_method"),
            (26, "response_information"),
            (28, "server_reference"),
            (31, "reason"),
        ]
    },
    9: ("correlation_data", "binary"),
    22: ("authentication_data", "binary"),
    11: ("subscription_identifier", "variable"),
    38: ("user_properties", "pair"),
}
_BY_NAME: Final = {name: (number, form) for number, (name, form) in _PROPERTIES.items()}
_SIZES: Final = {"byte": 1, "two": 2, "four": 4}


def read_properties(reader: Reader) -> dict[str, Any]:
    """The properties, by name; `user_properties` is a list of pairs, as a name may stand there more than once."""
    size, found = reader.variable(), dict[str, Any]()
    inner = Reader(Packet("properties", 0, reader.take(size), b""))
    while inner.has_more:
        number = inner.variable()
        if number not in _PROPERTIES:
            raise reader.broken(f"{number} is no property")
        name, form = _PROPERTIES[number]
        if form == "pair":
            found.setdefault(name, []).append([inner.text(), inner.text()])
        elif form in _SIZES:
            found[name] = inner.number(_SIZES[form])
        else:
            read: Callable[[], Any] = getattr(inner, form)
            found[name] = read()
    return found


def write_properties(properties: Mapping[str, Any]) -> bytes:
    """The same, with their length before them. Raises DialectError for a name or value that MQTT does not have."""
    pieces = b""
    for name, value in properties.items():
        if name not in _BY_NAME:
            raise DialectError(f"{name!r} is no property of MQTT 5", hint=f"they are {', '.join(sorted(_BY_NAME))}")
        number, form = _BY_NAME[name]
        try:
            if form == "pair":
                pairs = value.items() if isinstance(value, Mapping) else value
                pieces += b"".join(bytes([number]) + write_text(key) + write_text(text) for key, text in pairs)
            else:
                pieces += bytes([number]) + _write_value(form, value)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise DialectError(f"{shorten(value)} is no value of the property {name}: {error}") from error
    return _variable(len(pieces)) + pieces


def _write_value(form: str, value: Any) -> bytes:
    if form == "text":
        return write_text(value)
    if form == "binary":
        return write_binary(value.encode() if isinstance(value, str) else bytes(value))
    number = int(value)
    if form == "variable":
        if not 0 < number < _TOO_LARGE:
            raise ValueError("it is from 1 to 268,435,455")
        return _variable(number)
    return number.to_bytes(_SIZES[form], "big")

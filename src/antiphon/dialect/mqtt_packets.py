"""The packets of MQTT 3.1.1 and 5, as bytes (OASIS MQTT 3.1.1 and 5.0, section 2 and 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "KINDS",
    "TOO_LARGE",
    "Packet",
    "Reader",
    "packets",
    "variable",
    "write_binary",
    "write_packet",
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
            text = f"a packet of {size:,} bytes is over the limit of {limit_bytes:,}"
            raise DialectError(f"no MQTT: {text}", hint="Mqtt(limit_bytes=…) takes larger ones")
        if begin == 0 or len(buffer) < begin + size:
            return
        raw = bytes(buffer[: begin + size])
        del buffer[: begin + size]
        kind, flags = KINDS[raw[0] >> 4], raw[0] & 15
        if kind != "PUBLISH" and flags != _FLAGS.get(kind, 0):
            raise DialectError(f"no MQTT: a {kind} with the flags {flags:04b} (section 2.1.3)")
        yield Packet(kind, flags, raw[begin:], raw)


def _remaining_length(buffer: bytearray) -> tuple[int, int]:
    """The size of what follows the first bytes, and where that begins; 0 if it cannot be told yet (section 2.2.3)."""
    size = 0
    for place, byte in enumerate(buffer[1:5]):
        size |= (byte & 127) << 7 * place
        if byte < 128:
            return size, place + 2
    if len(buffer) >= 5:
        raise DialectError("no MQTT: a length of more than four bytes", hint="is it MQTT that the other side speaks?")
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
            text = data.decode()
        except UnicodeDecodeError as error:
            raise self.broken(f"a text that is no UTF-8 ({error})") from error
        if "\0" in text:
            raise self.broken("a text with a NUL in it (section 1.5)")
        return text

    def key(self) -> int:
        """A packet identifier."""
        if not (key := self.number()):
            raise self.broken("the packet identifier 0 (section 2.2.1)")
        return key

    def broken(self, why: str) -> DialectError:
        return DialectError(f"no {self._packet.kind} of MQTT: {why}; it is {shorten(self._packet.raw)}")


def write_packet(kind: str, rest: bytes = b"", flags: int = 0) -> bytes:
    """A packet of that kind. Raises DialectError for one that is too large for MQTT."""
    if len(rest) >= TOO_LARGE:
        raise DialectError(f"{kind}: {len(rest):,} bytes are more than a packet of MQTT holds")
    return bytes([KINDS.index(kind) << 4 | flags | _FLAGS.get(kind, 0)]) + variable(len(rest)) + rest


def write_binary(data: bytes) -> bytes:
    """With its length of two bytes before it (section 1.5.6)."""
    if len(data) > _MOST_BYTES:
        raise DialectError(f"{len(data):,} bytes are more than a field of MQTT holds, which are {_MOST_BYTES:,}")
    return len(data).to_bytes(2, "big") + data


def write_text(text: Any) -> bytes:
    """The same for a text (section 1.5.4)."""
    if not isinstance(text, str) or "\0" in text:
        raise DialectError(f"MQTT wants a text without NUL here, not {shorten(text)}")
    try:
        return write_binary(text.encode())
    except UnicodeEncodeError as error:
        raise DialectError(f"{shorten(text)} is no text that can be sent: {error}") from error


def variable(value: int) -> bytes:
    """A number of up to 28 bits as a variable byte integer (5.0 section 1.5.5)."""
    pieces = bytearray()
    while True:
        value, low = divmod(value, 128)
        pieces.append(low | (128 if value else 0))
        if not value:
            return bytes(pieces)


TOO_LARGE: Final = 128**4
_MOST_BYTES: Final = 0xFFFF
_FLAGS: Final = {"PUBREL": 2, "SUBSCRIBE": 2, "UNSUBSCRIBE": 2}
"""Of each packet the flags of its first byte, 0 if it is not here; but for PUBLISH, whose flags say something."""

"""What goes through MQTT, either way: publications of every quality of service, and what acknowledges them.

At most once, at least once and exactly once are 0, 1 and 2 (MQTT 3.1.1 and 5.0, section 4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import JSON
from antiphon.dialect.mqtt_packets import (
    Packet,
    Reader,
    packets,
    read_properties,
    write_packet,
    write_properties,
    write_text,
)
from antiphon.errors import DialectError

__all__ = ["Flight", "MqttCodec", "Payload"]

Payload = Literal["text", "json", "bytes"]
"""As what payloads are read: text where they are UTF-8, values, or as they are."""


class Flight(msgspec.Struct):
    """What we said with a packet identifier, and is not acknowledged; `raw` is said again in a new connection."""

    name: str
    is_asked: bool
    raw: bytes


class MqttCodec(Codec):
    """What client and server have in common. `is_5` tells the version, which a server does not know before CONNECT."""

    is_ready = False
    is_5 = False

    def __init__(self, payload: Payload, limit_bytes: int) -> None:
        self._payload = payload
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._owed: list[Message] = []
        self._last_id = 0
        self.in_flight: dict[int, Flight] = {}
        self.received_once: set[int] = set()
        """Identifiers of what came with quality 2 and is not released: the same once more is a repetition."""
        self._read: dict[str, Callable[[Reader, Packet], Message]] = {
            "PUBLISH": self._read_publish,
            "PUBACK": self._read_ack,
            "PUBREC": self._read_ack,
            "PUBREL": self._read_release,
            "PUBCOMP": self._read_ack,
        }

    def decode(self, data: Data) -> Iterable[Message]:
        if isinstance(data, str):
            raise DialectError(f"no MQTT: the text {shorten(data)}", hint="MQTT is bytes, in binary frames")
        self._buffer += data
        for packet in packets(self._buffer, self._limit_bytes):
            read = self._read.get(packet.kind)
            if read is None:
                raise DialectError(f"{packet.kind} is nothing that this side of MQTT is told")
            yield read(Reader(packet), packet)

    def owed(self) -> Iterable[Message]:
        owed, self._owed = self._owed, []
        return owed

    def _owe(self, kind: str, rest: bytes = b"", flags: int = 0, body: Any = None) -> None:
        self._owed.append(Message(kind, body, write_packet(kind, rest, flags)))

    # -- publishing ---------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any) -> Message:
        return self._packet(name, body, is_asked=False)

    def request(self, name: str, body: Any) -> Message:
        fields = _fields(name, body)
        if name == "PUBLISH" and not fields.get("qos"):
            raise DialectError("PUBLISH with quality 0 is not acknowledged", hint='send("PUBLISH", …), or qos=1')
        return self._packet(name, fields, is_asked=True)

    def _packet(self, name: str, body: Any, *, is_asked: bool) -> Message:
        fields = _fields(name, body)
        if name != "PUBLISH":
            raise DialectError(f"{name} is nothing that this side of MQTT says by itself")
        qos, topic = fields.get("qos", 0), write_text(fields.get("topic"))
        if qos not in (0, 1, 2):
            raise DialectError(f"PUBLISH: qos is 0, 1 or 2, not {shorten(qos)}")
        key = self._new_id() if qos else 0
        rest = topic + (key.to_bytes(2, "big") if qos else b"") + self._properties(fields)
        flags = qos << 1 | bool(fields.get("retain"))
        raw = write_packet(name, rest + self._written(fields.get("payload", "")), flags)
        return self._in_flight(Message(name, fields, raw), key, is_asked)

    def _in_flight(self, message: Message, key: int, is_asked: bool) -> Message:
        if key:
            self.in_flight[key] = Flight(message.name, is_asked, bytes(message.raw))  # type: ignore[arg-type]
            message.asks = key if is_asked else None
        return message

    def _new_id(self) -> int:
        for _ in range(_MOST_IDS):
            self._last_id = self._last_id % _MOST_IDS + 1
            if self._last_id not in self.in_flight:
                return self._last_id
        raise DialectError("no packet identifier is free: 65,535 packets are not acknowledged (section 2.2.1)")

    def _properties(self, fields: Mapping[str, Any]) -> bytes:
        properties = fields.get("properties")
        if not self.is_5:
            if properties:
                raise DialectError("properties are of MQTT 5", hint='Mqtt(version="5")')
            return b""
        return write_properties(properties or {})

    def _written(self, payload: Any) -> bytes:
        if isinstance(payload, (bytes, bytearray)):
            return bytes(payload)
        try:
            return (
                payload if isinstance(payload, str) and self._payload != "json" else str(JSON.write(payload))
            ).encode()
        except JSON.not_writable as error:
            raise JSON.unwritable("PUBLISH", payload, error) from error

    # -- what came ----------------------------------------------------------------------------------------------------

    def _read_publish(self, reader: Reader, packet: Packet) -> Message:
        qos = packet.flags >> 1 & 3
        if qos == 3:
            raise reader.broken("quality 3 (section 3.3.1.2)")
        body: dict[str, Any] = {"topic": reader.text(), "qos": qos, "retain": bool(packet.flags & 1)}
        key = reader.number() if qos else 0
        is_repeated = qos == 2 and key in self.received_once
        if packet.flags & 8:
            body["dup"] = True
        if self.is_5:
            body["properties"] = read_properties(reader)
        if qos == 1:
            self._owe("PUBACK", key.to_bytes(2, "big"))
        elif qos == 2:
            self.received_once.add(key)
            self._owe("PUBREC", key.to_bytes(2, "big"))
        body["payload"] = self._heard(reader.rest())
        return Message("PUBLISH", body, packet.raw, is_protocol=is_repeated)

    def _read_release(self, reader: Reader, packet: Packet) -> Message:
        key = reader.number()
        self.received_once.discard(key)
        self._owe("PUBCOMP", key.to_bytes(2, "big"))
        return Message(packet.kind, {"id": key}, packet.raw, is_protocol=True)

    def _read_ack(self, reader: Reader, packet: Packet) -> Message:
        key = reader.number()
        body: dict[str, Any] = {"id": key}
        if self.is_5 and reader.has_more:
            body["code"] = reader.number(1)
            if reader.has_more:
                body["properties"] = read_properties(reader)
        flight = self.in_flight.get(key)
        if packet.kind == "PUBREC" and body.get("code", 0) < _FAILED:
            if flight is not None:
                flight.raw = write_packet("PUBREL", key.to_bytes(2, "big"), 2)
            self._owe("PUBREL", key.to_bytes(2, "big"), 2)
            return Message(packet.kind, body, packet.raw, is_protocol=True)
        return self._acknowledged(packet, key, body, is_failure=body.get("code", 0) >= _FAILED)

    def _acknowledged(self, packet: Packet, key: int, body: Any, *, is_failure: bool) -> Message:
        flight = self.in_flight.pop(key, None)
        if flight is None or not flight.is_asked:
            return Message(packet.kind, body, packet.raw, is_protocol=not is_failure)
        return Message(packet.kind, body, packet.raw, None, key, None, True, True, is_failure)

    def _heard(self, payload: bytes) -> Any:
        if self._payload == "json":
            try:
                return JSON.read(payload)
            except JSON.not_readable as error:
                raise JSON.unreadable(payload, error) from error
        try:
            return payload.decode() if self._payload == "text" else payload
        except UnicodeDecodeError:
            return payload


def _fields(name: str, body: Any) -> dict[str, Any]:
    if body is not None and not isinstance(body, Mapping):
        raise DialectError(
            f"{name}: its body is fields, not {shorten(body)}", hint='send("PUBLISH", topic="a", payload="b")'
        )
    return dict(body or {})


_MOST_IDS: Final = 0xFFFF
_FAILED: Final = 0x80
"""From this reason code on it failed (5.0 section 2.4)."""

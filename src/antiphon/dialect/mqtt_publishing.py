"""What goes through MQTT, either way: publications of every quality of service, and what acknowledges them.

At most once, at least once and exactly once are 0, 1 and 2 (MQTT 3.1.1 and 5.0, section 4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from antiphon.conversation.message import UNREADABLE, Message, Unreadable
from antiphon.conversation.wording import shorten
from antiphon.dialect.json_text import JSON
from antiphon.dialect.mqtt_codes import CODES
from antiphon.dialect.mqtt_packets import Packet, Reader, packets, write_packet, write_text
from antiphon.dialect.mqtt_properties import read_properties, write_properties
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.errors import DialectError

__all__ = ["FAILED", "Flight", "MqttCodec", "Payload", "fields_of", "quality", "text_or_bytes"]

Payload = Literal["text", "json", "bytes"]
"""As what payloads are read: text where they are UTF-8, values, or as they are."""


class Flight(msgspec.Struct):
    """What we said with a packet identifier, and is not acknowledged; `raw` is said again in a new connection."""

    name: str
    is_asked: bool
    raw: bytes


class MqttCodec(StreamCodec):
    """What client and server have in common. `is_5` tells the version, which a server does not know before CONNECT."""

    is_5 = False

    def __init__(self, payload: Payload, limit_bytes: int) -> None:
        super().__init__()
        self._payload = payload
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._last_id = 0
        self._aliases: dict[int, str] = {}
        self.in_flight: dict[int, Flight] = {}
        self.received_once: set[int] = set()
        """Identifiers of what came with quality 2 and is not released: the same once more is a repetition."""
        self._readers: dict[str, Callable[[Reader, Packet], Message]] = {
            "PUBLISH": self._read_publish,
            "PUBACK": self._read_ack,
            "PUBREC": self._read_ack,
            "PUBREL": self._read_release,
            "PUBCOMP": self._read_ack,
        }

    def read(self, data: bytes) -> Iterator[Message]:
        self._buffer += data
        for packet in packets(self._buffer, self._limit_bytes):
            read = self._readers.get(packet.kind)
            is_first = packet.kind in ("CONNECT", "CONNACK")
            if read is None or is_first == self.is_ready:
                when = "once more" if is_first else "after the opening" if self.is_ready else "first"
                raise DialectError(f"no MQTT: {packet.kind} is nothing that this side is told {when}")
            yield read(Reader(packet), packet)

    def _owe(self, kind: str, rest: bytes = b"", body: Any = None) -> None:
        self.debts.append(Message(kind, body, write_packet(kind, rest)))

    # -- publishing ---------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any) -> Message:
        return self._packet(name, body, is_asked=False)

    def request(self, name: str, body: Any) -> Message:
        fields = fields_of(name, body)
        if name == "PUBLISH" and not fields.get("qos"):
            raise DialectError("PUBLISH with quality 0 is not acknowledged", hint='send("PUBLISH", …), or qos=1')
        return self._packet(name, fields, is_asked=True)

    def _packet(self, name: str, body: Any, *, is_asked: bool) -> Message:
        fields = fields_of(name, body)
        if name != "PUBLISH":
            raise DialectError(f"{name} is nothing that this side of MQTT says by itself")
        qos, topic, properties = quality(fields.get("qos", 0)), fields.get("topic"), self._properties(fields)
        has_alias = "topic_alias" in (fields.get("properties") or {})
        if not isinstance(topic, str) or "+" in topic or "#" in topic or not (topic or has_alias):
            text = f"PUBLISH: a topic is a text without + and #, not {shorten(topic)}"
            raise DialectError(text, hint='send("PUBLISH", topic="calls/1", payload="new")')
        key = self._new_id() if qos else 0
        rest = write_text(topic) + (key.to_bytes(2, "big") if qos else b"") + properties
        flags = qos << 1 | bool(fields.get("retain"))
        raw = write_packet(name, rest + self._written(fields.get("payload", "")), flags)
        return self._in_flight(name, fields, raw, key if qos else None, is_asked)

    def _in_flight(self, name: str, fields: Any, raw: bytes, key: int | None, is_asked: bool) -> Message:
        if key is not None:
            self.in_flight[key] = Flight(name, is_asked, raw)
        return Message(name, fields, raw, asks=key if is_asked else None)

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
        if isinstance(payload, bytes):
            return payload
        try:
            data = payload if isinstance(payload, str) and self._payload != "json" else JSON.write(payload)
            return data.encode() if isinstance(data, str) else data
        except JSON.not_writable as error:
            raise JSON.unwritable("PUBLISH", payload, error) from error

    # -- what came ----------------------------------------------------------------------------------------------------

    def _read_publish(self, reader: Reader, packet: Packet) -> Message:
        qos = packet.flags >> 1 & 3
        if qos == 3:
            raise reader.broken("quality 3 (section 3.3.1.2)")
        body: dict[str, Any] = {"topic": reader.text(), "qos": qos, "retain": bool(packet.flags & 1)}
        key = reader.key() if qos else 0
        if packet.flags & 8:
            body["dup"] = True
        if self.is_5:
            body["properties"] = properties = read_properties(reader)
            body["topic"] = self._whole_topic(reader, body["topic"], properties.get("topic_alias"))
        if not body["topic"] or "+" in body["topic"] or "#" in body["topic"]:
            raise reader.broken("its topic is none (section 4.7)")
        is_repeated = qos == 2 and key in self.received_once
        if qos:
            self._owe("PUBACK" if qos == 1 else "PUBREC", key.to_bytes(2, "big"), {"id": key})
        if qos == 2:
            self.received_once.add(key)
        message = self._heard("PUBLISH", body, reader.rest(), packet)
        message.is_protocol = is_repeated
        return message

    def _whole_topic(self, reader: Reader, topic: str, alias: int | None) -> str:
        """A topic may be said once, and then be a number (5.0 section 3.3.2.3.4)."""
        if alias is None:
            return topic
        if topic:
            self._aliases[alias] = topic
        elif alias not in self._aliases:
            raise reader.broken(f"the topic alias {alias} stands for nothing")
        return self._aliases[alias]

    def _read_release(self, reader: Reader, packet: Packet) -> Message:
        key = reader.key()
        self.received_once.discard(key)
        self._owe("PUBCOMP", key.to_bytes(2, "big"), {"id": key})
        return Message(packet.kind, {"id": key}, packet.raw, is_protocol=True)

    def _read_ack(self, reader: Reader, packet: Packet) -> Message:
        key = reader.key()
        body: dict[str, Any] = {"id": key}
        if self.is_5 and reader.has_more:
            body["code"] = reader.number(1)
            if reader.has_more:
                body["properties"] = read_properties(reader)
        has_failed = body.get("code", 0) >= FAILED
        if packet.kind == "PUBREC" and not has_failed:
            flight = self.in_flight.get(key)
            if flight is not None and flight.name == "PUBLISH":
                flight.raw = write_packet("PUBREL", key.to_bytes(2, "big"))
            self._owe("PUBREL", key.to_bytes(2, "big"), {"id": key})
            return Message(packet.kind, body, packet.raw, is_protocol=True)
        return self._acknowledged("PUBLISH", packet, key, body, is_failure=has_failed)

    def _acknowledged(self, name: str, packet: Packet, key: int, body: Any, *, is_failure: bool) -> Message:
        """What we said under that name is acknowledged. A failure that nobody asked for is news."""
        if is_failure:
            body["reason"] = _reason(body)
        message = Message(packet.kind, body, packet.raw, is_failure=is_failure, is_protocol=not is_failure)
        flight = self.in_flight.get(key)
        if flight is None or flight.name != name:
            return message
        del self.in_flight[key]
        if flight.is_asked:
            message.reply_to, message.is_answer, message.is_last, message.is_protocol = key, True, True, False
        return message

    def _heard(self, name: str, body: dict[str, Any], payload: bytes, packet: Packet) -> Message:
        """The message with that payload; one that is no JSON is its own affair, and not the stream's."""
        if self._payload == "json":
            try:
                body["payload"] = JSON.read(payload)
            except JSON.not_readable as error:
                trouble = JSON.unreadable(payload, error)
                return Unreadable(UNREADABLE, packet.raw, packet.raw, trouble=trouble)
        else:
            body["payload"] = payload if self._payload == "bytes" else text_or_bytes(payload)
        return Message(name, body, packet.raw)


def text_or_bytes(data: bytes) -> str | bytes:
    """As text where it is UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def quality(qos: Any) -> int:
    """A quality of service. Raises DialectError for what is none."""
    if qos.__class__ is not int or not 0 <= qos <= 2:
        raise DialectError(f"qos is 0, 1 or 2, not {shorten(qos)}")
    number: int = qos
    return number


def _reason(body: Mapping[str, Any]) -> str:
    """Why it failed: in the server's words, or in the standard's for the first code that says so."""
    codes = [body["code"]] if "code" in body else body.get("codes", ())
    said = (body.get("properties") or {}).get("reason")
    return said or next((CODES.get(code, "") for code in codes if code >= FAILED), "")


def fields_of(name: str, body: Any) -> dict[str, Any]:
    """A body as its fields. Raises DialectError for what has none."""
    if body is not None and not isinstance(body, Mapping):
        raise DialectError(
            f"{name}: its body is fields, not {shorten(body)}", hint='send("PUBLISH", topic="a", payload="b")'
        )
    return dict(body or {})


_MOST_IDS: Final = 0xFFFF
FAILED: Final = 0x80
"""From this reason code on it failed (5.0 section 2.4)."""

"""The server's side of MQTT: it lets in, acknowledges, is subscribed to. What it publishes is the actor's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.mqtt_packets import Packet, Reader, write_packet
from antiphon.dialect.mqtt_properties import read_properties
from antiphon.dialect.mqtt_publishing import FAILED, MqttCodec, Payload, text_or_bytes
from antiphon.errors import DialectError, ErrorReply

__all__ = ["MqttServer"]


class MqttServer(MqttCodec):
    """A server of either version; which one, its client tells."""

    def __init__(
        self, payload: Payload, limit_bytes: int, told: Mapping[str, Any], hide: Callable[[str], object]
    ) -> None:
        super().__init__(payload, limit_bytes)
        self._told = told
        self._hide = hide
        self._readers |= {
            "CONNECT": self._read_connect,
            "SUBSCRIBE": self._read_subscribe,
            "UNSUBSCRIBE": self._read_subscribe,
            "PINGREQ": self._read_ping,
            "DISCONNECT": self._read_disconnect,
        }

    def answer(self, request: Message, body: Any) -> Message:
        kind, key = {"SUBSCRIBE": "SUBACK", "UNSUBSCRIBE": "UNSUBACK"}.get(request.name), request.asks
        if kind is None or not isinstance(key, tuple):
            text = f"{request.name} is acknowledged by the protocol, and has no other answer"
            raise DialectError(text, hint="return None, and use send()")
        topics = request.body["topics"]
        codes = body.get("codes") if isinstance(body, Mapping) else body
        if codes is None:
            codes = [topics[topic] & 3 if kind == "SUBACK" else 0 for topic in topics]
        are_codes = isinstance(codes, (list, tuple)) and all(code in range(256) for code in codes)
        if not are_codes or len(codes) != len(topics):
            text = f"{request.name} is answered with a code for each of its {len(topics)} topics, not {shorten(codes)}"
            raise DialectError(text, hint="from 0 to 2 it is granted, from 128 on refused")
        rest = key[1].to_bytes(2, "big") + self._properties({})
        has_codes = kind == "SUBACK" or self.is_5
        return Message(kind, {"codes": [*codes]}, write_packet(kind, rest + bytes(codes if has_codes else ())))

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        if request.name == "UNSUBSCRIBE" and not self.is_5:
            raise DialectError("MQTT 3.1.1 has no refusal of UNSUBSCRIBE")
        code = refusal.code if isinstance(refusal.code, int) and FAILED <= refusal.code < 256 else FAILED
        return self.answer(request, [code] * len(request.body.get("topics", ())))

    def _read_connect(self, reader: Reader, packet: Packet) -> Message:
        if reader.text() != "MQTT" or (level := reader.number(1)) not in (4, 5):
            raise reader.broken("neither version 3.1.1 nor 5")
        self.is_5 = level == 5
        flags, keep_alive_s = reader.number(1), reader.number()
        if flags & 1 or flags >> 3 & 3 == 3 or (not flags & 4 and flags & 56):
            raise reader.broken(f"the flags {flags:08b} (section 3.1.2.3)")
        body: dict[str, Any] = {"version": "5" if self.is_5 else "3.1.1", "keep_alive_s": keep_alive_s}
        if self.is_5:
            body["properties"] = read_properties(reader)
        body |= {"client_id": reader.text(), "is_clean": bool(flags & 2)}
        if flags & 4:
            will: dict[str, Any] = {"properties": read_properties(reader)} if self.is_5 else {}
            will |= {"topic": reader.text(), "payload": text_or_bytes(reader.binary())}
            body["will"] = will | {"qos": flags >> 3 & 3, "retain": bool(flags & 32)}
        body |= {"user": reader.text()} if flags & 128 else {}
        body |= {"password": reader.binary().decode(errors="replace")} if flags & 64 else {}
        self._hide(body.get("password", ""))
        self._judge(body)
        return Message("CONNECT", body, packet.raw, is_protocol=True)

    def _judge(self, connect: Mapping[str, Any]) -> None:
        is_known = all(self._told[name] in (None, connect.get(name)) for name in ("user", "password"))
        code = 0 if is_known else 0x86 if self.is_5 else 4
        # A client without a name has one of ours, which MQTT 5 tells it.
        given = {"assigned_client_id": f"antiphon-{id(self):x}"} if self.is_5 and not connect["client_id"] else {}
        rest = bytes([0, code]) + self._properties({"properties": given})
        self._owe("CONNACK", rest, {"session_present": False, "code": code})
        self.silence_s = 1.5 * connect["keep_alive_s"] or None
        self.is_ready = is_known
        if not is_known:
            self.ending = Ending(reason="user or password is wrong", by="us")

    def _read_subscribe(self, reader: Reader, packet: Packet) -> Message:
        key = reader.key()
        body: dict[str, Any] = {"properties": read_properties(reader)} if self.is_5 else {}
        topics: dict[str, int] = {}
        while reader.has_more:
            topic = reader.text()
            if topic in topics or not topic:
                raise reader.broken("a topic is empty, or there twice")
            topics[topic] = reader.number(1) if packet.kind == "SUBSCRIBE" else 0
        if not topics:
            raise reader.broken("it has no topics (section 3.8.3)")
        body["topics"] = topics if packet.kind == "SUBSCRIBE" else list(topics)
        return Message(packet.kind, body, packet.raw, asks=("client", key), is_request=True)

    def _read_ping(self, _reader: Reader, packet: Packet) -> Message:
        self._owe("PINGRESP")
        return Message("PINGREQ", None, packet.raw, is_protocol=True)

    def _read_disconnect(self, reader: Reader, packet: Packet) -> Message:
        code = reader.number(1) if self.is_5 and reader.has_more else 0
        self.ending = Ending(code=code, by="peer", is_clean=not code)
        return Message("DISCONNECT", {"code": code}, packet.raw, is_protocol=True)

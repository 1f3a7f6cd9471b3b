"""MQTT 3.1.1 and 5 (OASIS MQTT 3.1.1 and 5.0), over TCP, TLS or WebSocket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.mqtt_codes import CODES
from antiphon.dialect.mqtt_packets import (
    DEFAULT_LIMIT_BYTES,
    KINDS,
    Packet,
    Reader,
    write_binary,
    write_packet,
    write_text,
)
from antiphon.dialect.mqtt_properties import read_properties
from antiphon.dialect.mqtt_publishing import FAILED, Flight, MqttCodec, Payload, fields_of, quality
from antiphon.dialect.mqtt_server import MqttServer
from antiphon.errors import DialectError, OpeningRefused, ScenarioError

__all__ = ["Mqtt"]

SUBPROTOCOL: Final = "mqtt"
_LONGEST_S: Final = 0xFFFF


class Mqtt:
    """MQTT as a client or as a server.

    A message is a packet under its name. `PUBLISH` has the body `topic`, `payload`, `qos`, `retain` and, of version 5,
    `properties`: `send("PUBLISH", topic="calls/1", payload="new")`, `expect("PUBLISH", {"topic": "calls/1"})`. To
    `ask` with `qos=1` or `2` waits for the acknowledgement; `ask("SUBSCRIBE", topics={"calls/+": 1})` and
    `ask("UNSUBSCRIBE", topics=["calls/+"])` wait for theirs, and a code of 128 or more in it fails them; the body
    then has what that says as `reason`. What comes is
    acknowledged, and what comes twice with quality 2 is heard once. A server's handler of SUBSCRIBE or UNSUBSCRIBE
    returns the list of codes.

    version: "3.1.1" or "5"; a server takes both.
    client_id, user, password: filled in from the actor, as "{user.password}". On a server user and password are what
        it asks for.
    keep_alive_s: how long we may be silent, in whole seconds, 0 for ever; a peer that is silent for half as long again
        has gone.
    is_clean: False keeps the session: what is not acknowledged is said again when the channel reconnects, and whoever
        has asked for it on a channel that `reopens` waits on.
    will: `topic`, `payload`, `qos` and `retain` of what the server publishes when we are lost.
    properties: those of CONNECT, of version 5, as `{"session_expiry": 60}`.
    payload: "text" (bytes where it is no UTF-8), "json" or "bytes". limit_bytes: the most that one packet may take.
    """

    def __init__(
        self,
        version: Literal["3.1.1", "5"] = "3.1.1",
        *,
        client_id: str = "",
        user: str | None = None,
        password: str | None = None,
        keep_alive_s: int = 60,
        is_clean: bool = True,
        will: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        payload: Payload = "text",
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        if version not in ("3.1.1", "5"):
            raise ScenarioError(f"Mqtt knows the versions 3.1.1 and 5, not {version!r}")
        if keep_alive_s.__class__ is not int or not 0 <= keep_alive_s <= _LONGEST_S:
            raise ScenarioError(f"keep_alive_s is from 0 to {_LONGEST_S:,} whole seconds, not {keep_alive_s!r}")
        if properties and version != "5":
            raise ScenarioError("properties are of MQTT 5", hint='Mqtt("5")')
        self.version = version
        self.client_id = client_id
        self.user = user
        self.password = password
        self.keep_alive_s = keep_alive_s
        self.is_clean = is_clean
        self.will = will
        self.properties = properties
        self.payload: Payload = payload
        self.limit_bytes = limit_bytes

    def codec(self, meeting: Meeting, /) -> Codec:
        told = {name: filled(getattr(self, name), meeting) for name in ("client_id", "user", "password", "will")}
        if told["password"]:
            meeting.hide(told["password"])
        if meeting.side == "server":
            return MqttServer(self.payload, self.limit_bytes, told, meeting.hide)
        if SUBPROTOCOL not in meeting.subprotocols and meeting.address.startswith(("ws", "http")):
            meeting.subprotocols.append(SUBPROTOCOL)
        return _Client(self, told, meeting)


class _Client(MqttCodec):
    def __init__(self, dialect: Mqtt, told: Mapping[str, Any], meeting: Meeting) -> None:
        super().__init__(dialect.payload, dialect.limit_bytes)
        self._dialect = dialect
        self._told = dict(told)
        self.is_5 = dialect.version == "5"
        self._keep_alive(dialect.keep_alive_s)
        previous = meeting.previous
        if not dialect.is_clean and isinstance(previous, _Client):
            # Only publications are said again (section 4.4), and most who asked have been told that it ended.
            kept = {key: each.raw for key, each in previous.in_flight.items() if each.name == "PUBLISH"}
            awaited = {request.asks for request in meeting.unanswered}
            self.in_flight = {key: Flight("PUBLISH", key in awaited, _again(raw)) for key, raw in kept.items()}
            self.received_once = set(previous.received_once)
            self._told["client_id"] = previous._told["client_id"]
        self._readers |= {
            "CONNACK": self._read_connack,
            "SUBACK": self._read_suback,
            "UNSUBACK": self._read_suback,
            "PINGRESP": lambda _reader, packet: Message("PINGRESP", None, packet.raw, is_protocol=True),
            "DISCONNECT": self._read_disconnect,
        }

    def _keep_alive(self, seconds: int) -> None:
        self.heartbeat_s = 0.75 * seconds or None
        self.silence_s = 1.5 * seconds or None

    # -- opening and closing ------------------------------------------------------------------------------------------

    def opening(self) -> Iterable[Message]:
        dialect, will = self._dialect, self._told["will"]
        user, password = self._told["user"], self._told["password"]
        flags = dialect.is_clean << 1 | (user is not None) << 7 | (password is not None) << 6
        rest = write_text(self._told["client_id"])
        if will is not None:
            fields = fields_of("will", will)
            flags |= 4 | quality(fields.get("qos", 0)) << 3 | bool(fields.get("retain")) << 5
            rest += self._properties(fields) + write_text(fields.get("topic"))
            rest += write_binary(self._written(fields.get("payload", "")))
        for field in (user, password):
            rest += write_text(field) if field is not None else b""
        head = write_text("MQTT") + bytes([5 if self.is_5 else 4, flags]) + dialect.keep_alive_s.to_bytes(2, "big")
        head += self._properties({"properties": dialect.properties})
        body = {"version": dialect.version, **{name: text for name, text in self._told.items() if text is not None}}
        return (Message("CONNECT", body, write_packet("CONNECT", head + rest)),)

    def heartbeat(self) -> Iterable[Message]:
        return (Message("PINGREQ", None, write_packet("PINGREQ")),)

    def closing(self) -> Iterable[Message]:
        return (Message("DISCONNECT", None, write_packet("DISCONNECT")),)

    def resumes(self, request: Message, /) -> bool:
        flight = self.in_flight.get(request.asks)  # type: ignore[call-overload]
        return not self._dialect.is_clean and flight is not None and flight.name == "PUBLISH"

    def _read_connack(self, reader: Reader, packet: Packet) -> Message:
        has_session, code = bool(reader.number(1) & 1), reader.number(1)
        body: dict[str, Any] = {"session_present": has_session, "code": code}
        if self.is_5 and reader.has_more:
            body["properties"] = properties = read_properties(reader)
            self._told["client_id"] = properties.get("assigned_client_id", self._told["client_id"])
            if "server_keep_alive" in properties:
                self._keep_alive(properties["server_keep_alive"])
        if code:
            told = body.get("properties", {}).get("reason") or CODES.get(code) or "no reason given"
            raise OpeningRefused(
                code, f"the server refused CONNECT with {code}: {told}", Message("CONNACK", body, packet.raw)
            )
        if has_session:
            self.debts += [Message(KINDS[each.raw[0] >> 4], None, each.raw) for each in self.in_flight.values()]
        else:
            self.in_flight.clear()
            self.received_once.clear()
        self.is_ready = True
        return Message("CONNACK", body, packet.raw, is_protocol=True)

    def _read_disconnect(self, reader: Reader, packet: Packet) -> Message:
        code = reader.number(1) if reader.has_more else 0
        properties = read_properties(reader) if reader.has_more else {}
        reason = properties.get("reason") or CODES.get(code, "")
        self.ending = Ending(code=code, reason=reason, by="peer", is_clean=not code)
        return Message("DISCONNECT", {"code": code, "properties": properties}, packet.raw, is_protocol=True)

    # -- subscribing --------------------------------------------------------------------------------------------------

    def _packet(self, name: str, body: Any, *, is_asked: bool) -> Message:
        if name not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            return super()._packet(name, body, is_asked=is_asked)
        fields = fields_of(name, body)
        topics = fields.get("topics")
        topics = [topics] if isinstance(topics, str) else topics
        if not topics or not isinstance(topics, (Mapping, list, tuple)):
            hint = f'ask({name!r}, topics=["calls/+"])'
            raise DialectError(f"{name} is about topics, not {shorten(topics)}", hint=hint)
        key = self._new_id()
        rest = key.to_bytes(2, "big") + self._properties(fields)
        for topic in topics:
            rest += write_text(topic)
            if name == "SUBSCRIBE":
                rest += bytes([_options(topics[topic])] if isinstance(topics, Mapping) else [0])
        return self._in_flight(name, fields, write_packet(name, rest), key, is_asked)

    def _read_suback(self, reader: Reader, packet: Packet) -> Message:
        key = reader.key()
        body: dict[str, Any] = {"properties": read_properties(reader)} if self.is_5 else {}
        body["codes"] = codes = list(reader.rest())
        name = "SUBSCRIBE" if packet.kind == "SUBACK" else "UNSUBSCRIBE"
        return self._acknowledged(name, packet, key, body, is_failure=any(code >= FAILED for code in codes))


def _options(options: Any) -> int:
    """Those of a subscription: its quality, plus with MQTT 5 the bits 4, 8, 16 and 32 (section 3.8.3.1)."""
    if options.__class__ is not int or not 0 <= options < 64:
        raise DialectError(f"SUBSCRIBE: options are a quality of 0, 1 or 2, not {shorten(options)}")
    number: int = options
    return number


def _again(raw: bytes) -> bytes:
    """A publication that is said once more is marked as such (section 3.3.1.1)."""
    return bytes([raw[0] | 8]) + raw[1:] if raw[0] >> 4 == 3 else raw

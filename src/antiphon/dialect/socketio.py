"""Socket.IO 4: its protocol 5 over Engine.IO 4, by WebSocket alone, client and server.

https://socket.io/docs/v4/socket-io-protocol/ and https://socket.io/docs/v4/engine-io-protocol/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Annotated, Any, Final

import msgspec

from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.json_text import JSON
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.socketio_address import address_of_engine
from antiphon.dialect.socketio_events import SocketIoCodec
from antiphon.dialect.socketio_packets import CONNECT, CONNECT_ERROR, Packet, said
from antiphon.dialect.socketio_server import SocketIoServer
from antiphon.errors import DialectError, OpeningRefused, ScenarioError

__all__ = ["SocketIo"]


class SocketIo:
    """Socket.IO 4 over WebSocket; a client adds `/socket.io/?EIO=4&transport=websocket` to its address by itself.

    An event is a message. Its body is its argument; None where it has none, and a list where it has several, or one
    that is a list or None: `send("new message", "hello")`, `send("move", [3, {"y": 4}])`. Bytes in it travel as
    attachments. To `ask` is to want an acknowledgement, which comes as `add user.ack` with what the other side called
    back with; either side asks. What a handler returns is its acknowledgement.

    Events of the first of the `namespaces` are called as they are, those of others with it, as `/admin,kick`. A client
    joins all of them when it connects, and another by `ask("/admin,connect", {…})`; `send("/admin,disconnect")` leaves
    one, and `/admin,disconnect` is heard of a peer that does. A client that comes back says what it has of its session,
    so that a server with connection state recovery says again what was missed.

    auth: what CONNECT carries, None for nothing; filled in from the actor, as `{"token": "{user.password}"}`.
    namespaces: those that a client joins, and a server has.
    failed: a pattern; an acknowledgement whose body fits it fails the request. A refusal is sent as one that fits it,
        with `code`, `message` and the refusal's further fields.
    admit: of a server: called with what CONNECT carries (None for nothing) and the namespace. True lets in; what is
        false refuses with "not authorized", and `ErrorReply(code, message, …)` with its own words. Without it everybody
        is let in.
    ping_every_s, ping_within_s: of a server: how often it says ping, and how long it waits for an answer. A client is
        told by the server how long that may be silent.
    limit_bytes: the most that one packet may have, its attachments included; a server says so.

    Raises ScenarioError for a namespace that begins with no slash or has a comma, and an `admit` that must be awaited.
    """

    def __init__(
        self,
        auth: Mapping[str, Any] | None = None,
        *,
        namespaces: Sequence[str] = ("/",),
        failed: Any = None,
        admit: Callable[[Any, str], Any] | None = None,
        ping_every_s: float = 25,
        ping_within_s: float = 20,
        limit_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        if iscoroutinefunction(admit):
            raise ScenarioError("admit= of SocketIo is called, and not awaited", hint="def, not async def")
        if isinstance(namespaces, str) or not namespaces:
            raise ScenarioError(f"namespaces= is a list of them, not {namespaces!r}", hint='["/", "/admin"]')
        if odd := [name for name in namespaces if not name.startswith("/") or "," in name]:
            raise ScenarioError(f"{odd[0]!r} is no namespace", hint='it begins with a slash and has no comma: "/admin"')
        self.auth = auth
        self.namespaces = (*namespaces,)
        self.failed = failed
        self.admit = admit
        self.ping_every_s = ping_every_s
        self.ping_within_s = ping_within_s
        self.limit_bytes = limit_bytes

    def codec(self, meeting: Meeting, /) -> Codec:
        if meeting.side == "server":
            return SocketIoServer(
                self.namespaces,
                self.failed,
                self.limit_bytes,
                admit=self.admit,
                ping_every_s=self.ping_every_s,
                ping_within_s=self.ping_within_s,
            )
        meeting.address = address_of_engine(meeting.address)
        return _Client(self, filled(self.auth, meeting), meeting)


class _Open(msgspec.Struct, rename="camel"):
    """What an Engine.IO server says first; milliseconds."""

    sid: str
    ping_interval: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    ping_timeout: Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class _Client(SocketIoCodec):
    side_of_peer = "server"

    def __init__(self, dialect: SocketIo, auth: Any, meeting: Meeting) -> None:
        super().__init__(dialect.namespaces, dialect.failed, dialect.limit_bytes)
        self._auth = auth
        self._hide = meeting.hide
        self._is_open = False
        self._missing = set(dialect.namespaces)
        previous = meeting.previous
        # The same, not a copy: what is heard on a connection that is lost before it is open is not to be said again.
        self._sessions: dict[str, dict[str, str]] = previous._sessions if isinstance(previous, _Client) else {}

    def _open(self, text: str) -> Message:
        if self._is_open:
            raise DialectError("the server opens a second time")
        try:
            opened = _read_open(text)
        except JSON.not_readable as error:
            raise DialectError(f"no opening of Engine.IO: {error}; it is {shorten(text)}") from error
        self._is_open = True
        self.silence_s = (opened.ping_interval + opened.ping_timeout) / 1000 or None
        self.debts += [self._connect(namespace, self._auth) for namespace in self._namespaces]
        return Message("open", JSON.read(text), f"0{text}", is_protocol=True)

    def _ping(self) -> Message:
        self.debts.append(Message("pong", None, "3"))
        return Message("ping", None, "2", is_protocol=True)

    def _connect(self, namespace: str, auth: Any) -> Message:
        session = self._sessions.get(namespace, {})
        if "offset" in session:
            auth = {**session, **(auth or {})}
        return said("connect", auth, CONNECT, namespace, payload=auth)

    def request(self, name: str, body: Any) -> Message:
        namespace, event = self._split(name)
        if event != "connect":
            return super().request(name, body)
        if namespace in self._joined or namespace in self._missing:
            raise DialectError(f"{namespace} is joined already")
        request = self._connect(namespace, self._auth if body is None else body)
        request.name, request.asks = name, f"{namespace},connect"
        self._asked[request.asks] = name
        return request

    def _is_known(self, namespace: str) -> bool:
        """Also one that is being joined: what a session has missed comes before it is said to be joined."""
        return super()._is_known(namespace) or self._is_wanted(namespace)

    def _is_wanted(self, namespace: str) -> bool:
        return namespace in self._missing or f"{namespace},connect" in self._asked

    def _hear_connection(self, packet: Packet) -> Message:
        namespace = packet.namespace
        if not self._is_wanted(namespace):
            raise DialectError(f"the server speaks of {namespace}, which nobody wants to join")
        if packet.kind == CONNECT_ERROR:
            return self._be_refused(packet)
        if not isinstance(packet.payload, dict) or not isinstance(packet.payload.get("sid"), str):
            raise DialectError("CONNECT without a sid", hint="is it a server of Socket.IO 2? This is version 4")
        self._remember_session(namespace, packet.payload.get("pid"))
        self._joined.add(namespace)
        self._left.discard(namespace)
        self._missing.discard(namespace)
        self.is_ready = self.is_ready or not self._missing
        return self._reply_to_connect(packet)

    def _reply_to_connect(self, packet: Packet) -> Message:
        key = f"{packet.namespace},connect"
        is_asked = self._asked.pop(key, None) is not None
        name = "connect" if packet.kind == CONNECT else "connect_error"
        reply = Message(self._named(packet.namespace, name), packet.payload, packet.raw)
        reply.reply_to, reply.is_answer, reply.is_last = (key, True, True) if is_asked else (None, False, False)
        reply.is_failure, reply.is_protocol = packet.kind == CONNECT_ERROR, not is_asked
        return reply

    def _be_refused(self, packet: Packet) -> Message:
        reply = self._reply_to_connect(packet)
        if packet.namespace in self._missing:
            why = packet.payload.get("message", "") if isinstance(packet.payload, dict) else packet.payload
            raise OpeningRefused(str(why), f"the server refused {packet.namespace}: {why or 'no reason given'}", reply)
        return reply

    # -- connection state recovery ------------------------------------------------------------------------------------

    def _remember_session(self, namespace: str, pid: Any) -> None:
        if not isinstance(pid, str):
            self._sessions.pop(namespace, None)
        elif self._sessions.get(namespace, {}).get("pid") != pid:
            self._hide(pid)  # whoever has it can take over the session
            self._sessions[namespace] = {"pid": pid}

    def _arguments(self, packet: Packet) -> list[Any]:
        """Without the offset, which a server that can recover puts behind those of all that nobody must acknowledge."""
        arguments: list[Any] = packet.payload[1:]
        session = self._sessions.get(packet.namespace)
        if session is not None and packet.id is None and arguments and _is_offset(arguments[-1]):
            session["offset"] = arguments.pop()
        return arguments


def _is_offset(value: Any) -> bool:
    """As adapters make them: a time and a number, in letters and digits."""
    return isinstance(value, str) and _OFFSET.fullmatch(value) is not None


_OFFSET: Final = re.compile(r"[\w-]{7,}(?:\.[\w-]+)?", re.ASCII)
_read_open: Final = msgspec.json.Decoder(_Open).decode

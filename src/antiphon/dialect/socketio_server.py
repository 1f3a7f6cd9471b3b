"""The server's side of Socket.IO: who is let in, and whether they are still there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from secrets import token_urlsafe
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.dialect.json_text import encode_json
from antiphon.dialect.socketio_events import SocketIoCodec
from antiphon.dialect.socketio_packets import CONNECT, CONNECT_ERROR, Packet, said
from antiphon.errors import DialectError, ErrorReply

__all__ = ["SocketIoServer"]


class SocketIoServer(SocketIoCodec):
    """See `SocketIo`. It has no transport but WebSocket, and keeps no session for whoever comes back."""

    side_of_peer = "client"

    def __init__(
        self,
        namespaces: Sequence[str],
        failed: Any,
        limit_bytes: int,
        *,
        admit: Callable[[Any, str], Any] | None,
        ping_every_s: float,
        ping_within_s: float,
    ) -> None:
        super().__init__(namespaces, failed, limit_bytes)
        self._admit = admit
        self.heartbeat_s = ping_every_s
        self.silence_s = ping_every_s + ping_within_s
        self._open_with = {
            "sid": token_urlsafe(_ID_BYTES),
            "upgrades": [],
            "pingInterval": round(ping_every_s * 1000),
            "pingTimeout": round(ping_within_s * 1000),
            "maxPayload": limit_bytes,
        }

    def opening(self) -> Iterable[Message]:
        return (Message("open", self._open_with, f"0{encode_json(self._open_with)}"),)

    def heartbeat(self) -> Iterable[Message]:
        return (Message("ping", None, "2"),)

    def _pong(self) -> Message:
        return Message("pong", None, "3", is_protocol=True)

    def _hear_connection(self, packet: Packet) -> Message:
        namespace = packet.namespace
        if packet.kind != CONNECT or namespace in self._joined:
            raise DialectError(f"a client says CONNECT once, and here it says {packet.raw!r:.80}")
        refusal = self._refusal(namespace, packet.payload)
        if refusal is None:
            self._joined.add(namespace)
            self._left.discard(namespace)
            self.is_ready = True
            details = {"sid": token_urlsafe(_ID_BYTES)}
            self.debts.append(said("connect", details, CONNECT, namespace, payload=details))
        else:
            self.debts.append(said("connect_error", refusal, CONNECT_ERROR, namespace, payload=refusal))
        return Message(self._named(namespace, "connect"), packet.payload, packet.raw, is_protocol=True)

    def _refusal(self, namespace: str, auth: Any) -> dict[str, Any] | None:
        """What it is refused with, None if it is let in."""
        if namespace not in self._namespaces:
            return {"message": "Invalid namespace"}
        try:
            is_admitted = self._admit is None or self._admit(auth, namespace)
        except ErrorReply as refusal:
            return {"message": refusal.message, "data": {"code": refusal.code, **refusal.fields}}
        return None if is_admitted else {"message": "not authorized"}


_ID_BYTES: Final = 15

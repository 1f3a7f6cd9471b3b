"""What both sides of Socket.IO have: events, acknowledgements, namespaces, goodbyes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from itertools import count
from typing import Any, Final

from antiphon.conversation.ending import Ending
from antiphon.conversation.match import matches
from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.socketio_packets import (
    ACK,
    DISCONNECT,
    EVENT,
    RESERVED,
    Packet,
    PacketReader,
    said,
)
from antiphon.dialect.socketio_words import arguments_of, body_of, joined_name, key_of, place_of, split_name
from antiphon.errors import DialectError, ErrorReply

__all__ = ["SocketIoCodec"]


class SocketIoCodec(Codec):
    """See `SocketIo`. What is no packet, or comes where it must not, ends the connection, as the protocol wants it."""

    is_ready = False
    side_of_peer: str

    def __init__(self, namespaces: Sequence[str], failed: Any, limit_bytes: int) -> None:
        self.debts: list[Message] = []
        self._namespaces = namespaces
        self._failed = failed
        self._reader = PacketReader(limit_bytes)
        self._joined: set[str] = set()
        self._left: set[str] = set()
        self._asked: dict[Hashable, str] = {}
        self._new_id = count().__next__

    # -- reading ------------------------------------------------------------------------------------------------------

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            return self._decode(data)
        except DialectError as error:
            self.ending = self.ending or Ending(by="us", detail=str(error))
            raise

    def _decode(self, data: Data) -> Sequence[Message]:
        packet = None
        if isinstance(data, bytes):
            packet = self._reader.attach(data)
        elif data[:1] == "4":
            packet = self._reader.read(data)
        else:
            return (self._hear_engine(data),)
        return () if packet is None else (self._hear(packet),)

    def _hear_engine(self, data: str) -> Message:
        """What Engine.IO says for itself."""
        match data[:1], data[1:]:
            case "0", text:
                return self._open(text)
            case "1", "":
                self.ending = Ending(reason="close", by="peer", is_clean=True)
                return Message("close", None, data, is_protocol=True)
            case "2", "":
                return self._ping()
            case "3", "":
                return self._pong()
            case "6", "":
                return Message("noop", None, data, is_protocol=True)
        raise DialectError(f"no packet of Engine.IO: {shorten(data)}", hint="is there a server of Socket.IO?")

    def _open(self, text: str) -> Message:
        raise DialectError("a client does not open")

    def _ping(self) -> Message:
        raise DialectError("a client says pong, and not ping", hint="is it one of Engine.IO 3? This is version 4")

    def _pong(self) -> Message:
        raise DialectError("a server says ping, and not pong")

    def _hear(self, packet: Packet) -> Message:
        namespace = packet.namespace
        if packet.kind not in (DISCONNECT, EVENT, ACK):
            return self._hear_connection(packet)
        if not self._is_known(namespace):
            raise DialectError(f"{shorten(packet.raw)} is of {namespace}, which was not joined")
        message = self._hear_event(packet) if packet.kind != DISCONNECT else self._hear_goodbye(packet)
        message.is_protocol = message.is_protocol or namespace in self._left  # it has crossed the goodbye
        return message

    def _is_known(self, namespace: str) -> bool:
        return namespace in self._joined or namespace in self._left

    @abstractmethod
    def _hear_connection(self, packet: Packet) -> Message:
        """A CONNECT or CONNECT_ERROR."""

    def _hear_event(self, packet: Packet) -> Message:
        key = key_of(packet.namespace, packet.id)
        if packet.kind == ACK:
            body = body_of(packet.payload)
            name = f"{self._asked.pop(key, '')}.ack".removeprefix(".")
            is_failure = self._failed is not None and matches(self._failed, body)
            return Message(name, body, packet.raw, None, key, None, True, True, is_failure)
        name = self._named(packet.namespace, str(packet.payload[0]))
        body = body_of(self._arguments(packet))
        return Message(name, body, packet.raw, asks=key, is_request=key is not None)

    def _arguments(self, packet: Packet) -> list[Any]:
        arguments: list[Any] = packet.payload[1:]
        return arguments

    def _hear_goodbye(self, packet: Packet) -> Message:
        was_joined = packet.namespace in self._joined
        self._joined.discard(packet.namespace)
        if was_joined and not self._joined:
            self.ending = self.ending or Ending(reason=f"{self.side_of_peer} disconnect", by="peer", is_clean=True)
        name = self._named(packet.namespace, "disconnect")
        # Of the last one the end of the connection tells.
        return Message(name, None, packet.raw, is_protocol=not self._joined)

    # -- writing ------------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any) -> Message:
        namespace, event = self._split(name)
        if event == "disconnect":
            self._require_joined(namespace, name)
            self._joined.discard(namespace)
            self._left.add(namespace)
            return said(name, None, DISCONNECT, namespace)
        return self._event(name, body, None)

    def request(self, name: str, body: Any) -> Message:
        key = self._new_id()
        request = self._event(name, body, key)
        request.asks = key_of(self._split(name)[0], key)
        self._asked[request.asks] = name
        if len(self._asked) > _MOST_ASKED:  # a peer that never answers must not fill the memory
            del self._asked[next(iter(self._asked))]
        return request

    def answer(self, request: Message, body: Any) -> Message:
        if request.asks is None:
            raise DialectError(f"{request.name} wants no acknowledgement", hint="return None, and use send()")
        return said(f"{request.name}.ack", body, ACK, *place_of(request.asks), arguments_of(body))

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        body = {"code": refusal.code, "message": refusal.message, **refusal.fields}
        if self._failed is None or not matches(self._failed, body):
            text = f"the refusal of {request.name} would not be one: {shorten(body)} does not fit failed="
            raise DialectError(text, hint='Socket.IO knows no failure: say what is one, SocketIo(failed={"code": ...})')
        return self.answer(request, body)

    def owed(self) -> Iterable[Message]:
        debts, self.debts = self.debts, []
        return debts

    def closing(self) -> Iterable[Message]:
        return [self.encode(self._named(namespace, "disconnect"), None) for namespace in sorted(self._joined)]

    def _event(self, name: str, body: Any, key: int | None) -> Message:
        namespace, event = self._split(name)
        if event in RESERVED or not event:
            hint = 'a client joins a namespace with ask("/admin,connect"), and leaves it with send("/admin,disconnect")'
            raise DialectError(f"no event can be called {name!r}", hint=hint)
        self._require_joined(namespace, name)
        return said(name, body, EVENT, namespace, key, [event, *arguments_of(body)])

    def _require_joined(self, namespace: str, name: str) -> None:
        if namespace not in self._joined:
            hint = f'namespaces=["{namespace}"], or ask("{namespace},connect")'
            raise DialectError(f"{name} cannot be said: {namespace} is not joined", hint=hint)

    def _named(self, namespace: str, event: str) -> str:
        return joined_name(namespace, event, self._namespaces[0])

    def _split(self, name: str) -> tuple[str, str]:
        return split_name(name, self._namespaces[0])


_MOST_ASKED: Final = 10_000

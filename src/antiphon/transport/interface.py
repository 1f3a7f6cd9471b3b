"""The seam between channels and wires.

A transport connects to an address, calls back with what arrives and with how it ended, sends, closes. It knows no
names, no messages, no waits.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.tls import Tls

__all__ = [
    "Accept",
    "AttentiveReceiver",
    "Connection",
    "HalfClosable",
    "Listener",
    "Listening",
    "Opening",
    "Peer",
    "ProtocolReceiver",
    "Receiver",
    "RejectConnection",
    "Transport",
    "tell_aside",
    "tell_finished",
]


class Peer(msgspec.Struct, frozen=True):
    """Who has come, as the wire tells a server.

    `address` is "HOST:PORT" ("memory:1" in memory), "" where the wire has none. `certificate` is what the client has
    shown and we have verified, as `ssl.SSLSocket.getpeercert` tells it, None for none. `alpn` is the protocol that TLS
    agreed on, "" for none.
    """

    address: str = ""
    certificate: Mapping[str, Any] | None = None
    alpn: str = ""

    @classmethod
    def of(cls, stream: Any) -> Peer:
        """At the other end of a stream of the event loop."""
        address = stream.get_extra_info("peername")
        shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and ":" in address[0]:
            shown = f"[{address[0]}]:{address[1]}"
        secured = stream.get_extra_info("ssl_object")
        if secured is None:
            return cls(shown)
        return cls(shown, secured.getpeercert() or None, secured.selected_alpn_protocol() or "")


class Opening(msgspec.Struct, frozen=True):
    """What is said when a connection is opened, beside its address.

    As a client: what to send, with `tls` for wires that are secured, before the transport's own. On a server: what
    came, with `path` (and query) of the request, and `peer`. Header names are matched without regard to case.
    `within_s` bounds the whole opening in seconds.
    """

    headers: Mapping[str, str] = {}
    subprotocols: Sequence[str] = ()
    path: str = ""
    within_s: float = 10.0
    tls: Tls | ssl.SSLContext | None = None
    peer: Peer = Peer()


class RejectConnection(Exception):
    """Raised by an `Accept` to refuse a connection: an HTTP status from 400 to 599, and a body for a person."""

    def __init__(self, status: int, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class Connection(Protocol):
    """An open connection. All methods are called in the event loop's thread."""

    subprotocol: str
    """The subprotocol that both sides agreed on, "" for none."""

    def send(self, data: Data) -> None:
        """Hand over `data`, text for `str` and binary for `bytes`; it is not awaited. After the end it is ignored."""
        ...

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Begin to close; the receiver hears of the end. Raises ValueError for a code or reason that cannot be sent.

        `code` None is what the wire says if nobody says anything else (WebSocket: 1000). A wire that has no codes
        ignores code and reason, so that whoever gives one need not know what carries it.
        What was sent before goes first, and the peer's time to answer does not begin while that is still leaving. What
        has to be thrown away in the end is counted in the ending's `unsent_bytes`. A paused connection reads again.
        """
        ...

    def abort(self) -> None:
        """End the connection now, without a goodbye; the receiver hears of the end."""
        ...

    @property
    def unsent_bytes(self) -> int:
        """How much was handed to `send`, as it goes over the wire, and has not left: the peer does not read so fast."""
        ...

    async def drained(self) -> None:
        """Return when `unsent_bytes` is 0, or the connection has ended."""
        ...

    def pause(self) -> None:
        """Read no more until `resume`: what the peer says waits on its side. What was read already may still arrive."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


class HalfClosable(Connection, Protocol):
    """A connection whose two directions end apart."""

    def finish(self) -> None:
        """End our sending, behind what was sent, and go on hearing; once the peer has finished, too, it is `close`.

        Raises TransportError where this connection cannot: TLS ends both directions at once.
        """
        ...


class Receiver(Protocol):
    """Who is called back, in the event loop's thread and in this order: once opened, data, once ended."""

    def on_opened(self, connection: Connection) -> None:
        """The connection is there; called before any data, also before data that came with the handshake's end."""
        ...

    def on_data(self, data: Data) -> None:
        """Data has arrived: a whole frame where the transport has frames, whatever was read where it has none."""
        ...

    def on_ended(self, ending: Ending) -> None:
        """The connection has ended; nothing comes after this."""
        ...


class ProtocolReceiver(Receiver, Protocol):
    """A receiver that is told, by a transport that was asked for it, what the wire's protocol says by itself."""

    def on_protocol(self, name: str, data: Data, *, is_sent: bool) -> None:
        """Something like a WebSocket's ping or pong has come, or was sent."""
        ...


class AttentiveReceiver(Receiver, Protocol):
    """A receiver that hears of more than data. A transport looks for either method, and tells whoever has none nothing.

    Both are called between `on_opened` and `on_ended`.
    """

    def on_finished(self) -> bool:
        """The peer says no more, and still hears: TCP's FIN, the end of a program's output.

        True keeps the connection open for what we have still to say. Otherwise that was the peer's goodbye, and the
        connection ends. Not called when we have finished as well: then that is the end.
        """
        ...

    def on_aside(self, name: str, said: str | Mapping[str, str]) -> None:
        """Something came beside the data: a text ("stderr"), or fields with names ("response headers", "trailers")."""
        ...


def tell_finished(receiver: Receiver) -> bool:
    """Tell a receiver of the peer's end, if it wants to hear of that; gives whether the connection is to stay."""
    hear = getattr(receiver, "on_finished", None)
    return hear is not None and bool(hear())


def tell_aside(receiver: Receiver, name: str, said: str | Mapping[str, str]) -> None:
    """Tell a receiver what came beside the data, if it wants to hear of that."""
    hear = getattr(receiver, "on_aside", None)
    if hear is not None:
        hear(name, said)


class Transport(Protocol):
    """A way to connect."""

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> Connection:
        """Connect, and have called `receiver.on_opened`.

        Raises ConnectFailed (or its child UpgradeRefused) with the address as its place and a hint; a cancelled connect
        leaves nothing open.
        """
        ...


Accept = Callable[[Opening], Receiver]
"""Called with what a client said at its opening; gives the receiver for the connection, or raises RejectConnection."""


class Listening(Protocol):
    """A listening server."""

    address: str
    """Where it listens, as clients say it: with the real port when port 0 was asked for."""

    async def close(self) -> None:
        """Stop listening and end every connection (WebSocket: with code 1001)."""
        ...


class Listener(Protocol):
    """A way to listen."""

    @property
    def listen(self) -> Callable[..., Awaitable[Listening]]:
        """`await listen(address, accept, **options)`; the options are the listener's own.

        Raises TransportError if nobody can listen there.
        """
        ...

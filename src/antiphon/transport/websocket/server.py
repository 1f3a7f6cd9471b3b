"""The WebSocket listener: how an actor answers as a server (RFC 6455, on picows), with other HTTP beside it."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from antiphon.errors import TransportError
from antiphon.transport import http1_head as heads
from antiphon.transport.acceptor import Acceptor, open_acceptor
from antiphon.transport.interface import Accept
from antiphon.transport.timeouts import timeout
from antiphon.transport.tls import Tls, server_context
from antiphon.transport.unix_socket import bind_unix, words_of_binding
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.client import DEFAULT_MAX_SIZE_BYTES
from antiphon.transport.websocket.keepalive import DEFAULT_WITHIN_S, Pings
from antiphon.transport.websocket.rfc6455 import GOING_AWAY
from antiphon.transport.websocket.server_handshake import HttpFactory, IncomingConnection, ListenerState

__all__ = ["WebSocketListener", "WebSocketListening"]

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what users may ask for


class WebSocketListener:
    """Listens at `ws://HOST:PORT`, `wss://HOST:PORT`, and at the path of a Unix socket as `ws+unix:///path.sock`.

    `wss+unix://` is the same with TLS.
    """

    async def listen(
        self,
        address: str,
        accept: Accept,
        *,
        tls: Tls | ssl.SSLContext | None = None,
        http: HttpFactory | None = None,
        compression: bool = True,
        subprotocols: Sequence[str] = (),
        max_size_bytes: int = DEFAULT_MAX_SIZE_BYTES,
        close_within_s: float = 1.0,
        shows_pings: bool = False,
        answers_pings: bool = True,
        ping_every_s: float | None = None,
        ping_within_s: float = DEFAULT_WITHIN_S,
    ) -> WebSocketListening:
        """Listen; port 0 takes a free one. Every path goes to `accept`, which finds it in `Opening.path`.

        `tls` is the server's, for `wss://`. `http` makes a protocol for each connection that asks for anything
        but WebSocket (`AppRunner(app).server` of aiohttp is such a factory); without it the answer is 426.
        `compression` is used if the client asks for it too. Of `subprotocols` the client's first choice is taken.
        `max_size_bytes` bounds a received message, inflated; `close_within_s` the peer's half of the closing handshake.
        What the others say of pings is as for `WebSocketTransport`.

        Raises TransportError if the address is none, cannot be listened at, or does not fit `tls`.
        """
        try:
            where = WebSocketAddress.parse(address)
            for name in subprotocols:
                if not heads.is_token(name):
                    raise ValueError(f"{name!r} is no name for a subprotocol")
        except ValueError as error:
            raise TransportError(f"cannot listen: {error}", place=address) from error
        if where.is_secure != (tls is not None):
            text = (
                "a wss:// address needs tls="
                if where.is_secure
                else "tls= is given, but the address does not say wss://"
            )
            raise TransportError(text, place=address, hint="tls=Tls(certificate=…, key=…)")
        listener = ListenerState(
            accept=accept,
            http=http,
            compression=compression,
            subprotocols=tuple(subprotocols),
            max_size_bytes=max_size_bytes,
            close_within_s=close_within_s,
            pings=Pings(ping_every_s, ping_within_s, answers_pings, shows_pings),
        )
        return WebSocketListening(where, listener, await _serve(address, where, listener, server_context(tls)))


class WebSocketListening:
    """A listening server."""

    def __init__(self, where: WebSocketAddress, listener: ListenerState, server: Acceptor) -> None:
        self.address = (
            where.up_to_path if where.socket else where.at(_EVERYWHERE.get(where.host, where.host), server.port)
        )
        self._socket = where.socket
        self._listener = listener
        self._server = server

    async def close(self) -> None:
        """Stop listening and end every connection, WebSocket ones with code 1001; none is left when it returns."""
        await self._server.close()  # first, so that nobody comes in while the others are seen out
        self._remove_socket()
        listener = self._listener
        for newcomer in tuple(listener.incoming):
            newcomer.close()
        for connection in tuple(listener.connections):
            connection.close(GOING_AWAY, "the server is closing")
        if listener.is_empty:
            return
        listener.emptied.clear()
        try:
            async with timeout(listener.close_within_s):
                await listener.emptied.wait()
        except TimeoutError:
            # Aborted, everyone tells of the end within a turn or two; whoever closes may close the event loop next.
            for newcomer in tuple(listener.incoming):
                newcomer.abort()
            # A connection ends by itself, and not before what was said on it has left.
            await listener.emptied.wait()

    def _remove_socket(self) -> None:
        if self._socket:
            Path(self._socket).unlink(missing_ok=True)
            self._socket = ""


async def _serve(
    address: str, where: WebSocketAddress, listener: ListenerState, tls: ssl.SSLContext | None
) -> Acceptor:
    if where.socket:
        try:
            listening = bind_unix(Path(where.socket))
        except OSError as error:
            text, hint = words_of_binding(error, "write ws+unix:///path/of/the.sock")
            raise TransportError(f"cannot listen: {text}", place=address, hint=hint) from error
        return Acceptor([listening], lambda: IncomingConnection(listener), tls)
    try:
        return await open_acceptor(where.host, where.port, lambda: IncomingConnection(listener), tls)
    except OSError as error:
        raise TransportError(_reason(error, where), place=address, hint="port 0 takes a free port") from error


def _reason(error: OSError, where: WebSocketAddress) -> str:
    if isinstance(error, socket.gaierror):
        return f"cannot listen: the name {where.host} does not resolve"
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen: port {where.port} is taken"
    if error.errno == errno.EACCES:
        return f"cannot listen: port {where.port} is not ours to use"
    return f"cannot listen: {error.strerror or error}"

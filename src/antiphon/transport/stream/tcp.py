"""TCP, and TLS over it: `tcp://HOST:PORT` and `tcps://HOST:PORT`, as client and as server."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from antiphon.errors import ConnectFailed, TransportError
from antiphon.transport.acceptor import open_acceptor
from antiphon.transport.connect_failure import Destination
from antiphon.transport.digits import read_digits
from antiphon.transport.interface import Accept, Opening, Receiver
from antiphon.transport.stream.connection import CLOSE_WITHIN_S, StreamConnection
from antiphon.transport.stream.dialing import dial
from antiphon.transport.stream.listening import StreamDoor, StreamListening
from antiphon.transport.tls import ClientTls, Tls, client_tls, server_context

__all__ = ["TcpListener", "TcpTransport"]

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what users may ask for
_LARGEST_PORT: Final = 65535


class TcpTransport:
    """Connects to `tcp://HOST:PORT`, and `tcps://HOST:PORT` with TLS.

    `tls` is for `tcps://`, where the opening has none; None trusts the system's certificates. `close_within_s` is how
    long the peer may take for its goodbye after ours.
    """

    def __init__(self, *, tls: Tls | ssl.SSLContext | None = None, close_within_s: float = CLOSE_WITHIN_S) -> None:
        self._tls = tls
        self._close_within_s = close_within_s

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> StreamConnection:
        """Connect; `opening.within_s` bounds the name's resolution, TCP and TLS together. Raises ConnectFailed."""
        try:
            where = _Place.parse(address)
            if where.port == 0:
                raise ValueError("port 0 is for listening")
        except ValueError as error:
            raise ConnectFailed(f"cannot connect: {error}", place=address, hint=_FORM) from error
        tls = client_tls(opening.tls, self._tls) if where.is_secure else ClientTls()

        def explain(error: OSError | ValueError) -> tuple[str, str | None]:
            if isinstance(error, TimeoutError):
                return f"no connection to {where.at} within {opening.within_s:g} s", "is it reachable?"
            secure = "tcps" if where.is_secure else ""
            return Destination(where.host, where.port, secure, "tcp", "Link").words(error)

        loop = asyncio.get_running_loop()
        return await dial(
            lambda begin: loop.create_connection(
                begin, where.host, where.port, ssl=tls.context, server_hostname=tls.server_name
            ),
            opening,
            receiver,
            self._close_within_s,
            address,
            explain,
        )


class TcpListener:
    """Listens at `tcp://HOST:PORT`, and `tcps://HOST:PORT` with TLS; port 0 takes a free one."""

    async def listen(
        self,
        address: str,
        accept: Accept,
        *,
        tls: Tls | ssl.SSLContext | None = None,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> StreamListening:
        """Listen. `tls` is the server's, for `tcps://`. There are no openings: `accept` gets one with the peer only.

        Raises TransportError if the address is none, cannot be listened at, or does not fit `tls`.
        """
        try:
            where = _Place.parse(address)
        except ValueError as error:
            raise TransportError(f"cannot listen: {error}", place=address, hint=_FORM) from error
        if where.is_secure != (tls is not None):
            text = "a tcps:// address needs tls=" if where.is_secure else "tls= is given, but the address says tcp://"
            raise TransportError(text, place=address, hint="tls=Tls(certificate=…, key=…)")
        door = StreamDoor(accept, close_within_s)
        try:
            acceptor = await open_acceptor(where.host, where.port, door.enter, server_context(tls))
        except OSError as error:
            raise TransportError(_reason(error, where), place=address, hint="port 0 takes a free port") from error
        real = msgspec.structs.replace(where, host=_EVERYWHERE.get(where.host, where.host), port=acceptor.port)
        return StreamListening(f"{'tcps' if where.is_secure else 'tcp'}://{real.at}", door, acceptor)


_FORM: Final = "write tcp://HOST:PORT, or tcps://HOST:PORT for TLS"


class _Place(msgspec.Struct, frozen=True):
    """An address taken apart."""

    host: str
    port: int
    is_secure: bool

    @classmethod
    def parse(cls, address: str) -> _Place:
        """Raises ValueError, whose text says what is wrong with it."""
        parts = urlsplit(address)
        if parts.scheme not in ("tcp", "tcps"):
            raise ValueError(f"{parts.scheme or 'nothing'} is no scheme of TCP")
        if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("a TCP address has a host and a port, and nothing else")
        digits = parts.netloc.rpartition("]")[2].partition(":")[2]
        if not parts.hostname or not digits:
            raise ValueError("the port is missing" if parts.hostname else "the host is missing")
        try:
            return cls(parts.hostname, read_digits(digits, largest=_LARGEST_PORT), parts.scheme == "tcps")
        except ValueError as error:
            raise ValueError(f"the port is none: {error}") from None

    @property
    def at(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _reason(error: OSError, where: _Place) -> str:
    if isinstance(error, socket.gaierror):
        return f"cannot listen: the name {where.host} does not resolve"
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen: port {where.port} is taken"
    return f"cannot listen: {error.strerror or error}"

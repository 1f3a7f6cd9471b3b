"""TCP, and TLS over it: `tcp://HOST:PORT` and `tcps://HOST:PORT`, as client and as server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from antiphon.errors import TransportError
from antiphon.transport.acceptor import open_acceptor
from antiphon.transport.connect_failure import Destination, ProxyFailed
from antiphon.transport.interface import Opening
from antiphon.transport.proxy import Proxy, ProxyChoice
from antiphon.transport.proxy_dialing import connect_through
from antiphon.transport.stream.byte_stream import CLOSE_WITHIN_S, ByteStream, ByteStreamListener, Listened
from antiphon.transport.stream.host_port import HostPort
from antiphon.transport.tls import PLAIN, Tls, client_tls, server_context

__all__ = ["TcpListener", "TcpTransport"]

_FORM: Final = "write tcp://HOST:PORT, or tcps://HOST:PORT for TLS"


class TcpTransport(ByteStream[HostPort]):
    """Connects to `tcp://HOST:PORT`, and `tcps://HOST:PORT` with TLS.

    `tls` is for `tcps://`, where the opening has none; None trusts the system's certificates. `proxy` is the way there,
    an address or a `Proxy`; None goes directly, True as the environment says (which means HTTP, mostly).
    """

    form = _FORM

    def __init__(
        self,
        *,
        tls: Tls | ssl.SSLContext | None = None,
        proxy: Proxy | str | Literal[True] | None = None,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> None:
        super().__init__(close_within_s=close_within_s)
        self._tls = tls
        self._proxy = ProxyChoice(proxy)

    def read(self, address: str) -> HostPort:
        where = HostPort.read(address, "TCP", ("tcp", "tcps"))
        if where.port == 0:
            raise ValueError("port 0 is for listening")
        return where

    async def create(self, where: HostPort, opening: Opening, begin: Callable[[], Any]) -> tuple[Any, Any]:
        tls = client_tls(opening.tls, self._tls) if where.scheme == "tcps" else PLAIN
        if proxy := self._way_to(where):
            return await connect_through(proxy, begin, where.host, where.port, tls)
        return await asyncio.get_running_loop().create_connection(
            begin, where.host, where.port, ssl=tls.context, server_hostname=tls.server_name
        )

    def explain(self, where: HostPort, error: OSError | ValueError) -> tuple[str, str | None]:
        secure = "tcps" if where.scheme == "tcps" else ""
        text, hint = Destination(where.host, where.port, secure, "tcp", "Link").words(error)
        if (proxy := self._way_to(where)) and not isinstance(error, ProxyFailed):
            text = f"{text} (through the proxy {proxy.shown})"
        return text, hint

    def _way_to(self, where: HostPort) -> Proxy | None:
        return self._proxy.of(where.host, where.port, is_secure=where.scheme == "tcps")


class TcpListener(ByteStreamListener[HostPort]):
    """Listens at `tcp://HOST:PORT`, and `tcps://HOST:PORT` with `tls`, the server's; port 0 takes a free one."""

    form = _FORM

    def read(self, address: str) -> HostPort:
        return HostPort.read(address, "TCP", ("tcp", "tcps"))

    async def open(
        self, where: HostPort, make: Callable[[], Any], *, tls: Tls | ssl.SSLContext | None = None
    ) -> Listened:
        is_secure = where.scheme == "tcps"
        if is_secure != (tls is not None):
            text = "a tcps:// address needs tls=" if is_secure else "tls= is given, but the address says tcp://"
            raise TransportError(text, place=str(where), hint="tls=Tls(certificate=…, key=…)")
        acceptor = await open_acceptor(where.host, where.port, make, server_context(tls))
        return Listened(acceptor, str(msgspec.structs.replace(where.reachable, port=acceptor.port)))

    def explain(self, where: HostPort, error: OSError) -> tuple[str, str | None]:
        return where.why_not_listening(error), "port 0 takes a free port"

"""How aiohttp's client gets its connections: as aiohttp does, but for the most frequent case, which it makes dear.

aiohttp makes a socket and has the event loop connect it (`sock_connect`), to try several addresses of a name at once
(RFC 8305). uvloop's `sock_connect` has a thread resolve the address again, though it is one already: an exchange on a
connection of its own takes 220 µs with it, and 180 with `create_connection`. So where there is one address and no TLS,
that is called.

Through a proxy, what aiohttp would do itself knows no SOCKS, and loses what the proxy says when it refuses: so the way
there is ours (`proxy_dialing`), but for plain requests, which an HTTP proxy is given as they are.

Relied upon: `ClientRequest.proxy`, which is looked at when the request connects, and again when it is written;
`TCPConnector._create_direct_connection`, called with the request, and with options by aiohttp's own way to a proxy;
`TCPConnector._wrap_create_connection`, which aiohttp (3.10 to 3.14) calls with the addresses, and which others
override as well (aiohttp-socks). Should it be called otherwise one day, aiohttp's own way is taken.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from antiphon.errors import ConnectFailed
from antiphon.transport.connect_failure import ProxyFailed
from antiphon.transport.proxy import ProxyChoice
from antiphon.transport.proxy_dialing import basic_authorization, connect_through
from antiphon.transport.tls import PLAIN, ClientTls, client_tls

__all__ = ["Connector"]


class Connector(aiohttp.TCPConnector):
    """The connections of one party, whose session sets no time limit of its own for them."""

    def __init__(self, proxy: ProxyChoice) -> None:
        super().__init__()
        self._proxy = proxy

    async def connect(self, req: Any, *args: Any, **options: Any) -> Any:
        # For each request, also one that a redirect asks for: what the first was told need not be right for it.
        if req.proxy is not None:
            proxy = self._proxy.of(req.url.host, req.port, is_secure=req.is_ssl())
            if proxy is None or req.is_ssl():
                req.proxy = None
            elif authorization := basic_authorization(proxy):
                req.headers["Proxy-Authorization"] = authorization
        return await super().connect(req, *args, **options)

    async def _create_direct_connection(
        self, req: Any, *args: Any, **options: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        # With options it is aiohttp's own way to a proxy that is given the request itself.
        proxy = None if options else self._proxy.of(req.url.host, req.port, is_secure=req.is_ssl())
        if proxy is None:
            return await super()._create_direct_connection(req, *args, **options)
        tls = PLAIN
        if req.is_ssl():
            given = req.ssl if isinstance(req.ssl, ssl.SSLContext) else None  # True for the system's certificates
            tls = ClientTls(client_tls(given).context, req.server_hostname)
        try:
            return await connect_through(proxy, self._factory, req.url.raw_host, req.port, tls)
        except ProxyFailed as error:
            raise ConnectFailed(error.text, place=f"{req.method} {req.url}", hint=error.hint) from error
        except ssl.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error

    async def _wrap_create_connection(self, *args: Any, **options: Any) -> tuple[asyncio.Transport, ResponseHandler]:
        match options:
            case {
                "addr_infos": [(socket.AF_INET, _, _, _, (str() as host, int() as port))],
                "ssl": None,
                "req": request,
            }:
                try:
                    return await self._loop.create_connection(self._factory, host, port)
                except OSError as error:
                    failure = options.get("client_error", aiohttp.ClientConnectorError)
                    raise failure(request.connection_key, error) from error
        return await super()._wrap_create_connection(*args, **options)

"""How aiohttp's client gets its connections: as aiohttp does, but for the most frequent case, which it makes dear.

aiohttp makes a socket and has the event loop connect it (`sock_connect`), to try several addresses of a name at once
(RFC 8305). uvloop's
`sock_connect` has a thread resolve the address again, though it is one already: an exchange on a connection of its own
takes 220 µs with it, and 180 with `create_connection`. So where there is one address and no TLS, that is called.

Relied upon: `TCPConnector._wrap_create_connection`, which aiohttp (3.10 to 3.14) calls with the addresses, and which
others override as well (aiohttp-socks). Should it be called otherwise one day, aiohttp's own way is taken.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

__all__ = ["Connector"]


class Connector(aiohttp.TCPConnector):
    """The connections of one party, whose session sets no time limit of its own for them."""

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
                    raise aiohttp.ClientConnectorError(request.connection_key, error) from error
        return await super()._wrap_create_connection(*args, **options)

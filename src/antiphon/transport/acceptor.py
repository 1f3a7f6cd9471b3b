"""Listening sockets, whose waiting connections are all let in in the same turn of the event loop.

The event loops' own servers are not used: uvloop's accepts one connection a turn, and the turns of a busy server are
long, so that newcomers would wait the longer the more others are in.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Acceptor", "open_acceptor"]

BACKLOG: Final = 1024
AGAIN_AFTER_S: Final = 0.1
"""How long to wait when the system has no room for another connection."""

_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_SUCH_ADDRESS: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Acceptor:
    """Sockets that are listened at."""

    def __init__(
        self, sockets: list[socket.socket], make: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._make = make
        self._tls = tls
        self._sockets = sockets
        self._entering: dict[asyncio.Task[Any], socket.socket] = {}
        self._listening = [self._loop.create_task(self._listen(each)) for each in sockets]

    @property
    def port(self) -> int:
        """The first one's; a Unix socket has none."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Listen no more, and hang up on whoever is still in the TLS handshake."""
        for task in self._listening:
            task.cancel()
        for newcomer in self._entering.values():
            # To cancel the task instead might leave a protocol that has heard of its connection, but never of the end.
            with contextlib.suppress(OSError):
                newcomer.shutdown(socket.SHUT_RDWR)
        await asyncio.gather(*self._listening, *self._entering, return_exceptions=True)
        for each in self._sockets:
            each.close()

    async def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                newcomer, _ = await self._loop.sock_accept(listening)
                self._let_in(newcomer)
                for _ in range(BACKLOG):
                    newcomer, _ = listening.accept()
                    self._let_in(newcomer)
            except (BlockingIOError, InterruptedError, ConnectionError):
                continue  # nobody else waits, or who did has gone
            except OSError as error:
                self._loop.call_exception_handler({"message": "no connection can be accepted", "exception": error})
                if error.errno not in _NO_ROOM:
                    return
                await asyncio.sleep(AGAIN_AFTER_S)

    def _let_in(self, newcomer: socket.socket) -> None:
        newcomer.setblocking(False)
        task = self._loop.create_task(self._enter(newcomer))
        self._entering[task] = newcomer
        task.add_done_callback(self._entering.pop)

    async def _enter(self, newcomer: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a TLS handshake that failed, or a peer that has gone: it knows
            await self._loop.connect_accepted_socket(self._make, newcomer, ssl=self._tls)


async def open_acceptor(
    host: str, port: int, make: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None
) -> Acceptor:
    """Listen at every address that `host` has here; for port 0 at the first one, where it takes a free port.

    `make` gives the protocol of each connection. Raises OSError if nobody can listen there.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    with contextlib.ExitStack() as undoing:
        for family, _, protocol, _, address in dict.fromkeys(found):
            try:
                sockets.append(undoing.enter_context(_listening_socket(family, protocol, address)))
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS:
                    raise
                missing = error  # a name may have addresses that this machine lacks
            if sockets and port == 0:
                break
        undoing.pop_all()
    if missing is not None and not sockets:
        raise missing
    return Acceptor(sockets, make, tls)


def _listening_socket(family: int, protocol: int, address: Any) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        listening.setblocking(False)
        if sys.platform != "win32":  # there it would let two servers have the same port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening

"""Unix sockets: `unix:///path/of/the.sock`, as client and as server."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from antiphon.transport.acceptor import BACKLOG, Acceptor
from antiphon.transport.interface import Opening
from antiphon.transport.stream.byte_stream import ByteStream, ByteStreamListener, Listened

__all__ = ["UnixListener", "UnixTransport"]

_FORM: Final = "write unix:///path/of/the.sock"


class UnixTransport(ByteStream[Path]):
    """Connects to `unix:///path`."""

    form = _FORM

    def read(self, address: str) -> Path:
        return _path(address)

    async def create(self, where: Path, _opening: Opening, begin: Callable[[], Any]) -> tuple[Any, Any]:
        return await asyncio.get_running_loop().create_unix_connection(begin, str(where))

    def explain(self, where: Path, error: OSError | ValueError) -> tuple[str, str | None]:
        if isinstance(error, FileNotFoundError):
            return f"there is no {where}", "is the system under test running there?"
        if isinstance(error, ConnectionRefusedError):
            if not where.is_socket():
                return f"{where} is no socket", "is it the right path?"
            return f"nobody listens at {where}", "is the system under test running there?"
        if isinstance(error, PermissionError):
            return f"{where} is not ours to connect to", "who may write to it?"
        return f"could not connect to {where}: {error}", None


class UnixListener(ByteStreamListener[Path]):
    """Listens at `unix:///path`, and removes the socket's file in the end. A file that is there already is an error."""

    form = _FORM

    def read(self, address: str) -> Path:
        return _path(address)

    async def open(self, where: Path, make: Callable[[], Any]) -> Listened:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.setblocking(False)
            listening.bind(str(where))
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
        return Listened(Acceptor([listening], make, None), f"unix://{where}", partial(where.unlink, missing_ok=True))

    def explain(self, _where: Path, error: OSError) -> tuple[str, str | None]:
        if error.errno == errno.EADDRINUSE:
            return "there is a file already", "if nobody listens there, remove it"
        return str(error.strerror or error), _FORM


def _path(address: str) -> Path:
    path = address.removeprefix("unix://")
    if path == address or not path.startswith("/"):
        raise ValueError("this is no address of a Unix socket")
    if "\0" in path:
        raise ValueError("a path has no NUL")
    return Path(path)

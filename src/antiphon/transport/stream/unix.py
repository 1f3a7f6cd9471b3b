"""Unix sockets: `unix:///path/of/the.sock`, as client and as server."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from pathlib import Path
from typing import Final

from antiphon.errors import ConnectFailed, TransportError
from antiphon.transport.acceptor import BACKLOG, Acceptor
from antiphon.transport.interface import Accept, Opening, Receiver
from antiphon.transport.stream.connection import CLOSE_WITHIN_S, StreamConnection
from antiphon.transport.stream.dialing import dial
from antiphon.transport.stream.listening import StreamDoor, StreamListening

__all__ = ["UnixListener", "UnixTransport"]

_FORM: Final = "write unix:///path/of/the.sock"


class UnixTransport:
    """Connects to `unix:///path`. `close_within_s` is how long the peer may take for its goodbye after ours."""

    def __init__(self, *, close_within_s: float = CLOSE_WITHIN_S) -> None:
        self._close_within_s = close_within_s

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> StreamConnection:
        """Connect. Raises ConnectFailed."""
        try:
            path = _path(address)
        except ValueError as error:
            raise ConnectFailed(f"cannot connect: {error}", place=address, hint=_FORM) from error

        def explain(error: OSError | ValueError) -> tuple[str, str | None]:
            return _words(error, path, opening.within_s)

        loop = asyncio.get_running_loop()
        return await dial(
            lambda begin: loop.create_unix_connection(begin, str(path)),
            opening,
            receiver,
            self._close_within_s,
            address,
            explain,
        )


class UnixListener:
    """Listens at `unix:///path`."""

    async def listen(self, address: str, accept: Accept, *, close_within_s: float = CLOSE_WITHIN_S) -> StreamListening:
        """Listen, and remove the socket's file in the end. There are no openings: `accept` gets an empty one.

        Raises TransportError if nobody can listen there, also where a file is left of somebody who is gone.
        """
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path = _path(address)
            listening.setblocking(False)
            listening.bind(str(path))
            listening.listen(BACKLOG)
        except (OSError, ValueError) as error:
            listening.close()
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            text = f"cannot listen: {'there is a file already' if taken else getattr(error, 'strerror', None) or error}"
            hint = "if nobody listens there, remove it" if taken else _FORM
            raise TransportError(text, place=address, hint=hint) from error
        door = StreamDoor(accept, close_within_s)

        def remove() -> None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

        return StreamListening(address, door, Acceptor([listening], door.enter, None), remove)


def _path(address: str) -> Path:
    path = address.removeprefix("unix://")
    if path == address or not path.startswith("/"):
        raise ValueError("this is no address of a Unix socket")
    return Path(path)


def _words(error: OSError | ValueError, path: Path, within_s: float) -> tuple[str, str | None]:
    """What it means that nobody could be connected to."""
    if isinstance(error, TimeoutError):
        return f"no connection to {path} within {within_s:g} s", "does it accept connections?"
    if isinstance(error, FileNotFoundError):
        return f"there is no {path}", "is the system under test running there?"
    if isinstance(error, ConnectionRefusedError):
        if not path.is_socket():
            return f"{path} is no socket", "is it the right path?"
        return f"nobody listens at {path}", "is the system under test running there?"
    if isinstance(error, PermissionError):
        return f"{path} is not ours to connect to", "who may write to it?"
    return f"could not connect to {path}: {error}", None

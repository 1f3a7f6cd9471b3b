"""Unix sockets: `unix:///path/of/the.sock`, as client and as server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from antiphon.transport.acceptor import Acceptor
from antiphon.transport.interface import Opening
from antiphon.transport.stream.byte_stream import ByteStream, ByteStreamListener, Listened
from antiphon.transport.unix_socket import bind_unix, words_of_binding, words_of_unix

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
        return words_of_unix(error, where)


class UnixListener(ByteStreamListener[Path]):
    """Listens at `unix:///path`, and removes the socket's file in the end. A file that is there already is an error."""

    form = _FORM

    def read(self, address: str) -> Path:
        return _path(address)

    async def open(self, where: Path, make: Callable[[], Any]) -> Listened:
        listening = bind_unix(where)
        return Listened(Acceptor([listening], make, None), f"unix://{where}", partial(where.unlink, missing_ok=True))

    def explain(self, _where: Path, error: OSError) -> tuple[str, str | None]:
        return words_of_binding(error, _FORM)


def _path(address: str) -> Path:
    path = address.removeprefix("unix://")
    if path == address or not path.startswith("/"):
        raise ValueError("this is no address of a Unix socket")
    if "\0" in path:
        raise ValueError("a path has no NUL")
    return Path(path)

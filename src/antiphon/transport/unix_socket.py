"""Unix sockets: listening at the path of one, and what it means that one cannot be listened at or connected to."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from antiphon.transport.acceptor import BACKLOG

__all__ = ["bind_unix", "words_of_binding", "words_of_unix"]


def bind_unix(path: Path) -> socket.socket:
    """A socket that listens at the path, where its file is then. Raises OSError."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        listening.bind(str(path))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def words_of_binding(error: OSError, form: str) -> tuple[str, str]:
    """What it means that nobody can listen there, also where a file is left of somebody who is gone; and a hint, which
    is `form` where nothing better is known."""
    if error.errno == errno.EADDRINUSE:
        return "there is a file already", "if nobody listens there, remove it"
    return str(error.strerror or error), form


def words_of_unix(error: OSError | ValueError, path: Path) -> tuple[str, str | None]:
    """What it means that nobody could be connected to, and a hint."""
    if isinstance(error, FileNotFoundError):
        return f"there is no {path}", "is the system under test running there?"
    if isinstance(error, ConnectionRefusedError):
        if not path.is_socket():
            return f"{path} is no socket", "is it the right path?"
        return f"no server is listening on {path}", "is the system under test running there?"
    if isinstance(error, PermissionError):
        return f"{path} is not ours to connect to", "who may write to it?"
    return f"could not connect to {path}: {error}", None

"""Addresses of gRPC, and the words of its statuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import cache
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from antiphon.errors import ScenarioError
from antiphon.transport.stream.host_port import HostPort

__all__ = ["FORM", "STATUSES", "let_go", "library", "read_address", "why_unreachable"]

FORM: Final = "write grpc://HOST:PORT/package.Service/Method, or grpcs:// for TLS"

STATUSES: Final = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
"""By their numbers, from 0 on (gRPC's "Status codes and their use in gRPC")."""


def read_address(address: str) -> tuple[HostPort, str]:
    """Where the host is, and the method as it travels, "" for none. Raises ValueError, which says what is wrong."""
    parts = urlsplit(address)
    where = HostPort.read(f"{parts.scheme}://{parts.netloc}", "gRPC", ("grpc", "grpcs"))
    method = parts.path.rstrip("/")
    if parts.query or parts.fragment or (method and method.count("/") != 2):
        raise ValueError("its path is no service with a method")
    return where, method


async def let_go(ending: Awaitable[Any]) -> None:
    """Wait until a channel is closed, or a server has stopped, and a moment more.

    What a cancel has ended is told by a thread of grpcio's own, a little later; a loop that is closed by then would
    have the process's next one log an error.
    """
    await ending
    await asyncio.sleep(_MOMENT_S)


_MOMENT_S: Final = 0.01


@cache
def library() -> Any:
    """grpcio, which is an extra. Raises ScenarioError where it is missing."""
    try:
        grpc = import_module("grpc")
        import_module("grpc.aio")  # an attribute of the former from now on
    except ImportError as error:
        hint = "install what it needs: pip install 'antiphon[grpc]'"
        raise ScenarioError(f"grpc:// and grpcs:// need grpcio: {error}", hint=hint) from error
    return grpc


def why_unreachable(said: str) -> tuple[str, str]:
    """What it means that there is no connection, in gRPC's words, and a hint."""
    shown = said.rpartition("last error: ")[2] or said
    return f"no connection: {shown}", next((hint for sign, hint in _HINTS if sign in said), _HINTS[-1][1])


_HINTS: Final = (
    ("Connection refused", "is the system under test running there?"),
    ("CERTIFICATE_VERIFY_FAILED", "Link(…, tls=Tls(ca=…)) names whom to trust, server_name= for whom it is"),
    ("Name not found", "is the host spelt right?"),
    ("name lookup", "is the host spelt right?"),
    ("Handshake", "does it speak TLS? grpc:// is without, grpcs:// with it"),
    ("", "does somebody speak gRPC there?"),
)

"""Addresses that are a host and a port, and nothing else."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import msgspec

from antiphon.transport.digits import read_digits

__all__ = ["HostPort"]

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what users may ask for
_LARGEST_PORT: Final = 65535


class HostPort(msgspec.Struct, frozen=True):
    """`SCHEME://HOST:PORT`, taken apart."""

    scheme: str
    host: str
    port: int

    @classmethod
    def read(cls, address: str, wire: str, schemes: Collection[str]) -> HostPort:
        """Raises ValueError, whose text says what is wrong with it; `wire` is what has such addresses."""
        parts = urlsplit(address)
        if parts.scheme not in schemes:
            raise ValueError(f"{parts.scheme or 'nothing'} is no scheme of {wire}")
        if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(f"a {wire} address has a host and a port, and nothing else")
        digits = parts.netloc.rpartition("]")[2].partition(":")[2]
        if not parts.hostname or not digits:
            raise ValueError("the port is missing" if parts.hostname else "the host is missing")
        try:
            return cls(parts.scheme, parts.hostname, read_digits(digits, largest=_LARGEST_PORT))
        except ValueError as error:
            raise ValueError(f"the port is none: {error}") from None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.at}"

    @property
    def at(self) -> str:
        """Host and port as they are written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> HostPort:
        """How clients on this machine say an address that is listened at."""
        return msgspec.structs.replace(self, host=_EVERYWHERE.get(self.host, self.host))

    def why_not_listening(self, error: OSError) -> str:
        """What it means that nobody can listen there."""
        if isinstance(error, socket.gaierror):
            return f"the name {self.host} does not resolve"
        return f"port {self.port} is taken" if error.errno == errno.EADDRINUSE else f"{error.strerror or error}"

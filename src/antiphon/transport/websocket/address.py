"""WebSocket addresses: `ws://`, `wss://`, and `http://`, `https://` as other names for them (RFC 6455 section 3).

And `ws+unix:///path/of/the.sock:/path?query`, the form of Node's clients, for WebSocket over a Unix socket, and
`wss+unix://` for the same with TLS: behind the colon stands what `ws://host` has behind its host. A colon in the
socket's own path is written %3A.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

from antiphon.journal.masking import Masker
from antiphon.transport.digits import read_digits

__all__ = ["WebSocketAddress"]

_SECURE: Final = {"ws": False, "http": False, "wss": True, "https": True}
_UNIX: Final = {"ws+unix": False, "wss+unix": True}
_LARGEST_PORT: Final = 65535
_SAFE: Final = "%/:?#[]@!$&'()*+,;=~"
"""What stands in paths and queries as it is; the rest is percent-encoded."""


class WebSocketAddress(msgspec.Struct, frozen=True):
    """An address taken apart. `target` is path and query as they go into the request line.

    `credentials` is `user:password` where the address has them, "" otherwise; `bare` is the address without them.
    `socket` is the path of a Unix socket, "" for TCP; then the host is localhost, and the port none.
    """

    is_secure: bool
    host: str
    port: int
    target: str
    credentials: str
    bare: str
    socket: str = ""

    @classmethod
    def parse(cls, address: str) -> WebSocketAddress:
        """Take an address apart. Raises ValueError, whose text says what is wrong with it."""
        if address.partition("://")[0] in _UNIX:
            return cls._parse_unix(address)
        parts = urlsplit(address)
        if parts.scheme not in _SECURE:
            raise ValueError(f"{parts.scheme or 'nothing'} is no scheme of WebSocket: ws:// and wss:// are")
        if not parts.hostname:
            raise ValueError("the host is missing")
        if parts.fragment:  # they must not be used (RFC 6455 section 3)
            raise ValueError("a WebSocket address has no #fragment")
        is_secure = _SECURE[parts.scheme]
        port = _port(parts.netloc, 443 if is_secure else 80)
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
        netloc = parts.netloc.rpartition("@")[2]  # the last one: a password may hold others
        return cls(
            is_secure=is_secure,
            host=_ascii(parts.hostname),
            port=port,
            target=_target(parts),
            credentials=credentials,
            bare=parts._replace(netloc=netloc).geturl(),
        )

    @classmethod
    def _parse_unix(cls, address: str) -> WebSocketAddress:
        scheme, _, path = address.partition("://")
        socket, _, rest = path.partition(":")
        parts = urlsplit(f"//localhost{rest}")
        if not socket.startswith("/") or len(socket) == 1 or (rest and rest[0] not in "/?#"):
            raise ValueError(f"the form is {scheme}:///path/of/the.sock:/path")
        if parts.fragment:
            raise ValueError("a WebSocket address has no #fragment")
        return cls(
            is_secure=_UNIX[scheme],
            host="localhost",
            port=443 if _UNIX[scheme] else 80,
            target=_target(parts),
            credentials="",
            bare=address,
            socket=unquote(socket),
        )

    @property
    def shown(self) -> str:
        """The address as error texts may show it, without what looks like a secret."""
        return Masker().text(self.bare)

    @property
    def authority(self) -> str:
        """Host and port, as they stand in an address and in the Host header (the default port unsaid)."""
        host = f"[{self.host}]" if ":" in self.host else self.host  # RFC 3986 section 3.2.2
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"

    @property
    def up_to_path(self) -> str:
        """Where a Unix socket is, as an address that a path may follow."""
        return f"{'wss' if self.is_secure else 'ws'}+unix://{quote(self.socket)}:"

    def at(self, host: str, port: int) -> str:
        """This address with another host and port, as a client says it."""
        host = f"[{host}]" if ":" in host else host
        target = "" if self.target == "/" else self.target
        return f"{'wss' if self.is_secure else 'ws'}://{host}:{port}{target}"


def _target(parts: SplitResult) -> str:
    # An empty path goes as "/" into the request line (RFC 6455 section 3); what is encoded already stays.
    target = quote(parts.path, safe=_SAFE) or "/"
    return f"{target}?{quote(parts.query, safe=_SAFE)}" if parts.query else target


def _port(netloc: str, default: int) -> int:
    """The port that an authority names (RFC 3986 section 3.2.3, where it may also be empty)."""
    # Not urlsplit's own port, which has an error about the interpreter for 5,000 digits. In [::1]:80 colons come twice.
    digits = netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    try:
        return read_digits(digits, largest=_LARGEST_PORT) if digits else default
    except ValueError as error:
        raise ValueError(f"the port is none: {error}") from None


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"the host {host!r} is no name: {error}") from error

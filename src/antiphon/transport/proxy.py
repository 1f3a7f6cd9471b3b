"""Proxies: where one is, and which connections go through it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from antiphon.errors import ScenarioError
from antiphon.transport.digits import read_digits
from antiphon.transport.tls import Tls

__all__ = ["Proxy", "ProxyChoice"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_LARGEST_PORT: Final = 65535


class Proxy:
    """A proxy by its address, `SCHEME://[USER:PASSWORD@]HOST[:PORT]`.

    http, https: asked by CONNECT (RFC 9110 section 9.3.6), with Basic authorization; https over TLS to the proxy
    itself, for which `tls` is. socks5 (RFC 1928), with its user and password (RFC 1929), and socks4: with the extra
    `socks`. They are given addresses; socks5h and socks4a are given names and resolve them, as http and https do.

    `origin` is where it was said, for errors. Raises ScenarioError if the address is none.
    """

    __slots__ = ("host", "origin", "password", "port", "scheme", "tls", "user")

    def __init__(self, address: str, *, tls: Tls | ssl.SSLContext | None = None, origin: str = "proxy=") -> None:
        self.origin = origin
        self.tls = tls
        try:
            parts = urlsplit(address)
            if parts.scheme not in _DEFAULT_PORTS:
                raise ValueError(f"it begins with none of {', '.join(f'{each}://' for each in _DEFAULT_PORTS)}")
            if not parts.hostname:
                raise ValueError("the host is missing")
            if parts.path.strip("/") or parts.query or parts.fragment:
                raise ValueError("a proxy has a host and a port, and no path")
            digits = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
            self.port = read_digits(digits, largest=_LARGEST_PORT) if digits else _DEFAULT_PORTS[parts.scheme]
        except (ValueError, TypeError, AttributeError) as error:  # the latter two: of what is no text
            # Not the address itself: there may be a password in it.
            text = f"{origin} is no address of a proxy: {error}"
            raise ScenarioError(text, hint="http://user:password@host:port, for example") from None
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.user = unquote(parts.username or "")
        self.password = unquote(parts.password or "")

    def __repr__(self) -> str:
        return f"<Proxy {self.shown}>"

    @property
    def is_http(self) -> bool:
        """Does it speak HTTP?"""
        return self.scheme in ("http", "https")

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class ProxyChoice:
    """Which proxy a connection goes through: the given one, or those of the environment (True), or none (None).

    Of the environment: `HTTPS_PROXY` for connections with TLS, `HTTP_PROXY` for those without, else `ALL_PROXY`, also
    in small letters; not for what `NO_PROXY` lists: names with all below them, addresses, networks as 10.0.0.0/8, each
    with a port if only that is meant, and `*` for everything. This machine itself (localhost, 127.0.0.0/8, ::1) is
    reached directly, as with Go's clients.
    """

    def __init__(self, given: Proxy | str | Literal[True] | None) -> None:
        self._given = Proxy(given) if isinstance(given, str) else given

    def of(self, host: str, port: int, *, is_secure: bool) -> Proxy | None:
        """The proxy to that host, None for the direct way. Raises ScenarioError for an environment that names none."""
        if self._given is not True:
            return self._given or None
        if _is_here(host):
            return None
        known = getproxies_environment()
        name = next((each for each in ("https" if is_secure else "http", "all") if known.get(each)), None)
        if name is None or _is_excepted(host, port, known):
            return None
        address = known[name]
        return Proxy(address if "://" in address else f"http://{address}", origin=f"{name.upper()}_PROXY")


@lru_cache(256)
def _is_here(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _is_excepted(host: str, port: int, known: Mapping[str, str]) -> bool:
    host = host.rstrip(".").lower()
    return any(_fits(each.strip().lower(), host, port) for each in known.get("no", "").split(",") if each.strip())


def _fits(exception: str, host: str, port: int) -> bool:
    if exception == "*":
        return True
    address = _address(host)
    if "/" in exception:
        try:
            return address is not None and address in ipaddress.ip_network(exception, strict=False)
        except ValueError:  # others read it, too: what is no network is nothing to us
            return False
    name, colon, digits = exception.rpartition(":")
    if colon and digits.isdecimal() and (":" not in name or name.startswith("[")):
        if int(digits) != port:
            return False
        exception = name
    excepted = _address(exception.strip("[]"))
    if excepted is not None or address is not None:
        return excepted == address
    exception = exception.removeprefix("*").lstrip(".").rstrip(".")
    return bool(exception) and (host == exception or host.endswith(f".{exception}"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

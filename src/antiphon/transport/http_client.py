"""HTTP as a client: one request, one answer (aiohttp)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from antiphon.conversation.headers import combine
from antiphon.conversation.http_response import HttpResponse
from antiphon.conversation.wording import shorten
from antiphon.errors import AntiphonError, ConnectFailed, ScenarioError, TransportError
from antiphon.transport.connect_failure import Destination, alert_of
from antiphon.transport.content_coding import ACCEPTED, PIECE_BYTES, decoder_for
from antiphon.transport.http_answer import HttpAnswer, why_broken
from antiphon.transport.http_connector import Connector
from antiphon.transport.proxy import ProxyChoice
from antiphon.transport.timeouts import timeout
from antiphon.transport.tls import PLAIN, Tls, client_tls

__all__ = ["DEFAULT_MAX_SIZE_BYTES", "HttpClient"]

DEFAULT_MAX_SIZE_BYTES: Final = 16 * 1024 * 1024
"""Of a body as it is read, decompressed: what a WebSocket message may have, too."""

ChooseTls = Callable[[str], Tls | ssl.SSLContext | None]
"""Gives the settings for an address."""


_ENVIRONMENT: Final = ProxyChoice(True)


class HttpClient:
    """Requests from one party: cookies that it is given are kept and sent again, connections are used again.

    `tls` gives the settings for an address, None for the system's certificates. `max_size_bytes` bounds the body
    of an answer, decompressed. `proxy` is the way there: plain requests are given to an HTTP proxy as they are, all
    others go through it.
    """

    def __init__(
        self,
        tls: ChooseTls | None = None,
        max_size_bytes: int = DEFAULT_MAX_SIZE_BYTES,
        proxy: ProxyChoice = _ENVIRONMENT,
    ) -> None:
        self._tls = tls
        self._proxy = proxy
        self._max_size_bytes = max_size_bytes
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        within_s: float,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        follow: bool = True,
    ) -> HttpResponse:
        """Send one request and read its answer to the end.

        `data` is sent as it is (a mapping as a form). `follow` follows redirects. Raises ConnectFailed when nobody
        answers, TransportError when the answer breaks off, is too large or does not come within `within_s` seconds,
        ScenarioError for an address that is none.
        """
        _require_address(url)
        way = self._way(url)
        try:
            async with (
                timeout(within_s),
                self._opened().request(
                    method,
                    url,
                    headers=combine(headers.items()),
                    data=data,
                    params=params,
                    allow_redirects=follow,
                    **way,
                ) as response,
            ):
                body = await self._body_of(response)
                lines = response.headers
                # aiohttp reads them anew for whoever asks.
                set_cookies = response.cookies.items() if "Set-Cookie" in lines else ()
                cookies = {name: morsel.value for name, morsel in set_cookies}
                charset = response.charset or "utf-8"
                return HttpResponse.of(response.status, lines.items(), cookies, body, charset)
        except _MET as error:
            raise _told(error, method, url, within_s) from _cause(error)

    async def answer(
        self, method: str, url: str, *, headers: Mapping[str, str], within_s: float, data: Any = None
    ) -> HttpAnswer:
        """Send one request, and give its answer as soon as its head is there, at most `within_s` seconds later.

        Whoever gets it closes it. Raises as `request` does.
        """
        _require_address(url)
        way = self._way(url)
        try:
            async with timeout(within_s):
                response = await self._opened().request(
                    method,
                    url,
                    headers=combine(headers.items()),
                    data=data,
                    **way,
                )
        except _MET as error:
            raise _told(error, method, url, within_s) from _cause(error)
        return HttpAnswer(response, f"{method} {url}")

    def _way(self, url: str) -> dict[str, Any]:
        """What aiohttp is told of TLS and of a proxy."""
        chosen = self._tls(url) if self._tls is not None else None
        # A plain address may lead to another, as redirects do.
        tls = client_tls(chosen) if chosen is not None or url.startswith("https:") else PLAIN
        return {"ssl": tls.context or True, "server_hostname": tls.server_name, **self._handed_over(url)}

    def _handed_over(self, url: str) -> dict[str, Any]:
        """What aiohttp is told of a proxy that is given the request (RFC 9112 section 3.2.2); nothing if none is."""
        parts = urlsplit(url)
        if parts.scheme == "https":
            return {}
        proxy = self._proxy.of(parts.hostname or "", parts.port or 80, is_secure=False)
        if proxy is None or not proxy.is_http:
            return {}
        told: dict[str, Any] = {"proxy": proxy.shown}
        if proxy.scheme == "https":
            tls = client_tls(proxy.tls)
            told |= {"ssl": tls.context, "server_hostname": tls.server_name}
        return told

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _body_of(self, response: aiohttp.ClientResponse) -> bytes:
        """The whole body, decompressed."""
        body = bytearray()
        coding = response.headers.get("Content-Encoding", "")
        try:
            # An answer to HEAD names the coding that GET would have, and has no body (RFC 9110 section 9.3.2).
            decoder = decoder_for("" if response.method == "HEAD" else coding)
            # Mostly all of it is there already, and one reading takes it.
            while not response.content.at_eof():
                for piece in decoder.decode(await response.content.readany()):
                    if len(body) + len(piece) > self._max_size_bytes:
                        raise self._too_large()
                    body += piece
                    if len(piece) == PIECE_BYTES:
                        await asyncio.sleep(0)  # a little data may say a lot, and the loop has others to serve
            decoder.end()
        except ValueError as error:
            raise _Unreadable(f"the exchange broke off: {error}") from error
        return bytes(body)

    def _too_large(self) -> _Unreadable:
        text = f"the answer's body has more than {self._max_size_bytes} bytes"
        return _Unreadable(text, hint="raise max_size_bytes: Http(…, max_size_bytes=…)")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Cookies of 127.0.0.1 and the like count too: systems under test live there.
            cookies = aiohttp.CookieJar(unsafe=True)
            self._session = aiohttp.ClientSession(
                connector=Connector(self._proxy),
                cookie_jar=cookies,
                timeout=aiohttp.ClientTimeout(),
                headers={"Accept-Encoding": ACCEPTED},
                auto_decompress=False,  # it has no limit: a megabyte of gzip would become a gigabyte, in one go
            )
        return self._session


class _Unreadable(Exception):
    """A body that came and cannot be given to anyone."""

    def __init__(self, text: str, hint: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


_MET: Final = (_Unreadable, aiohttp.ClientError, OSError, TypeError, ValueError)
"""What may be met on the way to an answer; a TimeoutError is an OSError."""


def _cause(error: Exception) -> BaseException | None:
    return error.__cause__ if isinstance(error, _Unreadable) else error


def _told(error: Exception, method: str, url: str, within_s: float) -> AntiphonError:
    """What it means."""
    place = f"{method} {url}"
    match error:
        case _Unreadable():
            return TransportError(error.text, place=place, hint=error.hint)
        case aiohttp.InvalidURL():
            return _no_address(url)
        case aiohttp.TooManyRedirects():
            text = f"redirected {len(error.history)} times without an end"
            return TransportError(text, place=place, hint="is that the right address? follow=False")
        # The order counts: a connector's error is a ClientError and an OSError, too.
        case aiohttp.ClientConnectorError():
            text, hint = _why_not(error)
            return ConnectFailed(text, place=place, hint=hint)
        case TimeoutError():
            return TransportError(f"no whole answer within {within_s:g} s", place=place)
        # Before the exchange begins aiohttp looks at what it was given, and has no error of its own for that.
        case TypeError() | ValueError():
            text = f"this request cannot be made: {error}"
            return ScenarioError(text, hint="params, headers and data are mappings of simple values")
    alert = alert_of(error) or alert_of(error.__cause__)
    broken, mend = (f"TLS: {alert[0]}", f"Http(…, tls=…): {alert[1]}") if alert else (why_broken(error), None)
    return TransportError(f"the exchange broke off: {broken}", place=place, hint=mend)


_CONNECT_HINT: Final = "is the system under test running there?"


def _require_address(url: str) -> None:
    scheme, separator, rest = url.partition("://")
    # What comes behind the host says nothing of it, and is another in every request.
    if not _is_address(f"{scheme}{separator}{rest.partition('/')[0]}"):
        raise _no_address(url)


@lru_cache(256)
def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _no_address(url: str) -> ScenarioError:
    return ScenarioError(f"{shorten(url)} is no address", hint="http://host:port/path")


def _why_not(error: aiohttp.ClientConnectorError) -> tuple[str, str | None]:
    where = f"{error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        where = f"the proxy {where}"
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
    if isinstance(cause, ssl.SSLError):
        return Destination(error.host, error.port or 443, "https", "http", "Http").words(cause)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host!r} is not known: {why_broken(error)}", _CONNECT_HINT
    if isinstance(cause, ConnectionRefusedError):
        return f"no server is listening on {where}", _CONNECT_HINT
    return f"cannot connect to {where}: {why_broken(error)}", _CONNECT_HINT

"""HTTP as a client: one request, one answer (aiohttp)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from antiphon.conversation.http_response import HttpResponse
from antiphon.errors import ConnectFailed, ScenarioError, TransportError
from antiphon.transport.timeouts import timeout

__all__ = ["HttpClient"]


class HttpClient:
    """Requests from one party: cookies that it is given are kept and sent again, connections are used again.

    `tls` is used for https addresses; None verifies against the system's certificates.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        within_s: float,
        json: Any = None,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        follow: bool = True,
    ) -> HttpResponse:
        """Send one request and read its answer to the end.

        `json` is encoded and sent with its content type; `data` is sent as it is (a mapping as a form). `follow`
        follows redirects. Raises ConnectFailed when nobody answers, TransportError when the answer breaks off or does
        not come within `within_s` seconds, ScenarioError for an address that is none.
        """
        _require_address(url)
        if json is not None:
            data = msgspec.json.encode(json)
            headers = {"Content-Type": "application/json", **headers}
        try:
            async with (
                timeout(within_s),
                self._opened().request(
                    method,
                    url,
                    headers=headers,
                    data=data,
                    params=params,
                    allow_redirects=follow,
                    ssl=self._tls if self._tls is not None else True,
                ) as response,
            ):
                body = await response.read()
                cookies = {name: morsel.value for name, morsel in response.cookies.items()}
                charset = response.charset or "utf-8"
                return HttpResponse.of(response.status, dict(response.headers), cookies, body, charset)
        except aiohttp.InvalidURL as error:
            raise _no_address(url) from error
        except aiohttp.TooManyRedirects as error:
            text = f"redirected {len(error.history)} times without an end"
            raise TransportError(
                text, place=f"{method} {url}", hint="is that the right address? follow=False"
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise ConnectFailed(_why_not(error), place=f"{method} {url}", hint=_CONNECT_HINT) from error
        except TimeoutError as error:
            raise TransportError(f"no whole answer within {within_s:g} s", place=f"{method} {url}") from error
        except (TypeError, ValueError) as error:
            text = f"this request cannot be made: {error}"
            raise ScenarioError(text, hint="params, headers and data are mappings of simple values") from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"the exchange broke off: {_reason(error)}", place=f"{method} {url}") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Cookies of 127.0.0.1 and the like count too: systems under test live there.
            cookies = aiohttp.CookieJar(unsafe=True)
            self._session = aiohttp.ClientSession(cookie_jar=cookies, timeout=aiohttp.ClientTimeout())
        return self._session


_CONNECT_HINT: Final = "is the system under test running there?"


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise _no_address(url)


def _no_address(url: str) -> ScenarioError:
    return ScenarioError(f"{url!r} is no address", hint="http://host:port/path")


def _why_not(error: aiohttp.ClientConnectorError) -> str:
    where = f"{error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {where} is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host!r} is not known: {_reason(error)}"
    if isinstance(error.os_error, ConnectionRefusedError):
        return f"nobody listens at {where}"
    return f"cannot connect to {where}: {_reason(error)}"


def _reason(error: Exception) -> str:
    cause = getattr(error, "os_error", None) or error
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)

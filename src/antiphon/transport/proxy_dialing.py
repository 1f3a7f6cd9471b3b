"""A stream to a host through a proxy, with TLS or without."""

from __future__ import annotations

import asyncio
import html
import re
import ssl
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final, TypeVar

from antiphon.conversation.wording import one_line, visible
from antiphon.journal.masking import Masker
from antiphon.transport import http1_head as heads
from antiphon.transport.connect_failure import Destination, ProxyFailed
from antiphon.transport.http1_answer import RefusalBody, take_answer
from antiphon.transport.http1_head import HEAD_END, ResponseHead
from antiphon.transport.proxy import Proxy
from antiphon.transport.read_buffer import ReadBuffer
from antiphon.transport.tls import PLAIN, ClientTls, client_tls

__all__ = ["basic_authorization", "connect_through"]

P = TypeVar("P", bound=asyncio.BaseProtocol)

_MOST_SHOWN: Final = 300


async def connect_through(
    proxy: Proxy, begin: Callable[[], P], host: str, port: int, tls: ClientTls
) -> tuple[asyncio.Transport, P]:
    """A stream with a protocol that `begin` has made.

    Raises OSError as an event loop's `create_connection` does, and ProxyFailed for what the proxy was in the way of.
    Cancelled, or failed, it leaves nothing open but what its protocols have heard of.
    """
    loop = asyncio.get_running_loop()
    name = (tls.server_name or host) if tls.context is not None else None
    if not proxy.is_http:
        sock = await _ask_socks(proxy, host, port)
        return await loop.create_connection(begin, sock=sock, ssl=tls.context, server_hostname=name)
    tunnels: list[_Tunnel] = []
    try:
        stream = await _ask_http(proxy, host, port, tunnels)
        protocol = begin()
        if tls.context is not None:
            stream = await _secured(stream, protocol, tls.context, name)
        else:
            stream.set_protocol(protocol)
        protocol.connection_made(stream)
        return stream, protocol
    except BaseException:
        for tunnel in tunnels:
            tunnel.abandon()
        raise


async def _secured(
    stream: asyncio.Transport, protocol: asyncio.BaseProtocol, context: ssl.SSLContext, name: str | None
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    secured = await loop.start_tls(stream, protocol, context, server_hostname=name)
    if secured is None:  # the stream was closed meanwhile
        raise ConnectionResetError("the connection was closed during the TLS handshake")
    return secured


# -- HTTP's CONNECT ---------------------------------------------------------------------------------------------------


async def _ask_http(proxy: Proxy, host: str, port: int, tunnels: list[_Tunnel]) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    target = f"{f'[{host}]' if ':' in host else host}:{port}"

    def begin() -> _Tunnel:
        tunnels.append(_Tunnel(proxy, target))
        return tunnels[-1]

    tls = client_tls(proxy.tls) if proxy.scheme == "https" else PLAIN
    try:
        stream, tunnel = await loop.create_connection(
            begin, proxy.host, proxy.port, ssl=tls.context, server_hostname=tls.server_name
        )
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise _unreachable(proxy, error) from error
    tunnel.ask()
    await tunnel.outcome
    return stream


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for the way, and reads its answer. `outcome` is done when the way is there, else a ProxyFailed."""

    def __init__(self, proxy: Proxy, target: str) -> None:
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._proxy = proxy
        self._target = target
        self._stream: Any = None
        self._received = ReadBuffer()
        self._refusal: ResponseHead | None = None
        self._body: RefusalBody | None = None

    def ask(self) -> None:
        """Send the request."""
        lines = [f"CONNECT {self._target} HTTP/1.1", f"Host: {self._target}"]
        if authorization := basic_authorization(self._proxy):
            lines.append(f"Proxy-Authorization: {authorization}")
        self._stream.write("\r\n".join(lines).encode() + HEAD_END)

    def abandon(self) -> None:
        """Leave nothing open."""
        if self._body is not None:
            self._body.cancel()
        if not self.outcome.cancel() and not self.outcome.cancelled():
            self.outcome.exception()  # so that nobody complains that it was not asked for
        if self._stream is not None:
            self._stream.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream = transport

    def data_received(self, data: bytes) -> None:
        if self.outcome.done():
            return
        if self._body is not None:
            self._body.take(data)
            return
        self._received.append(data)
        try:
            self._read_answer()
        except ValueError as error:
            self._fail(f"its answer {error}", "is it a proxy, and is it the right port?")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._refusal is not None:
            self._refuse()
        else:
            self._fail("it closed the connection without an answer", f"{self._proxy.origin} names it")

    def _read_answer(self) -> None:
        while True:
            start = bytes(self._received.data[:5])
            if start != b"HTTP/"[: len(start)]:
                raise ValueError(f"is no HTTP: {bytes(self._received.data[:40])!r}")
            answer = take_answer(self._received)
            if answer is None:
                return
            if answer.status < 200:
                continue  # it says that the answer is still to come (RFC 9110 section 15.2)
            if answer.status >= 300:
                self._refusal = answer
                self._body = RefusalBody(answer, self._refuse)
                self._body.take(self._received.take())
            elif self._received:  # whoever is behind it does not speak first, over TLS or not
                raise ValueError("goes on behind its head")
            else:
                self.outcome.set_result(None)
            return

    def _refuse(self) -> None:
        answer, body = self._refusal, self._body
        if answer is None or body is None:
            return
        said = f"{answer.status} {answer.reason or heads.phrase(answer.status)}".rstrip()
        told = _text_of(body.content, answer)
        self._fail(f"{said}{f': {told}' if told else ''}", _hint(self._proxy, answer.status))

    def _fail(self, why: str, hint: str) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(ProxyFailed(_refused(self._proxy, self._target, why), hint))


def basic_authorization(proxy: Proxy) -> str:
    """The value of a Proxy-Authorization header (RFC 7617), "" if the proxy has no user."""
    if not proxy.user:
        return ""
    return "Basic " + b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()


def _hint(proxy: Proxy, status: int) -> str:
    if status in (401, 407):  # some say 401 to a password that is wrong
        if proxy.user:
            return f"{proxy.origin} has a user and a password that it does not accept"
        return f"it wants a user and a password, as in {proxy.scheme}://user:password@{proxy.host}:{proxy.port}"
    return {
        403: "it does not allow that host or port: many proxies allow CONNECT to port 443 only",
        405: "it allows no CONNECT, which WebSocket and TLS need",
        500: "it may not reach that host itself",
        502: "it does not reach that host itself",
        503: "it does not reach that host itself",
        504: "it does not reach that host itself",
    }.get(status, f"{proxy.origin} names it")


_TAGS: Final = re.compile(r"<(head|script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def _text_of(body: bytes, answer: ResponseHead) -> str:
    """What a body says to a person: proxies answer with pages."""
    text = body.decode(errors="replace")
    if "html" in answer.headers.get("Content-Type", "").lower():
        text = html.unescape(_TAGS.sub(" ", text))
    return visible(one_line(text, _MOST_SHOWN))


# -- SOCKS ------------------------------------------------------------------------------------------------------------

_EVER_S: Final = 1e9
"""Whoever connects has a limit of time."""


async def _ask_socks(proxy: Proxy, host: str, port: int) -> Any:
    """A socket that leads there."""
    try:
        from python_socks import ProxyConnectionError, ProxyError, ProxyType
        from python_socks.async_.asyncio import Proxy as SocksProxy
    except ImportError as error:
        raise ProxyFailed(f"{proxy.shown} needs python-socks", "pip install 'antiphon[socks]'") from error
    client = SocksProxy(
        ProxyType.SOCKS5 if proxy.scheme.startswith("socks5") else ProxyType.SOCKS4,
        proxy.host,
        proxy.port,
        proxy.user or None,
        proxy.password or ("" if proxy.user else None),
        rdns=proxy.scheme in ("socks4a", "socks5h"),
    )
    target = f"{f'[{host}]' if ':' in host else host}:{port}"
    try:
        return await client.connect(host, port, timeout=_EVER_S)
    except ProxyConnectionError as error:
        raise _unreachable(proxy, error.__cause__ if isinstance(error.__cause__, OSError) else error) from error
    except UnicodeEncodeError:  # not chained: it has the password
        text = "for SOCKS, user and password may have ASCII characters only"
        raise ProxyFailed(_refused(proxy, target, text), f"{proxy.origin} names them") from None
    except ProxyError as error:
        raise ProxyFailed(_refused(proxy, target, str(error)), f"{proxy.origin} names it") from error


# -- what went wrong --------------------------------------------------------------------------------------------------


def _refused(proxy: Proxy, target: str, why: str) -> str:
    masker = Masker()  # some say what they were told, and nobody else knows that it is secret
    for secret in (proxy.password, basic_authorization(proxy).removeprefix("Basic ")):
        masker.learn(secret)
    return f"the proxy {proxy.shown} did not connect us to {target}: {masker.text(why)}"


def _unreachable(proxy: Proxy, error: OSError) -> ProxyFailed:
    secure = "https" if proxy.scheme == "https" else ""
    text, hint = Destination(proxy.host, proxy.port, secure, "http", "Proxy").words(error)
    is_about_tls = isinstance(error, ssl.SSLError)
    return ProxyFailed(
        f"the proxy cannot be reached: {text}", hint or "" if is_about_tls else f"{proxy.origin} names it"
    )

"""The client's side of the opening handshake (RFC 6455 section 4.1): asks, judges the answer, opens or refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import msgspec

from antiphon.conversation.headers import Headers
from antiphon.errors import ConnectFailed, UpgradeRefused
from antiphon.transport import http1_head as heads
from antiphon.transport.connect_failure import alert_of
from antiphon.transport.http1_answer import RefusalBody, take_answer
from antiphon.transport.http1_head import HEAD_END, ResponseHead
from antiphon.transport.read_buffer import ReadBuffer
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.deflate import NAME as DEFLATE
from antiphon.transport.websocket.deflate import Terms, accept_terms
from antiphon.transport.websocket.picows_frames import feed, frames_of_client
from antiphon.transport.websocket.rfc6455 import accept_value

__all__ = ["ClientHandshake", "UpgradeRequest"]

_TAKES_TLS: Final = "WebSocket(…, tls=…)"


class UpgradeRequest(msgspec.Struct, frozen=True):
    """What is asked for, and where."""

    where: WebSocketAddress
    headers: Sequence[tuple[str, str]]
    subprotocols: Sequence[str]
    offers_compression: bool
    requires_subprotocol: bool = False


class _NoSubprotocol(ValueError):
    """The server has chosen none, and one is required."""


_NO_SUBPROTOCOL: Final = "requires_subprotocol=True asks for one: does the server know another name for it?"


class ClientHandshake(asyncio.Protocol):
    """Reads a connection until the answer is there, then hands it to the frames.

    `outcome` becomes the open connection (whose receiver has been called by then), or a ConnectFailed. It asks when it
    is told to (`ask`), which is when the event loop has given the stream away: uvloop closes one whose
    `create_connection` is cancelled late, and tells its protocol nothing of that.
    """

    def __init__(
        self,
        request: UpgradeRequest,
        connect: Callable[[str, Terms | None], WebSocketConnection],
        max_size_bytes: int,
    ) -> None:
        self.outcome: asyncio.Future[WebSocketConnection] = asyncio.get_running_loop().create_future()
        self.stream: asyncio.Transport | None = None
        self._request = request
        self._connect = connect
        self._max_size_bytes = max_size_bytes
        self._frames: Any = None
        self._connection: WebSocketConnection | None = None
        self._received = ReadBuffer()
        self._refusal: ResponseHead | None = None
        self._body: RefusalBody | None = None

    def ask(self) -> None:
        """Send the request, on the stream that is there by now."""
        assert self.stream is not None
        if self.outcome.done() or self.stream.is_closing():  # which is told, or about to be
            return
        request = self._request
        self._frames = frames_of_client(
            self.stream,
            request.where.authority,
            request.where.target,
            request.headers,
            lambda: self._connection,
            self._max_size_bytes,
        )
        if self._received.data:  # the peer did not wait for it
            self._read()

    def abandon(self) -> None:
        """Leave nothing open."""
        if self._body is not None:
            self._body.cancel()
        if not self.outcome.cancel() and not self.outcome.cancelled():
            self.outcome.exception()  # so that nobody complains that it was not asked for
        if self._connection is not None:  # its receiver may have been told of it before the outcome was
            self._connection.abort()
        if self.stream is not None:
            self.stream.abort()

    def refusal(self) -> UpgradeRefused | None:
        """The refusal, if there is one, with as much of its body as has come."""
        if self._refusal is None or self._body is None:
            return None
        return _refusal(self._request, self._refusal, self._body.content, self._body.flaw)

    # -- what the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.stream = cast("asyncio.Transport", transport)  # uvloop's are not its children

    def data_received(self, data: bytes) -> None:
        if self.outcome.done():
            return
        if self._body is not None:
            self._body.take(data)
            return
        self._received.append(data)
        if self._frames is not None:
            self._read()

    def _read(self) -> None:
        try:
            self._read_answer()
        except ConnectFailed as failed:
            self.outcome.set_exception(failed)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.outcome.done():
            return
        failed = self.refusal() or self._cut_off(exc)
        failed.__cause__ = exc
        self.outcome.set_exception(failed)

    def _cut_off(self, exc: Exception | None) -> ConnectFailed:
        if alert := alert_of(exc):
            return self._failed(f"the server broke TLS off: {alert[0]}", hint=f"{_TAKES_TLS}: {alert[1]}")
        secured = f"does it want a certificate of ours? {_TAKES_TLS}"
        return self._failed(
            "the server closed the connection without answering the upgrade",
            hint=secured if self._request.where.is_secure else "does it want wss:// instead of ws://?",
        )

    # -- the answer ---------------------------------------------------------------------------------------------------

    def _read_answer(self) -> None:
        while True:
            self._check_is_http()
            try:
                answer = take_answer(self._received)
            except ValueError as error:
                raise self._failed(f"the server's answer {error}") from error
            if answer is None:
                return
            # What follows a 101 in the same read are frames already, and nobody may lose them (promise 1).
            if answer.status == 101:
                self._open(answer)
                return
            if answer.status >= 200:
                self._read_refusal(answer)
                return
            # 100 and 103 say that the answer is still to come (RFC 9110 section 15.2)

    def _check_is_http(self) -> None:
        start = bytes(self._received.data[:5])
        if start == b"\x15":
            return  # the next byte tells whether it is TLS: what is said of it must not depend on how it was cut
        if start[:2] == b"\x15\x03":  # an alert of TLS (RFC 8446 section 5.1): it did not like our GET
            raise self._failed("the server speaks TLS", hint="say wss:// instead of ws://")
        if start != b"HTTP/"[: len(start)]:
            raise self._failed(
                f"the server does not speak HTTP: it said {self._received.take(40)!r}", hint="is it the right port?"
            )

    def _open(self, answer: ResponseHead) -> None:
        try:
            subprotocol, terms = self._judge(answer)
        except ValueError as error:
            hint = _NO_SUBPROTOCOL if isinstance(error, _NoSubprotocol) else None
            raise self._failed(f"the server's upgrade is not in order: {error}", hint) from error
        assert self.stream is not None
        connection = self._connection = self._connect(subprotocol, terms)
        # picows reads but one form of an answer that may have many: it gets that one.
        accept = answer.headers["Sec-WebSocket-Accept"].encode()
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        data = head + b"Sec-WebSocket-Accept: " + accept + HEAD_END + self._received.take()
        self.stream.set_protocol(self._frames)
        feed(self._frames, data)
        if not self.outcome.done():
            self.outcome.set_result(connection)

    def _judge(self, answer: ResponseHead) -> tuple[str, Terms | None]:
        """The subprotocol and the compression that were agreed on. Raises ValueError."""
        headers = answer.headers
        # Section 4.1's list of answers with which a client must fail the connection.
        if answer.version != "HTTP/1.1":
            raise ValueError(f"it is {answer.version}, not HTTP/1.1")
        if not heads.has_token(headers, "Upgrade", "websocket"):
            raise ValueError("its Upgrade header does not say websocket")
        if not heads.has_token(headers, "Connection", "upgrade"):
            raise ValueError("its Connection header does not say Upgrade")
        key = self._frames.transport.request.headers["Sec-WebSocket-Key"]
        if headers.get("Sec-WebSocket-Accept") != accept_value(key):
            raise ValueError("its Sec-WebSocket-Accept does not answer our key")
        subprotocol = headers.get("Sec-WebSocket-Protocol", "")  # none is an answer, too: then there is none
        if subprotocol and subprotocol not in self._request.subprotocols:
            offered = ", ".join(self._request.subprotocols) or "none"
            raise ValueError(f"it chose the subprotocol {subprotocol!r}; we offered {offered}")
        if self._request.requires_subprotocol and not subprotocol:
            raise _NoSubprotocol(f"it chose no subprotocol, of {', '.join(self._request.subprotocols)}")
        return subprotocol, self._judge_extensions(headers)

    def _judge_extensions(self, headers: Headers) -> Terms | None:
        terms = None
        for name, parameters in heads.extensions(headers):
            if name != DEFLATE or not self._request.offers_compression:
                raise ValueError(f"it uses the extension {name!r}, which we did not offer")
            if terms is not None:
                raise ValueError(f"it uses the extension {name!r} twice")
            terms = accept_terms(parameters)
        return terms

    # -- refusals -----------------------------------------------------------------------------------------------------

    def _read_refusal(self, answer: ResponseHead) -> None:
        self._refusal = answer
        self._body = RefusalBody(answer, self._end_refusal)
        self._body.take(self._received.take())

    def _end_refusal(self) -> None:
        refusal = self.refusal()
        if refusal is not None and not self.outcome.done():
            self.outcome.set_exception(refusal)

    def _failed(self, text: str, hint: str | None = None) -> ConnectFailed:
        return ConnectFailed(text, place=self._request.where.shown, hint=hint)


def _refusal(request: UpgradeRequest, answer: ResponseHead, body: bytes, flaw: str) -> UpgradeRefused:
    said = f"{answer.status} {answer.reason or heads.phrase(answer.status)}".rstrip()
    unread = f", and its body cannot be read: {flaw}" if flaw else ""
    return UpgradeRefused(
        f"the server refused the upgrade: {said}{unread}",
        status=answer.status,
        headers=answer.headers,
        body=body,
        place=request.where.shown,
        hint=_hint(answer),
    )


def _hint(answer: ResponseHead) -> str | None:
    if 300 <= answer.status < 400:
        location = answer.headers.get("Location", "").partition("?")[0]  # a query may hold a token
        return f"redirects are followed with follows_redirects=True; or connect to {location}" if location else None
    return {
        200: "an ordinary page is served there: is the path right?",
        401: "authentication is required: headers with a cookie or Authorization may be missing",
        403: "it knows us but does not let us in, or it minds the Origin header",
        404: "is the path right?",
        426: "it may want another address for WebSocket",
        429: "it has had too many of us for now",
        502: "a proxy is there, but not the server behind it",
        503: "a proxy may be there, but not the server behind it",
    }.get(answer.status)

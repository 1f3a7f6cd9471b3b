"""One accepted TCP connection, until it is known what it wants: WebSocket, or other HTTP for whoever serves that."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.transport import http1_head as heads
from antiphon.transport.http1_body import Body, body_of_request
from antiphon.transport.http1_head import HEAD_END, MAX_HEAD_BYTES, RequestHead
from antiphon.transport.interface import Accept, Opening, Peer, Receiver, RejectConnection
from antiphon.transport.lingering_close import Drain, end_writing
from antiphon.transport.read_buffer import ReadBuffer
from antiphon.transport.timeouts import BusyTolerantTimer
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.deflate import Terms, answer_offers
from antiphon.transport.websocket.keepalive import Pings
from antiphon.transport.websocket.picows_frames import feed, frames_of_server

__all__ = ["HttpFactory", "IncomingConnection", "ListenerState"]

HttpFactory = Callable[[], asyncio.BaseProtocol]

HEAD_WITHIN_S: Final = 60.0
"""As long as common servers give it: a client on a busy machine may take its time after it has connected."""


class ListenerState(msgspec.Struct, eq=False):
    """What all connections of a listener share: its options, and who is in."""

    accept: Accept
    http: HttpFactory | None
    compression: bool
    subprotocols: Sequence[str]
    max_size_bytes: int
    close_within_s: float
    pings: Pings = msgspec.field(default_factory=Pings)
    incoming: set[IncomingConnection] = msgspec.field(default_factory=set)
    connections: set[WebSocketConnection] = msgspec.field(default_factory=set)
    emptied: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def forget(self, guest: IncomingConnection | WebSocketConnection) -> None:
        """Somebody has gone."""
        self.incoming.discard(guest)
        self.connections.discard(guest)
        if self.is_empty:
            self.emptied.set()

    @property
    def is_empty(self) -> bool:
        """Is nobody in?"""
        return not self.incoming and not self.connections


class IncomingConnection(asyncio.Protocol):
    """Reads the head of each request. An upgrade to WebSocket leaves through `accept`; the rest goes to the HTTP side.

    It stays in front of the HTTP side, because clients with a pool send their upgrade over a connection that has
    carried ordinary requests before.
    """

    def __init__(self, listener: ListenerState) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._stream: Any = None
        self._received = ReadBuffer()
        self._http: Any = None
        self._http_side: HttpSide | None = None
        self._body = Body(0)
        self._overdue: BusyTolerantTimer | None = None

    def abort(self) -> None:
        """Drop the connection."""
        if self._stream is not None:
            self._stream.abort()

    def close(self) -> None:
        """End the connection once what was said has gone out."""
        if self._stream is not None:
            self._stream.close()

    # -- what the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream = transport
        self._listener.incoming.add(self)
        self._overdue = BusyTolerantTimer(self._loop, HEAD_WITHIN_S, self.abort)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        # After a hand-over or a refusal there is no stream, or nothing received: what comes then is for others.
        while self._received and self._stream is not None and self._read_on():
            pass

    def eof_received(self) -> bool | None:
        return self._http.eof_received() if self._http is not None else None

    def pause_writing(self) -> None:
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._http is not None:
            self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        if self._http is not None:
            self._http.connection_lost(exc)

    # -- heads --------------------------------------------------------------------------------------------------------

    def _read_on(self) -> bool:
        """Do the next thing with what was received; False if more must come first."""
        if not self._body.is_done:
            try:
                size = self._body.take(self._received.data)
            except ValueError as error:
                return self._refuse(400, str(error))
            feed(self._http, self._received.take(size))
            return True
        self._received.skip(b"\r\n")  # an empty line before a request is no harm (RFC 9112 section 2.2)
        if self._received.data[:1] and not self._received.data[:1].isalpha():
            return self._refuse(400, "this is no HTTP")  # TLS, as like as not: it begins with 0x16
        head = self._received.take_until(HEAD_END)
        if len(head if head is not None else self._received.data) > MAX_HEAD_BYTES:
            return self._refuse(431, f"the head of a request may have {MAX_HEAD_BYTES} bytes")
        return head is not None and self._take_request(head)

    def _take_request(self, head: bytes) -> bool:
        self._stop_waiting()  # an idle connection between two requests may stay (RFC 9112 section 9.5)
        try:
            request = heads.read_request(head)
        except ValueError as error:
            return self._refuse(400, str(error))
        if heads.has_token(request.headers, "Upgrade", "websocket"):
            return self._upgrade(request)
        if self._listener.http is None:
            # An answer of 426 must say what to upgrade to (RFC 9110 section 15.5.22).
            upgrade = {"Upgrade": "websocket", "Connection": "Upgrade, close"}
            return self._refuse(426, "this address speaks WebSocket (RFC 6455)", upgrade)
        try:
            self._body = body_of_request(request)
        except ValueError as error:
            return self._refuse(400, str(error))
        if self._http is None:
            self._http, self._http_side = self._listener.http(), HttpSide(self._stream)
            self._http.connection_made(self._http_side)
        feed(self._http, head + HEAD_END)
        return True

    # -- WebSocket ----------------------------------------------------------------------------------------------------

    def _upgrade(self, request: RequestHead) -> bool:
        """Open a WebSocket connection, or refuse it."""
        try:
            key = _check_upgrade(request)
            offered = tuple(heads.tokens(request.headers, "Sec-WebSocket-Protocol"))
            # The client's order is its preference (section 4.1, number 10): the first that is known here is taken.
            subprotocol = next((name for name in offered if name in self._listener.subprotocols), "")
            answer, terms = self._agree(request, subprotocol)
            peer = Peer.of(self._stream)
            receiver = self._listener.accept(
                Opening(headers=request.headers, subprotocols=offered, path=request.target, peer=peer)
            )
        except RejectConnection as refused:
            return self._refuse(refused.status, refused.body, refused.headers)
        except Exception as error:  # the author's code: its error is for the author, not for the peer
            text = "the accept function of a WebSocket listener failed"
            self._loop.call_exception_handler({"message": text, "exception": error})
            return self._refuse(500, "the server failed to decide")
        self._hand_over(receiver, key, answer, terms, subprotocol)
        return False

    def _agree(self, request: RequestHead, subprotocol: str) -> tuple[dict[str, str], Terms | None]:
        """The answer's headers, and the compression."""
        answer = {"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {}
        terms = None
        if self._listener.compression:
            try:
                extensions = heads.extensions(request.headers)
            except ValueError as error:
                raise RejectConnection(400, str(error)) from error
            if agreed := answer_offers(extensions):
                answer["Sec-WebSocket-Extensions"], terms = agreed
        return answer, terms

    def _hand_over(
        self, receiver: Receiver, key: str, answer: Mapping[str, str], terms: Terms | None, subprotocol: str
    ) -> None:
        listener = self._listener
        connection = WebSocketConnection(
            receiver,
            subprotocol=subprotocol,
            terms=terms,
            max_size_bytes=listener.max_size_bytes,
            close_within_s=listener.close_within_s,
            pings=listener.pings,
            forget=listener.forget,
        )
        listener.connections.add(connection)
        stream, received = self._stream, self._received.take()
        self._leave()
        if self._http_side is not None:
            self._http_side.end()
            self._http.connection_lost(None)
        frames = frames_of_server(stream, connection, answer, listener.max_size_bytes)
        stream.set_protocol(frames)
        # picows reads but one form of a request that may have many: it gets that one.
        head = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        feed(frames, head + b"Sec-WebSocket-Key: " + key.encode() + HEAD_END + received)

    # -- the end ------------------------------------------------------------------------------------------------------

    def _refuse(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> bool:
        self._stop_waiting()
        try:
            heads.check_headers((headers or {}).items())
            response = heads.write_response(status, body, headers or {})
        except ValueError as error:
            self._loop.call_exception_handler({"message": "a refusal cannot be sent", "exception": error})
            response = heads.write_response(500, "", {})
        stream = self._stream
        stream.write(response)
        if stream.can_write_eof():
            # A close while the peer is still sending would reset the connection, and the refusal would not be read.
            stream.set_protocol(Drain(self._lose))
            self._overdue = BusyTolerantTimer(self._loop, self._listener.close_within_s, stream.abort)
            end_writing(stream)
        else:
            stream.close()
        self._received.clear()
        return False

    def _lose(self) -> None:
        self.connection_lost(None)

    def _leave(self) -> None:
        self._stop_waiting()
        self._stream = None
        self._listener.forget(self)

    def _stop_waiting(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


class HttpSide:
    """A stream as it is lent to the HTTP side, which can neither write to it nor close it once it was ended."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._has_ended = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def end(self) -> None:
        """Take the stream back; it reads on, whatever the HTTP side had it do."""
        self._has_ended = True
        self._stream.resume_reading()

    def is_closing(self) -> bool:
        return self._has_ended or bool(self._stream.is_closing())

    def close(self) -> None:
        if not self._has_ended:
            self._stream.close()

    def abort(self) -> None:
        if not self._has_ended:
            self._stream.abort()

    def write(self, data: Any) -> None:
        if not self._has_ended:
            self._stream.write(data)

    def writelines(self, pieces: Any) -> None:
        if not self._has_ended:
            self._stream.writelines(pieces)


def _check_upgrade(request: RequestHead) -> str:
    """The request's key. Raises RejectConnection if the request is not in order (RFC 6455 section 4.2.1)."""
    headers = request.headers
    if request.method != "GET" or request.version != "HTTP/1.1":
        raise RejectConnection(400, "a WebSocket is opened with GET and HTTP/1.1")
    if not heads.has_token(headers, "Connection", "upgrade"):
        raise RejectConnection(400, "the Connection header does not say Upgrade")
    # Its answer names the version that is known (section 4.4).
    if headers.get("Sec-WebSocket-Version") != "13":
        raise RejectConnection(426, "this server speaks version 13 of WebSocket", {"Sec-WebSocket-Version": "13"})
    if headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers:
        raise RejectConnection(400, "an upgrade has no body")
    key = headers.get("Sec-WebSocket-Key", "")  # 16 bytes in base64 (section 4.1, number 7)
    try:
        is_key = len(b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        is_key = False
    if not is_key:
        raise RejectConnection(400, "the Sec-WebSocket-Key is not 16 bytes in base64")
    return key

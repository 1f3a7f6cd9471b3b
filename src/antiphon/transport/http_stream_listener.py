"""Streams over HTTP, as a server: each GET is a connection, whose answer is what is said; a POST is what is heard."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from antiphon.conversation.ending import Ending
from antiphon.conversation.headers import combine
from antiphon.conversation.message import Data
from antiphon.errors import TransportError
from antiphon.transport.closing_time import ClosingTime
from antiphon.transport.http_stream_flow import HttpStreamFlow
from antiphon.transport.interface import Accept, Opening, Peer, Receiver, RejectConnection
from antiphon.transport.stream.host_port import HostPort

__all__ = ["HttpStreamListener"]

CLOSE_WITHIN_S: Final = 1.0
SESSION: Final = "Mcp-Session-Id"
_FORM: Final = "write http://HOST:PORT"
_MOST_BYTES: Final = 16 * 1024 * 1024


class HttpStreamListener:
    """Listens at `http://HOST:PORT`, for any path; port 0 takes a free one.

    The header `Mcp-Session-Id` of each answer is to come with each POST to it: that is what is heard. The body of a
    POST is heard as it is, and answered with 202, or with 404 for a stream that has ended.
    """

    async def listen(
        self,
        address: str,
        accept: Accept,
        *,
        content_type: str = "text/event-stream",
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> HttpStreamListening:
        """Listen. `close_within_s` is how long what was said has for leaving after a close, while none of it does.

        Raises TransportError if nobody can listen there.
        """
        try:
            where = HostPort.read(address.rstrip("/"), "HTTP", ("http",))
        except ValueError as error:
            raise TransportError(f"cannot listen: {error}", place=address, hint=_FORM) from error
        listening = HttpStreamListening(accept, content_type, close_within_s)
        try:
            await listening.start(where)
        except OSError as error:
            await listening.close()
            text = f"cannot listen: {where.why_not_listening(error)}"
            raise TransportError(text, place=address, hint="port 0 takes a free port") from error
        return listening


class HttpStreamListening:
    """A listening server."""

    def __init__(self, accept: Accept, content_type: str, close_within_s: float) -> None:
        self.address = ""
        self._accept = accept
        self._content_type = content_type
        self._close_within_s = close_within_s
        self._number = itertools.count(1)
        self._open: dict[str, _Incoming] = {}
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_get("/{path:.*}", self._stream)
        application.router.add_post("/{path:.*}", self._hear)
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)

    async def start(self, where: HostPort) -> None:
        """Listen there. Raises OSError."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, where.host, where.port)
        await site.start()
        _, port = self._runner.addresses[0][:2]
        self.address = f"http://{HostPort('http', where.reachable.host, port).at}"

    async def close(self) -> None:
        """Stop listening, and end every stream behind what was said on it."""
        for connection in tuple(self._open.values()):
            connection.close()
        while self._open:
            await asyncio.gather(*(each.ended.wait() for each in tuple(self._open.values())))
        await self._runner.cleanup()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        address = urlsplit(str(request.rel_url))
        path = f"{address.path}?{address.query}" if address.query else address.path
        opening = Opening(headers=combine(request.headers.items()), path=path, peer=Peer.of(request.transport))
        try:
            receiver = self._accept(opening)
        except RejectConnection as refused:
            return web.Response(status=refused.status, text=refused.body, headers=refused.headers)
        session = f"{next(self._number)}"
        headers = {"Content-Type": self._content_type, "Cache-Control": "no-store", SESSION: session}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        connection = self._open[session] = _Incoming(receiver, response, request.transport, self._close_within_s)
        try:
            await connection.play()
        finally:
            del self._open[session]
        return response

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        connection = self._open.get(request.headers.get(SESSION, ""))
        if connection is None:
            return web.Response(status=404, text=f"there is no stream with this {SESSION}")
        body = await request.read()
        await connection.hear(body)
        return web.Response(status=202)


class _Incoming(HttpStreamFlow):
    """A stream that was asked for, from the server's side."""

    hears_frames = True

    def __init__(self, receiver: Receiver, response: web.StreamResponse, wire: Any, close_within_s: float) -> None:
        super().__init__(receiver, close_within_s)
        self.ended = asyncio.Event()
        self._response = response
        self._wire = wire
        self._news = asyncio.Event()

    def send(self, data: Data) -> None:
        """Put it behind what was said before."""
        if self._goodbye is None and not self.ended.is_set():
            self._put(data)
            self._news.set()

    def close(self, code: int | None = None, reason: str = "") -> None:
        """End the answer's body behind what was said."""
        if self._goodbye is None and not self.ended.is_set():
            self._goodbye = Ending(by="us", is_clean=True)
            self._is_reading.set()
            self._news.set()
            self._overdue = ClosingTime(self._loop, self._close_within_s, lambda: self._unsent_bytes, self._end_overdue)

    def abort(self) -> None:
        """Break it off."""
        if not self.ended.is_set():
            self._goodbye = self._goodbye or Ending(by="us")
            if self._wire is not None:
                self._wire.abort()

    async def hear(self, data: bytes) -> None:
        """Something was posted; an answer waits while nobody reads."""
        await self._is_reading.wait()
        if not self.ended.is_set() and data:
            self._tell("on_data", data)

    async def play(self) -> None:
        """Until the stream has ended: the client lets go of it, or we close it."""
        ending = Ending(by="peer", is_clean=True)
        try:
            self._tell("on_opened", self)
            await self._say()
            await self._response.write_eof()
            ending = self._goodbye or ending
        except (asyncio.CancelledError, ConnectionError):  # that is how aiohttp tells that the client has gone
            if self._goodbye is not None:
                ending = msgspec.structs.replace(self._goodbye, is_clean=False)
        finally:
            if self._overdue is not None:
                self._overdue.cancel()
            self.ended.set()
            self._is_empty.set()
            self._is_reading.set()
            self._tell("on_ended", ending)

    async def _say(self) -> None:
        while self._unsent or self._goodbye is None:
            await self._news.wait()
            self._news.clear()
            while self._unsent:
                await self._response.write(self._unsent[0])
                self._take()
            self._is_empty.set()

    def _fail(self, text: str) -> None:
        self.close()

"""An open stream of gRPC, from either side: one task reads its messages, another sends what is said, a message each."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.closing_time import ClosingTime
from antiphon.transport.grpc.address import STATUSES, let_go, library
from antiphon.transport.grpc.metadata import as_headers
from antiphon.transport.http_stream_flow import HttpStreamFlow
from antiphon.transport.interface import Receiver

__all__ = ["GrpcConnection", "GrpcFlow"]


class GrpcFlow(HttpStreamFlow):
    """What both sides have. `stream` is gRPC's, with its `read` and `write`."""

    def __init__(self, receiver: Receiver, stream: Any, close_within_s: float) -> None:
        super().__init__(receiver, close_within_s)
        self._stream = stream
        self._end_of_stream = library().aio.EOF
        self._has_finished = False
        self._is_ended = False
        self._heard = 0
        self._news = asyncio.Event()

    def send(self, data: Data) -> None:
        """Send it as a message of its own."""
        if self._goodbye is None and not self._has_finished and not self._is_ended:
            self._put(data)
            self._news.set()

    def _leave(self, goodbye: Ending) -> None:
        """Say goodbye behind what was said; time runs while nothing flows, either way."""
        if self._goodbye is None and not self._is_ended:
            self._goodbye = goodbye
            self.resume()
            self._news.set()
            flow = lambda: self._unsent_bytes - self._heard  # noqa: E731 - a figure that changes while anything flows
            self._overdue = ClosingTime(self._loop, self._close_within_s, flow, self._end_overdue)

    async def _hear(self) -> None:
        """Until the peer says no more. Raises what gRPC raises for a stream that has ended otherwise."""
        while (message := await self._stream.read()) is not self._end_of_stream:
            await self._is_reading.wait()
            self._heard += 1
            if not self._is_ended:
                self._tell("on_data", message)

    async def _say(self) -> None:
        """Until we say no more, and all that was said before has left."""
        while True:
            while self._unsent:
                await self._stream.write(self._unsent[0])
                self._take()
            self._is_empty.set()
            if self._has_finished or self._goodbye is not None:
                return
            self._news.clear()
            await self._news.wait()

    def _end(self, ending: Ending) -> None:
        self._is_ended = True
        if self._overdue is not None:
            self._overdue.cancel()
        self._is_empty.set()
        self._is_reading.set()
        self._tell("on_ended", ending)

    @abstractmethod
    def open(self) -> None:
        """Tell the receiver, and begin to read."""


class GrpcConnection(GrpcFlow):
    """A client's. It can end its sending alone (`finish`); its goodbye is that, and the server's status answers it."""

    def __init__(
        self, receiver: Receiver, channel: Any, call: Any, headers: asyncio.Future[Any], close_within_s: float
    ) -> None:
        super().__init__(receiver, call, close_within_s)
        self._channel = channel
        self._headers = headers

    def open(self) -> None:
        self._tell("on_opened", self)
        self._tasks = [self._loop.create_task(self._play()), self._loop.create_task(self._send_all())]

    def finish(self) -> None:
        """End our sending behind what was said, and hear on."""
        self._has_finished = True
        self._news.set()

    def close(self, code: int | None = None, reason: str = "") -> None:
        """End our sending, and hear the server out, whose status ends the stream. A client has no codes to say."""
        self._leave(Ending(by="us"))

    def abort(self) -> None:
        """Cancel the call, which the server hears of."""
        if not self._is_ended:
            self._goodbye = self._goodbye or Ending(by="us")
            self._stream.cancel()
            self._is_reading.set()

    async def _play(self) -> None:
        with suppress(asyncio.CancelledError, library().RpcError):  # the call's own, as its status says
            headers = as_headers(await self._headers)
            if headers:
                self._tell("on_aside", "response headers", headers)
            await self._hear()
        ending = await self._judged()
        self._tasks[1].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[1]
        await (let_go(self._channel.close()) if self._stream.cancelled() else self._channel.close())
        self._end(ending)

    async def _send_all(self) -> None:
        # The call may be over already, or be cancelled meanwhile: its status says what that was.
        with suppress(library().RpcError, asyncio.InvalidStateError, asyncio.CancelledError):
            await self._say()
            await self._stream.done_writing()

    async def _judged(self) -> Ending:
        """How it ended, by the call's status."""
        call, grpc = self._stream, library()
        status, said = await call.code(), await call.details() or ""
        if trailers := as_headers(await call.trailing_metadata()):
            self._tell("on_aside", "trailers", trailers)
        number, name = status.value[0], STATUSES[status.value[0]]
        is_lost = status == grpc.StatusCode.UNAVAILABLE and self._channel.get_state() != grpc.ChannelConnectivity.READY
        if self._goodbye is not None and self._goodbye.detail:
            return self._goodbye
        if self._goodbye is not None:
            is_clean = not call.cancelled() and not is_lost
            return msgspec.structs.replace(self._goodbye, code=number, is_clean=is_clean)
        if is_lost or status == grpc.StatusCode.CANCELLED:
            return Ending(code=number, by="wire", detail=f"{name}: {said}".rstrip(": "))
        if _TOO_LARGE in said:
            return Ending(code=number, by="us", detail=f"{said}: GrpcTransport(max_size_bytes=…)")
        return Ending(number, said, "peer", "" if number == 0 else name, is_clean=True)


_TOO_LARGE: Final = "Received message larger than max"
"""How gRPC's own limit is told: with the status that a server may have sent itself."""

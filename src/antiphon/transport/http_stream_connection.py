"""An open stream over HTTP: one task reads what comes, another sends what is said, a request each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten
from antiphon.errors import AntiphonError, TransportError
from antiphon.transport.closing_time import ClosingTime
from antiphon.transport.http1_head import phrase
from antiphon.transport.http_client import HttpClient
from antiphon.transport.http_stream_flow import HttpStreamFlow
from antiphon.transport.interface import Receiver

__all__ = ["HttpStreamConnection", "Saying"]

_MOST_SHOWN: Final = 1_000


class Saying(msgspec.Struct):
    """How what is said is sent."""

    client: HttpClient
    method: str
    address: str
    headers: Mapping[str, str]
    within_s: float

    async def send(self, data: bytes) -> str:
        """Send it; what went wrong, "" if nothing did."""
        try:
            answer = await self.client.request(
                self.method, self.address, headers=self.headers, within_s=self.within_s, data=data
            )
        except AntiphonError as error:
            return error.text
        except Exception as error:  # as when the session was closed meanwhile: those behind it are tried all the same
            return f"{type(error).__name__}: {error}"
        if answer.status < 400:
            return ""
        return f"{answer.status} {phrase(answer.status)}: {shorten(answer.text, _MOST_SHOWN)}".rstrip(": ")


class HttpStreamConnection(HttpStreamFlow):
    """One stream. Each send is a request of its own, one after the other, so that their order is that of the sends.

    A close hears no more, and lets go of the stream when what was said has left. `saying` is None for a stream that
    only hears; `pieces` is what is heard; `on_lost` is awaited in the end.
    """

    sends_frames = True

    def __init__(
        self,
        receiver: Receiver,
        pieces: AsyncGenerator[bytes, None],
        saying: Saying | None,
        close_within_s: float,
        on_lost: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(receiver, close_within_s)
        self._pieces = pieces
        self._saying = saying
        self._on_lost = on_lost
        self._is_ended = False
        self._is_let_go = False
        self._reader: asyncio.Task[None] | None = None  # once it has begun to read
        self._sender: asyncio.Task[None] | None = None

    def open(self, headers: Mapping[str, str]) -> None:
        """Tell the receiver, and begin to read."""
        self._tell("on_opened", self)
        self._tell("on_aside", "response headers", headers)
        self._beginning = self._loop.create_task(self._read())

    def send(self, data: Data) -> None:
        """Send it in a request of its own. Raises TransportError on a stream that only hears."""
        if self._goodbye is not None or self._is_ended:
            return
        if self._saying is None:
            text = "nothing can be said on this stream: how that is sent was not declared"
            raise TransportError(text, hint='HttpStream(says="POST")')
        self._put(data)
        if self._sender is None:
            self._sender = self._loop.create_task(self._send_all(self._saying))

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Let go of the stream, once what was said has left."""
        if self._goodbye is not None or self._is_ended:
            return
        self._goodbye = Ending(by="us", is_clean=True)
        if self._sender is None:
            self._let_go()
        else:
            self._overdue = ClosingTime(self._loop, self._close_within_s, lambda: len(self._unsent), self._end_overdue)

    def abort(self) -> None:
        """Let go of it now."""
        if not self._is_ended:
            self._goodbye = self._goodbye or Ending(by="us")
            if self._sender is not None:
                self._sender.cancel()
            self._let_go()

    # -- the tasks ----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        ending = Ending(by="peer", is_clean=True)
        try:
            # A task that is cancelled before it has begun never does, and would tell nobody of the end.
            self._reader = self._beginning
            if not self._is_let_go:
                async for piece in self._pieces:
                    await self._is_reading.wait()
                    self._tell("on_data", piece)
            if self._goodbye is not None and self._sender is not None:
                await asyncio.wait((self._sender,))  # what was said before our goodbye goes first
        except asyncio.CancelledError:
            ending = Ending(by="us")
        except Exception as error:
            text = error.text if isinstance(error, AntiphonError) else f"{type(error).__name__}: {error}"
            ending = Ending(by="wire", detail=text)
        if self._goodbye is None and ending.by != "us":
            with suppress(asyncio.CancelledError):  # by an abort, or because all has left
                ending = await self._said_out(ending)
        await self._end(self._goodbye or ending)

    async def _said_out(self, ending: Ending) -> Ending:
        """The peer says no more, but what was said to it goes by requests of its own: those may still be answered."""
        if (sender := self._sender) is None:
            return ending

        def give_up() -> None:
            sender.cancel()

        self._overdue = ClosingTime(self._loop, self._close_within_s, lambda: len(self._unsent), give_up)
        await asyncio.wait((sender,))
        if not self._unsent:
            return ending
        detail = f"{self._unsent_bytes:,} bytes that were said before had not been answered"
        return msgspec.structs.replace(
            ending,
            is_clean=False,
            detail=f"{ending.detail}; {detail}" if ending.detail else detail,
            unsent_bytes=self._unsent_bytes,
        )

    async def _send_all(self, saying: Saying) -> None:
        try:
            while self._unsent:
                if failure := await saying.send(self._unsent[0]):
                    self._tell("on_aside", f"{saying.method} failed", failure)
                self._take()
        finally:
            self._sender = None
            self._is_empty.set()
        if self._goodbye is not None:
            self._let_go()

    def _let_go(self) -> None:
        """Read no more, and come to the end."""
        self._is_let_go = True
        if self._reader is not None:
            self._reader.cancel()

    async def _end(self, ending: Ending) -> None:
        self._is_ended = True
        if self._overdue is not None:
            self._overdue.cancel()
        if self._sender is not None:
            self._sender.cancel()
        try:
            await self._pieces.aclose()
            await self._on_lost()
        finally:
            self._is_empty.set()
            self._tell("on_ended", ending)

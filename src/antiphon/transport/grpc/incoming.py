"""An open stream of gRPC, from the server's side."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.transport.grpc.address import STATUSES, library
from antiphon.transport.grpc.connection import GrpcFlow
from antiphon.transport.interface import Receiver

__all__ = ["IncomingStream"]

_SETTLED_S: Final = 0.002
"""What gRPC tells of one moment comes in so much time."""


class IncomingStream(GrpcFlow):
    """A stream that was let in. Its goodbye is the status, which ends both directions."""

    def __init__(self, receiver: Receiver, context: Any, close_within_s: float) -> None:
        super().__init__(receiver, context, close_within_s)
        self.ended = asyncio.Event()
        self._over = asyncio.Event()
        self._is_aborted = False

    def close(self, code: int | None = None, reason: str = "") -> None:
        """End the stream with a status, 0 (OK) to 16, and its details. Raises ValueError for another one."""
        number = 0 if code is None else code
        if not 0 <= number < len(STATUSES):
            raise ValueError(f"{code} is no status of gRPC: they are 0 (OK) to 16 (UNAUTHENTICATED)")
        self._leave(Ending(number, reason, "us"))

    def abort(self) -> None:
        """End it with CANCELLED: nobody has said goodbye."""
        if not self._is_ended:
            self._goodbye = self._goodbye or Ending(by="us")
            self._is_aborted = True
            self._over.set()
            # Not when the status has left: that waits behind what a client does not read.
            self._loop.call_soon(self._end, self._goodbye)

    async def play(self) -> None:
        """Until it has ended: gRPC cancels this when the client has cancelled its call, or is gone."""
        self._stream.add_done_callback(self._done)
        self.open()
        speaking = self._loop.create_task(self._speak())
        listening = self._loop.create_task(self._listen())
        try:
            await self._over.wait()
            await asyncio.sleep(_SETTLED_S)  # the end of a client's messages may be that of a call that it cancels
            number = 1 if self._is_aborted else self._goodbye.code if self._goodbye is not None else 0
            if number:
                self._stream.set_code(library().StatusCode[STATUSES[number]])
                self._stream.set_details("" if self._is_aborted or self._goodbye is None else self._goodbye.reason)
        finally:
            speaking.cancel()
            listening.cancel()

    def open(self) -> None:
        self._tell("on_opened", self)

    def _end(self, ending: Ending) -> None:
        if not self.ended.is_set():
            self.ended.set()
            super()._end(ending)

    async def _speak(self) -> None:
        with suppress(Exception):  # of a call that is over, which nobody tells by a type of its own
            await self._say()
            self._over.set()

    async def _listen(self) -> None:
        with suppress(Exception):  # as above
            await self._hear()
            if self._goodbye is None and not self._is_ended and not self._tell("on_finished"):
                self._leave(Ending(0, by="peer"))

    def _done(self, context: Any) -> None:
        """gRPC has sent our status, or has not: the call was cancelled."""
        ending = self._goodbye
        if context.done() and ending is not None:
            self._end(msgspec.structs.replace(ending, is_clean=True))
        elif ending is not None and ending.by == "us":
            self._end(ending)
        else:
            self._end(Ending(1, by="wire", detail="CANCELLED: the client has cancelled its call, or is gone"))

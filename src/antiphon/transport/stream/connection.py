"""An open stream of bytes, on either side: what TCP, TLS and Unix sockets have in common."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.errors import TransportError
from antiphon.transport.closing_time import ClosingTime, broken, overdue
from antiphon.transport.connect_failure import broken_off
from antiphon.transport.interface import Receiver
from antiphon.transport.lingering_close import end_writing
from antiphon.transport.receiver_failure import report_failure
from antiphon.transport.stream_buffers import has_hidden_buffer, taken, unsent_bytes, untaken_bytes

__all__ = ["CLOSE_WITHIN_S", "StreamConnection"]

CLOSE_WITHIN_S: Final = 1.0
"""How long a goodbye may take, in seconds."""

_HIDDEN_LOOK_S: Final = 0.01
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, with no time: closing resets the connection."""


class StreamConnection(asyncio.Protocol):
    """One stream. Data arrives as `bytes`, in whatever pieces were read; text is sent as UTF-8.

    The goodbye is the end of the stream (TCP's FIN, TLS's close_notify), which has no code and no reason: they are
    ignored. We hear what the peer says until its own, for `close_within_s` in which nothing is leaving (`ClosingTime`).
    TLS streams end both ways at once. Nothing is told before `open`; what came until then is kept.
    """

    subprotocol = ""

    def __init__(
        self,
        receiver: Receiver,
        close_within_s: float = CLOSE_WITHIN_S,
        forget: Callable[[StreamConnection], None] | None = None,
    ) -> None:
        self._receiver = receiver
        self._close_within_s = close_within_s
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._stream: Any = None
        self._early: list[bytes] = []
        self._is_open = False
        self._can_send = False
        self._is_hearing = True
        self._is_paused = False
        self._is_lost = False
        self._has_finished = False
        self._has_peer_finished = False  # and we stay
        self._has_early_end = False  # the peer's, before we are open
        self._is_leaving = False  # we have said goodbye, and the stream is still there
        self._goodbye: Ending | None = None
        self._overdue: ClosingTime[tuple[int, int]] | None = None  # by what the stream holds, and what was taken
        self._emptied: asyncio.Future[None] | None = None

    def open(self) -> None:
        """The stream is there, and whoever wanted it has it: tell the receiver so, and all that came until now."""
        self._is_open = True
        self._tell("on_opened", self)
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)
        if self._has_early_end and not self._is_lost and not self._hear_finish():
            self._stream.close()
        if self._is_lost:
            self._tell_end()

    # -- what channels call -------------------------------------------------------------------------------------------

    def send(self, data: Data) -> None:
        """Send it. Raises TransportError for text with surrogates, which UTF-8 cannot carry."""
        if not self._can_send or self._has_finished or self._stream.is_closing():
            return
        try:
            self._stream.write(data.encode() if isinstance(data, str) else data)
        except UnicodeEncodeError as error:
            text = f"text with a surrogate at index {error.start} cannot be sent: UTF-8 has no form for it"
            raise TransportError(text, hint="send bytes, or mend the text where it is made") from error

    def finish(self) -> None:
        """End our half of the stream behind what was sent. Raises TransportError over TLS, which has no halves."""
        if not self._can_send or self._has_finished:
            return
        if not self._stream.can_write_eof():
            raise TransportError("TLS ends both directions at once", hint="close() ends both")
        if self._has_peer_finished:
            self.close()
        else:
            self._has_finished = True
            self._end_writing()

    def close(self, code: int | None = None, reason: str = "") -> None:
        """End the stream behind what was sent, and hear the peer out."""
        if self._can_send:
            self._leave(Ending(by="us"))

    def abandon(self) -> None:
        """Nobody wants the stream, which was never opened; there may be none."""
        if self._stream is not None:
            self.abort()

    def abort(self) -> None:
        """Break the connection: the peer hears of that where the wire can tell it (TCP: a reset)."""
        if self._is_lost:
            return
        self._can_send = self._is_hearing = False
        self._goodbye = self._goodbye or Ending(by="us")
        sock = self._stream.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):  # it has gone by itself
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self._stream.abort()

    @property
    def unsent_bytes(self) -> int:
        """What lies in the stream's buffers."""
        return unsent_bytes(self._stream) if not self._is_lost else 0

    async def drained(self) -> None:
        """Return when nothing is unsent, or the connection has ended."""
        while not self._is_lost and (self.unsent_bytes or self._stream.is_closing()):
            if has_hidden_buffer(self._stream):
                await asyncio.sleep(_HIDDEN_LOOK_S)
                continue
            if self._emptied is None:
                self._emptied = self._loop.create_future()
                self._stream.set_write_buffer_limits(high=0)  # so that resume_writing means: all has left
            await asyncio.shield(self._emptied)

    def pause(self) -> None:
        """Do not read from the stream."""
        if self._can_send and self._is_hearing and not self._is_paused and not self._stream.is_closing():
            self._is_paused = True
            self._stream.pause_reading()

    def resume(self) -> None:
        """Read from the stream again."""
        if self._is_paused:
            self._is_paused = False
            if not self._is_lost and not self._stream.is_closing():
                self._stream.resume_reading()

    # -- what the stream calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream = transport
        self._can_send = True

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            self._early.append(data)
        elif self._is_hearing:
            self._tell("on_data", data)

    def eof_received(self) -> bool:
        """The peer has ended its half. False: the stream closes itself, behind what is still to be sent."""
        if not self._is_open and self._stream.can_write_eof():
            self._has_early_end = True
            return True
        return self._hear_finish()

    def _hear_finish(self) -> bool:
        """Whether we stay, though the peer says no more: else that was its goodbye."""
        if self._goodbye is None and not self._has_finished and self._stream.can_write_eof() and self._is_hearing:
            self._has_peer_finished = True  # before it is told: whoever hears of it may close
            if self._tell("on_finished") or self._is_leaving:
                return True
        self._can_send = False
        ours = self._goodbye
        self._goodbye = msgspec.structs.replace(ours, is_clean=True) if ours else Ending(by="peer", is_clean=True)
        self._limit_closing()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._can_send = False
        if self._overdue is not None:
            self._overdue.cancel()
        self._judge(exc)
        self._tell_emptied()
        if self._is_open:
            self._tell_end()

    def resume_writing(self) -> None:
        """What is unsent is little enough again: with the limit that `drained` sets, it is nothing."""
        if self._emptied is not None:
            self._stream.set_write_buffer_limits()
            self._tell_emptied()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _leave(self, goodbye: Ending) -> None:
        self.resume()
        self._can_send = False
        self._is_leaving = True
        self._goodbye = goodbye
        if self._stream.is_closing():
            return  # it has broken, and the end is about to be told
        if self._has_peer_finished:
            self._goodbye = msgspec.structs.replace(goodbye, is_clean=True)
            self._stream.close()
        elif self._stream.can_write_eof():
            self._end_writing()
        else:
            self._close_when_empty()
        self._limit_closing()

    def _end_writing(self) -> None:
        with contextlib.suppress(OSError):  # a reset that was not read yet: the end is about to be told
            end_writing(self._stream)

    def _close_when_empty(self) -> None:
        """A TLS stream that is closing does not tell any more how much of what it was given has not left."""
        if self._is_lost or self._stream.is_closing():
            return
        if self.unsent_bytes:
            self._loop.call_later(_HIDDEN_LOOK_S, self._close_when_empty)
        else:
            self._stream.close()

    def _limit_closing(self) -> None:
        if self._overdue is None and not self._is_lost:
            figures = partial(taken, self._stream)
            self._overdue = ClosingTime(self._loop, self._close_within_s, figures, self._end_overdue)

    def _end_overdue(self) -> None:
        self._goodbye = overdue(self._goodbye, untaken_bytes(self._stream), self._close_within_s)
        self._is_leaving = False
        self.break_off()

    def break_off(self) -> None:
        """The peer's time for its goodbye is over."""
        self.abort()

    def _judge(self, exc: Exception | None) -> None:
        """How it ended, now that the stream is gone."""
        if self._goodbye is None:
            self._goodbye = Ending(by="wire", detail=broken_off(exc))
        elif self._is_leaving and not self._goodbye.is_clean and self._is_hearing:
            if exc is None:  # a TLS stream that closed as it should tells nobody of the peer's goodbye
                self._goodbye = msgspec.structs.replace(self._goodbye, is_clean=True)
            elif held_bytes := self._overdue.last[0] if self._overdue is not None else 0:
                self._goodbye = broken(self._goodbye, held_bytes)

    def _tell_emptied(self) -> None:
        emptied, self._emptied = self._emptied, None
        if emptied is not None and not emptied.done():
            emptied.set_result(None)

    def _tell_end(self) -> None:
        if self._forget is not None:
            self._forget(self)
        self._is_hearing = False
        self._tell("on_ended", self._goodbye)

    def _tell(self, what: str, *news: Any) -> Any:
        """What the receiver says to the news; None if it wants no such news."""
        try:
            hear = getattr(self._receiver, what, None)
            return hear(*news) if hear is not None else None
        except Exception as error:
            text = report_failure(self._loop, error, what)
            self._is_hearing = False
            if self._can_send:
                self._leave(Ending(by="us", detail=text))
            return None

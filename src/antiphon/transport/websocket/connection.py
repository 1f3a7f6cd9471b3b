"""An open WebSocket connection, on either side: the receiver's calls on one hand, picows' frames on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.errors import TransportError
from antiphon.transport.closing_time import ClosingTime, broken, overdue
from antiphon.transport.interface import Receiver
from antiphon.transport.lingering_close import Drain, end_writing
from antiphon.transport.receiver_failure import report_failure
from antiphon.transport.stream_buffers import has_hidden_buffer, taken, unsent_bytes, untaken_bytes
from antiphon.transport.websocket import rfc6455
from antiphon.transport.websocket.deflate import Deflater, Inflater, Terms
from antiphon.transport.websocket.frame_writer import FrameWriter
from antiphon.transport.websocket.keepalive import Keepalive, Pings
from antiphon.transport.websocket.picows_frames import holds_part_of_frame
from antiphon.transport.websocket.rfc6455 import Assembly, Violation

__all__ = ["WebSocketConnection"]

# Reading a frame's type makes the enum's member, and `is` is ten times faster than comparing it with an int.
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY

_HIDDEN_LOOK_S: Final = 0.01
_PINGS: Final = Pings()


class WebSocketConnection(WSListener):
    """One connection. Everything here runs in the event loop's thread, and as a rule within picows' read callback.

    `max_size_bytes` bounds a whole received message. Once one side has said goodbye, the rest (the other's goodbye, the
    end of the TCP connection) may take `close_within_s` seconds in which nothing is leaving (`ClosingTime`). What the
    peer did wrong goes to it as the close's reason, and into the ending's `detail`.
    """

    __slots__ = (
        "_assembly",
        "_can_send",
        "_close_within_s",
        "_deflater",
        "_emptied",
        "_forget",
        "_frames",
        "_goodbye",
        "_is_behind",
        "_is_between",
        "_is_broken_off",
        "_is_ended",
        "_is_hearing",
        "_is_paused",
        "_is_told",
        "_keepalive",
        "_loop",
        "_on_data",
        "_on_protocol",
        "_overdue",
        "_pings",
        "_pong_owed",
        "_receiver",
        "_stream",
        "subprotocol",
    )

    def __init__(
        self,
        receiver: Receiver,
        *,
        subprotocol: str,
        terms: Terms | None,
        max_size_bytes: int,
        close_within_s: float,
        pings: Pings = _PINGS,
        forget: Callable[[WebSocketConnection], None] | None = None,
    ) -> None:
        self.subprotocol = subprotocol
        self._receiver = receiver
        self._on_data = receiver.on_data
        self._on_protocol: Callable[..., None] | None = (
            getattr(receiver, "on_protocol", None) if pings.are_shown else None
        )
        self._pings = pings
        self._keepalive: Keepalive | None = None
        self._close_within_s = close_within_s
        self._forget = forget
        self._assembly = Assembly(max_size_bytes, Inflater(terms) if terms is not None else None)
        deflater = Deflater(terms) if terms is not None else None
        self._deflater = deflater if deflater is not None and deflater.is_able else None
        self._loop = asyncio.get_running_loop()
        self._frames: Any = None
        self._stream: Any = None
        self._overdue: ClosingTime[tuple[int, int]] | None = None  # by what the stream holds, and what was taken
        self._emptied: asyncio.Future[None] | None = None
        self._pong_owed: bytes | None = None
        self._goodbye: Ending | None = None
        self._can_send = True
        self._is_hearing = True
        self._is_between = True  # hearing, and no fragmented message has begun: the fast path is open
        self._is_behind = False  # the peer: more has been sent than the stream takes at once
        self._is_paused = False
        self._is_broken_off = False
        self._is_ended = False
        self._is_told = False

    # -- what channels call -------------------------------------------------------------------------------------------

    def send(self, data: Data) -> None:
        """Send a message. Raises TransportError for text with surrogates, which UTF-8 cannot carry."""
        if self._can_send:
            if self._deflater is not None:
                self._send_deflated(self._deflater, data)
                return
            try:
                self._frames.send(_TEXT if isinstance(data, str) else _BINARY, data)
            except UnicodeEncodeError as error:
                raise _unsendable(error) from error

    def break_off(self, data: Data) -> None:
        """Send the first half of the message's frame, and be silent from then on: what a peer that hangs looks like.

        Not of the seam: no other transport has frames to break off. The peer is still heard. After half a frame nobody
        can say goodbye, so whoever does first, `close` or the peer, ends the TCP connection. After the end, or a second
        time, it is ignored.
        """
        if self._can_send:
            kind, payload = (rfc6455.TEXT, data.encode()) if isinstance(data, str) else (rfc6455.BINARY, bytes(data))
            # A mask of zeros leaves the payload as it is, so that half of it is half of the message.
            head = rfc6455.frame_head(kind, len(payload), mask=bytes(4) if self._frames.is_client_side else b"")
            self._can_send = False
            self._is_broken_off = True
            self._stream.write(head + payload[: len(payload) // 2] if payload else head[:1])

    @property
    def holds_part(self) -> bool:
        """Whether part of a message has come, and its rest has not. Not of the seam."""
        if self._stream is None or not self._is_hearing:
            return False
        return not self._is_between or holds_part_of_frame(self._stream.get_protocol())

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Say goodbye and wait for the peer's (RFC 6455 section 7.1.2), for `close_within_s` at most."""
        code = rfc6455.NORMAL if code is None else code
        rfc6455.check_close(code, reason)
        if self._is_broken_off:
            self.abort()
        elif self._can_send:
            self.resume()
            if not self._stream.is_closing():  # else it has broken, and the end is about to be told
                self._can_send = False
                self._goodbye = Ending(code=code, reason=reason, by="us")
                self._frames.send_close(code, reason)
            self._limit_closing()

    def abort(self) -> None:
        """Drop the TCP connection."""
        if self._stream is None:  # it has ended, or has never begun
            return
        self._stop_hearing()
        self._can_send = False
        self._goodbye = self._goodbye or Ending(code=rfc6455.ABNORMAL, by="us")
        self._stream.abort()

    async def ping(self) -> float | None:
        """How long a pong took, in seconds; None if the connection ended before it came. Not of the seam."""
        return await self._kept_alive().ping() if self._can_send else None

    @property
    def unsent_bytes(self) -> int:
        """What lies in the stream's buffers."""
        return unsent_bytes(self._stream) if self._stream is not None else 0

    async def drained(self) -> None:
        """Return when nothing is unsent, or the TCP connection has ended."""
        # A stream that has broken has forgotten what it held: that has not left, and the end is about to be told.
        while self.unsent_bytes or (self._stream is not None and self._stream.is_closing()):
            if has_hidden_buffer(self._stream):
                await asyncio.sleep(_HIDDEN_LOOK_S)
                continue
            if self._emptied is None:
                self._emptied = self._loop.create_future()
                self._stream.set_write_buffer_limits(high=0)  # so that resume_writing means: all has left
            await asyncio.shield(self._emptied)

    def pause(self) -> None:
        """Do not read from the stream; what picows has read of it may still arrive."""
        if self._is_hearing and not self._is_paused and not self._stream.is_closing():
            self._is_paused = True
            self._stream.pause_reading()

    def resume(self) -> None:
        """Read from the stream again."""
        if self._is_paused:
            self._is_paused = False
            if self._stream is not None and not self._stream.is_closing():
                self._stream.resume_reading()

    # -- what picows calls --------------------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The upgrade is done; nothing has been read yet."""
        self._frames = transport
        self._stream = transport.underlying_transport.stream  # type: ignore[attr-defined]  # it is a HeldStream
        if self._pings.every_s is not None:
            self._kept_alive().begin()
        try:
            self._receiver.on_opened(self)
        except Exception as error:
            self._receiver_raised("on_opened", error)

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come. Whole messages are most of them, and take the short way."""
        kind = frame.msg_type
        if (
            (kind is _TEXT or kind is _BINARY)
            and self._is_between
            and frame.fin
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            try:
                data = frame.get_payload_as_utf8_text() if kind is _TEXT else frame.get_payload_as_bytes()
            except UnicodeDecodeError:
                self._fail(rfc6455.invalid_text())
                return
            try:
                self._on_data(data)
            except Exception as error:
                self._receiver_raised("on_data", error)
        elif self._is_hearing:
            self._take(int(kind), frame)  # type: ignore[call-overload]  # the stubs hide that it is an IntEnum

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """The TCP connection has ended while picows had it."""
        self._finish()

    def pause_writing(self) -> None:
        """The peer reads slower than we send: what is sent waits in memory."""
        self._is_behind = True

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._is_behind = False
        if self._emptied is not None:
            self._stream.set_write_buffer_limits()
            self._tell_emptied()
        if self._pong_owed is not None and self._can_send:
            payload, self._pong_owed = self._pong_owed, None
            self._send_pong(payload)

    def parser_failed(self, violation: Violation) -> None:
        """A frame that picows could not accept. The frame before it may come after this, and is judged first.

        The verdict must be the same as if the two had come in two reads: that frame may be answered, may end the
        connection for a reason of its own, or be a close, after which nothing is looked at (section 5.5.1).
        """
        if self._is_hearing:
            self._frames.underlying_transport.is_mute = True  # picows is about to tell the peer of the later frame
            self._frames = FrameWriter(self._stream, is_client_side=self._frames.is_client_side)
            self._drain()
            self._loop.call_soon(self._fail_if_hearing, violation)

    # -- frames -------------------------------------------------------------------------------------------------------

    def _take(self, kind: int, frame: WSFrame) -> None:
        reserved = frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3
        payload = frame.get_payload_as_bytes()
        try:
            if kind <= rfc6455.BINARY:
                message = self._assembly.take(kind, bool(frame.fin), reserved, payload)
                self._is_between = self._assembly.is_between
            else:
                message = None
                rfc6455.check_reserved(reserved)
                if kind == rfc6455.CLOSE:
                    self._hear_close(*rfc6455.read_close(payload))
                else:
                    self._take_ping(kind, payload)
        except Violation as violation:
            self._fail(violation)
            return
        if message is not None:
            try:
                self._on_data(message)
            except Exception as error:
                self._receiver_raised("on_data", error)

    def _take_ping(self, kind: int, payload: bytes) -> None:
        """A ping has come, or a pong."""
        if self._on_protocol is not None:
            self._show(self._on_protocol, "ping" if kind == rfc6455.PING else "pong", payload, is_sent=False)
        if kind == rfc6455.PONG:
            if self._keepalive is not None:
                self._keepalive.hear_pong(payload)
        elif self._is_behind:
            # A peer that pings and does not read would fill our memory with pongs; only the latest ping needs an answer
            # (section 5.5.3).
            self._pong_owed = payload if self._pings.are_answered else None
        elif self._can_send and self._pings.are_answered:
            self._send_pong(payload)

    def _send_pong(self, payload: bytes) -> None:
        self._frames.send_pong(payload)
        if self._on_protocol is not None:
            self._show(self._on_protocol, "pong", payload, is_sent=True)

    # -- what keepalive calls -----------------------------------------------------------------------------------------

    def send_ping(self, payload: bytes) -> None:
        """Send a ping; after our goodbye it is ignored."""
        if self._can_send:
            self._frames.send(WSMsgType.PING, payload)
            if self._on_protocol is not None:
                self._show(self._on_protocol, "ping", payload, is_sent=True)

    def end_dead(self, detail: str) -> None:
        """The peer is dead: end the connection, if nobody has said goodbye on it."""
        if self._goodbye is None and self._stream is not None:
            self._goodbye = Ending(code=rfc6455.ABNORMAL, by="wire", detail=detail)
            self.abort()

    @property
    def is_paused(self) -> bool:
        """Whether we do not read."""
        return self._is_paused

    def _kept_alive(self) -> Keepalive:
        if self._keepalive is None:
            self._keepalive = Keepalive(self, self._stream, self._pings)
        return self._keepalive

    def _show(self, on_protocol: Callable[..., None], name: str, payload: bytes, *, is_sent: bool) -> None:
        try:
            on_protocol(name, payload, is_sent=is_sent)
        except Exception as error:
            self._receiver_raised("on_protocol", error)

    def _send_deflated(self, deflater: Deflater, data: Data) -> None:
        try:
            kind, payload = (_TEXT, data.encode()) if isinstance(data, str) else (_BINARY, bytes(data))
        except UnicodeEncodeError as error:
            raise _unsendable(error) from error
        self._frames.send(kind, deflater.deflate(payload), rsv1=True)

    # -- the end ------------------------------------------------------------------------------------------------------

    def _hear_close(self, code: int, reason: str) -> None:
        self._stop_hearing()
        if self._is_broken_off:
            self._goodbye = Ending(code=code, reason=reason, by="peer")
        elif self._goodbye is None:
            self._goodbye = Ending(code=code, reason=reason, by="peer", is_clean=True)
            self._can_send = False
            if code == rfc6455.NO_CODE:
                self._frames.send(WSMsgType.CLOSE, b"")  # picows' send_close would write a code of 0
            else:
                self._frames.send_close(code, reason)
        else:
            self._goodbye = msgspec.structs.replace(self._goodbye, is_clean=True)
        # Both have said goodbye: whoever waits is told at once, whatever the peer does with its TCP connection. A
        # client should let the server close that first, and may close it at any time (section 7.1.1).
        self._drain()
        self._stream.close()
        if has_hidden_buffer(self._stream) and not self._is_behind:
            # TLS has a goodbye of its own. Ours goes out in this turn or the next; the peer's is not waited for, since
            # whoever is told of the end may close the event loop.
            self._loop.call_soon(self._loop.call_soon, self._stream.abort)
        self._tell_end()

    def _fail(self, violation: Violation) -> None:
        """End the connection because the peer broke the protocol (section 7.1.7)."""
        self._stop_hearing()
        self._say_what_is_wrong(violation)

    def _fail_if_hearing(self, violation: Violation) -> None:
        if self._is_hearing:
            self._fail(violation)

    def _say_what_is_wrong(self, violation: Violation) -> None:
        if self._goodbye is None:
            self._goodbye = Ending(code=violation.code, by="us", detail=violation.detail)
            if self._is_broken_off:
                self._drain()
                self._loop.call_soon(self._stream.abort)  # picows may still be at work on what came
                return
            self._can_send = False
            self._frames.send_close(violation.code, rfc6455.fit_reason(violation.text))
        else:
            self._goodbye = msgspec.structs.replace(self._goodbye, detail=violation.detail)
        self._drain()
        end_writing(self._stream)

    def _receiver_raised(self, where: str, error: Exception) -> None:
        text = report_failure(self._loop, error, where)
        self._stop_hearing()
        if self._goodbye is None:
            self._say_what_is_wrong(Violation(rfc6455.INTERNAL_ERROR, "internal error", text))

    def _stop_hearing(self) -> None:
        self._is_hearing = self._is_between = False

    def _drain(self) -> None:
        """Read and throw away until the peer has closed."""
        self.resume()
        self._stream.set_protocol(Drain(self._finish))
        self._limit_closing()

    def _limit_closing(self) -> None:
        if self._overdue is None and not self._is_ended:
            figures = partial(taken, self._stream)
            self._overdue = ClosingTime(self._loop, self._close_within_s, figures, self._end_overdue)

    def _end_overdue(self) -> None:
        self._goodbye = overdue(self._goodbye, untaken_bytes(self._stream), self._close_within_s)
        self._stop_hearing()
        self._stream.abort()

    def _finish(self) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        self._can_send = False
        if self._is_hearing and self._goodbye is not None:
            self._goodbye = self._broken(self._goodbye)
        self._stop_hearing()
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        self._tell_emptied()
        self._frames = self._stream = None  # breaks the cycle with picows' objects, whose buffers are large
        if self._forget is not None:
            self._forget(self)
        self._tell_end()

    def _broken(self, goodbye: Ending) -> Ending:
        """How it ended if the peer's goodbye did not come: a stream that broke has forgotten how much it still held."""
        untaken = untaken_bytes(self._stream)
        held_bytes = self._overdue.last[0] if self._overdue is not None else 0
        return broken(goodbye, untaken + held_bytes) if untaken or self._is_behind else goodbye

    def _tell_emptied(self) -> None:
        emptied, self._emptied = self._emptied, None
        if emptied is not None and not emptied.done():
            emptied.set_result(None)

    def _tell_end(self) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self._keepalive is not None:
            self._keepalive.end()
            self._keepalive = None
        try:
            self._receiver.on_ended(self._goodbye or Ending(code=rfc6455.ABNORMAL, by="wire"))
        except Exception as error:
            report_failure(self._loop, error, "on_ended")


def _unsendable(error: UnicodeEncodeError) -> TransportError:
    return TransportError(
        f"text with a surrogate at index {error.start} cannot be sent: UTF-8 has no form for it",
        hint="send bytes, or mend the text where it is made",
    )

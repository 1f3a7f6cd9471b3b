"""picows, held in one place: it makes frames of what is read, and bytes of what is sent.

Its protocol class is used instead of `ws_connect` and `ws_create_server`, for four reasons: a cancelled `ws_connect`
leaves its socket open; it follows redirects, with every header; neither side sees a handshake before it is judged; and
a server's port could carry nothing but WebSocket. All that we lean on of picows' inside is in this file.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from picows import WSAutoPingStrategy, WSListener, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # missing from the stubs only

from antiphon.transport.websocket.rfc6455 import INTERNAL_ERROR, PROTOCOL_ERROR, TOO_BIG, Violation, too_big

__all__ = ["FrameListener", "HeldStream", "feed", "frames_of_client", "frames_of_server", "holds_part_of_frame"]

logger = logging.getLogger("antiphon.transport.websocket")

READ_BUFFER_BYTES: Final = 4 * 1024
"""What a connection's buffer begins with: most are silent, or say little at once. picows doubles it whenever a read
fills it, so that a busy one soon has what it needs (no slower than from 16 KiB on, measured)."""


_SPARE_BYTES: Final = 256
"""What picows does not use of the buffer that a connection begins with."""


class FrameListener(Protocol):
    """What picows' parser reports to, beside the frames."""

    def parser_failed(self, violation: Violation) -> None:
        """The parser found a frame that breaks the protocol and stops; called once, before it says so to the peer.

        The frame before, if it came in the same read, is delivered after this.
        """
        ...


class HeldStream:
    """What picows gets for the stream: the stream, which it cannot close, and which can be taken from it.

    picows closes 10 ms after it met a broken frame. While the peer is still sending, that resets the connection, and
    the peer never reads our close code. When to close is for the connection to say.
    """

    __slots__ = ("get_extra_info", "is_mute", "stream")

    def __init__(self, stream: asyncio.Transport) -> None:
        self.stream = stream
        self.get_extra_info: Callable[..., Any] = stream.get_extra_info
        self.is_mute = False
        """Set to have picows write nothing more; it does not notice."""

    def get_write_buffer_size(self) -> int:
        # While nothing waits to be written, picows writes to the socket itself, past this stream.
        return 1 if self.is_mute else self.stream.get_write_buffer_size()

    def write(self, data: Any) -> None:
        if not self.is_mute:
            self.stream.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Write the pieces as one, which is a copy of them.

        picows gives the head of a large frame as a view of its own buffer, where it makes the next head; uvloop keeps
        views as they are while the socket takes no more, so the peer would get this frame under a later frame's head.
        """
        if not self.is_mute:
            self.stream.write(b"".join(pieces))

    def close(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""


class _ParserLog:
    """A logger as picows asks for, because only its log tells of a parser's error when it happens.

    Everything else that picows says goes to our logger at DEBUG: what is wrong is told by the connection's ending.
    """

    def __init__(self) -> None:
        self.listener: FrameListener | None = None

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802 - the name is logging's
        return False

    def error(self, message: str, *args: object) -> None:
        logger.debug(message, *args)
        match args:
            case ((int() as code, str() as text),):
                self._report(_violation(int(code), text))

    def exception(self, message: str, *args: object) -> None:
        logger.debug(message, *args, exc_info=True)
        violation = Violation(PROTOCOL_ERROR, "a frame that could not be parsed")
        if isinstance(error := sys.exception(), MemoryError):  # not the peer's fault, and whose loop it is must know
            violation = Violation(INTERNAL_ERROR, "internal error", "no memory for a frame")
            asyncio.get_running_loop().call_exception_handler({"message": violation.detail, "exception": error})
        self._report(violation)

    def debug(self, message: str, *args: object) -> None:
        logger.debug(message, *args)

    def log(self, _level: int, message: str, *args: object) -> None:
        logger.debug(message, *args)

    info = warning = debug

    def _report(self, violation: Violation) -> None:
        listener, self.listener = self.listener, None  # after its first failure a parser reads nothing but noise
        if listener is not None:
            listener.parser_failed(violation)


def _violation(code: int, text: str) -> Violation:
    if code == TOO_BIG and (sizes := re.search(r"(\d+) > (\d+)", text)):
        return too_big(f"a frame of {sizes[1]} bytes", int(sizes[2]))
    return Violation(code, text.removeprefix("Received "))


def frames_of_client(
    stream: asyncio.Transport,
    host: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    accept: Callable[[], Any],
    max_size_bytes: int,
) -> Any:
    """A client's frame protocol on an open stream; it has sent the upgrade request.

    `accept` gives the listener once the peer's 101 has been fed. If that is not in order, the protocol's
    `wait_until_handshake_complete()` raises WSHandshakeError.
    """
    log = _ParserLog()

    def make(_request: object, _response: object) -> WSListener:
        listener: WSListener = accept()
        log.listener = listener  # type: ignore[assignment]  # connections are both
        return listener

    protocol = _protocol(host, target, True, make, log, max_size_bytes, list(headers))
    _begin(protocol, stream)
    return protocol


def frames_of_server(stream: asyncio.Transport, listener: Any, headers: Mapping[str, str], max_size_bytes: int) -> Any:
    """A server's frame protocol on an open stream: when it is fed the request, it answers 101 with these headers."""
    log = _ParserLog()
    log.listener = listener

    def make(_request: object) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), listener)

    protocol = _protocol(None, None, False, make, log, max_size_bytes, None)
    _begin(protocol, stream)
    return protocol


_UNIX: Final = getattr(socket, "AF_UNIX", None)


class _UnixSocket(socket.socket):
    """A Unix socket, which has none of the options of TCP: for picows they are set, and 0."""

    def setsockopt(self, *_option: Any) -> None:
        pass

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        return 0 if level == socket.IPPROTO_TCP else super().getsockopt(level, option, *size)


def _begin(protocol: Any, stream: asyncio.Transport) -> None:
    """Give picows the stream.

    It sets and reads half a dozen options of the socket, and uvloop's would make a socket of Python's for each of them.
    """
    held = HeldStream(stream)
    theirs = stream.get_extra_info("socket")
    kind = _UnixSocket if theirs.family == _UNIX else socket.socket
    once = kind(theirs.family, theirs.type, theirs.proto, theirs.fileno())
    held.get_extra_info = lambda name, *otherwise: once if name == "socket" else stream.get_extra_info(name, *otherwise)
    try:
        protocol.connection_made(held)
    finally:
        once.detach()  # else it would close the stream's when it is thrown away
        held.get_extra_info = stream.get_extra_info


def _protocol(
    host: str | None,
    target: str | None,
    is_client: bool,
    make: Callable[..., object],
    log: _ParserLog,
    max_size_bytes: int,
    headers: list[tuple[str, str]] | None,
) -> Any:
    return WSProtocol(
        host,
        target,
        is_client,
        make,
        log,
        True,  # disconnect_on_exception: none gets so far
        None,  # websocket_handshake_timeout: whoever opens has one
        False,  # enable_auto_ping
        10,  # auto_ping_idle_timeout
        10,  # auto_ping_reply_timeout
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # enable_auto_pong: it would answer pings with reserved bits
        max_size_bytes,
        headers,
        READ_BUFFER_BYTES,
    )


def holds_part_of_frame(protocol: Any) -> bool:
    """Whether the beginning of a frame has been read, and its end has not.

    Whole frames leave the buffer with the read that completes them, so what is not free then is the beginning of one.
    The buffer has been doubled as often as it was too small.
    """
    free_bytes = len(protocol.get_buffer(-1))
    size_bytes = READ_BUFFER_BYTES - _SPARE_BYTES
    while size_bytes < free_bytes:
        size_bytes *= 2
    return free_bytes != size_bytes


def feed(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Give data that was read already to a protocol, buffered or not; picows gets no more once its parser failed."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        protocol.data_received(data)  # type: ignore[attr-defined]  # it is an asyncio.Protocol, or looks like one
        return
    rest = memoryview(data)
    while rest and not (isinstance(protocol, WSProtocol) and protocol.transport.underlying_transport.is_mute):
        room = memoryview(protocol.get_buffer(len(rest)))
        size = min(len(room), len(rest))
        room[:size] = rest[:size]
        protocol.buffer_updated(size)
        rest = rest[size:]

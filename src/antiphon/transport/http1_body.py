"""Where the body of an HTTP/1.1 request ends (RFC 9112 section 6), without reading what is in it."""

from __future__ import annotations

from typing import Final

from antiphon.transport import http1_head as heads
from antiphon.transport.http1_head import RequestHead

__all__ = ["Body", "body_of"]

MAX_LINE_BYTES: Final = 8 * 1024


class Body:
    """A body of known length, and what the others share.

    `take(data)` says how many of the bytes belong to it; `is_done` when nothing more will.
    """

    def __init__(self, size_bytes: int) -> None:
        self._left_bytes = size_bytes

    @property
    def is_done(self) -> bool:
        return self._left_bytes == 0

    def take(self, data: bytes) -> int:
        """The number of bytes at the start of `data` that belong to the body. Raises ValueError if it is malformed."""
        size = min(self._left_bytes, len(data))
        self._left_bytes -= size
        return size


class ChunkedBody(Body):
    """A body in chunks, each with its length before it, and trailers after the last (section 7.1)."""

    def __init__(self) -> None:
        super().__init__(0)
        self._line = b""
        self._is_in_trailers = False
        self._is_done = False

    @property
    def is_done(self) -> bool:
        return self._is_done

    def take(self, data: bytes) -> int:
        position = 0
        while position < len(data) and not self._is_done:
            if self._left_bytes:
                position += super().take(data[position:])
                continue
            end = data.find(b"\n", position)
            self._line += data[position : end + 1 if end >= 0 else len(data)]
            if len(self._line) > MAX_LINE_BYTES:
                raise ValueError("a line of a chunked body is too long")
            if end < 0:
                return len(data)
            position = end + 1
            line, self._line = self._line.strip(), b""
            self._take_line(line)
        return position

    def _take_line(self, line: bytes) -> None:
        if self._is_in_trailers:
            self._is_done = not line
            return
        try:
            size_bytes = int(line.partition(b";")[0], 16)
        except ValueError:
            raise ValueError("a chunk of the body has no length") from None
        if size_bytes == 0:
            self._is_in_trailers = True
        else:
            self._left_bytes = size_bytes + 2  # and the line's end behind it


class EndlessBody(Body):
    """Whatever comes until the connection ends: a tunnel, or another protocol."""

    def __init__(self) -> None:
        super().__init__(0)

    @property
    def is_done(self) -> bool:
        return False

    def take(self, data: bytes) -> int:
        return len(data)


def body_of(request: RequestHead) -> Body:
    """The body of this request. Raises ValueError if its length cannot be told."""
    if request.method == "CONNECT" or "Upgrade" in request.headers:
        return EndlessBody()
    if "Transfer-Encoding" in request.headers:
        if heads.tokens(request.headers, "Transfer-Encoding")[-1:] != ["chunked"]:
            raise ValueError("the body's last transfer coding is not chunked")
        return ChunkedBody()
    length = request.headers.get("Content-Length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise ValueError("the Content-Length is no number")
    return Body(int(length))

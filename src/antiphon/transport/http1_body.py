"""Where the body of an HTTP/1.1 message ends (RFC 9112 section 6), and the beginning of what is in it."""

from __future__ import annotations

from typing import Final

from antiphon.conversation.headers import Headers
from antiphon.transport import http1_head as heads
from antiphon.transport.digits import read_digits
from antiphon.transport.http1_head import RequestHead, ResponseHead

__all__ = ["Body", "ChunkedBody", "EndlessBody", "body_of_request", "body_of_response"]

MAX_LINE_BYTES: Final = 8 * 1024
_LINE_END: Final = b"\r\n"
_NO_BODY: Final = frozenset({204, 304})

Data = bytes | bytearray


class Body:
    """A body of known length, and what the others share.

    `take(data)` says how many of the bytes belong to it; `is_done` when nothing more will. `content` is the first
    `kept_bytes` of what it says.
    """

    def __init__(self, size_bytes: int, kept_bytes: int = 0) -> None:
        self.content = bytearray()
        self._left_bytes = size_bytes
        self._room_bytes = kept_bytes

    @property
    def is_done(self) -> bool:
        return self._left_bytes == 0

    @property
    def is_full(self) -> bool:
        """Is as much kept as may be?"""
        return self._room_bytes == 0

    def take(self, data: Data) -> int:
        """The number of bytes at the start of `data` that belong to the body. Raises ValueError if it is malformed."""
        return self._take_content(data, 0)

    def _take_content(self, data: Data, start: int) -> int:
        """How many bytes from `start` on are content that is still to come; they are kept while there is room."""
        size = min(self._left_bytes, len(data) - start)
        self._left_bytes -= size
        self._keep(data, start, size)
        return size

    def _keep(self, data: Data, start: int, size: int) -> None:
        if self._room_bytes:
            piece = data[start : start + min(size, self._room_bytes)]
            self.content += piece
            self._room_bytes -= len(piece)


class ChunkedBody(Body):
    """A body in chunks, each with its length before it, and trailers after the last (section 7.1).

    Lines end with CRLF, and nothing but CRLF stands behind a chunk: whoever forgives more than the server behind it
    sees requests where that one sees none.
    """

    def __init__(self, kept_bytes: int = 0) -> None:
        super().__init__(0, kept_bytes)
        self._line = bytearray()
        self._is_in_chunk = False
        self._is_in_trailers = False
        self._is_done = False

    @property
    def is_done(self) -> bool:
        return self._is_done

    def take(self, data: Data) -> int:
        # A position moves through the data: to slice off what is read would copy the rest once for each chunk.
        position = 0
        while position < len(data) and not self._is_done:
            if self._left_bytes:
                position += self._take_content(data, position)
            else:
                position = self._read_line(data, position)
        return position

    def _read_line(self, data: Data, position: int) -> int:
        end = data.find(b"\n", position, position + MAX_LINE_BYTES)
        stop = end + 1 if end >= 0 else min(len(data), position + MAX_LINE_BYTES)
        self._line += data[position:stop]
        if len(self._line) > MAX_LINE_BYTES:
            raise ValueError("a line of a chunked body is too long")
        if end >= 0:
            line, self._line = bytes(self._line), bytearray()
            if not line.endswith(_LINE_END):
                raise ValueError("a line of a chunked body does not end with CRLF")
            self._take_line(line.removesuffix(_LINE_END))
        return stop

    def _take_line(self, line: bytes) -> None:
        if self._is_in_trailers:
            self._is_done = not line
        elif self._is_in_chunk:
            if line:
                raise ValueError("a chunk of the body is longer than it says")
            self._is_in_chunk = False
        else:
            # What stands behind a semicolon is an extension, and those that nobody knows are ignored (section 7.1.1).
            digits = line.partition(b";")[0].rstrip(b" \t").decode("latin-1")
            try:
                self._left_bytes = read_digits(digits, base=16)
            except ValueError as error:
                raise ValueError(f"a chunk of the body has no length: {error}") from None
            self._is_in_chunk = self._left_bytes > 0
            self._is_in_trailers = not self._is_in_chunk


class EndlessBody(Body):
    """Whatever comes until the connection ends: a tunnel, another protocol, an answer without a length."""

    def __init__(self, kept_bytes: int = 0) -> None:
        super().__init__(0, kept_bytes)

    @property
    def is_done(self) -> bool:
        return False

    def take(self, data: Data) -> int:
        self._keep(data, 0, len(data))
        return len(data)


def body_of_request(request: RequestHead) -> Body:
    """The body of this request (section 6.3). Raises ValueError if its length cannot be told."""
    # After either, bytes belong to another protocol, which may well look like requests (RFC 9110, 7.8 and 9.3.6).
    if request.method == "CONNECT" or "Upgrade" in request.headers:
        return EndlessBody()
    if "Transfer-Encoding" in request.headers:
        if not _is_chunked(request.headers):
            raise ValueError("the body's last transfer coding is not chunked")
        return ChunkedBody()
    return Body(_length(request.headers.get("Content-Length", "0")))


def body_of_response(answer: ResponseHead, kept_bytes: int) -> Body:
    """The body of this answer to a GET, of which the beginning is kept. Raises ValueError if its length is none."""
    if answer.status in _NO_BODY:
        return Body(0)
    if "Transfer-Encoding" in answer.headers:  # it overrides a Content-Length (section 6.3)
        return ChunkedBody(kept_bytes) if _is_chunked(answer.headers) else EndlessBody(kept_bytes)
    if "Content-Length" in answer.headers:
        return Body(_length(answer.headers["Content-Length"]), kept_bytes)
    return EndlessBody(kept_bytes)


def _length(text: str) -> int:
    try:
        return read_digits(text)
    except ValueError as error:
        raise ValueError(f"the Content-Length is no length: {error}") from None


def _is_chunked(headers: Headers) -> bool:
    return [name.lower() for name in heads.tokens(headers, "Transfer-Encoding")][-1:] == ["chunked"]

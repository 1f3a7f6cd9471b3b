"""Where messages begin and end in a stream of bytes: the seam between a wire without frames and a dialect.

A framing cuts what was read into frames, which the dialect then reads one by one, and wraps what the dialect says. It
does no I/O and knows no time. `Link(…, framing=ContentLength())`; each connection has its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import ClassVar, Final, Self

from antiphon.conversation.message import Data
from antiphon.errors import DialectError, TransportError

__all__ = ["DEFAULT_LIMIT_BYTES", "ContentLength", "Framing", "LengthPrefix", "Lines", "NulTerminated", "as_bytes"]

DEFAULT_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""The longest frame that is taken, where a framing says no other."""
_HEAD_LIMIT_BYTES: Final = 8 * 1024
_MOST_DIGITS: Final = 18


class Framing(ABC):
    """One connection's framing, and what it is copied from. `limit_bytes` bounds a received frame."""

    def __init__(self, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self._rest = bytearray()

    def framing(self) -> Self:
        """A deep copy, for one connection."""
        return deepcopy(self)

    @property
    def holds_part(self) -> bool:
        """Whether part of a frame has come, and its rest has not."""
        return bool(self._rest)

    @abstractmethod
    def feed(self, data: bytes) -> Iterable[Data]:
        """The frames that `data` completes, in order, without what frames them: `str` where the framing is for text.

        Raises DialectError where frames cannot be told any more, or one is too large: then the connection is over, and
        what was given before counts. A frame that makes no sense is the dialect's affair.
        """

    @abstractmethod
    def wrap(self, data: Data) -> bytes:
        """The frame for it. Raises TransportError for what cannot be framed."""

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self.limit_bytes:
            text = f"a frame of {size_bytes:,} bytes or more is over the limit of {self.limit_bytes:,}"
            raise DialectError(text, hint=f"{type(self).__name__}(limit_bytes=…) takes larger ones")


class _Terminated(Framing):
    """Frames of text, each with its end behind it."""

    end: ClassVar[bytes]

    def feed(self, data: bytes) -> Iterator[Data]:
        rest, begin, searched = self._rest, 0, len(self._rest)
        rest += data
        while (found := rest.find(self.end, searched)) >= 0:
            self._check_size(found - begin)
            frame = bytes(rest[begin:found])
            begin = searched = found + len(self.end)
            yield _text(self._trimmed(frame))
        del rest[:begin]
        self._check_size(len(rest))

    def wrap(self, data: Data) -> bytes:
        frame = as_bytes(data)
        if self.end in frame:
            text = (
                f"{self.end!r} at byte {frame.index(self.end)} would end the frame: {type(self).__name__} ends with it"
            )
            raise TransportError(text, hint="leave it out, or take a framing by length")
        return frame + self.end

    def _trimmed(self, frame: bytes) -> bytes:
        return frame


class Lines(_Terminated):
    r"""Each line is a frame, without its `\n` or `\r\n`; what is said gets a `\n`."""

    end = b"\n"

    def _trimmed(self, frame: bytes) -> bytes:
        return frame.removesuffix(b"\r")


class NulTerminated(_Terminated):
    """Each frame ends with a byte of 0."""

    end = b"\0"


class LengthPrefix(Framing):
    """Each frame has its length before it, in `size` bytes, the most significant first.

    `is_text` gives frames as text, so that the journal is readable.
    """

    def __init__(self, size: int = 4, *, is_text: bool = False, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        super().__init__(limit_bytes=limit_bytes)
        self._size = size
        self._is_text = is_text

    def feed(self, data: bytes) -> Iterator[Data]:
        rest, begin, size = self._rest, 0, self._size
        rest += data
        while len(rest) - begin >= size:
            length = int.from_bytes(rest[begin : begin + size], "big")
            self._check_size(length)
            end = begin + size + length
            if len(rest) < end:
                break
            frame = bytes(rest[begin + size : end])
            begin = end
            yield _text(frame) if self._is_text else frame
        del rest[:begin]

    def wrap(self, data: Data) -> bytes:
        frame = as_bytes(data)
        try:
            return len(frame).to_bytes(self._size, "big") + frame
        except OverflowError:
            text = f"{len(frame):,} bytes are more than a length of {self._size} bytes can say"
            raise TransportError(text, hint="LengthPrefix(size=…) takes longer ones") from None


class ContentLength(Framing):
    """Each frame has a head before it that says its length, as language servers have it (LSP 3.17, base protocol).

    Fields of the head but Content-Length are read over. Frames are text.
    """

    def feed(self, data: bytes) -> Iterator[Data]:
        rest, begin = self._rest, 0
        rest += data
        while (head_end := rest.find(b"\r\n\r\n", begin, begin + _HEAD_LIMIT_BYTES)) >= 0:
            length = _content_length(bytes(rest[begin:head_end]))
            self._check_size(length)
            end = head_end + 4 + length
            if len(rest) < end:
                break
            frame = bytes(rest[head_end + 4 : end])
            begin = end
            yield _text(frame)
        else:
            if len(rest) - begin >= _HEAD_LIMIT_BYTES:
                raise DialectError(f"a head has not ended after {_HEAD_LIMIT_BYTES:,} bytes")
        del rest[:begin]

    def wrap(self, data: Data) -> bytes:
        frame = as_bytes(data)
        return b"Content-Length: %d\r\n\r\n" % len(frame) + frame


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            digits = value.strip()
            if digits.isdigit() and len(digits) <= _MOST_DIGITS:
                return int(digits)
    raise DialectError(f"a head without a length: {head[:80]!r}", hint="is it this framing that the other side speaks?")


def _text(frame: bytes) -> Data:
    """As text if it is some; else the dialect may say what it thinks of it."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return frame


def as_bytes(data: Data) -> bytes:
    """Text as UTF-8. Raises TransportError for text that has no such form."""
    try:
        return data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        text = f"text with a surrogate at index {error.start} cannot be sent: UTF-8 has no form for it"
        raise TransportError(text, hint="send bytes, or mend the text where it is made") from error

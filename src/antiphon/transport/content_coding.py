"""How a body is compressed on its way (RFC 9110 section 8.4), undone in pieces."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

__all__ = ["ACCEPTED", "Decoder", "decoder_for"]

ACCEPTED: Final = "gzip, deflate"
PIECE_BYTES: Final = 64 * 1024
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
"""zlib's way to ask for a gzip header and trailer."""

_ZLIB_METHOD: Final = 8
_GZIP_MAGIC: Final = 0x1F


class Decoder(Protocol):
    """Undoes one coding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What the next data says, in pieces of bounded size. Raises ValueError if it is not in this coding."""
        ...

    def end(self) -> None:
        """Nothing more comes. Raises ValueError if something is missing."""
        ...


class _Identity:
    """A body as it is."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        """Nothing can be missing."""


class _Zlib:
    """gzip or deflate; a few kilobytes may say a gigabyte, so nobody is given more of it than a piece at a time."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._stream: zlib._Decompress | None = None
        self._has_ended = False
        self._is_padding = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._is_over(data):
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window_of(data))
            stream = self._stream
            try:
                # A full piece may not be all: zlib keeps what it had no room to say, also when it has read everything.
                while piece := stream.decompress(data, PIECE_BYTES):
                    yield piece
                    data = stream.unconsumed_tail
            except zlib.error as error:
                raise ValueError(f"the body is not {self._coding}: {error}") from error
            data = stream.unused_data
            if stream.eof:
                self._stream, self._has_ended = None, True

    def _is_over(self, data: bytes) -> bool:
        """One gzip file may follow another (RFC 1952 section 2.2); whatever else follows is padding."""
        if self._stream is None and self._has_ended:
            # For good: what looks like gzip in the middle of padding must not depend on where the data was cut.
            self._is_padding = self._is_padding or self._coding == "deflate" or data[0] != _GZIP_MAGIC
        return self._is_padding

    def end(self) -> None:
        if self._stream is not None:
            raise ValueError(f"the body ends in the middle of its {self._coding}")

    def _window_of(self, data: bytes) -> int:
        if self._coding == "gzip":
            return _GZIP_WINDOW
        # "deflate" means zlib's format (RFC 9110 section 8.4.1.2); some send it without its two bytes of head.
        return zlib.MAX_WBITS if data[0] & 0x0F == _ZLIB_METHOD else -zlib.MAX_WBITS


def decoder_for(coding: str) -> Decoder:
    """What undoes a Content-Encoding, "" for none. Raises ValueError if that is none of ours."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return _Identity()
    if name in ("gzip", "x-gzip"):
        return _Zlib("gzip")
    if name == "deflate":
        return _Zlib("deflate")
    raise ValueError(f"the body is encoded as {coding[:40]!r}; we read {ACCEPTED}")

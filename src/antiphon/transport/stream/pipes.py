"""Pipes, which lead one way each: two of them as the stream that a `StreamConnection` works on, and one in lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["PipePair", "WholeLines"]

_LONGEST_BYTES: Final = 64 * 1024


class PipePair:
    """What is read from one pipe, and written to the other; closing leaves the reading to whoever is at its end."""

    def __init__(self, reading: Any, writing: Any) -> None:
        self._reading = reading
        self._writing = writing
        self._is_closing = False
        self.pause_reading = reading.pause_reading
        self.resume_reading = reading.resume_reading
        self.get_write_buffer_size = writing.get_write_buffer_size
        self.set_write_buffer_limits = writing.set_write_buffer_limits

    def write(self, data: bytes) -> None:
        """Write it, if there is still somebody who reads."""
        if not self._writing.is_closing():
            self._writing.write(data)

    def can_write_eof(self) -> bool:
        """Pipes end apart."""
        return True

    def write_eof(self) -> None:
        """End the writing, behind what was written."""
        self._writing.close()

    def close(self) -> None:
        """The same, and no more is to come of it."""
        self._is_closing = True
        self._writing.close()

    def abort(self) -> None:
        """End both now."""
        self._is_closing = True
        self._writing.abort()
        self._reading.close()

    def is_closing(self) -> bool:
        """Whether it was closed from here."""
        return self._is_closing

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        """Pipes tell nothing about themselves."""
        return default


class WholeLines:
    """Text that comes in pieces, told in whole lines: what is masked, or shown, must not be cut in the middle.

    Nothing is told before `begin`; `end` tells the rest. A line without an end is told in pieces of 64 KiB.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._rest = b""
        self._has_begun = False
        self._last = ""

    @property
    def last(self) -> str:
        """The latest line that is not empty, told or not."""
        return _last_line(self._rest.decode(errors="backslashreplace")) or self._last

    def feed(self, data: bytes) -> None:
        """A piece has come."""
        self._rest += data
        if self._has_begun:
            end = self._rest.rfind(b"\n") + 1
            self._say(len(self._rest) if not end and len(self._rest) > _LONGEST_BYTES else end)

    def begin(self) -> None:
        """Somebody hears now."""
        self._has_begun = True
        self.feed(b"")

    def end(self) -> None:
        """Nothing more comes."""
        self._say(len(self._rest))

    def _say(self, size_bytes: int) -> None:
        said, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
        lines = said.decode(errors="backslashreplace").rstrip("\r\n")
        if lines:
            self._last = _last_line(lines) or self._last
            self._tell(lines)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()

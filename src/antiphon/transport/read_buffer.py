"""What was read and not yet understood."""

from __future__ import annotations

__all__ = ["ReadBuffer"]


class ReadBuffer:
    """Bytes in the order in which they came, taken from the front.

    Its cost is linear in what came, however it was cut: nothing is copied to make room (a bytearray gives up its front
    without moving the rest), and no byte is searched twice.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched_bytes = 0

    def __len__(self) -> int:
        return len(self._data)

    @property
    def data(self) -> bytearray:
        """All of it, to be looked at and not to be kept."""
        return self._data

    def append(self, data: bytes) -> None:
        """Put data behind what is there."""
        self._data += data

    def take(self, size_bytes: int | None = None) -> bytes:
        """The first bytes, or all of them; they are gone from here then."""
        taken = bytes(self._data if size_bytes is None else self._data[:size_bytes])
        self._drop(len(taken))
        return taken

    def take_until(self, mark: bytes) -> bytes | None:
        """What stands before the first `mark`, which is gone as well; None as long as there is none."""
        start = max(0, self._searched_bytes - len(mark) + 1)  # a mark may have come in two pieces
        end = self._data.find(mark, start)
        if end < 0:
            self._searched_bytes = len(self._data)
            return None
        taken = bytes(self._data[:end])
        self._drop(end + len(mark))
        return taken

    def skip(self, signs: bytes) -> None:
        """Drop what the data begins with of these bytes."""
        size = 0
        while size < len(self._data) and self._data[size] in signs:
            size += 1
        self._drop(size)

    def clear(self) -> None:
        """Drop everything."""
        self._drop(len(self._data))

    def _drop(self, size_bytes: int) -> None:
        if size_bytes:
            del self._data[:size_bytes]
            self._searched_bytes = 0

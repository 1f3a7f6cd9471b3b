"""How far a process of a load has come, to be read when it is gone: what it has told by then is a second old."""

from __future__ import annotations

import mmap
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Tally"]

_PLACES: Final = 512
_BYTES: Final = 8


class Tally:
    """A whole number for each place, 0 at first, in memory that two processes share: one notes, the other reads.

    Places beyond the first 512 are not noted. Raises OSError if there can be no such memory.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        """A file, by which the other process finds it; once it has, the file may go."""
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _PLACES * _BYTES)
        self._numbers = memoryview(self._memory).cast("Q")

    @classmethod
    def new(cls) -> Tally:
        """One with a file of its own."""
        with tempfile.NamedTemporaryFile(prefix="antiphon-", suffix=".tally", delete=False) as file:
            try:
                # Written, not made so long: on a disk that is full then, to note something would kill us (SIGBUS).
                file.write(bytes(_PLACES * _BYTES))
                file.flush()
                return cls(file.name)
            except BaseException:
                Path(file.name).unlink()
                raise

    def note(self, place: int, number: int) -> None:
        """It has come to that number there."""
        if place < _PLACES:
            self._numbers[place] = number

    def read(self) -> list[int]:
        """All of it; nothing once it is closed."""
        return self._numbers.tolist() if not self._memory.closed else []

    def forget_file(self) -> None:
        """Nobody else will look for it."""
        with suppress(OSError):  # it is gone already; or another system lets nobody remove what is open
            Path(self.path).unlink()

    def close(self) -> None:
        """Close it; closing twice does nothing."""
        self._numbers.release()
        self._memory.close()
        self.forget_file()

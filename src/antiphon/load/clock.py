"""The time of a load: seconds since a moment of the wall clock, counted by a clock that nobody sets."""

from __future__ import annotations

import asyncio
import time
from typing import Final

__all__ = ["LoadClock"]


class LoadClock:
    """Counts from `at`, in seconds since the epoch; below 0 before. In a loop with virtual time it goes with that."""

    def __init__(self, at: float) -> None:
        self.at: Final = at
        self._read_ns = getattr(asyncio.get_running_loop(), "now_ns", time.monotonic_ns)
        self._origin_ns: Final = self._read_ns() + round((at - time.time()) * 1e9)

    @property
    def now_ns(self) -> int:
        """Nanoseconds since then."""
        now_ns: int = self._read_ns() - self._origin_ns
        return now_ns

    @property
    def now_s(self) -> float:
        """Seconds since then."""
        return self.now_ns / 1e9

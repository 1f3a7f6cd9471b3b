"""The time of a run: nanoseconds since it began, and the wall-clock moment of that beginning."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

__all__ = ["Clock", "iso_utc"]


class Clock:
    """Counts from its own creation.

    `read_ns` is the source (tests give a virtual one), and `origin_ns` what it read then; `started_at` is the UTC
    wall-clock time of zero.
    """

    __slots__ = ("origin_ns", "read_ns", "started_at")

    def __init__(self, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.read_ns: Final = monotonic_ns
        self.origin_ns: Final = monotonic_ns()
        self.started_at: Final = datetime.now(UTC)

    def now_ns(self) -> int:
        """Nanoseconds since this clock was made: `read_ns() - origin_ns`, as whoever asks for every message writes."""
        return self.read_ns() - self.origin_ns


def iso_utc(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a `Z`, as `2026-11-22T07:41:44.123Z`."""
    # Not by strftime, which asks the C library for each field: a run says when it began.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

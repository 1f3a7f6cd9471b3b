"""Time limits for peers, in which the time that our own event loop was blocked does not count.

A loop that was blocked (by a long computation, or by a thousand others that wanted something in the same turn) runs its
timers before it reads its sockets: by the clock it would blame the peer for what lies there unread. So the limit is
counted in ticks, of which a blocked loop counts one, however long it was blocked; and when the last one has passed, the
sockets are read once more.

It counts a loop's turns and knows none of its insides: it calls `call_later` and `call_soon`, and `time` for whoever
asks what is left. So it belongs to those whose limits it counts, and not to `runtime`, which keeps the deadlines of
waits by the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, cast

__all__ = ["BusyTolerantTimer", "timeout"]

TICKS: Final = 16


class BusyTolerantTimer:
    """Calls `on_end` after `within_s` seconds of a loop that runs, unless it is cancelled."""

    def __init__(self, loop: asyncio.AbstractEventLoop, within_s: float, on_end: Callable[[], None]) -> None:
        self._loop = loop
        self._tick_s = within_s / TICKS
        self._ticks = 0
        self._on_end = on_end
        self._next: asyncio.Handle = loop.call_later(self._tick_s, self._tick)

    @property
    def left_s(self) -> float:
        """Seconds until it ends, or would have if it was not cancelled: from 0 to `within_s`."""
        if self._ticks == TICKS:
            return 0.0
        tick = cast("asyncio.TimerHandle", self._next)  # uvloop's are not its children
        of_this_tick_s = min(max(tick.when() - self._loop.time(), 0.0), self._tick_s)
        return (TICKS - 1 - self._ticks) * self._tick_s + of_this_tick_s

    def cancel(self) -> None:
        """Do not wait any more."""
        self._next.cancel()
        self._on_end = _nothing  # which mostly leads back here

    def _tick(self) -> None:
        # The next tick is set when this one ran: a loop that was blocked has lost one, not all that were due.
        self._ticks += 1
        if self._ticks < TICKS:
            self._next = self._loop.call_later(self._tick_s, self._tick)
        else:
            self._next = self._loop.call_soon(self._look_once_more)

    def _look_once_more(self) -> None:
        """Two turns, because a loop may run its timers before or after it polls."""
        self._next = self._loop.call_soon(self._on_end)


def _nothing() -> None:
    """What is called in the end of a timer that was cancelled."""


class timeout:  # noqa: N801 - it is used as `asyncio.timeout` is
    """Like `asyncio.timeout`: raises TimeoutError, counted like this, if its block takes longer.

    Cancelling is done as there: `Task.cancelling` and `uncancel` tell our cancellation from others'. A scope of
    asyncio's around this would cost more than all the rest, for each connection.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._is_over = False

    @property
    def left_s(self) -> float:
        """Seconds that are left for whoever goes on with the same, once its block has begun: 0 and more."""
        return self._limit.left_s

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a time limit is for a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._limit = BusyTolerantTimer(loop, self._within_s, self._end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._limit.cancel()
        # If others cancelled the task as well, what they want goes on.
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

"""Deadlines of all the waits of a run, by one timer.

A timer for every wait would cost more than the wait. One timer is armed for the earliest deadline; since deadlines
are made in nearly the order in which they pass, most waits come and go without touching it. A wait that is satisfied
takes nothing back: the timer that was armed for it fires in vain, and is armed for whoever is next then.

No deadline passes silently (P7): also that of a wait which nobody awaits is looked at here.
"""

from __future__ import annotations

import asyncio
import math
from contextvars import Context
from typing import Final, Protocol

from antiphon.conversation.clock import Clock
from antiphon.errors import ScenarioError

__all__ = ["Deadlines", "Sleeper", "nanoseconds"]

_NEVER: Final = 1 << 63
"""Later than any moment, so that "is it before?" is one comparison of numbers, made for every wait."""
_BLOCKED_NS: Final = 20_000_000
"""A timer that fires this much too late tells that the loop was blocked."""


def nanoseconds(within_s: float) -> int | None:
    """How long a deadline lets wait; None for a time without an end. Raises ScenarioError for no number of seconds."""
    try:
        return int(within_s * 1e9)
    except (TypeError, ValueError, OverflowError):
        if within_s == math.inf:
            return None
        raise ScenarioError(f"within_s is {within_s!r}, not a number of seconds") from None


class Sleeper(Protocol):
    """Someone with deadlines: a channel."""

    @property
    def next_deadline_ns(self) -> int | None: ...

    def expire(self, now_ns: int) -> None: ...


class Deadlines:
    """Calls `expire` of its sleepers when the earliest of their deadlines passes.

    `armed_ns` is when the timer is set for. `blocked_ns` is the longest that the loop was seen to be blocked.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self.blocked_ns = 0
        self._loop = loop
        self._clock = clock
        # An empty one: a timer keeps its context, with all of the run in it, until it is due, also if it was cancelled.
        self._context = Context()
        self._sleepers: dict[Sleeper, None] = {}  # no set: whose deadlines pass together, is told in order of joining
        self.armed_ns = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    @property
    def sleepers(self) -> list[Sleeper]:
        """Those whose deadlines pass here."""
        return list(self._sleepers)

    def add(self, sleeper: Sleeper) -> None:
        """Look after the deadlines of `sleeper`."""
        self._sleepers[sleeper] = None

    def remove(self, sleeper: Sleeper) -> None:
        """Do not look after them any more."""
        self._sleepers.pop(sleeper, None)

    def note(self, deadline_ns: int) -> None:
        """A deadline has been made; nothing to do for one that is not before `armed_ns`."""
        if deadline_ns < self.armed_ns:
            self._arm(deadline_ns)

    def close(self) -> None:
        """End the timer; no deadline passes any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._sleepers.clear()
        self.armed_ns = _NEVER

    def _arm(self, deadline_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.armed_ns = deadline_ns
        # A loop that counts milliseconds may fire a little early; _fire then arms again, for 1 ms at the least.
        delay_s = max((deadline_ns - self._clock.now_ns()) / 1e9, 0.001)
        self._timer = self._loop.call_later(delay_s, self._fire, context=self._context)

    def _fire(self) -> None:
        late_ns = self._clock.now_ns() - self.armed_ns
        if late_ns > _BLOCKED_NS:
            # What came while the loop was blocked still lies in the sockets: let it be read before anyone is told
            # that it did not come. Two turns, because a loop may run its timers before or after it polls.
            self.blocked_ns = max(self.blocked_ns, late_ns)
            self._loop.call_soon(self._loop.call_soon, self._expire)
        else:
            self._expire()

    def _expire(self) -> None:
        now_ns = self._clock.now_ns()
        self._timer = None
        self.armed_ns = _NEVER
        # A copy: whoever is told may close its channel, or open another.
        for sleeper in list(self._sleepers):
            deadline_ns = sleeper.next_deadline_ns
            if deadline_ns is not None and deadline_ns <= now_ns:
                sleeper.expire(now_ns)  # resumes tasks, which may make the next deadline and arm the timer for it
                deadline_ns = sleeper.next_deadline_ns
            if deadline_ns is not None:
                self.note(deadline_ns)

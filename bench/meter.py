"""Counts the round trips of a client's parties against the CPU time of its process."""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Protocol

import msgspec

__all__ = ["Meter", "Party", "Plan", "Reading", "cpu_s"]

_LOOK_EVERY_S = 0.02
_LEAST = 100
"""So many round trips are measured, however slow the machine is: what has percentiles needs some."""


def cpu_s() -> float:
    """CPU seconds that this process has used, in user and in system mode."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Party(Protocol):
    """One connection's side: `done` counts its round trips."""

    done: int


class Plan(msgspec.Struct, frozen=True):
    """How long to measure at least, in CPU seconds of the client, after how long a warm-up; and over how many
    connections."""

    connections: int
    warm_up_s: float
    measure_s: float


class Reading(msgspec.Struct, frozen=True):
    """What was measured: `round_trips` in `cpu_s` and `wall_s` seconds; `least` are those of the slowest connection."""

    round_trips: int
    cpu_s: float
    wall_s: float
    least: int

    @property
    def per_cpu_s(self) -> float:
        """Round trips per second of CPU."""
        return self.round_trips / self.cpu_s


class Meter:
    """Lets the parties begin together, and tells them when it `is_over`."""

    is_over = False

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._parties: list[Party] = []
        self._all_here = asyncio.Event()
        self._begin: tuple[int, float, float] | None = None
        self._end: tuple[int, float, float] | None = None

    async def join(self, party: Party) -> None:
        """Wait until all are connected: then the conversation begins, for all at once."""
        if self.is_over:  # a load's user begins again, whose conversation was over
            return
        self._parties.append(party)
        if len(self._parties) == self.plan.connections:
            self._all_here.set()
            asyncio.get_running_loop().call_soon(self._look, cpu_s())
        await self._all_here.wait()

    async def leave(self) -> None:
        """Whoever has nothing more to say goes at once."""

    @property
    def is_measuring(self) -> bool:
        """True after the warm-up, until it is over."""
        return self._begin is not None and not self.is_over

    def reading(self) -> Reading:
        """What was measured. Raises RuntimeError if the parties stopped before it was over."""
        if self._begin is None or self._end is None:
            raise RuntimeError("the conversation ended before it was measured")
        (done, cpu, wall), (done_then, cpu_then, wall_then) = self._end, self._begin
        return Reading(done - done_then, cpu - cpu_then, wall - wall_then, min(party.done for party in self._parties))

    def _look(self, started_s: float) -> None:
        now_s = cpu_s()
        if self._begin is None:
            if now_s - started_s >= self.plan.warm_up_s:
                self._begin = self._now()
        elif now_s - self._begin[1] >= self.plan.measure_s and self._done() - self._begin[0] >= _LEAST:
            self._end = self._now()
            self.is_over = True
            return
        asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._look, started_s)

    def _now(self) -> tuple[int, float, float]:
        return self._done(), cpu_s(), time.monotonic()

    def _done(self) -> int:
        return sum(party.done for party in self._parties)

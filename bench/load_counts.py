"""What the load engine takes of the interpreter beside `perform`, counted and not timed: `python -m bench.load_counts`.

As in `bench.instructions`, over a connection in memory, so that two counts of the same code are equal; time stands
still meanwhile, so nothing depends on how fast the machine is. Prints, as JSON, what a round trip and what a
conversation without messages take. A round trip's count has what measures it, in the call that records it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon import Stand, perform, scenario
from antiphon.load.engine import Engine
from antiphon.load.keeping import Keep, Keeper
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.scenarios.scenario import Scenario
from antiphon.testing import VirtualTimeLoop
from bench.clients.actor import KEPT_UNDER_LOAD
from bench.instructions import Counted, Tracer, _Party
from bench.runs import PartyInMemory

__all__ = ["LoadCounts", "load_counts"]

ROUND_TRIPS: Final = 1_000
CONVERSATIONS: Final = 50
WARMED_UP: Final = 200


class LoadCounts(msgspec.Struct, frozen=True):
    """What is counted; a conversation's is of all Python code, a round trip's of antiphon's own."""

    round_trip: Counted
    round_trip_of_perform: Counted
    conversation: Counted
    conversation_of_perform: Counted


class Count:
    """Counts from conversation `first` on, or from the first one's start, until `last`."""

    def __init__(self, tracer: Tracer, first: int, last: int) -> None:
        self.made = 0
        self._tracer = tracer
        self._first = first
        self._last = last

    def one_more(self) -> None:
        """A conversation is at its only point."""
        if self.made == self._last:
            self._tracer.end()
        if self.made == self._first:
            self._tracer.begin()
        self.made += 1


@scenario
async def talking(party: _Party, tracer: Tracer, round_trips: int) -> None:
    """A party makes so many round trips, counted from the beginning."""
    for made in range(WARMED_UP + round_trips):
        if made == WARMED_UP:
            tracer.begin()
        await party.round_trip()


@scenario
async def silent(party: PartyInMemory, count: Count) -> None:
    """A party connects and leaves."""
    count.one_more()


Performing = Callable[..., Awaitable[None]]


async def by_engine(whom: Scenario[Any, Any], times: int, **parameters: Any) -> None:
    """A user performs it so many times, in the load engine."""
    plan = Plan(part(whom, users=1, count=times, parameters=parameters))
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as directory:
        engine = Engine(plan, _stand(), keeper=Keeper(Keep(), Path(directory)))
        engine.start(time.time())
        while not (await engine.snapshot()).is_over:  # noqa: ASYNC110 - a load asks so, too
            await asyncio.sleep(0.01)
        await engine.stop()


async def by_perform(whom: Scenario[Any, Any], times: int, **parameters: Any) -> None:
    """The same, by `perform`."""
    for _ in range(times):
        await perform(whom, stand=_stand(), runs=None, reports=(), keep=KEPT_UNDER_LOAD, **parameters)


def _stand() -> Stand:
    return Stand("memory", {"peer": "memory://peer"})


def round_trip(performing: Performing) -> Counted:
    """A round trip: the difference of two conversations of which one has more of them."""
    less, more = _talk(performing, ROUND_TRIPS), _talk(performing, 2 * ROUND_TRIPS)
    calls, bytecodes = more.calls - less.calls, more.bytecodes - less.bytecodes
    return Counted(round(calls / ROUND_TRIPS), round(bytecodes / ROUND_TRIPS))


def _talk(performing: Performing, round_trips: int) -> Tracer:
    tracer = Tracer()
    try:
        _run(performing(talking, 1, tracer=tracer, round_trips=round_trips))
    finally:
        tracer.end()
    return tracer


def conversation(performing: Performing) -> Counted:
    """A conversation without messages."""
    tracer = Tracer(everywhere=True)
    count = Count(tracer, WARMED_UP, WARMED_UP + CONVERSATIONS)
    _run(performing(silent, WARMED_UP + CONVERSATIONS + 1, count=count))
    return tracer.counted(CONVERSATIONS)


def _run(performing: Coroutine[Any, Any, None]) -> None:
    async def in_a_task() -> None:
        # The frames that are under way when counting begins are not counted: so nothing of the loop's is.
        await asyncio.create_task(performing)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(in_a_task())


def load_counts() -> LoadCounts:
    """All of them."""
    return LoadCounts(round_trip(by_engine), round_trip(by_perform), conversation(by_engine), conversation(by_perform))


if __name__ == "__main__":
    print(msgspec.json.encode(load_counts()).decode())

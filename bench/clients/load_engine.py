"""antiphon's load engine on its full path: conversations that begin when they are due, measured as they go on, each
with its latest entries; once a second it is asked what was measured, which is written, and the collector is left alone:
all as in a load's process.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from antiphon import Stand, scenario
from antiphon.journal.figures import PartFigures
from antiphon.load.engine import Engine, Snapshot
from antiphon.load.keeping import Keep, Keeper
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.runtime.collector import collect_seldom
from antiphon.scenarios.scenario import Scenario
from bench.clients.actor import Party, taking_workitems
from bench.meter import Meter
from bench.visits import AT_ONCE, Tally

__all__ = ["Loading", "converse", "loading", "visit"]

INTERVAL_S = 1.0
_LOOK_EVERY_S = 0.02


class Loading:
    """A scenario performed by an engine; `figures` are what it has told of its conversations."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.figures = PartFigures()
        self._name = name

    async def until(self, is_over: Callable[[], bool]) -> None:
        """Go on until then."""
        next_s = self.engine.now_s + INTERVAL_S
        while not is_over():
            await asyncio.sleep(_LOOK_EVERY_S)
            if self.engine.now_s >= next_s:
                next_s += INTERVAL_S
                self.look(await self.engine.snapshot())

    def want(self, users: int) -> None:
        """Have so many users from now on."""
        self.engine.set_users({self._name: users}, self.engine.now_s)

    def look(self, snapshot: Snapshot) -> None:
        """Add what it tells, and write it as for another process. Raises AssertionError if a conversation failed."""
        assert msgspec.json.encode(snapshot, enc_hook=str)
        told = snapshot.second.parts[self._name]
        self.figures.started += told.started
        self.figures.passed += told.passed
        self.figures.interrupted += told.interrupted
        if told.failed:
            raise AssertionError(f"{told.failed} conversations failed: {snapshot.second.causes}")


@asynccontextmanager
async def loading(address: str, whom: Scenario[Any, Any], users: int, **parameters: Any) -> AsyncIterator[Loading]:
    """So many users perform the scenario again and again."""
    plan = Plan(part(whom, users=users, parameters=parameters))
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as directory:
        engine = Engine(plan, Stand("bench", {"peer": address}), keeper=Keeper(Keep(), Path(directory)))
        found = Loading(engine, plan.parts[0].name)
        collect_seldom()
        engine.start(time.time())
        try:
            yield found
        finally:
            found.look(await engine.stop())


async def converse(address: str, meter: Meter) -> None:
    """Hold the conversation on as many connections as the meter's plan says, until it is over."""
    async with loading(address, taking_workitems, meter.plan.connections, meter=meter) as load:
        await load.until(lambda: meter.is_over)


@scenario
async def visiting(party: Party, tally: Tally) -> None:
    """A party asks once."""
    await party.round_trip()
    tally.done += 1


async def visit(address: str, meter: Meter) -> None:
    """Connect, ask and leave, again and again, until it is over."""
    tally = Tally()
    async with loading(address, visiting, AT_ONCE, tally=tally) as load:
        await meter.join(tally)
        await load.until(lambda: meter.is_over)
    # Those that were broken off have said what they had to say, or have not.
    assert 0 <= tally.done - load.figures.passed <= load.figures.interrupted, (tally.done, load.figures)

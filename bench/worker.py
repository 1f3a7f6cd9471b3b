"""One client in a process and on a core of its own: `python -m bench.worker CLIENT ADDRESS PLAN` prints the reading.

With `visits` behind it, what is counted are conversations as a whole (`bench.visits`), and no round trips.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import msgspec
import uvloop

from bench.meter import Meter, Plan
from bench.visits import visit_again_and_again

__all__ = ["CLIENTS", "Converse", "client"]

Converse = Callable[[str, Meter], Awaitable[None]]

CLIENTS = {
    "bare picows": "bench.clients.bare_picows",
    "antiphon": "bench.clients.actor",
    "antiphon load": "bench.clients.load_engine",
    "antiphon, journal on disk": "bench.clients.actor",
    "websockets": "bench.clients.hand_written",
    "aiohttp": "bench.clients.over_aiohttp",
}
"""The clients, by the names that they have in the tables, and where they are; a process imports its own only."""


def client(name: str, runs: Path, *, is_visiting: bool = False) -> Converse:
    """The client of that name; what it records on disk goes below `runs`."""
    module = import_module(CLIENTS[name])
    converse: Converse = module.converse
    if name.endswith("on disk"):
        converse = partial(converse, runs=runs)
    if not is_visiting:
        return converse
    own: Converse | None = getattr(module, "visit", None)
    return own if own is not None else partial(visit_again_and_again, converse)


async def measure(name: str, address: str, plan: Plan, *, is_visiting: bool) -> bytes:
    """Perform the plan; the reading as JSON."""
    meter = Meter(plan)
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as runs:
        await client(name, Path(runs), is_visiting=is_visiting)(address, meter)
    return msgspec.json.encode(meter.reading())


if __name__ == "__main__":
    _name, _address, _plan = sys.argv[1:4]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as _runner:
        _is_visiting = sys.argv[4:] == ["visits"]
        _measuring = measure(_name, _address, msgspec.json.decode(_plan, type=Plan), is_visiting=_is_visiting)
        print(_runner.run(_measuring).decode())

"""One client in a process and on a core of its own: `python -m bench.worker CLIENT ADDRESS PLAN` prints the reading."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

import msgspec
import uvloop

from bench.meter import Meter, Plan

__all__ = ["CLIENTS", "Converse", "client"]

Converse = Callable[[str, Meter], Awaitable[None]]

CLIENTS = {
    "bare picows": "bench.clients.bare_picows",
    "antiphon": "bench.clients.actor",
    "antiphon, journal on disk": "bench.clients.actor",
    "websockets": "bench.clients.hand_written",
}
"""The clients, by the names that they have in the tables, and where they are; a process imports its own only."""


def client(name: str, runs: Path) -> Converse:
    """The client of that name; what it records on disk goes below `runs`."""
    module = import_module(CLIENTS[name])
    if name.endswith("on disk"):
        return lambda address, meter: module.converse(address, meter, runs)
    converse: Converse = module.converse
    return converse


async def measure(name: str, address: str, plan: Plan) -> bytes:
    """Perform the plan; the reading as JSON."""
    meter = Meter(plan)
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as runs:
        await client(name, Path(runs))(address, meter)
    return msgspec.json.encode(meter.reading())


if __name__ == "__main__":
    _name, _address, _plan = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as _runner:
        print(_runner.run(measure(_name, _address, msgspec.json.decode(_plan, type=Plan))).decode())

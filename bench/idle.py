"""What a conversation that is silent keeps in memory: `python -m bench.idle CLIENT ADDRESS CONNECTIONS ROUND_TRIPS`.

Each has made so many round trips before, and goes when all are there. Prints as JSON what one more has added to the
process, and to Python's own objects (`tracemalloc`), in a second run of the same: tracing takes memory itself. With
`process` behind it the second run is left out.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from antiphon import scenario
from bench.clients.actor import Party
from bench.meter import Meter, Plan
from bench.meter import Party as Counted
from bench.worker import CLIENTS

__all__ = ["WARMED_UP", "Idle"]

WARMED_UP: Final = 100
"""So many are there before it is measured: what the first ones take is for all."""

AT_ONCE: Final = 100
"""So many connect together."""


class Idle(msgspec.Struct, frozen=True):
    """What each of so many silent conversations has added, in KiB: to the process, and to what Python has allocated.

    `round_trips` is how many it has made before.
    """

    connections: int
    round_trips: int
    process_kib: float
    python_kib: float | None = None


class Gathering:
    """Those who are silent, until `over`."""

    def __init__(self, round_trips: int) -> None:
        self.round_trips = round_trips
        self.over = asyncio.Event()
        self._here = 0
        self._arrived = asyncio.Event()

    async def stay(self) -> None:
        """One more is there."""
        self._here += 1
        self._arrived.set()
        await self.over.wait()

    async def until_there_are(self, number: int) -> None:
        """Wait until so many are there."""
        while self._here < number:
            self._arrived.clear()
            await self._arrived.wait()


class Stay(Meter):
    """What a client asks in one conversation: it makes its round trips, and is silent until all may go."""

    def __init__(self, gathering: Gathering) -> None:
        super().__init__(_ONE)
        self._gathering = gathering
        self._party: Counted | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has made its round trips."""
        return self._party is not None and self._party.done >= self._gathering.round_trips

    async def join(self, party: Counted) -> None:
        """It is connected."""
        self._party = party

    async def leave(self) -> None:
        """Stay as long as the others."""
        await self._gathering.stay()


@scenario
async def staying(party: Party, gathering: Gathering) -> None:
    """A party says what it has to say, and is silent."""
    while party.done < gathering.round_trips:
        await party.round_trip()
    await gathering.stay()


Grow = Callable[[int], Awaitable[None]]
"""Has so many be there."""


@asynccontextmanager
async def of_client(client: str, address: str, gathering: Gathering) -> AsyncIterator[Grow]:
    """The client's conversations, each by itself."""
    converse = import_module(CLIENTS[client]).converse
    held: list[asyncio.Future[None]] = []

    async def grow(number: int) -> None:
        held.extend(asyncio.ensure_future(converse(address, Stay(gathering))) for _ in range(number - len(held)))
        arrived = asyncio.ensure_future(gathering.until_there_are(number))
        await asyncio.wait({arrived, *held}, return_when=asyncio.FIRST_COMPLETED)
        if not arrived.done():  # one has failed
            await asyncio.gather(*(each for each in held if each.done()))

    yield grow
    gathering.over.set()
    await asyncio.gather(*held)


@asynccontextmanager
async def of_engine(address: str, gathering: Gathering) -> AsyncIterator[Grow]:
    """Those of the load engine."""
    from bench.clients.load_engine import loading

    async with loading(address, staying, 1, gathering=gathering) as load:

        async def grow(number: int) -> None:
            load.want(number)
            arrived = asyncio.ensure_future(gathering.until_there_are(number))
            await load.until(arrived.done)

        yield grow


async def hold(client: str, address: str, connections: int, round_trips: int, used_kib: Callable[[], float]) -> float:
    """KiB that each of so many has added."""
    gathering = Gathering(round_trips)
    crowd = of_engine(address, gathering) if client == "antiphon load" else of_client(client, address, gathering)
    async with crowd as grow:

        async def more(number: int) -> float:
            for there in range(0, number, AT_ONCE):
                await grow(min(there + AT_ONCE, number))
            gc.collect()
            return used_kib()

        before_kib = await more(WARMED_UP)
        return (await more(WARMED_UP + connections) - before_kib) / connections


def resident_kib() -> float:
    """What the process has of the machine's memory; where that is not told, the most that it has had."""
    told = Path("/proc/self/statm")
    if told.exists():
        return int(told.read_text().split()[1]) * resource.getpagesize() / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)


def traced_kib() -> float:
    """What is allocated by Python."""
    return tracemalloc.get_traced_memory()[0] / 1024


_ONE: Final = Plan(1, 0.0, 0.0)


def main() -> None:
    """Measure what the command line says."""
    client, address = sys.argv[1:3]
    connections, round_trips = map(int, sys.argv[3:5])
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    process_kib = uvloop.run(hold(client, address, connections, round_trips, resident_kib))
    python_kib = None
    if sys.argv[5:] != ["process"]:
        tracemalloc.start()
        python_kib = uvloop.run(hold(client, address, connections, round_trips, traced_kib))
    print(msgspec.json.encode(Idle(connections, round_trips, process_kib, python_kib)).decode())


if __name__ == "__main__":
    main()

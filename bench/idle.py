"""What a conversation that is silent keeps in memory: `python -m bench.idle CLIENT ADDRESS CONNECTIONS ROUND_TRIPS`.

Each has made so many round trips before, and goes when all are there. Prints as JSON what one more has added to the
process, and to Python's own objects (`tracemalloc`), in a second run of the same: tracing takes memory itself.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from antiphon import Stand, perform, scenario
from bench.clients.actor import KEPT_UNDER_LOAD, Party
from bench.conversation import ASK, FIRST_ID, REST_OF_REQUEST
from bench.runs import BARE

__all__ = ["Idle"]

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
    python_kib: float


class BareParty(WSListener):
    """Makes its round trips."""

    def __init__(self, round_trips: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = round_trips

    def ask(self, transport: WSTransport, workitem_id: str) -> None:
        """Send the next request."""
        body = {"workitemID": workitem_id, **REST_OF_REQUEST}
        transport.send(WSMsgType.TEXT, msgspec.json.encode({"action": ASK, "data": body}))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            transport.disconnect()
            return
        body = msgspec.json.decode(frame.get_payload_as_bytes())["data"]
        assert body["state"] == "ready"
        self._left -= 1
        if self._left:
            self.ask(transport, body["workitemID"])
        else:
            self.done.set_result(None)


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


@scenario
async def staying(party: Party, gathering: Gathering) -> None:
    """A party says what it has to say, and is silent."""
    for _ in range(gathering.round_trips):
        await party.round_trip()
    await gathering.stay()


def conversation(client: str, address: str, gathering: Gathering) -> Callable[[], Awaitable[object]]:
    """What holds one conversation of that client."""
    stand = Stand("bench", {"peer": address})

    async def bare() -> None:
        transport, party = await ws_connect(lambda: BareParty(gathering.round_trips), f"{address}/desk")
        assert isinstance(party, BareParty)
        party.ask(transport, FIRST_ID)
        await party.done
        await gathering.stay()
        transport.send_close(1000)
        await transport.wait_disconnected()

    if client == BARE:
        return bare
    return lambda: perform(staying, stand=stand, runs=None, reports=(), keep=KEPT_UNDER_LOAD, gathering=gathering)


async def hold(client: str, address: str, connections: int, round_trips: int, used_kib: Callable[[], float]) -> float:
    """KiB that each of so many has added."""
    gathering = Gathering(round_trips)
    one = conversation(client, address, gathering)
    held: list[asyncio.Future[object]] = []

    async def more(number: int) -> float:
        while len(held) < number:
            held.extend(asyncio.ensure_future(one()) for _ in range(min(AT_ONCE, number - len(held))))
            arrived = asyncio.ensure_future(gathering.until_there_are(len(held)))
            await asyncio.wait({arrived, *held}, return_when=asyncio.FIRST_COMPLETED)
            if not arrived.done():  # one has failed
                await asyncio.gather(*(each for each in held if each.done()))
        gc.collect()
        return used_kib()

    before_kib = await more(WARMED_UP)
    each_kib = (await more(WARMED_UP + connections) - before_kib) / connections
    gathering.over.set()
    await asyncio.gather(*held)
    return each_kib


def resident_kib() -> float:
    """What the process has of the machine's memory; where that is not told, the most that it has had."""
    told = Path("/proc/self/statm")
    if told.exists():
        return int(told.read_text().split()[1]) * resource.getpagesize() / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)


def traced_kib() -> float:
    """What is allocated by Python."""
    return tracemalloc.get_traced_memory()[0] / 1024


if __name__ == "__main__":
    _client, _address = sys.argv[1:3]
    _connections, _round_trips = map(int, sys.argv[3:])
    _process_kib = uvloop.run(hold(_client, _address, _connections, _round_trips, resident_kib))
    tracemalloc.start()
    _python_kib = uvloop.run(hold(_client, _address, _connections, _round_trips, traced_kib))
    print(msgspec.json.encode(Idle(_connections, _round_trips, _process_kib, _python_kib)).decode())

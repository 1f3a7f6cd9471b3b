"""What a run costs by itself, beside what is said in it: connect, say nothing, close.

`python -m bench.runs ADDRESS TURNS RUNS` prints, as JSON, the CPU microseconds of one run, for each turn of so many
runs, of a bare picows client and of a scenario with one actor. All take turns in one process, on one event loop; the
peer is another process. `python -m bench.runs count RUNS` counts what a run over memory takes of the interpreter.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from antiphon import Actor, Json, Link, Stand, WebSocket, perform, scenario
from bench.instructions import Counted, Tracer
from bench.memory_peer import MemoryPeer
from bench.meter import cpu_s

__all__ = ["BARE", "IN_MEMORY", "OVER_WEBSOCKET", "counted_runs"]

BARE: Final = "bare picows"
OVER_WEBSOCKET: Final = "antiphon"
IN_MEMORY: Final = "antiphon, in memory"

AT_ONCE: Final = 10
"""So many are under way together, as in a load."""

WARMED_UP: Final = 200
"""How many runs of each go before: by then every cache is filled."""

_DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class BareParty(WSListener):
    """Says goodbye and waits for the peer's."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        assert frame.msg_type is WSMsgType.CLOSE, frame
        transport.disconnect()


class Party(Actor):
    """Someone who says nothing."""

    desk = WebSocket("{peer}/desk", dialect=_DIALECT)


class PartyInMemory(Actor):
    """The same, without sockets."""

    desk = Link("{peer}/desk", transport=MemoryPeer(), dialect=_DIALECT)


@scenario
async def silence(party: Party) -> None:
    """A party connects and leaves."""


@scenario
async def silence_in_memory(party: PartyInMemory) -> None:
    """The same, without sockets."""


def run_of(client: str, address: str) -> Callable[[], Awaitable[object]]:
    """What makes one run of that client."""
    stand = Stand("bench", {"peer": address})

    async def bare() -> None:
        transport, _ = await ws_connect(BareParty, f"{address}/desk")
        transport.send_close(1000)
        await transport.wait_disconnected()

    if client == BARE:
        return bare
    chosen = silence if client == OVER_WEBSOCKET else silence_in_memory
    return lambda: perform(chosen, stand=stand, runs=None, reports=())


async def make(runs: int, one: Callable[[], Awaitable[object]]) -> None:
    """So many runs."""

    async def some() -> None:
        for _ in range(runs // AT_ONCE):
            await one()

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def costs(address: str, turns: int, runs: int) -> dict[str, list[float]]:
    """CPU microseconds of one run, a figure for each turn, by client."""
    found: dict[str, list[float]] = {BARE: [], OVER_WEBSOCKET: [], IN_MEMORY: []}
    for turn in range(-1, turns):
        for client, took_us in found.items():
            one = run_of(client, address)
            gc.collect()
            begun_s = cpu_s()
            await make(WARMED_UP if turn < 0 else runs, one)
            if turn >= 0:
                took_us.append((cpu_s() - begun_s) * 1e6 / (runs // AT_ONCE * AT_ONCE))
    return found


def counted_runs(runs: int) -> Counted:
    """Calls and bytecodes of one run over memory, of all Python code: asyncio's too, which a run may need more or less.

    One after the other, on asyncio's own event loop; what does not happen in every one of them is rounded away.
    """

    async def count() -> Counted:
        one = run_of(IN_MEMORY, "memory://peer")
        for _ in range(WARMED_UP):
            await one()
        tracer = Tracer(everywhere=True)
        tracer.begin()
        # A task of its own: the frames that are under way already are not traced.
        await asyncio.create_task(_one_after_the_other(runs, one))
        tracer.end()
        return tracer.counted(runs)

    return asyncio.run(count())


async def _one_after_the_other(runs: int, one: Callable[[], Awaitable[object]]) -> None:
    for _ in range(runs):
        await one()


if __name__ == "__main__":
    if sys.argv[1] == "count":
        print(msgspec.json.encode(counted_runs(int(sys.argv[2]))).decode())
    else:
        _address, _turns, _runs = sys.argv[1:]
        print(msgspec.json.encode(uvloop.run(costs(_address, int(_turns), int(_runs)))).decode())

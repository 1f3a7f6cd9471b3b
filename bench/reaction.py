"""How long a client takes from a reply's arrival to its next request: `python -m bench.reaction CLIENT ADDRESS PLAN`.

The clock starts when picows calls back with the reply's frame, and stops when picows is given the next request. Before
and behind these moments both clients do the same, in the same code. What lies between is theirs: to decode, to check,
to wake whoever waits, to record, to encode.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter_ns
from typing import Any

import msgspec
import uvloop
from picows import WSFrame, WSTransport

from antiphon.conversation.message import Data
from antiphon.transport.websocket import client as websocket
from antiphon.transport.websocket.connection import WebSocketConnection
from bench.clients import actor, bare_picows, load_engine
from bench.meter import Meter, Plan

__all__ = ["Reaction"]


class Reaction(msgspec.Struct, frozen=True):
    """Percentiles of the reaction time in microseconds, over `count` reactions after the warm-up."""

    p50_us: float
    p99_us: float
    count: int


class Stopwatch:
    """From `start` to the first `stop` after it."""

    def __init__(self, meter: Meter) -> None:
        self.took_ns: list[int] = []
        self._meter = meter
        self._started_ns = 0

    def start(self) -> None:
        """A frame has come."""
        self._started_ns = perf_counter_ns()

    def stop(self) -> None:
        """The next request is handed over."""
        if self._started_ns:
            now_ns = perf_counter_ns()
            if self._meter.is_measuring:
                self.took_ns.append(now_ns - self._started_ns)
            self._started_ns = 0


def watch_antiphon(
    stopwatch: Stopwatch, converse: Callable[[str, Meter], Awaitable[None]] = actor.converse
) -> Callable[[str, Meter], Awaitable[None]]:
    """antiphon's client, or its load engine, with the stopwatch at both ends of its WebSocket connections."""

    class Watched(WebSocketConnection):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            stopwatch.start()
            super().on_ws_frame(transport, frame)

        def send(self, data: Data) -> None:
            stopwatch.stop()
            super().send(data)

    vars(websocket)["WebSocketConnection"] = Watched  # this process does nothing else
    return converse


def watch_bare(stopwatch: Stopwatch) -> Callable[[str, Meter], Awaitable[None]]:
    """The bare client, with the stopwatch at both ends of its callback."""

    class Sending:
        def __init__(self, transport: WSTransport) -> None:
            self._transport = transport
            self.disconnect = transport.disconnect

        def send(self, *arguments: Any) -> None:
            stopwatch.stop()
            self._transport.send(*arguments)

    class Watched(bare_picows.Party):
        def on_ws_connected(self, transport: WSTransport) -> None:
            self._sending: Any = Sending(transport)

        def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
            stopwatch.start()
            super().on_ws_frame(self._sending, frame)

    vars(bare_picows)["Party"] = Watched
    return bare_picows.converse


async def measure(name: str, address: str, plan: Plan) -> Reaction:
    """Perform the plan with that client."""
    meter = Meter(plan)
    stopwatch = Stopwatch(meter)
    watch = {
        "bare picows": watch_bare,
        "antiphon": watch_antiphon,
        "antiphon load": partial(watch_antiphon, converse=load_engine.converse),
    }
    await watch[name](stopwatch)(address, meter)
    took_us = [took_ns / 1000 for took_ns in stopwatch.took_ns]
    hundredths = statistics.quantiles(took_us, n=100)
    return Reaction(statistics.median(took_us), hundredths[98], len(took_us))


if __name__ == "__main__":
    _name, _address, _plan = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as _runner:
        _found = _runner.run(measure(_name, _address, msgspec.json.decode(_plan, type=Plan)))
    print(msgspec.json.encode(_found).decode())

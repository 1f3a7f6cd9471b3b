"""Whether a load that goes on and on takes more memory, or more for a message, than at first: `python -m bench.flat`.

`--messages 10000000` (the default) takes some two minutes of CPU. A load with its record and its measures, as
`antiphon load` performs it, over connections in memory: ten conversations that last to the end, and ten more that end
after 100 messages and make room for the next. After each tenth of all messages it prints what the process has in memory
once the collector has been there, how many objects that one knows, and the CPU time of a message in that tenth; at the
end what a round trip takes of antiphon's own bytecodes, counted over a thousand of one that lasts, behind the first
tenth and at the end.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon import Link, LoadInconclusive, Stand, scenario
from antiphon.load.loads import Load, play_load
from antiphon.load.part import part
from antiphon.load.plan import Plan
from bench.idle import resident_kib
from bench.instructions import DIALECT, Counted, Tracer, _Party
from bench.memory_peer import MemoryPeer

__all__ = ["Flat", "Reading", "measure"]

AT_ONCE: Final = 10
"""So many conversations that last, and as many that come and go."""

ROUND_TRIPS: Final = 50
"""Of one that comes and goes."""

COUNTED: Final = 1_000
"""Of so many round trips the bytecodes are counted, twice."""

TENTHS: Final = 10


class Reading(msgspec.Struct, frozen=True):
    """After so many messages: what the process has of the machine's memory, how many objects the collector knows, and
    the CPU time of a message since the reading before."""

    messages: int
    resident_kib: float
    objects: int
    cpu_us: float


class Flat(msgspec.Struct, frozen=True):
    """A reading after each tenth, and what a round trip takes after the first of them and at the end."""

    readings: list[Reading]
    first: Counted
    last: Counted


class Ear:
    """Counts what a conversation does between an answer and its next request, for as many answers as it is told to:
    who awaits an answer goes on in the call that brings it."""

    def __init__(self, receiver: Any) -> None:
        self.counted: list[Counted] = []
        self.on_opened, self.on_ended = receiver.on_opened, receiver.on_ended
        self._receiver = receiver
        self._tracer: Tracer | None = None
        self._left = 0

    def count(self) -> None:
        """Count the next ones, whose sum `counted` has then as well."""
        self._tracer, self._left = Tracer(), COUNTED

    def on_data(self, data: str) -> None:
        """An answer has come."""
        tracer = self._tracer
        if tracer is None:
            self._receiver.on_data(data)
            return
        tracer.begin()
        self._receiver.on_data(data)
        tracer.end()
        self._left -= 1
        if not self._left:
            self.counted.append(tracer.counted(COUNTED))
            self._tracer = None


class Wire(MemoryPeer):
    """The transport of the conversations that last; `ear` is that of the last one which has connected."""

    ear: Ear

    async def connect(self, address: str, opening: Any, receiver: Any) -> Any:
        """A connection to the peer."""
        self.ear = Ear(receiver)
        return await super().connect(address, opening, self.ear)


WIRE: Final = Wire()


class LastingParty(_Party):
    """Who talks as in `bench.instructions`, where it can be counted what is done."""

    desk = Link("{peer}/desk", transport=WIRE, dialect=DIALECT)


class Progress:
    """Counts the round trips of all conversations, and reads the process after each tenth of them."""

    def __init__(self, round_trips: int, *, shows: bool) -> None:
        self.readings: list[Reading] = []
        self._made = 0
        self._most = round_trips
        self._every = round_trips // TENTHS
        self._shows = shows
        self._counted_from = {self._every + 1, round_trips - 4 * AT_ONCE * COUNTED}
        self._cpu_s = time.process_time()

    @property
    def is_over(self) -> bool:
        """Whether all have been made."""
        return self._made >= self._most

    def one_more(self) -> None:
        """A conversation has made a round trip."""
        self._made += 1
        if self._made in self._counted_from:
            WIRE.ear.count()
        if self._made <= self._most and self._made % self._every == 0:
            self._read()

    def _read(self) -> None:
        cpu_s = time.process_time()
        gc.collect()
        cpu_us = (cpu_s - self._cpu_s) * 1e6 / (2 * self._every)
        reading = Reading(2 * self._made, resident_kib(), len(gc.get_objects()), cpu_us)
        self.readings.append(reading)
        if self._shows:
            print(line_of(reading), flush=True)
        self._cpu_s = time.process_time()


@scenario
async def lasting(party: LastingParty, progress: Progress) -> None:
    """A party that talks to the end."""
    while not progress.is_over:
        await party.round_trip()
        progress.one_more()


@scenario
async def passing(party: _Party, progress: Progress) -> None:
    """A party that says what it has to say, and goes."""
    for _ in range(ROUND_TRIPS):
        if progress.is_over:
            return
        await party.round_trip()
        progress.one_more()


def measure(messages: int, *, shows: bool = False) -> Flat:
    """Hold conversations of so many messages in all. Raises AssertionError if one failed, or some were not counted."""
    round_trips = messages // 2
    progress = Progress(round_trips, shows=shows)
    plan = Plan(
        part(lasting, users=AT_ONCE, count=AT_ONCE, progress=progress),
        # A turn of the loop is a round trip of each, so that these make nearly half of all.
        part(passing, users=AT_ONCE, count=round_trips // 2 // ROUND_TRIPS, progress=progress),
    )
    load = _performed(plan)
    assert load.figures.total.failed == 0, load.figures.causes
    assert load.figures.traffic.sent == load.figures.traffic.received >= round_trips, load.figures.traffic
    first, last = WIRE.ear.counted
    return Flat(progress.readings, first, last)


def _performed(plan: Plan) -> Load:
    stand = Stand("memory", {"peer": "memory://peer"})
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as runs:
        try:
            return play_load(plan, stand=stand, runs=Path(runs))
        except LoadInconclusive as error:  # nobody pauses, so it uses its whole core
            load: Load = error.load
            return load


def line_of(reading: Reading) -> str:
    """A reading for people."""
    return (
        f"{reading.messages:>12,} messages  {reading.resident_kib / 1024:8.1f} MiB  {reading.objects:>8,} objects  "
        f"{reading.cpu_us:6.2f} us of CPU a message"
    )


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.flat", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000_000, help="in all, 500,000 or more")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON at the end, and no lines")
    asked = parser.parse_args()
    if asked.messages < 500_000:
        parser.error("--messages: fewer than 500,000 tell nothing")
    flat = measure(asked.messages, shows=not asked.json)
    if asked.json:
        print(msgspec.json.encode(flat).decode())
        return
    for when, counted in (("after the first tenth", flat.first), ("at the end", flat.last)):
        print(f"a round trip {when}: {counted.bytecodes} bytecodes in {counted.calls} calls of antiphon's own")


if __name__ == "__main__":
    main()

"""A load, beside what else makes one: round trips and conversations for a second of CPU, memory of those who are there.

The same server and work for all (`bench.conversation`), a core for each client, in turns. Tools of others are measured
if they are asked for (`--with-locust`, `--with-artillery`), in environments of their own.
"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.idle import WARMED_UP, Idle
from bench.load_counts import LoadCounts
from bench.meter import Plan, Reading
from bench.outside import artillery, environments
from bench.processes import client_core, on_core, output_of, peer
from bench.report import LoadReport, RoundTrips
from bench.visits import AT_ONCE

__all__ = ["LOAD_CLIENTS", "Outside", "Sizes", "measure_load", "measured_round_trips", "rates"]

LOAD_CLIENTS: Final = ("bare picows", "antiphon", "antiphon load", "websockets", "aiohttp")
FILES: Final = 200
"""What a process opens beside its connections, and some to spare."""

ARTILLERY_FROM: Final = 500
"""So many of Artillery's users can be told from its own noise."""

_LOCUST: Final = Path(__file__).with_name("outside") / "locust_client.py"

Measure = Callable[[str, Plan], Reading]


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured: of Artillery a number of round trips for each user, and of visits; `live` conversations."""

    artillery_round_trips: int
    artillery_visits: int
    live: tuple[int, ...]

    @classmethod
    def usual(cls) -> Sizes:
        """As many as the machine lets a process have connections."""
        _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        return cls(2_000, 3_000, (1_000, min(10_000, most_files - WARMED_UP - FILES)))

    @classmethod
    def quick(cls) -> Sizes:
        """For a look."""
        return cls(400, 400, (20,))


class Outside:
    """The tools of others that were asked for and can be had; `notes` say what could not."""

    def __init__(self, *, with_locust: bool, with_artillery: bool, sizes: Sizes) -> None:
        self.notes: list[str] = []
        self._sizes = sizes
        self._locust = self._had(environments.locust) if with_locust else None
        self._artillery = self._had(environments.artillery) if with_artillery else None

    @property
    def are_there(self) -> bool:
        """Whether there is any."""
        return self._locust is not None or self._artillery is not None

    def _had(self, make: Callable[[], Path]) -> Path | None:
        try:
            return make()
        except environments.ToolMissing as missing:
            self.notes.append(str(missing))
            return None

    def rates(self, work: str) -> dict[str, Measure]:
        """What measures `round trips` or `visits`, by the tool's name."""
        found: dict[str, Measure] = {}
        if self._locust is not None:
            found["Locust"] = lambda address, plan: self._by_locust(work, address, plan)
        if self._artillery is not None:
            found["Artillery"] = lambda address, plan: self._by_artillery(work, address, plan)
        return found

    def live_kib(self) -> dict[str, Callable[[str, int], float]]:
        """What measures the memory of a conversation that is there."""
        found: dict[str, Callable[[str, int], float]] = {}
        if self._locust is not None:
            found["Locust"] = lambda address, number: float(self._said("live", address, str(number))["process_kib"])
        # A few of its users are less than what two runs of it differ by.
        if self._artillery is not None and min(self._sizes.live) >= ARTILLERY_FROM:
            command = self._artillery
            found["Artillery"] = lambda address, number: artillery.live_kib(command, address, client_core(), number)
        return found

    def _by_locust(self, work: str, address: str, plan: Plan) -> Reading:
        users = AT_ONCE if work == "visits" else plan.connections
        said = self._said(work, address, str(users), str(plan.warm_up_s), str(plan.measure_s))
        return Reading(int(said["round_trips"]), said["cpu_s"], said["wall_s"], int(said["least"]))

    def _by_artillery(self, work: str, address: str, plan: Plan) -> Reading:
        assert self._artillery is not None
        if work == "visits":
            number = self._sizes.artillery_visits
            return artillery.visits(self._artillery, address, client_core(), number, per_s=100)
        each = self._sizes.artillery_round_trips
        return artillery.round_trips(self._artillery, address, client_core(), plan.connections, each)

    def _said(self, *arguments: str) -> dict[str, float]:
        assert self._locust is not None
        done = subprocess.run(
            [str(self._locust), str(_LOCUST), *arguments],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=on_core(client_core()),
        )
        return msgspec.json.decode(done.stdout, type=dict[str, float])


def rates(
    work: str, clients: Sequence[str], plan: Plan, repeats: int, outside: dict[str, Measure] | None = None
) -> RoundTrips:
    """Every client against one server, in turn: A B C D, A B C D, …; `work` is `round trips` or `visits`."""
    more = outside or {}
    found = RoundTrips(plan.connections, {client: [] for client in (*clients, *more)}, work)
    told = msgspec.json.encode(plan).decode()
    arguments = ("visits",) if work == "visits" else ()
    with peer() as address:
        for _ in range(repeats):
            for client, readings in found.readings.items():
                if client in more:
                    readings.append(more[client](address, plan))
                    continue
                said = output_of("worker", client, address, told, *arguments, core=client_core())
                readings.append(msgspec.json.decode(said, type=Reading))
    return found


def live(sizes: Sequence[int], outside: Outside) -> dict[str, list[Idle]]:
    """What each of so many silent conversations keeps in memory."""
    found: dict[str, list[Idle]] = {}
    with peer() as address:
        for client in LOAD_CLIENTS:
            told = [output_of("idle", client, address, str(number), "1", "process") for number in sizes]
            found[client] = [msgspec.json.decode(each, type=Idle) for each in told]
        for tool, measure in outside.live_kib().items():
            found[tool] = [Idle(number, 1, measure(address, number)) for number in sizes]
    return found


def measured_round_trips(plan: Plan, repeats: int, outside: Outside) -> RoundTrips:
    """Round trips of everything that makes a load."""
    return rates("round trips", LOAD_CLIENTS, plan, repeats, outside.rates("round trips"))


def measure_load(
    report: LoadReport,
    repeats: int,
    measure_s: float,
    outside: Outside,
    sizes: Sizes,
    show: Callable[[Iterator[str]], None],
) -> None:
    """The rest of it, shown as soon as it is there."""
    visiting = Plan(1, measure_s / 3, measure_s)
    report.visits = rates("visits", LOAD_CLIENTS, visiting, repeats, outside.rates("visits"))
    show(report.visits.lines())
    report.live = live(sizes.live, outside)
    show(report.live_lines())
    report.counted = msgspec.json.decode(output_of("load_counts"), type=LoadCounts)
    show(report.counted_lines())
    show(report.note_lines())

"""What was measured, and the tables that show it."""

from __future__ import annotations

import os
import platform
import statistics
import sysconfig
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.desks import Side
from bench.idle import Idle
from bench.instructions import Counted
from bench.load_counts import LoadCounts
from bench.meter import Reading
from bench.reaction import Reaction

__all__ = ["BASELINE", "LoadReport", "Report", "RoundTrips", "machine"]

BASELINE = "bare picows"
BY_HAND = "websockets"


class RoundTrips(msgspec.Struct, frozen=True):
    """The readings of every client, in the order in which they were taken, over that many connections.

    `what` was counted: round trips, or visits, which are conversations as a whole.
    """

    connections: int
    readings: dict[str, list[Reading]]
    what: str = "round trips"

    def rate(self, client: str) -> float:
        """The median of a client's round trips per second of CPU."""
        return statistics.median(reading.per_cpu_s for reading in self.readings[client])

    def ratios(self, client: str) -> list[float]:
        """A client's rate to that of the bare client in the same turn, smallest first."""
        both = zip(self.readings[client], self.readings[BASELINE], strict=True)
        return sorted(reading.per_cpu_s / bare.per_cpu_s for reading, bare in both)

    def lines(self) -> Iterator[str]:
        """The table; in brackets the least and the most that a ratio was in one turn."""
        repeats = len(self.readings[BASELINE])
        over = _count(self.connections, "connection")
        counted = f"round trips per second of client CPU, {over}"
        if self.what == "visits":
            counted = "conversations per second of client CPU (connect, ask, leave)"
        yield f"{counted}, median of {repeats}"
        yield f"{'':28}{'median':>9}{'least':>9}{'most':>9}{'of bare':>9}{'':14}{'of websockets':>15}{'us each':>9}"
        for client, readings in self.readings.items():
            rates = [reading.per_cpu_s for reading in readings]
            rate = self.rate(client)
            ratios = self.ratios(client)
            spread = f"({ratios[0]:.2f}-{ratios[-1]:.2f})"
            yield (
                f"{client:28}{rate:>9,.0f}{min(rates):>9,.0f}{max(rates):>9,.0f}{rate / self.rate(BASELINE):>9.2f}"
                f"{spread:>14}{rate / self.rate(BY_HAND):>15.2f}{1e6 / rate:>9.1f}"
            )


class LoadReport(msgspec.Struct):
    """What was measured of loads; `live` is KiB by client and by how many there were."""

    round_trips: list[RoundTrips] = []
    visits: RoundTrips | None = None
    live: dict[str, list[Idle]] = {}
    counted: LoadCounts | None = None
    notes: list[str] = []
    reactions: dict[int, dict[str, Reaction]] = {}

    def live_lines(self) -> Iterator[str]:
        """The table of the memory."""
        sizes = [each.connections for each in self.live[BASELINE]]
        yield "a live conversation that is silent after a round trip, KiB of the client's process; beside the bare one"
        yield f"{'':28}" + "".join(f"{f'{size:,} of them':>18}{'beside':>9}" for size in sizes)
        for client, found in self.live.items():
            both = zip(found, self.live[BASELINE], strict=True)
            figures = (f"{each.process_kib:>18.1f}{each.process_kib - bare.process_kib:>9.1f}" for each, bare in both)
            yield f"{client:28}" + "".join(figures)

    def counted_lines(self) -> Iterator[str]:
        """What the engine takes of the interpreter beside `perform`."""
        assert self.counted is not None
        counted = self.counted
        yield "over memory, counted"
        yield f"{'':28}{'perform: calls':>16}{'bytecodes':>11}{'load: calls':>14}{'bytecodes':>11}{'more':>7}"
        for what, alone, loaded in (
            ("a round trip, of antiphon", counted.round_trip_of_perform, counted.round_trip),
            ("a conversation, in all", counted.conversation_of_perform, counted.conversation),
        ):
            more = loaded.bytecodes / alone.bytecodes - 1
            figures = f"{alone.calls:>16,}{alone.bytecodes:>11,}{loaded.calls:>14,}{loaded.bytecodes:>11,}{more:>7.0%}"
            yield f"{what:28}{figures}"

    def note_lines(self) -> Iterator[str]:
        """What cannot be compared, and what could not be had."""
        yield from self.notes
        if self.visits is not None and "Artillery" in self.visits.readings:
            yield "Artillery takes the next message for a request's reply: it knows of no other way to find it."


class Report(msgspec.Struct):
    """Everything that was measured in one run, and on what machine."""

    machine: str
    round_trips: list[RoundTrips] = []
    counted: Counted | None = None
    counted_on_disk: Counted | None = None
    instructions: int | None = None
    counted_run: Counted | None = None
    runs: dict[str, list[float]] = {}
    idle: dict[str, list[Idle]] = {}
    reactions: dict[int, dict[str, Reaction]] = {}
    load: LoadReport | None = None
    desks: dict[str, Side] = {}

    def counted_lines(self) -> Iterator[str]:
        """What a round trip takes of the interpreter; exact, so it tells what the noise of a rate hides."""
        assert self.counted is not None
        assert self.counted_on_disk is not None
        yield "a round trip over memory, counted"
        yield f"{'Python calls, of antiphon':28}{self.counted.calls:>9,}"
        yield f"{'bytecodes, of antiphon':28}{self.counted.bytecodes:>9,}"
        yield f"{'the same, journal on disk':28}{self.counted_on_disk.calls:>9,}{self.counted_on_disk.bytecodes:>9,}"
        if self.instructions is not None:
            yield f"{'instructions, in all':28}{self.instructions:>9,}"

    def run_lines(self) -> Iterator[str]:
        """What a run takes that connects, says nothing and closes."""
        assert self.counted_run is not None
        yield "a run without messages, in CPU microseconds"
        yield f"{'':28}{'least':>9}{'median':>9}{'most':>9}"
        for client, took_us in self.runs.items():
            yield f"{client:28}{min(took_us):>9.0f}{statistics.median(took_us):>9.0f}{max(took_us):>9.0f}"
        yield f"{'Python calls, in memory':28}{self.counted_run.calls:>9,}"
        yield f"{'bytecodes, in memory':28}{self.counted_run.bytecodes:>9,}"

    def idle_lines(self) -> Iterator[str]:
        """What a silent conversation keeps in memory."""
        yield "a silent conversation, in KiB"
        yield f"{'':28}{'connections':>12}{'round trips':>12}{'process':>9}{'Python':>9}"
        for client, found in self.idle.items():
            for each in found:
                yield (
                    f"{client:28}{each.connections:>12,}{each.round_trips:>12}{each.process_kib:>9.1f}"
                    f"{each.python_kib or 0.0:>9.1f}"
                )

    def reaction_lines(self, reactions: dict[int, dict[str, Reaction]] | None = None) -> Iterator[str]:
        """The table of the reaction times, by the number of connections."""
        yield "reaction: from a reply's frame to the next request, in microseconds"
        yield f"{'':28}{'connections':>12}{'p50':>9}{'p99':>9}"
        for connections, found in (self.reactions if reactions is None else reactions).items():
            for client, reaction in found.items():
                yield f"{client:28}{connections:>12}{reaction.p50_us:>9.1f}{reaction.p99_us:>9.1f}"

    def desk_lines(self) -> Iterator[str]:
        """The table of the contact centre and its operators."""
        desks = max(side.desks for side in self.desks.values())
        yield f"{_count(desks, 'desk')} at one contact centre, a process each side"
        yield f"{'':28}{'MiB':>9}{'KiB a desk':>12}{'CPU s':>9}{'errors':>9}{'wall s':>9}"
        for name, side in self.desks.items():
            yield (
                f"{name:28}{side.memory_mib:>9.0f}{side.kib_per_desk:>12.0f}{side.cpu_s:>9.1f}{side.errors:>9}"
                f"{side.wall_s:>9.1f}"
            )


def machine() -> str:
    """The processor, the system, the interpreter and how it was built, the libraries."""
    has_pgo = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    libraries = ", ".join(f"{name} {version(name)}" for name in ("picows", "uvloop", "msgspec", "websockets"))
    return (
        f"{_processor()}, {_count(os.cpu_count() or 1, 'core')}, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()} {'with' if has_pgo else 'without'} "
        f"profile-guided optimisation, {libraries}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

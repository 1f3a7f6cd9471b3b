"""Everything that is measured, in one run: `python -m bench`, or `python -m bench --quick` for a look."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import msgspec

from bench.desks import Side
from bench.idle import Idle
from bench.instructions import Counted, instructions
from bench.meter import Plan, Reading
from bench.processes import client_core, output_of, peer
from bench.reaction import Reaction
from bench.report import Report, RoundTrips, machine
from bench.runs import BARE, OVER_WEBSOCKET
from bench.worker import CLIENTS


def round_trips(plan: Plan, repeats: int) -> RoundTrips:
    """Every client against one server, in turn: A B C D, A B C D, …"""
    found = RoundTrips(plan.connections, {client: [] for client in CLIENTS})
    told = msgspec.json.encode(plan).decode()
    with peer() as address:
        for _ in range(repeats):
            for client, readings in found.readings.items():
                said = output_of("worker", client, address, told, core=client_core())
                readings.append(msgspec.json.decode(said, type=Reading))
    return found


def reactions(plan: Plan) -> dict[str, Reaction]:
    """The reaction time of the bare client and of antiphon."""
    found = {}
    told = msgspec.json.encode(plan).decode()
    with peer() as address:
        for client in ("bare picows", "antiphon"):
            said = output_of("reaction", client, address, told, core=client_core())
            found[client] = msgspec.json.decode(said, type=Reaction)
    return found


def runs(turns: int, each: int) -> dict[str, list[float]]:
    """What a run costs by itself, in CPU microseconds, a figure for each turn of so many runs."""
    with peer() as address:
        said = output_of("runs", address, str(turns), str(each), core=client_core())
    return msgspec.json.decode(said, type=dict[str, list[float]])


def idle(connections: int, round_trips: Iterable[int]) -> dict[str, list[Idle]]:
    """What silent conversations keep in memory, after so many round trips each."""
    found: dict[str, list[Idle]] = {}
    with peer() as address:
        for client in (BARE, OVER_WEBSOCKET):
            told = [output_of("idle", client, address, str(connections), str(made)) for made in round_trips]
            found[client] = [msgspec.json.decode(each, type=Idle) for each in told]
    return found


def show(lines: Iterable[str], is_silent: bool) -> None:
    """Print a table as soon as it is there."""
    if not is_silent:
        print("\n" + "\n".join(lines), flush=True)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look; its numbers mean little")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 50], help="default: 1 50")
    parser.add_argument("--repeats", type=int, help="how often each client is measured (default 3; quick 1)")
    parser.add_argument("--measure-s", type=float, help="CPU seconds of each measurement (default 3; quick 0.2)")
    parser.add_argument("--desks", type=int, help="desks at one contact centre (default 1000; quick 50; 0: none)")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON, and no tables")
    asked = parser.parse_args()
    for name, usual, quick in (("repeats", 3, 1), ("measure_s", 3.0, 0.2), ("desks", 1000, 50)):
        if getattr(asked, name) is None:
            setattr(asked, name, quick if asked.quick else usual)
    return asked


def main() -> int:
    """Measure, and print the tables; 1 if a desk had an error, else 0."""
    asked = options()
    report = Report(machine())
    show([report.machine], asked.json)
    plans = [Plan(connections, asked.measure_s / 3, asked.measure_s) for connections in asked.connections]
    for plan in plans:
        report.round_trips.append(round_trips(plan, asked.repeats))
        show(report.round_trips[-1].lines(), asked.json)
    report.counted = msgspec.json.decode(output_of("instructions", "1000"), type=Counted)
    report.counted_on_disk = msgspec.json.decode(output_of("instructions", "1000", "disk"), type=Counted)
    report.instructions = None if asked.quick else instructions()  # takes a minute
    show(report.counted_lines(), asked.json)
    report.counted_run = msgspec.json.decode(output_of("runs", "count", "20"), type=Counted)
    report.runs = runs(1, 50) if asked.quick else runs(6, 500)
    show(report.run_lines(), asked.json)
    report.idle = idle(20, [1]) if asked.quick else idle(1000, [1, 70])
    show(report.idle_lines(), asked.json)
    for plan in plans:
        report.reactions[plan.connections] = reactions(plan)
    show(report.reaction_lines(), asked.json)
    if asked.desks:
        said = output_of("desks", str(asked.desks), "0.1" if asked.quick else "2")
        report.desks = msgspec.json.decode(said, type=dict[str, Side])
        show(report.desk_lines(), asked.json)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    return 1 if any(side.errors for side in report.desks.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Everything that is measured, in one run: `python -m bench`, or `python -m bench --quick` for a look.

`python -m bench load` measures loads only; `--with-locust` and `--with-artillery` measure those tools beside them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import msgspec

from bench.desks import Side
from bench.idle import Idle
from bench.instructions import Counted, instructions
from bench.load import Outside, Sizes, measure_load, measured_round_trips, rates
from bench.meter import Plan
from bench.processes import client_core, output_of, peer
from bench.reaction import Reaction
from bench.report import LoadReport, Report, machine
from bench.runs import BARE, OVER_WEBSOCKET
from bench.worker import CLIENTS


def reactions(plan: Plan, *clients: str) -> dict[str, Reaction]:
    """The reaction time of these clients."""
    found = {}
    told = msgspec.json.encode(plan).decode()
    with peer() as address:
        for client in clients:
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
    parser.add_argument("what", nargs="?", choices=["all", "load"], default="all", help="load: loads only")
    parser.add_argument("--quick", action="store_true", help="a look; its numbers mean little")
    parser.add_argument("--connections", type=int, nargs="+", help="default: 1 50, of a load 50")
    parser.add_argument("--repeats", type=int, help="how often each client is measured (default 3; quick 1)")
    parser.add_argument("--measure-s", type=float, help="CPU seconds of each measurement (default 3; quick 0.2)")
    parser.add_argument("--desks", type=int, help="desks at one contact centre (default 1000; quick 50; 0: none)")
    parser.add_argument("--with-locust", action="store_true", help="measure it too; installs it below .bench/")
    parser.add_argument("--with-artillery", action="store_true", help="the same; needs npm")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON, and no tables")
    asked = parser.parse_args()
    for name, usual, quick in (("repeats", 3, 1), ("measure_s", 3.0, 0.2), ("desks", 1000, 50)):
        if getattr(asked, name) is None:
            setattr(asked, name, quick if asked.quick else usual)
    if asked.connections is None:
        asked.connections = [50] if asked.what == "load" else [1, 50]
    return asked


def main() -> int:
    """Measure, and print the tables; 1 if a desk had an error, else 0."""
    asked = options()
    report = Report(machine())
    show([report.machine], asked.json)
    plans = [Plan(connections, asked.measure_s / 3, asked.measure_s) for connections in asked.connections]
    if asked.what == "all":
        measure_runs(report, plans, asked)
    measure_loads(report, plans, asked)
    if asked.what == "all" and asked.desks:
        said = output_of("desks", str(asked.desks), "0.1" if asked.quick else "2")
        report.desks = msgspec.json.decode(said, type=dict[str, Side])
        show(report.desk_lines(), asked.json)
    if asked.json:
        print(msgspec.json.encode(report).decode())
    return 1 if any(side.errors for side in report.desks.values()) else 0


def measure_runs(report: Report, plans: Iterable[Plan], asked: argparse.Namespace) -> None:
    """What a conversation costs by itself."""
    for plan in plans:
        report.round_trips.append(rates("round trips", list(CLIENTS), plan, asked.repeats))
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
        report.reactions[plan.connections] = reactions(plan, BARE, OVER_WEBSOCKET)
    show(report.reaction_lines(), asked.json)


def measure_loads(report: Report, plans: Iterable[Plan], asked: argparse.Namespace) -> None:
    """What a load costs, beside what else makes one."""
    sizes = Sizes.quick() if asked.quick else Sizes.usual()
    outside = Outside(with_locust=asked.with_locust, with_artillery=asked.with_artillery, sizes=sizes)
    report.load = LoadReport(notes=outside.notes)

    def tell(lines: Iterable[str]) -> None:
        show(lines, asked.json)

    # With all the rest they have their rows in its tables, but for those of others.
    for plan in plans if asked.what == "load" or outside.are_there else []:
        report.load.round_trips.append(measured_round_trips(plan, asked.repeats, outside))
        tell(report.load.round_trips[-1].lines())
    measure_load(report.load, asked.repeats, asked.measure_s, outside, sizes, tell)
    crowd = Plan(
        min(plan.connections for plan in plans) if asked.quick else CROWD, asked.measure_s / 3, asked.measure_s
    )
    report.load.reactions[crowd.connections] = reactions(crowd, BARE, OVER_WEBSOCKET, "antiphon load")
    tell(report.reaction_lines(report.load.reactions))


CROWD = 1000
"""Over so many connections it is seen how soon a load reacts."""


if __name__ == "__main__":
    sys.exit(main())

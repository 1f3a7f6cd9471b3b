"""Locust's users with websocket-client, run by a Python of their own: Locust replaces what the standard library has.

`python locust_client.py WORK ADDRESS USERS WARM_UP_S MEASURE_S` prints JSON of what was measured. WORK is `round trips`
or `visits`, and the reading is as in `bench.meter`; or `live`: what each of USERS, silent after a round trip, adds to
the process, in KiB.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import gevent
import msgspec
import websocket
from locust import User, constant, task
from locust.env import Environment

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.conversation import ASK, FIRST_ID, REPLY, REST_OF_REQUEST

WARMED_UP = 100
LOOK_EVERY_S = 0.02
SPAWNED_PER_S = 200


class Talker(User):
    """What all have in common: a connection, and a round trip that Locust is told of."""

    abstract = True
    wait_time = constant(0)
    done = 0
    silent = 0

    def connect(self) -> None:
        self.connection = websocket.create_connection(f"{self.host}/desk")
        self.workitem_id = FIRST_ID
        self.encode, self.decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode

    def ask(self) -> None:
        began_s = time.perf_counter()
        body = {"workitemID": self.workitem_id, **REST_OF_REQUEST}
        self.connection.send(self.encode({"action": ASK, "data": body}))
        text = self.connection.recv()
        reply = self.decode(text)
        body = reply["data"]
        if reply["action"] != REPLY or body["result"] == "error" or body["state"] != "ready":
            raise AssertionError(f"an unexpected reply: {reply}")
        self.workitem_id = body["workitemID"]
        self.environment.events.request.fire(
            request_type="WS",
            name=ASK,
            response_time=(time.perf_counter() - began_s) * 1000,
            response_length=len(text),
            exception=None,
            context={},
        )


class RoundTrips(Talker):
    """Asks again and again."""

    def on_start(self) -> None:
        self.connect()

    @task
    def round_trip(self) -> None:
        self.ask()
        Talker.done += 1


class Visits(Talker):
    """Connects, asks and leaves, again and again."""

    @task
    def visit(self) -> None:
        self.connect()
        self.ask()
        self.connection.close()
        Talker.done += 1


class Live(Talker):
    """Asks once, and is silent."""

    def on_start(self) -> None:
        self.connect()
        self.ask()
        Talker.silent += 1

    @task
    def stay(self) -> None:
        gevent.sleep(3600)


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_kib() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024


def wait_for_cpu(seconds: float) -> tuple[int, float, float]:
    """Until so much was used; how many round trips that were, with the CPU and the time."""
    done, began_s, wall_s = Talker.done, cpu_s(), time.monotonic()
    while cpu_s() - began_s < seconds:
        gevent.sleep(LOOK_EVERY_S)
    return Talker.done - done, cpu_s() - began_s, time.monotonic() - wall_s


def rates(runner: Any, users: int, warm_up_s: float, measure_s: float) -> dict[str, Any]:
    runner.start(users, spawn_rate=users)
    while runner.user_count < users:
        gevent.sleep(LOOK_EVERY_S)
    wait_for_cpu(warm_up_s)
    done, cpu, wall = wait_for_cpu(measure_s)
    return {"round_trips": done, "cpu_s": cpu, "wall_s": wall, "least": 0}


def memory(runner: Any, users: int) -> dict[str, float]:
    found = {}
    for wanted in (WARMED_UP, WARMED_UP + users):
        runner.start(wanted, spawn_rate=SPAWNED_PER_S)
        while Talker.silent < wanted:
            gevent.sleep(LOOK_EVERY_S)
        found[str(wanted)] = resident_kib()
    return {"process_kib": (found[str(WARMED_UP + users)] - found[str(WARMED_UP)]) / users}


def main() -> None:
    work, address = sys.argv[1:3]
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    kind = {"round trips": RoundTrips, "visits": Visits, "live": Live}[work]
    environment = Environment(user_classes=[kind], host=address)
    runner = environment.create_local_runner()
    if work == "live":
        said: dict[str, Any] = memory(runner, int(sys.argv[3]))
    else:
        said = rates(runner, int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    failed = runner.stats.total.num_failures + sum(each.occurrences for each in runner.errors.values())
    failed += sum(int(each["count"]) for each in runner.exceptions.values())
    if failed:
        sys.exit(f"{failed} tasks failed: {list(runner.exceptions.values())[:1]}")
    print(json.dumps(said), flush=True)
    os._exit(0)  # its users need not say goodbye


if __name__ == "__main__":
    main()

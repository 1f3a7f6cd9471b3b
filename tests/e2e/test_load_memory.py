"""A load that goes on and on keeps no more in memory than at its beginning, and a message costs what the first cost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

MOST_GROWTH_KIB = 3 * 1024

STORY = '''
import asyncio, gc, json, os, sys
from pathlib import Path
import antiphon
from antiphon import Actor, Ending, Json, Link, Stand, action, scenario
from antiphon.load.loads import play_load
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.load.resident import resident_kib

PACKAGE = str(Path(antiphon.__file__).parent) + os.sep
seen, counting = [], None


class Connection:
    subprotocol, unsent_bytes = "", 0

    def __init__(self, receiver):
        self.receiver, self.loop, self.number = receiver, asyncio.get_running_loop(), 0

    def send(self, data):
        self.number += 1
        self.loop.call_soon(self.answer, '{"action":"resultCall","data":{"id":"c-%09d"}}' % self.number)

    def answer(self, data):
        """All of a round trip is in here, until the next request has left: who awaits the answer goes on at once."""
        if counting is not None:
            sys.settrace(counting)
        self.receiver.on_data(data)
        sys.settrace(None)

    def close(self, code=1000, reason=""):
        self.loop.call_soon(self.receiver.on_ended, Ending(code=code, reason=reason, by="us", is_clean=True))

    abort = close
    async def drained(self): pass
    def pause(self): pass
    def resume(self): pass


class Peer:
    async def connect(self, address, opening, receiver):
        connection = Connection(receiver)
        receiver.on_opened(connection)
        return connection


class Caller(Actor, user=False):
    line = Link("memory://peer", transport=Peer(), dialect=Json(name="action", body="data", reply="result{Name}"))

    @action
    async def outbound_call(self):
        self.id = (await self.ask("call", telephone="890000002"))["id"]


class Bytecodes:
    """Counts those of ours."""

    count = 0

    def __call__(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        return self.each

    def each(self, frame, event, argument):
        self.count += event == "opcode"
        return self.each


class Marks:
    """Where it is looked at how much there is in memory: after so many round trips of all."""

    def __init__(self, at):
        self.made, self.at = 0, at

    def one_more(self):
        self.made += 1
        if self.made in self.at:
            gc.collect()
            seen.append(resident_kib())


@scenario
async def calling(caller: Caller, marks: Marks):
    for _ in range(50):
        await caller.outbound_call()
        marks.one_more()


@scenario
async def long(caller: Caller, round_trips: int):
    global counting
    gc.disable()  # what it calls falls into any message
    for made in range(round_trips):
        if made in (1_000, round_trips - 100):
            counting = Bytecodes()
        await caller.outbound_call()
        if made in (1_099, round_trips - 1):
            seen.append(counting.count)
            counting = None


what, first, last, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
if what == "memory":
    plan = Plan(part(calling, users=20, count=last // 50 + 20, marks=Marks((first, last))))
else:
    plan = Plan(part(long, users=1, count=1, round_trips=last))
try:
    load = play_load(plan, stand=Stand("test"), runs=runs)
except antiphon.LoadInconclusive as error:
    load = error.load
print(json.dumps({"seen": seen, "failed": load.figures.total.failed, "sent": load.figures.traffic.sent}))
'''


def told(what: str, first: int, last: int, place: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", STORY, what, str(first), str(last), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("first", "last"),
    [(20_000, 80_000), pytest.param(50_000, 500_000, marks=pytest.mark.deep)],
    ids=["some", "a million"],
)
def test_memory_is_flat(tmp_path: Path, first: int, last: int) -> None:
    """In round trips, of two messages each, in conversations that come and go."""
    found = told("memory", first, last, tmp_path)

    early_kib, late_kib = found["seen"]
    assert found["failed"] == 0
    assert found["sent"] >= last
    assert late_kib - early_kib < MOST_GROWTH_KIB, found["seen"]


def test_a_message_costs_the_same_at_the_end_as_at_the_start(tmp_path: Path) -> None:
    """What timers do meanwhile, as to measure, is not looked at: they fall among messages as they like."""
    found = told("bytecodes", 0, 30_000, tmp_path)

    early, late = found["seen"]
    assert found["failed"] == 0
    assert early == late > 0

"""What a round trip takes of the interpreter, counted and not timed: Python calls, bytecodes, machine instructions.

The conversation of `bench.conversation` on antiphon's full path, over a connection in memory: no sockets, no other
process, so that two counts of the same code are equal. `python -m bench.instructions ROUND_TRIPS` counts antiphon's own
calls and bytecodes, with `disk` behind it those with the journal on disk. With `bare` behind it, it
counts nothing, for a program that counts from outside, as valgrind does.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec

import antiphon
from antiphon import Actor, Json, Link, Stand, action, perform, scenario
from bench.clients.actor import KEPT_UNDER_LOAD
from bench.conversation import ASK, FIRST_ID, READY, REST_OF_REQUEST
from bench.memory_peer import MemoryPeer

__all__ = ["DIALECT", "Counted", "Tracer", "counted", "instructions"]

WARMED_UP = 300
"""How many round trips go before: by then every cache is filled, and the interpreter has specialised the code."""

_ROOT = Path(__file__).resolve().parent.parent
_OURS = str(Path(antiphon.__file__).parent) + os.sep


class Counted(msgspec.Struct, frozen=True):
    """What of a round trip, or of a run, the interpreter does."""

    calls: int
    bytecodes: int


DIALECT: Final = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class _Party(Actor):
    desk = Link("{peer}/desk", transport=MemoryPeer(), dialect=DIALECT)
    workitem_id = FIRST_ID

    @action
    async def round_trip(self) -> None:
        answer = await self.ask(ASK, check=READY, workitemID=self.workitem_id, **REST_OF_REQUEST)
        self.workitem_id = answer["workitemID"]


class Tracer:
    """Counts what the interpreter does from `begin` to `end` in frames of antiphon, or `everywhere`."""

    def __init__(self, *, everywhere: bool = False) -> None:
        self.calls = self.bytecodes = 0
        self._where = "" if everywhere else _OURS

    def begin(self) -> None:
        """Count from now on, in frames that are entered or gone on with."""
        gc.disable()
        sys.settrace(self._on_call)

    def end(self) -> None:
        """It is over."""
        sys.settrace(None)
        gc.enable()

    def counted(self, times: int) -> Counted:
        """What it was for each of so many times."""
        return Counted(round(self.calls / times), round(self.bytecodes / times))

    def _on_call(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        if not frame.f_code.co_filename.startswith(self._where):
            return None
        self.calls += 1
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._on_event

    def _on_event(self, _frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        self.bytecodes += event == "opcode"
        return self._on_event


def counted(round_trips: int, runs: Path | None = None) -> Counted:
    """Antiphon's calls and bytecodes for each of so many round trips; a coroutine that goes on counts as called.

    The author's code, asyncio's and this harness's are left out. runs: where the journal is written, None for nowhere.
    What does not happen in every one of them, as a table that grows, is rounded away.
    """
    tracer = Tracer()
    _converse(round_trips, tracer, runs)
    return tracer.counted(round_trips)


def instructions() -> int | None:
    """Machine instructions for each round trip, in all; None where valgrind is not installed.

    The difference of two processes of which one makes 2,000 round trips more: what starting takes drops out.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    fewer, more = 500, 2_500
    return round((_collected(valgrind, more) - _collected(valgrind, fewer)) / (more - fewer))


def _collected(valgrind: str, round_trips: int) -> int:
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
    done = subprocess.run(
        [*command, "-m", "bench.instructions", str(round_trips), "bare"],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def _converse(round_trips: int, tracer: Tracer | None, runs: Path | None = None) -> None:
    @scenario
    async def back_and_forth(party: _Party) -> None:
        for made in range(WARMED_UP + round_trips):
            if tracer is not None and made == WARMED_UP:
                tracer.begin()
            await party.round_trip()
        if tracer is not None:
            tracer.end()

    stand = Stand("memory", {"peer": "memory://peer"})
    asyncio.run(perform(back_and_forth, stand=stand, runs=runs, reports=(), keep=KEPT_UNDER_LOAD))


def _counted_on_disk(round_trips: int) -> Counted:
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as runs:
        return counted(round_trips, Path(runs))


if __name__ == "__main__":
    _round_trips = int(sys.argv[1])
    if sys.argv[2:] == ["bare"]:
        _converse(_round_trips, None)
    else:
        _count = _counted_on_disk if sys.argv[2:] == ["disk"] else counted
        print(msgspec.json.encode(_count(_round_trips)).decode())

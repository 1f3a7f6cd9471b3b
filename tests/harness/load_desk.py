"""A server that a load talks to, and the load's command: each a process of its own, to be looked at and to be killed.

The server is none of ours, so what it counts is another's word. It tells each thing that happens as a line of JSON on
its standard output at once: nothing of that is lost when it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from antiphon.report.load.figures import LoadFigures, read_figures

__all__ = ["CALLING", "PATIENCE_S", "Desk", "Loading", "is_late_only"]

PATIENCE_S = 60.0

CALLING = """
from antiphon import Actor, Json, WebSocket, action, scenario

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})

class Caller(Actor, user=False):
    line = WebSocket("{peer}", dialect=DIALECT, within_s=30)

    @action
    async def outbound_call(self) -> None:
        reply = await self.ask("call", check={"state": "connected"})
        self.interaction_id = reply["id"]

@scenario
async def calling(caller: Caller, calls: int = 1) -> None:
    for _ in range(calls):
        await caller.outbound_call()
"""

SERVER = """
import asyncio, json, os, sys, time
from websockets.asyncio.server import serve

port, plan = int(sys.argv[1]), json.loads(sys.argv[2])
asked = 0

def tell(kind, **more):
    os.write(1, json.dumps({"kind": kind, "at_s": time.time(), **more}).encode() + b"\\n")

async def desk(connection):
    global asked
    tell("opened")
    try:
        async for text in connection:
            number, asked = asked, asked + 1
            tell("asked", number=number)
            if number == plan.get("stalls_at"):
                time.sleep(plan["stalls_s"])
            delays = plan.get("delays_s", [0.0])
            delay_s = delays[number % len(delays)]
            began_ns = time.monotonic_ns()
            if delay_s:
                await asyncio.sleep(delay_s)
            waited_us = (time.monotonic_ns() - began_ns) // 1000
            body = {"id": f"c-{number:06}", "state": "connected", "result": "success"}
            await connection.send(json.dumps({"action": "resultCall", "data": body}))
            tell("answered", number=number, waited_us=waited_us)
    finally:
        tell("closed")

async def main():
    async with serve(desk, "127.0.0.1", port, compression=None) as server:
        tell("listening", port=server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Desk:
    """The server. `plan`: `delays_s`, how late each answer is, in turn; `stalls_at` which request it stands still at,
    for `stalls_s`."""

    def __init__(self, **plan: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.port = 0
        self._plan = json.dumps(plan)
        self._has_news = threading.Condition()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to listen; again, where it did before."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(self.port), self._plan],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it minds that its clients are killed
        )
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout], daemon=True)
        self._reader.start()
        before = self.count("listening")
        self.until(lambda: self.count("listening") > before)
        self.port = self.of("listening")[-1]["port"]

    def kill(self) -> None:
        """Have it end at once, and know all that it has told."""
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE_S)

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self._has_news:
            return [event for event in self.events if event["kind"] == kind]

    def count(self, kind: str) -> int:
        return len(self.of(kind))

    def until(self, has_happened: Callable[[], bool]) -> None:
        """Wait for it to have told so much."""
        ends_s = time.monotonic() + PATIENCE_S
        while not has_happened():
            with self._has_news:
                self._has_news.wait(0.1)
            assert time.monotonic() < ends_s, self.events[-3:]

    def _read(self, told: Any) -> None:
        with told:
            for line in told:
                if not line.endswith(b"\n"):
                    return  # it was killed in the middle of it
                with self._has_news:
                    self.events.append(json.loads(line))
                    self._has_news.notify_all()


class Loading:
    """`antiphon load` with these options, in a process of its own; recorded below the place, where its files are."""

    def __init__(
        self, place: Path, address: str, *options: str, target: str = "calling.py:calling", **more: Any
    ) -> None:
        self._place = place
        (place / "calling.py").write_text(CALLING)
        (place / "antiphon.toml").write_text(f'default = "desk"\n\n[stands.desk]\npeer = "{address}"\n')
        self._process = subprocess.Popen(
            [sys.executable, "-m", "antiphon", "load", target, *options],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell_to_end(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def processes(self) -> Sequence[int]:
        """Those that perform it: its children."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        self.text, _ = self._process.communicate(timeout=2 * PATIENCE_S)
        return self._process.returncode

    @property
    def directory(self) -> Path:
        (found,) = (each.parent for each in self._place.glob("runs/*/load.jsonl"))
        return found

    def figures(self) -> LoadFigures:
        """What it recorded."""
        return read_figures(self.directory)

    def summary(self) -> dict[str, Any]:
        """What its report says."""
        said: dict[str, Any] = json.loads((self.directory / "summary.json").read_text())
        return said


def is_late_only(figures: LoadFigures) -> bool:
    """Whether nothing makes its numbers doubtful but that this machine had no time for it."""
    words = ("event loop was late", "used its whole core", "after they were due")
    return all(any(word in doubt for word in words) for doubt in figures.doubts)


def kill(pid: int) -> None:
    """As the kernel does when memory is short."""
    os.kill(pid, signal.SIGKILL)

"""A Locust cluster on this machine: its master and its workers, processes to be looked at and to be killed.

Locust patches the standard library where it is imported, so nothing here imports it.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from load_desk import CALLING

from antiphon.report.load.figures import LoadFigures, read_figures

__all__ = ["PATIENCE_S", "Cluster", "Node"]

PATIENCE_S = 120.0

PLAN = f"""
import sys
{CALLING}
from antiphon import Plan, part

@scenario
async def crowd(caller: Caller, calls: int = 1) -> None:
    assert "gevent" not in sys.modules
    for _ in range(calls):
        await caller.outbound_call()

@scenario
async def breaking(caller: Caller) -> None:
    await caller.outbound_call()
    raise ValueError("out of order")
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Node:
    """A master or a worker; `log` is what it has written so far."""

    def __init__(self, place: Path, *arguments: str) -> None:
        self._file = place / f"node-{time.monotonic_ns()}.log"
        with self._file.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", "locustfile.py", *arguments],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self._file.read_text(errors="replace")

    def until(self, has_happened: Callable[[], bool]) -> None:
        """Wait for that, as long as it is there."""
        ends_s = time.monotonic() + PATIENCE_S
        while not has_happened():
            assert time.monotonic() < ends_s, self.log
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def until_it_says(self, pattern: str) -> None:
        self.until(lambda: re.search(pattern, self.log) is not None)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(PATIENCE_S)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def engines(self) -> list[int]:
        """The pids of its engines."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"antiphon.load.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Cluster:
    """Its files are in `place`: a plan with these `parts`, in Python, of a stand at that address."""

    def __init__(self, place: Path, address: str, parts: str, users: str = "") -> None:
        self._place = place
        self._port = str(free_port())
        self._nodes: list[Node] = []
        (place / "plan.py").write_text(f"{PLAN}\nday = Plan({parts})\n")
        (place / "antiphon.toml").write_text(f'[stands.desk]\npeer = "{address}"\n')
        (place / "locustfile.py").write_text(
            f'from antiphon.locust import users\n\nusers("plan.py:day", reports=["junit"]{users})\n'
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes:
            if node.process.poll() is None:
                node.process.kill()
            node.process.wait()

    def master(self, *options: str, workers: int, is_headless: bool = True) -> Node:
        started = ["--headless", "--expect-workers", str(workers), "--only-summary"] if is_headless else []
        bound = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", self._port)
        return self._node(*bound, *started, *options)

    def workers(self, number: int, *options: str) -> list[Node]:
        to_master = ("--worker", "--master-host", "127.0.0.1", "--master-port", self._port)
        return [self._node(*to_master, *(options or ("--engines", "1"))) for _ in range(number)]

    def _node(self, *arguments: str) -> Node:
        self._nodes.append(Node(self._place, *arguments))
        return self._nodes[-1]

    def directories(self) -> list[Path]:
        """Where loads were recorded, the first one first."""
        return sorted(path.parent for path in self._place.glob("runs/*/load.jsonl"))

    def figures(self) -> LoadFigures:
        """What the one load recorded."""
        (directory,) = self.directories()
        return read_figures(directory)

    def is_recorded(self, users: int) -> bool:
        """Whether the master has recorded so many under way."""
        return bool(self.directories()) and sum(part.live for part in self.figures().parts.values()) == users

    def table(self, name: str = "table.json") -> dict[str, Any]:
        """Locust's own table, as `--json-file` has it: its rows by their names."""
        rows = json.loads((self._place / name).read_text())
        return {row["name"]: row for row in rows}

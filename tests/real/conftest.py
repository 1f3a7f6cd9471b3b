"""Programs that others wrote, started for a test and gone with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / ".real" / "node_modules"
WITHIN_S = 60.0


class Node:
    """JavaScript that lies beside the tests, and uses the packages that `make real` has installed."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def command(self, script: str, *arguments: str) -> list[str]:
        return ["node", str(HERE / script), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "NODE_PATH": str(MODULES)}

    def start(self, script: str, *arguments: str) -> str:
        """Start a server, which writes the address where it listens as its first line; gives that."""
        process = subprocess.Popen(
            self.command(script, *arguments), env=self.environment, stdout=subprocess.PIPE, text=True
        )
        self._started.append(process)
        assert process.stdout is not None
        overdue = threading.Timer(WITHIN_S, process.kill)
        overdue.start()
        address = process.stdout.readline().strip()
        overdue.cancel()
        assert address, f"{script} has not started"
        return address

    async def run(self, script: str, *arguments: str) -> str:
        """Run a client to its end; gives what it writes."""
        process = await asyncio.create_subprocess_exec(
            *self.command(script, *arguments),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            written, _ = await asyncio.wait_for(process.communicate(), WITHIN_S)
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode == 0, written.decode()
        return written.decode()

    def end(self) -> None:
        for process in self._started:
            process.terminate()
            process.communicate(timeout=WITHIN_S)


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """For tests that name what they need: `NEEDS = ("graphql-ws", …)` in their module."""
    lacking = [name for name in request.module.NEEDS if not (MODULES / name).is_dir()]
    if lacking or shutil.which("node") is None:
        pytest.skip(f"there is no {', '.join(lacking) or 'node'}: `make real` installs it, and needs node and npm")
    node = Node()
    yield node
    node.end()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run_loop(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Runs a coroutine on a fresh loop of each kind."""

    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(coroutine)

    return run

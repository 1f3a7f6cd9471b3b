"""The processes of a measurement: the peer on one core, the client on another, nothing shared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["client_core", "on_core", "output_of", "peer", "server_core"]

_ROOT = Path(__file__).resolve().parent.parent


def client_core() -> int | None:
    """The core of the clients; None where a process cannot be bound to one."""
    return min(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else None


def server_core() -> int | None:
    """The core of the server: another one, if there is another."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else None


@contextmanager
def peer() -> Iterator[str]:
    """The server of the round trips, running; its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.server"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=on_core(server_core()),
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def output_of(module: str, *arguments: str, core: int | None = None) -> bytes:
    """Run a module of this package and give what it prints; raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", f"bench.{module}", *arguments]
    return subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, preexec_fn=on_core(core)).stdout


def on_core(core: int | None) -> Callable[[], None] | None:
    return (lambda: os.sched_setaffinity(0, {core})) if core is not None else None

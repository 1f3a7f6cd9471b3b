"""Servers that this project did not write, as processes of a test's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

__all__ = ["REAL", "free_port", "listened_at", "serving", "without_program"]

REAL = Path(__file__).parents[2] / ".real"
"""Where `make real` installs what the tests' environment does not have."""


def without_program(name: str) -> pytest.MarkDecorator:
    """Skips what needs a program that is not installed."""
    return pytest.mark.skipif(_path_of(name) is None, reason=f"{name} is not installed: make real")


def free_port() -> int:
    """For a program that cannot be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], ready: str, *, env: Mapping[str, str] | None = None, within_s: float = 60.0
) -> Iterator[re.Match[str]]:
    """A server that says at which port it listens: gives where `ready` is found in a line of what it prints.

    It is in a process group of its own, none of which is left at the end.
    """
    process = subprocess.Popen(
        [_path_of(command[0]) or command[0], *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(env or {})},
        start_new_session=True,
    )
    overdue = threading.Timer(within_s, _signal, (process, signal.SIGKILL))
    overdue.start()
    reading = threading.Thread(target=lambda: process.stdout.read())  # so that its log never fills the pipe
    try:
        yield _announced(process, ready, overdue, reading)
    finally:
        overdue.cancel()
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(within_s)
        _signal(process, signal.SIGKILL)
        process.wait()
        if reading.ident is not None:
            reading.join()
        process.stdout.close()


def listened_at(host: str, port: int, *, within_s: float = 60.0) -> None:
    """Return when somebody listens there: for a server that says where before it does, and then says no more."""
    overdue = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection((host, port), within_s).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < overdue, f"no server is listening on {host}:{port}"
            time.sleep(0.02)


def _announced(
    process: subprocess.Popen[str], ready: str, overdue: threading.Timer, reading: threading.Thread
) -> re.Match[str]:
    log = ""
    for line in process.stdout:
        log += line
        if found := re.search(ready, line):
            overdue.cancel()
            reading.start()
            return found
    raise AssertionError(f"{process.args[0]} did not say where it listens:\n{log}")


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # nobody of the group is left
        os.killpg(process.pid, number)


def _path_of(name: str) -> str | None:
    # Debian keeps servers where only root looks.
    return shutil.which(name) or next((str(path) for path in [Path("/usr/sbin", name)] if path.is_file()), None)

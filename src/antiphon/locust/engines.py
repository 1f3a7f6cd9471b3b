"""An engine in a process of its own, as a greenlet speaks with it: lines of JSON over its pipes."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import gevent
import msgspec
from gevent.subprocess import PIPE, Popen

from antiphon.errors import ScenarioError
from antiphon.load.engine import Snapshot
from antiphon.load.orders import Order, Prepare, Ready, Said, line_of
from antiphon.load.processes import ANSWER_WITHIN_S, READY_WITHIN_S, ProcessDied
from antiphon.load.target import Target

__all__ = ["EngineProcess"]


class EngineProcess:
    """A process that has read the plan; it ends when its pipe does, so it never outlives whoever has made it."""

    def __init__(self, target: Target) -> None:
        self._process = Popen([sys.executable, "-m", "antiphon.load.worker"], stdin=PIPE, stdout=PIPE)
        self._decode = msgspec.json.Decoder(Said).decode
        self.seat = -1
        self.is_over = False
        self.tell(Prepare(target))

    def tell(self, order: Order) -> None:
        """Say it; what is not answered says that nobody is there."""
        with suppress(OSError):
            self._process.stdin.write(line_of(order))
            self._process.stdin.flush()

    def require_ready(self) -> None:
        """Wait until it is. Raises ScenarioError with what it says if it cannot be."""
        try:
            ready = self._hear(READY_WITHIN_S)
        except ProcessDied as error:
            raise ScenarioError(f"a process of the generator did not begin: {error}") from error
        assert isinstance(ready, Ready)
        if ready.error:
            raise ScenarioError(ready.error)

    def snapshot(self) -> Snapshot:
        """What it was asked for. Raises ProcessDied."""
        said = self._hear(ANSWER_WITHIN_S)
        assert isinstance(said, Snapshot)
        self.is_over = said.is_over
        return said

    def kill(self) -> None:
        """Have it end, whatever it does."""
        with suppress(OSError):
            self._process.kill()
        self._process.wait()

    def _hear(self, within_s: float) -> Any:
        line = b""
        with gevent.Timeout(within_s, False):
            line = self._process.stdout.readline()
        if line.endswith(b"\n"):
            return self._decode(line)
        self.kill()
        raise ProcessDied(f"it ended, or did not answer within {within_s:g} s (code {self._process.returncode})")

"""A share of a load that another process performs: what is said to an engine is sent there."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon.load.engine import Snapshot
from antiphon.load.orders import (
    Adopt,
    Begin,
    End,
    Look,
    Order,
    Pause,
    Ready,
    Said,
    SetRate,
    SetUsers,
    Start,
    Stop,
    Take,
    line_of,
)
from antiphon.load.shares import Share

__all__ = ["ProcessDied", "ProcessGenerator"]

LONGEST_SNAPSHOT: Final = 256 * 1024 * 1024

ANSWER_WITHIN_S: Final = 30.0
"""A process whose loop stands still for so long is given up."""


class ProcessDied(Exception):
    """A process of the generator is not there any more; the text says how it ended."""


class ProcessGenerator:
    """An engine in a process of its own; see `antiphon.load.engine.Generator`. Any word may raise ProcessDied."""

    def __init__(self, process: Process, begin: Begin) -> None:
        self._process = process
        self.number = begin.process
        self.share = begin.share
        self._decode = msgspec.json.Decoder(Said).decode

    @classmethod
    async def begin(cls, begin: Begin) -> ProcessGenerator:
        """Start a process and wait until it is ready. Raises ScenarioError if it cannot be."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "antiphon.load.worker", stdin=PIPE, stdout=PIPE, limit=LONGEST_SNAPSHOT
        )
        made = cls(process, begin)
        try:
            made._tell(begin)
            ready = await made._hear()
        except ProcessDied as error:
            raise ScenarioError(f"a process of the generator did not begin: {error}") from error
        except BaseException:
            await made.kill()
            raise
        assert isinstance(ready, Ready)
        if ready.error:
            await made.kill()
            raise ScenarioError(ready.error)
        return made

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def start(self, at: float, /) -> None:
        self._tell(Start(at))

    def set_rate(self, rates: Mapping[str, float], from_s: float, /) -> None:
        self._tell(SetRate(dict(rates), from_s))

    def set_users(self, users: Mapping[str, int], from_s: float, /) -> None:
        self._tell(SetUsers(dict(users), from_s))

    def pause(self, is_paused: bool, from_s: float, /) -> None:
        self._tell(Pause(is_paused, from_s))

    def adopt(self, share: Share, from_s: float, /) -> None:
        self._tell(Adopt(share, from_s))

    def look(self, number: int, is_held: bool, /) -> None:
        self._tell(Look(number, is_held))

    def end(self) -> None:
        self._tell(End())

    async def snapshot(self) -> Snapshot:
        self._tell(Take())
        return await self._hear_snapshot()

    async def stop(self) -> Snapshot:
        self._tell(Stop())
        return await self._hear_snapshot()

    async def kill(self) -> None:
        """Have it end, whatever it does, and wait until it has."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _tell(self, order: Order) -> None:
        assert self._process.stdin is not None
        # It is gone, for which uvloop has a RuntimeError where asyncio has none; what is not answered says so.
        with suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(line_of(order))

    async def _hear_snapshot(self) -> Snapshot:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                said = await self._hear()
        except TimeoutError:
            await self.kill()
            raise ProcessDied(f"it did not answer within {ANSWER_WITHIN_S:g} s, and was ended") from None
        assert isinstance(said, Snapshot)
        return said

    async def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise ProcessDied(_how_it_ended(await self._process.wait()))
        return self._decode(line)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"it ended with code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"

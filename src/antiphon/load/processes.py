"""A share of a load that another process performs: what is said to an engine is sent there."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from antiphon.errors import ResourcesExhausted, ScenarioError
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
from antiphon.load.tally import Tally

__all__ = ["ProcessDied", "ProcessGenerator"]

LONGEST_SNAPSHOT: Final = 256 * 1024 * 1024

READY_WITHIN_S: Final = 120.0
"""Longer than importing anything takes, also for many processes on a busy machine."""

ANSWER_WITHIN_S: Final = 30.0
"""A process whose loop stands still for so long is given up."""


class ProcessDied(Exception):
    """A process of the generator is not there any more; the text says how it ended.

    `reached` is how far it had come, as its engine noted it (`Engine`, `tally`).
    """

    def __init__(self, text: str, reached: Sequence[int] = ()) -> None:
        super().__init__(text)
        self.reached = reached


class ProcessGenerator:
    """An engine in a process of its own; see `antiphon.load.engine.Generator`. Any word may raise ProcessDied."""

    def __init__(self, process: Process, begin: Begin, tally: Tally) -> None:
        self._process = process
        self._tally = tally
        self.number = begin.process
        self.share = begin.share
        self._decode = msgspec.json.Decoder(Said).decode

    @classmethod
    async def begin(cls, begin: Begin) -> ProcessGenerator:
        """Start a process and wait until it is ready. Raises ScenarioError if it cannot be."""
        tally = _new_tally()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "antiphon.load.worker", stdin=PIPE, stdout=PIPE, limit=LONGEST_SNAPSHOT
            )
        except BaseException:
            tally.close()
            raise
        made = cls(process, begin, tally)
        try:
            made._tell(msgspec.structs.replace(begin, tally=tally.path))
            async with asyncio.timeout(READY_WITHIN_S):
                ready = await made._hear()
        except ProcessDied as error:
            await made.kill()
            raise ScenarioError(f"a process of the generator did not begin: {error}") from error
        except TimeoutError:
            await made.kill()
            raise ScenarioError(
                f"a process of the generator was not ready within {READY_WITHIN_S:g} s, and was ended",
                place=begin.target.file,
                hint="what is done where the file is imported is done in each process: do it in the scenario instead",
            ) from None
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

    def adopt(self, share: Share, from_s: float, reached: Mapping[str, int], /) -> None:
        self._tell(Adopt(share, from_s, dict(reached)))

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
        await self._end()
        self._tally.close()

    async def _end(self) -> None:
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
            await self._end()
            text = f"it did not answer within {ANSWER_WITHIN_S:g} s, and was ended"
            raise ProcessDied(text, self._tally.read()) from None
        assert isinstance(said, Snapshot)
        return said

    async def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise ProcessDied(_how_it_ended(await self._process.wait()), self._tally.read())
        return self._decode(line)


def _new_tally() -> Tally:
    try:
        return Tally.new()
    except OSError as error:
        raise ResourcesExhausted(
            f"there is no memory to share with a process of the generator: {error.strerror or error}",
            place=error.filename,
            hint="make room in the directory for temporary files, or name another: TMPDIR=…",
        ) from error


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"it ended with code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"

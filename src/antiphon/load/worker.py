"""A process that performs a share of a load: it reads orders from its input, and writes what it measured.

It ends when its input does, so it does not outlive whoever drives it. Signals that ask to end are for that one: a
terminal, systemd and Jenkins send them to all processes at once, and what was measured last would be lost.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, Final

import msgspec

from antiphon.errors import AntiphonError
from antiphon.load.engine import Engine
from antiphon.load.keeping import Keep, Keeper
from antiphon.load.orders import (
    Adopt,
    Begin,
    End,
    Look,
    Pause,
    Prepare,
    Ready,
    SetRate,
    SetUsers,
    Start,
    Stop,
    Take,
    line_of,
)
from antiphon.load.plan import Plan
from antiphon.load.table import Columns
from antiphon.load.tally import Tally
from antiphon.load.target import plan_of
from antiphon.runtime.collector import collect_seldom
from antiphon.runtime.event_loop import run_in_loop

__all__ = ["main"]

LONGEST_ORDER: Final = 64 * 1024 * 1024
"""The first order holds all users of the share."""

_UNREAD_S: Final = 0.2
"""Where our own loop stood still, what was said meanwhile has not been read yet."""

_ORDERS: Final = msgspec.json.Decoder(
    Prepare | Begin | Start | SetRate | SetUsers | Pause | Adopt | Look | End | Take | Stop
)


def main() -> int:
    """Perform what is ordered; 0 if it was told to end, 1 if it was left alone."""
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)):
        if number is not None:
            signal.signal(number, _leave_it)  # not SIG_IGN, which programs that a scenario starts would inherit
    # What scenarios print must not come between what is written for whoever reads this.
    told = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return run_in_loop(_serve(told))


def _leave_it(_number: int, _frame: FrameType | None) -> None:
    """It is for whoever drives us."""


async def _serve(told: BinaryIO) -> int:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=LONGEST_ORDER)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    first = await orders.readline()
    if not first:
        return 1
    try:
        begin, plan = _ORDERS.decode(first), None
        if isinstance(begin, Prepare):
            plan = plan_of(begin.target)
            _tell(told, Ready())
            if not (line := await orders.readline()):
                return 1
            begin = _ORDERS.decode(line)
        engine = _engine(begin, plan)
    except AntiphonError as error:
        _tell(told, Ready(str(error)))
        return 1
    collect_seldom()
    _tell(told, Ready())
    alone_s: float | None = None
    while line := await _next_line(orders, alone_s):
        order = _ORDERS.decode(line)
        match order:
            case Start():
                alone_s = begin.alone_s
                engine.start(order.at)
            case Stop():
                _tell(told, await engine.stop())
                return 0
            case Take():
                _tell(told, await engine.snapshot())
            case _:
                _obey(engine, order)
    engine.end()  # or users whose conversations are broken off now would begin others
    return 1


async def _next_line(orders: asyncio.StreamReader, within_s: float | None) -> bytes:
    """What is said next; nothing if the input has ended, or nothing was said in that time."""
    for wait_s in (within_s, _UNREAD_S):
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                return await orders.readline()
    return b""


def _engine(order: Any, prepared: Plan | None) -> Engine:
    assert isinstance(order, Begin)  # whoever drives us says that first
    plan = (plan_of(order.target) if prepared is None else prepared).with_seed(order.seed)
    if order.is_steered:
        plan = plan.steered()
    keeper = None
    if order.directory is not None and order.keep is not None:
        keeper = Keeper(Keep(*order.keep), Path(order.directory))
    columns = Columns(order.columns) if order.columns else None
    tally = Tally(order.tally) if order.tally else None
    if tally is not None:
        tally.forget_file()
    return Engine(
        plan,
        order.stand.stand(),
        share=order.share,
        process=order.process,
        keeper=keeper,
        columns=columns,
        tally=tally,
    )


def _obey(engine: Engine, order: Any) -> None:
    match order:
        case SetRate():
            engine.set_rate(order.rates, order.from_s)
        case SetUsers():
            engine.set_users(order.users, order.from_s)
        case Pause():
            engine.pause(order.is_paused, order.from_s)
        case Adopt():
            engine.adopt(order.share, order.from_s, order.reached)
        case Look():
            engine.look(order.number, order.is_held)
        case End():
            engine.end()


def _tell(told: BinaryIO, said: Any) -> None:
    line = memoryview(line_of(said))
    with suppress(BrokenPipeError):  # nobody is there any more, which the end of the input says as well
        while line:
            line = line[told.write(line) :]


if __name__ == "__main__":
    sys.exit(main())

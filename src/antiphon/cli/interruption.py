"""What tells a command to end: Ctrl-C (SIGINT), a request to terminate (SIGTERM), a terminal that is gone (SIGHUP)."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar

from antiphon.runtime.event_loop import run_in_loop

__all__ = ["Interrupted", "run_until_told"]

T = TypeVar("T")

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal has told the command to end: the one of that `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"told to end by {signal.Signals(number).name}")
        self.number = number


def run_until_told(main: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of its own until it is over, or a signal tells us to end: then it is cancelled and cleans up.

    A signal that was ignored when the command began stays ignored: `nohup` and a shell's `&` have asked for that. A
    second one does not wait for the cleaning up. Only the main thread hears of signals. Raises Interrupted if one came
    in time, else what `main` raises.
    """
    told: list[int] = []
    try:
        return run_in_loop(_until_told(main, told))
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        if not told or isinstance(error, Interrupted):
            raise
        raise Interrupted(told[0]) from error
    finally:
        main.close()  # as in `run_in_loop`, which knows the one around it only


async def _until_told(main: Coroutine[Any, Any, T], told: list[int]) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if len(told) > 1:
            raise Interrupted(told[0])
        # Not at once: the signal may have come in the middle of a change of ours.
        loop.call_soon_threadsafe(task.cancel)

    with _heard(tell):
        return await main


@contextmanager
def _heard(tell: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Inside the `with`, the signals that are not ignored are told."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        # None is a handler that was not set from Python, and could not be set again.
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, tell)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

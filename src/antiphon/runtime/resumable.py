"""How a task awaits a wait of ours: it sleeps on a future, and is resumed inside the reader's own callback.

A message that satisfies a wait resumes its step in the same turn of the loop in which it was read. `set_result` of the
future cannot do that: it schedules the callbacks, so the task goes on one turn later, behind whatever else is ready. So
the future is never made done; the callbacks that lie in it are called here, and it is thrown away.

Relied upon, all of it the same in CPython 3.11 to 3.14, for tasks in C and in Python, on asyncio's loops and uvloop's:

-   What an awaitable yields with `_asyncio_future_blocking` set to True is awaited by its task, as in `Wait.__await__`
    (documented at `asyncio.isfuture`): by one call of `add_done_callback`, which `Future._callbacks` shows with the
    task's context.
-   A task's wake-up asks what it is called with for `result()` and throws that away. So it is called with a future of
    asyncio's that is done, which it asks without a call into Python.
-   A wake-up may be called from any callback of the loop while no task is in the middle of a step. Within a step it
    would raise RuntimeError ("Cannot enter into task"); that is looked at first. It raises RuntimeError, too, before
    the task has made its step, if its context is entered already (a callback that was given a task's context by hand).
    In both cases the loop calls it, one turn later and no worse.
-   The running task: `asyncio.current_task`, which before 3.12 is written in Python, and looks into
    `asyncio.tasks._current_tasks`.

Where `_callbacks` shows nothing, as in a future of another make, the future is made done, which is what asyncio does.

Tried instead: a future of our own, written in Python (some calls of ours more for each wait), `eager_start` of a task
for each message (Python 3.12; a task costs more than the wait), `loop._ready.appendleft` (uvloop has no such thing).
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable, Collection, Generator
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final, TypeVar

from antiphon.conversation.waits import Wait

__all__ = ["Resumer"]

T = TypeVar("T")

if sys.version_info >= (3, 12):
    _current_task: Callable[[Any], Any] = asyncio.current_task
else:
    _current_task: Callable[[Any], Any] = asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]


class Sleeper(asyncio.Future[None]):
    """What those sleep on who await one of the waits.

    A task that is cancelled cancels what it awaits, and the waits are given up in that very call, not when the task has
    its turn: what comes in between is not theirs any more (P10).
    """

    __slots__ = ("waits",)

    waits: Collection[Wait[Any]]

    def cancel(self, msg: Any = None) -> bool:
        if self.done():
            return False
        self.give_up()
        return super().cancel(msg)

    def give_up(self) -> None:
        """Nobody awaits them any more."""
        for wait in self.waits:
            wait.driver.give_up(wait)


class Resumer:
    """Lets tasks sleep on the waits of one event loop, and resumes them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: Final = loop
        self.new_sleeper: Callable[[], Any] = partial(Sleeper, loop=loop)
        # What a task is woken with: it is asked for its result, and has nothing to say.
        self._woken: asyncio.Future[None] = loop.create_future()
        self._woken.set_result(None)

    def give_up(self, wait: Wait[Any]) -> None:
        """Nobody awaits the wait any more."""
        raise NotImplementedError

    def resume(self, sleeper: asyncio.Future[Any]) -> None:
        """Let those who sleep on it go on: at once, unless a task is in the middle of a step.

        The mailbox has finished its own change by now: whoever goes on may send, expect, close or cancel.
        """
        if _current_task(self.loop) is None and (callbacks := sleeper._callbacks):
            for callback, context in callbacks:
                try:
                    context.run(callback, self._woken)
                except RuntimeError:
                    # The context is entered already, or the task could not be: in both cases it has not made its step,
                    # since what a step raises stays in its task (KeyboardInterrupt and SystemExit apart).
                    self.loop.call_soon(callback, self._woken, context=context)
        elif not sleeper.done():
            sleeper.set_result(None)

    def is_awaited(self, wait: Wait[Any]) -> bool:
        """Whether somebody will be told how the wait ends."""
        return wait.sleeper is not None and bool(wait.sleeper._callbacks)

    @types.coroutine
    def any_of(self, waits: Collection[Wait[Any]], /) -> Generator[Any, None, None]:
        """See `antiphon.conversation.waits.Driver`."""
        own = self.new_sleeper()
        own.waits = waits
        # With a context of its own it is called at once, as a task is.
        relay, context = _Relay(self, own), copy_context()
        for wait in waits:
            self.sleeper_of(wait).add_done_callback(relay, context=context)
        own._asyncio_future_blocking = True
        try:
            yield own
        except BaseException:
            own.give_up()
            raise
        finally:
            for wait in waits:
                if wait.sleeper is not None:
                    wait.sleeper.remove_done_callback(relay)

    def call_when_done(self, wait: Wait[Any], function: Callable[[Any], object], context: Context | None, /) -> None:
        """See `antiphon.conversation.waits.Driver`."""
        _Call(self, function, wait, context if context is not None else copy_context())(None)

    def call_no_more(self, wait: Wait[Any], function: Callable[[Any], object], /) -> int:
        """See `antiphon.conversation.waits.Driver`."""
        if wait.sleeper is None:
            return 0
        removed: int = wait.sleeper.remove_done_callback(_Call(self, function, wait, copy_context()))
        return removed

    def sleeper_of(self, wait: Wait[Any]) -> Sleeper:
        """The future that those sleep on who await the wait."""
        if wait.sleeper is None:
            wait.sleeper = self.new_sleeper()
            wait.sleeper.waits = (wait,)
        sleeper: Sleeper = wait.sleeper
        return sleeper


class _Relay:
    """Resumes who sleeps on one future when another one is resumed."""

    __slots__ = ("_future", "_resumer")

    def __init__(self, resumer: Resumer, future: asyncio.Future[Any]) -> None:
        self._resumer = resumer
        self._future = future

    def __call__(self, _woken: object) -> None:
        self._resumer.resume(self._future)


class _Call:
    """Has the loop call a function with the wait, as it would a callback of a future; equal to others of the same."""

    __slots__ = ("_context", "_function", "_resumer", "_wait")

    def __init__(self, resumer: Resumer, function: Callable[[Any], object], wait: Wait[Any], context: Context) -> None:
        self._resumer = resumer
        self._function = function
        self._wait = wait
        self._context = context

    def __call__(self, _woken: object) -> None:
        if self._wait.settled_ns >= 0:
            self._resumer.loop.call_soon(self._function, self._wait, context=self._context)
        else:  # it is new, or was called for a reply that is not the last
            self._resumer.sleeper_of(self._wait).add_done_callback(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Call) and self._function == other._function

    __hash__ = None  # type: ignore[assignment]

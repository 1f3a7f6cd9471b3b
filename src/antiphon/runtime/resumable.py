"""The side of a wait that asyncio's tasks see: a future that can resume its task inside the reader's own callback.

A message that satisfies a wait resumes its step in the same turn of the loop in which it was read. An `asyncio.Future`
cannot do that: `set_result` schedules its callbacks, so its task goes on one turn later, behind whatever else is ready.
So this is no child of it; it looks like one to a task, and when it is done it calls the task's wake-up itself.

Relied upon, all of it the same in CPython 3.11 to 3.14, for tasks in C and in Python, on asyncio's loops and uvloop's:

-   `asyncio.isfuture` and `Task.__step` take whatever has `_asyncio_future_blocking` for a future (documented at
    `asyncio.isfuture`); what yields itself with that set to True is awaited, by one call of `add_done_callback`.
-   A task gives its own context with that call. Whoever does not (a task of another make, `add_done_callback` by hand)
    is called by `call_soon` like any callback of a future, one turn later and no worse.
-   A wake-up asks what it is called with for `result()` and throws that away: `__await__` gives the real one. So it is
    called with a future of asyncio's that is done, which it asks without a call into Python.
-   A wake-up may be called from any callback of the loop while no task is in the middle of a step. Within a step it
    would raise RuntimeError ("Cannot enter into task"); that is looked at first. It raises RuntimeError, too, before
    the task has made its step, if its context is entered already (a callback that was given a task's context by hand);
    then it goes by `call_soon` as well. Nothing is lost in either case.
-   `asyncio.shield`, `wait`, `gather` and `wait_for` ask for the loop by `_loop` where there is no `get_loop()`.

Tried instead: an `asyncio.Future` (one turn more), `eager_start` of a task for each message (Python 3.12, and a task
costs more than the wait), `loop._ready.appendleft` (uvloop has no such thing).

Python 3.14 keeps for each future who awaits it (`future_add_to_awaited_by`), but only for its own: `print_call_graph`
does not see through this, and that is all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Final, Generic, Protocol, TypeVar

from antiphon.conversation.waits import Wait

__all__ = ["Resumable", "WaitOwner"]

T = TypeVar("T")
_Callback = Callable[[Any], object]
_current_task: Final = asyncio.current_task


class WaitOwner(Protocol):
    """What such a future needs of its channel.

    `woken` is a future of `loop` that is done: what a task is given when it is to go on.
    """

    loop: asyncio.AbstractEventLoop
    woken: asyncio.Future[None]

    def abandon(self, wait: Wait) -> None:
        """The wait is not awaited any more."""
        ...

    def heard(self, wait: Wait) -> None:
        """Someone has been told of the wait's failure."""
        ...


class Resumable(Generic[T]):
    """Awaited, it gives its result once it is done. Whoever makes it done calls `_wake`."""

    __slots__ = (
        "_asyncio_future_blocking",
        "_callbacks",
        "_channel",
        "_is_awaited",
        "_is_cancelled",
        "_loop",
        "_task",
    )

    def __init__(self, channel: WaitOwner) -> None:
        self._channel = channel
        self._loop = channel.loop
        self._asyncio_future_blocking = self._is_awaited = self._is_cancelled = False
        self._task: tuple[_Callback, Context] | None = None
        self._callbacks: list[tuple[_Callback, Context | None]] | None = None

    def done(self) -> bool:
        """True once there is a result or an error."""
        raise NotImplementedError

    def result(self) -> T:
        """The result; raises the error there is instead, or InvalidStateError while there is neither."""
        raise NotImplementedError

    def _listen(self) -> bool:
        """Have `_wake` called when done; False if it is done already."""
        raise NotImplementedError

    def _give_up(self) -> None:
        """Nobody awaits this any more."""
        raise NotImplementedError

    def __await__(self) -> Generator[Any, None, T]:
        if not self.done():
            self._asyncio_future_blocking = self._is_awaited = True
            try:
                yield self
            except BaseException:
                # Cancelled: what had come for this wait and was not seen goes back to the mailbox (P10).
                self._give_up()
                raise
        return self.result()

    def exception(self) -> BaseException | None:
        """The error, if there is one."""
        if self._is_cancelled:
            raise asyncio.CancelledError
        try:
            self.result()
        except BaseException as error:
            return error
        return None

    def cancelled(self) -> bool:
        """True after `cancel`."""
        return self._is_cancelled

    def cancel(self, msg: Any = None) -> bool:
        """Give up; False if there was nothing to give up any more."""
        if self.done():
            return False
        self._is_cancelled = True
        self._give_up()
        self._call_soon()
        return True

    def add_done_callback(self, callback: _Callback, *, context: Context | None = None) -> None:
        """Call `callback(self)` once done."""
        if not self._listen():
            self._loop.call_soon(callback, self, context=context)
            return
        if self._is_awaited and context is not None and self._task is None:
            # The task that has just been given this by `__await__`. Any further one is a callback like others, called
            # with this and not with `woken`: it is slower by a call into Python.
            self._task = (callback, context)
        elif self._callbacks is None:
            self._callbacks = [(callback, context)]
        else:
            self._callbacks.append((callback, context))
        self._is_awaited = False

    def remove_done_callback(self, callback: _Callback) -> int:
        """Do not call it any more; returns how often it had been added."""
        callbacks = self._callbacks or []
        kept = [pair for pair in callbacks if pair[0] != callback]
        self._callbacks = kept
        return len(callbacks) - len(kept)

    def _wake(self) -> None:
        """Done: let the task that awaits this go on at once, if no other is in the middle of a step.

        This keeps "in the same turn of the loop in which it was read". The mailbox has finished its own change by now:
        whoever goes on may send, expect, close or cancel.
        """
        if _current_task(self._loop) is not None:
            self._call_soon()
            return
        task, callbacks = self._task, self._callbacks
        self._task = self._callbacks = None
        if task is not None:
            self._run(task[0], self._channel.woken, task[1])
        if callbacks is not None:
            for callback, context in callbacks:
                if context is not None:
                    self._run(callback, self, context)
                else:
                    self._loop.call_soon(callback, self)

    def _run(self, callback: _Callback, future: Any, context: Context) -> None:
        try:
            context.run(callback, future)
        except RuntimeError:
            # The context is entered already, or the task could not be: in both cases it has not made its step, since
            # what a step raises stays in its task (KeyboardInterrupt and SystemExit apart).
            self._loop.call_soon(callback, future, context=context)

    def _call_soon(self) -> None:
        task, self._task = self._task, None
        callbacks, self._callbacks = self._callbacks, None
        if task is not None:
            self._loop.call_soon(task[0], self._channel.woken, context=task[1])
        for callback, context in callbacks or ():
            self._loop.call_soon(callback, self, context=context)

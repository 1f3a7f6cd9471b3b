"""Waits that can be awaited.

A `Pending` is to a task what a future is, with one difference: when it is settled from the reader's callback, the
task that awaits it takes its next step at once, inside that callback, instead of one turn of the loop later. Inside
another task's step that is impossible (one task at a time may run), so there the ordinary `call_soon` is used.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

from antiphon.conversation.message import Message
from antiphon.conversation.waits import ReplyWait, Wait
from antiphon.errors import ScenarioError

__all__ = ["Exchange", "Pending", "all_of", "first_of"]

T = TypeVar("T")
_Callback = Callable[[Any], object]
_current_task = asyncio.current_task


class WaitOwner(Protocol):
    """What a pending needs of its channel.

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
    """The side of a future that asyncio's tasks see (see asyncio.Future and PEP 3156 on `yield from`)."""

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

    def _listen(self) -> None:
        """Have `_wake` called when done."""
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
                # Cancelled: what had come for this wait and was not seen goes back to the mailbox.
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
        if self.done():
            self._loop.call_soon(callback, self, context=context)
            return
        if self._is_awaited and context is not None:
            # The task that has just been given this by `__await__`. It asks whatever it is woken with for a result, and
            # asks a future of asyncio's own without a call into Python; the result itself is given by `__await__`.
            self._is_awaited = False
            self._task = (callback, context)
        elif self._callbacks is None:
            self._callbacks = [(callback, context)]
        else:
            self._callbacks.append((callback, context))
        self._listen()

    def remove_done_callback(self, callback: _Callback) -> int:
        """Do not call it any more; returns how often it had been added."""
        callbacks = self._callbacks or []
        kept = [pair for pair in callbacks if pair[0] != callback]
        self._callbacks = kept
        return len(callbacks) - len(kept)

    def _wake(self) -> None:
        """Done: let the task that awaits this go on at once, if no other is in the middle of a step."""
        if _current_task(self._loop) is not None:
            self._call_soon()
            return
        task, self._task = self._task, None
        callbacks, self._callbacks = self._callbacks, None
        if task is not None:
            task[1].run(task[0], self._channel.woken)
        for callback, context in callbacks or ():
            if context is not None:
                context.run(callback, self)
            else:
                self._loop.call_soon(callback, self)

    def _call_soon(self) -> None:
        task, self._task = self._task, None
        callbacks, self._callbacks = self._callbacks, None
        if task is not None:
            self._loop.call_soon(task[0], self._channel.woken, context=task[1])
        for callback, context in callbacks or ():
            self._loop.call_soon(callback, self, context=context)


class Pending(Resumable[T]):
    """A wait in progress: await it for what was waited for. Its deadline runs from the moment it was made.

    Raises ExpectationFailed or a child of it when the wait fails.
    """

    __slots__ = ("_read", "wait")

    def __init__(self, channel: WaitOwner, wait: Wait, read: Callable[[Any], T]) -> None:
        # What Resumable's does, without a call of it: as many of these are made as there are waits.
        self._channel = channel
        self._loop = channel.loop
        self._asyncio_future_blocking = self._is_awaited = self._is_cancelled = False
        self._task = self._callbacks = None
        self.wait = wait
        self._read = read

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.wait.describe()}>"

    def done(self) -> bool:
        return self.wait.settled_ns >= 0

    def result(self) -> T:
        wait = self.wait
        if self._is_cancelled:
            raise asyncio.CancelledError
        if wait.settled_ns < 0:
            raise asyncio.InvalidStateError(f"still waiting for {wait.describe()}")
        if wait.error is not None:
            self._channel.heard(wait)
            raise wait.error
        wait.is_seen = True
        return self._read(wait)

    def _listen(self) -> None:
        self.wait.on_settled = self._wake

    def _give_up(self) -> None:
        if self.wait.error is None:
            self._channel.abandon(self.wait)
            self._is_cancelled = True


class Exchange(Pending[Message]):
    """A request and its replies: await it for the answer, or iterate it for every message that belongs to it.

    `async for` ends after the last reply; a refusal is raised when it comes.
    """

    __slots__ = ()

    wait: ReplyWait

    @property
    def request(self) -> Message:
        """The request that was sent."""
        return self.wait.request

    @property
    def messages(self) -> list[Message]:
        """The replies so far."""
        return list(self.wait.messages)

    async def __aiter__(self) -> AsyncIterator[Message]:
        wait = self.wait
        while True:
            while wait.seen < len(wait.messages):
                wait.seen += 1
                yield wait.messages[wait.seen - 1]
            if not wait.is_pending:
                break
            await _Reply(self._channel, wait)
        if wait.error is not None:
            self._channel.heard(wait)
            raise wait.error


class _Reply(Resumable[None]):
    """The next reply of an exchange, or its end."""

    __slots__ = ("_wait",)

    def __init__(self, channel: WaitOwner, wait: ReplyWait) -> None:
        super().__init__(channel)
        self._wait = wait

    def done(self) -> bool:
        return self._wait.seen < len(self._wait.messages) or not self._wait.is_pending

    def result(self) -> None:
        return None

    def _listen(self) -> None:
        self._wait.on_message = self._wake

    def _give_up(self) -> None:
        self._wait.on_message = None


class _AnyOf(Resumable[Any]):
    """Some waits of which the first, or all, count; the others are abandoned the moment that is decided."""

    __slots__ = ("_is_first_enough", "_pendings", "_verdict")

    def __init__(self, pendings: tuple[Pending[Any], ...], *, is_first_enough: bool) -> None:
        candidates: tuple[Any, ...] = pendings
        for pending in candidates:
            if not isinstance(pending, Pending):
                if inspect.iscoroutine(pending):
                    pending.close()
                raise ScenarioError(
                    f"{pending!r} is no wait",
                    hint="give what expect(), ask(), until() or expect_close() return, not awaited",
                )
        if not pendings:
            raise ScenarioError("there is nothing to wait for", hint="give at least one expectation")
        super().__init__(pendings[0]._channel)
        self._pendings = pendings
        self._is_first_enough = is_first_enough
        self._verdict: list[Pending[Any]] | None = None
        self._decide()

    def done(self) -> bool:
        return self._verdict is not None

    def result(self) -> Any:
        if self._is_cancelled:
            raise asyncio.CancelledError
        if self._verdict is None:
            raise asyncio.InvalidStateError("still waiting")
        results = [pending.result() for pending in self._verdict]
        return results[0] if self._is_first_enough else results

    def _decide(self) -> None:
        settled = [pending for pending in self._pendings if pending.done()]
        failed = [pending for pending in settled if pending.wait.error is not None]
        if self._is_first_enough and settled:
            self._end([min(settled, key=_when_settled)])
        elif failed:
            self._end([min(failed, key=_when_settled)])
        elif len(settled) == len(self._pendings):
            self._end(list(self._pendings))

    def _end(self, verdict: list[Pending[Any]]) -> None:
        self._verdict = verdict
        for pending in self._pendings:
            pending.wait.on_settled = None
            if pending not in verdict:
                pending._give_up()

    def _listen(self) -> None:
        for pending in self._pendings:
            pending.wait.on_settled = self._on_settled

    def _on_settled(self) -> None:
        self._decide()
        if self._verdict is not None:
            self._wake()

    def _give_up(self) -> None:
        if self._verdict is None:
            self._end([])
            self._is_cancelled = True


def first_of(*pendings: Pending[Any]) -> Resumable[Any]:
    """Await it for the result of whichever wait is settled first; the others are cancelled and take nothing.

    The deadline that passes first counts as settled, and raises.
    """
    return _AnyOf(pendings, is_first_enough=True)


def all_of(*pendings: Pending[Any]) -> Resumable[list[Any]]:
    """Await it for the results of all the waits, in the order given, whatever order they come in.

    The first failure is raised at once, and the others are cancelled.
    """
    return _AnyOf(pendings, is_first_enough=False)


def _when_settled(pending: Pending[Any]) -> tuple[int, int]:
    message = pending.wait.message
    return (message.at_ns, message.number) if message is not None else (pending.wait.settled_ns, 0)

"""Waits that can be awaited: one message, an exchange of several, the first or all of some waits."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from antiphon.conversation.message import Message
from antiphon.conversation.waits import ReplyWait, Wait
from antiphon.errors import ScenarioError
from antiphon.runtime.resumable import Resumable, WaitOwner

__all__ = ["Exchange", "Pending", "all_of", "first_of"]

T = TypeVar("T")


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

    def _listen(self) -> bool:
        wait = self.wait
        if wait.settled_ns >= 0:
            return False
        wait.on_settled = self._wake
        return True

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

    def _listen(self) -> bool:
        if self.done():
            return False
        self._wait.on_message = self._wake
        return True

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

    def _listen(self) -> bool:
        if self._verdict is not None:
            return False
        for pending in self._pendings:
            pending.wait.on_settled = self._on_settled
        return True

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

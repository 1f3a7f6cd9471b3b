"""Several waits awaited at once: for the first of them that is settled, or for all."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Generator
from typing import Any, Generic, TypeVar

from antiphon.conversation.waits import Wait
from antiphon.errors import ScenarioError

__all__ = ["WaitGroup", "all_of", "first_of"]

T = TypeVar("T")


class WaitGroup(Generic[T]):
    """Some waits of which the first, or all, count; the others are given up the moment that is decided.

    Await it for the result, or the results. It is decided when it is made, or while it is awaited.
    """

    def __init__(self, waits: tuple[Wait[Any], ...], *, is_first_enough: bool) -> None:
        candidates: tuple[Any, ...] = waits
        for wait in candidates:
            if not isinstance(wait, Wait):
                if inspect.iscoroutine(wait):
                    wait.close()
                raise ScenarioError(
                    f"{wait!r} is no wait",
                    hint="give what expect(), ask(), until() or expect_close() return, not awaited",
                )
        if not waits:
            raise ScenarioError("there is nothing to wait for", hint="give at least one expectation")
        self._waits = waits
        self._is_first_enough = is_first_enough
        self._verdict: list[Wait[Any]] | None = None
        self._decide()

    def __await__(self) -> Generator[Any, None, T]:
        driver: Any = self._waits[0].driver  # of whichever channel: they have one loop
        while self._verdict is None:
            try:
                yield from driver.any_of([wait for wait in self._waits if not wait.done()])
            except BaseException:
                self._end([])
                raise
            self._decide()
        if not self._verdict:  # whoever awaited it was cancelled
            raise asyncio.CancelledError
        results = [wait.result() for wait in self._verdict]
        result: Any = results[0] if self._is_first_enough else results
        return result  # type: ignore[no-any-return]

    def _decide(self) -> None:
        settled = [wait for wait in self._waits if wait.done()]
        failed = [wait for wait in settled if wait.error is not None]
        if self._is_first_enough and settled:
            self._end([min(settled, key=_when_settled)])
        elif failed:
            self._end([min(failed, key=_when_settled)])
        elif len(settled) == len(self._waits):
            self._end(list(self._waits))

    def _end(self, verdict: list[Wait[Any]]) -> None:
        self._verdict = verdict
        for wait in self._waits:
            if wait not in verdict:
                wait.driver.give_up(wait)


def first_of(*waits: Wait[Any]) -> WaitGroup[Any]:
    """Await it for the result of whichever wait is settled first; the others are cancelled and take nothing.

    The deadline that passes first counts as settled, and raises.
    """
    return WaitGroup(waits, is_first_enough=True)


def all_of(*waits: Wait[Any]) -> WaitGroup[list[Any]]:
    """Await it for the results of all the waits, in the order given, whatever order they come in.

    The first failure is raised at once, and the others are cancelled.
    """
    return WaitGroup(waits, is_first_enough=False)


def _when_settled(wait: Wait[Any]) -> tuple[int, int]:
    message = wait.message
    return (message.at_ns, message.number) if message is not None else (wait.settled_ns, 0)

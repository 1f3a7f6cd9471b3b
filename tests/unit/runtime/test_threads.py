"""Blocking functions in threads of their own."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any, NoReturn

import pytest

from antiphon.runtime.threads import in_thread

COLOUR: ContextVar[str] = ContextVar("colour", default="none")


def test_it_has_its_arguments_and_the_context_and_gives_its_result() -> None:
    def paint(what: str, *, again: bool) -> tuple[str, str, bool, bool]:
        return what, COLOUR.get(), again, threading.current_thread() is threading.main_thread()

    async def main() -> Any:
        COLOUR.set("red")
        return await in_thread(paint, "house", again=True)

    assert asyncio.run(main()) == ("house", "red", True, False)


def test_what_it_raises_is_raised() -> None:
    def fail() -> NoReturn:
        raise LookupError("x")

    with pytest.raises(LookupError, match="x"):
        asyncio.run(in_thread(fail))


def test_stop_iteration_is_told_as_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="raised StopIteration") as raised:
        asyncio.run(in_thread(lambda: next(iter(()))))
    assert isinstance(raised.value.__cause__, StopIteration)


def test_one_that_does_not_return_keeps_neither_the_wait_nor_the_loop() -> None:
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        release.wait()
        ended.set()

    async def main() -> None:
        task = asyncio.ensure_future(in_thread(block))
        await in_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    thread = next(each for each in threading.enumerate() if each.name == "antiphon call block")
    release.set()
    assert ended.wait(5)
    thread.join(5)
    assert not thread.is_alive()  # it told a loop that was closed; what it raised would fail this test

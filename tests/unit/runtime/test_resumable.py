"""A future that resumes its task inside the callback that makes it done, for every kind of task that asyncio has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, cast

import pytest
import uvloop

from antiphon.conversation.waits import Wait
from antiphon.runtime.resumable import Resumable
from antiphon.testing import VirtualTimeLoop

COLOUR: ContextVar[str] = ContextVar("colour", default="none")
PYTHON_TASK = cast("type[asyncio.Task[Any]]", asyncio.tasks._PyTask)  # type: ignore[attr-defined]


class Owner:
    """What a channel is to its waits."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.woken: asyncio.Future[None] = self.loop.create_future()
        self.woken.set_result(None)

    def abandon(self, wait: Wait) -> None: ...

    def heard(self, wait: Wait) -> None: ...


class Word(Resumable[str]):
    """Done as soon as it is told."""

    def __init__(self) -> None:
        super().__init__(Owner())
        self.said: str | Exception | None = None
        self.is_heard = False
        self.is_given_up = False

    def say(self, said: str | Exception) -> None:
        self.said = said
        if self.is_heard:
            self._wake()

    def done(self) -> bool:
        return self.said is not None or self._is_cancelled

    def result(self) -> str:
        if self._is_cancelled:
            raise asyncio.CancelledError
        if isinstance(self.said, Exception):
            raise self.said
        assert self.said is not None
        return self.said

    def _listen(self) -> bool:
        if self.done():
            return False
        self.is_heard = True
        return True

    def _give_up(self) -> None:
        self.is_given_up = True


@pytest.fixture(
    params=[asyncio.new_event_loop, uvloop.new_event_loop, VirtualTimeLoop], ids=["asyncio", "uvloop", "vt"]
)
def run_loop(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(coroutine)

    return run


@pytest.fixture(params=[asyncio.Task, PYTHON_TASK], ids=["C", "Python"])
def task_of(request: pytest.FixtureRequest) -> type[asyncio.Task[Any]]:
    kind: type[asyncio.Task[Any]] = request.param
    return kind


async def from_the_loop(function: Callable[..., Any], *args: Any) -> Any:
    """What the function returns when it is called by the loop, where no task is in the middle of a step."""
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def call() -> None:
        try:
            outcome.set_result(function(*args))
        except Exception as error:
            outcome.set_exception(error)

    asyncio.get_running_loop().call_soon(call)
    return await outcome


def test_a_task_goes_on_inside_the_call_that_makes_it_done(
    run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]
) -> None:
    async def main() -> tuple[list[str], list[str]]:
        word, heard = Word(), []

        async def hear() -> None:
            heard.append(await word)

        task = task_of(hear(), loop=asyncio.get_running_loop())
        await asyncio.sleep(0)

        def say() -> list[str]:
            word.say("x")
            return list(heard)

        at_once = await from_the_loop(say)
        await task
        return at_once, heard

    assert run_loop(main()) == (["x"], ["x"])


def test_inside_another_tasks_step_it_goes_on_a_turn_later(
    run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]
) -> None:
    async def main() -> tuple[list[str], str]:
        word, heard = Word(), []

        async def hear() -> str:
            heard.append(await word)
            return heard[0]

        task = task_of(hear(), loop=asyncio.get_running_loop())
        await asyncio.sleep(0)
        word.say("x")
        return list(heard), await task

    assert run_loop(main()) == ([], "x")


def test_where_the_tasks_context_is_entered_already_it_goes_on_a_turn_later(
    run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]
) -> None:
    async def main() -> tuple[list[str], str]:
        word, heard, context = Word(), [], copy_context()

        async def hear() -> str:
            heard.append(await word)
            return heard[0]

        task = task_of(hear(), loop=asyncio.get_running_loop(), context=context)
        await asyncio.sleep(0)

        def say() -> list[str]:
            word.say("x")
            return list(heard)

        return await from_the_loop(lambda: context.run(say)), await asyncio.wait_for(task, 5)

    assert run_loop(main()) == ([], "x")


@pytest.mark.parametrize("said", ["x", ValueError("y")])
def test_any_number_of_tasks_may_await_one(
    run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]], said: Any
) -> None:
    async def main() -> list[Any]:
        word = Word()

        async def hear() -> str:
            return await word

        tasks = [task_of(hear(), loop=asyncio.get_running_loop()) for _ in range(3)]
        await asyncio.sleep(0)
        await from_the_loop(word.say, said)
        done, pending = await asyncio.wait(tasks, timeout=5)
        for task in pending:
            task.cancel()
        assert not pending
        return [task.exception() or task.result() for task in done]

    assert run_loop(main()) == [said] * 3


def test_a_task_keeps_its_context(run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]) -> None:
    async def main() -> Any:
        word = Word()

        async def hear() -> str:
            COLOUR.set("red")
            await word
            return COLOUR.get()

        task = task_of(hear(), loop=asyncio.get_running_loop())
        await asyncio.sleep(0)
        await from_the_loop(word.say, "x")
        return await task, COLOUR.get()

    assert run_loop(main()) == ("red", "none")


def test_whoever_gives_no_context_is_called_by_the_loop(run_loop: Callable[..., Any]) -> None:
    async def main() -> tuple[list[Any], bool]:
        word, called = Word(), []
        word.add_done_callback(called.append)

        def say() -> list[Any]:
            word.say("x")
            return list(called)

        at_once = await from_the_loop(say)
        await asyncio.sleep(0)
        return at_once, called == [word]

    assert run_loop(main()) == ([], True)


def test_a_callback_that_was_taken_back_is_not_called(run_loop: Callable[..., Any]) -> None:
    async def main() -> tuple[int, int, list[Any]]:
        word, called = Word(), []
        word.add_done_callback(called.append)
        counts = word.remove_done_callback(called.append), word.remove_done_callback(called.append)
        await from_the_loop(word.say, "x")
        await asyncio.sleep(0)
        return *counts, called

    assert run_loop(main()) == (1, 0, [])


@pytest.mark.parametrize(
    "through",
    [
        lambda word: asyncio.wait_for(word, 5),
        lambda word: asyncio.shield(word),
        lambda word: asyncio.gather(word),
        lambda word: asyncio.wait([word]),
        lambda word: asyncio.ensure_future(word),
    ],
    ids=["wait_for", "shield", "gather", "wait", "ensure_future"],
)
def test_asyncios_own_words_take_it(run_loop: Callable[..., Any], through: Callable[[Any], Any]) -> None:
    async def main() -> str:
        word = Word()
        asyncio.get_running_loop().call_soon(word.say, "x")
        await through(word)
        return word.result()

    assert run_loop(main()) == "x"


def test_a_task_that_is_cancelled_gives_it_up(run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]) -> None:
    async def main() -> tuple[bool, bool, bool]:
        word = Word()

        async def hear() -> str:
            return await word

        task = task_of(hear(), loop=asyncio.get_running_loop())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return word.is_given_up, word.cancelled(), word.cancel()

    assert run_loop(main()) == (True, True, False)

"""A future that resumes its task inside the callback that makes it done, for every kind of task that asyncio has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, cast

import pytest
import uvloop

from antiphon.conversation.message import Message
from antiphon.conversation.waits import MessageWait, Wait
from antiphon.runtime.resumable import Resumer
from antiphon.testing import VirtualTimeLoop

COLOUR: ContextVar[str] = ContextVar("colour", default="none")
PYTHON_TASK = cast("type[asyncio.Task[Any]]", asyncio.tasks._PyTask)  # type: ignore[attr-defined]


class Owner(Resumer):
    """What a channel is to its waits."""

    actor, channel = "alice", "desk"

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.given_up: list[Wait[Any]] = []

    def give_up(self, wait: Wait[Any]) -> None:
        self.given_up.append(wait)
        wait.is_abandoned = True
        wait.settled_ns = 1

    def cancel(self, wait: Wait[Any], /) -> bool:
        sleeper, was_pending = wait.sleeper, wait.is_pending
        if was_pending:
            self.give_up(wait)
            if sleeper is not None:
                sleeper.cancel()
        return was_pending

    def trouble(self, wait: Wait[Any], /) -> BaseException:
        return wait.error or asyncio.CancelledError()


class Word(MessageWait):
    """A wait that is settled as soon as it is told."""

    def say(self, said: str | Exception) -> None:
        self.settled_ns = 1
        if isinstance(said, Exception):
            self.error = said
        else:
            self.message = Message("word", said, "")
        sleeper, self.sleeper = self.sleeper, None
        if sleeper is not None:
            self.driver.resume(sleeper)  # type: ignore[attr-defined]

    @property
    def is_given_up(self) -> bool:
        given_up: list[Any] = self.driver.given_up  # type: ignore[attr-defined]
        return self in given_up


def new_word() -> Word:
    return Word("word", made_ns=0, deadline_ns=None, driver=Owner())


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
        word, heard = new_word(), []

        async def hear() -> None:
            heard.append((await word).body)

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
        word, heard = new_word(), []

        async def hear() -> str:
            heard.append((await word).body)
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
        word, heard, context = new_word(), [], copy_context()

        async def hear() -> str:
            heard.append((await word).body)
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
        word = new_word()

        async def hear() -> str:
            return (await word).body

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
        word = new_word()

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
        word, called = new_word(), []
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
        word, called = new_word(), []
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
        word = new_word()
        asyncio.get_running_loop().call_soon(word.say, "x")
        await through(word)
        return word.result().body

    assert run_loop(main()) == "x"


def test_a_task_that_is_cancelled_gives_it_up(run_loop: Callable[..., Any], task_of: type[asyncio.Task[Any]]) -> None:
    async def main() -> tuple[bool, bool, bool, bool]:
        word = new_word()

        async def hear() -> str:
            return (await word).body

        task = task_of(hear(), loop=asyncio.get_running_loop())
        await asyncio.sleep(0)
        task.cancel()
        at_once = word.is_given_up
        with pytest.raises(asyncio.CancelledError):
            await task
        return at_once, word.is_given_up, word.cancelled(), word.cancel()

    assert run_loop(main()) == (True, True, True, False)

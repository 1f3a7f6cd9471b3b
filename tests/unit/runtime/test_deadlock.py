"""When all tasks of a run await each other; and when that cannot be told, which is when things go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, cast

import pytest
import uvloop

from antiphon.runtime.deadlock import is_deadlocked
from antiphon.testing import VirtualTimeLoop

MARK: ContextVar[Any] = ContextVar("mark", default=None)
PYTHON_TASK = cast("type[asyncio.Task[Any]]", asyncio.tasks._PyTask)  # type: ignore[attr-defined]

Awaiting = Callable[[asyncio.Future[Any]], Coroutine[Any, Any, Any]]


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "virtual": VirtualTimeLoop,
}


@pytest.fixture(params=["asyncio", "uvloop", "virtual", "tasks in Python", "eager tasks"])
def judge(request: pytest.FixtureRequest) -> Callable[[Awaiting], bool]:
    """Whether a task that awaits a future like this is deadlocked, if nobody else can make that future done."""

    def make_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        return PYTHON_TASK(coroutine, loop=loop, **options)

    def factory() -> asyncio.AbstractEventLoop:
        loop = LOOPS.get(request.param, asyncio.new_event_loop)()
        if request.param == "tasks in Python":
            loop.set_task_factory(make_task)  # type: ignore[arg-type]
        elif request.param == "eager tasks":  # from Python 3.12 on
            loop.set_task_factory(getattr(asyncio, "eager_task_factory", None))
        return loop

    def run(awaiting: Awaiting) -> bool:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(judged(awaiting))

    return run


async def judged(awaiting: Awaiting) -> bool:
    loop = asyncio.get_running_loop()
    stuck: asyncio.Future[Any] = loop.create_future()
    verdict: asyncio.Future[bool] = loop.create_future()
    MARK.set("run")
    root = asyncio.ensure_future(awaiting(stuck))
    MARK.set(None)  # this task is none of the run's
    for _ in range(3):
        await asyncio.sleep(0)
    loop.call_soon(lambda: verdict.set_result(is_deadlocked(root, {stuck}, MARK)))
    found = await verdict
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return found


async def plainly(stuck: asyncio.Future[Any]) -> None:
    await stuck


async def deep_inside(stuck: asyncio.Future[Any]) -> None:
    await plainly(stuck)


class Awaitable:
    """Hides the coroutine that it awaits, as steps do."""

    def __init__(self, stuck: asyncio.Future[Any]) -> None:
        self._stuck = stuck

    def __await__(self) -> Any:
        return gathering(self._stuck).__await__()


async def behind_an_awaitable(stuck: asyncio.Future[Any]) -> None:
    await Awaitable(stuck)


async def gathering(stuck: asyncio.Future[Any]) -> None:
    await asyncio.gather(plainly(stuck), deep_inside(stuck))


async def gathering_in_a_gather(stuck: asyncio.Future[Any]) -> None:
    await asyncio.gather(asyncio.gather(plainly(stuck)), gathering(stuck), asyncio.sleep(0))


async def in_a_group(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(plainly(stuck))
        group.create_task(gathering(stuck))


async def in_a_group_behind_an_awaitable(stuck: asyncio.Future[Any]) -> None:
    class Grouped:
        def __await__(self) -> Any:
            return in_a_group(stuck).__await__()

    await Grouped()


async def for_a_task(stuck: asyncio.Future[Any]) -> None:
    await asyncio.ensure_future(gathering(stuck))


async def beside_others_that_are_stuck(stuck: asyncio.Future[Any]) -> None:
    keep = asyncio.ensure_future(plainly(stuck))
    await stuck
    await keep


async def under_a_timeout_that_was_switched_off(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(None):
        await stuck


async def after_a_timeout(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(5):
        await asyncio.sleep(0)
    await stuck


async def in_a_generator(stuck: asyncio.Future[Any]) -> None:
    async def generate() -> AsyncIterator[Any]:
        yield await stuck

    async for _ in generate():
        pass


@pytest.mark.parametrize(
    "awaiting",
    [
        plainly,
        deep_inside,
        behind_an_awaitable,
        gathering,
        gathering_in_a_gather,
        in_a_group,
        in_a_group_behind_an_awaitable,
        for_a_task,
        beside_others_that_are_stuck,
        under_a_timeout_that_was_switched_off,
        after_a_timeout,
        in_a_generator,
    ],
)
def test_nobody_is_left_who_could_go_on(judge: Callable[[Awaiting], bool], awaiting: Awaiting) -> None:
    assert judge(awaiting)


async def beside_one_that_sleeps(stuck: asyncio.Future[Any]) -> None:
    await asyncio.gather(plainly(stuck), asyncio.sleep(60))


async def beside_a_task_that_nobody_awaits(stuck: asyncio.Future[Any]) -> None:
    keep = asyncio.ensure_future(asyncio.sleep(60))
    await stuck
    await keep


async def sleeping(stuck: asyncio.Future[Any]) -> None:
    await asyncio.sleep(60)


async def in_a_group_with_one_that_sleeps(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(plainly(stuck))
        group.create_task(asyncio.sleep(60))


async def under_a_timeout(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(60):
        await stuck


async def under_a_timeout_further_out(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(60):
        await Awaitable(stuck)


async def under_a_timeout_in_a_generator(stuck: asyncio.Future[Any]) -> None:
    async def generate() -> AsyncIterator[Any]:
        async with asyncio.timeout(60):
            yield await stuck

    async for _ in generate():
        pass


async def waiting_for(stuck: asyncio.Future[Any]) -> None:
    await asyncio.wait_for(stuck, 60)


async def in_a_group_under_a_timeout(stuck: asyncio.Future[Any]) -> None:
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(plainly(stuck))


@pytest.mark.parametrize(
    "awaiting",
    [
        beside_one_that_sleeps,
        beside_a_task_that_nobody_awaits,
        sleeping,
        in_a_group_with_one_that_sleeps,
        under_a_timeout,
        under_a_timeout_further_out,
        under_a_timeout_in_a_generator,
        waiting_for,
        in_a_group_under_a_timeout,
    ],
)
def test_someone_is_left_who_could_go_on(judge: Callable[[Awaiting], bool], awaiting: Awaiting) -> None:
    assert not judge(awaiting)


def test_a_gather_whose_child_has_failed_is_about_to_go_on() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        MARK.set("run")
        stuck, failing = loop.create_future(), loop.create_future()

        async def gathers() -> None:
            await asyncio.gather(stuck, failing)

        root = asyncio.ensure_future(gathers())
        await asyncio.sleep(0)
        MARK.set(None)
        found: list[bool] = []

        def fail_and_look() -> None:
            failing.set_exception(ValueError("x"))
            found.append(is_deadlocked(root, {stuck}, MARK))

        loop.call_soon(fail_and_look)
        with pytest.raises(ValueError, match="x"):
            await root
        return found[0]

    assert not asyncio.run(main())


class Opaque:
    """A task of another make, which shows nothing of what it awaits."""

    def __init__(self, task: asyncio.Task[Any], hidden: str) -> None:
        self._task = task
        self._hidden = hidden

    def __getattr__(self, name: str) -> Any:
        if name == self._hidden:
            raise AttributeError(name)
        return getattr(self._task, name)


@pytest.mark.parametrize("hidden", ["_fut_waiter", "get_context"])
def test_a_task_that_hides_what_it_awaits_goes_on(hidden: str) -> None:
    async def main() -> bool:
        MARK.set("run")
        stuck: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        root = asyncio.ensure_future(plainly(stuck))
        await asyncio.sleep(0)
        found = is_deadlocked(cast("asyncio.Task[Any]", Opaque(root, hidden)), {stuck}, MARK)
        root.cancel()
        return found

    assert not asyncio.run(main())


def test_a_group_that_hides_its_tasks_goes_on() -> None:
    async def main() -> bool:
        stuck: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        groups: list[asyncio.TaskGroup] = []

        async def grouping() -> None:
            MARK.set("run")
            async with asyncio.TaskGroup() as group:
                groups.append(group)
                group.create_task(plainly(stuck))

        root = asyncio.ensure_future(grouping())
        for _ in range(2):
            await asyncio.sleep(0)
        tasks = groups[0].__dict__.pop("_tasks")
        found = is_deadlocked(root, {stuck}, MARK)
        groups[0]._tasks = tasks  # type: ignore[attr-defined]
        root.cancel()
        await asyncio.gather(root, return_exceptions=True)
        return found

    assert not asyncio.run(main())

"""Which tasks belong to a run."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any, cast

import pytest

from antiphon.runtime.task_context import context_of, tasks_with

MARK: ContextVar[Any] = ContextVar("mark", default=None)
PYTHON_TASK = cast("type[asyncio.Task[Any]]", asyncio.tasks._PyTask)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [asyncio.Task, PYTHON_TASK], ids=["C", "Python"])
def test_every_branch_of_it_does_and_nothing_else(kind: type[asyncio.Task[Any]]) -> None:
    async def sleep() -> None:
        await asyncio.sleep(60)

    async def branching() -> list[asyncio.Task[Any]]:
        MARK.set("mine")
        loop = asyncio.get_running_loop()
        return [kind(sleep(), loop=loop), kind(sleep(), loop=loop)]

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        mine = await kind(branching(), loop=loop)
        other = kind(sleep(), loop=loop, context=copy_context())
        found = set(tasks_with(MARK, "mine"))
        for task in [*mine, other]:
            task.cancel()
        return found == set(mine)

    assert asyncio.run(main())


@pytest.mark.parametrize("kind", [asyncio.Task, PYTHON_TASK], ids=["C", "Python"])
def test_it_is_the_context_that_the_task_was_given(kind: type[asyncio.Task[Any]]) -> None:
    async def main() -> bool:
        context = copy_context()
        task = kind(asyncio.sleep(0), loop=asyncio.get_running_loop(), context=context)
        found = context_of(task)
        await task
        return found is context

    assert asyncio.run(main())


def test_a_task_that_hides_its_context_belongs_to_none() -> None:
    assert context_of(cast("asyncio.Task[Any]", object())) is None

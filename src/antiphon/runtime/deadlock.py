"""Which of the event loop's tasks belong to a run, what they await of each other, and whether all of them are stuck.

For the rare moment when that is in question: it reads what asyncio keeps to itself, and where it cannot tell it says
that things go on.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Set
from contextvars import Context, ContextVar
from typing import Any

__all__ = ["is_deadlocked", "tasks_with"]


def is_deadlocked(root: asyncio.Task[Any], stuck: Set[asyncio.Future[Any]], mark: ContextVar[Any]) -> bool:
    """True if `root`, and every other task of its run, awaits nothing but these futures, or tasks of which that is so.

    `mark` is the variable that tells the run: a task whose context has the same value there as `root` is of it.
    """
    known = set(stuck)
    context = _context_of(root)
    if context is None or not _ends_in(root, known):  # mostly it is so, and then the loop's other tasks cost nothing
        return False
    return all(_ends_in(task, known) for task in tasks_with(mark, context.get(mark)))


def _ends_in(task: asyncio.Task[Any], known: set[asyncio.Future[Any]]) -> bool:
    """True if the task awaits nothing but what is known; then it is known itself."""
    todo: list[asyncio.Future[Any]] = [task]
    while todo:
        future = todo.pop()
        if future not in known:
            known.add(future)
            inner = _awaited_by(future) if isinstance(future, asyncio.Task) else None
            if inner is None:
                return False
            todo += inner
    return True


def tasks_with(mark: ContextVar[Any], value: Any) -> list[asyncio.Task[Any]]:
    """The tasks of the running loop, under way, that have this value of a context variable."""
    contexts = [(task, _context_of(task)) for task in asyncio.all_tasks()]
    return [task for task, context in contexts if context is not None and context.get(mark) is value]


def _awaited_by(task: asyncio.Task[Any]) -> list[asyncio.Future[Any]] | None:
    """The futures that a task awaits; None if it runs, or if that cannot be told."""
    future = getattr(task, "_fut_waiter", None)
    if future is None or future.done():
        return None
    gathered = getattr(future, "_children", None)
    if gathered is not None:
        return [child for child in gathered if not child.done()]
    group = _closing_group(task)
    if group is not None:
        return list(getattr(group, "_tasks", ()))
    return [future]


def _closing_group(task: asyncio.Task[Any]) -> asyncio.TaskGroup | None:
    """The task group at whose end the task waits for the group's tasks."""
    inner: Any = task.get_coro()
    while inner is not None:
        frame = getattr(inner, "cr_frame", None)
        if frame is None:  # what `__await__` of a coroutine gives hides the coroutine
            hidden = [each for each in gc.get_referents(inner) if asyncio.iscoroutine(each)]
            inner = hidden[0] if hidden else None
            continue
        if frame.f_code.co_qualname.startswith("TaskGroup."):
            group = frame.f_locals.get("self")
            return group if isinstance(group, asyncio.TaskGroup) else None
        inner = inner.cr_await
    return None


def _context_of(task: asyncio.Task[Any]) -> Context | None:
    get_context = getattr(task, "get_context", None)  # Python 3.12
    if get_context is not None:
        context: Context = get_context()
        return context
    return next((each for each in gc.get_referents(task) if isinstance(each, Context)), None)

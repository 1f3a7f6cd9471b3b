"""Whether all tasks of a run await nothing but each other: then nobody is left who could end that.

It asks what tasks await (`await_graph`), and where that cannot be told things go on: a deadlock that is missed ends
with a deadline (P7), one that is told wrongly would fail a good run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from contextvars import ContextVar
from typing import Any

from antiphon.runtime.await_graph import awaited_by
from antiphon.runtime.task_context import context_of, tasks_with

__all__ = ["is_deadlocked"]


def is_deadlocked(root: asyncio.Task[Any], stuck: Set[asyncio.Future[Any]], mark: ContextVar[Any]) -> bool:
    """True if `root`, and every other task of its run, awaits nothing but these futures, or tasks of which that is so.

    `mark` is the variable that tells the run: a task whose context has the same value there as `root` is of it.
    """
    known = set(stuck)
    context = context_of(root)
    if context is None or not _ends_in(root, known):  # mostly it is so, and then the loop's other tasks cost nothing
        return False
    return all(_ends_in(task, known) for task in tasks_with(mark, context.get(mark)))


def _ends_in(task: asyncio.Task[Any], known: set[asyncio.Future[Any]]) -> bool:
    """True if the task awaits nothing but what is known; then it is known itself."""
    todo: list[asyncio.Future[Any]] = [task]
    while todo:
        future = todo.pop()
        if future not in known:
            # Known before it is looked at: tasks that await each other in a circle are stuck, too.
            known.add(future)
            inner = awaited_by(future)
            if inner is None:
                return False
            todo += inner
    return True

"""Which tasks of the event loop belong to a run: those in whose context the run is.

Whatever a scenario branches by (`together`, task groups, `gather`, bare tasks), each task gets a copy of the context
that it was made in (PEP 567), so a variable that was set for the run is set in all of them.

Relied upon: `Task.get_context()`, from Python 3.12 on. On 3.11 a task in Python keeps its context in `_context`, and
one in C shows it to `gc.get_referents` alone. A task whose context cannot be told belongs to no run: it is neither
cancelled with one nor held to be stuck. `asyncio.all_tasks` is public: from 3.12 on it has eager tasks as well, and on
3.14 it was written anew (lists for each thread) with the same result.
"""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context, ContextVar
from typing import Any

__all__ = ["context_of", "tasks_with"]


def tasks_with(mark: ContextVar[Any], value: Any) -> list[asyncio.Task[Any]]:
    """The tasks of the running loop, under way, that have this value of a context variable."""
    contexts = [(task, context_of(task)) for task in asyncio.all_tasks()]
    return [task for task, context in contexts if context is not None and context.get(mark) is value]


def context_of(task: asyncio.Task[Any]) -> Context | None:
    """The context that a task runs in; None if that cannot be told."""
    get_context = getattr(task, "get_context", None)
    kept = [get_context()] if get_context is not None else [getattr(task, "_context", None), *gc.get_referents(task)]
    return next((each for each in kept if isinstance(each, Context)), None)

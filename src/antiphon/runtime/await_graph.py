"""What a task awaits: read from inside asyncio, for the rare moment when a deadlock is in question.

asyncio says who awaits what nowhere in public below Python 3.14; there `capture_call_graph` tells it upwards only, from
a future to who awaits it, and knows futures of asyncio alone. So this looks at what a task keeps to itself.

Relied upon, the same in CPython 3.11 to 3.14, for tasks in C and in Python, on asyncio's loops and uvloop's:

-   `Task._fut_waiter`: the future that a task awaits, None while it runs or is ready to.
-   `_GatheringFuture._children`: what `asyncio.gather` waits for.
-   `TaskGroup._tasks`, awaited by a method of the group: `__aexit__`, from 3.13 on `_aexit`, with the group as `self`.
-   `cr_frame`, `cr_await` and their like (documented in `inspect`), and `gc.get_referents`: what `__await__` of a
    coroutine gives (a coroutine_wrapper) tells its coroutine to nobody else. It asks the object itself and so depends
    on no collector, neither on the incremental one of 3.14.

Where one of these is not there, or holds something unexpected, the answer is None: it cannot be told, and whoever asks
must take it that things go on. The same where a task will go on by itself: under `asyncio.timeout` (kept on the
coroutine's value stack, which `gc.get_referents` shows), or because a child of a gather has failed. A timer that some
other context manager has set up to cancel the task is not seen.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from types import FrameType
from typing import Any

__all__ = ["awaited_by", "coroutines_of", "frame_of"]


def awaited_by(future: asyncio.Future[Any]) -> list[asyncio.Future[Any]] | None:
    """What a task or a gather, not done, goes on after at the earliest; None if that cannot be told."""
    gathered = getattr(future, "_children", None)
    if gathered is not None:
        return _still_awaited(gathered)
    awaited = getattr(future, "_fut_waiter", None)
    if awaited is None or awaited.done():
        return None
    chain = list(coroutines_of(future))
    if any(map(_has_timer, chain)):
        return None
    group = next(filter(None, map(_closing_group, chain)), None)
    return [awaited] if group is None else _still_awaited(getattr(group, "_tasks", ()))


def coroutines_of(task: asyncio.Future[Any]) -> Iterator[Any]:
    """The coroutines and generators of a task, from the outside in, each awaiting the next one."""
    get_coro = getattr(task, "get_coro", None)
    inner: Any = get_coro() if get_coro is not None else None
    while inner is not None:
        if frame_of(inner) is not None:
            yield inner
            inner = _first(inner, "cr_await", "gi_yieldfrom", "ag_await")
        else:
            hidden = (each for each in gc.get_referents(inner) if frame_of(each) is not None)
            inner = next(hidden, None)


def frame_of(coroutine: Any) -> FrameType | None:
    """The frame of a coroutine or generator that has begun or will; None for anything else."""
    frame = _first(coroutine, "cr_frame", "gi_frame", "ag_frame")
    return frame if isinstance(frame, FrameType) else None


def _first(coroutine: Any, *names: str) -> Any:
    values = (getattr(coroutine, name, None) for name in names)
    return next((value for value in values if value is not None), None)


def _still_awaited(futures: Any) -> list[asyncio.Future[Any]] | None:
    """Those that are not done; None if whoever awaits them is about to go on: none are left, or one has failed.

    To ask for an error counts as having seen it; but a gather or group asks itself, as soon as its callback runs.
    """
    pending = [future for future in futures if not future.done()]
    has_failed = any(future.done() and (future.cancelled() or future.exception()) for future in futures)
    return None if has_failed or not pending else pending


def _has_timer(coroutine: Any) -> bool:
    """Whether the coroutine is inside of an `asyncio.timeout` that will end what it awaits.

    What an `async with` will call at its end is a bound method, and from Python 3.14 on a function and its object.
    """
    kept = (getattr(each, "__self__", each) for each in gc.get_referents(coroutine))
    return any(isinstance(each, asyncio.Timeout) and each.when() is not None for each in kept)


def _closing_group(coroutine: Any) -> asyncio.TaskGroup | None:
    """The task group at whose end the coroutine waits for the group's tasks."""
    frame = frame_of(coroutine)
    if frame is None or not frame.f_code.co_qualname.startswith("TaskGroup."):
        return None
    group = frame.f_locals.get("self")
    return group if isinstance(group, asyncio.TaskGroup) else None

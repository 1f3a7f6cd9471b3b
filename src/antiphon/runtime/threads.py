"""Blocking functions beside the event loop, each in a daemon thread of its own.

Not `loop.run_in_executor`, nor `asyncio.to_thread`, which uses it: threads of a pool are joined at the end of the loop
(`shutdown_default_executor`) and of the process (`concurrent.futures.thread._python_exit`), so a function that never
returns would keep an interrupted run from ending; and a pool has so many threads, behind which others wait.

Relied upon, all documented: daemon threads do not keep the process; `call_soon_threadsafe` raises RuntimeError on a
loop that was closed; `StopIteration` cannot be set on a future (PEP 479).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

__all__ = ["in_thread"]

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function, in the context of who awaits it; its thread is left behind if that is cancelled."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()
    context = copy_context()  # so what the function does, as a channel's send, belongs to the step in the thread too

    def conclude(result: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def run() -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            result = context.run(function, *args, **kwargs)
        except StopIteration as error:
            failure = RuntimeError(f"{function!r} raised StopIteration")
            failure.__cause__ = error
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(conclude, result, failure)

    threading.Thread(target=run, name=f"antiphon call {getattr(function, '__name__', '')}", daemon=True).start()
    return await outcome

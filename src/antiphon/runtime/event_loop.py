"""Which event loop a run gets where it makes its own, and what that would else only log.

uvloop's where it is installed: it costs less CPU a message. It is asked for by `loop_factory` (`asyncio.Runner`, from
Python 3.11 on), never by an event loop policy: a policy is the whole process's, and those are deprecated from 3.14 on.

Nothing of ours depends on which one it is. What differs, and is minded where it matters: uvloop counts timers in
milliseconds (`deadlines`, `scenarios.timed_steps`), may run them before it polls where asyncio runs them after
(`deadlines`, `transport.timeouts`), accepts one connection a turn (`transport.acceptor`), and its transports and
handles are no children of asyncio's classes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, TypeVar

from antiphon.errors import ScenarioError
from antiphon.runtime.exhaustion import as_exhaustion, is_exhaustion

__all__ = ["callback_failures", "event_loop_factory", "require_no_loop", "run_in_loop"]

T = TypeVar("T")
_Handler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

_FREE_FILES: Final = 16
"""How many files must be free when a loop is made; uvloop's takes 8, and each of its runs 2 of them anew."""


def run_in_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a new loop, in this thread; what it gives, or raises.

    Raises ResourcesExhausted, or OSError, if there are no files for the loop.
    """
    try:
        _require_files()
        with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            return runner.run(main)
    finally:
        main.close()  # a loop that cannot be made, for want of files, has not begun it: Python would warn of that


def require_no_loop(word: str, instead: str) -> None:
    """Raises ScenarioError if an event loop runs here: such a `word` makes one of its own; `instead` is to be said."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ScenarioError(f"{word} cannot be used where an event loop runs", hint=f"await {instead} there")


def _require_files() -> None:
    """Raise ResourcesExhausted where a loop would lack files.

    A loop of uvloop that gets half of them ends the process (SIGABRT), or prints of itself; one that gets too few to
    run leaves its task behind, of which asyncio prints. So they are counted before.
    """
    opened: list[int] = []
    try:
        while len(opened) < _FREE_FILES:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise as_exhaustion(error) from error
    finally:
        for file in opened:
            os.close(file)


class callback_failures:  # noqa: N801 - it is used as a function is
    """Inside the `with`, `fail` is called with what callbacks of the running loop raise.

    A loop re-raises KeyboardInterrupt and SystemExit, and hands the rest to its exception handler, which logs it. There
    go the errors of a time-out plug-in that raises from a signal's handler: it cannot choose in which callback.

    Of several that are inside, as under load, only the one is called in whose context the callback was made; all of
    them for what may be anybody's.
    """

    def __init__(self, fail: Callable[[BaseException], object]) -> None:
        self._fail = fail

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        handler = loop.get_exception_handler()
        if not isinstance(handler, _Failures):
            handler = _Failures(handler)
            loop.set_exception_handler(handler)
        handler.told.append(self)
        self._loop, self._handler = loop, handler
        self._before = _INSIDE.get()
        _INSIDE.set(self)

    def __exit__(self, *_failure: object) -> None:
        loop, handler = self._loop, self._handler
        _INSIDE.set(self._before)
        handler.told.remove(self)
        if not handler.told and loop.get_exception_handler() is handler:
            loop.set_exception_handler(handler.before)

    def tell(self, error: BaseException) -> None:
        """A callback has raised this."""
        self._fail(error)


_INSIDE: Final[ContextVar[callback_failures | None]] = ContextVar("antiphon_inside", default=None)


class _Failures:
    """The exception handler of a loop while there are runs in it; `before` is the one that it had.

    All runs in a loop share it, since they may end in any order.
    """

    def __init__(self, before: _Handler | None) -> None:
        self.before = before
        self.told: list[callback_failures] = []

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # What comes without a handle was not raised by a callback: a handshake that failed, a task that nobody awaited.
        is_ours = "handle" in context or not isinstance(error, Exception) or is_exhaustion(error)
        if error is not None and is_ours and (whose := self._whose(error, context.get("handle"))):
            for each in whose:
                each.tell(error)
        elif self.before is not None:
            self.before(loop, context)
        else:
            loop.default_exception_handler(context)

    def _whose(self, error: BaseException, handle: Any) -> list[callback_failures]:
        """Whose callback raised it: nobody's, if that run is over; all of them for what a signal's handler raised, in
        whichever callback."""
        if isinstance(error, Exception) and handle is not None:
            inside = _context_of(handle).get(_INSIDE)
            if inside is not None:
                return [inside] if inside in self.told else []
        return list(self.told)


def _context_of(handle: Any) -> Context:
    """The context that a callback ran in. uvloop tells of what it raised inside of that."""
    get_context = getattr(handle, "get_context", None)  # from Python 3.12 on
    found = get_context() if get_context is not None else getattr(handle, "_context", None)
    return found if isinstance(found, Context) else copy_context()


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one, or else None: asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

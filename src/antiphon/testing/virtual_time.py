"""An event loop whose time is virtual: with nothing to do it jumps to the next timer instead of waiting for it.

Ten minutes of heartbeats take milliseconds, a deadline of 5 s passes at exactly 5 s, and nothing depends on how fast
the machine is. It is for conversations that stay inside one process: `memory` transports, tasks, queues, timers.

How it decides, each time the loop has nothing ready:

1.  Something that a thread handed over (`call_soon_threadsafe`) is there: it is done, and no time passes.
2.  A thread is at work: it is waited for, and time passes as it really does, timers included. At work is every job in
    an executor, and every thread that was started after the loop was made and is alive, unless it has a true attribute
    `is_bystander`, as that which writes a run's files: nobody waits for what comes from there.
3.  There is a timer: time jumps to it.
4.  There is nothing at all: everything waits for ever, and that is an error which says who waits where.

Sockets, pipes and other file descriptors are refused with an error: what comes through them comes in real time, and a
clock that jumps would pass every deadline before the peer has been heard.

It is not a part of `runtime`, because users write tests on it and no run knows of it; and what it relies on is public:
a `SelectorEventLoop` takes its selector as an argument and asks it for as long as its next timer is away, by its own
`time()`. The loop registers its own wake-up pipe while it is made: all that comes later is a user's.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from antiphon.errors import ScenarioError
from antiphon.runtime.await_graph import coroutines_of, frame_of
from antiphon.runtime.tracebacks import owner_of

__all__ = ["VirtualTimeLoop", "run_virtual"]

T = TypeVar("T")

LONGEST_S: Final = 7 * 86_400.0
"""A week: whoever waits longer in a test waits for something that does not come."""

_GLANCE_S: Final = 0.01
"""How long a thread at work is waited for before it is looked at again: it may end without a word."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop with virtual time, for `asyncio.Runner(loop_factory=VirtualTimeLoop)`.

    `time()` and `now_ns()` begin at 0 and pass only while the loop is idle. `limit_s` is the longest that a test may
    take in virtual time: timers that repeat for ever, while what is awaited never comes, end there.

    Raises ScenarioError out of `run_until_complete` when everything waits for ever or the limit is reached, and to
    whoever opens a socket. Clean-up then has as much time again.
    """

    def __init__(self, *, limit_s: float = LONGEST_S) -> None:
        self._virtual_ns = 0
        self._limit_s = limit_s
        self._limit_ns = round(limit_s * 1e9)
        self._jobs = 0
        self._has_pool = False
        self._pool_threads: set[threading.Thread] = set()
        self._earlier_threads = set(threading.enumerate())
        patience = _Patience(self._idle)
        super().__init__(patience)
        patience.is_sealed = True

    def time(self) -> float:
        """Seconds since the loop was made, in virtual time."""
        return self._virtual_ns / 1e9

    def now_ns(self) -> int:
        """The same in nanoseconds."""
        return self._virtual_ns

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """As ever; time is real until the job is done."""
        if executor is None and not self._has_pool:
            # The threads of a pool live on when their jobs are done; of this one it is known which they are.
            self.set_default_executor(ThreadPoolExecutor(initializer=self._note_pool_thread))
        job = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        job.add_done_callback(self._end_job)
        return job

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """As ever. The threads of an executor of one's own count as being at work as long as they live."""
        self._has_pool = True
        super().set_default_executor(executor)

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, like everything that opens a socket."""
        raise _no_sockets()

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, like everything that opens a socket."""
        raise _no_sockets()

    async def create_datagram_endpoint(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, like everything that opens a socket."""
        raise _no_sockets()

    async def create_unix_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, like everything that opens a socket."""
        raise _no_sockets()

    async def create_unix_server(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, like everything that opens a socket."""
        raise _no_sockets()

    def _note_pool_thread(self) -> None:
        self._pool_threads.add(threading.current_thread())

    def _end_job(self, _job: asyncio.Future[Any]) -> None:
        self._jobs -= 1

    def _idle(self, look: Callable[[float], list[_Event]], timeout_s: float | None) -> list[_Event]:
        """Nothing is ready, and the next timer is in `timeout_s`, if there is one."""
        # First who is at work, then what they handed over: a thread that ends in between has been heard.
        is_awaited = self._is_awaited()
        events = look(0)
        if events:
            return events
        if is_awaited:
            began_ns = time.monotonic_ns()
            events = look(_GLANCE_S if timeout_s is None else min(timeout_s, _GLANCE_S))
            self._pass(time.monotonic_ns() - began_ns)
        elif timeout_s is not None:
            self._pass(round(timeout_s * 1e9))
        else:
            raise ScenarioError(
                "everything waits for ever: no timer is set, no thread is at work, and nothing is ready",
                place=self._who_waits(),
                hint="give the wait a deadline, or find out who should have ended it",
            )
        return events

    def _is_awaited(self) -> bool:
        if self._jobs:
            return True
        known = self._earlier_threads | self._pool_threads | {threading.current_thread()}
        at_work = (thread for thread in threading.enumerate() if not getattr(thread, "is_bystander", False))
        return any(thread not in known for thread in at_work)

    def _pass(self, duration_ns: int) -> None:
        self._virtual_ns += duration_ns
        if self._virtual_ns > self._limit_ns:
            self._limit_ns = self._virtual_ns + round(self._limit_s * 1e9)
            raise ScenarioError(
                f"{self._limit_s:g} s of virtual time have passed, and it is not over",
                place=self._who_waits(),
                hint="if it is meant to take that long, give a higher limit_s",
            )

    def _who_waits(self) -> str:
        return "; ".join(sorted(map(_whereabouts, asyncio.all_tasks(self))))


def run_virtual(main: Coroutine[Any, Any, T], *, limit_s: float = LONGEST_S) -> T:
    """Run a coroutine in virtual time, as `asyncio.run` does in real time, and return its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(limit_s=limit_s)) as runner:
        return runner.run(main)


_Event = tuple[selectors.SelectorKey, int]


class _Patience(selectors.BaseSelector):
    """The system's selector, asked by way of `idle` when it would wait, and closed to newcomers once it is sealed."""

    def __init__(self, idle: Callable[[Callable[[float], list[_Event]], float | None], list[_Event]]) -> None:
        self.is_sealed = False
        self._idle = idle
        self._selector = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.is_sealed:
            raise _no_sockets()
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[_Event]:
        if timeout is not None and timeout <= 0:
            return self._selector.select(0)
        return self._idle(self._selector.select, timeout)

    def close(self) -> None:
        self._selector.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()


def _no_sockets() -> ScenarioError:
    return ScenarioError(
        "a loop with virtual time cannot wait for sockets or pipes",
        hint="use the memory transport on it, or asyncio.run() and real time",
    )


def _whereabouts(task: asyncio.Task[Any]) -> str:
    """Where the task waits: the innermost line that is its author's, or else the innermost."""
    frames = [frame for frame in map(frame_of, coroutines_of(task)) if frame is not None]
    chosen = [frame for frame in frames if owner_of(frame.f_code.co_filename) == "author"] or frames
    where = f"{chosen[-1].f_code.co_filename}:{chosen[-1].f_lineno}" if chosen else "nowhere"
    return f"{where} ({task.get_name()})"

"""What all the channels of one run share: the loop, the clock, the journal, the deadlines, and where a failure goes.

A failure that no code awaits must not be lost: what a handler raises (P11), a deadline that passes unobserved (P7), a
frame that cannot be read, a forbidden message (P9), a disk that is full. The event loop would log it and go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from itertools import count
from random import Random
from typing import Any, Final
from weakref import WeakSet

from antiphon.conversation.clock import Clock
from antiphon.conversation.waits import Wait
from antiphon.conversation.wording import own_words
from antiphon.errors import CheckFailed
from antiphon.journal import Failed, Journal, Note, Sink, SoftCheckFailed
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.deadlines import Deadlines

__all__ = ["STEP", "Runtime", "step_under_way"]

STEP: ContextVar[PerformedStep | None] = ContextVar("antiphon_step", default=None)
"""The business step that the running code belongs to."""

step_under_way: Final = STEP.get
"""Gives it. Made once: of what a module imports, the interpreter makes a method anew for each call."""


class Runtime:
    """One run's drive.

    `on_failure` is called with every failure that has no awaiting code to be raised in: of a handler, of a frame, of a
    forbidden message, of the journal. `unheard` are the failed waits that nobody has been told of, `soft_failures`
    the soft checks that have failed, `tasks` those of handlers that are under way.
    """

    _noted: frozenset[str] = frozenset()
    """The notes that are said once, and were."""

    def __init__(
        self, journal: Journal, on_failure: Callable[[BaseException], None], clock: Clock | None = None
    ) -> None:
        self.loop = asyncio.get_running_loop()
        # A loop with virtual time says itself how late it is; every other one goes with the system.
        self.clock = clock if clock is not None else Clock(getattr(self.loop, "now_ns", time.monotonic_ns))
        self.now_ns = self.clock.now_ns
        self.read_ns: Final = self.clock.read_ns
        self.origin_ns: Final = self.clock.origin_ns
        self.journal = journal
        self.masker = journal.masker
        if journal.has_sinks:  # else nothing can fail
            journal.tell_failures(on_failure)  # not `fail`, which would record it
        self.record: Sink = journal.record
        """Puts an entry into the journal; one that cannot be written fails the run, and goes on in memory."""
        self.deadlines = Deadlines(self.loop, self.clock)
        self.unheard: dict[Wait[Any], None] = {}
        self.soft_failures: list[CheckFailed] = []
        self.next_step = count(1).__next__
        self.inlet: Final = journal.inlet
        self.for_steps: Final = (
            *(self.inlet.begun, self.inlet.done),
            *(self.read_ns, self.origin_ns, self.masker, self.next_step),
        )
        """What each step takes of the run, all at once."""
        self.next_wait = count(1).__next__
        self._on_failure = on_failure
        self.tasks: set[asyncio.Task[Any]] = set()  # the loop keeps weak references only
        # The loop keeps timers until they fire; what has fired or was cancelled goes from here by itself. Made when the
        # first one is: few runs have any.
        self._timers: WeakSet[asyncio.TimerHandle] | None = None

    def chance(self, name: str) -> Random:
        """A source of chance for that: the same numbers in the same run, performed again; under load each conversation
        has its own."""
        return Random(f"{self.journal.seed} {name}")  # noqa: S311 - to be had again

    def note_once(self, text: str) -> None:
        """Put a note into the journal, if this run has not had the same one."""
        if text not in self._noted:
            self._noted |= {text}
            self.record(Note(at_ns=self.now_ns(), text=text))

    def fail(self, error: BaseException) -> None:
        """Something failed that nobody awaits."""
        self.record(Failed(at_ns=self.now_ns(), error=type(error).__name__, text=own_words(error)))
        self._on_failure(error)

    def fail_from_anywhere(self, error: BaseException) -> None:
        """The same, also in another thread; `__del__` may run in any."""
        try:
            is_here = asyncio.get_running_loop() is self.loop
        except RuntimeError:
            is_here = False
        if is_here:
            self.fail(error)
        else:
            with suppress(RuntimeError):  # the loop was closed: the run is over, and its verdict is out
                self.loop.call_soon_threadsafe(self.fail, error)

    def tell_soft(self, error: CheckFailed) -> None:
        """A soft check has failed: everything goes on, and the run will fail with it at its end."""
        self.record(SoftCheckFailed(at_ns=self.now_ns(), text=str(error)))
        self.soft_failures.append(error)

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run it beside everything else until the run ends; what it raises is a failure."""
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def later(self, delay_s: float, function: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        """Call it after `delay_s` unless the run has ended; what it raises is a failure. The handle has `cancel()`."""

        def fire() -> None:
            try:
                function(*arguments)
            except BaseException as error:  # of others than Exception the loop would tell nobody, or everybody but us
                self.fail(error)

        timer = self.loop.call_later(delay_s, fire)
        if self._timers is None:
            self._timers = WeakSet()
        self._timers.add(timer)
        return timer

    def end(self) -> list[asyncio.Task[Any]]:
        """End the timers and the tasks; gives the tasks that are being cancelled."""
        for timer in list(self._timers or ()):
            timer.cancel()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        self.deadlines.close()
        return tasks

    async def close(self) -> None:
        """The same, and wait for the tasks."""
        if tasks := self.end():
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.deadlines.blocked_ns:
            blocked_s = self.deadlines.blocked_ns / 1e9
            text = f"the event loop was blocked for {blocked_s:.3f} s: a step or handler does not give way"
            self.record(Note(at_ns=self.now_ns(), text=f"{text}; call() runs a blocking function in a thread"))

    def _reap(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        # To ask for the error counts as having seen it: asyncio would say "never retrieved" at some later time.
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

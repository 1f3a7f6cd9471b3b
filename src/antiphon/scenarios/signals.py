"""The signals of a run: named moments that its branches tell each other, each with a value.

A signal, once given, stays given: whoever awaits it later is not held up, and any number may await it. Given again, it
has the newer value, and has been given once more.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Collection
from contextvars import ContextVar
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import seconds
from antiphon.errors import DeadlinePassed, ScenarioError
from antiphon.journal import SignalGiven, WaitEnded, WaitOutcome, WaitStarted
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.deadlock import is_deadlocked
from antiphon.runtime.runtime import Runtime

__all__ = ["Signals"]

WITHIN_S: Final = 10.0
"""How long a signal is awaited if neither the step nor the stand says so."""

LOOK_EVERY_S: Final = 0.5
"""How often it is looked whether those who wait for signals wait for each other."""


class _Given(msgspec.Struct):
    """A signal that was given: its latest value, when, by whom and where, and how often so far."""

    value: Any
    at_ns: int
    actor: str
    source: str
    times: int

    def describe(self, name: str) -> str:
        by = f" by {self.actor}" if self.actor else ""
        often = f", {self.times} times, last" if self.times > 1 else ""
        return f"{name!r}{often}{by} at {self.source} after {seconds(self.at_ns)}"


class _Waiter:
    """Someone who awaits a signal."""

    def __init__(self, started: WaitStarted, name: str, times: int, future: asyncio.Future[Any]) -> None:
        self.started = started
        self.name = name
        self.times = times
        self.future = future

    @property
    def who(self) -> str:
        return self.started.actor or "the scenario"

    def describe(self, now_ns: int) -> str:
        since = seconds(now_ns - self.started.at_ns)
        return f"{self.who} waits for {self.started.what}, for {since}, at {self.started.source}"


class Signals:
    """What was given in one run, and who awaits what.

    `within_s` is the deadline of waits that give none. A deadlock is looked for once `begin` has been called.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.within_s = WITHIN_S
        self._body: asyncio.Task[Any] | None = None
        self._mark: ContextVar[Any] | None = None
        self._runtime = runtime
        self._given: dict[str, _Given] = {}
        self._waiters: dict[_Waiter, None] = {}
        self._look: asyncio.TimerHandle | None = None

    def begin(self, mark: ContextVar[Any]) -> None:
        """The running task performs the scenario; what has the same value of `mark` in its context is a part of it.

        Not to be called if anything else may give signals, as handlers that are async.
        """
        self._body = asyncio.current_task()
        self._mark = mark

    def end(self) -> None:
        """The scenario is over, and its task need not be known any more."""
        self._body = None

    def give(self, name: str, value: Any, step: PerformedStep) -> None:
        """Give a signal; whoever awaits it goes on."""
        runtime = self._runtime
        before = self._given.get(name)
        times = before.times + 1 if before is not None else 1
        self._given[name] = _Given(value, runtime.now_ns(), step.actor, step.source, times)
        told = "" if value is None else runtime.masker.shown(name, value)
        runtime.record(SignalGiven(at_ns=runtime.now_ns(), name=name, actor=step.actor, step=step.number, value=told))
        for waiter in [each for each in self._waiters if each.name == name and times >= each.times]:
            if not waiter.future.done():
                waiter.future.set_result(value)

    async def wait(self, name: str, times: int, within_s: float | None, step: PerformedStep) -> Any:
        """Wait until the signal has been given that often; its latest value then.

        Raises DeadlinePassed if that is not so in time, ScenarioError if nobody is left who could give it.
        """
        waiter = self._begin(name, times, within_s if within_s is not None else self.within_s, step)
        given = self._given.get(name)
        outcome: WaitOutcome = "cancelled"
        error = ""
        try:
            if given is not None and given.times >= times:
                # It stays given: whoever comes later is not held up, and gets the latest value.
                result = given.value
            else:
                self._watch(waiter)
                result = await waiter.future
            outcome = "satisfied"
        except (DeadlinePassed, ScenarioError) as raised:
            outcome, error = "failed", type(raised).__name__
            raise
        finally:
            self._end(waiter)
            now_ns = self._runtime.now_ns()
            self._runtime.record(WaitEnded(at_ns=now_ns, number=waiter.started.number, outcome=outcome, error=error))
        return result

    def _begin(self, name: str, times: int, within_s: float, step: PerformedStep) -> _Waiter:
        runtime = self._runtime
        now_ns = runtime.now_ns()
        started = WaitStarted(
            at_ns=now_ns,
            number=runtime.next_wait(),
            actor=step.actor,
            channel="",
            awaits="signal",
            name=name,
            times=times,
            step=step.number,
            deadline_ns=now_ns + round(within_s * 1e9),
            source=step.source,
        )
        runtime.record(started)
        return _Waiter(started, name, times, runtime.loop.create_future())

    def _watch(self, waiter: _Waiter) -> None:
        self._waiters[waiter] = None
        # P7: the run's one timer, with the grace that waits for messages have.
        self._runtime.deadlines.add(self)
        assert waiter.started.deadline_ns is not None
        self._runtime.deadlines.note(waiter.started.deadline_ns)
        # Not at once: the branch that is to give it may be about to begin.
        self._runtime.loop.call_soon(self._look_once)
        if self._look is None:
            self._look = self._runtime.loop.call_later(LOOK_EVERY_S, self._look_again)

    def _end(self, waiter: _Waiter) -> None:
        self._waiters.pop(waiter, None)
        if not self._waiters:
            self._runtime.deadlines.remove(self)
            if self._look is not None:
                self._look.cancel()
                self._look = None

    # -- nobody gives it ----------------------------------------------------------------------------------------------

    @property
    def next_deadline_ns(self) -> int | None:
        """The earliest deadline of what is awaited."""
        deadlines = [waiter.started.deadline_ns for waiter in self._pending()]
        return min((at_ns for at_ns in deadlines if at_ns is not None), default=None)

    def expire(self, now_ns: int) -> None:
        """End the waits whose deadlines have passed."""
        late = [each for each in self._pending() if (each.started.deadline_ns or 0) <= now_ns]
        others = self._pending()
        # All are told of the same state: the first error must not change what the second says.
        for waiter in late:
            waiter.future.set_exception(self._too_late(waiter, others, now_ns))

    def _pending(self) -> list[_Waiter]:
        return [waiter for waiter in self._waiters if not waiter.future.done()]

    def _too_late(self, waiter: _Waiter, others: Collection[_Waiter], now_ns: int) -> DeadlinePassed:
        waited = seconds(now_ns - waiter.started.at_ns)
        given = self._given.get(waiter.name)
        count = f"it was given {given.times} times only" if given is not None else "nobody gave it"
        lines = [f"{waiter.who} waited {waited} for {waiter.started.what}, and {count}"]
        lines += [each.describe(now_ns) for each in others if each is not waiter]
        lines.append(self._tell_given())
        return DeadlinePassed("\n  ".join(lines), place=waiter.started.source, hint=self._hint(waiter.name))

    def _tell_given(self) -> str:
        if not self._given:
            return "no signal was given at all"
        return "given were: " + "; ".join(given.describe(name) for name, given in self._given.items())

    def _hint(self, name: str) -> str:
        alike = difflib.get_close_matches(name, [other for other in self._given if other != name], n=1)
        if alike:
            return f"is {alike[0]!r} meant?"
        return f"signal({name!r}) gives it, in another branch or before"

    # -- all wait for each other --------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        self._look = self._runtime.loop.call_later(LOOK_EVERY_S, self._look_again)
        self._look_once()

    def _look_once(self) -> None:
        """End the waits if those who are in them are all that is under way: then nobody is left to give a signal."""
        stuck = self._pending()
        # One alone may be waiting for a message's handler; that is a deadline's business.
        if len(stuck) < 2 or self._body is None or self._mark is None:
            return
        if not is_deadlocked(self._body, {waiter.future for waiter in stuck}, self._mark):
            return
        now_ns = self._runtime.now_ns()
        names = list(dict.fromkeys(waiter.who for waiter in stuck))
        who = " and ".join(names) if len(names) > 1 else f"{len(stuck)} branches"
        lines = [f"a deadlock: {who} wait for signals that only they could give"]
        lines += [waiter.describe(now_ns) for waiter in stuck]
        lines.append(self._tell_given())
        for waiter in stuck:
            hint = "let one of them give its signal before it awaits the other's"
            waiter.future.set_exception(ScenarioError("\n  ".join(lines), place=waiter.started.source, hint=hint))

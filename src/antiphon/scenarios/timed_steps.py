"""The words of a workflow about time and number: at an exact moment, within a time, again and again.

Moments count from the beginning of the scenario, when all its actors are there, or of the round of the innermost
`repeat` around them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Final, Generic, TypeVar, cast, overload

from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.wording import seconds as told_seconds
from antiphon.conversation.wording import shorten
from antiphon.errors import DeadlinePassed, ExpectationFailed, ScenarioError
from antiphon.journal import Argument, MomentKept, StepEnded, StepStarted
from antiphon.journal.arguments import mask_argument, named_things
from antiphon.journal.masking import Masker
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.runtime import Runtime
from antiphon.scenarios.root_cause import under_way
from antiphon.scenarios.saved import Reference
from antiphon.scenarios.step import Stage, Step, WrittenStep
from antiphon.scenarios.workflow import workflow_steps

__all__ = ["BEGUN_NS", "at", "repeat", "within"]

T = TypeVar("T")

BEGUN_NS: ContextVar[int] = ContextVar("antiphon_begun", default=0)
"""The moment that moments are counted from, on the clock of the run."""

LATE_S: Final = 0.01
"""How much too late a moment may be begun."""

AWAKE_NS: Final = 2_000_000
"""How long before a moment we are awake: event loops round their timers to milliseconds."""


def at(seconds: float, *steps: Any, late_s: float = LATE_S) -> Step[Any]:
    """Do the steps (or nothing) at that moment, counted from the beginning of the scenario or of a `repeat`'s round.

    The loop sleeps until 2 ms before and then turns over, receiving as ever, until the moment. The first step is never
    early, and 0.006 ms late in the median; on a machine with more work than cores, 3 ms at the 95th percentile. The
    journal has the error (`MomentKept`). The result is that of the step, or a list of those of several.

    Raises ExpectationFailed if the moment is past by more than `late_s` when its turn comes, or when it is over with
    sleeping: a process that stood still may oversleep.
    """
    return _At("at", steps, _number("at", seconds), _number("at", late_s, "late_s"))


def within(seconds: float, *steps: Any) -> Step[Any]:
    """Do the steps one after the other; they must be over within that time, from now.

    The result is that of the step, or a list of those of several. Raises DeadlinePassed, which names the step that was
    under way. What came while the process stood still came in time, as for a wait.
    """
    if not steps:
        raise ScenarioError("within() takes the seconds, and then the steps", hint="within(5, operator.hang_up())")
    return _Within("within", steps, _number("within", seconds))


@overload
def repeat(times: int, /, *steps: Any, until: Callable[[], Any] | Reference | None = None) -> Step[list[Any]]: ...
@overload
def repeat(*steps: Any, for_s: float, until: Callable[[], Any] | Reference | None = None) -> Step[list[Any]]: ...
def repeat(*given: Any, for_s: float | None = None, until: Callable[[], Any] | Reference | None = None) -> Step[Any]:
    """Do the steps again and again: `repeat(3, …)` so many times, `repeat(…, for_s=10)` for a time.

    The result has one item for each round: the result of the step, or a list of those of several. A round that has
    begun is finished. until: looked at after each round, a function or a `saved` reference; when it is true, that was
    the last round. Raises DeadlinePassed if it is not true after as many rounds, or as long a time, as there may be.
    """
    times, steps = (given[0], given[1:]) if given and isinstance(given[0], int) else (None, given)
    if (times is None) == (for_s is None) or isinstance(times, bool) or (times is not None and times < 0) or not steps:
        raise ScenarioError(
            "repeat() takes either a number of times or for_s=, and steps",
            hint="repeat(3, operator.hang_up()), or repeat(operator.hang_up(), for_s=10)",
        )
    if until is not None and not callable(until) and not isinstance(until, Reference):
        raise ScenarioError(f"repeat() takes until= as a function or a saved reference, not {shorten(until)}")
    return _Repeat(steps, times, _number("repeat", for_s, "for_s") if for_s is not None else None, until)


def _number(word: str, value: Any, name: str = "seconds") -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ScenarioError(f"{word}() takes {name} from 0 on, not {shorten(value)}")
    return value


class _Group(WrittenStep[Any]):
    """Some steps, one after the other."""

    def __init__(self, name: str, steps: Sequence[Any], *args: Any) -> None:
        super().__init__(name, args)
        self.parts = workflow_steps(list(steps), self.source)
        self._is_single = len(steps) == 1 and isinstance(steps[0], Step)

    def arguments(self, masker: Masker) -> Iterator[Argument]:
        yield from (mask_argument(masker, value, "") for value in self.args[:1])
        yield from (named_things(step.name) for step in self.parts)

    def with_parts(self) -> Iterable[Step[Any]]:
        return (self, *(inner for step in self.parts for inner in step.with_parts()))

    async def _do_parts(self) -> Any:
        results = [await step for step in self.parts]
        return results[0] if self._is_single else results


class _At(_Group):
    async def _do(self, stage: Stage, step: PerformedStep) -> Any:
        runtime = stage.runtime
        moment_s, late_s = self.args
        due_ns = BEGUN_NS.get() + round(moment_s * 1e9)
        past_ns = runtime.now_ns() - due_ns
        if past_ns > late_s * 1e9:
            raise self._is_past(runtime, step, past_ns)
        await _until(runtime, due_ns)
        now_ns = runtime.now_ns()
        runtime.record(MomentKept(at_ns=now_ns, step=step.number, due_ns=due_ns, error_ns=now_ns - due_ns))
        if now_ns - due_ns > max(late_s * 1e9, past_ns):  # past already when its turn came, it is judged above
            raise self._is_overslept(now_ns - due_ns)
        return await self._do_parts() if self.parts else None

    def _is_past(self, runtime: Runtime, step: PerformedStep, past_ns: int) -> ExpectationFailed:
        steps = {each.number: each for each in runtime.journal.entries if isinstance(each, StepStarted)}
        before = next(
            (
                f"\n  before it {steps[each.number].title} at {steps[each.number].source} ended after"
                f" {told_seconds(each.at_ns - steps[each.number].at_ns)}"
                for each in reversed(runtime.journal.entries)
                if isinstance(each, StepEnded) and each.number in steps and steps[each.number].parent == step.parent
            ),
            "",
        )
        return ExpectationFailed(
            f"the moment {self.args[0]:g} s was past by {told_seconds(past_ns)} when its turn came{before}",
            place=self.source,
            hint="begin earlier, do it beside the rest with together(), or give late_s=",
        )

    def _is_overslept(self, late_ns: int) -> ExpectationFailed:
        return ExpectationFailed(
            f"the moment {self.args[0]:g} s was overslept by {told_seconds(late_ns)}: until then nothing ran here",
            place=self.source,
            hint="was the process stopped, the machine asleep, or the loop blocked? late_s= says how late it may be",
        )


async def _until(runtime: Runtime, due_ns: int) -> None:
    """Return at that moment, or as soon after it as the loop comes round."""
    # A loop with a clock of its own (virtual time) keeps its timers exactly, and while it is busy no time passes.
    awake_ns = 0 if hasattr(runtime.loop, "now_ns") else AWAKE_NS
    while (left_ns := due_ns - runtime.now_ns()) > 0:  # noqa: ASYNC110 - time itself is awaited
        await asyncio.sleep(max(left_ns - awake_ns, 0) / 1e9)


class _Within(_Group):
    async def _do(self, stage: Stage, step: PerformedStep) -> Any:
        limit_s = self.args[0]
        runtime = stage.runtime
        limit = _Limit(runtime, limit_s, step)
        try:
            async with limit:
                result = await _Watched(self._do_parts(), limit)
        except TimeoutError:
            if not limit.has_passed:
                raise
            raise self._too_late(runtime, step, f"not over within {limit_s:g} s", limit.unfinished) from None
        now_ns = runtime.now_ns()
        # Resumed in time and over too late: the steps themselves held up the loop, so nothing could end them.
        if limit.resumed_ns <= limit.deadline_ns < now_ns:
            took_ns = now_ns - limit.began_ns
            raise self._too_late(runtime, step, f"over after {told_seconds(took_ns)} only")
        return result

    def _too_late(
        self, runtime: Runtime, step: PerformedStep, how: str, unfinished: Sequence[Explanation] = ()
    ) -> DeadlinePassed:
        lines = [f"{step.title} was {how}", *under_way(runtime.journal.entries, step.number)]
        late = DeadlinePassed("\n  ".join(lines), place=self.source)
        if unfinished:
            late.explanation = unfinished[0]
            late.explanation.cut_short = lines[0]
            late.explanation.aftermath = [f"in the step {step.title} at {step.source}", *lines[2:]]
        return late


class _Limit:
    """The limit on the time of some steps, which passes as the deadlines of waits do.

    So it has their grace (`Deadlines`): what came while the process stood still is read before anyone is told that it
    did not come. `resumed_ns` is when the steps were last resumed, `unfinished` what they were waiting for when it
    passed.
    """

    def __init__(self, runtime: Runtime, limit_s: float, step: PerformedStep) -> None:
        self.began_ns = self.resumed_ns = runtime.now_ns()
        self.deadline_ns = self.began_ns + round(limit_s * 1e9)
        self.has_passed = self._is_over = False
        self.unfinished: list[Explanation] = []
        self._runtime = runtime
        self._step = step
        self._timer = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._timer.__aenter__()
        self._runtime.deadlines.add(self)
        self._runtime.deadlines.note(self.deadline_ns)

    async def __aexit__(self, *raised: Any) -> None:
        self._is_over = True  # a deadline that passes with this one may have ended the steps just now
        self._runtime.deadlines.remove(self)
        await self._timer.__aexit__(*raised)

    @property
    def next_deadline_ns(self) -> int | None:
        """When it passes, None if it cannot any more."""
        return None if self.has_passed or self._is_over else self.deadline_ns

    def expire(self, now_ns: int) -> None:
        """It has passed: end the steps."""
        self.has_passed = True
        drivers = (each for each in self._runtime.deadlines.sleepers if isinstance(each, WaitDriver))
        self.unfinished = [each for driver in drivers for each in driver.unfinished(self._step)]
        self._timer.reschedule(self._runtime.loop.time())

    def note_resumed(self) -> None:
        """The steps go on."""
        self.resumed_ns = self._runtime.now_ns()


class _Watched(Generic[T]):
    """A coroutine that tells the limit whenever it is resumed; otherwise as if it were awaited itself (PEP 380)."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], limit: _Limit) -> None:
        self._coroutine = coroutine
        self._limit = limit

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        while True:
            self._limit.note_resumed()
            try:
                awaited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration as over:
                return cast("T", over.value)
            try:
                yield awaited
                error = None
            except BaseException as thrown:
                error = thrown


class _Repeat(_Group):
    def __init__(
        self,
        steps: Sequence[Any],
        times: int | None,
        for_s: float | None,
        until: Callable[[], Any] | Reference | None,
    ) -> None:
        super().__init__("repeat", steps, times if times is not None else f"for {for_s:g} s")
        self._times = times
        self._for_s = for_s
        self._until = until

    async def _do(self, stage: Stage, step: PerformedStep) -> list[Any]:
        now_ns = stage.runtime.now_ns
        began_ns = now_ns()
        results: list[Any] = []
        while self._goes_on(len(results), now_ns() - began_ns):
            round_ns = now_ns()
            token = BEGUN_NS.set(round_ns)
            try:
                results.append(await self._do_parts())
            finally:
                BEGUN_NS.reset(token)
            if self._until is not None and self._is_over(stage):
                return results
            # Steps that wait for nothing must not keep others from running, nor time from passing.
            await asyncio.sleep(0 if self._for_s is None or now_ns() > round_ns else 0.001)
        if self._until is not None:
            text = f"until= is not true after {len(results)} rounds in {told_seconds(now_ns() - began_ns)}"
            raise DeadlinePassed(text, place=self.source)
        return results

    def _goes_on(self, rounds: int, passed_ns: int) -> bool:
        if self._times is not None:
            return rounds < self._times
        return self._for_s is not None and passed_ns < self._for_s * 1e9

    def _is_over(self, stage: Stage) -> bool:
        until = self._until
        return bool(until() if callable(until) else stage.resolve(until))

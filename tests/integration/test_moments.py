"""Exact moments, limits on time, and repetition: `at`, `within`, `repeat`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from antiphon import (
    Actor,
    DeadlinePassed,
    ExpectationFailed,
    Json,
    Link,
    Run,
    ScenarioError,
    Step,
    action,
    at,
    call,
    perform,
    repeat,
    saved,
    scenario,
    together,
    wait,
    within,
)
from antiphon.journal import MomentKept
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
FILE = "tests/integration/test_moments.py"


class Caller(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)

    @action
    async def hear(self, name: str) -> str:
        return (await self.expect(name)).name


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def stand_still(seconds: float) -> None:
    """What SIGSTOP or a closed lid is to the loop: between two callbacks much time has passed."""
    asyncio.get_running_loop()._virtual_ns += round(seconds * 1e9)  # type: ignore[attr-defined]


async def now() -> float:
    return round(asyncio.get_running_loop().time(), 6)


def time_is(name: str = "now") -> Step[float]:
    return call(now, save_as=name)


def moments(run: Run) -> list[tuple[int, int]]:
    return [(entry.due_ns, entry.error_ns) for entry in run.journal if isinstance(entry, MomentKept)]


# -- at ---------------------------------------------------------------------------------------------------------------


def test_a_step_is_done_at_its_moment(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [wait(0.3), at(2.5, time_is()), at(2.5), at(3.000001, time_is(), time_is())]

    run = play_with(case)
    assert run.value[1:] == [2.5, None, [3.000001, 3.000001]]
    assert moments(run) == [(2_500_000_000, 0), (2_500_000_000, 0), (3_000_001_000, 0)]


def test_moments_count_from_when_all_actors_are_there(play_with: Play) -> None:
    class Late(Caller):
        async def arrive(self) -> None:
            await asyncio.sleep(4)

    @scenario
    async def case(alice: Caller, bob: Late) -> list[float]:
        return await together(at(2, time_is()), [wait(0.5), at(1, time_is())])

    assert play_with(case).value == [6, [None, 5]]


def test_in_a_repeat_moments_count_from_the_round(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [repeat(3, at(1, time_is()), at(1.5)), at(5, time_is())]

    run = play_with(case)
    assert [found for found, _ in run.value[0]] == [1, 2.5, 4]
    assert run.value[1] == 5


def test_a_moment_that_is_past_is_told_with_what_took_so_long(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [wait(2), at(1.75, time_is())]

    with pytest.raises(ExpectationFailed) as failed:
        play_with(case)
    line = case.function.__code__.co_firstlineno + 2
    assert str(failed.value).splitlines()[:3] == [
        "the moment 1.75 s was past by 250 ms when its turn came",
        f"  before it wait(2) at {FILE}:{line} ended after 2.000 s",
        f"  at {FILE}:{line}",
    ]
    assert not moments(failed.value.run)


def test_how_late_a_moment_may_be_is_said(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [wait(2), at(1.75, time_is(), late_s=0.3)]

    run = play_with(case)
    assert run.value == [None, 2]
    assert moments(run) == [(1_750_000_000, 250_000_000)]


@pytest.mark.parametrize("late_s", [0.01, 60])
def test_a_moment_that_was_overslept_has_passed(late_s: float, play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        alice.later(1.5, stand_still, 3)
        await at(2, time_is(), late_s=late_s)

    if late_s == 60:
        assert moments(play_with(case)) == [(2_000_000_000, 2_500_000_000)]
        return
    with pytest.raises(ExpectationFailed, match=r"^the moment 2 s was overslept by 2\.500 s: ") as failed:
        play_with(case)
    assert moments(failed.value.run) == [(2_000_000_000, 2_500_000_000)]
    assert "now" not in failed.value.run.returned  # its step was not begun


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_in_real_time_a_moment_is_never_early(factory: Any) -> None:
    @scenario
    def case() -> list[Step[Any]]:
        return [at(number * 0.0037, late_s=60) for number in range(1, 10)]

    with asyncio.Runner(loop_factory=factory) as runner:
        run = runner.run(perform(case, runs=None))
    assert len(moments(run)) == 9
    assert all(error_ns >= 0 for _, error_ns in moments(run))


@pytest.mark.parametrize("wrong", [-1, "1", True, None, float("nan"), float("inf")])
def test_a_time_is_a_number_of_seconds(wrong: Any) -> None:
    for make in (at, functools.partial(at, 1, late_s=wrong), lambda seconds: within(seconds, wait(1))):
        with pytest.raises(ScenarioError, match=r"(at|within)\(\) takes (seconds|late_s) from 0 on"):
            make() if isinstance(make, functools.partial) else make(wrong)


# -- within -----------------------------------------------------------------------------------------------------------


def test_steps_within_their_time_give_their_results(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [wait(1), within(2, time_is()), within(0.6, [time_is()], wait(0.5))]

    assert play_with(case).value == [None, 1, [1, None]]


def test_a_step_that_is_not_over_in_time_is_named(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        await within(3, wait(1), alice.hear("news"), wait(5))

    with pytest.raises(DeadlinePassed) as failed:
        play_with(case)
    line = case.function.__code__.co_firstlineno + 2
    told = str(failed.value).splitlines()
    limit = "within(3, wait, hear, wait) was not over within 3 s"
    assert told[0] == f"{limit}: alice.line waited 2.000 s for news, and it did not come"
    assert told[1] == "  nothing arrived on this channel at all"
    assert told[3] == f"  in the step hear('news') at {FILE}:{line}"
    assert told[5] == f"  in the step within(3, wait, hear, wait) at {FILE}:{line}"
    assert failed.value.run.duration_s == pytest.approx(3, abs=0.01)


def test_an_error_within_is_that_error(play_with: Play) -> None:
    def fail() -> None:
        raise TimeoutError("own")

    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [within(3, call(fail))]

    with pytest.raises(TimeoutError, match="own"):
        play_with(case)


def test_a_limit_that_passed_while_the_loop_was_blocked_has_passed(play_with: Play) -> None:
    async def block() -> None:
        stand_still(2)

    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [within(1, call(block))]

    with pytest.raises(DeadlinePassed, match=r"over after 2\.000 s only"):
        play_with(case)


def say_after(turns: int, peer: Any) -> None:
    """The message lay in the socket: it is read in the first turns of the loop that runs again."""
    if turns:
        asyncio.get_running_loop().call_soon(say_after, turns - 1, peer)
    else:
        peer.say("news")


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("is_wait", [True, False], ids=["a wait", "within"])
def test_what_came_while_the_process_stood_still_came_in_time(
    is_wait: bool, turns: int, peer: Any, play_with: Play
) -> None:
    @scenario
    async def case(alice: Caller) -> str:
        def wake_up() -> None:
            stand_still(30)
            say_after(turns, peer)

        alice.later(0.5, wake_up)
        if is_wait:
            return (await alice.expect("news", within_s=1)).name
        return await within(1, alice.hear("news"))

    assert play_with(case).value == "news"


def test_what_did_not_come_though_the_process_stood_still_is_late(play_with: Play) -> None:
    class Patient(Caller):
        @action
        async def expect_later(self) -> None:
            await self.expect("news", within_s=60)

    @scenario
    async def case(alice: Patient) -> None:
        alice.later(0.5, stand_still, 30)
        await within(1, alice.expect_later())

    with pytest.raises(DeadlinePassed, match=r"^within\(1, expect_later\) was not over within 1 s"):
        play_with(case)


def test_a_wait_whose_deadline_passes_with_the_limit_fails_as_a_wait(play_with: Play) -> None:
    class Hasty(Caller):
        @action
        async def hear_soon(self) -> None:
            await self.expect("news", within_s=1)

    @scenario
    async def case(alice: Hasty) -> list[Step[Any]]:
        return [within(1, Hasty.hear_soon())]

    with pytest.raises(DeadlinePassed, match=r"^alice\.line waited 1\.000 s for news"):
        play_with(case)


def test_a_limit_inside_of_a_limit(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [within(10, within(1, wait(5)))]

    with pytest.raises(DeadlinePassed, match=r"^within\(1, wait\) was not over within 1 s"):
        play_with(case)


def test_within_needs_steps() -> None:
    with pytest.raises(ScenarioError, match="takes the seconds, and then the steps"):
        within(5)


# -- repeat -----------------------------------------------------------------------------------------------------------


def test_a_number_of_times(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> list[Any]:
        return [
            await repeat(2, wait(1), time_is()),
            await repeat(2, time_is()),
            await repeat(0, time_is()),
            await repeat(2, repeat(2, [time_is()])),
        ]

    assert play_with(case).value == [[[None, 1], [None, 2]], [2, 2], [], [[[2], [2]], [[2], [2]]]]


def test_for_a_time_a_round_that_has_begun_is_finished(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [repeat(wait(2), time_is(), for_s=5)]

    assert play_with(case).value == [[[None, 2], [None, 4], [None, 6]]]


def test_rounds_that_wait_for_nothing_end_too(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [repeat(time_is(), for_s=0.01)]

    assert len(play_with(case).value[0]) == 10


def test_until_something_is_so(play_with: Play) -> None:
    counted: list[int] = []

    def count() -> int:
        counted.append(1)
        return len(counted)

    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [
            repeat(10, call(count), until=lambda: len(counted) == 3),
            repeat(call(lambda: len(counted) == 3, save_as="is_three"), for_s=1, until=saved.is_three),
        ]

    assert play_with(case).value == [[1, 2, 3], [True]]


def test_until_it_should_have_been_so(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [repeat(4, wait(1), until=lambda: False)]

    with pytest.raises(DeadlinePassed, match=r"until= is not true after 4 rounds in 4\.0") as failed:
        play_with(case)
    assert f"at {FILE}:" in str(failed.value)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ((), {}),
        ((3,), {}),
        ((-1, wait(1)), {}),
        ((True, wait(1)), {}),
        ((wait(1),), {}),
        ((3, wait(1)), {"for_s": 5}),
        ((wait(1),), {"until": print}),
        ((3, wait(1)), {"until": 5}),
        ((wait(1),), {"for_s": -1}),
    ],
)
def test_what_cannot_be_repeated_is_told(given: tuple[Any, ...], options: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=r"repeat\(\) takes"):
        repeat(*given, **options)


def test_what_stands_in_them_is_looked_through_before_anything_is_connected(peer: Any, play_with: Play) -> None:
    class Stranger(Actor):
        @action
        async def intrude(self) -> None: ...

    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [repeat(2, within(5, at(1, [Stranger.intrude()])))]

    with pytest.raises(ScenarioError, match="intrude is a step of Stranger, and case has no such actor"):
        play_with(case)
    assert not peer.openings
    with pytest.raises(ScenarioError, match="is 5, not a step"):
        within(5, 5)

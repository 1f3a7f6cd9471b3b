"""A step that is made and then forgotten: told with its line. A step that is kept for later: none of our business."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    Json,
    Link,
    Message,
    Run,
    ScenarioError,
    Step,
    action,
    call,
    expect,
    on,
    repeat,
    scenario,
    send,
    signal,
    together,
    wait,
    within,
)
from antiphon.journal import Failed, StepStarted
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]


class Caller(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)

    @action
    async def dial(self, destination: str = "1") -> str:
        return destination

    @action
    async def forget_inside(self) -> None:
        self.dial("2")
        await wait(1)

    @action
    async def forget_and_return(self) -> None:
        self.dial("2")


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def forgotten(play_with: Play, case: Any) -> ScenarioError:
    with pytest.raises(ScenarioError, match="was made, and neither awaited nor put into a workflow") as failed:
        play_with(case)
    assert failed.value.run.verdict == "error"
    assert len([entry for entry in failed.value.run.journal if isinstance(entry, Failed)]) == 1
    return failed.value


FORGETFUL: dict[str, Callable[[Any], Any]] = {}


def forgetting(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    FORGETFUL[function.__name__] = function
    return function


@forgetting
async def of_an_actor(alice: Caller) -> None:
    alice.dial("7")
    await wait(1)


@forgetting
async def of_the_class(alice: Caller) -> None:
    Caller.dial("7")
    await wait(1)


@forgetting
async def as_the_last_statement(alice: Caller) -> None:
    await wait(1)
    alice.dial("7")


@forgetting
async def over_several_lines(alice: Caller) -> None:
    alice.dial(
        "7",
    )
    await wait(1)


@forgetting
async def in_a_condition(alice: Caller) -> None:
    if alice.dial("7"):
        await wait(1)


@forgetting
async def in_a_comparison(alice: Caller) -> None:
    if alice.dial("7") == "7":
        await wait(1)


@forgetting
async def negated(alice: Caller) -> None:
    while not alice.dial("7"):
        await wait(1)


@forgetting
async def words_too(alice: Caller) -> None:
    together(alice.dial("7"), [alice.dial("8")], repeat(2, within(1, alice.dial("9"))))
    await wait(1)


@forgetting
async def in_a_nested_function(alice: Caller) -> None:
    def forget() -> None:
        signal("x")

    forget()
    await wait(1)


@forgetting
async def in_a_branch(alice: Caller) -> None:
    async def forget() -> None:
        await wait(1)
        alice.dial("7")

    await asyncio.gather(forget(), wait(2))


@forgetting
async def in_a_thread(alice: Caller) -> None:
    def forget() -> None:
        alice.dial("7")

    await call(forget)
    await wait(1)


@pytest.mark.parametrize("name", FORGETFUL)
def test_a_step_without_await_is_told_with_its_line(play_with: Play, name: str) -> None:
    function = FORGETFUL[name]
    error = forgotten(play_with, scenario(function))
    assert error.place is not None
    file, _, line = error.place.rpartition(":")
    assert file == "tests/integration/test_forgotten.py"
    first = function.__code__.co_firstlineno
    assert first < int(line) < first + 8
    assert "hint: write `await` before it" in str(error)


@pytest.mark.parametrize("name", ["forget_inside", "forget_and_return"])
def test_in_an_action(play_with: Play, name: str) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        await getattr(alice, name)()

    assert "dial('2')" in str(forgotten(play_with, case))


def test_in_a_function_that_returns_a_workflow(peer: Any, play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        alice.dial("7")
        return [wait(1)]

    forgotten(play_with, case)
    assert not peer.openings


def test_in_a_handler(peer: Any, play_with: Play) -> None:
    class Reacting(Caller):
        @on("news")
        def forget(self, message: Message) -> None:
            self.dial("7")

    peer.greeting = [("news", {})]

    @scenario
    async def case(alice: Reacting) -> None:
        await wait(1)

    forgotten(play_with, case)


@pytest.mark.usefixtures("collects_quickly")
def test_what_is_kept_is_not_forgotten(play_with: Play) -> None:
    kept: list[Step[Any]] = []

    def some(actor: Caller) -> list[Step[Any]]:
        return [actor.dial("1"), actor.dial("2")]

    @scenario
    async def case(alice: Caller) -> list[Step[Any]]:
        unused = alice.dial("3")
        unused = alice.dial("4")
        del unused
        steps = some(alice)
        assert await steps.pop() == "2"
        steps.pop()
        some(alice)
        by_name = {"call": alice.dial("5"), "other": Caller.dial("6")}
        await by_name["call"]
        kept.append(alice.dial("7"))
        for step in [alice.dial("8"), alice.dial("9")]:
            if step.name == "dial" and step.args == ("9",):
                await step
        either = alice.dial("10") if kept else alice.dial("11")
        assert isinstance(either, Step)
        gathered = asyncio.gather(alice.dial("12"), Caller.dial("13"))
        await gathered
        gc.collect()
        return [together(*some(alice), [*some(alice)]), *(alice.dial(number) for number in "ab")]

    run = play_with(case)
    assert run.verdict == "passed"
    assert not [entry for entry in run.journal if isinstance(entry, Failed)]


def test_every_word_awaited_on_one_line_is_done(peer: Any, play_with: Play) -> None:
    peer.greeting = [("news", {})]

    @scenario
    async def case(alice: Caller) -> None:
        await together(alice.dial("1"), [Caller.dial("2"), wait(0)])
        await repeat(2, within(1, alice.dial("3")))
        await expect("news")
        await send("x")
        await call(lambda: None)
        assert await alice.dial("4") == "4"
        if not await alice.dial("5"):
            raise AssertionError

    run = play_with(case)
    assert len([entry for entry in run.journal if isinstance(entry, StepStarted)]) == 14


def test_a_failure_before_a_steps_turn_is_the_only_one(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        later = [alice.dial("1"), alice.dial("2")]
        raise ValueError(f"before {len(later)} steps")

    with pytest.raises(ValueError, match="before 2 steps"):
        play_with(case)


def test_outside_of_scenarios_a_step_is_a_value() -> None:
    Caller.dial("1")
    wait(1)

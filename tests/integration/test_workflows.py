"""Workflows and the words they are made of: one definition, performed as a list or as plain async code."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    ExpectationFailed,
    Json,
    Link,
    Run,
    ScenarioError,
    Step,
    action,
    call,
    expect,
    perform,
    play,
    saved,
    scenario,
    send,
    together,
    wait,
)
from antiphon.conversation.message import Message
from antiphon.journal import Called, StepEnded, StepStarted, WaitStarted

Play = Callable[..., Run]
DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Caller(Actor):
    """Who calls."""

    line = Link("{peer}", dialect=DIALECT, within_s=5)
    number = 0

    @action
    async def dial(self, destination: str, times: int = 1) -> int:
        """Dial, and learn the call's number."""
        for _ in range(times):
            self.number = (await self.ask("dial", destination=destination))["number"]
        return self.number

    def mark_nothing(self) -> None:
        """As `send`, it is not awaited."""

    @action
    async def dial_twice(self, destination: str) -> int:
        await self.dial(destination)
        return await self.dial(destination)


class Stranger(Actor):
    line = Link("{peer}", dialect=DIALECT)

    @action
    async def intrude(self) -> None: ...


@pytest.fixture
def numbers(peer: Any) -> list[str]:
    """The peer answers `dial` with 1, 2, …; gives the destinations dialled."""
    dialled: list[str] = []

    def answer(body: Any) -> None:
        dialled.append(body["destination"])
        peer.say("resultDial", number=len(dialled))

    peer.on_request["dial"] = answer
    return dialled


def steps_of(run: Run) -> list[tuple[str, str]]:
    return [(entry.actor, entry.title) for entry in run.journal if isinstance(entry, StepStarted)]


def test_a_list_is_performed_in_order(numbers: list[str], play_with: Play) -> None:
    @scenario
    def calls(caller: Caller, destination: str = "1") -> list[Step[Any]]:
        return [Caller.dial(destination), wait(0), [Caller.dial("2"), caller.dial("3", times=2)]]

    run = play_with(calls, destination="9")
    assert numbers == ["9", "2", "3", "3"]
    assert run.value == [1, None, 2, 4]
    assert steps_of(run) == [
        ("caller", "dial('9')"),
        ("", "wait(0)"),
        ("caller", "dial('2')"),
        ("caller", "dial('3', times=2)"),
    ]


def test_a_step_is_a_value_that_can_be_done_again(numbers: list[str], play_with: Play) -> None:
    @scenario
    def calls(caller: Caller) -> list[Step[Any]]:
        return [Caller.dial("7")] * 3

    assert play_with(calls).caller.number == 3


def test_steps_nest_and_are_told_with_their_places(numbers: list[str], play_with: Play) -> None:
    @scenario
    async def calls(caller: Caller) -> int:
        return await caller.dial_twice("5")

    run = play_with(calls)
    outer, first, second = (entry for entry in run.journal if isinstance(entry, StepStarted))
    assert (outer.parent, first.parent, second.parent) == (0, outer.number, outer.number)
    assert outer.source.startswith("tests/integration/test_workflows.py:")
    waits = [entry for entry in run.journal if isinstance(entry, WaitStarted) and entry.name == "dial"]
    assert [entry.step for entry in waits] == [first.number, second.number]
    sent = [entry for entry in run.journal if isinstance(entry, Message) and entry.is_sent]
    assert [message.step for message in sent] == [first.number, second.number]


def test_a_failed_step_is_told_up_to_the_top(peer: Any, play_with: Play) -> None:
    peer.on_request["dial"] = lambda _: peer.say("resultDial", result="error", code=1, message="busy")

    @scenario
    async def calls(caller: Caller) -> None:
        await caller.dial_twice("5")

    with pytest.raises(ExpectationFailed, match="busy") as failed:
        play_with(calls)
    ended = [entry.outcome for entry in failed.value.run.journal if isinstance(entry, StepEnded)]
    assert ended == ["failed", "failed"]


def test_call_takes_any_function_and_saved_values(numbers: list[str], play_with: Play) -> None:
    threads: list[str] = []

    def note(number: int, *, factor: int = 1) -> int:
        threads.append(threading.current_thread().name)
        return number * factor

    async def add(a: int, b: int) -> int:
        return a + b

    @scenario
    def calls(caller: Caller) -> list[Step[Any]]:
        return [
            Caller.dial("1"),
            Caller.dial("2"),
            call(note, saved.number, factor=saved.caller.number, save_as="square"),
            call(add, saved.square, b=1),
            call(functools.partial(add, 40), 2, save_as="partial"),
            call(dict, items=[saved.square, {"inner": saved.add}], save_as="nested"),
            call(max, saved.nested["items"][0], saved.nested["items"][1]["inner"]),
        ]

    run = play_with(calls)
    assert run.returned["square"] == 4
    assert run.returned["add"] == 5
    assert run.returned["partial"] == 42
    assert run.returned["nested"] == {"items": [4, {"inner": 5}]}
    assert list(run.returned) == [4, 5, 42, {"items": [4, {"inner": 5}]}, 5]
    assert run.returned.names == ["square", "add", "partial", "nested", "max"]
    assert threads != [threading.current_thread().name]
    assert [entry.save_as for entry in run.journal if isinstance(entry, Called)] == run.returned.names


def test_what_a_called_function_raises_ends_the_run_as_it_is(play_with: Play) -> None:
    def explode() -> None:
        raise ZeroDivisionError("boom")

    @scenario
    def calls(caller: Caller) -> list[Step[Any]]:
        return [call(explode)]

    with pytest.raises(ZeroDivisionError, match="boom"):
        play_with(calls)


def test_together_does_things_at_the_same_time(peer: Any, play_with: Play) -> None:
    @scenario
    def both(caller: Caller) -> list[Step[Any]]:
        return [together(expect("b"), [send("a", n=1), expect("c")], wait(0))]

    def on_a(_: Any) -> None:
        peer.say("c")
        peer.say("b")

    peer.on_request["a"] = on_a
    [[b, [_, c], nothing]] = play_with(both).value
    assert (b.name, c.name, nothing) == ("b", "c", None)


def test_the_first_failure_together_cancels_the_rest_and_is_the_cause(play_with: Play) -> None:
    cancelled = []

    async def long() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.append("long")
            raise

    def fail() -> None:
        raise ValueError("first")

    @scenario
    async def both(caller: Caller) -> None:
        await together(call(long), call(fail))

    with pytest.raises(ValueError, match="first"):
        play_with(both)
    assert cancelled == ["long"]


def test_words_awaited_in_plain_async_code_are_done_now(numbers: list[str], peer: Any, play_with: Play) -> None:
    @scenario
    async def plain(caller: Caller) -> Any:
        await wait(0)
        await together(caller.dial("1"), Caller.dial("2"))
        await send("hello", {"x": 1})
        return await call(lambda: 5, save_as="five")

    run = play_with(plain)
    assert run.value == 5
    assert run.returned["five"] == 5
    assert sorted(numbers) == ["1", "2"]
    assert ("hello", {"x": 1}) in peer.heard


def test_an_async_scenario_may_return_a_workflow(numbers: list[str], play_with: Play) -> None:
    @scenario
    async def mixed(caller: Caller) -> list[Step[Any]]:
        await caller.dial("1")
        return [caller.dial("2")]

    assert play_with(mixed).value == [2]


def test_expect_keeps_what_it_is_told_to(peer: Any, play_with: Play) -> None:
    peer.greeting = [("offer", {"id": 4})]

    @scenario
    def offered(caller: Caller) -> list[Step[Any]]:
        return [expect("offer", {"id": int}, save_as="offer"), send("accept", id=saved.offer["id"]), expect("done")]

    peer.on_request["accept"] = lambda body: peer.say("done")
    play_with(offered)
    assert ("accept", {"id": 4}) in peer.heard


def test_two_actors_of_a_class_must_be_told_apart(play_with: Play) -> None:
    @scenario
    def both(alice: Caller, bob: Caller) -> list[Step[Any]]:
        return [Caller.dial("1")]

    with pytest.raises(ScenarioError, match="several actors: alice, bob"):
        play_with(both)


def test_a_step_of_an_actor_that_is_not_there(peer: Any, play_with: Play) -> None:
    @scenario
    def calls(caller: Caller) -> list[Step[Any]]:
        return [Stranger.intrude()]

    with pytest.raises(ScenarioError, match=r"intrude is a step of Stranger, and calls has no such actor") as wrong:
        play_with(calls)
    assert "test_workflows.py" in str(wrong.value)
    assert not peer.openings, "it is found before anything is connected"


async def some_coroutine() -> None: ...


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (5, "item 1 of the workflow is 5, not a step"),
        (None, "item 1 of the workflow is None"),
        (some_coroutine, "write .*some_coroutine"),
        (Caller.dial, "item 1 of the workflow"),
    ],
)
def test_what_is_no_step_is_told_before_anything_is_connected(peer: Any, play_with: Play, item: Any, told: str) -> None:
    @scenario
    def calls(caller: Caller) -> list[Any]:
        return [wait(0), item]

    with pytest.raises(ScenarioError, match=told):
        play_with(calls)
    assert not peer.openings


def test_a_coroutine_is_no_step(play_with: Play) -> None:
    @scenario
    def calls(caller: Caller) -> list[Any]:
        return [some_coroutine()]

    with pytest.raises(ScenarioError, match="a coroutine of some_coroutine, not a step"):
        play_with(calls)


@pytest.mark.parametrize(
    ("part", "told", "hint"),
    [
        (
            lambda caller: caller.line.open(),
            "part 2 of together() is a coroutine of open",
            "write call(caller.line.open)",
        ),
        (
            lambda caller: [caller.dial("1"), caller.line.reconnect()],
            "item 1 of part 2 of together() is a coroutine of reconnect",
            "write call(caller.line.reconnect)",
        ),
        (
            lambda caller: caller.line.flushed(within_s=1),
            "a coroutine of flushed",
            "write call(caller.line.flushed, …)",
        ),
        (lambda caller: caller.leave(), "a coroutine of leave", "with @action, or write call(caller.leave)"),
        (lambda caller: some_coroutine(), "a coroutine of some_coroutine", "or write call(some_coroutine, …)"),
        (lambda caller: caller.expect("ring"), "is <MessageWait", "await all_of(…) for several"),
        (lambda caller: None, "part 2 of together() is None", "what `await` stands before has been done already"),
    ],
)
def test_what_is_no_step_in_together_is_told_with_what_to_write(
    play_with: Play, part: Callable[[Caller], Any], told: str, hint: str
) -> None:
    """And nothing that was made in vain is warned of by Python: warnings are errors here."""

    @scenario
    async def calls(caller: Caller) -> None:
        await together(caller.dial("1"), part(caller), some_coroutine(), [some_coroutine()])

    with pytest.raises(ScenarioError) as raised:
        play_with(calls)
    gc.collect()  # Python would warn now
    assert told in raised.value.text
    assert hint in str(raised.value.hint)


def test_call_takes_no_coroutine_and_says_how_it_is_written(play_with: Play) -> None:
    @scenario
    async def calls(caller: Caller) -> None:
        await call(caller.line.open())

    with pytest.raises(ScenarioError, match="takes a function, not a coroutine of open") as raised:
        play_with(calls)
    gc.collect()
    assert raised.value.hint == "call(caller.line.open), without brackets after its name"


def test_a_forgotten_await_of_a_wait_is_told(play_with: Play) -> None:
    @scenario
    async def calls(caller: Caller) -> None:
        ringing = caller.expect("ring", within_s=5)
        ringing["number"]

    with pytest.raises(ScenarioError, match="this is a wait for ring, and not yet what it waits for") as raised:
        play_with(calls)
    assert raised.value.hint == "await it first: (await self.expect(…))['number']"


def test_an_await_of_what_does_not_wait_is_told(play_with: Play) -> None:
    @scenario
    async def calls(caller: Caller) -> None:
        await caller.mark_nothing()

    with pytest.raises(TypeError) as raised:
        play_with(calls)
    assert "hint: leave the `await` out; send()" in "".join(raised.value.__notes__)


def test_a_parameter_without_a_type_may_have_been_meant_as_an_actor(play_with: Play) -> None:
    @scenario
    async def calls(caller):  # type: ignore[no-untyped-def]
        await caller.dial("1")

    with pytest.raises(ScenarioError, match="calls needs a value for 'caller'") as raised:
        play_with(calls)
    assert str(raised.value.hint).endswith("; an actor is known by its class: caller: Caller")


def test_a_scenario_that_returns_nothing_says_so(play_with: Play) -> None:
    @scenario
    def calls(caller: Caller) -> None:
        caller.dial("1")

    with pytest.raises(ScenarioError, match="the workflow is None, not a step"):
        play_with(calls)


def test_saved_names_what_there_is(numbers: list[str], play_with: Play) -> None:
    @scenario
    def calls(caller: Caller) -> list[Step[Any]]:
        return [Caller.dial("1"), call(print, saved.nummer)]

    with pytest.raises(ScenarioError, match=r"saved\.nummer is not there(.|\n)*there is caller, name, number"):
        play_with(calls)


def test_saved_is_no_value_yet() -> None:
    with pytest.raises(ScenarioError, match=r"saved\.x is not there yet"):
        bool(saved.x)
    with pytest.raises(ScenarioError, match="not there yet"):
        list(saved.x)
    assert repr(saved.x["y"].z) == "saved.x['y'].z"


def test_an_action_outside_a_scenario_says_what_to_do() -> None:
    async def alone() -> None:
        await Caller().dial("1")

    with pytest.raises(ScenarioError, match="is in no scenario"):
        asyncio.run(alone())

    async def of_the_class() -> None:
        await Caller.dial("1")

    with pytest.raises(ScenarioError, match="not performed in a scenario"):
        asyncio.run(of_the_class())


def test_an_action_must_be_async() -> None:
    with pytest.raises(ScenarioError, match="the action wrong is not async"):

        class Wrong(Actor):
            @action
            def wrong(self) -> None: ...


def test_actions_say_what_they_are() -> None:
    assert Caller.dial.__doc__ == "Dial, and learn the call's number."
    step = Caller.dial("1", times=2)
    assert repr(step).startswith("<Step dial('1', times=2) at tests/integration/test_workflows.py:")


def test_a_subclass_inherits_channels_actions_and_handlers(numbers: list[str], play_with: Play) -> None:
    class Supervisor(Caller):
        @action
        async def dial(self, destination: str, times: int = 1) -> int:
            return 100 + await super().dial(destination, times)

    @scenario
    def calls(boss: Supervisor) -> list[Step[Any]]:
        return [Supervisor.dial("1"), Caller.dial("2")]

    assert play_with(calls).value == [101, 102]


def test_play_in_a_running_loop_points_to_perform() -> None:
    @scenario
    def nothing() -> list[Step[Any]]:
        return []

    async def inside() -> None:
        play(nothing, runs=None)

    with pytest.raises(ScenarioError, match=r"await perform"):
        asyncio.run(inside())


def test_only_scenarios_are_performed() -> None:
    with pytest.raises(ScenarioError, match="is no scenario"):
        asyncio.run(perform(lambda: None, runs=None))

"""Mistakes of a scenario's author: each is one clear error, where it can be before anyone connects."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Actor,
    Json,
    ScenarioError,
    Stand,
    WebSocket,
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
from antiphon.journal import Called, ChannelOpened, Note, StepEnded, StepStarted
from antiphon.journal.file import read_journal

PLACE = "tests/e2e/test_bad_scenarios.py"
DIALECT = Json(name="action", body="data", reply="result{Name}")


class Operator(Actor):
    line = WebSocket("{peer}", dialect=DIALECT, within_s=60)

    @action
    async def hello(self, name: str = "") -> str:
        """Say hello."""
        self.send("hello", name=name)
        return name


class Customer(Actor):
    line = WebSocket("{peer}", dialect=DIALECT)

    @action
    async def dial(self) -> None:
        self.send("dial")


@pytest.fixture
def patient(serve: Callable[..., Any]) -> Iterator[Any]:
    """A peer that listens, and says goodbye when it is told to."""

    async def listen(line: Any) -> Any:
        await line.upgrade()
        return await line.goodbye()

    peer = serve(listen)
    yield peer
    if peer.connections:
        assert peer.outcome() == (1000, "")


@pytest.fixture
def blame(fail: Callable[..., Any], patient: Any) -> Callable[..., Any]:
    """Plays a scenario whose author has made a mistake; `connects` tells whether it is found only on the way."""

    def play_it(scenario: Any, *, connects: bool = False, **options: Any) -> Any:
        failure = fail(scenario, ScenarioError, verdict="error", peer=patient.address, **options)
        assert bool(failure.of(ChannelOpened)) == connects
        assert bool(patient.connections) == connects
        assert PLACE in failure.error.place
        assert failure.error.hint
        return failure

    return play_it


# -- who does it ------------------------------------------------------------------------------------------------------


def test_a_step_of_an_actor_that_is_not_there(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [Operator.hello(), Customer.dial()]

    failure = blame(wrong)

    assert "dial is a step of Customer, and wrong has no such actor" in failure.text
    assert failure.error.hint == "its actors are: operator (Operator)"
    assert failure.of(StepStarted) == []


def test_the_same_awaited(blame: Callable[..., Any]) -> None:
    @scenario
    async def wrong(operator: Operator) -> None:
        await Operator.hello()
        await Customer.dial()

    failure = blame(wrong, connects=True)

    assert "dial is a step of Customer, and wrong has no such actor" in failure.text
    assert failure.said == ["> hello"]


@pytest.mark.parametrize("word", [send("hello"), expect("welcome")], ids=["send", "expect"])
def test_a_word_that_either_of_two_could_say(blame: Callable[..., Any], word: Any) -> None:
    @scenario
    async def wrong(alice: Operator, bob: Operator) -> None:
        await word

    failure = blame(wrong, connects=True)

    assert "could be done by several actors: alice, bob" in failure.text
    assert "by=alice" in failure.error.hint


def test_a_step_that_either_of_two_could_do(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(alice: Operator, bob: Operator) -> list[Any]:
        return [Operator.hello()]

    failure = blame(wrong)

    assert "hello could be done by several actors: alice, bob" in failure.text
    assert "alice.hello(…)" in failure.error.hint


def test_the_same_inside_together(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(alice: Operator, bob: Operator) -> list[Any]:
        return [together(alice.hello(), [Operator.hello()])]

    assert "hello could be done by several actors: alice, bob" in blame(wrong).text


def test_an_action_of_an_actor_that_is_in_no_scenario() -> None:
    async def be_alone() -> None:
        await Operator().hello()

    with pytest.raises(ScenarioError, match="this Operator is in no scenario, so it is not connected") as raised:
        asyncio.run(be_alone())
    assert "play() or perform()" in str(raised.value)


def test_a_stray_actor_in_a_scenario(blame: Callable[..., Any]) -> None:
    @scenario
    async def wrong(operator: Operator) -> None:
        await Customer().dial()

    failure = blame(wrong, connects=True)

    assert "this Customer is in no scenario, so it is not connected" in failure.text


def test_a_step_of_a_class_outside_of_any_scenario() -> None:
    async def be_alone() -> None:
        await Operator.hello()

    with pytest.raises(ScenarioError, match="hello is not performed in a scenario") as raised:
        asyncio.run(be_alone())
    assert PLACE in str(raised.value)
    assert "@scenario" in str(raised.value)


def test_a_channel_that_is_not_open(blame: Callable[..., Any]) -> None:
    class Late(Actor):
        line = WebSocket("{peer}", dialect=DIALECT, opens="manually")

    @scenario
    async def wrong(late: Late) -> None:
        late.send("hello")

    failure = blame(wrong)

    assert "hello cannot be sent: late.line is not connected" in failure.text
    assert "channel.open()" in failure.error.hint


class Demanding(Actor):
    def __init__(self, seat: str) -> None:
        self.seat = seat


def test_an_actor_that_cannot_be_made(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(demanding: Demanding) -> list[Any]:
        return [wait(0)]

    failure = blame(wrong)

    assert "Demanding cannot be made without arguments" in failure.text
    assert "seat" in failure.text
    assert "pass a ready actor" in failure.error.hint


def test_an_actor_whose_making_fails(fail: Callable[..., Any]) -> None:
    class Clumsy(Actor):
        def __init__(self) -> None:
            raise ZeroDivisionError("in the middle of it")

    @scenario
    def wrong(clumsy: Clumsy) -> list[Any]:
        return [wait(0)]

    fail(wrong, ZeroDivisionError, verdict="error")


def test_an_actor_can_be_given_ready_made() -> None:
    @scenario
    async def right(demanding: Demanding) -> str:
        return demanding.seat

    assert play(right, stand=Stand(), runs=None, demanding=Demanding("4711")).value == "4711"


def test_something_else_given_for_an_actor() -> None:
    @scenario
    async def right(demanding: Demanding) -> str:
        return demanding.seat

    with pytest.raises(ScenarioError, match="demanding") as raised:
        play(right, stand=Stand(), runs=None, demanding="4711")
    assert "Demanding" in str(raised.value)


# -- what is done -----------------------------------------------------------------------------------------------------


async def an_async_function() -> None:
    """Never called with brackets by those who know."""


def a_function() -> None:
    """Likewise."""


NO_STEPS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a number": (lambda: 5, "is 5, not a step", "wait()"),
    "None": (lambda: None, "is None, not a step", "a step is what an action"),
    "a coroutine": (an_async_function, "is a coroutine of an_async_function, not a step", "call(an_async_function, …)"),
    "a function": (lambda: a_function, "not a step", "a_function"),
    "a class": (lambda: Operator, "not a step", "Operator"),
    "an action without brackets": (lambda: Operator.hello, "not a step", "hello"),
    "a text": (lambda: "hello", "is 'hello', not a step", "a step is what an action"),
    "a dict": (lambda: {"action": "hello"}, "not a step", "a step is what an action"),
    "a reference": (lambda: saved.record, "not a step", ""),
}


@pytest.mark.parametrize("what", NO_STEPS)
@pytest.mark.parametrize("where", ["in the list", "in a list of the list", "instead of the list", "in together()"])
def test_something_that_is_no_step(blame: Callable[..., Any], what: str, where: str) -> None:
    make, told, hint = NO_STEPS[what]

    @scenario
    def wrong(operator: Operator) -> Any:
        if where == "in the list":
            return [Operator.hello(), make()]
        if where == "in a list of the list":
            return [Operator.hello(), [wait(0), make()]]
        if where == "in together()":
            return [together(Operator.hello(), make())]
        return make()

    failure = blame(wrong)

    assert told in failure.text
    assert hint in failure.error.hint
    assert ("item 1 of the workflow" in failure.text) == (where in ("in the list", "in a list of the list"))
    assert failure.of(StepStarted) == []


def test_an_async_scenario_that_returns_a_broken_list(blame: Callable[..., Any]) -> None:
    @scenario
    async def wrong(operator: Operator) -> Any:
        await operator.hello()
        return [operator.hello(), 5]

    assert "item 1 of the workflow is 5, not a step" in blame(wrong, connects=True).text


def test_a_scenario_whose_own_code_fails(fail: Callable[..., Any], patient: Any) -> None:
    @scenario
    async def wrong(operator: Operator) -> None:
        await operator.hello()
        raise LookupError("a slip of the author")

    failure = fail(wrong, LookupError, verdict="error", peer=patient.address)

    assert failure.said == ["> hello"]
    first, place, code, title, last = failure.entries[-1].error.splitlines()
    assert first == "LookupError: a slip of the author"
    assert code == '      raise LookupError("a slip of the author")'
    assert title == "  the last messages:"
    assert "operator.line → hello" in last
    assert re.fullmatch(r"  at tests/e2e/test_bad_scenarios\.py:\d+", place)


def test_an_assertion_of_the_author_is_a_failure_of_the_peer(fail: Callable[..., Any], patient: Any) -> None:
    @scenario
    async def judge(operator: Operator) -> None:
        assert await operator.hello("alice") == "bob", "it is someone else"

    failure = fail(judge, AssertionError, verdict="failed", peer=patient.address)

    assert "it is someone else" in failure.entries[-1].error


def test_an_action_that_is_not_async() -> None:
    with pytest.raises(ScenarioError, match="the action dial is not async") as raised:

        class Wrong(Actor):
            @action
            def dial(self) -> None:
                """Dial."""

    assert PLACE in str(raised.value)
    assert "async def" in str(raised.value)


def test_an_action_with_wrong_arguments(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [Operator.hello("alice", nmae="bob")]  # type: ignore[call-arg]

    failure = blame(wrong)

    assert "hello" in failure.text
    assert "unexpected keyword argument 'nmae'" in failure.text


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2, 3j}, "half a \ud83d"])
def test_a_message_that_cannot_be_written(fail: Callable[..., Any], patient: Any, value: Any) -> None:
    """It is not the peer's fault, and nothing of it goes out."""

    @scenario
    async def wrong(operator: Operator) -> None:
        operator.send("hello", value=value)

    failure = fail(wrong, ScenarioError, verdict="error", peer=patient.address)

    assert "hello cannot be written as JSON" in failure.text
    assert PLACE in failure.error.place
    assert failure.said == []


# -- what is not there yet --------------------------------------------------------------------------------------------


def test_a_reference_to_something_not_saved(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [call(a_function, save_as="record"), Operator.hello(saved.recrod["id"])]

    failure = blame(wrong, connects=True)

    assert "saved.recrod['id'] is not there: nothing of that name was saved" in failure.text
    assert "record" in failure.error.hint
    assert failure.said == []


def test_a_reference_that_leads_nowhere(blame: Callable[..., Any]) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [call(dict, id=7, save_as="record"), Operator.hello(saved.record["nmae"])]

    failure = blame(wrong, connects=True)

    assert "saved.record['nmae'] is not there: dict has no 'nmae'" in failure.text


@pytest.mark.parametrize("use", [bool, list], ids=["if saved.x", "for y in saved.x"])
def test_a_reference_used_too_early(blame: Callable[..., Any], use: Callable[[Any], Any]) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [Operator.hello()] if use(saved.record) else []

    assert "saved.record is not there yet" in blame(wrong).text


# -- functions that are called ----------------------------------------------------------------------------------------


def test_a_called_function_that_raises(fail: Callable[..., Any], patient: Any) -> None:
    def look_up(name: str) -> str:
        raise LookupError(f"nobody knows {name}")

    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [Operator.hello(), call(look_up, "alice"), Operator.hello("again")]

    failure = fail(wrong, LookupError, verdict="error", peer=patient.address)

    assert failure.said == ["> hello"]
    told = failure.entries[-1].error.splitlines()
    assert told[0] == "LookupError: nobody knows alice"
    assert [line.partition(" at ")[0] for line in told[1:5]] == [
        " ",
        '      raise LookupError(f"nobody knows {name}")',
        "  in the step call(look_up, 'alice')",
        "  the last messages:",
    ]
    assert [ended.outcome for ended in failure.of(StepEnded)] == ["passed", "failed"]
    assert failure.of(Called) == []
    innermost = failure.error.__traceback__
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    assert innermost.tb_frame.f_code.co_name == "look_up"


def test_a_called_async_function_that_raises(fail: Callable[..., Any], patient: Any) -> None:
    async def look_up() -> None:
        await asyncio.sleep(0)
        raise LookupError("nobody knows")

    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [call(look_up)]

    fail(wrong, LookupError, verdict="error", peer=patient.address)


def test_a_called_function_that_would_end_the_process(fail: Callable[..., Any], patient: Any) -> None:
    @scenario
    def wrong(operator: Operator) -> list[Any]:
        return [call(exit, 3)]

    failure = fail(wrong, SystemExit, verdict="interrupted", peer=patient.address)

    assert failure.error.code == 3


def test_called_functions_may_be_of_any_kind(patient: Any) -> None:
    async def add(one: int, two: int = 0) -> int:
        await asyncio.sleep(0)
        return one + two

    class Adder:
        def __call__(self, *numbers: int) -> int:
            return sum(numbers)

    @scenario
    def right(operator: Operator) -> list[Any]:
        return [
            call(add, 1, two=2, save_as="three"),
            call(lambda number: number + 1, saved.three, save_as="four"),
            call(Adder(), saved.three, saved.four, save_as="seven"),
            call(lambda: add(3, 5), save_as="eight"),
            call(str.upper, "nine", save_as="nine"),
        ]

    run = play(right, stand=Stand("test", {"peer": patient.address}), runs=None)
    assert list(run.returned) == [3, 4, 7, 8, "NINE"]


def test_something_called_that_is_no_function() -> None:
    with pytest.raises(ScenarioError, match=r"call\(\) takes a function, not 5") as raised:
        call(5)  # type: ignore[arg-type]
    assert "without brackets" in str(raised.value)


# -- how it is played -------------------------------------------------------------------------------------------------


@scenario
async def idle() -> None:
    """Nothing happens."""


def test_play_inside_a_running_loop(tmp_path: Path) -> None:
    async def be_inside() -> None:
        play(idle, runs=tmp_path)

    with pytest.raises(ScenarioError, match=r"play\(\) cannot be used where an event loop runs") as raised:
        asyncio.run(be_inside())
    assert "await perform(…)" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", [a_function, an_async_function, Operator, None, "idle", 5, Operator.hello])
def test_something_played_that_is_no_scenario(what: Any, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is no scenario") as raised:
        asyncio.run(perform(what, runs=tmp_path))
    assert "@scenario" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_coroutine_played_instead_of_a_scenario(tmp_path: Path) -> None:
    """`play(idle())` is what one writes first."""
    coroutine = idle()
    try:
        with pytest.raises(ScenarioError, match="a coroutine of idle is no scenario") as raised:
            play(coroutine, runs=tmp_path)  # type: ignore[arg-type]
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED, "Python is not to complain on top of it"
    finally:
        coroutine.close()
    assert "without brackets" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"nmae": 5}, "idle has no parameter 'nmae'"),
        ({"stand": "moon"}, "there is no stand 'moon'"),
        ({"reports": ("film",)}, "there is no report 'film'"),
    ],
)
def test_an_option_that_is_none(options: dict[str, Any], told: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match=told) as raised:
        play(idle, runs=tmp_path / "runs", **options)
    assert raised.value.hint
    assert list(tmp_path.iterdir()) == [], "nothing is left behind of a run that never began"


def test_an_address_that_the_stand_does_not_have(fail: Callable[..., Any]) -> None:
    @scenario
    async def wrong(operator: Operator) -> None:
        raise AssertionError("it must not get so far")

    failure = fail(wrong, ScenarioError, verdict="error", stand=Stand("moon", {"crater": "ws://127.0.0.1:1"}))

    assert "the address '{peer}' needs 'peer', which the stand 'moon' does not have" in failure.text
    assert "its addresses are: crater" in failure.error.hint


def test_a_blocking_scenario_is_told_of(patient: Any, tmp_path: Path) -> None:
    @scenario
    async def block(operator: Operator) -> None:
        pending = operator.expect("welcome", within_s=0.01)
        time.sleep(0.1)  # noqa: ASYNC251 - the mistake
        with pytest.raises(AssertionError):
            await pending

    run = play(block, stand=Stand("test", {"peer": patient.address}), runs=tmp_path)
    notes = [entry.text for entry in read_journal(run.directory / "journal.jsonl") if isinstance(entry, Note)]
    assert ["the event loop was blocked for" in note for note in notes] == [True]

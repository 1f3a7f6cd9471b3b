"""Named rendezvous: branches that wait for each other's signals, signals that nobody gives, and deadlocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    DeadlinePassed,
    Json,
    Link,
    Message,
    Run,
    ScenarioError,
    Step,
    action,
    at,
    await_signal,
    call,
    on,
    saved,
    scenario,
    signal,
    together,
    wait,
)
from antiphon.journal import SignalGiven, WaitEnded, WaitStarted
from antiphon.report.text import last_lines
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Caller(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=5)

    @action
    async def tell(self, name: str, value: Any = None) -> None:
        await signal(name, value)

    @action
    async def learn(self, name: str, within_s: float | None = None) -> Any:
        return await await_signal(name, within_s=within_s)

    @action
    async def learn_then_tell(self, first: str, second: str) -> None:
        await await_signal(first)
        await signal(second)


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def given(run: Run) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.name, entry.value) for entry in run.journal if isinstance(entry, SignalGiven)]


def signal_waits(run: Run) -> list[tuple[str, str, str]]:
    """Who awaited a signal, how that ended, and with which error."""
    began = {entry.number: entry for entry in run.journal if isinstance(entry, WaitStarted) and not entry.channel}
    ended = [entry for entry in run.journal if isinstance(entry, WaitEnded) and entry.number in began]
    return [(began[entry.number].actor, entry.outcome, entry.error) for entry in ended]


def test_branches_of_a_list_meet_and_hand_over_a_value(play_with: Play) -> None:
    @scenario
    def meeting(alice: Caller, bob: Caller) -> list[Step[Any]]:
        return [
            call(lambda: {"id": 7}, save_as="offer"),
            together(
                [wait(2), signal("answered", saved.offer["id"])],
                [
                    await_signal("answered", save_as="answered"),
                    call(lambda given: given + 1, saved.answered, save_as="next"),
                ],
                bob.learn("answered"),
            ),
        ]

    run = play_with(meeting)
    assert run.returned["next"] == 8
    assert run.value[1] == [[None, None], [7, 8], 7]
    assert run.duration_s == pytest.approx(2, abs=0.01)
    assert given(run) == [("", "answered", "7")]
    assert sorted((actor, outcome) for actor, outcome, _ in signal_waits(run)) == [
        ("", "satisfied"),
        ("bob", "satisfied"),
    ]


def test_what_was_signalled_is_in_the_conversation(play_with: Play) -> None:
    @scenario
    def telling(alice: Caller, bob: Caller) -> list[Step[Any]]:
        password = {"password": "Sesame-open-1"}
        return [together([wait(2), alice.tell("answered", password)], bob.learn("answered")), at(2.5, wait(0))]

    seen: list[Any] = []
    play_with(telling, watch=seen.append)
    lines = [line.split(maxsplit=1)[1] for line in last_lines(seen, 30)[1:]]
    assert "alice        = the signal 'answered' is given: {'password': '***'}" in lines
    assert "bob          ✓ the signal 'answered' after 2.000 s" in lines
    assert "= begun 0.0 µs after its moment" in lines
    assert "Sesame-open-1" not in str(lines)


def test_a_signal_given_before_is_kept_for_all_who_come_later(play_with: Play) -> None:
    @scenario
    async def early(alice: Caller, bob: Caller) -> list[Any]:
        await alice.tell("ready", 1)
        await alice.tell("ready", 2)
        return [await bob.learn("ready"), await bob.learn("ready"), await await_signal("ready", times=2)]

    run = play_with(early)
    assert run.value == [2, 2, 2]
    assert given(run) == [("alice", "ready", "1"), ("alice", "ready", "2")]


def test_several_make_a_moment_together(play_with: Play) -> None:
    @scenario
    async def gathering(alice: Caller, bob: Caller) -> float:
        await together(
            [wait(1), signal("here")], [wait(3), signal("here")], [await_signal("here", times=2), signal("all here")]
        )
        return asyncio.get_running_loop().time()

    assert play_with(gathering).value == pytest.approx(3, abs=0.01)


def test_plain_async_branches_meet_too(play_with: Play) -> None:
    @scenario
    async def plain(alice: Caller, bob: Caller) -> list[Any]:
        return list(await asyncio.gather(bob.learn("go"), alice.tell("go", "now")))

    assert play_with(plain).value == ["now", None]


def test_a_signal_that_nobody_gives_is_named_with_its_line_and_with_what_was_given(play_with: Play) -> None:
    @scenario
    async def alone(alice: Caller, bob: Caller) -> None:
        await alice.tell("answred")
        await bob.learn("answered")

    with pytest.raises(DeadlinePassed) as failed:
        play_with(alone)
    text = str(failed.value)
    assert "bob waited 10.000 s for the signal 'answered', and nobody gave it" in text
    assert "given were: 'answred' by alice at tests/integration/test_signals.py:" in text
    assert "hint: is 'answred' meant?" in text
    assert f"at tests/integration/test_signals.py:{Caller.learn.__wrapped__.__code__.co_firstlineno + 2}" in text
    assert signal_waits(failed.value.run) == [("bob", "failed", "DeadlinePassed")]
    assert failed.value.run.verdict == "failed"


@pytest.mark.parametrize(("within_s", "expected_s"), [(0.25, 0.25), (None, 10)])
def test_the_deadline_is_its_own_or_ten_seconds(play_with: Play, within_s: float | None, expected_s: float) -> None:
    @scenario
    def alone(alice: Caller) -> list[Step[Any]]:
        return [await_signal("never", within_s=within_s)]

    with pytest.raises(DeadlinePassed, match="no signal was given at all") as failed:
        play_with(alone)
    assert failed.value.run.duration_s == pytest.approx(expected_s, abs=0.01)


def test_too_few_signals_are_told_with_their_number(play_with: Play) -> None:
    @scenario
    def few(alice: Caller) -> list[Step[Any]]:
        return [signal("here"), await_signal("here", times=3)]

    with pytest.raises(DeadlinePassed, match="the signal 'here', given 3 times, and it was given 1 times only"):
        play_with(few)


def test_a_cancelled_wait_is_told_as_such(play_with: Play) -> None:
    @scenario
    async def impatient(alice: Caller) -> str:
        try:
            async with asyncio.timeout(1):
                await await_signal("never")
        except TimeoutError:
            return "gone on"
        return ""

    run = play_with(impatient)
    assert run.value == "gone on"
    assert signal_waits(run) == [("", "cancelled", "")]


@pytest.mark.parametrize("wrong", ["", 5, None])
def test_a_signal_has_a_name(wrong: Any) -> None:
    with pytest.raises(ScenarioError, match="a signal is known by a name"):
        signal(wrong)
    with pytest.raises(ScenarioError, match="a signal is known by a name"):
        await_signal(wrong)


@pytest.mark.parametrize("options", [{"times": 0}, {"times": True}, {"within_s": -1}, {"within_s": "1"}])
def test_what_cannot_be_awaited_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=r"await_signal\(\) takes"):
        await_signal("x", **options)


# -- deadlocks --------------------------------------------------------------------------------------------------------


def require_deadlock(play_with: Play, case: Any) -> str:
    with pytest.raises(ScenarioError, match="a deadlock") as failed:
        play_with(case)
    return str(failed.value)


def test_two_actors_that_wait_for_each_other_are_named_with_their_lines(play_with: Play) -> None:
    @scenario
    async def crossed(alice: Caller, bob: Caller) -> None:
        await signal("begun")
        await together(alice.learn_then_tell("a", "b"), bob.learn_then_tell("b", "a"))

    text = require_deadlock(play_with, crossed)
    line = Caller.learn_then_tell.__wrapped__.__code__.co_firstlineno + 2
    assert "a deadlock: alice and bob wait for signals that only they could give" in text
    assert f"alice waits for the signal 'a', for 0 ms, at tests/integration/test_signals.py:{line}" in text
    assert f"bob waits for the signal 'b', for 0 ms, at tests/integration/test_signals.py:{line}" in text
    assert "given were: 'begun'" in text


def test_a_deadlock_is_found_when_the_last_that_could_help_has_ended(play_with: Play) -> None:
    @scenario
    def crossed(alice: Caller, bob: Caller) -> list[Step[Any]]:
        return [together([await_signal("a"), signal("b")], [await_signal("b"), signal("a")], wait(1))]

    assert "2 branches wait for signals" in require_deadlock(play_with, crossed)


@pytest.mark.parametrize("style", ["gather", "task group", "tasks"])
def test_a_deadlock_of_plain_async_branches(play_with: Play, style: str) -> None:
    @scenario
    async def crossed(alice: Caller, bob: Caller) -> None:
        async def one(awaits: str, gives: str) -> None:
            await await_signal(awaits)
            await signal(gives)

        if style == "gather":
            await asyncio.gather(one("a", "b"), one("b", "a"))
        elif style == "tasks":
            first, second = asyncio.ensure_future(one("a", "b")), asyncio.ensure_future(one("b", "a"))
            second.add_done_callback(asyncio.Task.exception)
            await first
            await second
        else:
            async with asyncio.TaskGroup() as group:
                group.create_task(one("a", "b"))
                group.create_task(one("b", "a"))

    require_deadlock(play_with, crossed)


@pytest.mark.parametrize("helper", ["task", "message", "later"])
def test_it_is_no_deadlock_while_anyone_could_give_a_signal(peer: Any, play_with: Play, helper: str) -> None:
    class Reacting(Caller):
        if helper == "message":

            @on("go")
            async def give(self, message: Message) -> None:
                await signal("a")

    @scenario
    async def helped(alice: Caller, bob: Reacting) -> None:
        async def help_them() -> None:
            await bob.until(lambda: False, within_s=5) if helper == "never" else await asyncio.sleep(3)
            await signal("a")

        if helper == "task":
            keep = asyncio.ensure_future(help_them())
        elif helper == "message":
            keep = alice.later(3, peer.say, "go")
        else:
            keep = asyncio.ensure_future(call(lambda: None))
            alice.later(0.1, lambda: asyncio.ensure_future(help_them()))
            await keep
            keep = asyncio.ensure_future(help_them())
        await together(alice.learn_then_tell("a", "b"), bob.learn_then_tell("b", "c"))
        assert keep is not None

    assert play_with(helped).verdict == "passed"

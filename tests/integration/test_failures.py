"""A failure among several branches: the others end cleanly, and are told as its consequences."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.conftest import Party

from antiphon import (
    Actor,
    ChannelClosed,
    CheckFailed,
    DeadlinePassed,
    HandlerFailed,
    Json,
    Link,
    Message,
    Run,
    ScenarioError,
    Step,
    action,
    await_signal,
    call,
    on,
    scenario,
    together,
    wait,
)
from antiphon.journal import Note, RunEnded, StepEnded, StepStarted
from antiphon.scenarios.outcome import text_of
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
FILE = "tests/integration/test_failures.py"


class Caller(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)

    @action
    async def hear(self, name: str, check: Any = None) -> None:
        await self.expect(name, check=check)

    @action
    async def hear_inside(self, name: str) -> None:
        await self.hear(name)

    @action
    async def hear_for(self, name: str, within_s: float) -> None:
        await self.expect(name, within_s=within_s)


HEARING = Caller.hear.__wrapped__.__code__.co_firstlineno + 2  # type: ignore[attr-defined]


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def failed(play_with: Play, case: Any, kind: type[Exception]) -> tuple[Any, list[str], Run]:
    """What it fails with, the notes of the journal about what came of that, and the run."""
    entries: list[Any] = []
    with pytest.raises(kind) as failure:
        play_with(case, watch=entries.append)
    notes = [entry.text for entry in entries if isinstance(entry, Note) and entry.text.startswith("this cancelled")]
    ended = entries[-1]
    assert isinstance(ended, RunEnded)
    for note in notes:
        assert note in failure.value.__notes__
        assert note in ended.error
    run = getattr(failure.value, "run", None)
    return failure.value, notes, run


def outcomes(run: Run) -> list[tuple[str, str]]:
    names = {entry.number: entry.action for entry in run.journal if isinstance(entry, StepStarted)}
    return [(names[entry.number], entry.outcome) for entry in run.journal if isinstance(entry, StepEnded)]


def test_what_was_cancelled_is_told_with_its_step_and_what_it_waited_for(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller, bob: Caller, carol: Caller) -> None:
        branch = [wait(0.5), await_signal("go")]
        await together(alice.hear_for("news", 1), bob.hear_inside("other"), branch, wait(60))

    error, notes, run = failed(play_with, case, DeadlinePassed)
    assert "alice.line waited 1.000 s for news" in str(error)
    line, inner = case.function.__code__.co_firstlineno + 2, f"{FILE}:{HEARING}"
    assert notes == [
        f"this cancelled {told}"
        for told in (
            f"bob: hear('other') at {FILE}:{HEARING + 4} after 1.000 s, waiting for other at {inner}",
            f"wait(60) at {FILE}:{line + 1} after 1.000 s",
            f"await_signal('go') at {FILE}:{line} after 500 ms, waiting for the signal 'go'",
        )
    ]
    told = outcomes(run)
    assert told[:2] == [("wait", "passed"), ("hear_for", "failed")]
    assert {"hear", "hear_inside", "await_signal", "wait"} == {name for name, how in told if how == "cancelled"}
    assert told[-1] == ("together", "failed")


@pytest.mark.parametrize("style", ["gather", "task group", "tasks"])
def test_plain_async_branches_end_like_those_of_together(play_with: Play, style: str) -> None:
    @scenario
    async def case(alice: Caller, bob: Caller) -> None:
        async def hear(actor: Caller, within_s: float) -> None:
            await actor.hear_for("news", within_s)

        if style == "gather":
            await asyncio.gather(hear(alice, 1), hear(bob, 5))
        elif style == "task group":
            async with asyncio.TaskGroup() as group:
                group.create_task(hear(bob, 5))
                group.create_task(hear(alice, 1))
        else:
            beside = asyncio.ensure_future(bob.hear_for("news", 5))
            await alice.hear_for("news", 1)
            await beside

    error, notes, run = failed(play_with, case, DeadlinePassed)
    assert "alice.line waited 1.000 s for news" in str(error)
    assert run.error is error
    [note] = notes
    assert note.startswith("this cancelled bob: hear_for('news', 5) at ")
    assert note.endswith(f"after 1.000 s, waiting for news at {FILE}:{HEARING + 8}")
    assert outcomes(run) == [("hear_for", "failed"), ("hear_for", "cancelled")]
    assert run.duration_s == pytest.approx(1, abs=0.1)


def test_the_cause_is_what_failed_first_also_if_the_groups_own_body_did(peer: Any, play_with: Play) -> None:
    peer.greeting = [("news", {"state": "bad"})]

    @scenario
    async def case(alice: Caller) -> None:
        async def clean_up() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await alice.hear_for("never", 0.5)

        async with asyncio.TaskGroup() as group:
            group.create_task(clean_up())
            await asyncio.sleep(0.1)
            await alice.hear("news", {"state": "good"})

    error, _, _ = failed(play_with, case, CheckFailed)
    assert any(note.startswith("and then alice.line waited 500 ms for never") for note in error.__notes__)


def test_a_failure_of_together_can_be_caught_as_what_it_is(peer: Any, play_with: Play) -> None:
    @scenario
    async def case(alice: Caller, bob: Caller) -> str:
        try:
            await together(alice.hear_for("news", 1), bob.hear("other"))
        except DeadlinePassed:
            await together(wait(1), wait(2))
            return "gone on"
        return ""

    run = play_with(case)
    assert run.value == "gone on"
    assert not [entry for entry in run.journal if isinstance(entry, Note)]


def test_what_was_cancelled_before_is_no_consequence(peer: Any, play_with: Play) -> None:
    @scenario
    async def case(alice: Caller, bob: Caller) -> None:
        for _ in range(2):
            with contextlib.suppress(DeadlinePassed):
                await together(alice.hear_for("news", 1), bob.hear("other"))
        await together(alice.hear_for("news", 2), wait(30))

    _, notes, _ = failed(play_with, case, DeadlinePassed)
    assert len(notes) == 1
    assert "wait(30)" in notes[0]


def test_a_failure_outside_of_steps_has_consequences_too(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        async def break_down() -> None:
            await asyncio.sleep(1)
            raise ValueError("broken")

        async with asyncio.TaskGroup() as group:
            group.create_task(break_down())
            await alice.hear("news")

    error, notes, _ = failed(play_with, case, ValueError)
    assert str(error) == "broken"
    assert len(notes) == 1
    assert "alice: hear('news')" in notes[0]


def test_a_failed_handler_says_what_it_ended(peer: Any, play_with: Play) -> None:
    class Broken(Caller):
        @on("news")
        def break_down(self, message: Message) -> None:
            raise ValueError("broken")

    async def say_news() -> None:
        asyncio.get_running_loop().call_later(1, peer.say, "news")

    @scenario
    def case(bob: Broken) -> list[Step[Any]]:
        return [together(bob.hear("other"), [call(say_news), wait(60)])]

    _, notes, _ = failed(play_with, case, HandlerFailed)
    assert [note.split(" at ")[0] for note in notes] == [
        "this cancelled bob: hear('other')",
        "this cancelled wait(60)",
    ]


def test_a_lost_connection_ends_the_others(peer: Any, play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        alice.later(1, peer.abort)
        await together(alice.hear("news"), wait(60))

    _, notes, run = failed(play_with, case, ChannelClosed)
    assert "wait(60)" in notes[0]
    assert run.duration_s == pytest.approx(1, abs=0.1)


def test_of_many_only_some_are_told(play_with: Play) -> None:
    @scenario
    def case(alice: Caller) -> list[Step[Any]]:
        return [together(alice.hear_for("news", 1), *[wait(60) for _ in range(20)])]

    _, notes, _ = failed(play_with, case, DeadlinePassed)
    assert len(notes) == 6
    assert notes[-1] == "this cancelled 15 more"


def test_secrets_of_what_was_cancelled_are_masked(play_with: Play) -> None:
    @scenario
    async def case(alice: Caller) -> None:
        await together(alice.hear_for("news", 1), wait(60), call(asyncio.sleep, 60, result={"password": "Sesame1"}))

    error, notes, _ = failed(play_with, case, DeadlinePassed)
    assert "Sesame1" not in str(notes) + str(error.__notes__)
    assert "***" in str(notes)


def test_secrets_in_a_difference_are_masked(peer: Any, play_with: Play) -> None:
    """Also where a long text is shown from the place on where it differs, which is in the middle of the secret."""
    secret = "".join(f"{number:03}" for number in range(100, 200))
    note = "the key of today is {} and the day after tomorrow it will be another one, as ever"
    peer.greeting = [("login", {"token": secret, "note": note.format(secret)})]
    wanted = {"token": "a" * 300, "note": note.format(secret[:150] + "changed" + secret[150:])}

    @scenario
    async def case(alice: Caller) -> None:
        await alice.hear("login", wanted)

    error, _, _ = failed(play_with, case, CheckFailed)
    text = str(error)
    assert "note differs from character 170 on" in text
    assert "is '***', wanted '" in text.replace("\n      is      ", " is ") or "***" in text
    assert not [part for part in (secret[at : at + 9] for at in range(0, 290, 3)) if part in text]


def test_nothing_is_left_running(play_with: Play) -> None:
    ended = []

    @scenario
    async def case(alice: Caller) -> None:
        async def beside() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                ended.append(asyncio.get_running_loop().time())

        keep = asyncio.ensure_future(beside())
        await asyncio.sleep(1)
        raise ScenarioError(f"enough of {keep.get_name()}")

    failed(play_with, case, ScenarioError)
    assert ended == [pytest.approx(1, abs=0.1)]


def test_what_a_failure_in_a_finally_hides_is_told(peer: Any, play_with: Play) -> None:
    @scenario
    async def tidying(party: Party) -> None:
        password = "hunter-22-sesame"
        try:
            await party.expect("offer", where={"password": password}, within_s=0.01)
        finally:
            await party.expect("goodbye", within_s=0.01)

    with pytest.raises(DeadlinePassed) as failed:
        play_with(tidying)
    told = text_of(failed.value).splitlines()
    assert "for goodbye" in told[0]
    place = next(n for n, line in enumerate(told) if line.startswith("  while this was handled: party.line waited"))
    assert "for offer where {password: '***'}, and it did not come" in told[place]
    assert told[place + 1].startswith("  at ")


def test_what_was_handled_and_is_over_is_not_told(peer: Any, play_with: Play) -> None:
    @scenario
    async def trying(party: Party) -> None:
        with contextlib.suppress(DeadlinePassed):
            await party.expect("offer", within_s=0.01)
        try:
            await party.expect("offer", within_s=0.01)
        except DeadlinePassed:
            raise RuntimeError("no offer") from None

    with pytest.raises(RuntimeError) as failed:
        play_with(trying)
    assert "handled" not in text_of(failed.value)


class Unsayable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Odd(Party):
    @on("odd")
    def judge(self, message: Any) -> None:
        raise Unsayable


@pytest.mark.parametrize("where", ["scenario", "handler", "predicate", "condition"])
def test_an_error_that_cannot_say_what_it_is_is_told_by_its_type(peer: Any, play_with: Play, where: str) -> None:
    def raising(*_: Any) -> bool:
        raise Unsayable

    @scenario
    async def failing(party: Odd) -> None:
        match where:
            case "scenario":
                raise Unsayable
            case "handler":
                await party.expect("never", within_s=0.01)
            case "predicate":
                await party.expect("state", raising, within_s=0.01)
            case _:
                await party.until(raising)

    peer.greeting = [("odd" if where == "handler" else "state", {})]
    with pytest.raises(Exception) as failed:
        play_with(failing)
    assert "Unsayable: <its text cannot be had: ValueError>" in text_of(failed.value)

"""Timers: between any two moments of a run, also of two actors, told in the record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Peer

from antiphon import Actor, Json, Link, Message, Run, ScenarioError, action, on, scenario, timer, together, wait
from antiphon.journal import TimerStopped
from antiphon.journal.file import read_journal
from antiphon.report.text import last_lines
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]
FILE = "tests/integration/test_timers.py"


class Chatter(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)

    @on("chat")
    def hear(self, message: Message) -> None:
        timer("delivery", key=message["id"]).stop()

    @action
    async def say(self, number: int) -> None:
        timer("delivery", key=number).start()
        self.send("say", id=number)

    @action
    async def rest(self, seconds: float) -> None:
        with timer("rest"):
            await asyncio.sleep(seconds)


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def stopped(run: Run) -> list[tuple[str, int]]:
    return [(entry.name, entry.took_ns // 1_000_000) for entry in run.journal if isinstance(entry, TimerStopped)]


def test_what_stands_in_it_is_timed(play_with: Play) -> None:
    @scenario
    async def case(alice: Chatter) -> None:
        async with timer("both"):
            await alice.rest(0.02)
            await alice.rest(0.03)

    run = play_with(case)
    assert stopped(run) == [("rest", 20), ("rest", 30), ("both", 50)]
    steps = [entry.step for entry in run.journal if isinstance(entry, TimerStopped)]
    assert steps == [1, 2, 0]


def test_from_one_actor_to_another_and_a_handler_may_stop_it(play_with: Play, peer: Peer) -> None:
    def relay(body: Any) -> None:
        asyncio.get_running_loop().call_later(body["id"] / 1e3, lambda: peer.say("chat", **body))

    peer.on_request["say"] = relay

    @scenario
    async def case(alice: Chatter, bob: Chatter) -> None:
        await together(alice.say(40), alice.say(15))
        await wait(1)

    assert stopped(play_with(case)) == [("delivery", 15), ("delivery", 40)]


def test_one_that_many_receive(play_with: Play) -> None:
    async def receive(after_s: float) -> tuple[float, float | None]:
        await asyncio.sleep(after_s)
        return timer("delivery").reach(), timer("all").last(of=3)

    @scenario
    async def case(alice: Chatter) -> Any:
        for name in ("delivery", "all"):
            timer(name).start()
        told = await asyncio.gather(*map(receive, (0.03, 0.01, 0.02)))
        timer("delivery").start()
        return told

    run = play_with(case)
    assert stopped(run) == [("delivery", 10), ("delivery", 20), ("delivery", 30), ("all", 30)]
    assert run.value == [(0.03, 0.03), (0.01, None), (0.02, None)]


def test_what_did_not_come_to_its_end_is_not_told(play_with: Play) -> None:
    @scenario
    async def case(alice: Chatter) -> None:
        with pytest.raises(ValueError, match="odd"), timer("rest"):
            raise ValueError("odd")
        repeated = timer("again")
        for _ in range(2):
            with repeated:
                await asyncio.sleep(0.001)

    assert stopped(play_with(case)) == [("again", 1), ("again", 1)]


def test_it_is_in_the_text_and_in_the_written_journal(play_with: Play, tmp_path: Path) -> None:
    @scenario
    async def case(alice: Chatter) -> None:
        await alice.rest(0.02)
        with timer("long"):
            await asyncio.sleep(2)

    run = play_with(case, directory=tmp_path, reports=("trace",))
    text = "\n".join(last_lines(run.journal))
    assert "= the timer 'rest' took 20.0 ms" in text
    assert "= the timer 'long' took 2.000 s" in text
    written = [entry for entry in read_journal(tmp_path / "journal.jsonl") if isinstance(entry, TimerStopped)]
    assert [(entry.name, entry.step) for entry in written] == [("rest", 1), ("long", 0)]


def wrong(play_with: Play, do: Callable[[], object]) -> list[str]:
    @scenario
    async def case(alice: Chatter) -> None:
        timer("runs").start()
        timer("keyed", key=7).start()
        do()

    with pytest.raises(ScenarioError) as failed:
        play_with(case)
    lines = str(failed.value).splitlines()
    assert any(line.startswith(f"  at {FILE}:") for line in lines[1:]), lines
    return lines


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (lambda: timer("delivery").stop(), "the timer 'delivery' does not run: it was not started, or is over"),
        (lambda: timer("delivery").reach(), "the timer 'delivery' does not run: it was not started, or is over"),
        (lambda: timer("delivery").last(of=2), "the timer 'delivery' does not run: it was not started, or is over"),
        (lambda: timer("keyed").stop(), "the timer 'keyed' does not run: it was not started, or is over"),
        (lambda: timer("runs").start(), "the timer 'runs' was started at "),
        (lambda: timer("runs").last(of=0), "<Timer 'runs'>: last() takes of= from 1 on, not 0"),
        (lambda: timer(""), "a timer is known by a name, not by ''"),
        (lambda: timer(7), "a timer is known by a name, not by 7"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be(play_with: Play, do: Callable[[], object], told: str) -> None:
    assert wrong(play_with, do)[0].startswith(told)


def test_what_runs_for_other_keys_is_told(play_with: Play) -> None:
    assert "  hint: it runs for the keys [7]" in wrong(play_with, lambda: timer("keyed").stop())


def test_one_context_at_a_time(play_with: Play) -> None:
    def twice() -> None:
        one = timer("one")
        with one, one:
            pass

    assert wrong(play_with, twice)[0] == "<Timer 'one'> is in a with already"


def test_outside_of_a_scenario_there_is_none() -> None:
    with pytest.raises(ScenarioError, match="is used outside of a scenario") as failed:
        timer("delivery", key=1).start()
    assert FILE in str(failed.value)

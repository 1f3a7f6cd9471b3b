"""Time, to the nanosecond: deadlines, waits and lateness on a loop whose time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import DeadlinePassed, ExpectationFailed, Message, Run, on, scenario, wait
from antiphon.journal import Note, WaitEnded
from antiphon.testing import VirtualTimeLoop

Play = Callable[..., Run]


@pytest.fixture
def run_loop() -> Callable[..., Any]:
    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(coroutine)

    return run


def test_a_deadline_passes_at_its_moment(peer: Any, play_with: Play, party: Any) -> None:
    @scenario
    async def waiting(someone: party) -> list[float]:
        ended = []

        async def one(within_s: float) -> None:
            with pytest.raises(DeadlinePassed):
                await someone.expect("never", within_s=within_s)
            ended.append(asyncio.get_running_loop().time())

        begun = asyncio.get_running_loop().time()
        await asyncio.gather(*(one(within_s) for within_s in (5, 0.5, 60, 0.5004)))
        return [round(moment - begun, 3) for moment in ended]

    # Deadlines less than a millisecond apart may pass together.
    assert play_with(waiting).value == [0.5, 0.501, 5, 60]


def test_lateness_is_told_exactly(peer: Any, play_with: Play, party: Any) -> None:
    @scenario
    async def waiting(someone: party) -> None:
        someone.later(5.312, lambda: peer.say("news"))
        await someone.expect("news", within_s=5)

    with pytest.raises(DeadlinePassed, match=r"waited 5\.000 s for news(.|\n)*it came 312 ms too late") as failed:
        play_with(waiting, linger_s=1)
    notes = [entry.text for entry in failed.value.run.journal if isinstance(entry, Note)]
    assert notes == ["news came 312 ms too late"]


def test_a_run_does_not_listen_on_for_longer_than_it_is_told(peer: Any, play_with: Play, party: Any) -> None:
    @scenario
    async def waiting(someone: party) -> None:
        await someone.expect("news", within_s=5)

    with pytest.raises(DeadlinePassed) as failed:
        play_with(waiting, linger_s=1)
    assert failed.value.run.duration_s == pytest.approx(6, abs=0.05)


def test_a_minute_of_waiting_answers_every_heartbeat(peer: Any, play_with: Play, party: Any) -> None:
    class Patient(party):  # type: ignore[misc]
        @on("ping")
        def reply(self, ping: Message) -> None:
            self.send("pong", seq=ping["seq"])

    @scenario
    async def resting(patient: Patient) -> None:
        for number in range(12):
            patient.later(5.0 * number, lambda number=number: peer.say("ping", seq=number))
        await wait(60)

    run = play_with(resting)
    assert peer.heard == [("pong", {"seq": number}) for number in range(12)]
    assert run.duration_s == pytest.approx(60, abs=0.01)


def test_waits_are_told_with_how_they_ended(peer: Any, play_with: Play, party: Any) -> None:
    @scenario
    async def mixed(someone: party) -> None:
        peer.say("news")
        await someone.expect("news")
        someone.expect("other").cancel()
        await someone.expect_none("alarm", within_s=2)
        with pytest.raises(ExpectationFailed):
            await someone.expect("never", within_s=3)

    run = play_with(mixed)
    ended = [(entry.outcome, entry.error) for entry in run.journal if isinstance(entry, WaitEnded)]
    assert ended[:4] == [("satisfied", ""), ("cancelled", ""), ("satisfied", ""), ("failed", "DeadlinePassed")]


def test_a_step_that_blocks_the_loop_costs_nobody_a_message(peer: Any, play_with: Play, party: Any) -> None:
    """The message is there before the deadline; only reading it is late. It counts."""

    @scenario
    async def blocked(someone: party) -> str:
        waiting = someone.expect("news", within_s=1)
        asyncio.get_running_loop()._virtual_ns += 2_000_000_000  # type: ignore[attr-defined]
        peer.say("news")
        return (await waiting).name

    run = play_with(blocked)
    assert run.value == "news"
    assert any(
        "the event loop was blocked for 1.000 s" in entry.text for entry in run.journal if isinstance(entry, Note)
    )

"""A message that satisfies a wait resumes its step in the same turn of the loop in which it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from antiphon import Actor, ExpectationFailed, Json, Link, Run, first_of, on, scenario

Play = Callable[..., Run]
COLOUR: ContextVar[str] = ContextVar("colour", default="none")


class Turns:
    """Counts the turns of the running loop."""

    def __init__(self) -> None:
        self.now = 0
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self.now += 1
        self._handle = self._loop.call_soon(self._turn)

    def stop(self) -> None:
        self._handle.cancel()


class Listener(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data", reply="result{Name}"))
    turns: Turns | None = None
    read_at = -1

    @on("news")
    def note_turn(self, message: Any) -> None:
        if self.turns is not None:
            self.read_at = self.turns.now

    @on("resultAsk")
    def note_reply(self, message: Any) -> None:
        self.note_turn(message)


def test_an_expectation_resumes_in_the_turn_of_the_read(peer: Any, play_with: Play) -> None:
    @scenario
    async def listening(party: Listener) -> int:
        party.turns = Turns()
        peer.say("news")
        await party.expect("news")
        resumed_at = party.turns.now
        party.turns.stop()
        assert party.read_at > 0
        return resumed_at - party.read_at

    assert play_with(listening).value == 0


def test_an_answer_resumes_in_the_turn_of_the_read(peer: Any, play_with: Play) -> None:
    peer.on_request["ask"] = lambda _: peer.say("resultAsk")

    @scenario
    async def asking(party: Listener) -> int:
        party.turns = Turns()
        await party.ask("ask")
        party.turns.stop()
        return party.turns.now - party.read_at

    assert play_with(asking).value == 0


def test_a_chain_of_two_in_one_read_is_followed_in_that_turn(peer: Any, play_with: Play) -> None:
    @scenario
    async def chain(party: Listener) -> list[int]:
        party.turns = Turns()
        peer.say("news", n=1)
        peer.say("news", n=2)
        first = await party.expect("news")
        turn = party.turns.now
        second = await party.expect("news")
        party.turns.stop()
        assert (first["n"], second["n"]) == (1, 2)
        return [turn, party.turns.now]

    first, second = play_with(chain).value
    assert first == second


def test_what_is_given_back_inside_a_task_wakes_another(peer: Any, play_with: Play) -> None:
    """Giving a message back settles another wait inside a task's own step, where no other task may step."""

    @scenario
    async def handing_over(party: Listener) -> Any:
        peer.say("first")
        peer.say("news", n=1)
        await party.expect("news", since=0)
        peer.say("news", n=2)
        await party.until(lambda: party.channel.mailbox.received == 3)
        first, held = party.expect("first"), party.expect("news")
        other = asyncio.ensure_future(party.expect("news"))
        winner = await first_of(first, held)
        return winner.name, (await other)["n"]

    assert play_with(handing_over).value == ("first", 2)


def test_cancelling_between_the_message_and_its_being_seen_loses_nothing(peer: Any, play_with: Play) -> None:
    """The one moment in which a message is neither in the mailbox nor seen: its waiter is woken, and has not run."""

    @scenario
    async def race(party: Listener) -> int:
        peer.say("first")
        peer.say("news", n=3)
        await party.until(lambda: party.channel.mailbox.received == 2)
        first, held = party.expect("first"), party.expect("news")

        async def hear() -> None:
            await party.expect("news")

        other = asyncio.create_task(hear())
        await asyncio.sleep(0)
        await first_of(first, held)
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        return int((await party.expect("news"))["n"])

    assert play_with(race).value == 3


def test_a_step_keeps_its_context_variables(peer: Any, play_with: Play) -> None:
    @scenario
    async def coloured(party: Listener) -> str:
        async def wait_in(colour: str) -> str:
            COLOUR.set(colour)
            await party.expect("news", {"colour": colour})
            return COLOUR.get()

        tasks = [asyncio.create_task(wait_in("red")), asyncio.create_task(wait_in("blue"))]
        await asyncio.sleep(0)
        peer.say("news", colour="blue")
        peer.say("news", colour="red")
        return ",".join(await asyncio.gather(*tasks))

    assert play_with(coloured).value == "red,blue"


def test_asyncio_timeout_ends_a_wait_and_gives_nothing_away(peer: Any, play_with: Play) -> None:
    @scenario
    async def impatient(party: Listener) -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await party.expect("news")
        peer.say("news", n=1)
        return int((await party.expect("news"))["n"])

    assert play_with(impatient).value == 1


def test_wait_for_gather_and_task_groups_take_waits(peer: Any, play_with: Play) -> None:
    @scenario
    async def mixed(party: Listener) -> list[int]:
        found: list[int] = []

        async def one() -> None:
            found.append((await party.expect("news"))["n"])

        for number in range(4):
            peer.say("news", n=number)
        found.append((await asyncio.wait_for(party.expect("news"), 1))["n"])
        found += [message["n"] for message in await asyncio.gather(party.expect("news"), party.expect("news"))]
        async with asyncio.TaskGroup() as group:
            group.create_task(one())
        return found

    assert play_with(mixed).value == [0, 1, 2, 3]


def test_a_cancelled_task_gives_back_what_it_had_not_seen(peer: Any, play_with: Play) -> None:
    @scenario
    async def cancelled(party: Listener) -> int:
        async def hear() -> None:
            await party.expect("news")

        task = asyncio.create_task(hear())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        peer.say("news", n=7)
        return int((await party.expect("news"))["n"])

    assert play_with(cancelled).value == 7


def test_a_failed_wait_raises_where_it_is_awaited_every_time(peer: Any, play_with: Play) -> None:
    @scenario
    async def twice(party: Listener) -> int:
        wait = party.expect("never", within_s=0.001)
        failures = 0
        for _ in range(2):
            try:
                await wait
            except ExpectationFailed:
                failures += 1
        return failures

    assert play_with(twice).value == 2


def test_whoever_iterates_an_exchange_may_be_cancelled(peer: Any, play_with: Play) -> None:
    """As whoever awaits it: it is given up, and fails nobody later; a reply that comes all the same is a message."""

    @scenario
    async def impatient(party: Listener) -> int:
        async def iterate() -> int:
            return len([reply async for reply in party.ask("list", within_s=0.02)])

        iterating = asyncio.create_task(iterate())
        await asyncio.sleep(0)
        iterating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await iterating
        peer.say("resultList", n=3)
        await asyncio.sleep(0.03)  # the deadline passes: nobody waits any more
        return int((await party.expect("resultList"))["n"])

    assert play_with(impatient).value == 3


def test_callbacks_of_an_exchange_wait_for_its_end(peer: Any, play_with: Play) -> None:
    @scenario
    async def told(party: Listener) -> list[str]:
        calls: list[str] = []
        exchange = party.ask("list")
        exchange.add_done_callback(lambda done: calls.append("kept" if done is exchange else "other"))
        exchange.add_done_callback(calls.append)
        assert exchange.remove_done_callback(calls.append) == 1
        peer.say("resultList", n=3)
        await exchange
        await asyncio.sleep(0)
        return calls

    assert play_with(told).value == ["kept"]


def test_several_waits_that_were_given_up_stay_so(peer: Any, play_with: Play) -> None:
    @scenario
    async def impatient(party: Listener) -> int:
        either = first_of(party.expect("news"), party.expect("state"))

        async def wait_for_it() -> None:
            await either

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wait_for_it(), 0.001)
        with pytest.raises(asyncio.CancelledError):
            await wait_for_it()
        peer.say("news", n=4)
        return int((await party.expect("news"))["n"])

    assert play_with(impatient).value == 4


def test_a_wait_tells_what_became_of_it_as_a_future_does(peer: Any, play_with: Play) -> None:
    @scenario
    async def asked(party: Listener) -> list[Any]:
        failing, coming, given_up = party.expect("never", within_s=0.001), party.expect("news"), party.expect("x")
        with pytest.raises(asyncio.InvalidStateError):
            coming.exception()
        peer.say("news", n=1)
        given_up.cancel()
        with pytest.raises(ExpectationFailed):
            await failing
        with pytest.raises(asyncio.CancelledError):
            given_up.exception()
        assert coming.done()
        assert given_up.cancelled()
        return [type(failing.exception()).__name__, coming.exception(), (await coming)["n"]]

    assert play_with(asked).value == ["DeadlinePassed", None, 1]

"""A side that says no more, and still hears: the end of one direction of a connection."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from antiphon import (
    ANY,
    DEFERRED,
    Accepted,
    Actor,
    ChannelClosed,
    JsonRpc,
    Link,
    Message,
    ScenarioError,
    Server,
    Stand,
    Text,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.framing import Lines
from antiphon.journal import Aside
from antiphon.report.text import last_lines
from antiphon.transport.memory import MemoryNetwork


class Counter(Actor):
    """Says how many lines came, once there are no more of them."""

    line = Accepted(dialect=Text(), framing=Lines(), allow_half_open=True)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @on("text")
    def add(self, _line: Any) -> None:
        self.count += 1

    @on.finished
    def tell(self) -> None:
        self.send("text", f"total {self.count}")
        self.close()


class Farewell(Counter):
    """Says no more itself, at once."""

    @on.opened
    def go(self) -> None:
        self.send("text", "only this")
        self.finish()

    @on.finished
    def tell(self) -> None:
        """Both have finished: the connection is about to end."""


class Guest(Actor):
    line = Link("{peer}", dialect=Text(), framing=Lines(), within_s=10, allow_half_open=True)


def play(chosen: Any, server: type[Actor] = Counter, address: str = "tcp://127.0.0.1:0") -> Any:
    """Perform it against a server of that class; gives the run."""

    async def run() -> Any:
        network = MemoryNetwork()
        options: Any = {"listener": network} if address.startswith("memory") else {}
        listening: Server = await listen(address, lambda opening: server(), **options)
        async with listening:
            stand = Stand("t", {"peer": listening.address}, transports={"memory": network})
            run = await perform(chosen, stand=stand, runs=None)
        assert not listening.failures
        return run

    return asyncio.run(run())


@scenario
async def count(guest: Guest) -> Any:
    for _ in range(3):
        guest.send("text", "line")
    guest.finish()
    total = await guest.expect()
    ending = await guest.expect_close()
    return total.body, ending.by, ending.is_clean


EVERYWHERE = pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "memory://peer"])


@EVERYWHERE
def test_what_is_answered_to_the_end_of_what_is_said_is_heard(address: str) -> None:
    run = play(count, address=address)
    assert run.value == ("total 3", "peer", True)
    (finished,) = (entry for entry in run.journal if isinstance(entry, Aside))
    assert (finished.actor, finished.channel, finished.name, finished.is_sent) == ("guest", "line", "finished", True)
    assert any("· we have finished" in line for line in last_lines(run.journal))


@scenario
async def outlive(guest: Guest) -> Any:
    await guest.expect_finish()
    last = await guest.expect()  # said before the end: it counts
    with pytest.raises(ChannelClosed, match="the server has finished: it says no more"):
        await guest.expect()
    assert guest.line.is_open
    assert guest.line.ending is None
    guest.send("text", "still said")
    ending = await guest.close()
    return last.body, ending.by, ending.is_clean


@EVERYWHERE
def test_a_peer_that_has_finished_ends_what_waits_for_it_and_still_hears(address: str) -> None:
    assert play(outlive, Farewell, address).value == ("only this", "us", True)


@scenario
async def wait_through_it(guest: Guest) -> Any:
    ending = guest.expect_close()
    with pytest.raises(ChannelClosed, match="the server has finished"):
        await guest.expect("nobody says this")
    assert not ending.done()
    guest.finish()
    return (await ending).is_clean


@EVERYWHERE
def test_a_pending_wait_ends_when_the_peer_finishes_and_one_for_the_close_when_both_have(address: str) -> None:
    assert play(wait_through_it, Farewell, address).value is True


@scenario
async def say_more(guest: Guest) -> None:
    guest.finish()
    guest.send("text", "more")


@EVERYWHERE
def test_saying_more_after_the_end_is_the_authors_fault(address: str) -> None:
    with pytest.raises(ScenarioError, match=r"text cannot be said: guest\.line has finished"):
        play(say_more, address=address)


class Silent(Actor):
    """Hears what is asked, and says nothing any more."""

    line = Accepted(dialect=JsonRpc(), framing=Lines(), allow_half_open=True)
    heard: ClassVar[list[Any]] = []

    @on.opened
    def go(self) -> None:
        self.finish()

    @on(ANY)
    def hear(self, message: Message) -> Any:
        self.heard.append(message.name)
        return DEFERRED


class Asking(Actor):
    line = Link("{peer}", dialect=JsonRpc(), framing=Lines(), within_s=60, allow_half_open=True)

    @on.finished
    def ask_at_once(self) -> None:
        self.asked = self.ask("first")


@scenario
async def ask_in_vain(asking: Asking) -> None:
    await asking.expect_finish()
    with pytest.raises(ChannelClosed, match="the server has finished"):
        await asking.asked
    with pytest.raises(ChannelClosed, match="waited for the reply to second, but the server has finished"):
        await asking.ask("second")
    assert asking.line.mailbox.pending == []
    ending = asking.expect_close()
    asking.finish()
    assert (await ending).is_clean


@EVERYWHERE
def test_what_is_asked_of_a_peer_that_says_no_more_is_said_and_fails_at_once(address: str) -> None:
    Silent.heard.clear()
    play(ask_in_vain, Silent, address)
    assert Silent.heard == ["first", "second"]


class Plain(Actor):
    line = Link("{peer}", dialect=Text(), framing=Lines(), within_s=10)


@scenario
async def leave(plain: Plain) -> Any:
    await plain.expect_finish()
    return (await plain.expect_close()).by


@EVERYWHERE
def test_without_allow_half_open_the_end_of_one_direction_is_the_peers_goodbye(address: str) -> None:
    assert play(leave, Farewell, address).value == "peer"


@scenario
async def come_again(guest: Guest) -> Any:
    guest.finish()
    await guest.expect_close()
    await guest.line.open()
    guest.send("text", "line")
    guest.finish()
    return [(await guest.expect()).body for _ in range(2)]


@EVERYWHERE
def test_the_next_connection_speaks_again(address: str) -> None:
    assert play(come_again, address=address).value == ["total 0", "total 1"]


@scenario
async def say_data(guest: Guest) -> None:
    guest.finish()
    guest.line.send_data("more\n")


@scenario
async def say_together(guest: Guest) -> None:
    guest.finish()
    with guest.line.batch():
        guest.send("text", "more")


@pytest.mark.parametrize("chosen", [say_data, say_together])
def test_so_is_data_and_a_batch(chosen: Any) -> None:
    with pytest.raises(ScenarioError, match=r"cannot be said: guest\.line has finished"):
        play(chosen, address="memory://peer")


class Desk(Actor):
    desk = Accepted(dialect=Text())


@scenario
async def finish_a_websocket(guest: Guest) -> None:
    guest.finish()


def test_a_wire_whose_directions_end_together_says_so() -> None:
    with pytest.raises(ScenarioError, match=r"guest\.line cannot finish: .* end together") as failed:
        play(finish_a_websocket, Desk, "ws://127.0.0.1:0")
    assert failed.value.hint == "close() ends both"

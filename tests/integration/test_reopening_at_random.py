"""A channel whose connections break at any moment: no wait is lost, and none gets what is not its own."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.conftest import Peer
from town import Town, entries, performed

from antiphon import Actor, Backoff, ChannelClosed, DeadlinePassed, Json, Link, Message, Opening, scenario
from antiphon.conversation.message import Data
from antiphon.journal import ChannelEnded, ChannelOpened, ChannelReopened
from antiphon.transport.interface import Connection, Receiver


class Seat:
    """One connection of the peer, which answers `call` a while later, if it is still there."""

    def __init__(self, peer: TalkingPeer, number: int) -> None:
        self.peer = peer
        self.number = number
        self.connection: Connection | None = None
        self.answers: deque[str] = deque()

    def on_opened(self, connection: Connection) -> None:
        self.connection = self.peer.connection = connection

    def on_data(self, data: Data) -> None:
        token = msgspec.json.decode(data)["data"]["token"]
        answer = {"action": "resultCall", "data": {"token": token, "connection": self.number}}
        self.answers.append(msgspec.json.encode(answer).decode())
        asyncio.get_running_loop().call_later(0.3, self.answer)

    def answer(self) -> None:
        answer = self.answers.popleft()  # timers that are due together do not fire in the order in which they were set
        if self.connection is not None:
            self.connection.send(answer)

    def on_ended(self, _ending: Any) -> None:
        if self.peer.connection is self.connection:
            self.peer.connection = None
        self.connection = None


class TalkingPeer(Peer):
    """Has a seat for each connection."""

    def accept(self, opening: Opening) -> Receiver:
        self.openings.append(opening)
        return Seat(self, len(self.openings))


class Caller(Actor):
    line = Link(
        "{peer}",
        dialect=Json(name="action", body="data", reply="result{Name}"),
        reopens=Backoff(first_s=0.2, factor=1, attempts=None, jitter=0.5),
    )


KINDS = st.sampled_from(["expect", "expect", "ask", "say", "say", "break", "goodbye", "away", "back"])
MOMENTS = st.integers(0, 4)
"""In tenths of a second, so that things happen at the same moment, too."""


class Script:
    """What happens, in order; and what came of it."""

    def __init__(self, one: Caller, town: Town) -> None:
        self.one = one
        self.town = town
        self.waits: list[Any] = []
        self.asked: list[tuple[int, Any, int]] = []
        self.kept: list[Message] = []

    async def act(self, kind: str, number: int) -> None:
        peer = self.town.peer
        match kind:
            case "expect":
                self.waits.append(self.one.expect(f"m{number}", within_s=2))
            case "ask" if self.one.line.is_open and self.one.line.mailbox.gap is None:
                token = len(self.asked)
                self.asked.append((token, self.one.ask("call", token=token, within_s=100), len(peer.openings)))
            case "say" if peer.connection is not None:
                peer.say(f"m{number}")
            case "break" if peer.connection is not None:
                peer.abort()
            case "goodbye" if peer.connection is not None:
                peer.close(1012)
            case "away":
                await self.town.close()
            case "back":
                await self.town.open_if_away()


@given(acts=st.lists(st.tuples(KINDS, st.integers(0, 1), MOMENTS), max_size=30))
def test_no_wait_is_lost_and_none_is_given_what_is_not_its_own(acts: list[tuple[str, int, int]]) -> None:
    peer = TalkingPeer()
    town = Town(peer)
    scripts: list[Script] = []

    @scenario
    async def happen(one: Caller) -> None:
        script = Script(one, town)
        scripts.append(script)
        for kind, number, tenths in acts:
            await script.act(kind, number)
            await asyncio.sleep(tenths / 10)
        await asyncio.gather(*map(settled, script.waits))
        await town.open_if_away()
        await one.line.reopened(within_s=100)
        await asyncio.gather(*(settled(exchange) for _, exchange, _ in script.asked))
        script.kept = one.line.drain()

    run = performed(peer, happen, town)
    (script,) = scripts
    check_waits(script)
    for token, exchange, connection in script.asked:
        error = exchange.exception()
        if error is None:
            assert exchange.result().body == {"token": token, "connection": connection}
        else:
            assert isinstance(error, ChannelClosed)
    told = entries(run, ChannelOpened, ChannelEnded)
    assert [type(entry) for entry in told] == [ChannelOpened, ChannelEnded] * (len(told) // 2)
    assert len(entries(run, ChannelReopened)) <= len(peer.openings) - 1


def check_waits(script: Script) -> None:
    taken: Counter[int] = Counter()
    for wait in script.waits:
        error = wait.exception()
        if error is None:
            message = wait.result()
            taken[message.number] += 1
            assert message.at_ns <= wait.deadline_ns
        else:
            assert isinstance(error, DeadlinePassed)
            assert wait.settled_ns == wait.deadline_ns
            assert not [each for each in script.kept if each.name == wait.name and each.at_ns < wait.deadline_ns]
    assert all(times == 1 for times in taken.values())


async def settled(wait: Any) -> None:
    try:
        await wait
    except (ChannelClosed, DeadlinePassed):
        return

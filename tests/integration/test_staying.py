"""A run that stays when all is done: connected, with its handlers, until it is let go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon import Actor, Json, Link, Run, Stand, on, scenario
from antiphon.errors import ScenarioError
from antiphon.journal import Journal
from antiphon.scenarios.runner import performed
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork


class Desk(Actor, user=False):
    line = Link("{peer}", dialect=Json(name="action", body="data"))

    @on("ping")
    def reply(self, ping: Any) -> None:
        self.send("pong", seq=ping["seq"])


@scenario
async def plain(desk: Desk) -> None:
    desk.send("hello")


@scenario
async def failing(desk: Desk) -> None:
    raise ScenarioError("it went wrong")


class Stay:
    """Has the peer say a ping, and lets go after `stays_s`."""

    def __init__(self, peer: Any, stays_s: float = 60.0) -> None:
        self.has_begun = asyncio.Event()
        self._peer = peer
        self._stays_s = stays_s

    async def __call__(self) -> None:
        self.has_begun.set()
        self._peer.say("ping", seq=7)
        await asyncio.sleep(self._stays_s)


async def stayed(peer: Any, conversation: Any, stay: Stay) -> Run:
    network = MemoryNetwork()
    listening = await network.listen("memory://peer", peer.accept)
    stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
    try:
        return await performed(conversation, {}, stand, Journal(), stay=stay)
    finally:
        await listening.close()


def perform(awaited: Any) -> Any:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(awaited)


@pytest.mark.parametrize("conversation", [plain, failing])
def test_handlers_answer_while_it_stays(peer: Any, conversation: Any) -> None:
    run = perform(stayed(peer, conversation, Stay(peer)))
    assert peer.heard[-1] == ("pong", {"seq": 7})
    assert (run.error is None) == (conversation is plain)
    assert run.duration_s >= 60


def test_one_that_is_cancelled_while_it_stays_parts_all_the_same(peer: Any) -> None:
    async def cancel() -> None:
        stay = Stay(peer, stays_s=1e6)
        task = asyncio.create_task(stayed(peer, plain, stay))
        await stay.has_begun.wait()
        task.cancel()
        assert isinstance((await task).error, asyncio.CancelledError)

    perform(cancel())
    assert [ending.code for ending in peer.endings] == [1000]

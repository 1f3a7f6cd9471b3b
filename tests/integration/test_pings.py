"""Pings as actors meet them: a sign of life by hand, a peer that is found dead, pongs that are withheld."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    ChannelClosed,
    DeadlinePassed,
    Link,
    Message,
    Run,
    Scenario,
    ScenarioError,
    Stand,
    Text,
    WebSocket,
    listen,
    perform,
    scenario,
)
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.transport.interface import Connection
from antiphon.transport.memory import MemoryNetwork


class Guest(Actor):
    line = Accepted(dialect=Text())


class Party(Actor):
    line = WebSocket("{server}", dialect=Text(), within_s=5, shows_pings=True)


class Watchful(Actor):
    line = WebSocket("{server}", dialect=Text(), within_s=5, ping_every_s=0.01, ping_within_s=0.03)


class Mute(Actor):
    line = WebSocket("{server}", dialect=Text(), within_s=5, answers_pings=False)


def play_against(played: Scenario, **options: Any) -> Run:
    """Performs it against a listener with these options."""

    async def scene() -> Run:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Guest(), **options) as server:
            return await perform(played, stand=Stand("here", {"server": server.address}), runs=None)

    return asyncio.run(scene())


def test_a_ping_gives_the_round_trip_and_is_in_the_journal_when_asked_for() -> None:
    @scenario(strict=True)
    async def ping(party: Party) -> float:
        return await party.line.ping()

    run = play_against(ping)
    assert 0 <= run.value < 5
    told = [(entry.name, entry.is_sent) for entry in run.journal if isinstance(entry, Message) and entry.is_protocol]
    assert told == [("ping", True), ("pong", False)]


def test_a_pong_that_does_not_come_in_time() -> None:
    @scenario
    async def ping(party: Party) -> None:
        await party.line.ping(within_s=0.02)

    with pytest.raises(DeadlinePassed, match=r"party.line: no pong came within 0.02 s") as caught:
        play_against(ping, answers_pings=False)
    assert "half-open" in (caught.value.hint or "")


def test_a_close_ends_a_ping() -> None:
    @scenario
    async def ping(party: Party) -> None:
        waiting = asyncio.ensure_future(party.line.ping())
        await asyncio.sleep(0)
        await party.line.close()
        await waiting

    with pytest.raises(ChannelClosed, match="closed before a pong came: we closed the connection"):
        play_against(ping, answers_pings=False)


def test_a_wire_without_pings() -> None:
    class Silent:
        def on_opened(self, connection: Connection) -> None: ...
        def on_data(self, data: Data) -> None: ...
        def on_ended(self, ending: Ending) -> None: ...

    class Remembering(Actor):
        line = Link("memory://there", dialect=Text())

    @scenario
    async def ping(party: Remembering) -> None:
        await party.line.ping()

    async def scene() -> None:
        network = MemoryNetwork()
        await network.listen("memory://there", lambda _opening: Silent())
        await perform(ping, stand=Stand("here", {}, transports={"memory": network}), runs=None)

    with pytest.raises(ScenarioError, match="has no pings"):
        asyncio.run(scene())


def test_a_channel_that_is_not_open() -> None:
    class Later(Actor):
        line = WebSocket("{server}", dialect=Text(), opens="manually")

    @scenario
    async def ping(party: Later) -> None:
        await party.line.ping()

    with pytest.raises(ScenarioError, match="is not connected"):
        play_against(ping)


def test_a_dead_peer_ends_every_wait() -> None:
    @scenario
    async def wait(party: Watchful) -> None:
        await party.line.expect("text")

    with pytest.raises(ChannelClosed, match=r"no pong came within 0.03 s: the other side hangs, or the connect"):
        play_against(wait, answers_pings=False)


def test_a_server_that_minds_a_client_without_pongs() -> None:
    @scenario
    async def be_mute(party: Mute) -> str:
        ending = await party.line.expect_close()
        return f"{ending.code} {ending.by}"

    assert play_against(be_mute, ping_every_s=0.01, ping_within_s=0.03).value == "1006 wire"

"""MQTT between two actors over TCP and WebSocket: logins, qualities, subscriptions, sessions, secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from town import performed

from antiphon import (
    Accepted,
    Actor,
    Backoff,
    ChannelClosed,
    ErrorReply,
    Link,
    Message,
    Mqtt,
    OpeningRefused,
    RequestRefused,
    Run,
    Stand,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.mqtt_packets import write_packet

SECRET = "looking-glass-7"


class Broker(Actor):
    """For one client, which hears what it has subscribed to."""

    line = Accepted(dialect=Mqtt(user="alice", password=SECRET), within_s=10)

    def __init__(self) -> None:
        self.topics: set[str] = set()

    @on("SUBSCRIBE")
    def subscribe(self, request: Message) -> list[int]:
        if "secret" in request["topics"]:
            raise ErrorReply(0x87, "not yours")
        self.topics |= set(request["topics"])
        return list(request["topics"].values())

    @on("UNSUBSCRIBE")
    def unsubscribe(self, request: Message) -> list[int]:
        self.topics -= set(request["topics"])
        return [0] * len(request["topics"])

    @on("PUBLISH")
    def publish(self, message: Message) -> None:
        if message["topic"] in self.topics:
            self.send("PUBLISH", topic=message["topic"], payload=message["payload"], qos=message["qos"])


def operator(version: Any) -> type[Actor]:
    class Operator(Actor):
        line = Link(
            "{broker}",
            dialect=Mqtt(version, client_id="me", user="{user.name}", password="{user.password}"),
            within_s=10,
            opens="manually",
        )

    return Operator


@pytest.fixture(params=["3.1.1", "5"])
def version(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop_factory(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["tcp", "ws"])
def play_there(request: pytest.FixtureRequest, loop_factory: Any, version: Any) -> Callable[..., Run]:
    """Performs what an operator does, with a broker there."""

    async def run(scene: Any, password: str, **options: Any) -> Run:
        options_of_wire: dict[str, Any] = {"subprotocols": ["mqtt"]} if request.param == "ws" else {}
        address = f"{request.param}://127.0.0.1:0"
        async with await listen(address, lambda _: Broker(), **options_of_wire) as server:
            stand = Stand("t", {"broker": server.address}, users=[{"name": "alice", "password": password}])
            run = await perform(scenario(scene), stand=stand, **{"runs": None, **options})
            assert not server.failures
            return run

    def play(scene: Any, password: str = SECRET, **options: Any) -> Run:
        scene.__annotations__["one"] = operator(version)
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(run(scene, password, **options))

    return play


def test_what_is_published_is_heard(play_there: Callable[..., Run]) -> None:
    async def scene(one: Actor) -> list[Any]:
        await one.channel.open()
        await one.ask("SUBSCRIBE", topics={"a": 2, "b": 0})
        for qos in (1, 2):
            await one.ask("PUBLISH", topic="a", payload=b"\xff", qos=qos)
        one.send("PUBLISH", topic="b", payload="x")
        heard = [(await one.expect("PUBLISH")).body for _ in range(3)]
        await one.ask("UNSUBSCRIBE", topics=["a"])
        await one.ask("PUBLISH", topic="a", payload="unheard", qos=2)
        assert one.drain() == []
        ending = await one.channel.close()
        return [[(body["topic"], body["payload"], body["qos"]) for body in heard], ending.by]

    assert play_there(scene).value == [[("a", b"\xff", 1), ("a", b"\xff", 2), ("b", "x", 0)], "us"]


def test_a_subscription_is_refused(play_there: Callable[..., Run]) -> None:
    async def scene(one: Actor) -> str:
        await one.channel.open()
        with pytest.raises(RequestRefused) as refused:
            await one.ask("SUBSCRIBE", topics=["secret"])
        return str(refused.value)

    assert "was refused SUBSCRIBE" in play_there(scene).value


def test_a_wrong_password_is_refused(play_there: Callable[..., Run], version: Any) -> None:
    async def scene(one: Actor) -> OpeningRefused:
        return await one.channel.expect_refusal(4 if version == "3.1.1" else 0x86)

    assert play_there(scene, "wrong").value.message.name == "CONNACK"


class Keeper(Actor):
    line = Link(
        "{peer}",
        dialect=Mqtt(client_id="me", is_clean=False),
        within_s=20,
        reopens=Backoff(first_s=1, jitter=0),
    )


@pytest.mark.parametrize("has_session", [True, False], ids=["kept", "lost"])
def test_whoever_publishes_waits_on_for_the_acknowledgement(peer: Any, has_session: bool) -> None:
    """Of a broker that has the session; of one that has lost it nothing can be said."""
    heard: list[tuple[int, int]] = []

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Any) -> None:
        kind, flags = data[0] >> 4, data[0] & 15
        heard.append((kind, flags))
        if kind == 1:
            is_known = len(peer.openings) > 1 and has_session
            peer.connection.send(write_packet("CONNACK", bytes([is_known, 0])))
        elif kind == 3 and len(peer.openings) == 1:
            peer.connection.abort()
        elif kind == 3:
            peer.connection.send(write_packet("PUBACK", b"\x00\x01"))

    peer.on_opened, peer.on_data = on_opened, on_data

    @scenario
    async def publish(one: Keeper) -> str:
        published = one.ask("PUBLISH", topic="a", payload="x", qos=1)
        if has_session:
            return (await published).name
        with pytest.raises(ChannelClosed, match="the reply to PUBLISH, but the connection was lost"):
            await published
        return ""

    assert performed(peer, publish).value == ("PUBACK" if has_session else "")
    again = [(3, 10)] if has_session else []
    assert heard == [(1, 0), (3, 2), (1, 0), *again, (14, 0)]


def test_passwords_are_masked_in_binary_data_too(play_there: Callable[..., Run], tmp_path: Path) -> None:
    async def scene(one: Actor) -> None:
        await one.channel.open()
        await one.ask("PUBLISH", topic="a", payload=SECRET.encode() + b"\xff", qos=1)

    run = play_there(scene, runs=tmp_path)
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    assert '"name":"CONNECT"' in (run.directory / "journal.jsonl").read_text()
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]

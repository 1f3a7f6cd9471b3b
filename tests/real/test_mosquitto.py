"""Conversations with a Mosquitto, over TCP and WebSocket, in either version, on either loop."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvloop
from real_servers import free_port, serving, without_program

from antiphon import Actor, Link, Mqtt, Run, Stand, perform, scenario
from antiphon.scenarios.scenario import load_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mosquitto"), without_program("mosquitto")]

PASSWORD = "looking-glass-7"
EXAMPLE = load_file(str(Path(__file__).parents[2] / "examples" / "real" / "mosquitto.py"))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder, tcp, web = tmp_path_factory.mktemp("mosquitto"), free_port(), free_port()
    (folder / "users").write_text(f"alice:{PASSWORD}\nbob:{PASSWORD}\n")
    (folder / "users").chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(folder / "users")], check=True)
    lines = [f"listener {tcp} 127.0.0.1", f"listener {web} 127.0.0.1", "protocol websockets", "allow_anonymous false"]
    lines += [f"password_file {folder}/users", f"persistence_location {folder}/", "user root"]
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with serving(["mosquitto", "-c", str(folder / "mosquitto.conf")], ready="mosquitto version .* running"):
        yield {"tcp": f"tcp://127.0.0.1:{tcp}", "ws": f"ws://127.0.0.1:{web}/mqtt"}


@pytest.fixture(params=["tcp", "ws"])
def address(request: pytest.FixtureRequest, addresses: dict[str, str]) -> str:
    return addresses[request.param]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play_there(request: pytest.FixtureRequest, address: str) -> Callable[..., Run]:
    def play(scene: Any, password: str = PASSWORD, **options: Any) -> Run:
        users = [{"name": name, "password": password} for name in ("alice", "bob")]
        stand = Stand("mosquitto", {"broker": address}, users=users)
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(perform(scene, stand=stand, **{"runs": None, **options}))

    return play


def test_the_example(play_there: Callable[..., Run]) -> None:
    assert play_there(EXAMPLE.a_call_and_a_loss).value == ["new", "operators/alice"]


def party(version: Any, **options: Any) -> type[Actor]:
    class Party(Actor):
        broker = Link(
            "{broker}",
            dialect=Mqtt(version, user="{user.name}", password="{user.password}", **options),
            opens="manually",
            within_s=30,
        )

    return Party


@pytest.fixture(params=["3.1.1", "5"])
def version(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_every_quality_of_service(play_there: Callable[..., Run], version: Any) -> None:
    topic = f"calls/{uuid4()}"

    async def scene(one: Actor, other: Actor) -> list[Any]:
        for each in (one, other):
            await each.channel.open()
        granted = [(await other.ask("SUBSCRIBE", topics={topic: qos})).body["codes"] for qos in (0, 1, 2)]
        one.send("PUBLISH", topic=topic, payload=b"\xff\x00", qos=0)
        heard = [await other.expect("PUBLISH", {"topic": topic})]
        for qos in (1, 2):
            await one.ask("PUBLISH", topic=topic, payload=str(qos) * 70_000, qos=qos)
            heard.append(await other.expect("PUBLISH", {"topic": topic}))
        await other.ask("UNSUBSCRIBE", topics=[topic])
        await one.ask("PUBLISH", topic=topic, payload="unheard", qos=2)
        await other.ask("SUBSCRIBE", topics=[topic])
        left = [message.name for message in other.drain()]
        return [granted, [(message.body["qos"], message.body["payload"]) for message in heard], left]

    scene.__annotations__ |= {"one": party(version), "other": party(version)}
    granted, heard, left = play_there(scenario(scene)).value
    assert granted == [[0], [1], [2]]
    assert heard == [(0, b"\xff\x00"), (1, "1" * 70_000), (2, "2" * 70_000)]
    assert left == []


def test_a_will_is_published_when_its_author_is_lost(play_there: Callable[..., Run], version: Any) -> None:
    topic = f"gone/{uuid4()}"

    async def scene(one: Actor, other: Actor) -> Any:
        for each in (one, other):
            await each.channel.open()
        await other.ask("SUBSCRIBE", topics={topic: 1})
        one.channel.abort()
        return (await other.expect("PUBLISH", {"topic": topic})).body

    will = {"topic": topic, "payload": b"\xff", "qos": 1}
    scene.__annotations__ |= {"one": party(version, will=will), "other": party(version)}
    said = play_there(scenario(scene)).value
    assert (said["payload"], said["qos"]) == (b"\xff", 1)


def test_a_session_is_kept(play_there: Callable[..., Run], version: Any) -> None:
    topic, client_id = f"news/{uuid4()}", str(uuid4())
    kept = {"is_clean": False, "client_id": client_id}
    if version == "5":
        kept["properties"] = {"session_expiry": 60}

    async def scene(reader: Actor, writer: Actor) -> list[str]:
        for each in (reader, writer):
            await each.channel.open()
        await reader.ask("SUBSCRIBE", topics={topic: 2})
        await reader.channel.close()
        for payload in ("one", "two"):
            await writer.ask("PUBLISH", topic=topic, payload=payload, qos=2)
        await reader.channel.open()
        return [(await reader.expect("PUBLISH", {"topic": topic})).body["payload"] for _ in range(2)]

    scene.__annotations__ |= {"reader": party(version, **kept), "writer": party(version)}
    assert play_there(scenario(scene)).value == ["one", "two"]


def test_a_login_that_is_refused(play_there: Callable[..., Run], version: Any) -> None:
    code = 5 if version == "3.1.1" else 0x87

    async def scene(stranger: Actor) -> str:
        return str(await stranger.channel.expect_refusal(code))

    scene.__annotations__["stranger"] = party(version)
    assert f"the server refused CONNECT with {code}: not authorized" in play_there(scenario(scene), "wrong").value


def test_the_password_is_written_nowhere(play_there: Callable[..., Run], tmp_path: Path) -> None:
    run = play_there(EXAMPLE.a_call_and_a_loss, runs=tmp_path)
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]

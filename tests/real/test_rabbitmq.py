"""STOMP with a RabbitMQ, over TCP and WebSocket, on either loop."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvloop
from real_servers import free_port, serving, without_program

from antiphon import Actor, ChannelClosed, Link, Run, Stand, Stomp, perform, scenario
from antiphon.scenarios.scenario import load_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rabbitmq"), without_program("rabbitmq-server")]


def hashed(password: str) -> str:
    """As RabbitMQ keeps it: four bytes of salt, and what SHA-256 makes of it and the password."""
    salt = b"salt"
    return b64encode(salt + sha256(salt + password.encode()).digest()).decode()


PASSWORD = "looking-glass-7"
NAMES = ("alice", "bob")
DEFINITIONS = {
    "vhosts": [{"name": "/"}],
    "users": [{"name": name, "password_hash": hashed(PASSWORD), "tags": ""} for name in NAMES],
    "permissions": [{"user": name, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"} for name in NAMES],
}
EXAMPLE = load_file(str(Path(__file__).parents[2] / "examples" / "real" / "rabbitmq.py"))
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""What Debian's command runs, when it has become another user."""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder, tcp, web = tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port()
    lines = ["listeners.tcp = none", "log.console = true", "log.console.level = info", "log.file = false"]
    lines += [f"stomp.listeners.tcp.1 = 127.0.0.1:{tcp}", "web_stomp.tcp.ip = 127.0.0.1"]
    lines += [f"web_stomp.tcp.port = {web}", "web_stomp.ws_frame = binary"]
    lines += [f"load_definitions = {folder}/definitions.json"]
    (folder / "definitions.json").write_text(json.dumps(DEFINITIONS))
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "enabled_plugins").write_text("[rabbitmq_stomp,rabbitmq_web_stomp].\n")
    env = {
        "HOME": str(folder),  # of the cookie that Erlang writes
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(free_port()),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_NODENAME": f"antiphon{tcp}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
    }
    # Erlang's name server, which a broker would leave behind if it had to start one.
    with (
        serving(["epmd", "-d"], ready="epmd running", env=env),
        serving([SERVER], ready="Server startup complete", env=env, within_s=180),
    ):
        yield {"tcp": f"tcp://127.0.0.1:{tcp}", "ws": f"ws://127.0.0.1:{web}/ws"}


@pytest.fixture(params=["tcp", "ws"])
def address(request: pytest.FixtureRequest, addresses: dict[str, str]) -> str:
    return addresses[request.param]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play_there(request: pytest.FixtureRequest, address: str) -> Callable[..., Run]:
    def play(scene: Any, password: str = PASSWORD, **options: Any) -> Run:
        users = [{"name": name, "password": password} for name in NAMES]
        stand = Stand("rabbitmq", {"broker": address}, users=users)
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(perform(scene, stand=stand, **{"runs": None, **options}))

    return play


class Clerk(Actor):
    broker = Link(
        "{broker}",
        dialect=Stomp(login="{user.name}", passcode="{user.password}", host="/", heart_beat_ms=(200, 200)),
        within_s=30,
        opens="manually",
    )


def test_the_example(play_there: Callable[..., Run]) -> None:
    told = play_there(EXAMPLE.two_tasks).value
    assert told == [{"number": number, "text": "größer"} for number in (1, 2)]


def test_messages_are_acknowledged_refused_and_sent_together(play_there: Callable[..., Run]) -> None:
    queue = f"/queue/{uuid4()}"

    async def scene(one: Clerk, other: Clerk) -> list[Any]:
        for each in (one, other):
            await each.channel.open()
        await other.ask("SUBSCRIBE", destination=queue, id="0", ack="client-individual")
        headers = {"odd:name": "a:b\\c\nd\re", "persistent": "true"}
        await one.ask("SEND", destination=queue, body={"text": "größe\0\n"}, **headers)
        first = await other.expect("MESSAGE", {"redelivered": "false"})
        await other.ask("NACK", id=first["ack"])
        again = await other.expect("MESSAGE", {"redelivered": "true"})
        await other.ask("ACK", id=again["ack"])
        await one.ask("BEGIN", transaction="t")
        for number in range(3):
            one.send("SEND", destination=queue, transaction="t", body=str(number))
        await other.expect_none("MESSAGE", within_s=0.3)
        await one.ask("COMMIT", transaction="t")
        heard = [await other.expect("MESSAGE") for _ in range(3)]
        for message in heard:
            await other.ask("ACK", id=message["ack"])
        await other.ask("UNSUBSCRIBE", id="0")
        return [again["odd:name"], first["body"], again["body"], [message["body"] for message in heard]]

    told = play_there(scenario(strict=True)(scene)).value
    body = {"text": "größe\0\n"}
    assert told == ["a:b\\c\nd\re", body, body, ["0", "1", "2"]]


def test_bytes_come_as_they_were(play_there: Callable[..., Run]) -> None:
    queue, data = f"/queue/{uuid4()}", bytes(range(256)) * 1000

    async def scene(one: Clerk) -> Any:
        await one.channel.open()
        await one.ask("SUBSCRIBE", destination=queue, id="0")
        one.send("SEND", destination=queue, body=data)
        return (await one.expect("MESSAGE"))["body"]

    assert play_there(scenario(scene)).value == data


def test_heart_beats_keep_it_open_and_goodbye_is_answered(play_there: Callable[..., Run]) -> None:
    async def scene(one: Clerk) -> Any:
        await one.channel.open()
        await one.expect_none("MESSAGE", within_s=1.5)
        return (await one.close()).is_clean

    assert play_there(scenario(strict=True)(scene)).value is True


def test_a_wrong_password_is_a_refusal(play_there: Callable[..., Run]) -> None:
    async def scene(one: Clerk) -> Any:
        refused = await one.broker.expect_refusal("ERROR")
        return str(refused).splitlines()[0], refused.message["body"]

    text, body = play_there(scenario(scene), password="wrong").value
    assert text == "one.broker: the server refused CONNECT: Bad CONNECT: Access refused for user 'alice'"
    assert body == "Access refused for user 'alice'\n"


def test_an_error_ends_the_connection_with_the_brokers_words(play_there: Callable[..., Run]) -> None:
    async def scene(one: Clerk) -> Any:
        await one.channel.open()
        with pytest.raises(ChannelClosed):  # RabbitMQ's ERROR names no receipt
            await one.ask("SUBSCRIBE", destination="/nowhere/at/all", id="0")
        error = await one.expect("ERROR")
        return (await one.expect_close()).reason, error["body"]

    reason, body = play_there(scenario(scene)).value
    assert reason == "Unknown destination"
    assert "/nowhere/at/all" in body

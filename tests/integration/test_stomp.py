"""STOMP between two actors over TCP and WebSocket: logins, receipts, errors, heart-beats, goodbyes, secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from antiphon import (
    Accepted,
    Actor,
    ErrorReply,
    Link,
    Message,
    RequestRefused,
    Run,
    Stand,
    Stomp,
    listen,
    on,
    perform,
    scenario,
)

SECRET = "looking-glass-7"


class Broker(Actor):
    line = Accepted(dialect=Stomp(login="alice", passcode=SECRET, heart_beat_ms=(10, 10_000)), within_s=10)

    @on("SUBSCRIBE")
    def subscribe(self, request: Message) -> dict[str, Any]:
        if request["destination"] == "/queue/secret":
            raise ErrorReply("denied", "not yours")
        return {}

    @on("SEND")
    def publish(self, message: Message) -> None:
        self.send("MESSAGE", destination=message["destination"], body=message["body"], **{"message-id": "1"})


class Operator(Actor):
    line = Link(
        "{broker}",
        dialect=Stomp(login="{user.name}", passcode="{user.password}", heart_beat_ms=(10_000, 10)),
        within_s=10,
        opens="manually",
    )


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop_factory(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["tcp", "ws"])
def play_there(request: pytest.FixtureRequest, loop_factory: Any) -> Callable[..., Run]:
    """Performs what an operator does, with a broker there."""

    async def run(scene: Any, password: str, **options: Any) -> Run:
        of_wire: dict[str, Any] = {"subprotocols": ["v12.stomp"]} if request.param == "ws" else {}
        async with await listen(f"{request.param}://127.0.0.1:0", lambda _: Broker(), **of_wire) as server:
            stand = Stand("t", {"broker": server.address}, users=[{"name": "alice", "password": password}])
            run = await perform(scene, stand=stand, **{"runs": None, **options})
            assert not server.failures
            return run

    def play(scene: Any, password: str = SECRET, **options: Any) -> Run:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(run(scene, password, **options))

    return play


@scenario
async def speak(operator: Operator) -> list[Any]:
    await operator.channel.open()
    receipt = await operator.ask("SUBSCRIBE", destination="/queue/a", id="0")
    operator.send("SEND", destination="/queue/a", body={"text": SECRET})
    heard = [(await operator.expect("MESSAGE")).body["body"]]
    operator.send("SEND", destination="/queue/a", body=SECRET.encode() + b"\xff")
    heard.append((await operator.expect("MESSAGE")).body["body"])
    ending = await operator.channel.close()
    return [receipt.name, heard, ending.by]


def test_frames_receipts_and_a_goodbye(play_there: Callable[..., Run]) -> None:
    assert play_there(speak).value == ["RECEIPT", [{"text": SECRET}, SECRET.encode() + b"\xff"], "us"]


@scenario
async def ask_too_much(operator: Operator) -> list[str]:
    await operator.channel.open()
    with pytest.raises(RequestRefused) as refused:
        await operator.ask("SUBSCRIBE", destination="/queue/secret", id="0")
    return [str(refused.value), (await operator.expect_close()).reason]


def test_an_error_ends_the_connection(play_there: Callable[..., Run]) -> None:
    refused, reason = play_there(ask_too_much).value
    assert "was refused SUBSCRIBE" in refused
    assert reason == "not yours"


@scenario
async def knock(operator: Operator) -> str:
    return str(await operator.channel.expect_refusal("ERROR"))


def test_a_wrong_passcode_is_refused(play_there: Callable[..., Run]) -> None:
    assert "login, passcode or host is wrong" in play_there(knock, "wrong").value


def test_passcodes_are_masked_in_binary_data_too(play_there: Callable[..., Run], tmp_path: Path) -> None:
    run = play_there(speak, runs=tmp_path)
    assert '"name":"CONNECT"' in (run.directory / "journal.jsonl").read_text()
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]

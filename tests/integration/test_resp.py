"""RESP between two actors over TCP: logins, commands in order, refusals, pushes, subscriptions, secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

from antiphon import (
    DEFERRED,
    Accepted,
    Actor,
    ErrorReply,
    Link,
    Message,
    RequestRefused,
    Resp,
    Run,
    Stand,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.journal.file import WrittenMessage, read_journal

SECRET = "looking-glass-7"


class Store(Actor):
    """Keeps what it is given."""

    line = Accepted(dialect=Resp(user="alice", password=SECRET), within_s=10)

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {"list": [1, b"\xff", None]}
        self.waiting: list[Message] = []

    @on("SET")
    def keep(self, command: Message) -> str:
        key, value = command.body
        self.kept[key] = value
        for waiting in self.waiting:
            self.answer(waiting, value)
        return "OK"

    @on("GET")
    def give(self, command: Message) -> Any:
        if command.body[0] not in self.kept:
            raise ErrorReply("ERR", "no such key")
        return self.kept[command.body[0]]

    @on("BLPOP")
    def wait_for_it(self, command: Message) -> Any:
        self.waiting.append(command)
        return DEFERRED

    @on("AUTH")
    def take(self, command: Message) -> str:
        return "OK"

    @on("SUBSCRIBE")
    def subscribe(self, command: Message) -> None:
        return None

    @on("PUBLISH")
    def publish(self, command: Message) -> int:
        self.send("message", command.body)
        return 1


class Asker(Actor):
    line = Link("{store}", dialect=Resp(user="{user.name}", password="{user.password}"), within_s=10)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def over_tcp(request: pytest.FixtureRequest) -> Callable[..., Run]:
    """Performs a scenario with a store behind TCP."""

    async def run(scene: Any, password: str, **options: Any) -> Run:
        async with await listen("tcp://127.0.0.1:0", lambda _: Store()) as server:
            users = [{"name": "alice", "password": password}]
            stand = Stand("t", {"store": server.address}, users=users)
            run = await perform(scene, stand=stand, **{"runs": None, **options})
            assert not server.failures
            return run

    def play(scene: Any, password: str = SECRET, **options: Any) -> Run:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(run(scene, password, **options))

    return play


@scenario
async def ask_and_be_told(asker: Asker) -> list[Any]:
    asker.send("SET", ["a", "1"])
    answers = [await asker.ask("GET", "a"), await asker.ask("GET", ["list"])]
    with pytest.raises(RequestRefused) as refused:
        await asker.ask("GET", "none")
    return [*(answer.body for answer in answers), str(refused.value)]


def test_commands_and_replies(over_tcp: Callable[..., Run]) -> None:
    run = over_tcp(ask_and_be_told)
    assert run.value[:2] == ["1", [1, b"\xff", None]]
    assert "ERR no such key" in run.value[2]


@scenario
async def pipeline(asker: Asker) -> list[Any]:
    waiting, late = asker.ask("BLPOP", ["b", 0]), asker.ask("GET", "list")
    asker.send("SET", ["b", "x"])
    return [(await waiting).body, (await late).body, (await asker.expect("SET.result")).body]


def test_answers_wait_for_those_before_them(over_tcp: Callable[..., Run]) -> None:
    assert over_tcp(pipeline).value == ["x", [1, b"\xff", None], "OK"]


@scenario
async def hear_of_it(asker: Asker) -> list[Any]:
    confirmed = [reply.body async for reply in asker.ask("SUBSCRIBE", ["news", "sport"])]
    await asker.ask("PUBLISH", ["news", "all is well"])
    return [*confirmed, (await asker.expect("message", ["news", ...])).body]


def test_subscriptions(over_tcp: Callable[..., Run]) -> None:
    assert over_tcp(hear_of_it).value == [["news", 1], ["sport", 2], ["news", "all is well"]]


class Stranger(Actor):
    line = Link("{store}", dialect=Resp(user="{user.name}", password="{user.password}"), within_s=10, opens="manually")


@scenario
async def knock(stranger: Stranger) -> Any:
    return await stranger.channel.expect_refusal("WRONGPASS")


def test_a_wrong_password_is_refused(over_tcp: Callable[..., Run]) -> None:
    refused = over_tcp(knock, "wrong").value
    assert str(refused).startswith("stranger.line: the server refused HELLO: WRONGPASS invalid username-password pair")
    assert refused.message.name == "HELLO.error"


@scenario
async def tell_secrets(asker: Asker) -> None:
    await asker.ask("SET", ["b", f"before {SECRET} behind".encode() + b"\xff"])
    await asker.ask("GET", "b")
    asker.send("AUTH", ["alice", "another-secret-9"])
    await asker.ask("GET", "list")


def test_passwords_are_masked_in_binary_data_too(over_tcp: Callable[..., Run], tmp_path: Path) -> None:
    run = over_tcp(tell_secrets, runs=tmp_path)
    written = [path.read_bytes() for path in run.directory.rglob("*") if path.is_file()]
    raws = [
        bytes(entry.raw) for entry in read_journal(run.directory / "journal.jsonl") if isinstance(entry, WrittenMessage)
    ]  # type: ignore[arg-type]
    assert any(b"before " in raw for raw in raws)
    for data in (*written, *raws):
        assert SECRET.encode() not in data
        assert b"another-secret-9" not in data


def test_what_is_said_can_be_read_in_the_journal(over_tcp: Callable[..., Run], tmp_path: Path) -> None:
    run = over_tcp(ask_and_be_told, runs=tmp_path)
    lines = [json.loads(line) for line in (run.directory / "journal.jsonl").read_text().splitlines()]
    said = [(line["name"], json.loads(line["body"])) for line in lines if line.get("body")]
    assert said[0] == ("HELLO", ["3", "AUTH", "alice", "***"])
    assert said[1][0] == "HELLO.result"
    assert said[1][1]["proto"] == 3
    assert ("SET", ["a", "1"]) in said
    assert ("GET.error", "ERR no such key") in said

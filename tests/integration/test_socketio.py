"""Socket.IO over WebSocket, an actor at either end, and a peer that has no manners."""

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
    DialectError,
    Message,
    Opening,
    Run,
    SocketIo,
    Stand,
    Text,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.journal.file import WrittenMessage, read_journal

SECRET = "looking-glass-7"
OPEN = '0{"sid":"e1","pingInterval":200,"pingTimeout":100}'


class Room(Actor):
    line = Accepted(dialect=SocketIo(admit=lambda auth, _: auth == {"token": SECRET}, ping_every_s=0.05))

    @on("put")
    def put(self, request: Message) -> list[Any]:
        return [len(request.body), b"\x00\xff"]


class Member(Actor):
    line = WebSocket("{room}", dialect=SocketIo({"token": "{user.password}"}), within_s=10)


class Stranger(Actor):
    line = WebSocket("{room}", dialect=SocketIo({"token": "x"}), opens="manually")


class Mute(Actor):
    """A server that says what it must, and nothing more."""

    line = Accepted(dialect=Text())

    def __init__(self, said: str = "40") -> None:
        self.said = said

    @on.opened
    def begin(self) -> None:
        self.send("text", OPEN)

    @on("text")
    def reply(self, message: Message) -> None:
        if message.body[:2] == "40":
            self.send("text", self.said)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., tuple[Run, list[Opening]]]:
    """Performs a scenario with a server of that kind; gives the run, and who came to the server."""

    def play(scene: Any, make: Callable[[], Actor] = Room, **options: Any) -> tuple[Run, list[Opening]]:
        openings: list[Opening] = []

        def accept(opening: Opening) -> Actor:
            openings.append(opening)
            return make()

        async def main() -> Run:
            async with await listen("ws://127.0.0.1:0", accept) as server:
                stand = Stand("t", {"room": server.address}, users=[{"name": "alice", "password": SECRET}])
                return await perform(scene, stand=stand, **{"runs": None, **options})

        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main()), openings

    return play


def test_what_is_said_is_written_whole_and_without_secrets(play: Any, tmp_path: Path) -> None:
    @scenario(strict=True)
    async def put(member: Member) -> Any:
        return (await member.ask("put", ["photo", {"password": "hidden-one", "data": b"\xff\x01"}])).body

    run, openings = play(put, runs=tmp_path)
    assert run.value == [2, b"\x00\xff"]
    assert openings[0].path == "/socket.io/?EIO=4&transport=websocket"
    (journal,) = tmp_path.glob("*/journal.jsonl")
    assert SECRET not in journal.read_text()
    said = {
        entry.name: entry for entry in read_journal(journal, with_protocol=True) if isinstance(entry, WrittenMessage)
    }
    assert said["connect"].is_protocol
    text, _, data = bytes(said["put"].raw).partition(b"]")
    assert (text[:13], data) == (b'451-0["put","', b"\xff\x01")
    assert b"hidden-one" not in text
    assert said["put"].body is not None
    assert "photo" in said["put"].body
    assert bytes(said["put.ack"].raw) == b'461-0[2,{"_placeholder":true,"num":0}]\x00\xff'


def test_who_is_not_let_in_says_why(play: Any) -> None:
    @scenario(strict=True)
    async def knock(stranger: Stranger) -> Any:
        refused = await stranger.line.expect_refusal("not authorized")
        return refused.message.body

    assert play(knock)[0].value == {"message": "not authorized"}


def test_both_sides_are_there_as_long_as_pings_are_answered(play: Any) -> None:
    @scenario(strict=True)
    async def stay(member: Member) -> Any:
        await member.expect_none("anything", within_s=0.5)
        return (await member.ask("put", "x"))[0]

    assert play(stay)[0].value == 1


def test_a_server_that_falls_silent_has_gone(play: Any) -> None:
    @scenario
    async def wait(member: Member) -> Any:
        return (await member.expect_close()).detail

    run, _ = play(wait, lambda: Mute('40{"sid":"s1"}'))
    assert run.value.startswith("the other side said nothing for ")
    assert run.value.endswith("and its protocol allows 0.3 s")


def test_what_is_no_packet_fails_the_run_and_ends_the_connection(play: Any) -> None:
    @scenario
    async def wait(member: Member) -> None:
        await member.expect("anything")

    with pytest.raises(DialectError, match=r"no packet of Engine\.IO: 'hello'") as failure:
        play(wait, lambda: Mute("hello"))
    assert "member.line" in str(failure.value)

"""Actors at both ends of a stream of bytes, found by the scheme of an address."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    Codec,
    Data,
    JsonRpc,
    Link,
    Message,
    Run,
    Server,
    Stand,
    Unreadable,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.framing import ContentLength


class Words(Codec):
    """A word is a message, and a blank ends it: a dialect that finds its own borders."""

    def __init__(self) -> None:
        self.rest = b""

    def decode(self, data: Data) -> list[Message]:
        assert isinstance(data, bytes)
        *whole, self.rest = (self.rest + data).split(b" ")
        return [Message(word.decode(), None, word) for word in whole]

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, f"{name} ".encode())


class Echo(Actor):
    line = Accepted(dialect=Words())

    @on("break")
    def fail(self, message: Message) -> None:
        raise RuntimeError("a bug of the server")

    @on("hello")
    def greet(self, message: Message) -> None:
        self.send("welcome")


class Guest(Actor):
    line = Link("{echo}", dialect=Words(), within_s=10)


@scenario
async def visit(guest: Guest) -> Any:
    guest.send("hello")
    await guest.expect("welcome")
    guest.send("break")
    return await guest.expect_close()


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
def test_a_link_and_a_server_over_a_stream(scheme: str, tmp_path: Path) -> None:
    async def run() -> tuple[Any, Server]:
        address = "tcp://127.0.0.1:0" if scheme == "tcp" else f"unix://{tmp_path}/s"
        async with await listen(address, lambda opening: Echo()) as server:
            run = await perform(visit, stand=Stand("t", {"echo": server.address}), runs=None)
            return run.value, server

    ending, server = asyncio.run(run())
    # The seat of a handler that failed asks for WebSocket's 1011, which a wire without codes does not mind.
    assert (ending.by, ending.code, ending.is_clean) == ("peer", None, True)
    assert [type(failure).__name__ for failure in server.failures] == ["HandlerFailed"]


class Adder(Actor):
    line = Accepted(dialect=JsonRpc(), framing=ContentLength())

    @on("add")
    def add(self, request: Message) -> dict[str, Any]:
        return {"sum": request["a"] + request["b"]}

    @on("rubbish")
    def say_rubbish(self, message: Message) -> None:
        self.channel.send_data("no JSON")
        self.send("sane")
        connection: Any = self.channel.connection
        connection.wire.send(b"no head\r\n\r\n")


class Reader(Actor):
    line = Link("{echo}", dialect=JsonRpc(), framing=ContentLength(), within_s=10)

    def __init__(self) -> None:
        self.troubles: list[str] = []

    @on.unreadable
    def note(self, message: Unreadable) -> None:
        self.troubles.append(str(message.trouble))


@scenario
async def add(reader: Reader) -> Any:
    reply = await reader.ask("add", a=1, b=2)
    reader.send("rubbish")
    await reader.expect("sane")
    return reply["sum"], reply.raw, await reader.expect_close()


def test_a_bad_message_is_passed_over_and_a_broken_frame_is_the_end() -> None:
    async def run() -> Run:
        async with await listen("tcp://127.0.0.1:0", lambda opening: Adder()) as server:
            return await perform(add, stand=Stand("t", {"echo": server.address}), runs=None)

    run_of = asyncio.run(run())
    total, raw, ending = run_of.value
    assert total == 3
    assert raw.startswith("{"), "the journal has text"
    assert ending.by == "us"
    bad, broken = run_of.reader.troubles
    assert "no JSON" in bad
    assert "a head without a length" in broken

"""Actors at both ends of a stream of bytes, found by the scheme of an address."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from antiphon import Accepted, Actor, Codec, Data, Link, Message, Server, Stand, listen, on, perform, scenario


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

"""What an author writes, as mypy --strict and pyright read it: `make types` checks every `assert_type` in here.

Lines that must not pass are marked for both, and a mark that is not needed is an error, too.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_type

import msgspec

from antiphon import (
    Accepted,
    Actor,
    Exchange,
    Json,
    Link,
    Message,
    Run,
    Step,
    Wait,
    action,
    all_of,
    expect,
    first_of,
    on,
    play,
    saved,
    scenario,
    send,
    together,
)
from antiphon.transport.http_stream import HttpPolling, HttpStream
from antiphon.transport.http_stream_listener import HttpStreamListener
from antiphon.transport.interface import Listener, Transport
from antiphon.transport.memory import MemoryNetwork
from antiphon.transport.stream.stdio import StdioTransport
from antiphon.transport.stream.stdio_listener import StdioListener
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.stream.unix import UnixListener, UnixTransport
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener


class NewCall(msgspec.Struct):
    number: int
    state: str = "new"


@dataclass
class CallEnded:
    number: int


class Ping(msgspec.Struct, tag="ping"):
    seq: int


class Caller(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data", id="id"), types={"ended": CallEnded})
    last_seq: int = 0

    @on(Ping)
    def answer_ping(self, ping: Ping) -> None:
        self.last_seq = ping.seq
        self.send("pong", seq=ping.seq)

    @on((NewCall, CallEnded))
    async def note(self, _call: NewCall | CallEnded, message: Message) -> None:
        self.last_seq = message.number

    @on(("busy", "idle"))
    def look(self, state: Message) -> None:
        assert state.name

    @action
    async def read(self, **fields: Any) -> dict[str, Any]:
        answer: Message = await self.ask("read", **fields)
        body: dict[str, Any] = answer.body
        return body

    @action
    async def call(self, number: int, *, is_urgent: bool = False) -> NewCall:
        call = await self.expect(NewCall, {"number": number}, within_s=5)
        assert_type(call, NewCall)
        assert_type(await self.line.expect(NewCall), NewCall)
        assert_type(self.expect("newCall"), Wait[Message])
        assert_type(self.expect(("newCall", "ended")), Wait[Message])
        assert_type(self.expect(), Wait[Message])
        assert_type(self.drain(NewCall), list[NewCall])
        assert_type(self.drain("newCall"), list[Message])
        await self.expect_none((NewCall, CallEnded), within_s=1)
        with self.forbid(CallEnded):
            self.ignore((Ping, NewCall))
        return call

    @action
    async def end(self, call: NewCall) -> CallEnded:
        self.send(call)
        assert_type(self.ask("end", number=call.number), Exchange[Message])
        asked = self.ask(call, reply=CallEnded, provisional=("trying", "ringing"))
        assert_type(asked, Exchange[CallEnded])
        async for reply in asked:
            assert_type(reply, Message)
        return await asked

    async def either(self) -> int:
        """Of several types mypy infers what they have in common; an annotation says it exactly."""
        told: NewCall | CallEnded = await self.expect((NewCall, CallEnded))
        match told:
            case NewCall(number=number):
                return number
            case CallEnded():
                return told.number

    async def kept(self, name: str | None) -> tuple[Exchange, Message]:
        """A bare `Exchange` is one of messages."""
        asked: Exchange = self.ask("end")
        waiting = self.expect(name)
        await first_of(waiting, self.expect(NewCall))
        await all_of(waiting, asked)
        return asked, await waiting

    def wrong(self, call: NewCall) -> None:
        self.expect(5)  # type: ignore[arg-type]
        self.expect(("newCall", CallEnded))  # type: ignore[arg-type]
        self.drain(call)  # type: ignore[arg-type]
        self.ask(call, reply="ended")  # type: ignore[arg-type]
        self.call("5")  # type: ignore[arg-type]
        Caller.call(5, urgent=True)  # type: ignore[call-arg]


class UrgentCaller(Caller, user=False):
    async def arrive(self) -> None:
        self.last_seq = -1

    @action
    async def call(self, number: int, *, is_urgent: bool = True) -> NewCall:
        return await super().call(number, is_urgent=is_urgent)


class Centre(Actor, user=False):
    line = Accepted(dialect=Json(name="action", body="data", id="id"), types=lambda kind: kind.__name__)


@scenario
def in_a_list(caller: Caller, number: int = 5) -> list[Step[Any]]:
    assert_type(expect(NewCall), Step[NewCall])
    assert_type(expect("newCall"), Step[Message])
    assert_type(send(NewCall(number)), Step[None])
    assert_type(Caller.call(number), Step[NewCall])
    return [Caller.call(number), Caller.end(saved.call), Caller.read(number=number), send(NewCall(number))]


@scenario
async def in_plain_async(caller: UrgentCaller) -> int:
    assert_type(caller.call(5), Step[NewCall])
    assert_type(caller.read(a=1, b="c"), Step[dict[str, Any]])
    ended, _ = await together(caller.end(await caller.call(5)), caller.read())
    number: int = ended.number
    return number


def wires() -> tuple[list[Transport], list[Listener]]:
    """What `transport=` and `listener=` take."""
    connecting: list[Transport] = [
        HttpStream(by="api"),
        HttpPolling(),
        StdioTransport(),
        TcpTransport(),
        UnixTransport(),
        WebSocketTransport(),
        MemoryNetwork(),
    ]
    listening: list[Listener] = [
        HttpStreamListener(),
        StdioListener(),
        TcpListener(),
        UnixListener(),
        WebSocketListener(),
        MemoryNetwork(),
    ]
    return connecting, listening


def run_it() -> Run:
    return play(in_plain_async)

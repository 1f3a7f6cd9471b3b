"""JSON-RPC 2.0 with rpc-websockets, a JavaScript library for both ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon import (
    ANY,
    Accepted,
    Actor,
    ErrorReply,
    JsonRpc,
    Message,
    RequestRefused,
    Stand,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)

pytestmark = pytest.mark.slow
NEEDS = ("rpc-websockets",)


class Caller(Actor):
    line = WebSocket("{server}", dialect=JsonRpc(), within_s=10)


@scenario(strict=True)
async def call(caller: Caller) -> Any:
    asked = [caller.ask("sum", [n, n]) for n in (1, 2, 3)]
    sums = [(await each).body for each in asked]
    greeting = (await caller.ask("greet", name="ann")).body
    with pytest.raises(RequestRefused) as refused:
        await caller.ask("divide", [1, 0])
    unknown = await caller.ask("nothing").refused(-32601)
    return sums, greeting, refused.value.message.body, unknown["code"]


def test_its_server(node: Any, run_loop: Any) -> None:
    stand = Stand("real", {"server": node.start("jsonrpc_server.cjs")})
    run = run_loop(perform(call, stand=stand, runs=None))
    sums, greeting, refused, unknown = run.value
    assert (sums, greeting, unknown) == ([2, 4, 6], "hello ann", -32601)
    assert refused == {"code": -32050, "message": "by zero", "data": {"at": 2}}


class Desk(Actor):
    line = Accepted(dialect=JsonRpc(is_server=True))

    def __init__(self) -> None:
        self.told: list[Any] = []

    @on("sum")
    def sum(self, request: Message) -> int:
        first, second = request.body
        return int(first + second)

    @on("greet")
    def greet(self, request: Message) -> str:
        return f"hello {request['name']}"

    @on("divide")
    def divide(self, _request: Message) -> None:
        raise ErrorReply(-32050, "by zero", at=2)

    @on("rpc.on")
    def subscribe(self, request: Message) -> dict[str, str]:
        return dict.fromkeys(request.body, "ok")

    @on("publish")
    def publish(self, said: Message) -> None:
        self.told.append((said.is_request, said["title"]))
        self.line.send("news", [said["title"]])

    @on(ANY)
    def refuse_all(self, message: Message) -> None:
        if message.is_request:
            raise ErrorReply(-32601, "Method not found")


def test_its_client(node: Any, run_loop: Any) -> None:
    async def main() -> Any:
        desks = []

        def accept(_opening: Any) -> Actor:
            desks.append(Desk())
            return desks[-1]

        async with await listen("ws://127.0.0.1:0", accept) as server:
            written = await node.run("jsonrpc_client.cjs", server.address)
            assert server.failures == []
        return json.loads(written), desks[0].told

    told, heard = run_loop(main())
    assert told["sum"] == 8
    assert told["greeting"] == "hello ann"
    assert told["refused"] == [-32050, "by zero", {"at": 2}]
    assert told["unknown"] == -32601
    assert told["many"] == [2, 4, 6]
    assert told["heard"] == [["rain"]]
    assert heard == [(False, "rain")]

"""GraphQL over WebSocket with graphql-ws, the JavaScript library that defines the protocol, at either end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    ErrorReply,
    GraphqlWs,
    Message,
    RequestRefused,
    Stand,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.graphql_codec import SUBPROTOCOL
from antiphon.scenarios.scenario import load_file

pytestmark = pytest.mark.slow
NEEDS = ("graphql-ws", "graphql", "ws")
EXAMPLE = Path(__file__).parents[2] / "examples" / "real" / "graphql_ws.py"


class Viewer(Actor):
    api = WebSocket("{graphql}", dialect=GraphqlWs({"authorization": "Bearer {user.password}"}, ping_every_s=0.05))


class Stranger(Viewer):
    api = WebSocket("{graphql}", dialect=GraphqlWs({"authorization": "{user.password}"}), opens="manually")


class Nobody(Viewer):
    api = WebSocket("{graphql}", dialect=GraphqlWs({"authorization": "Bearer nobody"}), opens="manually")


class Leaver(Viewer):
    api = WebSocket("{graphql}", dialect=GraphqlWs({"authorization": "Bearer {user.password}"}), ignored=["next"])


@scenario(strict=True)
async def leave(viewer: Leaver) -> int:
    async for message in viewer.ask("subscribe", query="subscription { forever }"):
        if message["data"]["forever"] == 20:
            break
    while True:  # it is told so in its own time
        result = await viewer.ask("subscribe", query="{ left }")
        if result["data"]["left"]:
            return int(result["data"]["left"])


@scenario
async def fail(viewer: Viewer) -> Any:
    with pytest.raises(RequestRefused) as refused:
        await viewer.ask("subscribe", query="{ nothing }")
    result = await viewer.ask("subscribe", query="{ fails }")
    return refused.value.message.body[0]["message"], result["errors"][0]["extensions"], result["data"]


@scenario
async def be_refused(stranger: Stranger, nobody: Nobody) -> Any:
    return [(await stranger.api.expect_refusal(4403)).code, (await nobody.api.expect_refusal(4401)).code]


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (load_file(str(EXAMPLE)).countdown, [10, 9, 8]),
        (leave, 1),
        (fail, ('Cannot query field "nothing" on type "Query".', {"code": "BROKEN"}, {"fails": None})),
        (be_refused, [4403, 4401]),
    ],
    ids=["example", "leave", "fail", "be_refused"],
)
def test_its_server(node: Any, run_loop: Any, scene: Any, told: Any) -> None:
    users = [{"name": name, "password": "sesame"} for name in ("alice", "bob")]
    stand = Stand("real", {"graphql": node.start("graphql_ws_server.cjs")}, users=users)
    assert run_loop(perform(scene, stand=stand, runs=None)).value == told


class Api(Actor):
    line = Accepted(dialect=GraphqlWs(admit=lambda payload: payload == {"token": "sesame"}))
    stopped = 0

    @on("subscribe")
    def operate(self, request: Message) -> Any:
        match request["query"]:
            case "{ hello }":
                return {"data": {"hello": "Grüße"}}
            case "subscription { forever }":
                return self.count(10**9)
            case "subscription { ticks }":
                return self.count(3)
        raise ErrorReply("INVALID", "no such field")

    async def count(self, to: int) -> AsyncIterator[dict[str, Any]]:
        try:
            for number in range(to):
                yield {"data": {"ticks": number}}
                await self.line.flushed()
                await self.pause()
        finally:
            Api.stopped += to > 3

    async def pause(self) -> None:
        await self.expect_none("never", within_s=0.001)


def test_its_client(node: Any, run_loop: Any) -> None:
    async def main() -> Any:
        async with await listen("ws://127.0.0.1:0", lambda _: Api(), subprotocols=[SUBPROTOCOL]) as server:
            written = await node.run("graphql_ws_client.cjs", server.address)
            assert server.failures == []
            return json.loads(written)

    Api.stopped = 0
    assert run_loop(main()) == {
        "query": [{"data": {"hello": "Grüße"}}],
        "left": [{"data": {"ticks": 0}}, {"data": {"ticks": 1}}],
        "all": [{"data": {"ticks": 0}}, {"data": {"ticks": 1}}, {"data": {"ticks": 2}}],
        "error": [{"message": "no such field", "extensions": {"code": "INVALID"}}],
        "refused": "4403 Forbidden",
    }
    assert Api.stopped == 1

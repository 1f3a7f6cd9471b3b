"""A GraphQL server over WebSocket: `antiphon run graphql_ws.py`, with `graphql = "ws://…"` in antiphon.toml."""

from typing import Any

from antiphon import Actor, GraphqlWs, WebSocket, action, scenario


class Viewer(Actor):
    api = WebSocket("{graphql}", dialect=GraphqlWs({"authorization": "Bearer {user.password}"}), within_s=10)

    @action
    async def query(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a query or mutation."""
        result = await self.ask("subscribe", query=query, variables=variables)
        return dict(result["data"])

    @action
    async def watch(self, query: str, count: int, **variables: Any) -> list[dict[str, Any]]:
        """The data of the first results of a subscription, which is then left."""
        seen: list[dict[str, Any]] = []
        async for message in self.ask("subscribe", query=query, variables=variables):
            if message.name == "next":
                seen.append(message["data"])
            if len(seen) == count:
                break
        return seen


@scenario
async def countdown(viewer: Viewer) -> list[int]:
    hello = await viewer.query("query Greet($name: String!) { hello(name: $name) }", name="Grüße")
    assert hello == {"hello": "hello, Grüße"}
    seen = await viewer.watch("subscription Count($from: Int!) { countdown(from: $from) }", 3, **{"from": 10})
    return [each["countdown"] for each in seen]

"""A contact centre over real sockets, and a client of it that is not antiphon's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from antiphon_testbed import ContactCentre

Test = Callable[["Visitor"], Awaitable[None]]


class Visitor:
    """Someone who talks to a centre over HTTP, and sits down at desks."""

    def __init__(self, centre: ContactCentre, session: aiohttp.ClientSession) -> None:
        self.centre = centre
        self.session = session

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.centre.address + path, **options) as response:
            assert response.content_type == "application/json"
            assert response.headers["Connection"] == "close"
            return response.status, await response.json()

    async def log_in(self, name: str = "alice") -> str:
        user = next(user for user in self.centre.users if user["name"] == name)
        status, body = await self.ask("POST", "/login", json={"user": name, "password": user["password"]})
        assert status == 200
        return str(body["token"])

    @asynccontextmanager
    async def desk(self, name: str = "alice", **options: Any) -> AsyncIterator[Desk]:
        token = await self.log_in(name)
        address = self.centre.address + "/desk"
        async with self.session.ws_connect(address, headers={"Authorization": f"Bearer {token}"}, **options) as line:
            yield Desk(line)

    async def finished_call(self, name: str = "alice") -> str:
        """A whole call; gives its interaction's id."""
        async with self.desk(name) as desk:
            await desk.open()
            ids = await desk.connect()
            await desk.say("hangUp", workitemID=ids["workitemID"])
            await desk.hear_all("resultHangUp", "newWorkitemState", "newAgentState")
            await desk.say("finishWorkitem", workitemID=ids["workitemID"], dispositionID="resolved")
            await desk.hear_all("newWorkitemState", "resultFinishWorkitem", "agentCapacity", "newAgentState")
            return ids["interactionID"]


class Desk:
    """One connected desk."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self.line = line

    async def hear(self) -> tuple[str, dict[str, Any]]:
        frame = await self.line.receive(timeout=5)
        assert frame.type == aiohttp.WSMsgType.TEXT, frame
        message = frame.json()
        assert set(message) == {"action", "data"}
        return message["action"], message["data"]

    async def hear_all(self, *names: str) -> list[dict[str, Any]]:
        heard = [await self.hear() for _ in names]
        assert [name for name, _ in heard] == list(names)
        return [data for _, data in heard]

    async def open(self) -> None:
        await self.hear_all("connectionStatus", "newAgentState", "agentCapacity")

    async def say(self, action: str, **data: Any) -> None:
        await self.line.send_json({"action": action, "data": data})

    async def connect(self, destination: str = "890000002") -> dict[str, str]:
        """Call somebody who answers; gives the ids."""
        await self.say("newOutInteraction", destination=destination)
        created, _ = await self.hear_all("resultNewOutInteraction", "newWorkitemState")
        ids = {"workitemID": created["workitemID"], "interactionID": created["interactionID"]}
        await self.say("startNewOutInteraction", workitemID=ids["workitemID"], destination=destination)
        await self.hear_all("agentCapacity", "newRtc")
        await self.say("acceptRtc", **ids, answer="v=0")
        await self.hear_all("resultAcceptRtc", "resultStartNewOutInteraction", "newWorkitemState", "workitemPartyList")
        return ids

    async def closed(self) -> tuple[int | None, str | None]:
        """Read to the end; gives how it was closed."""
        while True:
            frame = await self.line.receive(timeout=5)
            if frame.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return self.line.close_code, frame.extra


@pytest.fixture(scope="session")
def visitor_of() -> type[Visitor]:
    return Visitor


@pytest.fixture(scope="session")
def visit() -> Callable[..., None]:
    """Run a test against a centre of its own, which must not have failed inside."""
    return _visit


def _visit(test: Test, **options: Any) -> None:
    async def main() -> None:
        async with (
            ContactCentre(**{"answer_after_s": 0.0, "release_s": 0.0, **options}) as centre,
            aiohttp.ClientSession() as session,
        ):
            await test(Visitor(centre, session))
            assert centre.failures == []

    asyncio.run(asyncio.wait_for(main(), 30))

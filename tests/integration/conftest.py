"""A peer that says exactly what a test tells it to, and an actor that talks to it over memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
import uvloop

from antiphon import Actor, Json, Link, Opening, Run, Scenario, Stand, perform
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.interface import Connection, Receiver
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Party(Actor):
    """Who the tests play."""

    line = Link("{peer}", dialect=DIALECT, within_s=5)


class Peer:
    """The other side, by hand: `say` sends a message, `heard` is what was received, `on_request` reacts to a name."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.openings: list[Opening] = []
        self.heard: list[tuple[str, Any]] = []
        self.endings: list[Ending] = []
        self.greeting: list[tuple[str, dict[str, Any]]] = []
        self.on_request: dict[str, Callable[[Any], None]] = {}

    def accept(self, opening: Opening) -> Receiver:
        self.openings.append(opening)
        return self

    def on_opened(self, connection: Connection) -> None:
        self.connection = connection
        for name, body in self.greeting:
            self.say(name, **body)

    def on_data(self, data: Data) -> None:
        document = msgspec.json.decode(data)
        self.heard.append((document["action"], document["data"]))
        react = self.on_request.get(document["action"])
        if react is not None:
            react(document["data"])

    def on_ended(self, ending: Ending) -> None:
        self.connection = None
        self.endings.append(ending)

    def say(self, name: str, **body: Any) -> None:
        self.say_raw(msgspec.json.encode({"action": name, "data": body}).decode())

    def say_raw(self, data: Data) -> None:
        assert self.connection is not None
        self.connection.send(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        assert self.connection is not None
        self.connection.close(code, reason)

    def abort(self) -> None:
        assert self.connection is not None
        self.connection.abort()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture(
    params=[asyncio.new_event_loop, uvloop.new_event_loop, VirtualTimeLoop], ids=["asyncio", "uvloop", "virtual"]
)
def run_loop(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine on a fresh loop of each kind."""
    factory = request.param

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(coroutine)

    return run


@pytest.fixture
def play_with(peer: Peer, run_loop: Callable[..., Any]) -> Callable[..., Run]:
    """Performs a scenario against the peer."""

    async def perform_here(scenario: Scenario[Any, Any], **options: Any) -> Run:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", peer.accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        try:
            return await perform(scenario, stand=stand, **{"runs": None, "linger_s": 0.0, **options})
        finally:
            await listening.close()

    def play(scenario: Scenario[Any, Any], **options: Any) -> Run:
        run: Run = run_loop(perform_here(scenario, **options))
        return run

    return play


@pytest.fixture
def party() -> type[Party]:
    return Party

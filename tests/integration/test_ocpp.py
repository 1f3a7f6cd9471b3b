"""OCPP over WebSocket, an actor as the station and one as the central system."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import uvloop

from antiphon import (
    ANY,
    DEFERRED,
    UNREADABLE,
    Accepted,
    Actor,
    ErrorReply,
    Message,
    Ocpp,
    RequestRefused,
    Server,
    Stand,
    WebSocket,
    action,
    listen,
    on,
    perform,
    scenario,
)


class CentralSystem(Actor):
    """Asks back before it answers, and knows little."""

    station = Accepted(dialect=Ocpp(), within_s=10)

    def __init__(self) -> None:
        self.waiting: list[Message] = []

    @on("BootNotification")
    async def boot(self, request: Message) -> dict[str, Any]:
        level = await self.configuration("HeartbeatInterval")
        return {"status": "Accepted", "interval": int(level), "model": request["chargePointModel"]}

    @action
    async def configuration(self, key: str) -> str:
        answer = await self.ask("GetConfiguration", key=[key])
        return str(answer["configurationKey"][0]["value"])

    @on("Authorize")
    def authorize(self, request: Message) -> Any:
        self.waiting.append(request)
        return DEFERRED

    @on("Heartbeat")
    def answer_all(self, _request: Message) -> None:
        while self.waiting:
            request = self.waiting.pop()
            self.answer(request, {"idTagInfo": {"status": request["idTag"]}})

    @on(UNREADABLE)
    def complain(self, _message: Message) -> None:
        self.station.send_data('[4,"-1","RpcFrameworkError","",{}]')

    @on(ANY)
    def refuse_all(self, message: Message) -> None:
        if message.is_request:
            raise ErrorReply("NotImplemented", "the action is not known", action=message.name)


class Station(Actor):
    central = WebSocket("{central}/CP001", dialect=Ocpp(), within_s=10)

    @on("GetConfiguration")
    def configure(self, request: Message) -> dict[str, Any]:
        return {"configurationKey": [{"key": request["key"][0], "readonly": True, "value": "300"}]}


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Performs a scenario with a central system, over WebSocket."""

    def play(scene: Any, subprotocol: str = "ocpp1.6") -> Any:
        async def main() -> tuple[Any, Server]:
            async with await listen(
                "ws://127.0.0.1:0", lambda _: CentralSystem(), subprotocols=[subprotocol]
            ) as server:
                run = await perform(scene, stand=Stand("t", {"central": server.address}), runs=None)
                return run.value, server

        with asyncio.Runner(loop_factory=request.param) as runner:
            value, server = runner.run(main())
            assert server.failures == []
            return value

    return play


def test_both_call_while_they_wait(play: Any) -> None:
    @scenario(strict=True)
    async def boot(station: Station) -> Any:
        return (await station.ask("BootNotification", chargePointModel="Größe 1")).body

    assert play(boot) == {"status": "Accepted", "interval": 300, "model": "Größe 1"}


def test_answers_come_in_any_order(play: Any) -> None:
    @scenario(strict=True)
    async def authorize(station: Station) -> list[str]:
        asked = [station.ask("Authorize", idTag=tag) for tag in ("one", "two", "three")]
        beat = await station.ask("Heartbeat")
        return [(await exchange)["idTagInfo"]["status"] for exchange in asked] + [beat.name, beat.body]

    assert play(authorize) == ["one", "two", "three", "Heartbeat.result", {}]


def test_a_call_that_nobody_knows_is_refused(play: Any) -> None:
    @scenario(strict=True)
    async def transfer(station: Station) -> Any:
        with pytest.raises(RequestRefused, match="NotImplemented") as refused:
            await station.ask("DataTransfer", vendorId="x")
        return refused.value.message.body

    details = {"action": "DataTransfer"}
    told = {"code": "NotImplemented", "description": "the action is not known", "details": details}
    assert play(transfer) == told


def test_what_cannot_be_read_can_be_answered(play: Any) -> None:
    @scenario(strict=True)
    async def mumble(station: Station) -> Any:
        station.central.send_data("[2]")
        return (await station.expect("error")).body

    assert play(mumble) == {"code": "RpcFrameworkError", "description": "", "details": {}}


def test_an_answer_to_nothing_is_shown_and_an_id_may_come_again(play: Any) -> None:
    @scenario(strict=True)
    async def repeat(station: Station) -> Any:
        station.central.send_data('[3,"77",{}]')
        for tag in ("one", "two"):
            station.central.send_data(f'[2,"same","Authorize",{{"idTag":"{tag}"}}]')
        await station.ask("Heartbeat")
        told = [await station.expect("result") for _ in range(2)]
        return [(message.reply_to, message["idTagInfo"]["status"]) for message in told]

    assert play(repeat) == [("same", "two"), ("same", "one")]


class Heartbeat(msgspec.Struct):
    pass


def test_a_station_of_the_next_version(play: Any) -> None:
    class Next(Actor):
        central = WebSocket("{central}/CP001", dialect=Ocpp("2.0.1", new_id=uuid4), within_s=10)

    @scenario(strict=True)
    async def beat(station: Next) -> Any:
        return (await station.ask(Heartbeat())).name, station.central.subprotocol

    assert play(beat, "ocpp2.0.1") == ("Heartbeat.result", "ocpp2.0.1")

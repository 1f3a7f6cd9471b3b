"""OCPP with ocpp-rpc, a JavaScript library that checks what it hears against the standard's schemas, at either end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    ANY,
    Accepted,
    Actor,
    ErrorReply,
    Message,
    Ocpp,
    Opening,
    RequestRefused,
    Stand,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.scenarios.scenario import load_file

pytestmark = pytest.mark.slow
NEEDS = ("ocpp-rpc",)
EXAMPLE = Path(__file__).parents[2] / "examples" / "real" / "ocpp.py"


class Station(Actor):
    central = WebSocket("{central}/CP001", dialect=Ocpp(), within_s=10)

    @on("GetLocalListVersion")
    def version(self, _request: Message) -> dict[str, int]:
        return {"listVersion": 41}


class Stranger(Actor):
    central = WebSocket("{central}/CP666", dialect=Ocpp(), opens="manually")


class Next(Actor):
    central = WebSocket("{central}/CP002", dialect=Ocpp("2.0.1"), within_s=10)


@scenario(strict=True)
async def ask_while_asked(station: Station) -> Any:
    asked = [station.ask("Authorize", idTag="04A2"), station.ask("Heartbeat")]
    answers = [await exchange for exchange in asked]
    return answers[0]["idTagInfo"]["parentIdTag"], [answer.name for answer in answers]


@scenario(strict=True)
async def be_refused(station: Station, stranger: Stranger) -> Any:
    with pytest.raises(RequestRefused) as unknown:
        await station.ask("DataTransfer", vendorId="x")
    with pytest.raises(RequestRefused) as wrong:
        await station.ask("BootNotification", chargePointVendor=5)
    return unknown.value.message.body, wrong.value.message["code"], (await stranger.central.expect_refusal(401)).code


@scenario(strict=True)
async def beat(station: Next) -> Any:
    return (await station.ask("Heartbeat")).name


REFUSED = {"code": "NotSupported", "description": "not here", "details": {"since": 2016}}


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (load_file(str(EXAMPLE)).a_day, [300, "Accepted"]),
        (ask_while_asked, ("41", ["Authorize.result", "Heartbeat.result"])),
        (be_refused, (REFUSED, "OccurrenceConstraintViolation", 401)),
        (beat, "Heartbeat.result"),
    ],
    ids=["example", "ask_while_asked", "be_refused", "beat"],
)
def test_its_central_system(node: Any, run_loop: Any, scene: Any, told: Any) -> None:
    stand = Stand("real", {"central": node.start("ocpp_central.cjs")})
    assert run_loop(perform(scene, stand=stand, runs=None)).value == told


class Central(Actor):
    """Asks while it is asked."""

    now = "2026-11-27T16:00:00.000Z"

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @on("BootNotification")
    async def boot(self, _request: Message) -> dict[str, Any]:
        self.heard.append((await self.ask("TriggerMessage", requestedMessage="Heartbeat")).body)
        try:
            await self.ask("Reset", type=self.reset)
        except RequestRefused as refused:
            self.heard.append(refused.message.body)
        return {"status": "Accepted", "interval": 300, "currentTime": self.now}

    @on("Heartbeat")
    def beat(self, _request: Message) -> dict[str, str]:
        return {"currentTime": self.now}

    @on(ANY)
    def refuse_all(self, message: Message) -> None:
        if message.is_request:
            raise ErrorReply("NotImplemented", "not known", action=message.name)

    reset = "Soft"


class Central16(Central):
    station = Accepted(dialect=Ocpp("1.6"))


class Central201(Central):
    station = Accepted(dialect=Ocpp("2.0.1"))
    reset = "Immediate"


@pytest.mark.parametrize(("kind", "version"), [(Central16, "1.6"), (Central201, "2.0.1")], ids=["1.6", "2.0.1"])
def test_its_station(node: Any, run_loop: Any, kind: type[Central], version: str) -> None:
    async def main() -> Any:
        centrals, openings = [], []

        def accept(opening: Opening) -> Actor:
            openings.append(opening)
            centrals.append(kind())
            return centrals[-1]

        async with await listen("ws://127.0.0.1:0", accept, subprotocols=[f"ocpp{version}"]) as server:
            written = await node.run("ocpp_station.cjs", server.address, f"ocpp{version}")
            assert server.failures == []
        return json.loads(written), openings[0].path, centrals[0].heard

    told, path, heard = run_loop(main())
    refused = ["NotImplemented", "not known", {"action": "DataTransfer"}]
    assert told == {"boot": 300, "refused": refused, "beats": 3, "bad": []}
    assert path == "/CP001"
    broken = {"code": "InternalError", "description": "broken", "details": {"since": 1}}
    assert heard == [{"status": "Accepted"}, broken]

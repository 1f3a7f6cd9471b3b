"""A charging station and its OCPP 1.6 central system: `antiphon run ocpp.py`, `central = "ws://…"` in antiphon.toml."""

from typing import Any

from antiphon import Actor, Message, Ocpp, WebSocket, action, on, scenario


class Station(Actor):
    central = WebSocket("{central}/CP001", dialect=Ocpp("1.6"), within_s=10)

    def __init__(self) -> None:
        self.availability = "Operative"

    @on("ChangeAvailability")
    def change(self, request: Message) -> dict[str, str]:
        self.availability = request["type"]
        return {"status": "Accepted"}

    @action
    async def boot(self) -> int:
        """Say who we are; gives how often to beat, in seconds."""
        answer = await self.ask("BootNotification", chargePointVendor="antiphon", chargePointModel="One")
        assert answer["status"] == "Accepted", answer["status"]
        return int(answer["interval"])

    @action
    async def charge(self, tag: str, energy_wh: int) -> str:
        """Charge once; gives what the central system says of the tag in the end."""
        begun: dict[str, Any] = {"connectorId": 1, "idTag": tag, "meterStart": 0, "timestamp": "2026-11-27T16:00:00Z"}
        started = await self.ask("StartTransaction", begun)
        ended = {"meterStop": energy_wh, "timestamp": "2026-11-27T17:00:00Z", "transactionId": started["transactionId"]}
        stopped = await self.ask("StopTransaction", ended)
        return str(stopped["idTagInfo"]["status"])


@scenario
async def a_day(station: Station) -> list[Any]:
    interval_s = await station.boot()
    told = await station.charge("04A2", 5_000)
    await station.until(lambda: station.availability == "Inoperative")  # the central system says so of itself
    return [interval_s, told]

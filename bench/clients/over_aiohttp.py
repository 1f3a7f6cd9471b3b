"""What people write by hand with aiohttp's client: a loop of send and receive."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import ClientSession, TCPConnector, WSMsgType

from bench.conversation import ASK, FIRST_ID, REPLY, REST_OF_REQUEST
from bench.meter import Meter
from bench.visits import visit_again_and_again

__all__ = ["converse", "visit"]


class Party:
    """One connection. Neither deadlines nor a record: it would be slower with them."""

    def __init__(self) -> None:
        self.done = 0

    async def converse(self, session: ClientSession, address: str, meter: Meter) -> None:
        """Hold the conversation until it is over."""
        decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
        workitem_id = FIRST_ID
        async with session.ws_connect(f"{address}/desk") as connection:
            await meter.join(self)
            while not meter.is_over:
                body = {"workitemID": workitem_id, **REST_OF_REQUEST}
                await connection.send_frame(encode({"action": ASK, "data": body}), WSMsgType.TEXT)
                reply = decode(await connection.receive_str())
                body = reply["data"]
                if reply["action"] != REPLY or body["result"] == "error" or body["state"] != "ready":
                    raise AssertionError(f"an unexpected reply: {reply}")
                workitem_id = body["workitemID"]
                self.done += 1
            await meter.leave()


async def converse(address: str, meter: Meter) -> None:
    """Hold the conversation on as many connections as the meter's plan says, until it is over."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session, asyncio.TaskGroup() as group:
        for _ in range(meter.plan.connections):
            group.create_task(Party().converse(session, address, meter))


async def visit(address: str, meter: Meter) -> None:
    """Connect, ask and leave, again and again, until it is over; all in one session, as aiohttp advises."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        await visit_again_and_again(lambda at, one: Party().converse(session, at, one), address, meter)

"""What people write by hand: the `websockets` library's asyncio client, a loop of send and recv."""

from __future__ import annotations

import asyncio

import msgspec
from websockets.asyncio.client import connect

from bench.conversation import ASK, FIRST_ID, REPLY, REST_OF_REQUEST
from bench.meter import Meter

__all__ = ["converse"]


class Party:
    """One connection. Neither deadlines nor a record: it would be slower with them."""

    def __init__(self) -> None:
        self.done = 0

    async def converse(self, address: str, meter: Meter) -> None:
        """Hold the conversation until it is over."""
        decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
        workitem_id = FIRST_ID
        async with connect(address, compression=None) as connection:
            await meter.join(self)
            while not meter.is_over:
                body = {"workitemID": workitem_id, **REST_OF_REQUEST}
                await connection.send(encode({"action": ASK, "data": body}), text=True)
                reply = decode(await connection.recv(decode=False))
                body = reply["data"]
                if reply["action"] != REPLY or body["result"] == "error" or body["state"] != "ready":
                    raise AssertionError(f"an unexpected reply: {reply}")
                workitem_id = body["workitemID"]
                self.done += 1
            await meter.leave()


async def converse(address: str, meter: Meter) -> None:
    """Hold the conversation on as many connections as the meter's plan says, until it is over."""
    async with asyncio.TaskGroup() as group:
        for _ in range(meter.plan.connections):
            group.create_task(Party().converse(address, meter))

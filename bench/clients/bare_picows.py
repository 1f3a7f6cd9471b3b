"""The limit: picows' core API, which decodes, checks and answers in the frame's own callback."""

from __future__ import annotations

import asyncio

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.conversation import ASK, FIRST_ID, REPLY, REST_OF_REQUEST
from bench.meter import Meter

__all__ = ["converse"]

_TEXT = WSMsgType.TEXT


class Party(WSListener):
    """One connection."""

    def __init__(self, meter: Meter) -> None:
        self.done = 0
        self.is_silent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._meter = meter
        self._decode = msgspec.json.Decoder().decode
        self._encode = msgspec.json.Encoder().encode

    def ask(self, transport: WSTransport, workitem_id: str) -> None:
        """Send the next request."""
        body = {"workitemID": workitem_id, **REST_OF_REQUEST}
        transport.send(_TEXT, self._encode({"action": ASK, "data": body}))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not _TEXT:
            transport.disconnect()
            return
        reply = self._decode(frame.get_payload_as_memoryview())
        body = reply["data"]
        if reply["action"] != REPLY or body["result"] == "error" or body["state"] != "ready":
            raise AssertionError(f"an unexpected reply: {reply}")
        self.done += 1
        if self._meter.is_over:
            self.is_silent.set_result(None)
        else:
            self.ask(transport, body["workitemID"])

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        if not self.is_silent.done():
            self.is_silent.set_result(None)


async def converse(address: str, meter: Meter) -> None:
    """Hold the conversation on as many connections as the meter's plan says, until it is over."""

    async def one() -> None:
        transport, party = await ws_connect(lambda: Party(meter), address)
        assert isinstance(party, Party)
        await meter.join(party)
        party.ask(transport, FIRST_ID)
        await party.is_silent
        await meter.leave()
        transport.send_close(WSCloseCode.OK)
        await transport.wait_disconnected()  # raises what the callback raised

    async with asyncio.TaskGroup() as group:
        for _ in range(meter.plan.connections):
            group.create_task(one())

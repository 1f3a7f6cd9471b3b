"""What a load measures of requests over HTTP, which are no messages."""

from __future__ import annotations

import asyncio

import uvloop
from aiohttp import web

from antiphon import Actor, Http, Plan, Stand, ThresholdCrossed, action, part, scenario
from antiphon.load.loads import Load, perform_load


class Clerk(Actor, user=False):
    api = Http("{office}")

    @action
    async def file(self) -> None:
        await self.api.post("/files", json={"what": "a letter"})
        await self.api.get("/files/4711", status={200, 503})


@scenario
async def filing(clerk: Clerk) -> None:
    await clerk.file()


async def perform(status: int) -> Load:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({}, status=200 if request.method == "POST" else status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        stand = Stand("office", {"office": f"http://{host}:{port}"})
        return await perform_load(Plan(part(filing, count=3)), stand=stand, runs=None)
    except ThresholdCrossed as error:
        crossed: Load = error.load
        return crossed
    finally:
        await runner.cleanup()


def test_each_request_is_measured_in_its_step() -> None:
    async def perform_both() -> tuple[Load, Load]:
        return await asyncio.gather(perform(200), perform(503))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loads = runner.run(perform_both())
    for load, errors in zip(loads, (0, 3), strict=True):
        series = load.figures.series
        assert {name: (each.kind, each.histogram.count, each.errors) for name, each in series.items()} == {
            "filing": ("conversation", 3, 0),
            "filing/file": ("step", 3, 0),
            "filing/file/POST /files": ("http", 3, 0),
            "filing/file/GET /files/*": ("http", 3, errors),
        }
        assert series["filing/file"].split_us.keys() == {"POST /files", "GET /files/*", ""}

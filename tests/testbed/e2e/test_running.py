"""One run of a centre: desks that go, closing time, and records that outlive it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from antiphon_testbed import ContactCentre


def test_records_survive_a_restart(visit, tmp_path: Path) -> None:
    known: list[Any] = []

    async def before(visitor) -> None:
        interaction_id = await visitor.finished_call()
        known.append(await visitor.ask("GET", f"/interactions/{interaction_id}"))

    async def after(visitor) -> None:
        interaction_id = known[0][1]["interactionID"]
        assert await visitor.ask("GET", f"/interactions/{interaction_id}") == known[0]

    visit(before, database=tmp_path / "records.sqlite")
    visit(after, database=tmp_path / "records.sqlite")


@pytest.mark.parametrize("how", ["goodbye", "cut"])
def test_a_desk_that_goes_in_the_middle_of_a_call(visit, how: str) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            ids = await desk.connect()
            if how == "goodbye":
                await desk.line.close()
            else:
                desk.line._response.connection.transport.abort()
            while (await visitor.ask("GET", "/health"))[1]["desks"]:
                pass
            _, record = await visitor.ask("GET", f"/interactions/{ids['interactionID']}")
            assert (record["state"], record["ended_by"], record["disposition"]) == (
                "finished",
                "deskDisconnected",
                None,
            )

    visit(test)


def test_closing_time_in_the_middle_of_a_call(visitor_of, tmp_path: Path) -> None:
    database = tmp_path / "records.sqlite"

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            async with ContactCentre(database=database, answer_after_s=0) as centre:
                seat = visitor_of(centre, session).desk()
                desk = await seat.__aenter__()
                await desk.open()
                ids = await desk.connect()
                closed = asyncio.create_task(desk.closed())
            assert (await closed)[0] == 1001
            await seat.__aexit__(None, None, None)
            async with ContactCentre(database=database) as centre:
                _, record = await visitor_of(centre, session).ask("GET", f"/interactions/{ids['interactionID']}")
                assert (record["state"], record["ended_by"]) == ("finished", "centreStopped")

    asyncio.run(asyncio.wait_for(main(), 30))

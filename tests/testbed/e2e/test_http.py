"""The contact centre over HTTP: logins, health, errors, and what its records say."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from antiphon_testbed import ContactCentre

ALICE = {"user": "alice", "password": "looking-glass"}


def test_login_gives_a_token_and_a_cookie(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.session.post(visitor.centre.address + "/login", json=ALICE) as response:
            assert response.status == 200
            token = (await response.json())["token"]
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith(f"session={token};")
        assert "HttpOnly" in cookie

    visit(test)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"user": "alice", "password": "wrong"}', 401, "wrongLogin"),
        (b'{"user": "nobody", "password": ""}', 401, "wrongLogin"),
        (b"", 400, "badRequest"),
        (b"user=alice", 400, "badRequest"),
        (b"[]", 400, "badRequest"),
        (b'{"user": "alice"}', 400, "badRequest"),
        (b'{"user": 5, "password": "x"}', 400, "badRequest"),
        (b'{"user": "alice", "password": null}', 400, "badRequest"),
        (b'{"user": "\xff", "password": "x"}', 400, "badRequest"),
        (b"[" * 100_000, 400, "badRequest"),
        (b" " * (1024 * 1024 + 1), 413, "requestEntityTooLarge"),
    ],
)
def test_a_login_that_is_none(visit, body: bytes, status: int, code: str) -> None:
    async def test(visitor) -> None:
        answered, error = await visitor.ask("POST", "/login", data=io.BytesIO(body))
        assert (answered, error["code"]) == (status, code)
        assert error["message"]

    visit(test)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/interactions/nobody's", 404, "unknownInteraction"),
        ("GET", "/nowhere", 404, "notFound"),
        ("GET", "/login", 405, "methodNotAllowed"),
        ("GET", "/desk", 426, "upgradeRequired"),
        ("GET", "/interactions?since=yesterday", 400, "badRequest"),
        ("GET", "/interactions?since=2026-01-01T00:00:00%2B25:00", 400, "badRequest"),
        ("GET", "/interactions?limit=0", 400, "badRequest"),
        ("GET", "/interactions?limit=1001", 400, "badRequest"),
        ("GET", "/interactions?limit=ten", 400, "badRequest"),
        ("GET", "/interactions?after=-1", 400, "badRequest"),
        ("GET", "/interactions?after=12", 400, "badRequest"),
        ("GET", "/interactions?limit=5&limit=6", 400, "badRequest"),
        ("GET", "/interactions?colour=blue", 400, "badRequest"),
        ("POST", "/calls", 400, "badRequest"),
        ("DELETE", "/calls/1", 404, "unknownInteraction"),
        ("POST", "/chats", 400, "badRequest"),
        ("POST", "/chats/1/messages", 400, "badRequest"),
        ("GET", "/chats/1", 404, "unknownInteraction"),
        ("DELETE", "/chats/1", 404, "unknownInteraction"),
        ("POST", "/tasks", 400, "badRequest"),
    ],
)
def test_what_the_centre_does_not_give(visit, method: str, path: str, status: int, code: str) -> None:
    async def test(visitor) -> None:
        answered, error = await visitor.ask(method, path)
        assert (answered, error["code"]) == (status, code)
        assert error["message"]

    visit(test)


def test_health_counts_desks_and_calls(visit) -> None:
    async def test(visitor) -> None:
        assert await visitor.ask("GET", "/health") == (200, {"status": "ok", "desks": 0, "calls": 0})
        async with visitor.desk() as desk:
            await desk.open()
            await desk.connect()
            assert (await visitor.ask("GET", "/health"))[1] == {"status": "ok", "desks": 1, "calls": 1}

    visit(test)


def test_many_requests_one_after_the_other_and_at_once(visit) -> None:
    async def test(visitor) -> None:
        tokens = [await visitor.log_in() for _ in range(10)]
        tokens += await asyncio.gather(*(visitor.log_in("bob") for _ in range(10)))
        assert len(set(tokens)) == 20

    visit(test)


def test_the_record_of_a_call(visit) -> None:
    async def test(visitor) -> None:
        interaction_id = await visitor.finished_call()
        status, record = await visitor.ask("GET", f"/interactions/{interaction_id}")
        assert status == 200
        assert [entry["state"] for entry in record["states"]] == [
            "created",
            "dialling",
            "connected",
            "wrapUp",
            "finished",
        ]
        assert (record["state"], record["disposition"], record["user"]) == ("finished", "resolved", "alice")
        assert record["talk_s"] == record["states"][2]["seconds"]

    visit(test)


def test_records_in_pages(visit) -> None:
    async def test(visitor) -> None:
        ids = [await visitor.finished_call(name) for name in ("alice", "bob", "alice")]
        _, page = await visitor.ask("GET", "/interactions")
        assert [item["interactionID"] for item in page["items"]] == ids
        assert page["next"] is None
        _, page = await visitor.ask("GET", "/interactions?user=alice&limit=1")
        assert [item["interactionID"] for item in page["items"]] == ids[:1]
        _, page = await visitor.ask("GET", page["next"])
        assert [item["interactionID"] for item in page["items"]] == ids[2:]
        since = page["items"][0]["started_at"]
        _, page = await visitor.ask("GET", "/interactions", params={"since": since})
        assert ids[2] in [item["interactionID"] for item in page["items"]]
        _, page = await visitor.ask("GET", "/interactions?since=2999-01-01T00:00:00Z")
        assert page == {"items": [], "next": None}

    visit(test)


def test_the_pages_of_a_user_one_after_the_other(visit) -> None:
    async def test(visitor) -> None:
        ids = [await visitor.finished_call("alice") for _ in range(3)]
        await visitor.finished_call("bob")
        seen: list[str] = []
        path = "/interactions?user=alice&limit=2&since=2020-01-01T00:00:00%2B01:00"
        while path is not None:
            _, page = await visitor.ask("GET", path)
            assert len(page["items"]) <= 2
            seen += [item["interactionID"] for item in page["items"]]
            path = page["next"]
        assert seen == ids

    visit(test)


def test_metrics(visit) -> None:
    async def test(visitor) -> None:
        async def scrape() -> str:
            async with visitor.session.get(visitor.centre.address + "/metrics") as response:
                assert response.status == 200
                assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
                return await response.text()

        assert "\ncontact_centre_desks 0\n" in await scrape()
        await visitor.finished_call()
        async with visitor.desk() as desk:
            await desk.open()
            await desk.say("makeCoffee")
            await desk.hear_all("error")
            text = await scrape()
        for sample in (
            "desks 1",
            'agents{state="notReady"} 1',
            'logins_total{result="success"} 2',
            "desks_opened_total 2",
            'interactions_ended_total{channel="voice",direction="out",outcome="agent"} 1',
            'messages_received_total{action="hangUp"} 1',
            'messages_received_total{action="other"} 1',
            'messages_sent_total{action="resultHangUp"} 1',
            'faults_total{kind="twice"} 1',
        ):
            assert f"\ncontact_centre_{sample}\n" in text

    visit(test, faults=["twice:newRtc,user=alice,nth=2", "twice:error"])


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

"""The door to the desks, and what desks hear through it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest


def test_the_opening_comes_before_the_desk_says_anything(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            status, state, capacity = await desk.hear_all("connectionStatus", "newAgentState", "agentCapacity")
            assert status == {"status": "connected", "user": "alice", "sessionID": status["sessionID"]}
            assert state == {"state": "notReady", "reason": "login"}
            assert capacity == {"voice": 1, "chat": 3, "task": 5}

    visit(test)


@pytest.mark.parametrize("scheme", ["cookie", "bearer"])
def test_the_cookie_or_the_token_open_the_desk(visit, scheme: str) -> None:
    async def test(visitor) -> None:
        token = await visitor.log_in()
        headers = (
            {"Cookie": f"other=1; session={token}"} if scheme == "cookie" else {"Authorization": f"bearer {token}"}
        )
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(visitor.centre.address + "/desk?window=2", headers=headers) as line,
        ):
            assert (await line.receive_json(timeout=5))["action"] == "connectionStatus"

    visit(test)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/desk", {}, 401),
        ("/desk", {"Cookie": "session=made-up"}, 401),
        ("/desk", {"Cookie": "=;;;session"}, 401),
        ("/desk", {"Authorization": "Bearer made-up"}, 401),
        ("/desk", {"Authorization": "Bearer"}, 401),
        ("/desk", {"Authorization": "Basic YWxpY2U6eA=="}, 401),
        ("/elsewhere", {}, 404),
    ],
)
def test_who_is_refused_before_the_upgrade(visit, path: str, headers: dict[str, str], status: int) -> None:
    async def test(visitor) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await visitor.session.ws_connect(visitor.centre.address + path, headers=headers)
        assert refused.value.status == status
        assert (await visitor.ask("GET", "/health"))[1]["desks"] == 0

    visit(test)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "{",
        "[]",
        "null",
        '"ping"',
        '{"action": "ping"}',
        '{"action": 1, "data": {}}',
        '{"action": "x", "data": []}',
        b"{}",
    ],
)
def test_what_is_no_request_gets_an_error_and_the_connection_stays(visit, frame: str | bytes) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            await (desk.line.send_str(frame) if isinstance(frame, str) else desk.line.send_bytes(frame))
            (error,) = await desk.hear_all("error")
            assert error["code"] == "malformed"
            assert error["message"]
            await desk.say("getAgentData")
            await desk.hear_all("resultGetAgentData")

    visit(test)


@pytest.mark.parametrize("action", ["makeCoffee", "unnamed", "unreadable", "resultPong", "error", "*"])
def test_an_unknown_action_whatever_it_is_called(visit, action: str) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            await desk.say(action, requestID="7")
            (error,) = await desk.hear_all("error")
            assert (error["code"], error["action"], error["requestID"]) == ("unknownAction", action, "7")

    visit(test)


def test_a_frame_that_is_too_large_closes(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            await desk.say("sendDtmf", workitemID="x" * (1024 * 1024 - 100), digits="1")
            await desk.hear_all("resultSendDtmf")
            await desk.line.send_str("x" * (1024 * 1024 + 1))
            assert (await desk.closed())[0] == 1009

    visit(test)


def test_a_second_desk_of_a_user_closes_the_first(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as first:
            await first.open()
            ids = await first.connect()
            async with visitor.desk() as second:
                await second.open()
                assert await first.closed() == (4409, "replaced")
                _, record = await visitor.ask("GET", f"/interactions/{ids['interactionID']}")
                assert record["ended_by"] == "deskReplaced"
                await second.connect()

    visit(test)


def test_a_desk_that_does_not_answer_pings_is_closed(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            assert await desk.hear_all("ping", "ping") == [{"seq": 1}, {"seq": 2}]
            assert await desk.closed() == (4408, "no pong")

    visit(test, ping_interval_s=0.02)


def test_a_desk_that_answers_pings_stays(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            for seq in range(1, 20):
                assert await desk.hear() == ("ping", {"seq": seq})
                await desk.say("pong", seq=seq)

    visit(test, ping_interval_s=0.02)


def test_late_answers_come_in_order_and_before_their_events(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as desk:
            await desk.open()
            begun_s = asyncio.get_running_loop().time()
            for state in ("ready", "break", "notReady"):
                await desk.say("changeAgentState", state=state)
            for state in ("ready", "break", "notReady"):
                _, event = await desk.hear_all("resultChangeAgentState", "newAgentState")
                assert event["state"] == state
            assert asyncio.get_running_loop().time() - begun_s >= 0.02

    visit(test, latency_s=(0.02, 0.06), seed=3)


def test_the_same_seed_gives_the_same_tokens_and_ids(visit) -> None:
    seen: list[Any] = []

    async def test(visitor) -> None:
        token = await visitor.log_in("bob")
        async with visitor.desk() as desk:
            (status, _, _) = await desk.hear_all("connectionStatus", "newAgentState", "agentCapacity")
            seen.append((token, status, await desk.connect()))

    visit(test, seed=42)
    visit(test, seed=42)
    visit(test, seed=43)
    assert seen[0] == seen[1] != seen[2]


def test_many_desks_at_once_hear_only_what_is_theirs(visit) -> None:
    async def sit(visitor, name: str) -> None:
        async with visitor.desk(name) as desk:
            (status, _, _) = await desk.hear_all("connectionStatus", "newAgentState", "agentCapacity")
            assert status["user"] == name
            ids = await desk.connect(destination=f"8{name[4:]}")
            await desk.say("setHold", workitemID=ids["workitemID"])
            _, held, parties = await desk.hear_all("resultSetHold", "newWorkitemState", "workitemPartyList")
            assert held["workitemID"] == parties["workitemID"] == ids["workitemID"]
            assert [party["name"] for party in parties["parties"]] == [name, f"8{name[4:]}"]

    async def test(visitor) -> None:
        await asyncio.gather(*(sit(visitor, user["name"]) for user in visitor.centre.users))
        _, page = await visitor.ask("GET", "/interactions?limit=1000")
        assert len(page["items"]) == 60

    visit(test, users=60)

"""The contact centre over HTTP: logins, health, and what an error says."""

from __future__ import annotations

import asyncio
import io

import pytest

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

"""The HTTP channel: each request and its answer is one exchange in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from antiphon import (
    Actor,
    ConnectFailed,
    ExpectationFailed,
    Http,
    Run,
    ScenarioError,
    Stand,
    TransportError,
    perform,
    scenario,
)
from antiphon.journal import HttpExchange


class Client(Actor):
    api = Http("{server}", headers={"X-Party": "client"}, within_s=5)


async def answer(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/login":
            body = await request.json()
            response = web.json_response({"token": "tok-123456", "user": body["user"]})
            response.set_cookie("session", "cook-987654")
            return response
        case "/echo":
            told = {
                "query": dict(request.query),
                "cookie": request.cookies.get("session"),
                "party": request.headers.get("X-Party"),
            }
            return web.json_response({**told, "method": request.method, "body": await request.text()})
        case "/text":
            return web.Response(text="plain")
        case "/bytes":
            return web.Response(body=b"\x00\x01", content_type="application/octet-stream")
        case "/broken-json":
            return web.Response(text="{nope", content_type="application/json")
        case "/moved":
            raise web.HTTPFound("/text")
        case "/never":
            await asyncio.Event().wait()
    return web.json_response({"code": "notFound", "token": "hidden-token"}, status=404)


def play(client_does: Callable[[Client], Awaitable[Any]]) -> Run:
    @scenario
    async def talk(client: Client) -> Any:
        return await client_does(client)

    async def run() -> Run:
        server = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        try:
            return await perform(talk, stand=Stand("t", {"server": f"http://127.0.0.1:{port}"}), runs=None)
        finally:
            await server.cleanup()

    return asyncio.run(run())


def exchanges(run: Run) -> list[HttpExchange]:
    return [entry for entry in run.journal if isinstance(entry, HttpExchange)]


def test_json_both_ways_cookies_kept_and_headers_sent() -> None:
    async def talk(client: Client) -> Any:
        login = await client.api.post("/login", json={"user": "alice", "password": "pw-secret"})
        assert login["token"] == "tok-123456"
        assert login.cookies == {"session": "cook-987654"}
        return (await client.api.put("/echo", data="raw", params={"x": "1"}, headers={"X-More": "y"})).body

    run = play(talk)
    assert run.value == {
        "query": {"x": "1"},
        "cookie": "cook-987654",
        "party": "client",
        "method": "PUT",
        "body": "raw",
    }
    first, second = exchanges(run)
    assert (first.method, first.status, first.number) == ("POST", 200, 1)
    assert second.url.endswith("/echo")
    assert second.took_ns > 0


def test_bodies_are_read_as_what_they_are() -> None:
    async def talk(client: Client) -> Any:
        return [(await client.api.get(path)).body for path in ("text", "/bytes", "/broken-json", "/moved")]

    assert play(talk).value == ["plain", b"\x00\x01", "{nope", "plain"]


def test_another_status_is_a_failure_that_shows_the_body_without_its_secrets() -> None:
    async def talk(client: Client) -> Any:
        await client.api.get("/nothing")

    with pytest.raises(
        ExpectationFailed, match=r"GET http.*/nothing was answered with 404, wanted 200 to 299"
    ) as failed:
        play(talk)
    assert "notFound" in str(failed.value)
    assert "hidden-token" not in str(failed.value)
    assert "test_http.py" in str(failed.value)


def test_a_status_can_be_what_is_expected() -> None:
    async def talk(client: Client) -> Any:
        reply = await client.api.delete("/nothing", status=404, check={"code": "notFound"})
        return (await client.api.get("/moved", status={302, 301}, follow=False)).status, reply.get("code")

    assert play(talk).value == (302, "notFound")


def test_a_body_that_does_not_fit_is_a_failure() -> None:
    async def talk(client: Client) -> Any:
        await client.api.get("/echo", check={"method": "POST"})

    with pytest.raises(ExpectationFailed, match="method is 'GET', wanted 'POST'"):
        play(talk)


def test_no_answer_in_time() -> None:
    async def talk(client: Client) -> Any:
        await client.api.get("/never", within_s=0.05)

    with pytest.raises(TransportError, match=r"no whole answer within 0.05 s(.|\n)*GET http"):
        play(talk)


def test_nobody_there_and_no_address(unused_tcp_port: int) -> None:
    async def talk(client: Client) -> Any:
        with pytest.raises(ScenarioError, match="is no address"):
            await client.api.get("http://")
        await client.api.get(f"http://127.0.0.1:{unused_tcp_port}/x")

    with pytest.raises(ConnectFailed, match=r"nobody listens(.|\n)*is the system under test running there"):
        play(talk)

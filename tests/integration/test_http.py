"""The HTTP channel: each request and its answer is one exchange in the journal."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from antiphon import (
    Actor,
    AntiphonError,
    ConnectFailed,
    DialectError,
    ExpectationFailed,
    Http,
    Run,
    ScenarioError,
    Stand,
    TransportError,
    action,
    perform,
    scenario,
    within,
)
from antiphon.journal import HttpExchange, HttpRequested
from antiphon.transport import content_coding


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
    return answer_oddly(request)


def answer_oddly(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/headers":
            lines = [(name, value) for name, value in request.headers.items() if name.lower() in ("x-seat", "cookie")]
            answer = web.json_response({"lines": lines, "type": request.headers.getall("Content-Type", [])})
            answer.headers["X-Session-Token"] = "s-55"
            answer.headers.add("x-list", "one")
            answer.headers.add("X-List", "two")
            return answer
        case "/deep":
            return web.Response(text="[" * 100_000, content_type="application/json")
        case "/no-charset":
            return web.Response(body="grün".encode(), headers={"Content-Type": "text/plain; charset=no-such"})
        case "/bomb":
            body = gzip.compress(bytes(int(request.query["size"])), 9)
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        case "/large":
            return web.Response(body=bytes(int(request.query["size"])))
        case "/brotli":
            return web.Response(body=b"\x0b\x02", headers={"Content-Encoding": "br"})
    return web.json_response({"code": "notFound", "token": "hidden-token"}, status=404)


def play(client_does: Callable[[Any], Awaitable[Any]], kind: type[Actor] = Client) -> Run:
    async def talk(client: Any) -> Any:
        return await client_does(client)

    talk.__annotations__["client"] = kind

    async def run() -> Run:
        server = web.ServerRunner(web.Server(answer), shutdown_timeout=0.1)
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        try:
            return await perform(scenario(talk), stand=Stand("t", {"server": f"http://127.0.0.1:{port}"}), runs=None)
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


def test_what_was_said_is_known_as_it_was_whatever_becomes_of_it() -> None:
    """The author's own objects may be others by the time that the record is read, or that something is masked."""

    async def talk(client: Client) -> Any:
        login = {"user": "alice", "password": "pw-secret"}
        client.api.headers["Authorization"] = "Bearer auth-24680"
        response = await client.api.post("/login", json=login)
        assert client.api.headers.pop("Authorization")
        login.clear()
        response.body.clear()
        response.cookies.clear()
        response.headers.clear()  # type: ignore[attr-defined]
        raise ExpectationFailed("pw-secret, auth-24680, tok-123456, cook-987654")

    with pytest.raises(ExpectationFailed) as failed:
        play(talk)
    assert str(failed.value).count("***") == 4
    (exchange,) = exchanges(failed.value.run)
    assert (exchange.request_body, exchange.response_body) == (
        '{"user":"alice","password":"pw-secret"}',
        '{"token": "tok-123456", "user": "alice"}',
    )
    assert exchange.request_headers["Authorization"] == "Bearer auth-24680"
    assert "cook-987654" in exchange.response_headers["Set-Cookie"]


def test_a_large_body_is_learnt_too() -> None:
    async def talk(client: Client) -> Any:
        await client.api.post("/login", json={"user": "alice", "password": "pw-secret", "padding": "x" * 100_000})
        raise ExpectationFailed("pw-secret")

    with pytest.raises(ExpectationFailed) as failed:
        play(talk)
    assert "***" in str(failed.value)


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


def test_a_single_address_is_not_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """If aiohttp should connect in another way one day, `transport.http_connector` has lost its purpose."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("aiohttp has the loop connect a socket")

    monkeypatch.setattr("aiohappyeyeballs.start_connection", refuse)

    async def talk(client: Client) -> Any:
        return (await client.api.get("/text")).body

    assert play(talk).value == "plain"


def test_nobody_there_and_no_address(unused_tcp_port: int) -> None:
    async def talk(client: Client) -> Any:
        with pytest.raises(ScenarioError, match="is no address"):
            await client.api.get("http://")
        await client.api.get(f"http://127.0.0.1:{unused_tcp_port}/x")

    with pytest.raises(ConnectFailed, match=r"no server is listening(.|\n)*is the system under test running there"):
        play(talk)


# -- values ------------------------------------------------------------------------------------------------------------


def test_a_number_stays_the_number_that_it_is() -> None:
    async def talk(client: Client) -> Any:
        body = {"price": Decimal("0.10"), "id": 2**70, "share": 0.1, "none": None, "text": "NaN: null"}
        return (await client.api.post("/echo", json=body)).body["body"]

    run = play(talk)
    assert run.value == ('{"price":0.10,"id":1180591620717411303424,"share":0.1,"none":null,"text":"NaN: null"}')
    assert exchanges(run)[0].request_body == run.value, "the journal has what was sent"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("-Infinity"), Decimal("NaN"), object()])
def test_what_json_cannot_hold_is_an_error_and_nothing_is_sent(value: Any) -> None:
    async def talk(client: Client) -> Any:
        with pytest.raises(DialectError, match=r"POST http.*/echo cannot be written as JSON"):
            await client.api.post("/echo", json={"value": [value]})

    assert exchanges(play(talk)) == []


def test_bodies_that_cannot_be_decoded_are_text() -> None:
    async def talk(client: Client) -> Any:
        return [(await client.api.get("/deep")).body[:5], (await client.api.get("/no-charset")).body]

    assert play(talk).value == ["[[[[[", "grün"]


# -- headers -----------------------------------------------------------------------------------------------------------


def test_the_names_of_an_answers_headers_have_no_case() -> None:
    async def talk(client: Client) -> Any:
        headers = (await client.api.get("/headers")).headers
        return [headers["x-session-token"], headers["X-SESSION-TOKEN"], headers["X-List"], headers.get("X-None")]

    run = play(talk)
    assert run.value == ["s-55", "s-55", "one, two", None]
    assert exchanges(run)[0].response_headers["X-List"] == "one, two"


def test_the_names_of_a_requests_headers_have_no_case() -> None:
    async def talk(client: Client) -> Any:
        client.api.headers["X-Seat"] = "1"
        client.api.headers["x-seat"] = "2"
        headers = {"X-SEAT": "3", "content-type": "application/vnd.desk+json"}
        return (await client.api.post("/headers", json={}, headers=headers)).body

    run = play(talk)
    assert [value for _, value in run.value["lines"]] == ["3"]
    assert run.value["type"] == ["application/vnd.desk+json"]


def test_two_lines_of_cookies_are_one() -> None:
    async def talk(client: Client) -> Any:
        client.api.headers.add("Cookie", "a=1")
        client.api.headers.add("cookie", "b=2")
        return (await client.api.get("/headers")).body

    assert [value for _, value in play(talk).value["lines"]] == ["a=1; b=2"]


# -- size --------------------------------------------------------------------------------------------------------------


class Small(Actor):
    api = Http("{server}", within_s=5, max_size_bytes=1_000_000)


@pytest.mark.parametrize("path", ["/bomb", "/large"])
def test_an_answer_has_a_limit(path: str) -> None:
    async def talk(client: Client) -> Any:
        response = await client.api.get(path, params={"size": 1_000_000})
        assert response.raw == bytes(1_000_000)
        await client.api.get(path, params={"size": 1_000_001})

    with pytest.raises(TransportError, match=r"body has more than 1000000 bytes(.|\n)*GET http(.|\n)*max_size_bytes"):
        play(talk, Small)


def test_a_bomb_is_undone_no_further_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would say 40 MB; and the loop has its turns meanwhile."""
    turns: list[int] = []
    sizes: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, window: int) -> None:
            self._stream = real(window)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

        def decompress(self, data: bytes, limit_bytes: int) -> bytes:
            piece = self._stream.decompress(data, limit_bytes)
            sizes.append(len(piece))
            return piece

    async def count_turns() -> None:
        while True:
            turns.append(len(sizes))
            await asyncio.sleep(0)

    async def talk(client: Client) -> Any:
        counting = asyncio.create_task(count_turns())
        try:
            await client.api.get("/bomb", params={"size": 40_000_000})
        finally:
            counting.cancel()

    monkeypatch.setattr(content_coding.zlib, "decompressobj", Counting)
    with pytest.raises(TransportError, match="body has more than 16777216 bytes"):
        play(talk)
    assert sum(sizes) <= 16_777_216 + content_coding.PIECE_BYTES
    assert max(sizes) <= content_coding.PIECE_BYTES
    assert max(after - before for before, after in pairwise(turns)) <= 2, "no more than a piece in one turn"


def test_a_coding_that_is_not_ours() -> None:
    async def talk(client: Client) -> Any:
        await client.api.get("/brotli")

    with pytest.raises(TransportError, match="the body is encoded as 'br'; we read gzip, deflate"):
        play(talk)


def test_a_coding_of_a_body_that_is_not_there() -> None:
    async def talk(client: Client) -> Any:
        return (await client.api.request("HEAD", "/brotli")).raw

    assert play(talk).value == b""


# -- the record --------------------------------------------------------------------------------------------------------


def test_a_request_is_recorded_when_it_is_sent_and_when_it_has_ended() -> None:
    seen: list[Any] = []

    async def talk(client: Client) -> Any:
        asking = asyncio.ensure_future(client.api.post("/never", json={"a": 1}))
        await asyncio.sleep(0)
        seen.extend(type(entry) for entry in client.api._runtime.journal.entries)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    run = play(talk)
    assert HttpRequested in seen
    assert HttpExchange not in seen
    kinds = [type(entry) for entry in run.journal if isinstance(entry, (HttpRequested, HttpExchange))]
    assert kinds == [HttpRequested, HttpExchange]
    (exchange,) = exchanges(run)
    assert (exchange.status, exchange.request_body) == (0, '{"a":1}')
    assert exchange.error == "given up before it was answered"


def test_a_request_that_a_deadline_gave_up_is_recorded() -> None:
    class Slow(Client):
        @action
        async def ask_late(self) -> None:
            await self.api.get("/never")

    async def talk(client: Any) -> Any:
        await within(0.05, client.ask_late())

    with pytest.raises(AntiphonError) as failed:
        play(talk, Slow)
    run: Run = failed.value.run
    (exchange,) = exchanges(run)
    assert exchange.error == "given up before it was answered"

"""HTTP that goes wrong: each is one clear error, nothing is connected, and the exchange is on disk."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    ConnectFailed,
    ExpectationFailed,
    FieldMissing,
    Http,
    ScenarioError,
    Stand,
    TransportError,
    WebSocket,
    scenario,
)
from antiphon.journal import ChannelOpened, HttpExchange

PASSWORD = "looking-glass-7"
TOKEN = "tok-55c1e0f4b7a94d2f"
PLACE = "tests/e2e/test_bad_http.py"


class Party(Actor):
    api = Http("{http}", within_s=60)
    desk = WebSocket("{peer}/desk")

    async def arrive(self) -> None:
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.desk.headers["Cookie"] = f"session={login['token']}"


class Hasty(Party):
    api = Http("{http}", within_s=0.2)


@scenario
async def log_in(party: Party) -> None:
    raise AssertionError("it must not get so far")


@scenario
async def log_in_hastily(party: Hasty) -> None:
    raise AssertionError("it must not get so far")


@pytest.fixture
def fail_to_log_in(fail: Callable[..., Any]) -> Callable[..., Any]:
    """Plays `log_in` against the peer; it is to fail before the desk is opened."""

    def play_it(http: str, kind: type[BaseException], *, verdict: str, what: Any = log_in) -> Any:
        users = [{"name": "alice", "password": PASSWORD}]
        stand = Stand("test", {"http": http, "peer": http.replace("http", "ws", 1)}, users=users)
        failure = fail(what, kind, verdict=verdict, stand=stand)
        assert failure.of(ChannelOpened) == []
        (exchange,) = failure.of(HttpExchange)
        assert exchange.request_body == '{"user":"alice","password":"***"}'
        assert PASSWORD not in failure.text
        (saved,) = (failure.directory / "http").iterdir()
        assert saved.name == "000-POST-login.json"
        return failure

    return play_it


def answering(*answer: str, **headers: str) -> Callable[[Any], Any]:
    async def answer_it(line: Any) -> Any:
        request = await line.read_request()
        line.answer(*answer, **headers)
        return request

    return answer_it


def test_a_login_that_is_refused(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any]) -> None:
    body = json.dumps({"code": "wrongLogin", "message": "the password is wrong", "token": TOKEN})
    peer = serve(answering("401 Unauthorized", body, "application/json"))
    failure = fail_to_log_in(peer.http, ExpectationFailed, verdict="failed")

    assert f"party.api: POST {peer.http}/login was answered with 401, wanted 200 to 299" in failure.text
    assert "the password is wrong" in failure.error.hint
    assert f"{PLACE}:" in failure.error.place
    assert TOKEN not in failure.text
    (exchange,) = failure.of(HttpExchange)
    assert exchange.status == 401
    assert "wrongLogin" in exchange.response_body
    request, _, sent = peer.outcome()
    assert request == "POST /login HTTP/1.1"
    assert json.loads(sent) == {"user": "alice", "password": PASSWORD}


def test_a_server_that_has_failed(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any]) -> None:
    peer = serve(answering("500 Internal Server Error", "the database is gone"))
    failure = fail_to_log_in(peer.http, ExpectationFailed, verdict="failed")

    assert "was answered with 500" in failure.text.partition("\n")[0]
    assert "the database is gone" in failure.error.hint
    assert failure.of(HttpExchange)[0].status == 500


def test_a_page_where_json_was_expected(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any]) -> None:
    page = "<!doctype html><html><body>Please log in at the portal" + "!" * 100_000 + "</body></html>"
    failure = fail_to_log_in(serve(answering("200 OK", page, "text/html")).http, FieldMissing, verdict="failed")

    assert "the answer has no field 'token'" in failure.text
    assert "<!doctype html>" in failure.error.hint
    assert len(failure.text) < 1000
    assert f"{PLACE}:" in failure.error.place


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '{"Token": "x"}', "7"])
def test_json_that_is_not_what_it_should_be(
    fail_to_log_in: Callable[..., Any], serve: Callable[..., Any], body: str
) -> None:
    failure = fail_to_log_in(serve(answering("200 OK", body, "application/json")).http, FieldMissing, verdict="failed")

    assert "the answer has no field 'token'" in failure.text
    assert failure.error.hint


def test_nobody_is_there(fail_to_log_in: Callable[..., Any]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{bound.getsockname()[1]}"
        http = f"http://{where}"
        failure = fail_to_log_in(http, ConnectFailed, verdict="error")

    assert f"no server is listening on {where}" in failure.text
    assert failure.error.place == f"POST {http}/login"
    assert failure.error.hint == "is the system under test running there?"
    assert failure.of(HttpExchange)[0].error


def test_nobody_answers(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any]) -> None:
    peer = serve(lambda line: line.gone())
    failure = fail_to_log_in(peer.http, TransportError, verdict="failed", what=log_in_hastily)

    assert "no whole answer within 0.2 s" in failure.text
    assert failure.error.place == f"POST {peer.http}/login"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n{}{}",
    ],
)
def test_an_answer_that_breaks_off(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any], said: bytes) -> None:
    async def break_off(line: Any) -> None:
        await line.read_request()
        line.writer.write(said)

    peer = serve(break_off)
    failure = fail_to_log_in(peer.http, TransportError, verdict="failed")

    assert "the exchange broke off" in failure.text
    assert failure.error.place == f"POST {peer.http}/login"
    assert len(failure.text) < 500


def test_a_redirect_in_a_circle(fail_to_log_in: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def send_round(line: Any) -> None:
        await line.read_request()
        line.answer("307 Temporary Redirect", Location="/login", Connection="close")

    peer = serve(send_round)
    failure = fail_to_log_in(peer.http, TransportError, verdict="failed")

    assert "redirect" in failure.text.lower()
    assert failure.error.place == f"POST {peer.http}/login"


@pytest.mark.parametrize(
    "http", ["127.0.0.1:80", "http://", "http://127.0.0.1:99999", f"http://here:{'9' * 5000}", "gopher://127.0.0.1:80"]
)
def test_an_address_that_is_none(fail: Callable[..., Any], http: str) -> None:
    class Caller(Actor):
        api = Http("{http}")

        async def arrive(self) -> None:
            await self.api.get("/health")

    @scenario
    async def ask(caller: Caller) -> None:
        raise AssertionError("it must not get so far")

    failure = fail(ask, ScenarioError, verdict="error", stand=Stand("test", {"http": http}))

    assert "is no address" in failure.text
    assert len(failure.error.text) < 200
    assert failure.error.hint == "http://host:port/path"


def test_a_check_of_a_body_says_where_it_differs(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    class Caller(Actor):
        api = Http("{http}")

        async def arrive(self) -> None:
            await self.api.get("/health", check={"status": "ok", "desks": int})

    @scenario
    async def ask(caller: Caller) -> None:
        raise AssertionError("it must not get so far")

    peer = serve(answering("200 OK", '{"status": "failing", "desks": "3"}', "application/json"))
    failure = fail(ask, ExpectationFailed, verdict="failed", peer=peer.address)

    assert "status is 'failing', wanted 'ok'" in failure.text
    assert "desks is '3', wanted any int" in failure.text
    assert f"{PLACE}:" in failure.error.place

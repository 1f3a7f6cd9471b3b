"""Connections that cannot be opened: each is one clear error, and the run ends at once."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from antiphon import Actor, ConnectFailed, ExpectationFailed, Stand, UpgradeRefused, WebSocket, play, scenario
from antiphon.journal import ChannelOpened


class Party(Actor):
    line = WebSocket("{peer}/desk", open_within_s=60)


class Hasty(Actor):
    line = WebSocket("{peer}/desk", open_within_s=0.2)


class Careful(Actor):
    line = WebSocket("{peer}/desk", opens="manually")


@scenario
async def meet(party: Party) -> None:
    raise AssertionError("it must not get so far")


@scenario
async def meet_in_haste(party: Hasty) -> None:
    raise AssertionError("it must not get so far")


@pytest.fixture
def deaf_port() -> Any:
    """A port that is bound and on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A server's, with a certificate that nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_nobody_is_there(fail: Callable[..., Any], deaf_port: int) -> None:
    failure = fail(meet, ConnectFailed, verdict="error", peer=f"ws://127.0.0.1:{deaf_port}")

    assert f"no server is listening on 127.0.0.1:{deaf_port}" in failure.text
    assert failure.error.place == f"ws://127.0.0.1:{deaf_port}/desk"
    assert failure.error.hint == "is the system under test running there?"
    assert failure.of(ChannelOpened) == []


def test_a_name_that_is_none(fail: Callable[..., Any]) -> None:
    failure = fail(meet, ConnectFailed, verdict="error", peer="ws://no-such-host.invalid:80")

    assert "no-such-host.invalid" in failure.text
    assert failure.error.hint


@pytest.mark.parametrize("address", ["wss://127.0.0.1:99999", "ftp://127.0.0.1:21", "ws://:80", "ws://127.0.0.1:port"])
def test_an_address_that_is_none(fail: Callable[..., Any], address: str) -> None:
    failure = fail(meet, ConnectFailed, verdict="error", peer=address)

    assert "cannot connect" in failure.text
    assert failure.error.place.startswith(address)


def test_no_tls_where_tls_was_expected(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def speak_plainly(line: Any) -> None:
        await line.reader.read(1)
        line.answer("400 Bad Request", "this is no HTTP")

    peer = serve(speak_plainly)
    failure = fail(meet, ConnectFailed, verdict="error", peer=peer.address.replace("ws:", "wss:"))

    assert "does not speak TLS" in failure.text
    assert failure.error.hint == "say ws:// instead of wss://"


def test_tls_where_none_was_expected(fail: Callable[..., Any], serve: Callable[..., Any], tls: ssl.SSLContext) -> None:
    peer = serve(lambda line: line.gone(), tls=tls)
    failure = fail(meet, ConnectFailed, verdict="error", peer=peer.address.replace("wss:", "ws:"))

    assert "wss://" in failure.error.hint


def test_a_certificate_that_nobody_signed(
    fail: Callable[..., Any], serve: Callable[..., Any], tls: ssl.SSLContext
) -> None:
    peer = serve(lambda line: line.gone(), tls=tls)
    failure = fail(meet, ConnectFailed, verdict="error", peer=peer.address)

    assert "the certificate of 127.0.0.1 is not accepted" in failure.text
    assert failure.error.place == f"{peer.address}/desk"
    assert "tls=" in failure.error.hint
    assert "ca= names the file of whoever signed it" in failure.error.hint


def test_a_certificate_of_someone_else(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("centre.example").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)

    class Trusting(Actor):
        line = WebSocket("{peer}/desk", tls=ours)

    @scenario
    async def trust(party: Trusting) -> None:
        raise AssertionError("it must not get so far")

    peer = serve(lambda line: line.gone(), tls=theirs)
    failure = fail(trust, ConnectFailed, verdict="error", peer=peer.address)

    assert "is not accepted" in failure.text
    assert "127.0.0.1" in failure.text


def test_who_trusts_the_certificate_gets_in(serve: Callable[..., Any]) -> None:
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)

    class Trusting(Actor):
        line = WebSocket("{peer}/desk", tls=ours)

    @scenario
    async def trust(party: Trusting) -> str:
        return str((await party.expect("welcome"))["type"])

    async def welcome(line: Any) -> Any:
        await line.upgrade()
        line.say_text('{"type": "welcome"}')
        return await line.goodbye()

    peer = serve(welcome, tls=theirs)
    assert play(trust, stand=Stand("test", {"peer": peer.address}), runs=None).value == "welcome"
    assert peer.outcome() == (1000, "")


def test_a_refusal_tells_everything(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def refuse(line: Any) -> None:
        await line.read_head()
        line.answer("401 Unauthorized", '{"error": "log in first"}', "application/json", WWW_Authenticate="Bearer")

    failure = fail(meet, UpgradeRefused, verdict="error", peer=(peer := serve(refuse)).address)

    assert "the server refused the upgrade: 401 Unauthorized" in failure.text
    assert failure.error.place == f"{peer.address}/desk"
    assert "headers with a cookie or Authorization may be missing" in failure.error.hint
    assert failure.error.status == 401
    assert failure.error.headers["WWW-Authenticate"] == "Bearer"
    assert failure.error.body == b'{"error": "log in first"}'


def test_a_wrong_path(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def refuse(line: Any) -> None:
        await line.read_head()
        line.answer("404 Not Found", "there is nothing here")

    failure = fail(meet, UpgradeRefused, verdict="error", peer=serve(refuse).address)

    assert failure.error.status == 404
    assert "is the path right?" in failure.text


async def refuse_with_401(line: Any) -> None:
    await line.read_head()
    line.answer("401 Unauthorized", "log in first")


def test_a_refusal_can_be_what_is_expected(serve: Callable[..., Any], tmp_path: Path) -> None:
    @scenario
    async def be_refused(party: Careful) -> UpgradeRefused:
        return await party.line.expect_refusal(401)

    peer = serve(refuse_with_401)
    run = play(be_refused, stand=Stand("test", {"peer": peer.address}), runs=tmp_path)

    assert run.verdict == "passed"
    assert run.value.status == 401
    assert run.value.body == b"log in first"


def test_another_refusal_than_the_expected_one(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    @scenario
    async def be_refused(party: Careful) -> None:
        await party.line.expect_refusal(403)

    failure = fail(be_refused, ExpectationFailed, verdict="failed", peer=serve(refuse_with_401).address)

    assert "party.line was refused with 401, wanted 403" in failure.text
    assert "test_bad_openings.py" in failure.error.place


def test_let_in_instead_of_refused(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    @scenario
    async def be_refused(party: Careful) -> None:
        await party.line.expect_refusal(401)

    async def welcome(line: Any) -> Any:
        await line.upgrade()
        return await line.goodbye()

    peer = serve(welcome)
    failure = fail(be_refused, ExpectationFailed, verdict="failed", peer=peer.address)

    assert "party.line was let in, but a refusal with 401 was expected" in failure.text
    assert "test_bad_openings.py" in failure.error.place
    assert peer.outcome() == (1000, "")


def test_a_server_that_is_no_web_server(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def be_another_one(line: Any) -> None:
        line.writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await line.gone()

    failure = fail(meet, ConnectFailed, verdict="error", peer=serve(be_another_one).address)

    assert "does not speak HTTP" in failure.text
    assert "SSH-2.0" in failure.text
    assert failure.error.hint == "is it the right port?"


def test_a_server_that_hangs_up_at_once(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def hang_up(line: Any) -> None:
        await line.read_head()

    failure = fail(meet, ConnectFailed, verdict="error", peer=serve(hang_up).address)

    assert "closed the connection without answering the upgrade" in failure.text


def test_a_server_that_never_answers(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    peer = serve(lambda line: line.gone())
    failure = fail(meet_in_haste, ConnectFailed, verdict="error", peer=peer.address)

    assert "no answer to the upgrade" in failure.text
    assert "within 0.2 s" in failure.text
    assert failure.error.hint
    peer.outcome()  # it has seen us hang up


def test_an_upgrade_that_answers_another_key(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def answer_wrongly(line: Any) -> None:
        await line.read_head()
        line.accept({"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
        await line.gone()

    failure = fail(meet, ConnectFailed, verdict="error", peer=serve(answer_wrongly).address)

    assert "does not answer our key" in failure.text


def test_one_who_gets_in_hears_of_the_other_who_does_not(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    class Other(Actor):
        line = WebSocket("{other}")

    @scenario
    async def meet_both(party: Party, other: Other) -> None:
        raise AssertionError("it must not get so far")

    async def welcome(line: Any) -> Any:
        await line.upgrade()
        return await line.goodbye()

    peer, other = serve(welcome), serve(refuse_with_401)
    stand = Stand("test", {"peer": peer.address, "other": other.address})
    failure = fail(meet_both, UpgradeRefused, verdict="error", stand=stand)

    assert failure.error.place == other.address

"""Redirects that are followed because somebody asked for it, and what goes along (RFC 9110 section 15.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from antiphon import ConnectFailed, Opening, ScenarioError, Tls, UpgradeRefused
from antiphon.testing.transports import Hearing
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.redirects import redirected
from antiphon.transport.websocket.server import WebSocketListener

SECRETS = {
    "Authorization": "Bearer s3cr3t",
    "Cookie": "session=s3cr3t",
    "X-Api-Key": "s3cr3t",
}
OPENING = Opening(headers={**SECRETS, "Origin": "http://here", "User-Agent": "us"}, subprotocols=("talk",), within_s=5)


class Server:
    """A listener's `accept`, which remembers who came in."""

    def __init__(self) -> None:
        self.openings: list[Opening] = []

    def accept(self, opening: Opening) -> Hearing:
        self.openings.append(opening)
        return Hearing()


def redirecting(location: Callable[[], str], status: int, heads: list[bytes]) -> Any:
    """A server that sends everybody elsewhere."""

    async def serve(peer: Any) -> None:
        while True:
            try:
                heads.append(await peer.reader.readuntil(b"\r\n\r\n"))
            except asyncio.IncompleteReadError:
                return
            lines = [f"HTTP/1.1 {status} Elsewhere", f"Location: {location()}", "Content-Length: 0"]
            peer.writer.write("\r\n".join([*lines, "", ""]).encode())

    return serve


async def follow(raw: Any, location: Callable[[str], str], *, status: int = 302) -> tuple[list[bytes], Server]:
    """Be sent from a raw server to a listener, whose address `location` is given: the first's heads, and the second."""
    server = Server()
    heads: list[bytes] = []
    listening = await WebSocketListener().listen("ws://127.0.0.1:0", server.accept, subprotocols=["talk"])
    try:
        async with raw.server(redirecting(lambda: location(listening.address), status, heads)) as address:
            hearing = Hearing()
            connection = await WebSocketTransport(follows_redirects=True).connect(
                f"{address}/desk?seat=7", OPENING, hearing
            )
            connection.abort()
            await hearing.ended()
    finally:
        await listening.close()
    return heads, server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_gets_no_credentials(run: Any, raw: Any, status: int) -> None:
    heads, server = run(follow(raw, lambda there: f"{there}/desk", status=status))
    assert all(f"{name}: {value}".encode() in heads[0] for name, value in SECRETS.items())
    (opening,) = server.openings
    assert "s3cr3t" not in str(dict(opening.headers))
    assert (opening.headers["Origin"], opening.headers["User-Agent"]) == ("http://here", "us")
    assert (opening.path, opening.subprotocols) == ("/desk", ("talk",))


def test_an_address_of_http_is_one_of_websocket(run: Any, raw: Any) -> None:
    _, server = run(follow(raw, lambda there: there.replace("ws://", "http://") + "/?a=b"))
    assert server.openings[0].path == "/?a=b"


def test_credentials_of_the_address_do_not_go_along(run: Any, raw: Any) -> None:
    async def scene() -> Opening:
        server = Server()
        heads: list[bytes] = []
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", server.accept)
        try:
            async with raw.server(redirecting(lambda: listening.address, 302, heads)) as address:
                hearing = Hearing()
                await WebSocketTransport(follows_redirects=1).connect(
                    address.replace("ws://", "ws://tester:s3cr3t@"), Opening(), hearing
                )
        finally:
            await listening.close()
        assert b"Authorization: Basic" in heads[0]
        return server.openings[0]

    assert "Authorization" not in run(scene()).headers


def test_the_same_host_gets_all_of_them(run: Any, raw: Any) -> None:
    heads: list[bytes] = []
    paths = iter(["/login", "desk2", "//"])

    async def scene() -> None:
        async with raw.server(redirecting(lambda: next(paths, "/more"), 302, heads)) as address:
            await WebSocketTransport(follows_redirects=2).connect(
                address.replace("ws://", "ws://tester:s3cr3t@") + "/a/desk",
                Opening(headers={"Cookie": "a=b"}),
                Hearing(),
            )

    with pytest.raises(ConnectFailed, match="redirects us without an end"):
        run(scene())
    assert [head.split(b" ")[1] for head in heads] == [b"/a/desk", b"/login", b"/desk2"]
    assert all(b"Cookie: a=b" in head and b"Authorization: Basic" in head for head in heads)


@pytest.mark.parametrize("follows", [False, 3])
def test_what_is_not_followed_is_a_refusal(run: Any, raw: Any, follows: int) -> None:
    async def scene(location: str) -> None:
        async with raw.server(redirecting(lambda: location, 302, [])) as address:
            await WebSocketTransport(follows_redirects=follows).connect(address, Opening(), Hearing())

    with pytest.raises(UpgradeRefused) as caught:
        run(scene("ftp://elsewhere" if follows else "ws://elsewhere/desk"))
    assert caught.value.status == 302
    assert "follows_redirects=True" in (caught.value.hint or "")


@pytest.mark.parametrize("often", [-1, "twice", None])
def test_how_often_is_a_number(often: Any) -> None:
    with pytest.raises(ScenarioError, match="follows_redirects is"):
        WebSocketTransport(follows_redirects=often)


def test_the_time_is_that_of_all_together(run: Any, raw: Any) -> None:
    async def scene() -> None:
        async def be_silent(peer: Any) -> None:
            await peer.hear_end()

        async with AsyncExitStack() as stack:
            silent = await stack.enter_async_context(raw.server(be_silent))
            address = await stack.enter_async_context(raw.server(redirecting(lambda: silent, 302, [])))
            await WebSocketTransport(follows_redirects=True).connect(address, Opening(within_s=0.1), Hearing())

    with pytest.raises(ConnectFailed, match=r"no answer to the upgrade from .* within 0.1 s"):
        run(scene())


def test_time_for_which_our_loop_stood_still_is_nobodys(run: Any, raw: Any) -> None:
    async def take_turns(peer: Any) -> None:
        for _ in range(1000):
            await asyncio.sleep(0)
        await raw.answer(peer)
        await peer.hear_end()

    async def scene() -> None:
        async with raw.server(take_turns) as slow:

            def elsewhere() -> str:
                time.sleep(0.6)  # to stand still is what this is about
                return str(slow)

            async with raw.server(redirecting(elsewhere, 302, [])) as address:
                hearing = Hearing()
                transport = WebSocketTransport(follows_redirects=True)
                (await transport.connect(address, Opening(within_s=0.5), hearing)).abort()
                await hearing.ended()

    run(scene())


def next_of(here: str, location: str, opening: Opening = OPENING) -> tuple[str, Opening] | None:
    refused = UpgradeRefused("no", status=301, headers={"Location": location}, body=b"")
    return redirected(refused, WebSocketAddress.parse(here), opening)


def test_from_tls_nothing_leads_away() -> None:
    assert next_of("wss://here/desk", "ws://here/desk") is None
    assert next_of("wss://here/desk", "http://here/desk") is None


def test_the_same_host_over_tls_is_no_other() -> None:
    found = next_of("ws://here/desk", "https://here/desk")
    assert found is not None
    assert found[0] == "wss://here/desk"
    assert found[1].headers == OPENING.headers


@pytest.mark.parametrize("there", ["wss://here:8443/", "ws://here:81/", "wss://there/", "ws://here.example/"])
def test_another_port_is_another(there: str) -> None:
    found = next_of("ws://here/desk", there)
    assert found is not None
    assert "Cookie" not in found[1].headers


def test_our_certificate_is_not_for_others(certificates: Path) -> None:
    ours = Tls(ca=certificates / "ca.pem", certificate="client.pem", key="client.key", server_name="here.internal")
    found = next_of("wss://here/desk", "wss://there/desk", Opening(tls=ours))
    assert found is not None
    assert found[1].tls == Tls(ca=certificates / "ca.pem")


def test_a_token_among_the_subprotocols_is_for_nobody_else() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0ZXIifQ.c2lnbmF0dXJlc2lnbmF0dXJl"  # a JSON Web Token
    found = next_of("ws://here/desk", "ws://there/desk", Opening(subprotocols=("talk", token)))
    assert found is not None
    assert found[1].subprotocols == ["talk"]


def test_over_a_unix_socket_a_path_stays_there() -> None:
    found = next_of("ws+unix:///run/a%3Ab.sock:/desk", "/login?x=y")
    assert found is not None
    assert found[0] == "ws+unix:///run/a%3Ab.sock:/login?x=y"
    assert found[1].headers == OPENING.headers
    found = next_of("ws+unix:///run/a.sock:/desk", "ws://localhost/desk")
    assert found is not None
    assert "Cookie" not in found[1].headers

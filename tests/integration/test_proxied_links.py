"""Proxies as actors meet them: of a link, of `Http`, and of the environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from antiphon import (
    Accepted,
    Actor,
    ConnectFailed,
    ExpectationFailed,
    Http,
    Message,
    Proxy,
    Run,
    Stand,
    Text,
    Tls,
    TransportError,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)


class Echo(Actor):
    line = Accepted(dialect=Text())

    @on("text")
    def reply(self, message: Message) -> None:
        self.line.send("text", message.body)


async def answer(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.method} {request.path}")


@asynccontextmanager
async def http_server(tls: Tls | None, answer: Callable[[web.Request], Any] = answer) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server_context() if tls is not None else None)
    await site.start()
    try:
        yield f"{'https' if tls is not None else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def ours(certificates: Path) -> Tls:
    return Tls(ca=certificates / "ca.pem")


@pytest.fixture
def theirs(certificates: Path) -> Tls:
    return Tls(certificate=certificates / "server.pem", key=certificates / "server.key")


async def visit_through(
    proxy: Any, way: Callable[[Any], Any], tls: Tls | None, ours: Tls, *, is_tls: Any = None
) -> Run:
    """A visit of an HTTP server through the proxy that `way` makes of the serving one."""
    async with http_server(tls) as address, proxy.serving(is_tls):

        class Visitor(Actor):
            api = Http("{server}", proxy=way(proxy), tls=ours, within_s=5)

        @scenario
        async def visit(visitor: Visitor) -> str:
            (await visitor.api.get("/first"), await visitor.api.post("/second", data="x"))
            return str((await visitor.api.get("/third")).body)

        return await perform(visit, stand=Stand("here", {"server": address}), runs=None)


def http(proxy: Any) -> str:
    return f"http://127.0.0.1:{proxy.port}"


def socks5(proxy: Any) -> str:
    return f"socks5://127.0.0.1:{proxy.port}"


class TestHttp:
    @pytest.mark.parametrize("way", [http, socks5], ids=["http", "socks5"])
    @pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
    def test_through_it(self, proxy: Any, ours: Tls, theirs: Tls, way: Any, is_secure: bool) -> None:
        run = asyncio.run(visit_through(proxy, way, theirs if is_secure else None, ours))
        assert run.value == "GET /third"
        assert len(proxy.asked) == 1  # the connection is used again

    def test_plain_requests_are_given_to_it(self, proxy: Any, ours: Tls) -> None:
        """Many proxies allow CONNECT to port 443 only."""
        asyncio.run(visit_through(proxy, http, None, ours))
        assert proxy.asked[0].startswith("GET http://127.0.0.1:")

    @pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
    def test_over_tls_to_the_proxy_with_a_user(self, proxy: Any, ours: Tls, theirs: Tls, is_secure: bool) -> None:
        proxy.user, proxy.password = "tester", "s3cr3t"

        def way(proxy: Any) -> Proxy:
            return Proxy(f"https://tester:s3cr3t@127.0.0.1:{proxy.port}", tls=ours)

        server = theirs if is_secure else None
        run = asyncio.run(visit_through(proxy, way, server, ours, is_tls=theirs.server_context()))
        assert run.value == "GET /third"
        assert set(proxy.credentials) == {"tester:s3cr3t"}

    def test_a_refusal_of_the_way(self, proxy: Any, ours: Tls, theirs: Tls) -> None:
        proxy.user = "tester"
        with pytest.raises(ConnectFailed) as caught:
            asyncio.run(visit_through(proxy, http, theirs, ours))
        assert "407 Proxy Authentication Required: who asks?" in caught.value.text
        assert caught.value.place is not None
        assert caught.value.place.startswith("GET https://127.0.0.1:")

    def test_a_refusal_of_a_request_is_its_answer(self, proxy: Any, ours: Tls) -> None:
        proxy.user = "tester"
        with pytest.raises(ExpectationFailed, match="answered with 407") as caught:
            asyncio.run(visit_through(proxy, http, None, ours))
        assert "who asks?" in (caught.value.hint or "")

    @pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    def test_nobody_is_there(self, proxy: Any, ours: Tls, theirs: Tls, scheme: str, is_secure: bool) -> None:
        with pytest.raises(ConnectFailed, match=r"the proxy.*127\.0\.0\.1:1"):
            asyncio.run(
                visit_through(proxy, lambda _proxy: f"{scheme}://127.0.0.1:1", theirs if is_secure else None, ours)
            )

    def test_the_certificate_behind_it_is_not_accepted(self, proxy: Any, theirs: Tls) -> None:
        with pytest.raises(ConnectFailed, match="is not accepted") as caught:
            asyncio.run(visit_through(proxy, http, theirs, Tls()))
        assert "Http(…, tls=…)" in (caught.value.hint or "")

    def test_a_redirect_to_tls_goes_through_as_well(self, proxy: Any, ours: Tls, theirs: Tls) -> None:
        """And the proxy's password is not for the server."""
        proxy.user, proxy.password = "tester", "s3cr3t"
        heard: list[Any] = []

        async def lead(_request: web.Request) -> web.Response:
            raise web.HTTPFound(f"{secured}/there")

        async def answer(request: web.Request) -> web.Response:
            heard.append(request.headers)
            return web.Response(text="welcome")

        async def scene() -> Run:
            nonlocal secured
            async with http_server(None, lead) as address, http_server(theirs, answer) as secured, proxy.serving():

                class Visitor(Actor):
                    api = Http("{server}", proxy=f"http://tester:s3cr3t@127.0.0.1:{proxy.port}", tls=ours, within_s=5)

                @scenario
                async def visit(visitor: Visitor) -> str:
                    return str((await visitor.api.get("/moved")).body)

                return await perform(visit, stand=Stand("here", {"server": address}), runs=None)

        secured = ""
        assert asyncio.run(scene()).value == "welcome"
        assert [each.split(" ")[0] for each in proxy.asked] == ["GET", "CONNECT"]
        assert [headers.get("Proxy-Authorization") for headers in heard] == [None]

    def test_the_environments(self, proxy: Any, ours: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        proxy.hosts["centre.internal"] = "127.0.0.1"

        class Visitor(Actor):
            api = Http("{server}", within_s=5)

        @scenario
        async def visit(visitor: Visitor) -> str:
            return str((await visitor.api.get("/there")).body)

        async def scene() -> Run:
            async with http_server(None) as address, proxy.serving():
                monkeypatch.setenv("http_proxy", http(proxy))
                stand = Stand("here", {"server": address.replace("127.0.0.1", "centre.internal")})
                return await perform(visit, stand=stand, runs=None)

        assert asyncio.run(scene()).value == "GET /there"
        assert len(proxy.asked) == 1

    def test_a_server_that_wants_a_certificate(self, ours: Tls, theirs: Tls, proxy: Any) -> None:
        """Which it may say when the request is there already; those of event loops say nothing."""
        asking = Tls(certificate=theirs.certificate, key=theirs.key, ca=ours.ca)
        with pytest.raises(TransportError):
            asyncio.run(visit_through(proxy, lambda _proxy: None, asking, ours))


def test_a_link_through_a_proxy_of_its_own(proxy: Any, tmp_path: Path) -> None:
    """Its password is in no record."""
    proxy.user, proxy.password = "tester", "s3cr3t-w0rd"

    async def scene() -> Run:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Echo()) as echo, proxy.serving():

            class Party(Actor):
                line = WebSocket(
                    "{server}/desk",
                    dialect=Text(),
                    proxy=f"http://tester:s3cr3t-w0rd@127.0.0.1:{proxy.port}",
                    within_s=5,
                )

            @scenario
            async def talk(party: Party) -> None:
                party.line.send("text", "hello")
                await party.line.expect("text", "hello")

            return await perform(talk, stand=Stand("here", {"server": echo.address}), runs=tmp_path)

    asyncio.run(scene())
    assert len(proxy.asked) == 1
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        assert "s3cr3t-w0rd" not in path.read_text(errors="replace"), path

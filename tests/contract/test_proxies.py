"""Ways to a WebSocket server through proxies, and what is said of one that gives none."""

from __future__ import annotations

import asyncio
import base64
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from antiphon import ConnectFailed, Opening, Proxy, ScenarioError, Tls
from antiphon.testing.transports import Hearing
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

LARGE = "x" * 3_000_000


@pytest.fixture
def ours(certificates: Path) -> Tls:
    """What a client says, of servers and of proxies."""
    return Tls(ca=certificates / "ca.pem")


@pytest.fixture
def theirs(certificates: Path) -> Tls:
    """What a server says."""
    return Tls(certificate=certificates / "server.pem", key=certificates / "server.key")


@pytest.fixture(autouse=True)
def without_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Echo(Hearing):
    """Says everything again."""

    def on_data(self, data: Any) -> None:
        super().on_data(data)
        assert self.connection is not None
        self.connection.send(data)


async def meet(
    proxy: Any,
    way: Any,
    *,
    server: Tls | None = None,
    client: Tls | None = None,
    host: str = "127.0.0.1",
    **options: Any,
) -> None:
    """Our client meets our listener and says much; `way` makes the `proxy=` of it, when the proxy is there."""
    scheme = "wss" if server is not None else "ws"
    listening = await WebSocketListener().listen(f"{scheme}://127.0.0.1:0", lambda _opening: Echo(), tls=server)
    try:
        async with proxy.serving(options.pop("proxy_tls", None)):
            hearing = Hearing()
            address = listening.address.replace("127.0.0.1", host)
            transport = WebSocketTransport(proxy=way(proxy) if way is not None else True)
            connection = await transport.connect(address, Opening(tls=client, **options), hearing)
            connection.send(LARGE)
            await hearing.until(lambda: bool(hearing.data), "an answer")
            assert hearing.data == [LARGE]
            connection.close()
            await hearing.ended()
    finally:
        await listening.close()


def http(proxy: Any) -> str:
    return f"http://127.0.0.1:{proxy.port}"


def socks5(proxy: Any) -> str:
    return f"socks5://127.0.0.1:{proxy.port}"


def socks5h(proxy: Any) -> str:
    return f"socks5h://127.0.0.1:{proxy.port}"


WAYS = {
    "http": http,
    "socks5": socks5,
    "socks5h": socks5h,
    "socks4": lambda proxy: f"socks4://127.0.0.1:{proxy.port}",
    "socks4a": lambda proxy: f"socks4a://127.0.0.1:{proxy.port}",
}


class TestWays:
    @pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
    @pytest.mark.parametrize("is_secure", [False, True], ids=["ws", "wss"])
    def test_through_it(self, run: Any, proxy: Any, ours: Tls, theirs: Tls, way: Any, is_secure: bool) -> None:
        run(meet(proxy, way, server=theirs if is_secure else None, client=ours))
        assert len(proxy.asked) == 1
        assert "127.0.0.1:" in proxy.asked[0]

    @pytest.mark.parametrize("is_secure", [False, True], ids=["ws", "wss"])
    def test_over_tls_to_the_proxy(self, run: Any, proxy: Any, ours: Tls, theirs: Tls, is_secure: bool) -> None:
        run(
            meet(
                proxy,
                lambda proxy: Proxy(f"https://127.0.0.1:{proxy.port}", tls=ours),
                server=theirs if is_secure else None,
                client=ours,
                proxy_tls=theirs.server_context(),
            )
        )
        assert proxy.asked[0].startswith("CONNECT 127.0.0.1:")

    @pytest.mark.parametrize(("scheme", "password"), [("http", "p:ß w"), ("socks5", "p:s w")])
    def test_with_a_user(self, run: Any, proxy: Any, scheme: str, password: str) -> None:
        proxy.user, proxy.password = "tester", password
        run(meet(proxy, lambda proxy: f"{scheme}://tester:{quote(password)}@127.0.0.1:{proxy.port}"))
        assert proxy.credentials == [f"tester:{password}"]

    @pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4a"])
    def test_a_name_that_only_the_proxy_knows(
        self, run: Any, proxy: Any, ours: Tls, certificates: Path, scheme: str
    ) -> None:
        proxy.hosts["centre.internal"] = "127.0.0.1"
        named = Tls(certificate=certificates / "named.pem", key=certificates / "named.key")
        way = WAYS[scheme]
        run(meet(proxy, way, server=named, client=ours, host="centre.internal"))
        assert "centre.internal:" in proxy.asked[0]

    def test_an_ipv6_address(self, run: Any, proxy: Any) -> None:
        proxy.hosts["::1"] = "127.0.0.1"
        run(meet(proxy, http, host="[::1]"))
        assert proxy.asked[0].startswith("CONNECT [::1]:")


class TestEnvironment:
    @pytest.mark.parametrize(("name", "is_secure"), [("HTTP_PROXY", False), ("https_proxy", True), ("ALL_PROXY", True)])
    def test_it_is_honoured(
        self,
        run: Any,
        proxy: Any,
        ours: Tls,
        certificates: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        is_secure: bool,
    ) -> None:
        proxy.hosts["centre.internal"] = "127.0.0.1"
        named = Tls(certificate=certificates / "named.pem", key=certificates / "named.key") if is_secure else None

        def way(_proxy: Any) -> Any:
            monkeypatch.setenv(name, f"127.0.0.1:{proxy.port}")
            return True

        run(meet(proxy, way, server=named, client=ours, host="centre.internal"))
        assert len(proxy.asked) == 1

    def test_none_turns_it_off(self, run: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        failed = failing(run, proxy, lambda _proxy: None, host="centre.invalid")
        assert "the name centre.invalid does not resolve" in failed.text

    def test_this_machine_is_reached_directly(self, run: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
        run(meet(proxy, None, host="localhost"))

    def test_one_that_is_none(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "ftp://tester:s3cr3t@proxy:21")
        with pytest.raises(ScenarioError, match="HTTPS_PROXY is no address of a proxy") as caught:
            run(WebSocketTransport().connect("wss://centre.internal", Opening(), Hearing()))
        assert "s3cr3t" not in str(caught.value)


def failing(run: Any, proxy: Any, way: Any, **options: Any) -> ConnectFailed:
    """The error of a way that there is not."""
    with pytest.raises(ConnectFailed) as caught:
        run(meet(proxy, way, **options))
    assert caught.value.place is not None
    assert caught.value.place.startswith("ws")
    assert caught.value.hint
    assert "s3cr3t" not in str(caught.value)
    return caught.value


class TestRefusals:
    @pytest.mark.parametrize(("user", "hint"), [("", "user:password@"), ("tester:s3cr3t@", "does not accept")])
    def test_whom_it_does_not_know(self, run: Any, proxy: Any, user: str, hint: str) -> None:
        proxy.user, proxy.password = "tester", "other"
        failed = failing(run, proxy, lambda proxy: f"http://{user}127.0.0.1:{proxy.port}")
        assert f"the proxy http://127.0.0.1:{proxy.port} did not connect us to 127.0.0.1:" in failed.text
        assert "407 Proxy Authentication Required: who asks?" in failed.text
        assert hint in failed.hint

    @pytest.mark.parametrize("said", [b"tester:s3cr3t", base64.b64encode(b"tester:s3cr3t")])
    def test_one_that_says_what_it_was_told(self, run: Any, proxy: Any, said: bytes) -> None:
        proxy.refusal = b"HTTP/1.1 407 Who\r\nContent-Length: %d\r\n\r\nnot %s" % (len(said) + 4, said)
        failed = failing(run, proxy, lambda proxy: f"http://tester:s3cr3t@127.0.0.1:{proxy.port}")
        assert "407 Who: not " in failed.text
        assert said.decode() not in failed.text
        assert "***" in failed.text

    def test_a_page_is_told_by_its_text(self, run: Any, proxy: Any) -> None:
        head = b"<html><head><title>Denied</title></head><style>b { }</style>"
        page = head + b"<body><h1>Denied</h1>\n<p>not &quot;there&quot;</body></html>"
        head = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
        proxy.refusal = head + page
        failed = failing(run, proxy, http)
        assert failed.text.endswith('403 Forbidden: Denied not "there"')
        assert "443" in failed.hint

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (b"HTTP/1.0 401 Unauthorized\r\n\r\n", "401 Unauthorized"),
            (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno such host", "502 Bad Gateway: no such host"),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 504 \r\nContent-Length: 0\r\n\r\n", "504 Gateway Timeout"),
            (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "302 Found"),
            (b"SSH-2.0-OpenSSH\r\n", "its answer is no HTTP"),
            (b"HTTP/1.1 200\r\n" + b"X: y\r\n" * 4000 + b"\r\n", "its answer has a head of more than"),
            (b"HTTP/1.1 200 OK\r\n\r\nand more", "its answer goes on behind its head"),
            (b"HTTP/1.1 ", "closed the connection without an answer"),
        ],
    )
    def test_other_answers(self, run: Any, proxy: Any, answer: bytes, told: str) -> None:
        proxy.refusal = answer
        assert told in failing(run, proxy, http).text

    def test_socks_refuses(self, run: Any, proxy: Any) -> None:
        proxy.refusal = b"\x05\x02\x00\x01" + bytes(6)
        assert "Connection not allowed by ruleset" in failing(run, proxy, socks5).text

    def test_socks_wants_a_user(self, run: Any, proxy: Any) -> None:
        proxy.user = "tester"
        assert "did not connect us to" in failing(run, proxy, socks5).text
        assert proxy.asked == []

    def test_socks_does_not_accept_the_password(self, run: Any, proxy: Any) -> None:
        proxy.user, proxy.password = "tester", "other"
        failed = failing(run, proxy, lambda proxy: f"socks5://tester:s3cr3t@127.0.0.1:{proxy.port}")
        assert "authentication failure" in failed.text

    def test_socks_has_no_letters_beyond_ascii(self, run: Any, proxy: Any) -> None:
        proxy.user = "tester"
        failed = failing(run, proxy, lambda proxy: f"socks5://tester:s3cr3t%C3%9F@127.0.0.1:{proxy.port}")
        assert "user and password may have ASCII characters only" in failed.text

    def test_a_name_that_we_do_not_know(self, run: Any, proxy: Any) -> None:
        assert "centre.invalid" in failing(run, proxy, socks5, host="centre.invalid").text

    @pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
    def test_nobody_is_there(self, run: Any, proxy: Any, scheme: str) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
            failed = failing(run, proxy, lambda _proxy: f"{scheme}://127.0.0.1:{port}")
        assert failed.text == f"the proxy cannot be reached: no server is listening on 127.0.0.1:{port}"
        assert failed.hint == "proxy= names it"

    def test_its_certificate_is_not_accepted(self, run: Any, proxy: Any, theirs: Tls) -> None:
        way = lambda proxy: f"https://127.0.0.1:{proxy.port}"  # noqa: E731
        failed = failing(run, proxy, way, proxy_tls=theirs.server_context())
        assert "the proxy cannot be reached: the certificate of 127.0.0.1 is not accepted" in failed.text
        assert "Proxy(…, tls=…)" in failed.hint

    def test_the_certificate_behind_it_is_not_accepted(self, run: Any, proxy: Any, ours: Tls, theirs: Tls) -> None:
        failed = failing(run, proxy, http, server=theirs)
        assert "the certificate of 127.0.0.1 is not accepted" in failed.text
        assert f"(through the proxy http://127.0.0.1:{proxy.port})" in failed.text
        assert "WebSocket(…, tls=…)" in failed.hint

    def test_a_library_that_is_not_there(self, run: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "python_socks", None)
        failed = failing(run, proxy, socks5)
        assert "needs python-socks" in failed.text
        assert "antiphon[socks]" in failed.hint


@pytest.mark.parametrize("way", [http, socks5], ids=["http", "socks5"])
@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_a_way_that_never_comes_leaves_nothing_open(run: Any, way: Any, how: str) -> None:
    async def scene() -> None:
        asked, gone = asyncio.Event(), asyncio.Event()

        async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            asked.set()
            while await reader.read(1024):
                pass
            writer.close()
            gone.set()

        server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
        transport = WebSocketTransport(proxy=way(SimpleNamespace(port=server.sockets[0].getsockname()[1])))
        within_s = 0.1 if how == "late" else 10
        connecting = asyncio.ensure_future(transport.connect("ws://127.0.0.1:9", Opening(within_s=within_s), Hearing()))
        await asked.wait()
        if how == "late":
            with pytest.raises(ConnectFailed, match=r"no connection to 127.0.0.1:9 within 0.1 s \(through the proxy"):
                await connecting
        else:
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
        await gone.wait()
        server.close()

    run(scene())


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4a"])
@pytest.mark.parametrize("is_secure", [False, True])
def test_tcp_goes_through_a_proxy_that_it_is_told_of(
    run: Any, proxy: Any, ours: Tls, theirs: Tls, scheme: str, is_secure: bool
) -> None:
    async def play() -> None:
        tls = theirs if is_secure else None
        address = "tcps://127.0.0.1:0" if is_secure else "tcp://127.0.0.1:0"
        listening = await TcpListener().listen(address, lambda _opening: Echo(), tls=tls)
        try:
            async with proxy.serving():
                hearing = Hearing()
                transport = TcpTransport(proxy=f"{scheme}://127.0.0.1:{proxy.port}", tls=ours)
                connection = await transport.connect(listening.address, Opening(), hearing)
                connection.send(LARGE)
                await hearing.until(lambda: hearing.size == len(LARGE), "an answer")
                connection.close()
                assert (await hearing.ended()).is_clean
        finally:
            await listening.close()

    run(play())
    assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_tcp_or_is_not_there(run: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused() -> ConnectFailed:
        async with proxy.serving():
            proxy.refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nno way!"
            with pytest.raises(ConnectFailed) as caught:
                await TcpTransport(proxy=http(proxy)).connect("tcp://centre.example:7000", Opening(), Hearing())
            return caught.value

    assert "403" in run(refused()).text
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1:1") as failed:
        run(TcpTransport(proxy=True).connect("tcp://centre.example:7000", Opening(), Hearing()))
    assert failed.value.place == "tcp://centre.example:7000"

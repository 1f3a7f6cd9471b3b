"""TLS on links, on `Http` and in stand files: who says it, whose word counts, and what the run's record has of it."""

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
    Http,
    Link,
    Message,
    Run,
    Scenario,
    ScenarioError,
    Stand,
    Text,
    Tls,
    WebSocket,
    listen,
    load_stand,
    on,
    perform,
    scenario,
)
from antiphon.journal import Note
from antiphon.load.orders import StandData
from antiphon.load.shares import WHOLE


class Echo(Actor):
    line = Accepted(dialect=Text())

    @on("text")
    def reply(self, message: Message) -> None:
        self.line.send("text", message.body)


class Party(Actor):
    line = WebSocket("{server}/desk", dialect=Text(), within_s=5)


class Streaming(Actor):
    line = Link("{server}", dialect=Text(), within_s=5)


class Visitor(Actor):
    api = Http("{server}", within_s=5)


@scenario
async def talk(party: Party) -> None:
    party.line.send("text", "hello")
    await party.line.expect("text", "hello")


@scenario
async def stream(party: Streaming) -> None:
    party.line.send("text", "hello")
    await party.line.expect("text", "hello")


@scenario
async def visit(visitor: Visitor) -> None:
    await visitor.api.get("/")
    await visitor.api.get("/")


@asynccontextmanager
async def http_server(tls: Tls) -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="welcome")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server_context())
    await site.start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


Play = Callable[..., Run]


@pytest.fixture
def pair(certificates: Path) -> Tls:
    """A server's certificate."""
    return Tls(certificate=certificates / "server.pem", key=certificates / "server.key")


@pytest.fixture
def run_over(tmp_path: Path) -> Play:
    """Performs a scenario against a server with that certificate; `stand` makes the stand of the server's address."""

    def run_over(played: Scenario, server: Tls, stand: Callable[[str], Stand]) -> Run:
        async def scene() -> Run:
            if played is visit:
                async with http_server(server) as address:
                    return await perform(played, stand=stand(address), runs=tmp_path / "runs")
            scheme = "tcps" if played is stream else "wss"
            async with await listen(f"{scheme}://127.0.0.1:0", lambda _opening: Echo(), tls=server) as echo:
                return await perform(played, stand=stand(echo.address), runs=tmp_path / "runs")

        return asyncio.run(scene())

    return run_over


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[str], Stand]]:
    """Makes stands of a file whose text is this, below the address of the server, beside the certificates."""

    def written(text: str, folder: Path = tmp_path) -> Callable[[str], Stand]:
        def stand(address: str) -> Stand:
            (folder / "antiphon.toml").write_text(f'[stands.here]\nserver = "{address}"\n{text}')
            monkeypatch.chdir(folder)
            return load_stand()

        return stand

    return written


def notes(run: Run) -> list[str]:
    return [entry.text for entry in run.journal if isinstance(entry, Note)]


@pytest.mark.parametrize("played", [talk, stream, visit], ids=["ws", "tcp", "http"])
class TestStands:
    def test_what_the_stand_says_of_all(
        self, played: Scenario, run_over: Play, written: Any, pair: Tls, certificates: Path
    ) -> None:
        """The authority's file lies beside the stand's."""
        run = run_over(played, pair, written('[stands.here.tls]\nca = "ca.pem"\n', certificates))
        assert notes(run) == []

    @pytest.mark.parametrize("place", ["server", '"127.0.0.1"'])
    def test_what_it_says_of_one_address(
        self, played: Scenario, run_over: Play, written: Any, certificates: Path, place: str
    ) -> None:
        named = Tls(certificate=certificates / "named.pem", key=certificates / "named.key")
        text = f'[stands.here.tls]\nca = "ca.pem"\n[stands.here.tls.{place}]\nserver_name = "centre.internal"\n'
        run_over(played, named, written(text, certificates))

    def test_what_it_says_of_another_address_does_not_count(
        self, played: Scenario, run_over: Play, written: Any, pair: Tls
    ) -> None:
        text = 'other = "wss://127.0.0.1:1"\n[stands.here.tls.other]\nverify = false\n'
        with pytest.raises(ConnectFailed, match="unable to get local issuer"):
            run_over(played, pair, written(text))

    def test_that_nothing_is_verified_is_said_once(
        self, played: Scenario, run_over: Play, written: Any, pair: Tls
    ) -> None:
        run = run_over(played, pair, written("[stands.here.tls]\nverify = false\n"))
        (note,) = notes(run)
        assert note.endswith("verifies no certificate: tls says verify=False")

    def test_a_client_certificate_whose_password_is_nowhere(
        self,
        played: Scenario,
        run_over: Play,
        written: Any,
        pair: Tls,
        certificates: Path,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("OURS", "open sesame")
        asking = Tls(certificate=pair.certificate, key=pair.key, ca=certificates / "ca.pem")
        text = '[stands.here.tls]\nca = "ca.pem"\ncertificate = "client.pem"\nkey = "encrypted.key"\n'
        run_over(played, asking, written(f'{text}password = "${{OURS}}"\n', certificates))
        (recorded,) = (tmp_path / "runs").rglob("journal.jsonl")
        assert "sesame" not in "".join(
            path.read_text(errors="replace") for path in recorded.parent.rglob("*") if path.is_file()
        )


def test_a_channels_own_word_comes_before_the_stands(
    run_over: Play, written: Any, pair: Tls, certificates: Path
) -> None:
    class Own(Actor):
        line = WebSocket("{server}/desk", dialect=Text(), tls=Tls(ca=certificates / "ca.pem"), within_s=5)

    @scenario
    async def own(party: Own) -> None:
        party.line.send("text", "hello")
        await party.line.expect("text", "hello")

    run = run_over(own, pair, written("[stands.here.tls]\nverify = false\n"))
    assert notes(run) == []


def test_a_plain_address_has_none_and_nothing_is_said(tmp_path: Path) -> None:
    async def scene() -> Run:
        async with await listen("ws://127.0.0.1:0", lambda _opening: Echo()) as echo:
            stand = Stand("here", {"server": echo.address}, tls=Tls(verify=False))
            return await perform(talk, stand=stand, runs=None)

    assert notes(asyncio.run(scene())) == []


@pytest.mark.parametrize(
    ("text", "line", "told", "hint"),
    [
        ("tls = true\n", 3, "stands.here.tls is not a table", None),
        ('[stands.here.tls]\nca = "nowhere.pem"\n', 3, "nowhere.pem cannot be read", "tls.ca"),
        (
            '[stands.here.tls]\nca = "ca.pem"\ncertificat = "client.pem"\n',
            5,
            "tls.certificat is no setting",
            "server_name",
        ),
        ('[stands.here.tls.centr]\nca = "ca.pem"\n', 3, "tls.centr is for no address", "server"),
        ('[stands.here.tls.server]\nverify = "no"\n', 3, "verify is 'no'", "tls.verify"),
        ('[stands.here.tls]\npassword = "${NOT_SET}"\n', 4, "environment variable NOT_SET", "export"),
        ('[stands.here.tls]\nca = { pem = "x" }\n', 3, "ca is of type dict", "tls.ca"),
        ('[stands.here.tls."10.0.0.7:8443"]\nmin_version = "2"\n', 3, "min_version is '2'", "1.3"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_line(
    written: Any, certificates: Path, text: str, line: int, told: str, hint: str | None
) -> None:
    with pytest.raises(ScenarioError) as caught:
        written(text, certificates)("https://127.0.0.1:1")
    assert told in caught.value.text
    assert caught.value.place == f"{certificates}/antiphon.toml:{line}"
    assert (hint or "") in (caught.value.hint or "")


def test_a_place_with_a_port_is_meant_before_one_without(written: Any) -> None:
    text = (
        '[stands.here.tls."localhost"]\nmin_version = "1.2"\n[stands.here.tls."localhost:8443"]\nmin_version = "1.3"\n'
    )
    stand = written(text)("https://127.0.0.1:1")
    assert stand.tls_for("wss://localhost:8443/desk").min_version == "1.3"
    assert stand.tls_for("wss://localhost/desk").min_version == "1.2"
    assert stand.tls_for("wss://elsewhere:8443/desk") is None
    assert stand.tls_for("wss://[::1") is None


def test_the_default_port_is_a_port(written: Any) -> None:
    stand = written('[stands.here.tls."localhost:443"]\nverify = false\n')("https://127.0.0.1:1")
    assert stand.tls_for("https://localhost/desk") is not None
    assert stand.tls_for("http://localhost/desk") is None


def test_other_processes_of_a_load_have_the_same(written: Any, certificates: Path) -> None:
    one = '[stands.here.tls.server]\nserver_name = "centre.internal"\n'
    text = f'[stands.here.tls]\nca = "ca.pem"\nalpn = ["http/1.1"]\n{one}'
    stand = written(text, certificates)("https://127.0.0.1:1")
    there = StandData.of(stand.with_users([]), WHOLE).stand()
    assert there.tls_for("https://127.0.0.1:1/") == stand.tls_for("https://127.0.0.1:1/")
    assert there.tls_for("https://elsewhere/") == stand.tls_for("https://elsewhere/")
    assert there.tls_for("https://elsewhere/").context()

"""A conversation with Chromium by its DevTools protocol, over WebSocket, about a page on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, FLAGS
from chromium_devtools import Browser, look_at
from real_servers import serving

from antiphon import ExpectationFailed, JsonRpc, RequestRefused, Run, Stand, WebSocket, play, scenario
from antiphon.journal.file import WrittenMessage, read_journal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium_devtools"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
]

PAGE = b"""<!doctype html>
<title>The page</title>
<script>console.log("here I am", 7, {seven: 7})</script>
"""


class Site(BaseHTTPRequestHandler):
    """The same page at every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/page"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    profile = tmp_path_factory.mktemp("profile")
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    with serving(command, r"DevTools listening on ws://([\d.:]+)/") as found:
        yield Stand("chromium", {"chromium": f"http://{found[1]}"})
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(profile).encode() in _read(path)]
    assert left == [], "processes of the browser"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just gone
        return b""


@scenario
async def talk(browser: Browser, url: str) -> dict[str, Any]:
    """A page is opened and asked; what is no command, and what throws, is told."""
    await browser.visit(url)
    title = await browser.evaluate("document.title")
    later = await browser.evaluate("new Promise(done => setTimeout(done, 10, [1, {two: 2}]))")
    await browser.evaluate("console.warn('asked')")
    await browser.until(lambda: ["asked"] in browser.console)
    with pytest.raises(RequestRefused) as refused:
        await browser.ask("Page.noSuchCommand")
    with pytest.raises(RequestRefused) as misused:
        await browser.ask("Runtime.evaluate", expression=7)
    with pytest.raises(ExpectationFailed) as thrown:
        await browser.evaluate("nobody.there")
    return {
        "title": title,
        "later": later,
        "refused": refused.value,
        "misused": misused.value,
        "thrown": thrown.value,
        "still": await browser.evaluate("6 * 7"),
    }


@pytest.fixture(scope="module")
def run(stand: Stand, page: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return play(talk, stand=stand, runs=tmp_path_factory.mktemp("runs"), url=page)


def test_a_page_is_loaded_and_asked(run: Run) -> None:
    assert run.verdict == "passed"
    assert (run.value["title"], run.value["later"], run.value["still"]) == ("The page", [1, {"two": 2}], 42)


def test_what_the_page_writes_comes_as_events(run: Run) -> None:
    assert run.browser.console == [["here I am", 7, "Object"], ["asked"]]


def test_a_command_is_refused_with_its_error(run: Run) -> None:
    refused, misused = run.value["refused"], run.value["misused"]
    assert refused.message["error"] == {"code": -32601, "message": "'Page.noSuchCommand' wasn't found"}
    assert misused.message["error"]["code"] == -32602
    assert "Page.noSuchCommand" in str(refused)
    assert "-32601" in str(refused)


def test_what_throws_in_the_page_fails_the_step(run: Run) -> None:
    assert "ReferenceError: nobody is not defined" in str(run.value["thrown"])


def test_a_page_that_is_not_there_says_why(stand: Stand, tmp_path: Path) -> None:
    with pytest.raises(ExpectationFailed, match="cannot be loaded: net::ERR_"):
        play(look_at, stand=stand, runs=tmp_path, url="http://127.0.0.1:1/")


def test_commands_replies_and_events_are_in_the_journal(run: Run) -> None:
    said = [entry for entry in read_journal(run.directory / "journal.jsonl") if isinstance(entry, WrittenMessage)]
    names = {entry.name for entry in said}
    assert names >= {"Page.enable", "Page.navigate", "Page.loadEventFired", "Runtime.evaluate"}


def test_two_tabs_are_two_conversations_and_are_closed(stand: Stand, page: str, tmp_path: Path) -> None:
    @scenario
    async def two(one: Browser, other: Browser) -> tuple[Any, ...]:
        await one.visit(page)
        await other.visit(page + "?other")
        addresses = [await browser.evaluate("location.search") for browser in (one, other)]
        targets = await one.http.get("/json/list")
        return addresses, {one.tab_id, other.tab_id}, {tab["id"] for tab in targets.body}

    addresses, tabs, targets = play(two, stand=stand, runs=tmp_path).value

    assert addresses == ["", "?other"]
    assert len(tabs) == 2
    assert tabs <= targets

    @scenario
    async def after(browser: Browser) -> set[str]:
        return {tab["id"] for tab in (await browser.http.get("/json/list")).body}

    assert not tabs & play(after, stand=stand, runs=tmp_path).value


class BrowserByRpc(Browser):
    """The same protocol as JSON-RPC without its member "jsonrpc": a reply is called after its command."""

    tab = WebSocket("{tab_address}", dialect=JsonRpc(version=None), within_s=30)


def test_it_is_json_rpc_without_a_version_too(stand: Stand, tmp_path: Path) -> None:
    @scenario
    async def version(browser: BrowserByRpc) -> tuple[str, Any]:
        reply = await browser.ask("Runtime.evaluate", expression="6 * 7")
        return reply.name, reply["result"]["value"]

    assert play(version, stand=stand, runs=tmp_path).value == ("Runtime.evaluate.result", 42)


def test_the_page_s_own_scenario_gives_the_title(stand: Stand, page: str, tmp_path: Path) -> None:
    assert play(look_at, stand=stand, runs=tmp_path, url=page).value == "The page"

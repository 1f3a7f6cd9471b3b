"""Why a conversation with a kernel, a browser, a language server or a stream of events failed.

What each text must tell: see `test_failure_texts`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from browsing import CHROMIUM, FLAGS
from chromium_devtools import COMMANDS_AND_EVENTS, Browser
from failure_text import Case, judged
from jupyter_kernel import Kernel, Notebook
from lsp import Editor
from real_servers import REAL, free_port, listened_at, serving

from antiphon import Actor, Http, Link, Lsp, WebSocket, scenario
from antiphon.dialect.event_stream import EventStream
from antiphon.dialect.framing import ContentLength
from antiphon.transport.http_stream import HttpStream

pytestmark = pytest.mark.slow
PASSWORD = "looking-glass-7"
USERS = [{"name": "ann", "password": PASSWORD}]

# -- Jupyter ----------------------------------------------------------------------------------------------------------


class Student(Notebook):
    http = Http("{server}")
    kernel = WebSocket("{server}/api/kernels/{kernel_id}/channels", dialect=Kernel(), within_s=5)


class Guesser(Student):
    async def arrive(self) -> None:
        self.http.headers["Authorization"] = "token guessed"
        await self.http.get("/api/kernels")


class Astray(Student):
    async def arrive(self) -> None:
        await super().arrive()
        self.started, self.kernel_id = self.kernel_id, "00000000-0000-0000-0000-000000000000"

    async def leave(self) -> None:
        await self.http.delete(f"/api/kernels/{self.started}")


class Cookieless(Student):
    async def arrive(self) -> None:
        await super().arrive()
        del self.kernel.headers["Cookie"]


@scenario
async def guess_the_token(eve: Guesser) -> None:
    await eve.execute("1")


@scenario
async def ask_another_kernel(ann: Astray) -> None:
    await ann.execute("1")


@scenario
async def go_without_a_cookie(ann: Cookieless) -> None:
    await ann.execute("1")


@scenario
async def divide_by_zero(ann: Student) -> None:
    await ann.execute("1 / 0")


@scenario
async def kill_the_kernel(ann: Student) -> None:
    await ann.execute("import os; os._exit(1)")


@scenario
async def print_something_else(ann: Student) -> None:
    ann.ask("execute_request", code="print('two')", silent=False)
    await ann.expect("stream", {"text": "one\n"})


JUPYTER = {
    "jupyter_wrong_token": Case(guess_the_token, ("/api/kernels", "answered with 403", "it says 'Forbidden'")),
    "jupyter_no_such_kernel": Case(ask_another_kernel, ("ann.kernel", "404 Not Found", "/api/kernels/00000000-0000")),
    "jupyter_no_cookie": Case(go_without_a_cookie, ("ann.kernel", "403", "no Cookie")),
    "jupyter_raises": Case(divide_by_zero, ("execute_request", "ZeroDivisionError", "division by zero")),
    "jupyter_dies": Case(kill_the_kernel, ("execute_request", "restarting")),
    "jupyter_something_else": Case(print_something_else, ("stream", "'two\\n'", "'one\\n'")),
}


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("jupyter")
    command = [str(REAL / "jupyter" / "bin" / "python"), "-m", "jupyter_server", "--no-browser", "--allow-root"]
    options = ["--ServerApp.port=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={PASSWORD}"]
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    env = {**folders, "HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
    options.append(f"--ServerApp.root_dir={home}")
    with serving([*command, *options], r" http://127\.0\.0\.1:(\d+)/", env=env) as found:
        listened_at("127.0.0.1", int(found[1]))
        yield f"http://127.0.0.1:{found[1]}"


@pytest.mark.skipif(not (REAL / "jupyter").exists(), reason="there is no Jupyter Server: make real")
@pytest.mark.parametrize("name", JUPYTER)
def test_jupyter(name: str, jupyter: str, tmp_path: Path) -> None:
    judged(JUPYTER, name, jupyter, tmp_path, users=USERS)


# -- Chromium ---------------------------------------------------------------------------------------------------------


class Tab(Browser, user=False):
    http = Http("{server}")
    tab = WebSocket("{tab_address}", dialect=COMMANDS_AND_EVENTS, within_s=5)


class Gone(Tab, user=False):
    async def arrive(self) -> None:
        await super().arrive()
        self.tab_address = self.tab_address[:-4] + "0000"


@scenario
async def give_no_command(ann: Tab) -> None:
    await ann.ask("Page.noSuchCommand")


@scenario
async def misuse_a_command(ann: Tab) -> None:
    await ann.ask("Runtime.evaluate", expression=7)


@scenario
async def close_the_target(ann: Tab) -> None:
    await ann.ask("Page.enable")
    await ann.http.get(f"/json/close/{ann.tab_id}")
    await ann.expect("Page.loadEventFired")


@scenario
async def go_where_nobody_listens(ann: Tab, url: str) -> None:
    await ann.ask("Page.navigate", url=url, check={"result": {"loaderId": ..., "errorText": None}})


@scenario
async def wait_for_a_page_that_never_loads(ann: Tab, url: str) -> None:
    await ann.visit(url)


@scenario
async def leave_a_session_that_is_none(ann: Tab) -> None:
    await ann.ask("Target.detachFromTarget", sessionId="ABCDEF")


@scenario
async def have_no_target(ann: Gone) -> None:
    await ann.ask("Page.enable")


CHROME = {
    "chromium_no_command": Case(give_no_command, ("Page.noSuchCommand", "-32601", "wasn't found")),
    "chromium_misused": Case(misuse_a_command, ("Runtime.evaluate", "-32602", "Invalid parameters")),
    "chromium_target_closed": Case(close_the_target, ("Page.loadEventFired", "Inspector.detached", "the last says")),
    "chromium_refused_port": Case(go_where_nobody_listens, ("ERR_CONNECTION_REFUSED",)),
    "chromium_not_loaded": Case(wait_for_a_page_that_never_loads, ("ERR_CONNECTION_REFUSED",)),
    "chromium_no_session": Case(leave_a_session_that_is_none, ("Target.detachFromTarget", "No session with given id")),
    "chromium_no_target": Case(have_no_target, ("ann.tab", "No such target id")),
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    profile = tmp_path_factory.mktemp("profile")
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    with serving(command, r"DevTools listening on ws://([\d.:]+)/") as found:
        yield f"http://{found[1]}"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
@pytest.mark.parametrize("name", CHROME)
def test_chromium(name: str, chromium: str, tmp_path: Path) -> None:
    given = {"url": f"http://127.0.0.1:{free_port()}/"} if "url" in CHROME[name].scenario.parameters else {}
    judged(CHROME, name, chromium, tmp_path, **given)


# -- python-lsp-server ------------------------------------------------------------------------------------------------


class Author(Editor):
    server = Link("{server}", dialect=Lsp(), framing=ContentLength(), within_s=5)


@scenario
async def ask_for_what_is_no_method(ann: Author) -> None:
    await ann.initialize()
    await ann.ask("textDocument/noSuchMethod")


@scenario
async def ask_about_what_is_not_open(ann: Author) -> None:
    await ann.initialize()
    position = {"line": 50, "character": 3}
    uri = "file:///nowhere.py"
    await ann.ask("textDocument/hover", textDocument={"uri": uri}, position=position, check={"contents": "a list"})


@scenario
async def wait_for_another_file(ann: Author) -> None:
    await ann.initialize()
    await ann.show("file:///one.py", "import os\n")
    uri = "file:///one.py"
    ann.send("textDocument/didChange", textDocument={"uri": uri, "version": 2}, contentChanges=[{"text": "1\n"}])
    await ann.expect("textDocument/publishDiagnostics", {"uri": "file:///two.py"}, within_s=1)


@scenario
async def kill_the_language_server(ann: Author) -> None:
    await ann.initialize()
    os.kill(our_server(), signal.SIGKILL)
    await ann.expect("textDocument/publishDiagnostics")


def our_server() -> int:
    """The process that is ours and runs the server."""
    (pid,) = (int(each.parent.name) for each in Path("/proc").glob("[0-9]*/stat") if is_our_server(each))
    return pid


def is_our_server(stat: Path) -> bool:
    try:
        parent = int(stat.read_text().rpartition(")")[2].split()[1])
        return parent == os.getpid() and b"pylsp" in (stat.parent / "cmdline").read_bytes()
    except OSError:  # it has just gone
        return False


@scenario
async def give_it_no_command_line(ann: Author) -> None:
    await ann.initialize()


PYLSP = {
    "lsp_no_method": Case(ask_for_what_is_no_method, ("textDocument/noSuchMethod", "-32601", "Method Not Found")),
    "lsp_not_open": Case(ask_about_what_is_not_open, ("textDocument/hover", "does not match", "contents")),
    "lsp_another_file": Case(wait_for_another_file, ("publishDiagnostics", "'file:///one.py'", "'file:///two.py'")),
    "lsp_killed": Case(kill_the_language_server, ("publishDiagnostics", "SIGKILL")),
}


@pytest.mark.parametrize("name", PYLSP)
def test_pylsp(name: str, tmp_path: Path) -> None:
    judged(PYLSP, name, f"stdio:{sys.executable} -m pylsp", tmp_path)


def test_pylsp_is_started_wrongly(tmp_path: Path) -> None:
    case = Case(give_it_no_command_line, ("ann.server", "unrecognized arguments: --nonsense"))
    judged(
        {"lsp_started_wrongly": case}, "lsp_started_wrongly", f"stdio:{sys.executable} -m pylsp --nonsense", tmp_path
    )


# -- events of aiohttp ------------------------------------------------------------------------------------------------


class Listener(Actor):
    news = Link("{server}", transport=HttpStream(), dialect=EventStream(), within_s=2)


@scenario
async def listen_to_news(ann: Listener) -> None:
    for number in (1, 2):
        await ann.expect("headline", {"number": number})


async def refuse(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPUnauthorized(text="the session has expired")


async def break_off(request: web.Request) -> web.StreamResponse:
    stream = await _begin(request)
    await stream.write(b'event: headline\ndata: {"number": 1}\n\nevent: headline\ndata: {"num')
    assert request.transport is not None
    request.transport.close()
    return stream


async def end(request: web.Request) -> web.StreamResponse:
    stream = await _begin(request)
    await stream.write(b'event: headline\ndata: {"number": 1}\n\n')
    return stream


async def fail(request: web.Request) -> web.StreamResponse:
    stream = await _begin(request)
    await stream.write(b'event: headline\ndata: {"number": 1}\n\nevent: error\ndata: {"message": "feed is down"}\n\n')
    return stream


async def send_a_page(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="<title>log in first</title>", content_type="text/html")


async def _begin(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    return stream


ANSWERS = {
    "events_refused": refuse,
    "events_nowhere": None,
    "events_break_off": break_off,
    "events_end": end,
    "events_fail": fail,
    "events_of_another_type": send_a_page,
}
EVENTS = {
    "events_refused": Case(listen_to_news, ("ann.news", "401", "the session has expired")),
    "events_nowhere": Case(listen_to_news, ("ann.news", "404", "Not Found")),
    "events_break_off": Case(listen_to_news, ("headline", "broke off")),
    "events_end": Case(listen_to_news, ("waited for headline", "number: 2", "the server closed the connection")),
    "events_fail": Case(listen_to_news, ("headline", "error", "feed is down")),
    "events_of_another_type": Case(listen_to_news, ("ann.news", "text/html", "log in first")),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str, tmp_path: Path) -> None:
    answer = ANSWERS[name]

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        application = web.Application()
        if answer is not None:
            application.add_routes([web.get("/news", answer)])
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}/news"
        finally:
            await runner.cleanup()

    judged(EVENTS, name, "", tmp_path, serve=serve)

"""Secrets of a load, given and learnt at run time, wherever a conversation may bring them: none is left or told."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from load_desk import is_late_only

from antiphon.report.load.figures import read_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

SERVER = """
import asyncio, json
from aiohttp import WSMsgType, web

logins = 0

async def login(request):
    global logins
    logins += 1
    return web.json_response({"token": f"by-http-{logins:05}"})

async def item(request):
    return web.json_response({"error": "no " + request.match_info["token"]}, status=404)

async def line(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    token = request.headers["Authorization"].removeprefix("Bearer ")
    own = "by-line-" + token[-5:]
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        name = json.loads(message.data)["action"]
        reply = {"session": {"access_token": own}} if name == "hello" else {}
        if name == "refuse":
            reply = {"result": "error", "error": f"{token} and {own} are refused"}
        elif name == "wrong":
            reply = {"state": own, "all": [token]}
        elif name == "worn":
            reply = {"badge": f"planted-badge-{token[-1]}", "said": f"planted-badge-{token[-1]} of {own}"}
        if name == "close":
            await socket.close(code=4001, message=f"bye {own}".encode())
        elif name == "mumble":
            await socket.send_str(f"no JSON: {own}")
        else:
            await socket.send_json({"action": f"result{name[:1].upper()}{name[1:]}", "data": reply})
    return socket

async def main():
    app = web.Application()
    app.add_routes([web.post("/login", login), web.get("/items/{token}", item), web.get("/line", line)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

SCENARIO = """
from antiphon import Actor, Http, Json, WebSocket, action, scenario, soft, timer

DIALECT = Json(
    name="action", body="data", reply="result{Name}", failed={"result": "error"}, error="error", error_of="action"
)

class Party(Actor):
    api = Http("http://{peer}")
    line = WebSocket("ws://{peer}/line", dialect=DIALECT, within_s=10)
    gone = WebSocket("{gone}", dialect=DIALECT, opens="manually")

    async def arrive(self):
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.token = login["token"]
        self.line.headers["Authorization"] = f"Bearer {self.token}"

    @action
    async def go(self, how):
        hello = await self.ask("hello")
        self.own = hello["session"]["access_token"]
        match how:
            case "asked":
                await self.ask(f"sub-{self.own}")
            case "timed":
                with timer(f"for {self.token}"):
                    pass
            case "awaited":
                await self.expect(f"event-{self.own}", where={"token": self.own}, within_s=0.2)
            case "refuse" | "close":
                await self.ask(how)
            case "wrong":
                await self.ask("wrong", check={"state": "fine"})
            case "soft":
                await self.ask("wrong", check=soft({"state": "fine", "all": ["none"]}))
            case "mumble":
                self.send("mumble")
                await self.expect("anything")
            case "asserted":
                assert not self.own, f"{self.own} for {self.token}"
            case "raised":
                raise KeyError(self.own)
            case "fetched":
                await self.api.get(f"/items/{self.token}")
            case "gone":
                await self.gone.open()
            case "worn":
                await self.ask("worn", check={"badge": f"not {self.user.badge}"})

@scenario
async def talk(party: Party, how: str = "", api_key: str = "", password: str = ""):
    assert how != "keyed", f"{api_key} and {password} open nothing"
    with timer(f"a talk by {api_key}"):
        await party.go(how)
"""

HOW = [
    "passed",
    "asked",
    "timed",
    "awaited",
    "refuse",
    "close",
    "wrong",
    "soft",
    "mumble",
    "asserted",
    "raised",
    "fetched",
    "gone",
    "worn",
    "keyed",
]
GOOD = {"passed", "asked", "timed"}
USERS = 4
SECRET = (b"by-http-0", b"by-line-0", b"planted-")


@pytest.fixture
def peer() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.fixture
def place(tmp_path: Path, peer: str) -> Path:
    """The scenario, a stand whose users, addresses and messages have secrets, and a feed that has one in each row."""
    users = ", ".join(
        f'{{ name = "user-{n}", password = "planted-password-{n}", badge = "planted-badge-{n}" }}' for n in range(USERS)
    )
    stand = [
        *('default = "x"', "[stands.x]", f'peer = "{peer}"', f"users = [{users}]", 'secrets = ["badge"]'),
        'gone = "ws://anyone:planted-at@127.0.0.1:1/line?access_token=planted-query"',
    ]
    (tmp_path / "antiphon.toml").write_text("\n".join(stand))
    (tmp_path / "talk.py").write_text(SCENARIO)
    rows = [f"{how},planted-key-{number}" for number, how in enumerate(HOW)]
    (tmp_path / "how.csv").write_text("\n".join(["how,api_key", *rows]) + "\n")
    return tmp_path


def test_no_secret_is_in_anything_that_a_load_leaves(place: Path) -> None:
    count = 2 * len(HOW)
    amount = ["--users", str(USERS), "--count", str(count), "--feed", "how.csv", "--processes", "2"]
    secret = ["--password", "planted-option", "--keep", "failed:3-per-cause,slowest:5,sample:100%"]
    # Each cell by itself must be without secrets, whatever the ones beside it teach.
    table = ["--table", "talks.csv:own,party.token,cause,conversation,how,outcome,api_key"]
    reports = [word for name in ("junit", "allure", "summary") for word in ("--report", name)]
    command = [sys.executable, "-m", "antiphon", "load", "talk.py:talk", *amount, *secret, *table, *reports]
    done = subprocess.run(command, cwd=place, capture_output=True, timeout=120, check=False)

    (directory,) = (place / "runs").iterdir()
    figures = read_figures(directory)
    assert done.returncode == 4 or is_late_only(figures), done.stdout + done.stderr
    assert figures.total.passed == count * len(GOOD) // len(HOW)
    assert figures.total.failed == count - figures.total.passed
    assert len(figures.causes) == len(HOW) - len(GOOD)
    assert len(figures.kept) == count

    left = {path: path.read_bytes() for path in (place / "runs").rglob("*") if path.is_file()}
    left[place / "talks.csv"] = (place / "talks.csv").read_bytes()
    left |= {Path("stdout"): done.stdout, Path("stderr"): done.stderr}
    leaks = {(str(path), word) for path, data in left.items() for word in SECRET if word in data}
    assert not leaks
    assert {"talk/go/sub-***", "talk/for ***"} <= set(figures.series)
    split = json.loads((directory / "summary.json").read_bytes())["series"]
    assert any("sub-***" in series["split_ms"] for series in split)


class Collector(HTTPServer):
    """Takes what is sent by OTLP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken = b""


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        self.server.taken += self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_no_secret_is_told_while_a_load_goes_on(place: Path, collector: Collector) -> None:
    """On a terminal, where somebody looks at one conversation after the other, to Prometheus, by OTLP, to GitHub."""
    page = place / "step_summary.md"
    command = [sys.executable, "-m", "antiphon", "load", "talk.py:talk", "--rate", "12/s", "--for", "6s", "--otlp"]
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 250, 0, 0))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        "TERM": "xterm-256color",
        "GITHUB_STEP_SUMMARY": str(page),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    with subprocess.Popen(
        [*command, "--prometheus", "0", "--feed", "how.csv", "--report", "summary"],
        cwd=place,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(slave)
        shown, scraped = b"", b""
        while chunk := _read(master):
            shown += chunk
            if served := re.search(rb"http://127.0.0.1:[0-9]+/metrics", shown):
                scraped = _scraped(served[0].decode()) or scraped
            if b"look" in chunk:  # the last line of a frame tells the keys
                os.write(master, b"l")
        os.close(master)
        code = process.wait(60)

    assert code in {4, 5}, shown
    told = {"screen": shown, "scrape": scraped, "otlp": collector.taken, "summary": page.read_bytes()}
    for where, data in told.items():
        assert b"go" in data, where
        assert b"***" in data, where
    assert b"antiphon_errors_total" in scraped
    assert b"GET /items/" in shown, "nobody was looked at"
    leaks = {(where, word) for where, data in told.items() for word in SECRET if word in data}
    assert not leaks


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # so Linux says that nobody has the terminal any more
        return b""


def _scraped(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            data: bytes = answer.read()
            return data
    except OSError:  # the load is over
        return b""

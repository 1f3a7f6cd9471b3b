"""Secrets of a load, given and learnt at run time, wherever a conversation may bring them: none is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
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

@scenario
async def talk(party: Party, how: str = "", api_key: str = ""):
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


def test_no_secret_is_in_anything_that_a_load_leaves(tmp_path: Path, peer: str) -> None:
    users = ", ".join(f'{{ name = "user-{n}", password = "planted-password-{n}" }}' for n in range(USERS))
    (tmp_path / "antiphon.toml").write_text(f'default = "x"\n\n[stands.x]\npeer = "{peer}"\nusers = [{users}]\n')
    (tmp_path / "talk.py").write_text(SCENARIO)
    (tmp_path / "how.csv").write_text("\n".join(["how", *HOW]) + "\n")
    count = 2 * len(HOW)
    amount = ["--users", str(USERS), "--count", str(count), "--feed", "how.csv", "--processes", "2"]
    secret = ["--api-key", "planted-key", "--keep", "failed:3-per-cause,slowest:5,sample:100%"]
    # Each cell by itself must be without secrets, whatever the ones beside it teach.
    table = ["--table", "talks.csv:own,party.token,cause,conversation,how,outcome,api_key"]
    reports = [word for name in ("junit", "allure", "summary") for word in ("--report", name)]
    command = [sys.executable, "-m", "antiphon", "load", "talk.py:talk", *amount, *secret, *table, *reports]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)

    (directory,) = (tmp_path / "runs").iterdir()
    figures = read_figures(directory)
    assert done.returncode == 4 or is_late_only(figures), done.stdout + done.stderr
    assert figures.total.passed == count * len(GOOD) // len(HOW)
    assert figures.total.failed == count - figures.total.passed
    assert len(figures.causes) == len(HOW) - len(GOOD)
    assert len(figures.kept) == count

    left = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    left[tmp_path / "talks.csv"] = (tmp_path / "talks.csv").read_bytes()
    left |= {Path("stdout"): done.stdout, Path("stderr"): done.stderr}
    leaks = {(str(path), word) for path, data in left.items() for word in SECRET if word in data}
    assert not leaks
    assert {"talk/go/sub-***", "talk/for ***"} <= set(figures.series)
    split = json.loads((directory / "summary.json").read_bytes())["series"]
    assert any("sub-***" in series["split_ms"] for series in split)

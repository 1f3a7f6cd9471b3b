"""Plays our WebSocket server and client against the public conformance suite of RFC 6455 and RFC 7692, Autobahn's.

`python -m bench.autobahn WSTEST REPORTS [CASE...]`: WSTEST is the suite's command, which needs a Python 2.7 of its own.
Its reports, one page a case, go into the directory REPORTS. A CASE is `1.2.3`, or `12.*` for all of a chapter; without
any it is all but the suite's measurements. The exit code is 1 if any case is not as it should be.
`docs/CONFORMANCE.md` tells more.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data
from antiphon.errors import ConnectFailed
from antiphon.transport.interface import Connection, Opening
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

AGENT = "antiphon"
CASES = [f"{chapter}.*" for chapter in (*range(1, 8), 10, 12, 13)]
"""All but chapter 9, which measures."""

ON_LOOPBACK = """
from autobahntestsuite import choosereactor
from twisted.internet import reactor

listen = reactor.listenTCP
reactor.listenTCP = lambda port, factory, backlog=50, interface=None: listen(port, factory, backlog, "127.0.0.1")

from autobahntestsuite.wstest import run

run()
"""
"""The suite's `wstest`, in its own Python: it listens on every interface, and nobody but us is to be answered."""

FINE = {"OK", "NON-STRICT", "INFORMATIONAL"}


class Echo:
    """Says again what it hears, as the suite asks of whoever is tested; `ended` is set when the connection is gone."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.last: Data = ""
        self._connection: Connection | None = None

    def on_opened(self, connection: Connection) -> None:
        self._connection = connection

    def on_data(self, data: Data) -> None:
        assert self._connection is not None
        self._connection.send(data)
        self.last = data

    def on_ended(self, _ending: Ending) -> None:
        self._connection = None
        self.ended.set()


async def judge_server(wstest: str, reports: Path, cases: Sequence[str]) -> dict[str, dict[str, str]]:
    """The suite's fuzzing client against our server: what it says of each case."""
    server = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: Echo())
    spec = {"servers": [{"agent": AGENT, "url": server.address}], **_spec(reports, cases)}
    async with _suite(wstest, "fuzzingclient", spec, reports) as suite:
        await suite.wait()
    await server.close()
    return _verdicts(reports)


async def judge_client(wstest: str, reports: Path, cases: Sequence[str]) -> dict[str, dict[str, str]]:
    """The suite's fuzzing server against our client: what it says of each case."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"ws://127.0.0.1:{free.getsockname()[1]}"
    async with _suite(wstest, "fuzzingserver", {"url": address, **_spec(reports, cases)}, reports):
        count = int(await _first_word(f"{address}/getCaseCount"))
        for number in range(1, count + 1):
            await _visit(f"{address}/runCase?case={number}&agent={AGENT}")
        await _visit(f"{address}/updateReports?agent={AGENT}")
    return _verdicts(reports)


def _spec(reports: Path, cases: Sequence[str]) -> dict[str, object]:
    return {"outdir": str(reports), "cases": list(cases), "exclude-cases": [], "exclude-agent-cases": {}}


@asynccontextmanager
async def _suite(wstest: str, mode: str, spec: dict[str, object], reports: Path) -> AsyncIterator[Process]:
    """The suite, running; what it prints is of no interest."""
    spec_file = _write(reports / f"{mode}.json", json.dumps(spec))
    process = await asyncio.create_subprocess_exec(*command(wstest, mode, spec_file), stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def command(wstest: str, mode: str, spec_file: Path) -> Sequence[str]:
    """The suite's command, by the Python that it is installed for."""
    python = str(Path(wstest).with_name("python"))
    return (python, "-c", ON_LOOPBACK, "--mode", mode, "--spec", str(spec_file), "--webport", "0")


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


async def _visit(address: str) -> Echo:
    """Connect with compression, echo until the suite closes the connection."""
    echo = Echo()
    await WebSocketTransport(compression=True).connect(address, Opening(), echo)
    await echo.ended.wait()
    return echo


async def _first_word(address: str) -> str:
    """What the suite says there; it takes some seconds to start."""
    async with asyncio.timeout(60):
        while True:
            try:
                return str((await _visit(address)).last)
            except ConnectFailed:
                await asyncio.sleep(0.2)


def _verdicts(reports: Path) -> dict[str, dict[str, str]]:
    verdicts: dict[str, dict[str, str]] = json.loads((reports / "index.json").read_text())[AGENT]
    return verdicts


def _tell(side: str, verdicts: dict[str, dict[str, str]]) -> bool:
    """Print the counts and every case that is not fine; True if there is none."""
    for what in ("behavior", "behaviorClose"):
        counts = Counter(verdict[what] for verdict in verdicts.values())
        words = ", ".join(f"{count} {word}" for word, count in counts.most_common())
        print(f"{side}, {len(verdicts)} cases, {'closing' if what == 'behaviorClose' else 'talking'}: {words}")
    bad = {name: each for name, each in verdicts.items() if not {each["behavior"], each["behaviorClose"]} <= FINE}
    for name, each in bad.items():
        print(f"  {name}: {each['behavior']}, closing {each['behaviorClose']}: {each['reportfile']}")
    return not bad


async def main(wstest: str, reports: Path, cases: Sequence[str]) -> int:
    """Both sides, one after the other; 0 if every case is fine."""
    is_server_fine = _tell("server", await judge_server(wstest, reports / "server", cases))
    is_client_fine = _tell("client", await judge_client(wstest, reports / "client", cases))
    return 0 if is_server_fine and is_client_fine else 1


if __name__ == "__main__":
    sys.exit(uvloop.run(main(sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3:] or CASES)))

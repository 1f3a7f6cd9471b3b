"""Peers by hand over real sockets, and runs that are meant to fail against them."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import hashlib
import json
import re
import signal
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from browsing import CHROMIUM, FLAGS, WITHIN_MS, playwright

from antiphon import AntiphonError, Scenario, Stand, play
from antiphon.journal import Failed, RunEnded, RunStarted
from antiphon.journal.file import WrittenMessage, read_journal

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
PATIENCE_S = 10.0
"""How long anything here may take that should take no time at all."""


@pytest.fixture(autouse=True)
def signals_are_heard() -> Iterator[None]:
    """Here and in the processes that a test starts, also where a shell's `&`, or nohup, has the tests ignore them."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    ignored = [number for number in usual if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, usual[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def tab() -> AsyncIterator[Any]:
    """A tab of a browser with an empty profile."""
    async with playwright().async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        context.set_default_timeout(WITHIN_MS)
        yield await context.new_page()
        await browser.close()


class Line:
    """The server's end of one connection: what a test's behaviour reads and writes on it, byte by byte if it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    # -- HTTP ---------------------------------------------------------------------------------------------------------

    async def read_head(self) -> tuple[str, dict[str, str]]:
        """The request line, and the headers by their small names."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.split("\r\n")
        return request, {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }

    async def read_request(self) -> tuple[str, dict[str, str], bytes]:
        """A whole HTTP request."""
        request, headers = await self.read_head()
        return request, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    def answer(self, status: str, body: str = "", kind: str = "text/plain", **headers: str) -> None:
        """A whole HTTP answer: `answer("404 Not Found", "no such page")`."""
        fields = {"Content-Type": kind, "Content-Length": str(len(body.encode())), **headers}
        self.write(
            f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items()), "", body
        )

    async def upgrade(self) -> None:
        """Open a WebSocket as a server does (RFC 6455 section 4.2.2)."""
        _, headers = await self.read_head()
        self.accept(headers)

    def accept(self, headers: dict[str, str]) -> None:
        """Answer an upgrade whose head was read already."""
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        switch = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
        self.write(*switch, f"Sec-WebSocket-Accept: {accept}", "", "")

    def write(self, *lines: str) -> None:
        self.writer.write("\r\n".join(lines).encode())

    # -- WebSocket ----------------------------------------------------------------------------------------------------

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
        """A frame of a server (section 5.2), to be written or cut."""
        size = len(payload)
        if size < 126:
            length = bytes([size])
        elif size < 65536:
            length = b"\x7e" + struct.pack(">H", size)
        else:
            length = b"\x7f" + struct.pack(">Q", size)
        return bytes([fin << 7 | reserved << 4 | opcode]) + length + payload

    def say_text(self, text: str) -> None:
        self.writer.write(self.frame(TEXT, text.encode()))

    def say(self, action: str, data: Any = None) -> None:
        """A message as the tests' actors understand it."""
        self.say_text(json.dumps({"action": action, "data": {} if data is None else data}))

    def say_close(self, code: int, reason: str = "") -> None:
        self.writer.write(self.frame(CLOSE, struct.pack(">H", code) + reason.encode()))

    async def hear_frame(self) -> tuple[int, bytes]:
        """The client's next frame, unmasked."""
        head = await self.reader.readexactly(2)
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
        assert head[1] & 0x80, "a client masks its frames"
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(size)
        return head[0] & 0xF, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))

    async def hear(self) -> tuple[str, Any]:
        """The next message's name and body."""
        opcode, payload = await self.hear_frame()
        assert opcode == TEXT, (opcode, payload)
        document = json.loads(payload)
        return document["action"], document["data"]

    async def hear_close(self) -> tuple[int, str]:
        """Code and reason of the client's goodbye; what it says before that is passed over."""
        while True:
            opcode, payload = await self.hear_frame()
            if opcode == CLOSE:
                return struct.unpack(">H", payload[:2])[0], payload[2:].decode()

    async def goodbye(self) -> tuple[int, str]:
        """Hear the client's goodbye, return it, and end the connection as a server does."""
        code, reason = await self.hear_close()
        self.say_close(code)
        return code, reason

    async def gone(self) -> None:
        """Until the client has hung up."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


Behaviour = Callable[[Line], Awaitable[Any]]


class Peer:
    """A server that behaves as a test says. `address` is that of a WebSocket; it serves any number."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.address = ""
        self.connections = 0
        self._behaviour = behaviour
        self._outcome: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    @property
    def http(self) -> str:
        return self.address.replace("ws", "http", 1)

    def outcome(self) -> Any:
        """What the behaviour returned for the connection that ended first; raises what it raised."""
        return self._outcome.result(PATIENCE_S)

    async def open(self, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.address = f"{'wss' if tls else 'ws'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            self._conclude(await self._behaviour(Line(reader, writer)), None)
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:
            self._conclude(None, error)
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    def _conclude(self, result: Any, error: Exception | None) -> None:
        if self._outcome.done():
            return
        if error is not None:
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(result)


@pytest.fixture(scope="session")
def peers_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop in which the peers live, in a thread of its own: `play` blocks the test's."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # TLS that fails is what some tests are about
    thread = threading.Thread(target=loop.run_forever, name="peers", daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_S)
    loop.close()


@pytest.fixture
def serve(peers_loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Peer]]:
    """Starts a peer: `serve(behaviour)`, where the behaviour is an async function of the `Line`."""
    peers: list[Peer] = []

    def start(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> Peer:
        peer = Peer(behaviour)
        asyncio.run_coroutine_threadsafe(peer.open(tls), peers_loop).result(PATIENCE_S)
        peers.append(peer)
        return peer

    yield start
    for peer in peers:
        asyncio.run_coroutine_threadsafe(peer.close(), peers_loop).result(PATIENCE_S)


class Failure(msgspec.Struct):
    """A run that failed: with what, and what is in its journal on disk."""

    error: Any
    entries: list[Any]
    directory: Path

    @property
    def text(self) -> str:
        return str(self.error)

    @property
    def verdict(self) -> str:
        return str(self.entries[-1].verdict)

    @property
    def said(self) -> list[str]:
        """The names of the messages, `>` before those that were sent."""
        messages = (entry for entry in self.entries if isinstance(entry, WrittenMessage))
        return [("> " if message.is_sent else "< ") + message.name for message in messages]

    def of(self, kind: type) -> list[Any]:
        return [entry for entry in self.entries if isinstance(entry, kind)]


@pytest.fixture
def fail(tmp_path: Path) -> Callable[..., Failure]:
    """Plays a scenario that is to fail, and looks at how it did.

    Whatever goes wrong, the run must end soon, with one error that says where, and a journal that is whole. Soon is
    much sooner than the minute for which the actors would wait, and much later than a busy machine needs.
    """

    def play_it(
        scenario: Scenario[Any, Any],
        kind: type[BaseException],
        *,
        verdict: str,
        reports: tuple[str, ...] = ("files",),
        stand: Stand | None = None,
        peer: str = "",
        **options: Any,
    ) -> Failure:
        stand = stand if stand is not None else Stand("test", {"peer": peer, "http": peer.replace("ws", "http", 1)})
        directory = tmp_path / "run"
        directory.mkdir()
        began_s = time.monotonic()
        with pytest.raises(kind) as raised:
            play(scenario, stand=stand, directory=directory, reports=reports, **{"linger_s": 0.0, **options})
        took_s = time.monotonic() - began_s
        error = raised.value
        entries = list(read_journal(directory / "journal.jsonl"))
        assert type(error) is kind
        assert isinstance(entries[0], RunStarted)
        assert isinstance(entries[-1], RunEnded)
        assert entries[-1].verdict == verdict, entries[-1]
        assert took_s < PATIENCE_S
        failed = [entry for entry in entries if isinstance(entry, Failed)]
        assert [entry.error for entry in failed] in ([], [kind.__name__]), "it is told once"
        told = entries[-1].error.splitlines()
        assert all(told[0] == entry.text.splitlines()[0] for entry in failed)
        assert all({*told} >= {*entry.text.splitlines()} for entry in failed), "what came of it may be known later"
        if isinstance(error, AntiphonError):
            assert error.run.verdict == verdict
            source = {told.index(line) + 1 for line in told if " at " in line and re.search(r":\d+$", line)}
            without_source = [
                line
                for number, line in enumerate(told)
                if number not in source or not line.startswith(" " * 6) or line in str(error).splitlines()
            ]
            assert without_source == "\n  ".join([str(error), *getattr(error, "__notes__", ())]).splitlines()
            assert "Traceback" not in str(error)
            assert "\n  at " in str(error), "it says where"
        return Failure(error, entries, directory)

    return play_it

"""A client over WebSocket whose server is closed, or killed, and comes back at the same address."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from antiphon import (
    Accepted,
    Actor,
    Backoff,
    ChannelClosed,
    Json,
    Server,
    Stand,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.journal import ChannelReopened, ChannelReopening

DIALECT = Json(name="action", body="data", reply="result{Name}")
PATIENCE_S = 20.0

SERVER = """
import asyncio, os, sys
from antiphon import *


class Desk(Actor):
    line = Accepted(dialect=Json(name="action", body="data", reply="result{Name}"))

    @on("who")
    def say(self, _request):
        return {"pid": os.getpid()}

    @on("never")
    def think(self, _request):
        return DEFERRED


async def main():
    async with await listen(sys.argv[1], lambda _opening: Desk()) as server:
        print(server.address, flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
"""


class Caller(Actor):
    line = WebSocket(
        "{desk}", dialect=DIALECT, within_s=PATIENCE_S, reopens=Backoff(first_s=0.02, at_most_s=0.2, attempts=None)
    )


class Desk(Actor):
    line = Accepted(dialect=DIALECT)

    @on("who")
    def say(self, _request: Any) -> dict[str, int]:
        return {"pid": 0}


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(coroutine, 3 * PATIENCE_S))

    return run


class Process:
    """A server in a process of its own, which can be killed and started again where it was."""

    def __init__(self) -> None:
        self.address = "ws://127.0.0.1:0"
        self._child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVER, self.address, stdout=asyncio.subprocess.PIPE
        )
        assert self._child.stdout is not None
        self.address = (await self._child.stdout.readline()).decode().strip()
        assert self.address

    async def kill(self) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.kill()
            await self._child.wait()


def test_a_server_that_is_killed_and_comes_back(run: Any) -> None:
    async def main() -> Any:
        server = Process()
        await server.start()

        @scenario
        async def call(one: Caller) -> Any:
            first = (await one.ask("who"))["pid"]
            asked, silence = one.ask("never"), one.expect("news", within_s=PATIENCE_S)
            await server.kill()
            with pytest.raises(ChannelClosed):
                await asked
            with pytest.raises(ChannelClosed, match="it is being opened again"):
                one.send("who")
            await server.start()
            await one.line.reopened()
            second = (await one.ask("who"))["pid"]
            assert not silence.done()
            silence.cancel()
            return first, second

        try:
            return await perform(call, stand=Stand("t", {"desk": server.address}), runs=None)
        finally:
            await server.kill()

    done = run(main())
    first, second = done.value
    assert first != second
    assert [type(entry) for entry in done.journal if isinstance(entry, ChannelReopened)] == [ChannelReopened]
    met = [entry.error for entry in done.journal if isinstance(entry, ChannelReopening) and entry.attempt > 1]
    assert all("127.0.0.1" in error for error in met)
    assert len(met) == len([entry for entry in done.journal if isinstance(entry, ChannelReopening)]) - 1


def test_a_server_that_is_closed_and_opened_again_has_a_new_actor_for_whoever_comes_back(run: Any) -> None:
    async def main() -> Any:
        accepted: list[Desk] = []

        def accept(_opening: Any) -> Desk:
            accepted.append(Desk())
            return accepted[-1]

        servers: list[Server] = [await listen("ws://127.0.0.1:0", accept)]

        @scenario
        async def call(one: Caller) -> Any:
            await one.ask("who")
            news = one.expect("news")
            await servers[0].close()
            await one.expect_close(1001)
            servers.append(await listen(servers[0].address, accept))
            await one.line.reopened()
            accepted[-1].send("news", number=len(accepted))
            return (await news)["number"]

        try:
            return await perform(call, stand=Stand("t", {"desk": servers[0].address}), runs=None)
        finally:
            for server in servers:
                await server.close()

    assert run(main()).value == 2


def test_a_run_that_ends_while_nobody_is_there_leaves_nothing_behind(run: Any) -> None:
    async def main() -> Any:
        server = await listen("ws://127.0.0.1:0", lambda _opening: Desk())

        @scenario
        async def call(one: Caller) -> None:
            await server.close()
            await one.expect_close()

        before = asyncio.all_tasks()
        await perform(call, stand=Stand("t", {"desk": server.address}), runs=None)
        return asyncio.all_tasks() - before

    assert run(main()) == set()

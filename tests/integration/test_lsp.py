"""The Language Server Protocol, an actor as the editor and one as the server: over TCP and as a child process."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable
from typing import Any

import language_server
import pytest
import uvloop
from language_server import LanguageServer

from antiphon import Actor, DeadlinePassed, Link, Lsp, Message, RequestRefused, Stand, listen, on, perform, scenario
from antiphon.dialect.framing import ContentLength


class Editor(Actor):
    server = Link("{server}", dialect=Lsp(), framing=ContentLength(), within_s=60)

    @on("window/workDoneProgress/create")
    def show(self, request: Message) -> None:
        assert request["token"] == "ä"


@scenario(strict=True)
async def edit(editor: Editor) -> Any:
    assert (await editor.ask("initialize", processId=None, rootUri=None))["capabilities"] == {}
    slow = editor.ask("slow")
    await editor.expect("$/progress", {"token": "slow"})
    slow.leave()
    kept = editor.ask("kept")
    await editor.expect("$/progress", {"token": "kept"})
    kept.cancel()
    stopped = (await editor.ask("answer")).body
    with pytest.raises(RequestRefused) as refused:
        await editor.ask("fail")
    editor.server.send_data('{"jsonrpc":')
    nonsense = await editor.expect("error")
    return stopped, refused.value.message.body, nonsense["code"]


TOLD = ([2], {"code": -32803, "message": "it failed", "data": {"why": "so"}}, -32700)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run_loop(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Runs a coroutine on a fresh loop of each kind."""

    def run(coroutine: Any) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(coroutine)

    return run


def answers_to(run: Any, key: int) -> list[Any]:
    """What came over the wire for a request, by its id."""
    heard = [entry for entry in run.journal if isinstance(entry, Message) and not entry.is_sent]
    return [(message.name, message.is_protocol) for message in heard if message.reply_to == key]


def test_over_tcp(run_loop: Any) -> None:
    async def main() -> Any:
        async with await listen("tcp://127.0.0.1:0", lambda _: LanguageServer()) as server:
            run = await perform(edit, stand=Stand("t", {"server": server.address}), runs=None)
            return run, server

    run, server = run_loop(main())
    assert server.failures == []
    assert run.value == TOLD
    assert answers_to(run, 2) == [("slow.error", True)]
    assert answers_to(run, 3) == [("kept.error", True)]


def test_over_the_pipes_of_a_child(run_loop: Any) -> None:
    stand = Stand("t", {"server": "stdio:" + shlex.join([sys.executable, language_server.__file__])})
    run = run_loop(perform(edit, stand=stand, runs=None))
    assert run.value == TOLD
    assert answers_to(run, 2) == [("slow.error", True)]


@scenario(strict=True)
async def lose_patience(editor: Editor) -> Any:
    with pytest.raises(DeadlinePassed):
        await editor.ask("slow", within_s=0.01)
    await editor.expect("$/progress", {"token": "slow"})
    return (await editor.ask("stopped")).body


def test_a_deadline_takes_a_request_back(run_loop: Any) -> None:
    async def main() -> Any:
        async with await listen("tcp://127.0.0.1:0", lambda _: LanguageServer()) as server:
            return await perform(lose_patience, stand=Stand("t", {"server": server.address}), runs=None)

    run = run_loop(main())
    assert run.value == [1]
    assert answers_to(run, 1) == [("slow.error", True)]

"""A conversation with a server that this project did not write: a Python language server (LSP 3.17, JSON-RPC 2.0)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import Actor, JsonRpc, Link, Message, RequestRefused, Run, Stand, WebSocket, action, on, play, scenario
from antiphon.dialect.framing import ContentLength
from antiphon.journal import Handled
from antiphon.journal.file import WrittenMessage, read_journal

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("language_server")]  # what they share is made once

START_WITHIN_S = 60.0


class LanguageClient(Actor):
    """An editor, as a language server sees it."""

    server: Link = WebSocket("{server}", dialect=JsonRpc(), within_s=30)

    def __init__(self) -> None:
        self.progress: dict[str, list[str]] = {}

    @on("window/workDoneProgress/create")
    def show_progress(self, request: Message) -> None:
        """The server asks whether it may tell how far it is: it may."""
        self.progress[request["token"]] = []

    @on("$/progress")
    def note_progress(self, progress: Message) -> None:
        self.progress[progress["token"]].append(progress["value"]["kind"])

    @action
    async def initialize(self, folder: str) -> dict[str, Any]:
        """Say who I am and what I can do; gives what the server can do."""
        capabilities = {"window": {"workDoneProgress": True}}
        reply = await self.ask("initialize", processId=None, rootUri=folder, capabilities=capabilities)
        self.send("initialized")
        return dict(reply["capabilities"])

    @action
    async def open_file(self, uri: str, text: str) -> list[str]:
        """Show a file to the server; gives what it finds wrong with it, which it says without being asked."""
        self.send("textDocument/didOpen", textDocument={"uri": uri, "languageId": "python", "version": 1, "text": text})
        found = await self.expect("textDocument/publishDiagnostics", {"uri": uri})
        return [diagnostic["message"] for diagnostic in found["diagnostics"]]

    @action
    async def complete(self, uri: str, line: int, character: int) -> list[str]:
        """What could stand at this place; lines and characters count from 0."""
        where = {"line": line, "character": character}
        reply = await self.ask("textDocument/completion", textDocument={"uri": uri}, position=where)
        return [item["label"] for item in reply["items"]]

    @action
    async def quit(self) -> None:
        """Say goodbye as the protocol wants it."""
        await self.ask("shutdown")
        self.send("exit")


SOURCE = """\
import os

print(undefined_name)
os.path.isd
"""


async def edit(client: LanguageClient, folder: str) -> dict[str, Any]:
    """An editor opens a file, is told what is wrong with it, and completes a word."""
    uri = f"{folder}/some_file.py"
    capabilities = await client.initialize(folder)
    messages = await client.open_file(uri, SOURCE)
    labels = await client.complete(uri, 3, len("os.path.isd"))
    with pytest.raises(RequestRefused) as refused:
        await client.ask("antiphon/noSuchMethod")
    await client.quit()
    return {"capabilities": capabilities, "messages": messages, "labels": labels, "refused": refused.value}


@scenario
async def edit_a_file(client: LanguageClient, folder: str) -> dict[str, Any]:
    """With a server that somebody else has started."""
    return await edit(client, folder)


class LanguageChild(LanguageClient):
    """An editor whose language server is a child process, as most are."""

    server = Link("{server}", dialect=JsonRpc(), framing=ContentLength(), within_s=30)


@scenario
async def edit_with_a_child(client: LanguageChild, folder: str) -> dict[str, Any]:
    """The same; the server exits when it is told to."""
    said = await edit(client, folder)
    await client.expect_close(0)
    return said


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a language server that runs as a process of its own, at a port that it chooses."""
    command = [sys.executable, "-m", "pylsp", "--ws", "--port", "0", "--verbose"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    overdue = threading.Timer(START_WITHIN_S, process.kill)
    overdue.start()
    log, port = "", None
    for line in process.stderr:
        log += line
        if port := re.search(r"server listening on (?:0\.0\.0\.0|127\.0\.0\.1):(\d+)", line):
            break
    overdue.cancel()
    assert port is not None, log
    reading = threading.Thread(target=process.stderr.read)  # so that its log never fills the pipe
    reading.start()
    yield f"ws://127.0.0.1:{port[1]}"
    process.terminate()
    process.wait(START_WITHIN_S)
    reading.join()
    process.stderr.close()


@pytest.fixture(scope="module", params=["over WebSocket", "as a child process"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The conversation, held once over either wire."""
    folder = tmp_path_factory.mktemp("project")
    runs = tmp_path_factory.mktemp("runs")
    if request.param == "over WebSocket":
        stand = Stand("local", {"server": request.getfixturevalue("server")})
        return play(edit_a_file, stand=stand, runs=runs, folder=folder.as_uri())
    stand = Stand("local", {"server": f"stdio:{sys.executable} -m pylsp --verbose"})
    return play(edit_with_a_child, stand=stand, runs=runs, folder=folder.as_uri())


def test_the_server_says_what_it_can(run: Run) -> None:
    assert run.verdict == "passed"
    assert run.value["capabilities"]["completionProvider"]["triggerCharacters"] == ["."]


def test_diagnostics_come_by_themselves(run: Run) -> None:
    assert "undefined name 'undefined_name'" in run.value["messages"]


def test_a_request_has_its_reply(run: Run) -> None:
    assert run.value["labels"] == ["isdir(s)"]


def test_requests_of_the_server_are_answered_by_a_handler(run: Run) -> None:
    assert run.client.progress, "it has asked"
    assert all(kinds == ["begin", "end"] for kinds in run.client.progress.values())
    entries = list(read_journal(run.directory / "journal.jsonl"))
    handled = [entry.handler for entry in entries if isinstance(entry, Handled)]
    assert handled.count("show_progress") == len(run.client.progress)
    said = {entry.name: json.loads(entry.raw) for entry in entries if isinstance(entry, WrittenMessage)}
    asked, answered = said["window/workDoneProgress/create"], said["window/workDoneProgress/create.result"]
    assert answered == {"jsonrpc": "2.0", "id": asked["id"], "result": None}


def test_a_refusal_says_why(run: Run) -> None:
    refused = run.value["refused"]
    assert refused.message["code"] == -32601
    assert "-32601" in str(refused)
    assert "antiphon/noSuchMethod" in str(refused)


def test_all_that_was_said_is_on_disk(run: Run) -> None:
    received = {path.name for path in (run.directory / "received").iterdir()}
    assert received >= {
        "initialize.result0.json",
        "textDocument%2FpublishDiagnostics0.json",
        "textDocument%2Fcompletion.result0.json",
        "window%2FworkDoneProgress%2Fcreate0.json",
        "$%2Fprogress0.json",
        "antiphon%2FnoSuchMethod.error0.json",
        "shutdown.result0.json",
    }
    diagnostics = _read(run.directory / "received" / "textDocument%2FpublishDiagnostics0.json")
    assert [diagnostic["message"] for diagnostic in diagnostics["params"]["diagnostics"]] == run.value["messages"]
    sent = {path.name for path in (run.directory / "sent").iterdir()}
    assert sent >= {
        "initialize0.json",
        "initialized0.json",
        "textDocument%2FdidOpen0.json",
        "window%2FworkDoneProgress%2Fcreate.result0.json",
        "exit0.json",
    }
    assert _read(run.directory / "sent" / "textDocument%2FdidOpen0.json")["params"]["textDocument"]["text"] == SOURCE


def _read(path: Path) -> Any:
    return json.loads(path.read_text())

"""The dialect of language servers with python-lsp-server: as a child process, and over TCP."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon import Link, Lsp, Message, Stand, perform, scenario
from antiphon.dialect.framing import ContentLength
from antiphon.scenarios.scenario import load_file

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
START_WITHIN_S = 60.0
example: Any = load_file(str(HERE.parents[1] / "examples" / "real" / "lsp.py"))


@pytest.fixture
def over_tcp() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, str(HERE / "pylsp_over_tcp.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    overdue = threading.Timer(START_WITHIN_S, process.kill)
    overdue.start()
    address = process.stdout.readline().strip()
    overdue.cancel()
    assert address, "it has not started"
    yield address
    process.terminate()
    process.communicate(timeout=START_WITHIN_S)


def test_as_a_child_process(run_loop: Any) -> None:
    stand = Stand("real", {"server": f"stdio:{sys.executable} -m pylsp"})
    run = run_loop(perform(example.edit_a_file, stand=stand, runs=None))
    can_complete, found, labels = run.value
    assert can_complete
    assert "undefined name 'undefined_name'" in found
    assert labels == ["isdir(s)"]


class Hasty(example.Editor):  # type: ignore[misc, name-defined]
    server = Link("{server}", dialect=Lsp(), framing=ContentLength(), within_s=30)


URI = "file:///tmp/another_file_of_antiphon.py"


@scenario
async def change_ones_mind(editor: Hasty) -> list[str]:
    await editor.initialize()
    await editor.show(URI, "import os\nos.path.isd\n")
    where = {"line": 1, "character": len("os.path.isd")}
    for _ in range(2):
        editor.ask("textDocument/completion", textDocument={"uri": URI}, position=where).cancel()
    return list(await editor.complete(URI, 1, len("os.path.isd")))


def test_over_tcp_a_request_may_be_taken_back_too_late(run_loop: Any, over_tcp: str) -> None:
    run = run_loop(perform(change_ones_mind, stand=Stand("real", {"server": over_tcp}), runs=None))
    assert run.value == ["isdir(s)"]
    heard = [entry for entry in run.journal if isinstance(entry, Message)]
    told = [message for message in heard if message.name == "$/cancelRequest"]
    assert [(message["id"], message.is_sent, message.is_protocol) for message in told] == [
        (2, True, True),
        (3, True, True),
    ]
    # It computes completions without looking up: each answer crosses our word, and is one.
    answers = [message for message in heard if message.reply_to in (2, 3)]
    assert [(message.name, message.is_protocol) for message in answers] == [
        ("textDocument/completion.result", False)
    ] * 2

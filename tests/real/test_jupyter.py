"""A conversation with a Jupyter Server and its kernel: a login over HTTP, then a kernel's sockets over WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from jupyter_kernel import Kernel, Notebook, calculate
from real_servers import REAL, listened_at, serving

from antiphon import (
    DialectError,
    ExpectationFailed,
    Meeting,
    RequestRefused,
    Run,
    Stand,
    UpgradeRefused,
    perform,
    play,
    scenario,
)
from antiphon.journal.file import WrittenMessage, read_journal

PYTHON = REAL / "jupyter" / "bin" / "python"
TOKEN = "open-sesame-for-the-tests"

needs_jupyter = [
    pytest.mark.slow,
    pytest.mark.xdist_group("jupyter"),
    pytest.mark.skipif(not PYTHON.exists(), reason="there is no Jupyter Server: make real"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("jupyter")
    command = [
        str(PYTHON),
        "-m",
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        "--ServerApp.ip=127.0.0.1",
    ]
    options = [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"]
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    env = {**folders, "HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
    with serving([*command, *options], r" http://127\.0\.0\.1:(\d+)/", env=env) as found:
        listened_at("127.0.0.1", int(found[1]))
        yield f"http://127.0.0.1:{found[1]}"
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(home).encode() in _read(path)]
    assert left == [], "processes of the server, or kernels"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just gone
        return b""


@pytest.fixture(scope="module")
def stand(address: str) -> Stand:
    users = [{"name": "ann", "password": TOKEN}, {"name": "ben", "password": TOKEN}]
    return Stand("jupyter", {"jupyter": address}, users=users)


STREAM = """\
import sys, time
for number in range(3):
    print(number, flush=True)
    time.sleep(0.05)
print("wrong", file=sys.stderr)
name = input("who? ")
6 * 7
"""


@scenario
async def talk(notebook: Notebook) -> dict[str, Any]:
    """What is printed comes as it is printed; a question of the code is answered in the midst of it."""
    about = await notebook.ask("kernel_info_request")
    notebook.answers.append("ann")
    exchange = notebook.ask("execute_request", code=STREAM, silent=False, allow_stdin=True, stop_on_error=True)
    replies = [reply async for reply in exchange]
    answer = await exchange
    with pytest.raises(RequestRefused) as failed:
        await notebook.ask("execute_request", code="1 / 0", silent=False)
    after = await notebook.execute("name")
    completed = await notebook.ask("complete_request", code="name.upp", cursor_pos=8)
    return {
        "about": about,
        "replies": replies,
        "answer": answer,
        "failed": failed.value,
        "after": after,
        "matches": completed["matches"],
    }


@pytest.fixture(scope="module")
def run(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return play(talk, stand=stand, runs=tmp_path_factory.mktemp("runs"))


class TestServer:
    pytestmark = needs_jupyter

    def test_a_request_is_answered_by_its_reply_not_by_what_ends_it(self, run: Run) -> None:
        assert run.verdict == "passed"
        assert run.value["about"].name == "kernel_info_reply"
        assert run.value["about"]["language_info"]["name"] == "python"
        assert run.value["answer"].name == "execute_reply"
        assert [match.rpartition(".")[2] for match in run.value["matches"]] == ["upper"]

    def test_an_exchange_has_all_that_its_request_causes_and_ends_when_reply_and_idle_have_come(self, run: Run) -> None:
        replies = run.value["replies"]
        names = [reply.name for reply in replies]
        assert names[:2] == ["status", "execute_input"]
        assert {names[-1], names[-2]} == {"status", "execute_reply"}
        assert "".join(r["text"] for r in replies if r.name == "stream" and r["name"] == "stdout") == "0\n1\n2\n"
        assert "".join(r["text"] for r in replies if r.name == "stream" and r["name"] == "stderr") == "wrong\n"
        assert [r["data"]["text/plain"] for r in replies if r.name == "execute_result"] == ["42"]

    def test_what_is_printed_comes_while_the_code_runs(self, run: Run) -> None:
        moments = [reply.at_ns for reply in run.value["replies"] if reply.name == "stream"]
        assert len(moments) >= 3, "one for each, and not all at the end"
        assert moments[0] < run.value["answer"].at_ns

    def test_a_question_of_the_code_is_answered_by_a_handler(self, run: Run) -> None:
        assert run.value["after"] == ["'ann'"]
        said = [e for e in read_journal(run.directory / "journal.jsonl") if isinstance(e, WrittenMessage)]
        (asked,) = (msgspec.json.decode(entry.raw) for entry in said if entry.name == "input_request")
        (answered,) = (msgspec.json.decode(entry.raw) for entry in said if entry.name == "input_reply")
        assert answered["parent_header"]["msg_id"] == asked["header"]["msg_id"]

    def test_what_the_code_raises_refuses_the_request(self, run: Run) -> None:
        failed = run.value["failed"]
        assert failed.message["ename"] == "ZeroDivisionError"
        assert "division by zero" in str(failed)

    def test_the_token_is_nowhere_on_disk(self, run: Run) -> None:
        files = [path for path in run.directory.rglob("*") if path.is_file()]
        assert files
        assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []

    def test_a_wrong_token_is_told(self, address: str, tmp_path: Path) -> None:
        stand = Stand("jupyter", {"jupyter": address}, users=[{"name": "eve", "password": "wrong-one"}])
        with pytest.raises(ExpectationFailed, match="was answered with 401, wanted 302"):
            play(calculate, stand=stand, runs=tmp_path)

    def test_without_the_cookie_the_channels_are_refused(self, stand: Stand, tmp_path: Path) -> None:
        class Stranger(Notebook):
            async def arrive(self) -> None:
                await super().arrive()
                del self.kernel.headers["Cookie"]

        @scenario
        async def intrude(_stranger: Stranger) -> None: ...

        with pytest.raises(UpgradeRefused) as refused:
            play(intrude, stand=stand, runs=tmp_path)
        assert refused.value.status == 403

    def test_two_kernels_know_nothing_of_each_other_on_uvloop(self, stand: Stand, tmp_path: Path) -> None:
        @scenario
        async def two(ann: Notebook, ben: Notebook) -> tuple[list[str], list[str]]:
            await ann.execute("secret = 1")
            return await ann.execute("secret"), await ben.execute("'secret' in globals()")

        assert uvloop.run(perform(two, stand=stand, runs=tmp_path)).value == (["1"], ["False"])

    def test_the_page_s_own_scenario_calculates(self, stand: Stand, tmp_path: Path) -> None:
        assert play(calculate, stand=stand, runs=tmp_path, code="print(6 * 7)").value == "42\n"


def _frame(name: str, channel: str, content: dict[str, Any], parent: Any) -> str:
    frame = {"header": {"msg_type": name, "msg_id": "k-1"}, "parent_header": {"msg_id": parent}, "content": content}
    return msgspec.json.encode({**frame, "channel": channel}).decode()


@pytest.mark.parametrize("order", list(permutations(["reply", "idle", "stream"])))
def test_an_exchange_is_over_when_reply_and_idle_have_come_in_either_order(order: tuple[str, ...]) -> None:
    codec = Kernel().codec(Meeting())
    request = codec.request("execute_request", {"code": "1"})
    frames = {
        "reply": _frame("execute_reply", "shell", {"status": "ok"}, request.asks),
        "idle": _frame("status", "iopub", {"execution_state": "idle"}, request.asks),
        "stream": _frame("stream", "iopub", {"text": "1"}, request.asks),
    }
    heard = {kind: codec.decode(frames[kind])[0] for kind in order}
    last = max(order.index("reply"), order.index("idle"))
    assert [kind for kind in order if heard[kind].is_last] == [order[last]]
    assert [kind for kind in order if heard[kind].is_answer] == ["reply"]
    expected = [request.asks if place <= last else None for place in range(3)]
    assert [heard[kind].reply_to for kind in order] == expected


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"header": 5}', b"\xff", '{"header": {}, "parent_header": null}'])
def test_what_is_no_message_of_a_kernel_is_told(data: Any) -> None:
    with pytest.raises(DialectError, match="no message of a kernel"):
        Kernel().codec(Meeting()).decode(data)

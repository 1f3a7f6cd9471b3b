"""A child process as the peer: its output, its exit code, its standard error, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from antiphon import (
    Actor,
    ChannelClosed,
    ConnectFailed,
    Link,
    Run,
    ScenarioError,
    SendBufferFull,
    Stand,
    Text,
    TransportError,
    listen,
    load_stand,
    perform,
    scenario,
)
from antiphon.dialect.framing import Lines
from antiphon.journal import Aside, ChannelEnded
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening
from antiphon.transport.stream.stdio import StdioTransport


class Tool(Actor):
    line = Link("{tool}", dialect=Text(), framing=Lines(), within_s=20)


class Filter(Actor):
    line = Link("{tool}", dialect=Text(), framing=Lines(), within_s=20, max_unsent_bytes=1024 * 1024)


Play = Callable[..., Run]


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Play:
    """Performs a scenario with a program as `{tool}`, on either loop; no process of it is left afterwards."""
    make_loop = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def play(chosen: Any, tool: str | Stand, **parameters: Any) -> Run:
        stand = tool if isinstance(tool, Stand) else Stand("t", {"tool": f"stdio:{tool}"})
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(perform(chosen, stand=stand, runs=None, **parameters))

    return play


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    """Whatever a test has started has gone when it is over."""
    before = children()
    yield
    assert soon(lambda: children() <= before)


def children() -> set[str]:
    """The processes that this one has started, and that have not been waited for."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that has ended and was not waited for is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(is_so: Callable[[], bool]) -> bool:
    """Whether it is so; a process that was killed may take a moment to go."""
    give_up_at = time.monotonic() + 10
    while not is_so() and time.monotonic() < give_up_at:
        os.sched_yield()
    return is_so()


@scenario
async def sort(tool: Tool) -> Any:
    for word in ("pear", "apple"):
        tool.send("text", word)
    tool.finish()
    words = [(await tool.expect()).body for _ in range(2)]
    ending = await tool.expect_close(0)
    return words, ending.by, ending.is_clean


def test_a_program_that_waits_for_the_end_of_its_input(play: Play) -> None:
    assert play(sort, "sort").value == (["apple", "pear"], "peer", True)


@scenario
async def hear_it_out(tool: Tool) -> Any:
    for word in ("pear", "apple"):
        tool.send("text", word)
    ending = await tool.close()
    return [message.body for message in tool.drain()], ending.by, ending.is_clean, ending.code


def test_a_close_ends_the_input_and_hears_the_output(play: Play) -> None:
    assert play(hear_it_out, "sort").value == (["apple", "pear"], "us", True, 0)


@scenario
async def expect_code(tool: Tool, code: int) -> Any:
    await tool.expect()
    return await tool.expect_close(code)


def test_the_exit_code_is_the_code_of_the_ending(play: Play) -> None:
    run = play(expect_code, """sh -c 'echo said; echo "a warning" >&2; exit 3'""", code=3)
    assert (run.value.by, run.value.is_clean, run.value.detail) == ("peer", True, "")
    (aside,) = (entry for entry in run.journal if isinstance(entry, Aside))
    assert (aside.name, aside.text) == ("stderr", "a warning")
    (ended,) = (entry for entry in run.journal if isinstance(entry, ChannelEnded))
    assert ended.code == 3


def test_a_program_that_crashes_tells_by_which_signal(play: Play) -> None:
    ending = play(expect_code, "sh -c 'echo said; kill -SEGV $$'", code=-11).value
    assert (ending.is_clean, ending.detail) == (False, "ended by SIGSEGV")


@scenario
async def wait(tool: Tool) -> None:
    await tool.expect()


def test_a_program_that_exits_at_once_is_told_with_its_last_words(play: Play) -> None:
    with pytest.raises(ChannelClosed) as failed:
        play(wait, """sh -c 'echo "no such option: --x" >&2; exit 64'""")
    told = str(failed.value)
    assert "the server closed the connection with code 64: the program said nothing, and on stderr at last" in told
    assert "stderr: no such option: --x" in told
    assert "at tests/integration/test_stdio.py:" in told


@pytest.mark.parametrize(
    ("tool", "options", "told", "hint"),
    [
        ("no-such-program-here --x", {}, "there is no program no-such-program-here", "PATH"),
        (__file__, {}, "test_stdio.py may not be executed", "chmod"),
        ("cat", {"cwd": "/no/such/directory"}, "there is no directory /no/such/directory", "cwd="),
        ("'unbalanced", {}, "cannot connect: No closing quotation", "stdio:PROGRAM"),
        ("", {}, "cannot connect: this names no program", "stdio:PROGRAM"),
    ],
)
def test_a_program_that_cannot_be_started(play: Play, tool: str, options: Any, told: str, hint: str) -> None:
    stand = Stand("t", {"tool": f"stdio:{tool}"}, transports={"stdio": options})
    with pytest.raises(ConnectFailed, match=told) as failed:
        play(wait, stand)
    assert hint in str(failed.value.hint)
    assert failed.value.place == f"stdio:{tool}"


@scenario
async def leave(tool: Tool) -> Any:
    await tool.expect()
    return await tool.close()


STUBBORN = "sh -c 'trap \"\" TERM; echo 1; while :; do sleep 0.01; done'"
POLITE = "sh -c 'trap \"echo asked; exit 7\" TERM; echo 1; while :; do sleep 0.01; done'"


def test_a_program_that_does_not_end_with_its_input_is_asked_to(play: Play) -> None:
    stand = Stand("t", {"tool": f"stdio:{POLITE}"}, transports={"stdio": {"close_within_s": 0.1}})
    run = play(leave, stand)
    assert (run.value.code, run.value.by, run.value.is_clean) == (7, "us", False)
    assert "did not close within 0.1 s" in run.value.detail


def test_a_program_that_does_not_listen_to_that_is_killed(play: Play) -> None:
    options = {"close_within_s": 0.1, "kill_within_s": 0.1}
    stand = Stand("t", {"tool": f"stdio:{STUBBORN}"}, transports={"stdio": options})
    run = play(leave, stand)
    assert (run.value.code, run.value.by) == (-9, "us")


@scenario
async def hear_pid(tool: Tool) -> int:
    return int((await tool.expect()).body)


def test_what_a_program_has_started_goes_with_it(play: Play) -> None:
    stand = Stand("t", {"tool": "stdio:sh -c 'sleep 60 & echo $!'"}, transports={"stdio": {"close_within_s": 0.1}})
    pid = play(hear_pid, stand).value
    assert soon(lambda: not is_alive(pid))


@scenario
async def fail(tool: Tool) -> None:
    await tool.expect()
    raise ScenarioError("the author's")


def test_a_run_that_fails_leaves_no_process(play: Play) -> None:
    with pytest.raises(ScenarioError, match="the author's"):
        play(fail, "sh -c 'echo 1; cat'")


@scenario
async def wait_for_ever(tool: Tool) -> None:
    await tool.expect()
    await tool.expect(within_s=float("inf"))


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_run_that_is_given_up_leaves_no_process(make_loop: Any) -> None:
    async def give_up() -> None:
        stand = Stand("t", {"tool": "stdio:sh -c 'echo 1; cat'"})
        for turns in range(0, 100, 3):
            performing = asyncio.ensure_future(perform(wait_for_ever, stand=stand, runs=None))
            for _ in range(turns):
                await asyncio.sleep(0)
            performing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await performing

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(give_up())


@scenario
async def look_around(tool: Tool) -> list[str]:
    return [(await tool.expect()).body for _ in range(3)]


def test_a_stand_file_says_the_program_where_it_runs_and_with_which_variables(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work place").mkdir()
    (tmp_path / "antiphon.toml").write_text(
        """
        [stands.here]
        tool = ["sh", "-c", "pwd; echo $GREETING; echo $1", "x", "two words/"]
        [stands.here.transports.stdio]
        cwd = "work place"
        env = { GREETING = "${WORD:-hello} there" }
        """
    )
    monkeypatch.chdir(tmp_path)
    told = play(look_around, load_stand("here")).value
    assert told == [str(tmp_path / "work place"), "hello there", "two words/"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("tool = []", "tool"),
        ('tool = ["sh", 3]', "tool"),
        ('transports = "stdio"', "transports"),
        ('transports.stdio = "cwd"', "transports"),
    ],
)
def test_a_stand_file_that_says_it_wrongly(
    lines: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "antiphon.toml").write_text(f"[stands.here]\n{lines}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match=rf"stands\.here\.{told}") as failed:
        load_stand("here")
    assert str(failed.value.place).endswith("antiphon.toml:2")


def test_an_option_that_the_transport_does_not_have(play: Play) -> None:
    stand = Stand("t", {"tool": "stdio:cat"}, transports={"stdio": {"cdw": "."}}, source="antiphon.toml")
    with pytest.raises(ScenarioError, match="the transport for stdio: does not take the options cdw") as failed:
        play(wait, stand)
    assert failed.value.place == "antiphon.toml"


@scenario
async def flood(filter: Filter) -> None:  # noqa: A002 - the actor's name
    for _ in range(100):
        filter.send("text", "x" * 65536)


def test_a_program_that_does_not_read_is_told_of(play: Play) -> None:
    stand = Stand("t", {"tool": "stdio:sleep 60"}, transports={"stdio": {"close_within_s": 0.1, "kill_within_s": 0.1}})
    with pytest.raises(SendBufferFull, match="the server does not read what it is sent"):
        play(flood, stand)


def test_a_pause_leaves_the_output_to_the_program(play: Play) -> None:
    """Lines are not read from a program while nobody wants them, and none is lost."""

    class Reader(Actor):
        line = Link("{tool}", dialect=Text(), framing=Lines(), within_s=20, mailbox_limit=10, when_full="pause")

    @scenario
    async def read(reader: Reader) -> int:
        await reader.expect(where="1000")  # until then all is kept; from then on there is too much of it
        return sum([int((await reader.expect()).body) for _ in range(19_999)]) + 1000

    read.__module__ = __name__
    assert play(read, "seq 20000").value == sum(range(1, 20_001))


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_cancelled_connect_leaves_no_process(make_loop: Any) -> None:
    async def connect() -> None:
        for turns in range(40):
            hearing = Hearing()
            connecting = asyncio.ensure_future(StdioTransport().connect("stdio:sleep 60", Opening(), hearing))
            for _ in range(turns):
                await asyncio.sleep(0)
            connecting.cancel()
            (outcome,) = await asyncio.gather(connecting, return_exceptions=True)
            if not isinstance(outcome, BaseException):
                outcome.abort()
            if hearing.connection is not None:
                await hearing.ended()

    before = children()
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(connect())
        assert soon(lambda: children() <= before)


SERVER = """
import asyncio
from antiphon import Accepted, Actor, Text, listen, on
from antiphon.dialect.framing import Lines

class Loud(Actor):
    line = Accepted(dialect=Text(), framing=Lines(), allow_half_open=True)

    @on("text")
    def reply(self, message):
        print("noise")
        self.send("text", message.body.upper())

    @on.finished
    def count(self):
        self.send("text", "no more?")
        self.close()

    @on.closed
    def leave(self, ending):
        over.set_result(str(ending))

async def main():
    global over
    over = asyncio.get_running_loop().create_future()
    async with await listen("stdio:", lambda opening: Loud()) as server:
        print(await over)
        assert not server.failures, server.failures

asyncio.run(main())
"""


@pytest.fixture
def server(tmp_path: Path) -> str:
    """The command of a program that is an actor itself."""
    file = tmp_path / "server.py"
    file.write_text(SERVER)
    return shlex.join([sys.executable, str(file)])


@scenario
async def talk(tool: Tool) -> Any:
    tool.send("text", "hello")
    heard = (await tool.expect()).body
    ending = await tool.close()
    return heard, ending.code, ending.by, [message.body for message in tool.drain()]


@scenario
async def talk_and_finish(tool: Tool) -> Any:
    tool.send("text", "hello")
    tool.finish()
    heard = [(await tool.expect()).body for _ in range(2)]
    ending = await tool.expect_close(0)
    return heard, ending.by


def test_a_program_that_is_an_actor_itself(play: Play, server: str) -> None:
    run = play(talk, server)
    assert run.value == ("HELLO", 0, "us", ["no more?"])
    told = [entry.text for entry in run.journal if isinstance(entry, Aside)]
    assert "\n".join(told).splitlines() == ["noise", "we closed the connection"], "what it prints is no message"


def test_such_a_program_hears_that_no_more_is_said(play: Play, server: str) -> None:
    assert play(talk_and_finish, server).value == (["HELLO", "no more?"], "peer")


def test_nobody_listens_where_there_are_no_pipes(tmp_path: Path) -> None:
    async def serve(address: str) -> None:
        await listen(address, lambda opening: pytest.fail("nobody has come"))

    with pytest.raises(TransportError, match="is a program's address"):
        asyncio.run(serve("stdio:cat"))
    file = tmp_path / "server.py"
    file.write_text(SERVER)
    with file.open() as given:  # a file, which cannot be waited for
        done = subprocess.run([sys.executable, str(file)], stdin=given, capture_output=True, text=True, check=False)
    assert "TransportError: cannot listen: standard input and output are no pipes" in done.stderr

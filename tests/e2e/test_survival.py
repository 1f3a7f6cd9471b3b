"""What is on disk after the worst: killed, interrupted, no room, others in the same place, secrets about."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from antiphon import (
    Actor,
    CheckFailed,
    ExpectationFailed,
    Http,
    Json,
    Message,
    RecordingError,
    Stand,
    WebSocket,
    action,
    call,
    play,
    scenario,
)
from antiphon.journal import ChannelEnded, ChannelOpened, RunEnded, RunStarted, StepEnded, StepStarted, WaitStarted
from antiphon.journal.file import WrittenMessage, read_journal
from antiphon.journal.recording import make_report

PATIENCE_S = 20.0

STORY = """
import asyncio, resource, sys, time
from pathlib import Path
from antiphon import *

ADDRESS, RUNS, STORY, *REST = sys.argv[1:]


class Party(Actor):
    line = WebSocket("{peer}", dialect=Json(name="action", body="data", reply="result{Name}"), within_s=60)

    @action
    async def begin(self):
        self.send("hello", number=1)
        await self.expect("welcome")
        print("in the middle", flush=True)


@scenario
async def expects(party: Party):
    await party.begin()
    await party.expect("never")

@scenario
def waits(party: Party):
    return [Party.begin(), wait(60)]

@scenario
def calls(party: Party):
    return [Party.begin(), call(time.sleep, 60)]

@scenario
async def blocks(party: Party):
    await party.begin()
    time.sleep(60)

@scenario
async def talks(party: Party):
    await party.begin()
    while True:
        await party.ask("echo", text="x" * 100)

@scenario
async def counts(party: Party, number: int):
    party.send("hello", number=number)
    for count in range(5):
        reply = await party.ask("echo", number=number, count=count)
        assert reply["number"] == number


async def many(numbers):
    await asyncio.gather(*(perform(counts, stand=stand, runs=RUNS, number=number) for number in numbers))


stand = Stand("test", {"peer": ADDRESS})
try:
    if STORY == "counts":
        print("ready", flush=True)
        sys.stdin.readline()
        asyncio.run(many(range(int(REST[0]), int(REST[1]))))
    else:
        if REST:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(REST[0]), int(REST[0])))
        play(globals()[STORY], stand=stand, runs=RUNS)
except BaseException as error:
    print(type(error).__name__, str(error).replace("\\n", " | "), flush=True)
"""


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that performs one of the stories; it is gone in the end, whatever happens."""
    file = tmp_path / "story.py"
    file.write_text(STORY)
    processes: list[subprocess.Popen[str]] = []
    timers: list[threading.Timer] = []

    def start(address: str, story: str, *rest: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(file), address, str(tmp_path / "runs"), story, *map(str, rest)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        timers.append(threading.Timer(PATIENCE_S, process.kill))
        timers[-1].start()
        return process

    yield start
    for process, timer in zip(processes, timers, strict=True):
        timer.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def friend(serve: Callable[..., Any]) -> Any:
    """A peer that welcomes and echoes; its outcome is how the client said goodbye."""

    async def be_friendly(line: Any) -> Any:
        await line.upgrade()
        while True:
            opcode, payload = await line.hear_frame()
            if opcode == 0x8:
                line.say_close(1000)
                return int.from_bytes(payload[:2], "big"), payload[2:].decode()
            document = json.loads(payload)
            answers = {"hello": "welcome", "echo": "resultEcho"}
            line.say(answers[document["action"]], document["data"])

    return serve(be_friendly)


@pytest.fixture
def only_run(tmp_path: Path) -> Callable[[], tuple[Path, list[Any]]]:
    """The directory of the one run there is, and its journal's entries."""

    def find() -> tuple[Path, list[Any]]:
        (directory,) = (tmp_path / "runs").iterdir()
        return directory, list(read_journal(directory / "journal.jsonl"))

    return find


def said(entries: list[Any]) -> list[str]:
    return [("> " if entry.is_sent else "< ") + entry.name for entry in entries if isinstance(entry, WrittenMessage)]


# -- ends that nobody planned -----------------------------------------------------------------------------------------


def test_killed_in_the_middle(launch: Callable[..., Any], friend: Any, only_run: Callable[[], Any]) -> None:
    process = launch(friend.address, "expects")
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    directory, entries = only_run()
    assert isinstance(entries[0], RunStarted)
    assert entries[0].pid == process.pid
    assert said(entries) == ["> hello", "< welcome"]
    assert [type(entry) for entry in entries if isinstance(entry, (StepStarted, ChannelOpened))] == [
        ChannelOpened,
        StepStarted,
    ]
    assert not any(isinstance(entry, RunEnded) for entry in entries)
    # Files come within some 50 ms of what they hold; what was not written by then is made of the journal.
    make_report(directory, "files")
    assert sorted(path.name for path in directory.rglob("*.json")) == ["hello0.json", "welcome0.json"]
    assert json.loads((directory / "received" / "welcome0.json").read_text()) == {
        "action": "welcome",
        "data": {"number": 1},
    }
    assert json.loads((directory / "sent" / "hello0.json").read_text()) == {"action": "hello", "data": {"number": 1}}


@pytest.mark.parametrize("story", ["expects", "waits", "calls"])
def test_interrupted_in_the_middle(
    launch: Callable[..., Any], friend: Any, only_run: Callable[[], Any], story: str
) -> None:
    """Ctrl-C ends a run at once, whatever it is at, and it says goodbye."""
    process = launch(friend.address, story)
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().startswith("KeyboardInterrupt")
    assert process.wait() == 0

    _, entries = only_run()
    assert (entries[-1].verdict, entries[-1].error) == ("interrupted", "interrupted")
    assert said(entries) == ["> hello", "< welcome"]
    (ended,) = [entry for entry in entries if isinstance(entry, ChannelEnded)]
    assert (ended.code, ended.by) == (1000, "us")
    assert friend.outcome() == (1000, "")
    assert all(entry.outcome != "failed" for entry in entries if isinstance(entry, StepEnded))


@pytest.mark.slow
def test_interrupted_while_its_author_blocks_everything(
    launch: Callable[..., Any], friend: Any, only_run: Callable[[], Any]
) -> None:
    """A scenario that does not give way is ended by the second Ctrl-C."""
    process = launch(friend.address, "blocks")
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):  # the first asks it to end, and it does not hear that
        process.wait(1)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    assert process.stdout.read().startswith("KeyboardInterrupt")

    _, entries = only_run()
    assert entries[-1].verdict == "interrupted"
    assert said(entries) == ["> hello", "< welcome"]


@pytest.mark.slow
def test_interrupted_while_it_connects(
    launch: Callable[..., Any], serve: Callable[..., Any], only_run: Callable[[], Any]
) -> None:
    is_asked = threading.Event()

    async def never_answer(line: Any) -> None:
        await line.read_head()
        is_asked.set()
        await line.gone()

    peer = serve(never_answer)
    process = launch(peer.address, "expects")
    assert is_asked.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().startswith("KeyboardInterrupt")

    _, entries = only_run()
    assert entries[-1].verdict == "interrupted"
    assert not any(isinstance(entry, ChannelOpened) for entry in entries)
    peer.outcome()


class Party(Actor):
    line = WebSocket("{peer}", dialect=Json(name="action", body="data", reply="result{Name}"), within_s=5)

    @action
    async def begin(self) -> None:
        self.send("hello")
        await self.expect("welcome")


def test_an_exception_in_the_middle(fail: Callable[..., Any], friend: Any) -> None:
    class Mistake(Exception):
        pass

    @scenario
    async def stumble(party: Party) -> None:
        await party.begin()
        waiting = party.expect("never")
        assert not waiting.done()
        raise Mistake("here")

    failure = fail(stumble, Mistake, verdict="error", peer=friend.address)

    assert failure.said == ["> hello", "< welcome"]
    assert [wait.what for wait in failure.of(WaitStarted)][1] == "never"
    (ended,) = failure.of(ChannelEnded)
    assert (ended.code, ended.by) == (1000, "us")
    assert friend.outcome() == (1000, "")
    assert failure.entries[-1].error.startswith("Mistake: here\n  at tests/e2e/test_survival.py:")


# -- nowhere to write -------------------------------------------------------------------------------------------------


@scenario
async def meet(party: Party) -> None:
    await party.begin()


def test_a_file_where_the_runs_should_be(friend: Any, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("something else")

    with pytest.raises(RecordingError, match="no run can be recorded") as raised:
        play(meet, stand=Stand("test", {"peer": friend.address}), runs=tmp_path / "runs")

    assert raised.value.place == str(tmp_path / "runs")
    assert "--runs" in raised.value.hint
    assert friend.connections == 0
    assert (tmp_path / "runs").read_text() == "something else"


def test_a_directory_that_is_not_there(friend: Any, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="the journal cannot be made: No such file or directory"):
        play(meet, stand=Stand("test", {"peer": friend.address}), directory=tmp_path / "nowhere")
    assert friend.connections == 0


def test_a_run_is_never_written_over_another(friend: Any, tmp_path: Path) -> None:
    stand = Stand("test", {"peer": friend.address})
    play(meet, stand=stand, directory=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    with pytest.raises(RecordingError, match="the journal cannot be made: File exists"):
        play(meet, stand=stand, directory=tmp_path)

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert friend.connections == 1


def test_a_report_that_cannot_be_written(fail: Callable[..., Any], friend: Any, tmp_path: Path) -> None:
    @scenario
    async def be_hindered(party: Party) -> None:
        (tmp_path / "run" / "received" / "welcome0.json").mkdir()
        (tmp_path / "run" / "received").rename(tmp_path / "run" / "elsewhere")
        await party.begin()
        await party.expect("never")

    failure = fail(be_hindered, RecordingError, verdict="error", peer=friend.address)

    assert "the report 'files' cannot be written" in failure.text
    assert failure.error.place == str(tmp_path / "run")
    assert failure.said == ["> hello", "< welcome"], "the journal is whole nevertheless"
    assert friend.outcome() == (1000, "")


def test_a_disk_that_is_full(launch: Callable[..., Any], friend: Any, only_run: Callable[[], Any]) -> None:
    process = launch(friend.address, "talks", 16 * 1024)
    assert process.stdout.readline() == "in the middle\n"
    told = process.stdout.readline()
    assert process.wait() == 0

    assert told.startswith("RecordingError the journal cannot be written: File too large")
    assert "the limit is 16384 bytes (ulimit -f)" in told
    assert "hint: what was recorded before is readable" in told
    directory, entries = only_run()
    assert (directory / "journal.jsonl").stat().st_size <= 16 * 1024
    assert said(entries)[:4] == ["> hello", "< welcome", "> echo", "< resultEcho"]
    assert len(entries) > 20
    assert friend.outcome() == (1000, "")


# -- others in the same place -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_many_runs_at_once_never_share_a_directory(launch: Callable[..., Any], friend: Any, tmp_path: Path) -> None:
    processes = [launch(friend.address, "counts", first, first + 20) for first in (0, 20)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.stdout.read() == ""
        assert process.wait() == 0

    directories = list((tmp_path / "runs").iterdir())
    assert len(directories) == 40
    numbers = Counter(_number_of(directory) for directory in directories)
    assert numbers == Counter(range(40))


def _number_of(directory: Path) -> int:
    """The number that this run, and only it, was about."""
    entries = list(read_journal(directory / "journal.jsonl"))
    number = int(entries[0].parameters["number"])
    assert (entries[-1].verdict, sum(isinstance(entry, RunStarted) for entry in entries)) == ("passed", 1)
    said_numbers = {json.loads(entry.raw)["data"]["number"] for entry in entries if isinstance(entry, WrittenMessage)}
    files = list(directory.rglob("*.json"))
    saved_numbers = {json.loads(path.read_text())["data"]["number"] for path in files}
    assert said_numbers == saved_numbers == {number}
    assert sorted(path.name for path in files) == sorted(
        [
            "hello0.json",
            "welcome0.json",
            *(f"{name}{count}.json" for name in ("echo", "resultEcho") for count in range(5)),
        ]
    )
    return number


# -- secrets ----------------------------------------------------------------------------------------------------------

PASSWORD = 'Looking-Glass&7%/"ä'
TOKEN = "tok.55c1e0f4b7a94d2f+9/e=="
COOKIE = "c00c1e-9d1b7f3a2"
BEARER = "b3a7e7-4c1d-11ef"


class Spy(Actor):
    """Logs in, and is told its own secrets again and again."""

    api = Http("{http}", headers={"Authorization": f"Bearer {BEARER}"})
    desk = WebSocket(
        "{peer}/desk?token={token}", dialect=Json(name="action", body="data", reply="result{Name}"), within_s=5
    )

    async def arrive(self) -> None:
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.token = login["token"]
        self.desk.headers["Cookie"] = f"session={login.cookies['session']}"
        self.desk.headers["Authorization"] = f"Bearer {BEARER}"

    @action
    async def introduce_myself(self, password: str) -> None:
        self.send("hello", password=password, note=f"my password is {password}, and my token {self.token}")
        await self.expect("welcome")


def give_away(token: str) -> dict[str, str]:
    return {"token": token, "text": f"it is {token}"}


@scenario
async def be_discreet(spy: Spy) -> None:
    await spy.introduce_myself(PASSWORD)
    await call(give_away, spy.token)
    await spy.api.get(f"/whoami?token={spy.token}", params={"password": PASSWORD})


@scenario
async def be_refused(spy: Spy) -> None:
    await spy.introduce_myself(PASSWORD)
    await spy.api.get("/secret")


@scenario
async def be_disappointed(spy: Spy) -> None:
    await spy.introduce_myself(PASSWORD)
    await spy.ask("whoAmI", check={"text": "someone else"})


@scenario
async def be_clumsy(spy: Spy) -> None:
    await spy.introduce_myself(PASSWORD)
    raise ExpectationFailed(f"{spy.token}, {spy.user.password}, {spy.desk.headers}, {vars(spy.user)}")


@scenario
async def be_kept_waiting(spy: Spy) -> None:
    await spy.introduce_myself(PASSWORD)
    await spy.expect("welcome", {"text": TOKEN, "session": COOKIE, "password": PASSWORD}, within_s=0.1)


@pytest.fixture
def indiscreet(serve: Callable[..., Any]) -> Any:
    """A centre that repeats every secret in every place it can think of."""
    secrets = f"of {TOKEN} and {COOKIE} and {PASSWORD} and {BEARER}"

    async def repeat(line: Any) -> Any:
        request, headers = await line.read_head()
        if "upgrade" in headers:
            assert headers["cookie"] == f"session={COOKIE}"
            line.accept(headers)
            await line.hear()
            line.say("news", {"text": secrets, "nested": [{"sessionToken": TOKEN}]})
            line.writer.write(line.frame(0x2, f'{{"action": "binary", "data": "{TOKEN}"}}'.encode()))
            line.say("welcome", {"text": secrets, "password": PASSWORD, TOKEN: "as a name"})
            while True:
                opcode, _ = await line.hear_frame()
                if opcode == 0x8:
                    line.say_close(1000, TOKEN)
                    return None
                line.say("resultWhoAmI", {"text": "x" * 51 + secrets})
        await line.reader.readexactly(int(headers.get("content-length", "0")))
        if request.startswith("POST /login"):
            cookie = f"session={COOKIE}; HttpOnly; Path=/"
            line.answer("200 OK", json.dumps({"token": TOKEN}), "application/json", Set_Cookie=cookie)
        elif request.startswith("GET /secret"):
            line.answer("403 Forbidden", json.dumps({"text": "x" * 51 + secrets, "token": TOKEN}), "application/json")
        else:
            line.answer("200 OK", f"you are the one {secrets}", X_Token=TOKEN)
        return None

    return serve(repeat)


STORIES: dict[str, tuple[Any, type[Exception] | None]] = {
    "passed": (be_discreet, None),
    "refused": (be_refused, ExpectationFailed),
    "disappointed": (be_disappointed, CheckFailed),
    "clumsy": (be_clumsy, ExpectationFailed),
    "kept waiting": (be_kept_waiting, ExpectationFailed),
}


@pytest.mark.parametrize("story", STORIES)
def test_secrets_are_in_no_file(indiscreet: Any, tmp_path: Path, story: str) -> None:
    what, error = STORIES[story]
    users = [{"name": "alice", "password": PASSWORD}]
    stand = Stand("test", {"peer": indiscreet.address, "http": indiscreet.http}, users=users)
    if error is None:
        play(what, stand=stand, runs=tmp_path)
    else:
        with pytest.raises(error):
            play(what, stand=stand, runs=tmp_path, linger_s=0)

    (directory,) = tmp_path.iterdir()
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) >= 6
    leaks = [(path.name, form) for path in files for form in _forms() if form in path.read_bytes()]
    assert leaks == []
    assert any(b"***" in path.read_bytes() for path in files)
    entries = list(read_journal(directory / "journal.jsonl"))
    assert said(entries)[:4] == ["> hello", "< news", "< binary", "< welcome"]


def _forms() -> list[bytes]:
    """The secrets as they may be written: as they are, in JSON, in an address; and what is left if one is cut."""
    forms = set()
    for secret in (PASSWORD, TOKEN, COOKIE, BEARER):
        forms |= {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
        forms |= {quote(secret), quote(secret, safe=""), quote_plus(secret), b64encode(secret.encode()).decode()}
        forms |= {secret[:9], secret[-9:]}
    return [form.encode() for form in forms]


def test_an_address_with_a_password_is_not_written(friend: Any, tmp_path: Path) -> None:
    address = friend.address.replace("ws://", "ws://alice:pa55word-of-alice@")
    play(meet, stand=Stand("test", {"peer": address}), runs=tmp_path)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"pa55word-of-alice" in path.read_bytes()] == []


def test_a_run_that_is_not_recorded_writes_nothing(friend: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    run = play(meet, stand=Stand("test", {"peer": friend.address}), runs=None)
    assert run.directory is None
    assert list(tmp_path.iterdir()) == []
    assert said_in_memory(run) == ["hello", "welcome"]


def said_in_memory(run: Any) -> list[str]:
    return [entry.name for entry in run.journal if isinstance(entry, Message)]

"""The command line, as its users meet it: what it shows, what it writes, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import pkgutil
import pty
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import urllib.request
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

import pytest
from rich.cells import cell_len

from antiphon import play
from antiphon.cli import commands, main
from antiphon.cli.live import LiveView
from antiphon.cli.screen import Screen
from antiphon.conversation.message import Message
from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.file import read_journal
from antiphon.journal.masking import Masker
from antiphon.report.text import Conversation
from antiphon.scenarios.scenario import find_scenario
from antiphon_testbed import ContactCentre

PLAIN = """
from antiphon import scenario

@scenario
async def plain(telephone: str = "89", times: int = 1):
    '''Do nothing, in style.

    Args:
        telephone: whom to call
        times: how often
    '''
    return telephone * times
"""

DESK = """
from antiphon import Actor, Json, WebSocket, action, call, on, scenario, wait

class Operator(Actor):
    desk = WebSocket("{peer}", dialect=Json(name="action", body="data", reply="result{Name}"), within_s=0.2)

    @on("ping")
    def answer_ping(self, ping):
        self.send("pong", seq=ping["seq"])

    @action
    async def greet(self, name):
        await self.ask("hello", name=name, within_s=60)

    @action
    async def listen(self, name):
        await self.expect(name)

    @action
    async def stumble(self):
        names = {}
        return names["callID"]

class Customer(Actor):
    desk = WebSocket("{peer}")

    @action
    async def dial(self):
        self.send("dial")

@scenario
def greeting(operator: Operator, name: str = "bob"):
    return [Operator.greet(name)]

@scenario
def waiting(operator: Operator, name: str = "bell"):
    return [Operator.listen(name)]

@scenario
def stumbling(operator: Operator):
    return [Operator.stumble()]

@scenario
def asserting(operator: Operator):
    return [call(check)]

def check():
    assert 1 + 1 == 3, "sums"

@scenario
def long(operator: Operator, seconds: float = 60):
    return [Operator.greet("bob"), wait(seconds)]

@scenario
def no_step(operator: Operator):
    return [Operator.greet("bob"), 5]

@scenario
def foreign(operator: Operator):
    return [Customer.dial()]
"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def directory(self) -> Path:
        """Where the run was recorded, as the output says."""
        (line,) = [line for line in self.out.splitlines() if line.startswith("recorded in ")]
        return Path(line.removeprefix("recorded in "))


Cli = Callable[..., Ended]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory of its own, an environment without wishes, and modules that are forgotten again."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("antiphon"):
            del sys.modules[name]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Performs a command line in this process."""

    def perform(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main(arguments)
        return Ended(code, *capsys.readouterr())

    return perform


@pytest.fixture
def write(workplace: Path) -> Callable[..., None]:
    """Writes a file in the working directory."""

    def write(name: str, text: str) -> None:
        (workplace / name).write_text(textwrap.dedent(text), encoding="utf-8")

    return write


@pytest.fixture
def desk(serve: Callable[..., Any], write: Callable[..., None]) -> Callable[..., Any]:
    """Starts a peer that behaves as told, and writes a stand that names it and a file of scenarios for it."""

    def start(behaviour: Callable[[Any], Any]) -> Any:
        peer = serve(behaviour)
        write("calls.py", DESK)
        write("antiphon.toml", f'[stands.here]\npeer = "{peer.address}"\n')
        return peer

    return start


async def friendly(line: Any) -> None:
    """Pings, answers every hello, says goodbye."""
    await line.upgrade()
    line.say("ping", {"seq": 7})
    while True:
        opcode, payload = await line.hear_frame()
        if opcode == 0x8:
            line.say_close(1000)
            return
        if opcode == 0x1 and json.loads(payload)["action"] == "hello":
            line.say("resultHello", {"result": "success"})


def assert_is_clear(ended: Ended, code: int, *parts: str) -> None:
    """One error, in words, with everything that it should say."""
    assert ended.code == code, ended
    assert "Traceback" not in ended.err
    # Once: the verdict of a run that had begun says it, and otherwise the error.
    told = [line for line in (ended.out + ended.err).splitlines() if line.startswith(("error: ", "failed: "))]
    assert len(told) == 1, ended
    for part in parts:
        assert part in ended.err, ended.err


# -- a scenario performed ----------------------------------------------------------------------------------------------


def test_a_run_shows_the_conversation_and_says_where_it_is(desk: Callable[..., Any], cli: Cli) -> None:
    peer = desk(friendly)

    ended = cli("run", "calls.py:greeting", "--name", "carol")

    assert ended.code == 0
    assert ended.err == ""
    lines = [line[10:] if line[:10].strip().replace(".", "").isdigit() else line for line in ended.out.splitlines()]
    assert lines[0] == "greeting(name='carol') on the stand here"
    assert lines[1] == f"● desk is open  {peer.address}"
    assert "  → hello  name=carol" in lines
    assert "  ← resultHello  result=success" in lines
    assert any(line.strip() == "← ping  seq=7  ↳ answer_ping" for line in lines)
    assert lines[-2].startswith("passed: greeting in ")
    entries = list(read_journal(ended.directory / "journal.jsonl"))
    assert isinstance(entries[0], RunStarted)
    assert isinstance(entries[-1], RunEnded)


def test_a_quiet_run_shows_how_it_ends(desk: Callable[..., Any], cli: Cli) -> None:
    desk(friendly)

    ended = cli("run", "calls.py:greeting", "--quiet")

    verdict, recorded = ended.out.splitlines()
    assert verdict.startswith("passed: greeting in ")
    assert verdict.endswith("(1 step, 2 sent, 2 received)")
    assert recorded.startswith("recorded in runs/")


def test_a_run_that_is_not_recorded_writes_nothing(write: Callable[..., None], cli: Cli, workplace: Path) -> None:
    write("plain.py", PLAIN)

    ended = cli("run", "plain.py", "--no-record")

    assert ended.code == 0
    assert "recorded" not in ended.out
    assert not (workplace / "runs").exists()


def test_a_run_is_recorded_where_it_is_told_to(write: Callable[..., None], cli: Cli, workplace: Path) -> None:
    write("plain.py", PLAIN)

    ended = cli("run", "--runs", "a/b", "plain.py:plain")

    assert ended.directory.parent == Path("a/b")
    assert (ended.directory / "journal.jsonl").is_file()


def test_the_scenarios_parameters_are_options_with_their_types(write: Callable[..., None], cli: Cli) -> None:
    write(
        "typed.py",
        """
        import enum
        from pathlib import Path
        from typing import Literal
        from antiphon import scenario

        class Skill(enum.Enum):
            SALES = 1
            SUPPORT = 2

        @scenario
        async def typed(
            text: str, count: int, share: float = 0.5, loud: bool = True, skill: Skill = Skill.SALES,
            mode: Literal["fast", "slow"] = "fast", file: Path | None = None, tags: list[str] = [],
            ids: set[int] | None = None, untyped=5, long_name: str = "x",
        ):
            given = (text, count, share, loud, skill, mode, file, tags, ids, untyped, long_name)
            Path("given.txt").write_text(repr(given))
        """,
    )
    arguments = (
        "--text=a --count 3 --share 1.5 --no-loud --skill support --mode slow"
        " --file x/y.json --tags p --tags q --ids 1 --ids 2 --untyped 7 --long-name z"
    )

    ended = cli("run", "typed.py", *arguments.split())

    assert ended.code == 0, ended.err
    expected = "('a', 3, 1.5, False, <Skill.SUPPORT: 2>, 'slow', PosixPath('x/y.json'), ['p', 'q'], {1, 2}, 7, 'z')"
    assert Path("given.txt").read_text() == expected
    assert cli("run", "typed.py", "--text", "a", "--count", "3").code == 0
    assert Path("given.txt").read_text() == ("('a', 3, 0.5, True, <Skill.SALES: 1>, 'fast', None, [], None, 5, 'x')")


@pytest.mark.parametrize(
    "documentation",
    [
        "Args:\n        telephone: whom to call",
        "Args:\n        telephone (str): whom to call",
        "Parameters\n    ----------\n    telephone : str\n        whom to call",
        ":param telephone: whom to call",
    ],
)
def test_the_help_of_a_scenario_is_made_of_its_docstring(
    documentation: str, write: Callable[..., None], cli: Cli
) -> None:
    write(
        "calls.py",
        f'''
from antiphon import Actor, scenario

class Operator(Actor):
    pass

@scenario
def outgoing(operator: Operator, telephone: str = "890000002", talk_s: float = 1.0):
    """An operator [red]calls[/red] a customer.

    {documentation}
    """
    return []
''',
    )

    ended = cli("run", "calls.py:outgoing", "--help")

    assert ended.code == 0
    assert "Usage: antiphon run calls.py:outgoing [OPTIONS]" in ended.out
    assert "An operator [red]calls[/red] a customer." in ended.out
    assert "--telephone STR: whom to call [default: 890000002]" in ended.out
    assert "--talk-s FLOAT [default: 1.0]" in ended.out or "--talk-s FLOAT: [default: 1.0]" in ended.out
    assert "Actors: operator (Operator). Written at calls.py:" in ended.out
    assert ended.out.count("whom to call") == 1
    for option in ("--stand STR", "--runs PATH", "--no-record", "--quiet", "--help"):
        assert option in ended.out


def test_the_help_of_run_says_how_to_name_a_scenario(cli: Cli) -> None:
    ended = cli("run", "--help")

    assert ended.code == 0
    assert "Usage: antiphon run FILE.py:SCENARIO [OPTIONS]" in ended.out
    assert "--stand STR" in ended.out


def test_help_in_a_pipe_is_wrapped_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli("run", "--help").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("  --report"))
    told = " ".join(line.strip() for line in lines[start : start + 2])

    assert told.endswith("har; NAME=PATH says where it goes. May be given again.")
    assert lines[start + 1].startswith("    NAME=PATH")
    assert lines[start + 2].startswith("  --strict")
    assert max(map(len, lines)) <= 80


def test_a_function_without_the_decorator_is_told_as_that(write: Callable[..., None], cli: Cli) -> None:
    write("plain.py", "async def talk(): ...\n")

    assert_is_clear(
        cli("run", "plain.py:talk"), 2, "'talk' is a function, and no scenario yet", "plain.py:1", "@scenario"
    )
    assert_is_clear(cli("run", "plain.py:other"), 2, "there is no scenario 'other'")


def test_a_parameter_without_a_type_may_have_been_meant_as_an_actor(write: Callable[..., None], cli: Cli) -> None:
    write("plain.py", "from antiphon import scenario\n@scenario\nasync def talk(caller): ...\n")

    ended = cli("run", "plain.py")

    assert_is_clear(
        ended, 2, "--caller is missing", "hint: an actor is known by its class: caller: Caller; antiphon run"
    )


def test_a_list_shows_the_scenarios_of_a_file(desk: Callable[..., Any], write: Callable[..., None], cli: Cli) -> None:
    write("plain.py", PLAIN + "\n@scenario\nasync def needy(number: int): ...\n")

    ended = cli("list", "plain.py")

    assert ended.code == 0
    assert ended.out.splitlines() == [
        "plain.py:plain  Do nothing, in style.",
        "    --telephone str = '89'  whom to call",
        "    --times int = 1  how often",
        "plain.py:needy  ",
        "    --number int",
    ]


def test_every_command_is_a_module_and_the_help_imports_none() -> None:
    code = "import sys; from antiphon.cli import main; main(['--help']); print('imported', *sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, imported = ended.stdout.splitlines()
    assert "antiphon.cli" in imported.split()
    assert "antiphon.cli.commands." not in imported
    assert "picows" not in imported
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert {line.split(":")[0].strip() for line in shown if line.startswith("  ")} >= modules
    assert all(callable(import_module(f"{commands.__name__}.{name}").command) for name in modules)


def test_help_and_version_of_the_command_itself(cli: Cli) -> None:
    ended = cli()

    assert ended.code == 0
    assert ended == cli("--help")
    positions = [ended.out.index(f"  {name}: ") for name in ("demo", "run", "list", "testbed")]
    assert positions == sorted(positions)
    assert cli("--version").out.startswith("antiphon ")


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run"], ["which scenario is meant?", "hint: antiphon run FILE.py:SCENARIO"]),
        (["run", "--quiet"], ["which scenario is meant?"]),
        (["run", "nowhere.py:x"], ["there is no file 'nowhere.py'", "hint: the working directory is"]),
        (["run", "plain"], ["there is no file 'plain'", "hint: FILE.py:SCENARIO"]),
        (["run", "plain.py:other"], ["there is no scenario 'other'", "at plain.py", "hint: there is plain"]),
        (["run", "several.py"], ["which scenario is meant?", "at several.py", "several.py:NAME", "one, two"]),
        (["run", "empty.py"], ["hint: ", "@scenario"]),
        (["list", "empty.py"], ["there is no scenario", "at empty.py", "@scenario"]),
        (["list"], ["FILE is missing", "hint: antiphon list --help"]),
        (["run", "broken.py:x"], ["broken.py cannot be imported: SyntaxError", "broken.py:3"]),
        (["run", "utf16.py:x"], ["utf16.py cannot be imported: SyntaxError", "at utf16.py"]),
        (["run", "lacking.py:x"], ["cannot be imported: ModuleNotFoundError", "'no_such_thing'", "lacking.py:2"]),
        (["run", "raising.py:x"], ["raising.py cannot be imported: ZeroDivisionError", "raising.py:2"]),
        (["run", "ending.py:x"], ["SystemExit: 5", "ending.py:3"]),
        (["run", "needy.py"], ["--number is missing", "hint: antiphon run needy.py --help"]),
        (["run", "needy.py", "--number"], ["--number", "requires an argument"]),
        (["run", "needy.py", "--number", "many"], ["--number", '"many"', "int"]),
        (["run", "plain.py", "--telefone", "5"], ["Unknown option: --telefone", "Did you mean --telephone?"]),
        (["run", "plain.py", "890"], ["nothing here takes '890'", "hint: antiphon run plain.py --help"]),
        (["run", "--telephone", "5", "plain.py"], ["--telephone comes before the scenario", "SCENARIO --telephone"]),
        (["run", "clash.py"], ["a parameter 'quiet'", "--quiet is an option of", "at clash.py:", "hint: call"]),
        (["run", "reserved.py"], ["a parameter 'stand'", "at reserved.py:"]),
        (["run", "plain.py", "--stand", "nowhere"], ["no stand 'nowhere'", "antiphon.toml", "[stands.nowhere]"]),
        (["dance"], ['Unknown command "dance"', "hint: antiphon --help"]),
        (["demo", "--loud"], ["Unknown option: --loud", "hint: antiphon demo --help"]),
        (["testbed", "--port", "x"], ["--port", '"x"', "hint: antiphon testbed --help"]),
        (["testbed", "--users", "-1"], ["users"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0] in ("run", "list", "demo", "dance", "testbed") else "",
)  # fmt: skip
def test_bad_usage_is_one_clear_error(
    arguments: list[str], parts: list[str], write: Callable[..., None], cli: Cli, workplace: Path
) -> None:
    header = "from antiphon import scenario\n"
    write("plain.py", PLAIN)
    write("several.py", header + "@scenario\nasync def one(): ...\n@scenario\nasync def two(): ...\n")
    write("empty.py", "def plain(): ...\n")
    write("utf16.py", "x\0=\0001\0")
    write("broken.py", "x = 1\n\ndef (:\n")
    write("lacking.py", "x = 1\nimport no_such_thing\n")
    write("raising.py", "x = 0\ny = 1 / x\n")
    write("ending.py", "import sys\n\nsys.exit(5)\n")
    write("needy.py", header + "@scenario\nasync def needy(number: int): ...\n")
    write("clash.py", header + "@scenario\nasync def clash(quiet: int = 1): ...\n")
    write("reserved.py", header + "@scenario\nasync def reserved(stand: int = 1): ...\n")

    ended = cli(*arguments)

    assert_is_clear(ended, 2, *parts)
    assert ended.out == ""
    assert not (workplace / "runs").exists(), "nothing was begun, so nothing is recorded"


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        ("[stands.here\n", ["this is no TOML", "antiphon.toml"]),
        (
            '[stands.here]\npeer = "x"\n[stands.there]\npeer = "y"\n',
            ["no stand 'nowhere'", "antiphon.toml", "here, there"],
        ),
        ("[stands.nowhere]\npeer = 5\n", ["stands.nowhere.peer is not an address", "antiphon.toml"]),
        ('[stands.nowhere]\npeer = "${NOT_SET_AT_ALL}"\n', ["NOT_SET_AT_ALL", "hint: export"]),
    ],
)
def test_a_bad_stand_is_one_clear_error(toml: str, parts: list[str], write: Callable[..., None], cli: Cli) -> None:
    write("plain.py", PLAIN)
    write("antiphon.toml", toml)

    assert_is_clear(cli("run", "plain.py", "--stand", "nowhere"), 2, *parts)


RUDE = "\x1b]0;owned\x07\x9b31m\u202eevil\u2066\x7f\r\n2026-01-01 INFO antiphon.run: all passed\u2028\ufeff"
"""What a peer may say to move the cursor, name the window, turn the text round, and forge a line of a log."""

HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize(
    "flags",
    [
        *([], ["-vv"]),
        *(
            pytest.param(flags, marks=pytest.mark.slow)
            for flags in (["--log-json", "-vv"], ["--traceback"], ["--quiet"])
        ),
    ],
    ids=" ".join,
)
def test_nothing_that_a_peer_says_reaches_the_terminal_as_it_is(flags: list[str], desk: Callable[..., Any]) -> None:
    async def rude(line: Any) -> None:
        await line.upgrade()
        # In one go: the run would pass if it were over before the rest has come.
        messages = [{"action": "resultHello", "data": {"result": RUDE}}, {"action": RUDE, "data": {RUDE: RUDE}}]
        frames = [line.frame(0x1, json.dumps(message).encode()) for message in messages]
        line.writer.write(b"".join([*frames, line.frame(0x8, struct.pack(">H", 1000) + RUDE.encode())]))

    desk(rude)
    # It waits for what does not come: a reply may be there before it was asked for, or just after, and then it passes.
    ended = finish(start("run", "calls.py:waiting", *flags))

    assert ended.code == 1, ended
    assert "owned" in ended.out + ended.err
    assert not HARMFUL.search(ended.out + ended.err)
    assert not any(line.startswith("2026-01-01 INFO") for line in (ended.out + ended.err).splitlines())
    if "--log-json" in flags:
        records = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
        assert any(record.get("message") == RUDE for record in records)  # the fact is what was said


def test_an_error_that_is_shown_by_others_is_harmless_too(desk: Callable[..., Any], workplace: Path) -> None:
    async def rude(line: Any) -> None:
        await line.upgrade()
        line.say(RUDE, {RUDE: RUDE})
        line.say_close(1000, RUDE)

    desk(rude)
    with pytest.raises(AssertionError) as failed:
        play(find_scenario("calls.py:waiting"), runs=None, linger_s=0)

    assert "owned" in str(failed.value)
    assert not HARMFUL.search(str(failed.value))


def test_nobody_there_means_3(write: Callable[..., None], cli: Cli) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{free.getsockname()[1]}"
    write("calls.py", DESK)
    write("antiphon.toml", f'[stands.here]\npeer = "{address}"\n')

    ended = cli("run", "calls.py:greeting")

    assert_is_clear(ended, 3, "no server is listening", address, "hint: ")
    assert ended.out.splitlines()[-2].startswith("error: greeting in ")
    assert (ended.directory / "journal.jsonl").is_file()


def test_not_being_let_in_means_3(desk: Callable[..., Any], cli: Cli) -> None:
    async def refuse(line: Any) -> None:
        await line.read_head()
        line.answer("401 Unauthorized", "log in first")

    desk(refuse)

    ended = cli("run", "calls.py:greeting")

    assert_is_clear(ended, 3, "401")
    assert isinstance(list(read_journal(ended.directory / "journal.jsonl"))[-1], RunEnded)


def test_an_expectation_that_fails_means_1(desk: Callable[..., Any], cli: Cli) -> None:
    desk(friendly)

    ended = cli("run", "calls.py:waiting", "--name", "bell")

    assert_is_clear(ended, 1, "bell", "at calls.py:17", "ping")
    assert "✗ waited " in ended.out
    assert ended.out.splitlines()[-2].startswith("failed: waiting in ")
    assert list(read_journal(ended.directory / "journal.jsonl"))[-1].verdict == "failed"


def test_a_peer_that_talks_nonsense_means_1(desk: Callable[..., Any], cli: Cli) -> None:
    async def nonsense(line: Any) -> None:
        await line.upgrade()
        line.say_text("\x1b[2J{nonsense")
        await line.goodbye()

    desk(nonsense)

    ended = cli("run", "calls.py:waiting")

    assert_is_clear(ended, 1, "nonsense")
    assert "\x1b" not in ended.err + ended.out


def test_a_secret_in_an_error_is_masked(write: Callable[..., None], cli: Cli) -> None:
    write(
        "secret.py",
        """
        from antiphon import Actor, WebSocket, scenario

        class Spy(Actor):
            desk = WebSocket("ws://127.0.0.1:1", headers={"Authorization": "Bearer topsecret"})
            async def arrive(self):
                self.desk.headers["Authorization"] = "Bearer topsecret"
                self.runtime.journal.masker.learn("topsecret")
                raise ValueError("topsecret was not taken")

        @scenario
        def spying(spy: Spy):
            return []
        """,
    )

    ended = cli("run", "secret.py", "--traceback")

    assert ended.code == 2
    assert "ValueError: *** was not taken" in ended.err
    assert "ValueError: topsecret" not in ended.err + ended.out


def test_an_error_of_the_authors_own_code_is_told_with_its_line(desk: Callable[..., Any], cli: Cli) -> None:
    desk(friendly)

    ended = cli("run", "calls.py:stumbling")

    assert_is_clear(ended, 2, "KeyError: 'callID'", "at calls.py:22, in stumble", 'return names["callID"]')
    assert ended.directory.is_dir()


def test_a_plain_assertion_of_the_authors_means_1(desk: Callable[..., Any], cli: Cli) -> None:
    desk(friendly)

    ended = cli("run", "calls.py:asserting")

    assert_is_clear(ended, 1, "AssertionError: sums", "in check", 'assert 1 + 1 == 3, "sums"')


def test_a_handler_that_raises_is_told_with_its_line(desk: Callable[..., Any], cli: Cli) -> None:
    async def rude(line: Any) -> None:
        await line.upgrade()
        line.say("ping", {})
        await line.goodbye()

    desk(rude)

    ended = cli("run", "calls.py:long")

    assert_is_clear(ended, 2, "the handler answer_ping of ping raised FieldMissing", "calls.py:9", 'seq=ping["seq"]')


def test_a_traceback_is_shown_when_it_is_asked_for(desk: Callable[..., Any], cli: Cli) -> None:
    desk(friendly)

    ended = cli("run", "calls.py:stumbling", "--traceback")

    assert ended.code == 2
    assert ended.err.startswith("Traceback (most recent call last):")
    assert "\nKeyError: 'callID'\n" in ended.err


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("no_step", ["item 1 of the workflow is 5, not a step", "at calls.py:"]),
        (
            "foreign",
            ["dial is a step of Customer, and foreign has no such actor", "at calls.py:", "operator (Operator)"],
        ),
    ],
)
def test_a_workflow_that_cannot_be_performed_connects_nobody(
    name: str, parts: list[str], desk: Callable[..., Any], cli: Cli
) -> None:
    peer = desk(friendly)

    ended = cli("run", f"calls.py:{name}")

    assert_is_clear(ended, 2, *parts)
    assert peer.connections == 0
    assert ended.directory.is_dir()


@pytest.mark.parametrize("runs", ["a_file", "a_file/runs"])
def test_a_runs_directory_that_cannot_be_made_is_one_clear_error(
    runs: str, write: Callable[..., None], cli: Cli
) -> None:
    write("plain.py", PLAIN)
    write("a_file", "")

    assert_is_clear(
        cli("run", "plain.py", "--runs", runs), 2, "no run can be recorded", f"at {runs}", "choose another directory"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_runs_directory_is_one_clear_error(write: Callable[..., None], cli: Cli, workplace: Path) -> None:
    write("plain.py", PLAIN)
    (workplace / "runs").mkdir(mode=0o500)

    assert_is_clear(cli("run", "plain.py"), 2, "no run can be recorded: Permission denied", "at runs")


def test_a_bug_of_ours_is_said_to_be_one(write: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.cli.commands.run.find_scenario", lambda target: Masker().text(5))  # type: ignore[arg-type]

    ended = cli("run", "plain.py")

    assert ended.code == 70
    assert ended.err.startswith("internal error: AttributeError: ")
    assert "This is a bug of antiphon, whatever your code did" in ended.err
    written = Path(ended.err.split("the traceback is in ")[1].split(". Please")[0])
    assert "in text" in written.read_text()
    written.unlink()


def test_a_bug_of_ours_that_the_authors_code_ran_into_is_told_with_its_line(
    write: Callable[..., None], cli: Cli
) -> None:
    write(
        "plain.py",
        "from antiphon.journal.masking import Masker" + PLAIN.replace("return telephone", "Masker().text(5)"),
    )

    ended = cli("run", "plain.py")

    assert ended.code == 70
    assert "at plain.py:12, in plain\n      Masker().text(5)" in ended.err
    (traceback,) = ended.directory.glob("traceback-*.txt")
    assert f"the traceback is in {traceback}" in ended.err


def test_messages_that_come_faster_than_they_can_be_shown_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.cli.live.FURTHEST_BEHIND", 5)
    may_write = threading.Event()
    lines: list[str] = []

    class StuckScreen(Screen):
        def print(self, *more: Any) -> None:
            may_write.wait(10)
            lines.extend(map(str, more))

    view = LiveView(StuckScreen())
    for number in range(1, 101):
        view(Message("news", {}, "{}", number=number))
    may_write.set()
    view.finish()

    *shown, told = lines
    assert 5 <= len(shown) < 100
    assert told == f"{100 - len(shown)} messages were not shown: they came faster than they can be written"


def test_a_live_view_that_fails_does_not_fail_the_run(
    write: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Conversation, entry: Any) -> None:
        raise ValueError("no such colour")

    monkeypatch.setattr(Conversation, "__call__", fail)
    write("plain.py", PLAIN)

    ended = cli("run", "plain.py")

    assert ended.code == 0
    assert ended.err == "internal error: the live view ended early: ValueError: no such colour\n"
    assert ended.directory.is_dir()


def test_a_live_view_for_which_there_is_no_memory_is_no_bug(
    write: Callable[..., None], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Conversation, entry: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Conversation, "__call__", fail)
    write("plain.py", PLAIN)

    ended = cli("run", "plain.py")

    assert ended.code == 0
    assert ended.err.startswith("error: the live view ended early: there is no more memory")
    assert "hint: do less at once, or raise the limit first: ulimit -v\n" in ended.err


# -- the example, and the testbed --------------------------------------------------------------------------------------


def test_the_example_can_be_taken_away_and_performed(cli: Cli, workplace: Path) -> None:
    copied = cli("demo", "--copy-to", "mine/calls")

    assert copied.code == 0
    copied_files = {path.name for path in (workplace / "mine/calls").iterdir()}
    assert copied_files >= {"antiphon.toml", "calls.py", "desk.py", "test_calls.py"}
    assert all(name.endswith((".py", ".toml", ".md")) for name in copied_files)
    ended = cli("run", "mine/calls/calls.py:outgoing", "--talk-s", "0")
    assert ended.code == 0, ended
    assert '  → newOutInteraction  destination="890000002"' in ended.out
    again = cli("demo", "--copy-to", "mine/calls")
    assert_is_clear(again, 2, "is there already", "nothing was overwritten")


def test_the_example_is_written_through_no_link(cli: Cli, workplace: Path) -> None:
    folder = workplace / "mine"
    folder.mkdir()
    (folder / "calls.py").symlink_to(workplace / "elsewhere")

    assert_is_clear(cli("demo", "--copy-to", "mine"), 2, "mine/calls.py is there already", "hint: choose another")
    assert not (workplace / "elsewhere").exists()

    (workplace / "a_folder").mkdir()
    (workplace / "a_link").symlink_to("a_folder")
    assert_is_clear(cli("demo", "--copy-to", "a_link"), 2, "a_link is a link to a_folder", "hint: name the folder")
    assert list((workplace / "a_folder").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(write: Callable[..., None], cli: Cli) -> None:
    write("a_file", "")

    assert_is_clear(cli("demo", "--copy-to", "a_file/mine"), 2, "the example cannot be copied", "at a_file/mine")


def test_a_testbed_whose_port_is_taken_is_one_clear_error(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert_is_clear(cli("testbed", "--port", port), 2, port, "hint: ")


class Interrupted(ContactCentre):
    """A contact centre that is interrupted, as by Ctrl-C, as soon as it has been told where it is."""

    async def __aenter__(self) -> Self:
        entered = await super().__aenter__()
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        return entered


@pytest.mark.parametrize(("host", "is_open"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_a_testbed_that_others_can_reach_says_that_its_passwords_are_public(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, host: str, is_open: bool
) -> None:
    entry = SimpleNamespace(load=lambda: Interrupted)
    monkeypatch.setattr("antiphon.cli.commands.testbed.testbed_entry", lambda: entry)

    ended = cli("testbed", "--host", host, "--port", "0")

    assert (ended.code, "Ctrl-C ends it." in ended.out) == (0, True)
    if is_open:
        assert ended.err == (
            "warning: whoever can reach 0.0.0.0 can log in here: the users and passwords of the contact centre are "
            "public\nhint: leave out --host, and only this machine can\n"
        )
    else:
        assert ended.err == ""


# -- the process: signals, pipes, terminals, disks ---------------------------------------------------------------------


def start(
    *arguments: str, preexec_fn: Callable[[], None] | None = None, ignoring: str = "", **environment: str
) -> subprocess.Popen[str]:
    """The real command in a process of its own; from its start it ignores the signals named there, as in `INT HUP`."""
    shell = ["sh", "-c", f"trap '' {ignoring}; exec \"$@\"", "sh"] if ignoring else []
    return subprocess.Popen(
        [*shell, sys.executable, "-m", "antiphon", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=preexec_fn,
        # As Python knows it: GNU readline, if it is loaded, adds a COLUMNS of its own behind its back.
        env={**os.environ, **environment},
    )


def read_until(process: subprocess.Popen[str], part: str) -> str:
    """The output up to the first line that has this in it."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if part in line:
            return text
    raise AssertionError(f"{part!r} did not come: {text}{process.stderr.read() if process.stderr else ''}")


def finish(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=30)
    return Ended(process.returncode, out, err)


def test_the_console_script_is_there() -> None:
    script = Path(sys.executable).parent / "antiphon"

    shown = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)

    assert shown.stdout.startswith("antiphon ")


def test_the_demo_from_beginning_to_end(workplace: Path) -> None:
    ended = finish(start("demo"))

    assert ended.code == 0, ended
    assert ended.err == ""
    assert "\x1b" not in ended.out
    positions = [
        ended.out.index(part)
        for part in (
            "A contact centre starts in this process.",
            "outgoing(telephone='890000002'",
            "POST /login  200, ",
            "desk is open",
            "outbound_call('890000002')",
            '    → newOutInteraction  destination="890000002"',
            "    ← newWorkitemState  state=connected",
            "✓ outbound_call  ",
            "✓ hang_up  ",
            "desk is closed by us with 1000",
            "passed: outgoing in ",
            "recorded in runs/",
            "antiphon demo --copy-to my_calls",
        )
    ]
    assert positions == sorted(positions)
    assert (workplace / ended.directory / "journal.jsonl").is_file()
    assert (workplace / ended.directory / "received").is_dir()


SIGNALS = [
    ("", "TERM"),
    *[pytest.param("", name, marks=pytest.mark.slow) for name in ("INT", "HUP")],
    ("INT", "TERM"),  # what a shell's `&` does to a command
    pytest.param("INT", "HUP", marks=pytest.mark.slow),
    pytest.param("HUP", "INT", marks=pytest.mark.slow),
    pytest.param("HUP", "TERM", marks=pytest.mark.slow),  # nohup
    pytest.param("TERM", "INT", marks=pytest.mark.slow),
    pytest.param("TERM", "HUP", marks=pytest.mark.slow),
    pytest.param("INT HUP", "TERM", marks=pytest.mark.slow),
]
"""What a command ignores from its start, and what is sent to it then."""


def tell_to_end(process: subprocess.Popen[str], ignored: str, sent: str) -> int:
    """Send it what it ignores, and then what it does not; the number of that."""
    for name in (*ignored.split(), sent):
        process.send_signal(signal.Signals[f"SIG{name}"])
    return signal.Signals[f"SIG{sent}"]


@pytest.mark.parametrize(("ignored", "sent"), SIGNALS)
def test_a_run_that_is_told_to_end_ends_at_once_and_loses_nothing(
    ignored: str, sent: str, desk: Callable[..., Any], workplace: Path
) -> None:
    desk(friendly)
    process = start("run", "calls.py:long", "--seconds", "20", ignoring=ignored)
    shown = read_until(process, "wait(20")
    number = tell_to_end(process, ignored, sent)

    ended = finish(process)

    assert ended.code == 128 + number
    assert ended.err == ""
    assert "resultHello" in shown
    assert "\ninterrupted: long in " in ended.out
    entries = list(read_journal(workplace / ended.directory / "journal.jsonl"))
    assert entries[-1].verdict == "interrupted"


@pytest.mark.slow
def test_an_interrupted_run_does_not_wait_for_a_peer_that_says_nothing(desk: Callable[..., Any]) -> None:
    async def deaf(line: Any) -> None:
        await line.upgrade()
        await line.gone()

    desk(deaf)
    process = start("run", "calls.py:greeting")
    read_until(process, "→ hello")
    process.send_signal(signal.SIGINT)

    ended = finish(process)  # in less than the minute for which the actor would wait

    assert ended.code == 130
    assert ended.directory


@pytest.mark.slow
def test_a_reader_that_goes_away_does_not_end_the_run(desk: Callable[..., Any], workplace: Path) -> None:
    desk(friendly)
    process = start("run", "calls.py:long", "--seconds", "0.1")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None

    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")
    (directory,) = (workplace / "runs").iterdir()
    assert list(read_journal(directory / "journal.jsonl"))[-1].verdict == "passed"


@pytest.mark.slow
def test_a_reader_that_stands_still_does_not_hold_up_the_run(desk: Callable[..., Any]) -> None:
    peer = desk(talkative)
    process = start("run", "calls.py:greeting")

    peer.outcome()  # the run has said goodbye, and nothing of its output was read: more than a pipe holds

    ended = finish(process)
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.out) > 1.2 * 65536
    assert ended.out.count("← news") == 800


@pytest.mark.slow
def test_a_second_interrupt_ends_a_command_whose_reader_stands_still(desk: Callable[..., Any]) -> None:
    peer = desk(talkative)
    process = start("run", "calls.py:greeting")
    peer.outcome()

    for _ in range(20):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            break

    assert process.returncode == 130
    process.communicate()


@pytest.mark.slow
def test_output_in_another_encoding_is_readable(desk: Callable[..., Any]) -> None:
    desk(friendly)

    process = start("run", "calls.py:greeting", "--name", "née ☎", PYTHONIOENCODING="ascii")
    ended = finish(process)

    assert ended.code == 0, ended
    assert ended.out.isascii()
    assert '-> hello  name="n\\xe9e \\u260e"' in ended.out
    assert "ok greet" in ended.out


def on_a_terminal(*arguments: str, columns: int, **environment: str) -> tuple[int, str]:
    """The command's exit code, and what it writes to a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", **environment}
    command = [sys.executable, "-m", "antiphon", *arguments]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    written = b""
    try:
        while chunk := os.read(master, 65536):
            written += chunk
    except OSError as error:
        if error.errno != errno.EIO:  # this is how Linux says that nobody has the terminal any more
            raise
    finally:
        os.close(master)
    return process.wait(timeout=30), written.decode()


@pytest.mark.slow
def test_a_terminal_is_filled_but_not_overrun(desk: Callable[..., Any]) -> None:
    async def wordy(line: Any) -> None:
        await line.upgrade()
        many = "many words " * 60
        line.say("news", {"text": "日本語 [red]x[/red] \x1b[2J " * 30, "a": many, "b": many, "c": many})
        await friendly_after(line)

    desk(wordy)

    code, written = on_a_terminal("run", "calls.py:greeting", columns=80, NO_COLOR="1")

    assert code == 0
    assert "\x1b" not in written
    lines = written.splitlines()
    (news,) = [line for line in lines if "← news" in line]
    assert 78 <= cell_len(news) <= 80
    assert max(map(cell_len, lines)) <= 80


async def talkative(line: Any) -> None:
    """Says more than a pipe holds (64 KiB) when it is shown, before a friendly conversation."""
    await line.upgrade()
    for number in range(800):
        line.say("news", {"number": number, **dict.fromkeys("abc", "x" * 38)})
    await friendly_after(line)


async def friendly_after(line: Any) -> None:
    """The rest of a friendly conversation."""
    while True:
        opcode, payload = await line.hear_frame()
        if opcode == 0x8:
            line.say_close(1000)
            return
        if opcode == 0x1 and json.loads(payload)["action"] == "hello":
            line.say("resultHello", {"result": "success"})


@pytest.mark.slow
def test_a_terminal_is_coloured_and_nothing_else(desk: Callable[..., Any]) -> None:
    desk(friendly)

    code, written = on_a_terminal("run", "calls.py:greeting", columns=80)

    assert code == 0
    sequences = {piece.split("m", 1)[0] for piece in written.split("\x1b[")[1:]}
    assert sequences
    assert all(part.replace(";", "").isdigit() for part in sequences), "colours only, no movement of the cursor"


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_what_was_written_is_readable(desk: Callable[..., Any], workplace: Path) -> None:
    async def talkative(line: Any) -> None:
        await line.upgrade()
        for number in range(200):
            line.say("news", {"number": number, "text": "x" * 500})
        await friendly_after(line)

    desk(talkative)

    def limit_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    ended = finish(start("run", "calls.py:long", preexec_fn=limit_files, PYTHONDONTWRITEBYTECODE="1"))

    assert_is_clear(ended, 2, "cannot be written", "journal.jsonl", "hint: ")
    entries = list(read_journal(workplace / ended.directory / "journal.jsonl"))
    assert len(entries) > 10


def test_no_more_files_is_told_as_that_and_loses_nothing(desk: Callable[..., Any], write: Any, workplace: Path) -> None:
    desk(friendly)
    scenario = """
        import os
        from antiphon import ConnectFailed, scenario
        from calls import Operator

        @scenario
        async def greedy(operator: Operator):
            await operator.desk.close()
            taken = []
            try:
                while True:
                    taken.append(os.dup(0))
            except OSError:
                pass
            try:
                await operator.desk.open()
            finally:
                for file in taken:
                    os.close(file)
        """
    write("greedy.py", scenario)

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    ended = finish(start("run", "greedy.py:greedy", preexec_fn=few_files))

    assert ended.code == 2
    for part in ("this process may not open more files", "its limit is 64", "hint: raise the limit first: ulimit -n"):
        assert part in ended.err
    assert "bug" not in ended.err
    entries = list(read_journal(workplace / ended.directory / "journal.jsonl"))
    assert entries[-1].verdict == "error"
    assert "its limit is 64" in entries[-1].error


def test_no_files_to_the_very_end_are_told_with_limit_and_hint_wherever_they_lack(write: Any) -> None:
    scenario = """
        from antiphon import Actor, scenario

        KEPT = []

        class Party(Actor):
            pass

        @scenario
        async def greedy(party: Party):
            while True:
                KEPT.append(open("/dev/null"))
        """
    write("greedy.py", scenario)

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    ended = finish(start("run", "greedy.py:greedy", preexec_fn=few_files))

    assert ended.code == 2
    run, report = ended.err.split("the report 'trace' cannot be written")
    for told in (run, report):
        assert "its limit is 40" in told
        assert "hint: raise the limit first: ulimit -n" in told
    assert "internal error" not in ended.err
    assert "its limit is 40" in ended.out  # the live view has told it too


@pytest.mark.slow
@pytest.mark.parametrize(("ignored", "sent"), SIGNALS)
def test_the_testbed_runs_until_it_is_told_to_end(ignored: str, sent: str) -> None:
    process = start("testbed", "--port", "0", "--users", "12", "--seed", "7", ignoring=ignored)
    shown = read_until(process, "Ctrl-C ends it")
    address = shown.split("The contact centre is at ")[1].split(";")[0]

    with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
        assert answer.status == 200
    tell_to_end(process, ignored, sent)
    ended = finish(process)

    assert (ended.code, ended.err) == (0, "")
    assert shown.count("(password ") == 5
    assert "and 7 more" in shown
    # The example looks for it on port 8765.
    assert f'copy-to my_calls\n  in my_calls/antiphon.toml, of local: centre = "{address}"\n' in shown

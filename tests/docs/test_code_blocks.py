"""The code blocks of the pages work: Python is run, commands are run, settings are read.

The Python blocks of a page make up one file, whose scenarios are performed: on the page's own stands, if it has such a
block, else on the contact centre. A block of commands runs in a folder with the examples in it; of `make` only the
targets are looked up, for these tests run inside of one. A block without a language is something to look at. What
cannot be run has a comment before it, `<!-- not run: why -->`, and is in NOT_RUN below.
"""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import uvloop
from manual.blocks import BLOCK, BLOCKS, PAGES, Block, joined

import antiphon
from antiphon import Load, LoadInconclusive, OpeningRefused, Plan, Run, Stand, ThresholdCrossed, load_stand, perform
from antiphon.scenarios.scenario import load_file, scenarios_of
from antiphon.testing import VirtualTimeLoop, dialects

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CONNECTIONS = "docs/CONNECTIONS.md"
DIALECTS = "docs/DIALECTS.md"
LOAD = "docs/LOAD.md"
TYPED_MESSAGES = "docs/TYPED_MESSAGES.md"
WRITING_DIALECTS = "docs/WRITING_DIALECTS.md"
WRITING_SCENARIOS = "docs/WRITING_SCENARIOS.md"
COMMANDS = {"sh", "console"}
ELSEWHERE = ("docs/howto/", "docs/START.md", "docs/TESTBED.md", "docs/FROM_THE_TALK")
"""Pages whose Python other tests try."""
READERS: dict[str, Callable[[str], Any]] = {
    "ini": lambda text: configparser.ConfigParser().read_string(text),
    "json": json.loads,
    "toml": tomllib.loads,
}

NOT_RUN = {
    "docs/FROM_THE_TALK.md: workflow = [",
    "docs/FROM_THE_TALK.ru.md: workflow = [",
    "docs/START.md: python3 -m venv .venv",
    "README.md: @scenario",
    "README.md: antiphon testbed &",
    "docs/CONFORMANCE.md: pip install 'virtualenv<20.22'",
    "docs/LOAD_REPORT.md: antiphon show last",
    "docs/howto/ci.md: - run: pip install 'antiphon[pytest]'",
    "docs/howto/ci.md: calls:",
    "docs/howto/ci.md: sh '.venv/bin/pytest --junitxml reports/junit.xml'",
    "docs/REPORTS.md: ```mermaid",
    "docs/REPORTS.md: always { allure results: [[path: 'allure-results']] }",
    "docs/REPORTS.md: pipeline {",
    "docs/REPORTS.md: calls:",
    "docs/REPORTS.md: - run: antiphon run calls.py:outgoing --report summary",
}


def of_language(*languages: str) -> list[Block]:
    """The blocks that can be run."""
    return [block for block in BLOCKS if block.language in languages and block.reason is None]


# -- blocks of any kind -----------------------------------------------------------------------------------------------


def test_what_is_not_run_says_why_and_is_listed() -> None:
    assert {str(block) for block in BLOCKS if block.reason is not None} == NOT_RUN


def test_every_other_block_is_one_that_is_tried() -> None:
    tried = {"", "python", *COMMANDS, *READERS}
    assert [str(block) for block in BLOCKS if block.language not in tried and block.reason is None] == []


def test_no_fence_is_overlooked() -> None:
    for page in PAGES:
        rest = BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
        assert "```" not in rest, page
        assert "not run:" not in rest, page


@pytest.mark.parametrize("block", of_language(*READERS), ids=str)
def test_settings_can_be_read(block: Block) -> None:
    READERS[block.language](block.text)


# -- commands ---------------------------------------------------------------------------------------------------------


MADE = {
    "antiphon report last junit=reports/outgoing.xml": ["reports/outgoing.xml", "runs/*/run.har", "runs/*/junit.xml"],
    "antiphon run calls.py:outgoing --report allure=allure-results": ["allure-results/*-result.json"],
    "pytest --antiphon-report har --antiphon-report junit=reports/": ["reports/*.xml"],
}
"""What there must be after a block that ends with this line."""


FOLDERS = {"examples/new_project/README.md": "examples/new_project"}
"""Where a page's commands are run, if not among the scenarios of the contact centre."""


def is_quick(block: Block) -> bool:
    return all(line.startswith("make ") for line in block.text.splitlines())


FORGIVEN = {"antiphon diff": 1, "antiphon load": 5, "antiphon merge": 5}
"""How these may end: there is a difference; the machine is busy with tests, and a load's numbers may not be trusted."""


def script_of(block: Block) -> str:
    """The block as a script that stops at the first command that fails."""
    lines = [
        "set -e",
        f'make() {{ command make --no-print-directory --dry-run -C {shlex.quote(str(ROOT))} "$@"; }}',
    ]
    for line in block.text.replace("\\\n", " ").splitlines():
        code = next((code for command, code in FORGIVEN.items() if line.startswith(command)), None)
        lines.append(line if code is None or line.endswith("&") else f"{line} || [ $? = {code} ]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, marks=() if is_quick(block) else pytest.mark.slow)
        for block in of_language(*COMMANDS)
        if block.page not in ELSEWHERE
    ],
    ids=str,
)
def test_commands_run(block: Block, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", "runs"))
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "activate").write_text(f"PATH={shlex.quote(str(BIN))}:$PATH\n")
    folder = tmp_path if "examples/" in block.text else tmp_path / FOLDERS.get(block.page, "examples/contact_centre")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_", "MAKE"))}

    done = subprocess.run(
        ["bash", "-c", script_of(block)],
        cwd=folder,
        env={**ours, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout
    for made in MADE.get(block.text.splitlines()[-1], ()):
        assert list(folder.glob(made)), made


# -- Python -----------------------------------------------------------------------------------------------------------

CENTRE = '[stands.centre]\nstart = "antiphon_testbed:ContactCentre"\n'
"""Where the scenarios of a page play that names no stands."""

OF_PYTHON = [
    "README.md",
    CONNECTIONS,
    DIALECTS,
    LOAD,
    TYPED_MESSAGES,
    WRITING_DIALECTS,
    WRITING_SCENARIOS,
    "examples/own_dialect/README.md",
]
"""The pages with Python, each of which has a test below; other tests have the rest."""


@pytest.fixture
def stand_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stand]:
    """A stand of a page, by default its default, whose settings and users lie in the working directory."""

    def load(page: str, name: str | None = None) -> Stand:
        (tmp_path / "antiphon.toml").write_text(joined(page, "toml") or CENTRE, encoding="utf-8")
        (tmp_path / "users.csv").write_text("name,password\nalice,${ALICE_PASSWORD}\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ALICE_PASSWORD", "looking-glass")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        return load_stand(name)

    return load


@pytest.fixture
def performed(stand_of: Callable[..., Stand], tmp_path: Path) -> Callable[..., dict[str, Run]]:
    """Performs all scenarios of a page, which is loaded as one file."""

    def perform_all(page: str, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> dict[str, Run]:
        stand = stand_of(page)
        file = tmp_path / "from_a_page.py"
        file.write_text(joined(page, "python"), encoding="utf-8")
        runs = {}
        for name, scenario in scenarios_of(load_file(str(file))).items():
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runs[name] = runner.run(perform(scenario, stand=stand, runs=None))
        return runs

    return perform_all


def test_every_page_with_python_has_a_test() -> None:
    pages = {block.page for block in of_language("python") if not block.page.startswith(ELSEWHERE)}
    assert sorted(pages) == sorted(OF_PYTHON)


def test_the_readme_calls_a_customer(performed: Callable[..., dict[str, Run]]) -> None:
    (run,) = performed("README.md", asyncio.new_event_loop).values()
    assert run.scenario.name == "outgoing"
    assert run.returned["record"]["state"] == "finished"


def test_typed_messages_are_said_and_heard_at_the_contact_centre(performed: Callable[..., dict[str, Run]]) -> None:
    (run,) = performed(TYPED_MESSAGES, asyncio.new_event_loop).values()
    *news, name, ready = run.value
    assert (news, name, ready.state) == (["newAgentState", "agentCapacity"], run.operator.user.name, "ready")
    assert type(ready).__name__ == "NewAgentState"


def test_the_example_of_a_dialect_declares_an_actor(performed: Callable[..., dict[str, Run]]) -> None:
    assert performed("examples/own_dialect/README.md", asyncio.new_event_loop) == {}
    assert sys.modules["from_a_page"].Radio.set_volume(5).name == "set_volume"


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("name", "server", "listening", "told"),
    [
        ("first_ticks", "Ticker", {"address": "ws://127.0.0.1:0", "subprotocols": ["graphql-transport-ws"]}, [1, 2]),
        ("charge", "CentralSystem", {"address": "ws://127.0.0.1:0", "subprotocols": ["ocpp1.6"]}, 300),
        ("hover", "LanguageServer", {"address": "tcp://127.0.0.1:0"}, ["a word", [1]]),
        ("count_and_hear", "Store", {"address": "tcp://127.0.0.1:0"}, [1, "news", "all is well"]),
        ("publish_and_hear", "Broker", {"address": "tcp://127.0.0.1:0"}, {"state": "new"}),
        ("tell_a_queue", "Queue", {"address": "tcp://127.0.0.1:0"}, {"number": 1}),
        ("order_tea", "Shop", {"address": "tcp://127.0.0.1:0"}, {"@currency": "EUR", "#text": "4"}),
        ("add_a_user", "ChatRoom", {"address": "ws://127.0.0.1:0"}, [1, "alice", "photo.png", 4]),
    ],
)
def test_the_dialects_are_spoken_as_their_page_says(
    tmp_path: Path, loop_factory: Any, name: str, server: str, listening: dict[str, Any], told: Any
) -> None:
    file = tmp_path / "from_a_page.py"
    file.write_text(joined(DIALECTS, "python"), encoding="utf-8")
    module = load_file(str(file))

    async def main() -> Any:
        async with await antiphon.listen(accept=lambda _: getattr(module, server)(), **listening) as listener:
            users = [{"name": "alice", "password": "sesame"}]
            stand = Stand("page", {"server": listener.address}, users=users)
            run = await perform(getattr(module, name), stand=stand, runs=None)
            assert listener.failures == []
            return run.value

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main()) == told


@pytest.fixture
def ticker(tmp_path: Path) -> Any:
    """The dialect that its page writes."""
    file = tmp_path / "from_a_page.py"
    file.write_text(joined(WRITING_DIALECTS, "python"), encoding="utf-8")
    return load_file(str(file))


@pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
def test_the_dialect_of_its_page_keeps_the_contract(ticker: Any, check: Callable[[Any], None]) -> None:
    for speech in (ticker.SPEECH, ticker.SCRIPTED):
        if not dialects.missing(check, speech):
            check(speech)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("password", ["sesame", "open"])
def test_the_dialect_of_its_page_is_spoken_over_a_wire(ticker: Any, loop_factory: Any, password: str) -> None:
    async def main() -> Any:
        async with await antiphon.listen("tcp://127.0.0.1:0", lambda _: ticker.Publisher()) as server:
            stand = Stand("paper", {"paper": server.address}, users=[{"name": "alice", "password": password}])
            try:
                return (await perform(ticker.the_first_goal, stand=stand, runs=None)).value
            except OpeningRefused as refused:
                return refused.code
            finally:
                assert server.failures == []

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(main()) == ("1:0" if password == "sesame" else 5)


@pytest.mark.slow
def test_the_plan_of_a_load_is_performed(stand_of: Callable[..., Stand], tmp_path: Path) -> None:
    stand = stand_of(LOAD)
    file = tmp_path / "from_a_page.py"
    file.write_text(joined(LOAD, "python"), encoding="utf-8")
    module = load_file(str(file))
    loads = []

    def play_load(plan: Plan) -> Load:
        try:
            loads.append(antiphon.play_load(plan, stand=stand, runs=None))
        except (LoadInconclusive, ThresholdCrossed) as error:  # the machine is busy with tests
            loads.append(error.load)
        return loads[-1]

    module.test_a_busy_day(play_load)

    (load,) = loads
    assert load.figures.parts["on_hold"].failed == 0
    assert [each.threshold for each in load.figures.thresholds] == [str(each) for each in module.busy_day.thresholds]


def test_writing_scenarios_return_what_they_should(performed: Callable[..., dict[str, Run]]) -> None:
    runs = performed(WRITING_SCENARIOS, VirtualTimeLoop)
    assert {name: (run.value, round(run.duration_s, 1)) for name, run in runs.items()} == {
        "in_a_list": ([[[890000002, 7, None], [7, "accepted by alice", None], [None, None]]], 0.8),
        "in_plain_async": (890000002, 0.3),
        "on_time": (["accepted by alice", ["accepted by alice", None], [["accepted by alice", None]] * 3], 3.7),
        "timed": ([[None, 0.2]], 0.2),
        "judged": ([{"state": "finished", "talk_s": 3}, None, None], 0.0),
        "two_desks": (["alice", "bob"], 0.0),
    }


def test_its_stands_can_be_chosen(stand_of: Callable[..., Stand]) -> None:
    assert stand_of(WRITING_SCENARIOS).name == "local"
    staging = load_stand("staging")
    assert staging.addresses == {"centre": "https://staging.example"}
    assert (staging.within_s, staging.users_within_s) == (15, 20)
    assert staging.users.fields() == [{"name": "alice", "password": "looking-glass"}]


def test_the_settings_of_connections_are_those_of_a_stand(
    stand_of: Callable[..., Stand], tmp_path: Path, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    for there, here in {"ca.pem": "ca.pem", "tester.pem": "client.pem", "tester.key": "encrypted.key"}.items():
        shutil.copy(certificates / here, folder / there)
    monkeypatch.setenv("KEY_PASSWORD", "open sesame")
    stand = stand_of(CONNECTIONS, "staging")
    centre = stand.tls_for("wss://10.0.0.7:8443/desk")
    assert centre is not None
    assert (centre.server_name, Path(centre.certificate).name) == ("centre.internal", "tester.pem")
    records, legacy = stand.tls_for("https://records.example"), stand.tls_for("https://legacy.example:8443")
    assert records is not None
    assert legacy is not None
    assert (records.server_name, records.verify, legacy.verify) == ("", True, False)


def test_the_program_of_connections_is_that_of_a_stand(stand_of: Callable[..., Stand], tmp_path: Path) -> None:
    stand = stand_of(CONNECTIONS, "local")
    assert stand.resolve("{server}", {}) == "stdio:python -m pylsp"
    assert stand.transports["stdio"] == {"cwd": str(tmp_path / "workspace"), "env": {"LOG_LEVEL": "debug"}}


def test_all_settings_of_tls_are_on_the_page() -> None:
    page = (ROOT / CONNECTIONS).read_text(encoding="utf-8").partition("| `Tls(…)` |")[2].partition("\n\n")[0]
    told = {name for line in page.splitlines() for name in re.findall(r"`(\w+)`", line.partition(" | ")[0])}
    assert told == {field.name for field in fields(antiphon.Tls)} - {"place", "folder"}


def test_the_links_of_connections_can_be_declared(tmp_path: Path) -> None:
    file = tmp_path / "from_a_page.py"
    file.write_text(joined(CONNECTIONS, "python"), encoding="utf-8")
    assert load_file(str(file)).Operator.desk.address == "{centre}/desk"


def test_its_words_are_all_there() -> None:
    page = (ROOT / WRITING_SCENARIOS).read_text(encoding="utf-8")
    words = set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE))
    assert words == {"wait", "call", "together", "repeat", "at", "within", "signal", "await_signal", "send"}
    assert words <= set(antiphon.__all__)

"""The bench runs, and every client does the work that it is measured by. How fast is not for a test to say."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_CALLS = 19
MOST_BYTECODES = 715
MOST_CALLS_OF_RECORDING = 37
MOST_BYTECODES_OF_RECORDING = 1_435
MOST_CALLS_OF_A_RUN = 344
MOST_BYTECODES_OF_A_RUN = 7_560
LOADED = {"bare picows", "antiphon", "antiphon load", "websockets", "aiohttp"}
CLIENTS = LOADED | {"antiphon, journal on disk"}
MOST_BYTECODES_OF_MEASURING = 205
MOST_BYTECODES_OF_A_CONVERSATION_IN_A_LOAD = 10_540


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    done = bench("--quick", "--json", "--connections", "2", "--measure-s", "0.01", "--desks", "2")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.slow
def test_every_connection_of_every_client_goes_round(measured: dict[str, Any]) -> None:
    (table,) = measured["round_trips"]
    assert table["connections"] == 2
    assert set(table["readings"]) == CLIENTS
    for readings in table["readings"].values():
        for reading in readings:
            assert reading["least"] >= 1
            assert reading["round_trips"] >= 2
            assert reading["cpu_s"] > 0


@pytest.mark.slow
def test_a_round_trip_takes_no_more_of_the_interpreter_than_it_did(measured: dict[str, Any]) -> None:
    """The calls and bytecodes of antiphon's own code are exact: whoever makes them fewer lowers the numbers here."""
    counted = measured["counted"]
    assert 1 <= counted["calls"] <= MOST_CALLS
    if sys.version_info[:2] == (3, 11):  # each version has bytecodes of its own
        assert 1 <= counted["bytecodes"] <= MOST_BYTECODES


@pytest.mark.slow
def test_recording_a_round_trip_on_disk_takes_no_more_of_the_interpreter_than_it_did(measured: dict[str, Any]) -> None:
    """Six entries: a step and a wait, each at its beginning and end, and two messages."""
    recorded, counted = measured["counted_on_disk"], measured["counted"]
    assert 1 <= recorded["calls"] - counted["calls"] <= MOST_CALLS_OF_RECORDING
    if sys.version_info[:2] == (3, 11):
        assert 1 <= recorded["bytecodes"] - counted["bytecodes"] <= MOST_BYTECODES_OF_RECORDING


@pytest.mark.slow
def test_a_run_takes_no_more_of_the_interpreter_than_it_did(measured: dict[str, Any]) -> None:
    """Beside its messages, and also of the standard library, whose other versions take more or less of it."""
    counted = measured["counted_run"]
    assert counted["calls"] >= 1
    if sys.version_info[:2] == (3, 11):
        assert 1 <= counted["calls"] <= MOST_CALLS_OF_A_RUN
        assert 1 <= counted["bytecodes"] <= MOST_BYTECODES_OF_A_RUN


@pytest.mark.slow
def test_runs_and_silent_conversations_are_measured(measured: dict[str, Any]) -> None:
    assert set(measured["runs"]) == {"bare picows", "antiphon", "antiphon, in memory"}
    assert all(took_us > 0 for turns in measured["runs"].values() for took_us in turns)
    assert {client: [each["connections"] for each in found] for client, found in measured["idle"].items()} == {
        "bare picows": [20],
        "antiphon": [20],
    }


@pytest.mark.slow
def test_reactions_are_counted(measured: dict[str, Any]) -> None:
    assert set(measured["reactions"]["2"]) == {"bare picows", "antiphon"}
    for reaction in measured["reactions"]["2"].values():
        assert reaction["count"] >= 2
        assert 0 < reaction["p50_us"] <= reaction["p99_us"]


@pytest.mark.slow
def test_loads_are_measured_beside_what_else_makes_one(measured: dict[str, Any]) -> None:
    load = measured["load"]
    assert set(load["visits"]["readings"]) == set(load["live"]) == LOADED
    assert all(reading["round_trips"] >= 1 for readings in load["visits"]["readings"].values() for reading in readings)
    assert all(each["process_kib"] > 0 for (each,) in load["live"].values())
    assert set(load["reactions"]["2"]) == {"bare picows", "antiphon", "antiphon load"}
    assert load["notes"] == []


@pytest.mark.slow
def test_a_load_takes_no_more_of_the_interpreter_than_it_did(measured: dict[str, Any]) -> None:
    """To measure a round trip, and what a conversation without messages takes in a load."""
    counted = measured["load"]["counted"]
    assert counted["round_trip"]["bytecodes"] > counted["round_trip_of_perform"]["bytecodes"] > 0
    if sys.version_info[:2] == (3, 11):
        more = counted["round_trip"]["bytecodes"] - counted["round_trip_of_perform"]["bytecodes"]
        assert more <= MOST_BYTECODES_OF_MEASURING
        assert counted["conversation"]["bytecodes"] <= MOST_BYTECODES_OF_A_CONVERSATION_IN_A_LOAD


@pytest.mark.slow
def test_desks_have_no_errors(measured: dict[str, Any]) -> None:
    assert {side: (cost["desks"], cost["errors"]) for side, cost in measured["desks"].items()} == {
        "the centre": (2, 0),
        "the operators": (2, 0),
    }


@pytest.mark.slow
def test_a_load_is_looked_at_while_it_goes_on() -> None:
    """Far fewer messages than it is for: that what it counts is the same at the end is exact all the same."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.flat", "--json", "--messages", "500000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    flat = json.loads(done.stdout)
    assert [each["messages"] for each in flat["readings"]] == [50_000 * tenth for tenth in range(1, 11)]
    assert all(each["resident_kib"] > 0 and each["objects"] > 0 and each["cpu_us"] > 0 for each in flat["readings"])
    assert flat["first"]["bytecodes"] > 0
    assert flat["first"] == flat["last"]


def test_the_server_takes_no_request_that_was_not_earned(tmp_path: Path) -> None:
    """A client that does not carry the reply's id into its next request fails; it does not count faster."""
    cheat = tmp_path / "cheat.py"
    cheat.write_text(
        "import asyncio, msgspec\n"
        "from bench.clients import hand_written\n"
        "from bench.meter import Meter, Plan\n"
        "from bench.processes import peer\n"
        "real = msgspec.json.Encoder\n"
        "class Cheat:\n"
        "    def encode(self, said):\n"
        "        said['data']['workitemID'] = hand_written.FIRST_ID\n"
        "        return real().encode(said)\n"
        "hand_written.msgspec.json.Encoder = Cheat\n"
        "with peer() as address:\n"
        "    asyncio.run(hand_written.converse(address, Meter(Plan(1, 0.0, 60.0))))\n"
    )
    done = subprocess.run(
        [sys.executable, cheat], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "that is not the workitem you were given" in done.stderr


def test_the_conformance_suite_listens_on_loopback_only(tmp_path: Path) -> None:
    """The suite's command, with a suite that tells where it listens."""
    for file, text in {
        "twisted/__init__.py": "",
        "twisted/internet/__init__.py": "",
        "twisted/internet/reactor.py": """
def listenTCP(port, factory, backlog=50, interface=''):
    print(port, interface)
""",
        "autobahntestsuite/__init__.py": "",
        "autobahntestsuite/choosereactor.py": "",
        "autobahntestsuite/wstest.py": """
import sys
from twisted.internet import reactor

def run():
    print(sys.argv[1:])
    reactor.listenTCP(9001, None)
    reactor.listenTCP(9002, None, 50, "")
    reactor.listenTCP(9003, None, interface="0.0.0.0")
""",
    }.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = runpy.run_path(str(ROOT / "bench" / "autobahn.py"))["command"]
    run = command(str(Path(sys.executable).with_name("wstest")), "fuzzingserver", Path("spec.json"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert done.stdout.splitlines() == [
        "['--mode', 'fuzzingserver', '--spec', 'spec.json', '--webport', '0']",
        *(f"{port} 127.0.0.1" for port in (9001, 9002, 9003)),
    ]

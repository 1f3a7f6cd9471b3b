"""What `antiphon load` is told that cannot be, and what `antiphon run --again` has to ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from load_records import write_record

from antiphon.cli import main
from antiphon.cli.exit_codes import PASSED, USAGE
from antiphon.journal.figures import LoadStarted

SCENARIO = """
from antiphon import scenario


@scenario
async def entering(password: str, name: str = "alice") -> None:
    assert password == "looking-glass"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a scenario, and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "entering.py").write_text(SCENARIO)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--report", "junitx"], "there is no report 'junitx' of a load"),
        (["--table", "x"], "--table 'x' names no file and columns"),
        (["--baseline", "nowhere"], "no load can be read"),
        (["--stand", "nope"], "stand"),
        (["--keep", "some"], "--keep does not know 'some'"),
        (["--shard", "3/2"], "there is no share 3 of 2"),
        (["--processes", "0"], "--processes 0 is no number of processes"),
        (["--start-at", "25:99"], "--start-at 25:99 is no moment"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(
    options: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "entering.py:entering", "--password", "x", "--count", "1", *options]) == USAGE

    printed = capsys.readouterr()
    assert told in printed.err
    assert "recorded in" not in printed.out + printed.err
    assert not (place / "runs").exists()


def test_a_secret_that_is_not_recorded_has_to_be_given_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan: dict[str, Any] = {
        "parts": [{"name": "entering", "scenario": "entering", "scenario_place": "entering.py:5"}],
        "target": {
            "file": "entering.py",
            "name": "entering",
            "count": 1,
            "parameters": {"password": "***", "name": "bob"},
        },
    }
    of_machine = {"antiphon": "0.1", "python": "3.11", "machine": "x", "cpus": 1, "processes": 1, "shard": ""}
    started = LoadStarted(at_ns=0, plan=plan, stand="", seed=1, started_at="2026-11-27T09:00:00.000Z", **of_machine)
    write_record(place / "runs" / "busy", [started])
    again = ["run", "--again", "busy/entering-0", "--no-record", "--quiet"]

    assert main(again) == USAGE
    assert "--password" in capsys.readouterr().err
    assert main([*again, "--password", "looking-glass"]) == PASSED

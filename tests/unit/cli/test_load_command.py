"""`antiphon load`: what is told before anything begins, and a load from its beginning to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.cli import main
from antiphon.report.load.figures import read_figures

CALLS = """
from antiphon import Actor, Plan, WebSocket, part, scenario

class Nobody(Actor, user=False):
    pass

class Caller(Actor, user=False):
    line = WebSocket("ws://127.0.0.1:9/nobody")

@scenario
async def calling(caller: Caller) -> None: ...

@scenario
async def nothing(actor: Nobody, number: int = 3) -> None:
    assert number < 9, "too great"

@scenario
async def rated(actor: Nobody, rate: str = "") -> None: ...

few = Plan(part(nothing, count=2))
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("calls.py").write_text(CALLS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "which scenario or plan is meant?"),
        ("calls.py:nothing", "how much of nothing?"),
        ("calls.py:nobody", "there is no plan or scenario 'nobody'"),
        ("calls.py:nothing --rate 20", "in what time?"),
        ("calls.py:nothing --count 2 --numbr 3", "Unknown option: --numbr"),
        ("calls.py:rated --count 2", "--rate is an option of `antiphon load`"),
        ("calls.py:few --rate 2/s", "Unknown option: --rate"),
        ("calls.py:nothing --count 2 --processes many", "--processes many is no number of processes"),
        ("calls.py:nothing --count 2 --start-at yesterday", "--start-at yesterday is no moment"),
        ("calls.py:nothing --count 2 --start-at 2001-01-01", "--start-at 2001-01-01 has passed"),
        ("calls.py:nothing --count 2 --shard 3", "is no share of a load"),
        ("calls.py:nothing --count 2 --keep all", "--keep does not know 'all'"),
        ("calls.py:nothing --count 2 --no-record --keep slowest:1", "a report is made of what was recorded"),
        ("calls.py:nothing --count 2 --report pictures", "there is no report 'pictures'"),
        ("calls.py:nothing --count 2 --table calls.py/x.csv:number", "the table cannot be written: Not a directory"),
        ("calls.py:nothing --count 2 --table .:number", "the table cannot be written: Is a directory"),
        (
            "calls.py:nothing --count 2 --report junit=calls.py/x",
            "the report 'junit' cannot be written: Not a directory",
        ),
        ("--loud calls.py:nothing", "--loud comes before the scenario"),
    ],
)
def test_what_cannot_be_is_told_before_anything_begins(
    calls: Path, capsys: pytest.CaptureFixture[str], said: str, told: str
) -> None:
    assert main(["load", *said.split()]) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in calls.iterdir() if path.name != "__pycache__"] == ["calls.py"]


def test_help_names_the_options_and_the_scenarios_parameters(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "--help"]) == 0
    assert "--threshold" in capsys.readouterr().out
    assert main(["load", "calls.py:nothing", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--number" in shown
    assert "--rate" in shown
    assert main(["load", "calls.py:few", "--help"]) == 0
    assert "--rate" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "code", "word"), [pytest.param(3, 0, "PASSED, VALID", marks=pytest.mark.slow), (9, 4, "FAILED, VALID")]
)
def test_a_load_ends_with_what_came_of_it(
    calls: Path, capsys: pytest.CaptureFixture[str], number: int, code: int, word: str
) -> None:
    options = ["--count", "4", "--number", str(number), "--seed", "7", "--quiet", "--threshold", "late < 100%"]
    assert main(["load", "calls.py:nothing", *options]) == code
    said = capsys.readouterr()
    assert word in said.out, said
    (directory,) = calls.glob("runs/*")
    assert f"recorded in runs/{directory.name}" in said.out
    assert (directory / "load.html").is_file()


def test_a_load_of_a_system_that_is_not_there_crosses_a_threshold(
    calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--count", "4", "--quiet", "--threshold", "late < 100%", "--threshold", "errors == 0"]

    assert main(["load", "calls.py:calling", *options]) == 4

    (directory,) = calls.glob("runs/*")
    figures = read_figures(directory)
    assert [(each.error, each.count) for each in figures.causes] == [("ConnectFailed", 4)]
    assert "errors were 4" in capsys.readouterr().out


def test_the_end_compares_with_the_baseline(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--count", "4", "--number", "9", "--quiet", "--threshold", "late < 100%"]
    main(["load", "calls.py:nothing", *options, "--runs", "earlier"])
    (earlier,) = (calls / "earlier").iterdir()
    assert "baseline" not in capsys.readouterr().out

    assert main(["load", "calls.py:nothing", *options, "--baseline", str(earlier)]) == 4

    assert "beside the baseline" in capsys.readouterr().out

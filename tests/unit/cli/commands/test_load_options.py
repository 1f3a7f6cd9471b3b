"""What `antiphon load` is told that cannot be, and what `antiphon run --again` has to ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from load_records import write_record

from antiphon.cli import main
from antiphon.cli.exit_codes import FAILED, INCONCLUSIVE, PASSED, USAGE
from antiphon.journal.figures import ConversationKept, LoadStarted

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


SAFE = """
import msgspec
from antiphon import scenario

class Key(msgspec.Struct):
    name: str
    password: str

@scenario
async def opening(pin: int, codes: list[int] | None = None) -> None:
    assert pin == 4711

@scenario
async def unlocking(key: Key, at: str = "") -> None: ...
"""


def recorded(place: Path, part: str, *, target: dict[str, Any] | None = None, given: dict[str, Any]) -> list[str]:
    """The command that performs a conversation of a load once more that was given this, as it was recorded."""
    (place / "safe.py").write_text(SAFE)
    plan: dict[str, Any] = {"parts": [{"name": part, "scenario": part, "scenario_place": "safe.py:9"}]}
    if target is not None:
        plan["target"] = {"file": "safe.py", "name": part, "count": 1, "parameters": target}
    of_machine = {"antiphon": "0.1", "python": "3.11", "machine": "x", "cpus": 1, "processes": 1, "shard": ""}
    started = LoadStarted(at_ns=0, plan=plan, stand="", seed=1, started_at="2026-11-27T09:00:00.000Z", **of_machine)
    kept = ConversationKept(
        at_ns=5,
        conversation=f"{part}-0",
        part=part,
        number=0,
        why="sample",
        directory=f"conversations/{part}-0",
        due_ns=0,
        started_ns=0,
        took_us=5,
        parameters=given,
    )
    write_record(place / "runs" / "busy", [started, kept])
    return ["run", "--again", f"busy/{part}-0", "--no-record", "--quiet"]


@pytest.mark.parametrize("target", [{"pin": "***", "codes": ["***"]}, None], ids=["by command", "in code"])
def test_a_secret_that_is_no_text_has_to_be_given_again(
    place: Path, capsys: pytest.CaptureFixture[str], target: dict[str, Any] | None
) -> None:
    again = recorded(place, "opening", target=target, given={"pin": "***", "codes": "***"})

    assert main(again) == USAGE
    assert "--pin is missing" in capsys.readouterr().err
    assert main([*again, "--pin", "4711", "--codes", "1"]) == PASSED
    assert main([*again, "--pin", "4712", "--codes", "1"]) == FAILED


def test_a_secret_that_no_option_can_say_is_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = recorded(place, "unlocking", given={"key": {"name": "front", "password": "***"}})

    assert main(again) == USAGE

    told = capsys.readouterr().err
    assert "unlocking-0 was given a secret in key, which is not recorded, and no option can say a key" in told
    assert "perform it from Python: play(unlocking, key=…)" in told


def test_what_was_given_in_code_is_given_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = recorded(place, "unlocking", given={"key": {"name": "front", "password": ""}})

    assert main(again) == PASSED, capsys.readouterr().err


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


DRAWING = """
import itertools
from antiphon import Plan, feed, part, scenario

numbers = itertools.count(100)

@scenario
async def drawing(number: int, word: str = "", old: str = "of before") -> int:
    return number

drawn = Plan(part(drawing, users=1, count=3, number=feed(lambda: next(numbers)), word=feed("words.csv")))
counted = Plan(part(drawing, users=1, count=3, number=feed(lambda number: 7 * number), word=feed("words.csv")))
"""


@pytest.fixture
def drawn(place: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A load of three conversations that a function has given numbers, of which one was kept: 100, 101, 102."""
    (place / "drawing.py").write_text(DRAWING)
    (place / "words.csv").write_text("word\nred\ngreen\nblue\n")
    assert main(["load", "drawing.py:drawn", "--keep", "slowest:1", "--quiet"]) in {PASSED, INCONCLUSIVE}
    capsys.readouterr()
    (load,) = (place / "runs").iterdir()
    return load


def kept_in(load: Path) -> int:
    (kept,) = (load / "conversations").iterdir()
    return int(kept.name.removeprefix("drawing-"))


def test_one_that_was_kept_is_given_what_it_had_whatever_its_feeds_give_now(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (drawn.parents[1] / "words.csv").write_text("word\nother\n")
    number = kept_in(drawn)

    assert main(["run", "--again", f"last/drawing-{number}", "--no-record"]) == PASSED

    word = ["red", "green", "blue"][number]
    assert f"drawing(number={100 + number}, word='{word}', old='of before')" in capsys.readouterr().out


@pytest.mark.parametrize(
    "spelt", ["last/drawing-{}", "{}/conversations/drawing-{}", "{}/conversations/drawing-{}/trace.html"]
)
def test_last_is_the_last_load_whatever_was_run_since(drawn: Path, spelt: str) -> None:
    number = kept_in(drawn)
    meant = spelt.format(number) if spelt.startswith("last") else spelt.format(drawn, number)

    assert main(["run", "--again", meant, "--quiet"]) == PASSED
    assert main(["run", "--again", meant, "--quiet"]) == PASSED


def test_what_was_not_recorded_and_no_number_tells_is_said(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = (kept_in(drawn) + 1) % 3

    assert main(["run", "--again", f"last/drawing-{number}", "--no-record"]) == USAGE

    told = capsys.readouterr().err
    assert f"what drawing-{number} was given by <lambda> at " in told
    assert "conversations/ has those that were kept" in told


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("last/drawing-3", "there is no conversation drawing-3: 3 of drawing were to begin"),
        ("last/drawing-9999999999999999", "there is no conversation 'drawing-9999999999999999'"),
        ("last/drawing-²", "there is no conversation 'drawing-²'"),
        ("last/draw-1", "PART-NUMBER, of drawing"),
        ("last/drawing", "there is no conversation 'drawing'"),
        ("drawing-1", "--again LOAD/PART-NUMBER"),
        ("nosuch/drawing-1", "there is no run 'nosuch'"),
        ("ran/drawing-1", "this is a run of a scenario, and no load"),
    ],
)
def test_one_that_there_was_not_is_said(drawn: Path, capsys: pytest.CaptureFixture[str], named: str, told: str) -> None:
    assert main(["run", "drawing.py:drawing", "--number", "1", "--runs", "others", "--quiet"]) == PASSED
    next(Path("others").iterdir()).rename(Path("runs") / "ran")
    capsys.readouterr()

    assert main(["run", "--again", named, "--no-record", "--quiet"]) == USAGE

    error = capsys.readouterr().err
    assert told in error
    assert error.count("error:") == 1


def test_of_another_version_of_the_file_it_is_said_what_is_not_there_any_more(
    drawn: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = drawn.parents[1] / "drawing.py"
    file.write_text(DRAWING.replace(', old: str = "of before"', ""))
    again = ["run", "--again", f"last/drawing-{kept_in(drawn)}", "--no-record", "--quiet"]

    assert main(again) == USAGE
    assert "drawing has no parameter 'old' any more" in capsys.readouterr().err

    file.write_text(DRAWING.replace("drawn =", "drawn_otherwise ="))
    assert main(again) == USAGE
    assert "there is no plan or scenario 'drawn'" in capsys.readouterr().err


def test_a_function_that_takes_the_number_is_asked_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "drawing.py").write_text(DRAWING)
    (place / "words.csv").write_text("word\nred\n")
    assert main(["load", "drawing.py:counted", "--keep", "none", "--quiet"]) in {PASSED, INCONCLUSIVE}

    assert main(["run", "--again", "last/drawing-2", "--no-record"]) == PASSED

    assert "drawing(number=14, word='red', old='of before')" in capsys.readouterr().out

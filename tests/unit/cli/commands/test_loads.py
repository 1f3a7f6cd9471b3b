"""`antiphon show`, `report` and `runs` of loads, beside runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from load_records import LoadBook, write_record

from antiphon.cli import main
from antiphon.errors import RecordingError
from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.figures import LoadStarted
from antiphon.journal.file import JournalWriter
from antiphon.journal.load_file import LOAD_FILE_NAME
from antiphon.report.runs import find_run, find_runs, summary


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A directory with a run, a load that began later, and an earlier one."""
    home = tmp_path / "runs"
    LoadBook(seconds=10, seed=3).write(home / "earlier")
    run = home / "call"
    run.mkdir()
    writer = JournalWriter(run / "journal.jsonl")
    started: dict[str, Any] = {"scenario": "outgoing", "parameters": {}, "actors": {}, "stand": "local"}
    writer(RunStarted(at_ns=0, **started, started_at="2026-11-27T08:00:00Z", antiphon="0.1", python="3.11", pid=1))
    writer(RunEnded(at_ns=5, verdict="passed"))
    writer.close()
    first, *rest = LoadBook(seconds=10).entries()
    assert isinstance(first, LoadStarted)
    first.started_at = "2026-11-27T09:00:00.000Z"
    write_record(home / "busy", [first, *rest])
    return home


def test_the_last_is_a_load_if_that_began_last(runs: Path) -> None:
    assert [run.name for run in find_runs(runs, with_loads=True)] == ["busy", "call", "earlier"]
    assert [run.name for run in find_runs(runs)] == ["call"]
    assert find_run("last", runs, with_loads=True).name == "busy"
    assert find_run("last", runs).name == "call"
    assert find_run(str(runs / "busy" / LOAD_FILE_NAME), Path("elsewhere"), with_loads=True) == runs / "busy"


def test_a_load_is_no_run(runs: Path) -> None:
    with pytest.raises(RecordingError, match="this is a load, and no run of a scenario"):
        find_run(str(runs / "busy"), runs)
    with pytest.raises(RecordingError, match="there is no run 'busy'"):
        find_run("busy", runs)


def test_show_makes_the_loads_page(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--runs", str(runs), "--no-open"]) == 0
    assert capsys.readouterr().out.rstrip() == str(runs / "busy" / "load.html")
    assert "failed: busy_day · antiphon load" in (runs / "busy" / "load.html").read_text(encoding="utf-8")
    assert main(["show", "call", "--runs", str(runs), "--no-open"]) == 0
    assert capsys.readouterr().out.rstrip() == str(runs / "call" / "trace.html")


def test_show_puts_a_load_beside_an_earlier_one(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "both.html"
    assert main(["show", "busy", "--baseline", "earlier", "--to", str(page), "--runs", str(runs), "--no-open"]) == 0
    assert '"baseline":"earlier"' in page.read_text(encoding="utf-8")


def test_reports_of_a_load(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "last", "junit", "json", "--runs", str(runs), "--baseline", "earlier"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [f"junit: made of {runs / 'busy'}", f"json: made of {runs / 'busy'}"]
    assert (runs / "busy" / "junit.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert json.loads((runs / "busy" / "summary.json").read_text())["baseline"]["baseline"] == "earlier"


@pytest.mark.parametrize("command", [["show", "call", "--no-open"], ["report", "call", "junit"]])
def test_only_a_load_has_a_baseline(runs: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--runs", str(runs), "--baseline", "earlier"]) == 2
    assert "only a load has a baseline" in capsys.readouterr().err


def test_a_report_that_loads_do_not_have(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "busy", "har", "--runs", str(runs)]) == 2
    assert "there is html, json, csv, junit, summary, allure" in capsys.readouterr().err


def test_runs_lists_loads_too(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--runs", str(runs)]) == 0
    busy, call, _ = capsys.readouterr().out.splitlines()
    assert busy.split()[0] == "failed"
    assert "busy_day  local  20.000 s  " in busy
    assert " conversations, " in busy
    assert call.split()[0] == "passed"


def test_a_load_in_a_few_words(runs: Path) -> None:
    book = LoadBook(seconds=10)
    told = summary(runs / "busy")
    assert (told.verdict, told.is_red, told.duration_s) == ("failed", True, 20.0)
    assert told.conversations == sum(part.started for part in book.totals.values())
    entries = book.entries()
    killed = summary(write_record(runs / "killed", entries[:4]))
    assert (killed.verdict, killed.is_red, killed.conversations) == ("unfinished", True, 68)
    headless = summary(write_record(runs / "headless", entries[1:4]))
    assert (headless.scenario, headless.stand) == ("outgoing, long_case", "")
    os.utime(headless.directory / LOAD_FILE_NAME, (4e9, 4e9))
    assert find_runs(runs, with_loads=True)[0].name == "headless", "it is as old as its file"
    path = runs / "busy" / LOAD_FILE_NAME
    path.write_bytes(path.read_bytes() + b"{}\n")
    damaged = summary(runs / "busy")
    assert damaged.verdict == "unreadable"
    assert damaged.unreadable.startswith("line ")

"""`antiphon show` and `antiphon runs`: recorded runs found, listed and opened."""

from __future__ import annotations

import os
import re
import webbrowser
from pathlib import Path

import pytest

from antiphon.cli import main
from antiphon.journal import TestEnded
from antiphon.journal.file import FILE_NAME, JournalWriter

PLAIN = """
from antiphon import call, scenario

def refuse():
    assert 1 == 2, "sums"

@scenario
async def plain():
    '''Do nothing.'''

@scenario
def failing():
    return [call(refuse)]
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which one run has passed and the next has failed; the working directory is the one around it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls.py").write_text(PLAIN)
    assert main(["run", "calls.py:plain", "--quiet"]) == 0
    assert main(["run", "calls.py:failing", "--quiet"]) == 1
    return tmp_path / "runs"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to open."""
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) is None)
    return asked


def test_the_last_run_is_opened(runs: Path, browser: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["show"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.parent.name.endswith("-failing")
    assert browser == [path.absolute().as_uri()]


def test_a_run_is_found_by_a_part_of_its_name(
    runs: Path, browser: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (passed,) = runs.glob("*-plain")
    (passed / "trace.html").unlink()
    capsys.readouterr()
    assert main(["show", "plain", "--no-open"]) == 0
    assert capsys.readouterr().out.strip() == str(Path("runs") / passed.name / "trace.html")
    assert "plain" in (passed / "trace.html").read_text()
    assert main(["show", str(passed), "--no-open", "--to", "elsewhere.html"]) == 0
    assert Path("elsewhere.html").read_text() == (passed / "trace.html").read_text()
    assert browser == []


def test_where_no_browser_is(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _address: False)
    assert main(["show"]) == 0
    assert "no browser was found" in capsys.readouterr().err


def test_a_run_that_is_not_there(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["show", "nothing"]) == 2
    assert "there is no run 'nothing'" in capsys.readouterr().err
    assert main(["show", "--runs", "elsewhere"]) == 2
    assert "no run is recorded here" in capsys.readouterr().err


def test_runs_are_listed_with_their_verdicts(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["runs"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.match(
        r"(failed|error) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  failing  .*1 steps, 0 sent, 0 received.*-failing$", first
    )
    assert re.match(r"passed +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  plain ", second)
    assert main(["runs", "--failed"]) == 0
    assert capsys.readouterr().out.splitlines() == [first]
    assert main(["runs", "--limit", "1"]) == 0
    listed = capsys.readouterr()
    assert listed.out.splitlines() == [first]
    assert "and 1 older: --limit 2" in listed.err


def test_nothing_is_listed_where_nothing_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--runs", str(tmp_path / "nowhere")]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "no run is recorded in" in told.err


def test_a_run_of_a_test_is_listed_with_the_tests_outcome(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (failed,), (passed,) = runs.glob("*-failing"), runs.glob("*-plain")
    for directory, outcome in ((failed, "xfailed"), (passed, "failed")):
        writer = JournalWriter(directory / FILE_NAME, is_begun=True)
        writer(TestEnded(at_ns=1, test="test_a.py::test_b", outcome=outcome))
        writer.close()
    capsys.readouterr()
    assert main(["runs"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.search(r"^xfailed .* failing .*, the run itself: (failed|error) ", first)
    assert re.search(r"^failed .* plain .*, the run itself: passed ", second)
    assert main(["runs", "--failed"]) == 0
    (only,) = capsys.readouterr().out.splitlines()
    assert re.match("failed .* plain ", only)


def test_a_journal_of_another_version_is_listed_as_that(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (passed,) = runs.glob("*-plain")
    journal = passed / FILE_NAME
    first, *rest = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([first, '{"kind":"no-such-entry","at_ns":0}\n', *rest]))
    capsys.readouterr()
    assert main(["runs", "--failed"]) == 0
    other, _ = sorted(capsys.readouterr().out.splitlines(), reverse=True)
    assert re.match("unreadable .* plain .*, line 2 is of another version, or damaged  ", other)
    assert "unfinished" not in other


def test_a_pipe_is_no_recorded_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "pipe").mkdir()
    os.mkfifo(runs / "pipe" / FILE_NAME)
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2

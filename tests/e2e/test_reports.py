"""Reports of real calls: through `antiphon run`, afterwards, in pytest beside allure-pytest; and two runs compared."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from antiphon import Actor, RecordingError, ScenarioError, Stand, action, play, scenario
from antiphon.cli import main
from antiphon.journal import recording

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "contact_centre"
NAMES = ("junit", "allure", "summary", "mermaid", "har")


@pytest.fixture(autouse=True)
def outside_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def call(runs: Path, *options: str) -> int:
    """Play the example's outgoing call."""
    return main(
        ["run", f"{EXAMPLE / 'calls.py'}:outgoing", "--talk-s", "0.1", "--quiet", "--runs", str(runs), *options]
    )


def steps(item: dict[str, Any]) -> list[str]:
    return [step["name"] for step in item.get("steps", [])]


def test_every_report_of_a_failed_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = [part for name in NAMES for part in ("--report", name)]
    assert call(tmp_path, "--telephone", "busy", *reports, "--report", f"junit={tmp_path}/shared/") == 1
    (run,) = (path for path in tmp_path.iterdir() if path.name != "shared")
    junit = etree.parse(run / "junit.xml").getroot()
    assert "refused startNewOutInteraction" in junit.find("testsuite/testcase/failure").get("message")
    assert [path.name for path in (tmp_path / "shared").iterdir()] == [f"junit-{run.name}.xml"]
    (result,) = (json.loads(path.read_text()) for path in (run / "allure-results").glob("*-result.json"))
    assert result["status"] == "failed"
    assert [name.partition("(")[0] for name in steps(result)][-1] == "outbound_call"
    names = [found["name"].rpartition(" ")[2] for found in result["steps"][-1]["attachments"]]
    assert names[0] == "newOutInteraction"
    assert names[-1] == "resultStartNewOutInteraction"
    assert result["attachments"][-1]["name"] == "trace.html"
    archive = json.loads((run / "run.har").read_text())["log"]["entries"]
    assert {entry["_resourceType"] for entry in archive} == {"fetch", "websocket"}
    assert "outbound_call" in (run / "summary.md").read_text().replace("&#95;", "_")
    assert (run / "conversation.mmd").read_text().startswith("sequenceDiagram")
    for made in (path for path in run.rglob("*") if path.is_file()):
        assert b"looking-glass" not in made.read_bytes()


def test_reports_of_a_run_that_was_recorded_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path) == 0
    (run,) = tmp_path.iterdir()
    journal = run / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:3000])  # as if it had been killed
    assert main(["report", "last", *NAMES, f"har={tmp_path}/x.har", "--runs", str(tmp_path)]) == 0
    assert "its journal has no end" in (run / "junit.xml").read_text()
    assert (run / "summary.md").is_file()
    assert (tmp_path / "x.har").read_text() == (run / "run.har").read_text()
    capsys.readouterr()
    assert main(["report", "last", "--runs", str(tmp_path)]) == 2
    assert "which report is meant?" in capsys.readouterr().err


def test_a_report_that_does_not_exist_is_told_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path, "--report", "nope") == 2
    assert "there is no report 'nope'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert call(tmp_path, "--report", "junit", "--no-record") == 2
    assert "--no-record" in capsys.readouterr().err


@pytest.mark.slow
def test_two_calls_differ_by_what_is_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, telephone in (("a", "890000002"), ("b", "890000002"), ("c", "busy")):
        call(tmp_path / name, "--telephone", telephone)
    first, same, other = (str(next((tmp_path / name).iterdir())) for name in "abc")
    capsys.readouterr()
    assert main(["diff", first, same, "--no-timings"]) == 0
    assert "no difference" in capsys.readouterr().out
    assert main(["diff", first, other, "--json"]) == 1
    difference = json.loads(capsys.readouterr().out)
    assert (difference["before"], difference["after"]) == ("passed", "failed")
    assert ("missing", "hangUp") in {(change["kind"], change["name"]) for change in difference["messages"]}
    changed = {(change["name"], change["path"]): change for change in difference["fields"]}
    assert changed["newOutInteraction", "data.destination"]["after"] == "'busy'"
    assert not any("ID" in path and change["kind"] in ("value", "id") for (_, path), change in changed.items())
    assert main(["diff", first, "nowhere", "--runs", str(tmp_path)]) == 2
    assert "no run is recorded here" in capsys.readouterr().err


# -- under pytest -----------------------------------------------------------------------------------------------------

TESTS = """
    import allure
    import calls
    import pytest
    from antiphon import RequestRefused

    @pytest.fixture
    def prepared():
        yield

    def test_outgoing(prepared, play):
        with allure.step("by hand"):
            play(calls.outgoing, talk_s=0.1)

    def test_busy(play):
        play(calls.outgoing, telephone="busy")

    def test_unrecorded(play):
        play(calls.outgoing, talk_s=0.1, runs=None)
"""


@pytest.fixture
def run_tests(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Runs tests beside the example's scenarios, in this process."""
    for name in ("calls.py", "desk.py", "antiphon.toml"):
        shutil.copy(EXAMPLE / name, pytester.path)
    for more in EXAMPLE.glob("[!t]*.py"):
        shutil.copy(more, pytester.path)
    pytester.makeini(
        "[pytest]\npythonpath = .\nasyncio_default_fixture_loop_scope = function\nantiphon_reports =\n    junit=xml"
    )
    pytester.makepyfile(test_calls=TESTS)
    return lambda *options: pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options
    )


@pytest.mark.slow
def test_steps_are_nested_in_what_allure_pytest_records(
    run_tests: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    run_tests("--alluredir", "results", "--antiphon-report", "summary").assert_outcomes(passed=2, failed=1)
    folder = pytester.path / "results"
    found = {
        result["name"]: result for path in folder.glob("*-result.json") for result in [json.loads(path.read_text())]
    }
    assert steps(found["test_outgoing"]) == ["by hand"]
    (run,) = found["test_outgoing"]["steps"][0]["steps"]
    assert run["name"].startswith("outgoing(telephone='890000002'")
    assert "outbound_call('890000002')" in steps(run)
    assert found["test_outgoing"]["start"] <= run["start"] <= run["stop"] <= found["test_outgoing"]["stop"]
    (dial,) = (step for step in run["steps"] if step["name"].startswith("outbound_call"))
    assert dial["stop"] - dial["start"] >= 100, "the time that it took, and not that of the telling"
    message = next(attached for attached in dial["attachments"] if attached["name"].endswith("→ acceptRtc"))
    assert json.loads((folder / message["source"]).read_text())["action"] == "acceptRtc"
    (busy,) = found["test_busy"]["steps"]
    assert busy["status"] == "failed"
    assert "refused startNewOutInteraction" in busy["statusDetails"]["message"]
    assert steps(busy)[-1] == "outbound_call('busy')"
    assert steps(found["test_unrecorded"]["steps"][0])[-1].startswith("call(")
    runs = sorted((pytester.path / "runs").iterdir())
    assert [(run / "summary.md").is_file() for run in runs] == [True, True]
    assert {path.name for path in (pytester.path / "xml").iterdir()} == {f"junit-{run.name}.xml" for run in runs}


def test_a_report_that_does_not_exist_is_told_before_the_first_test(
    run_tests: Callable[..., pytest.RunResult], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_tests("--antiphon-report", "nope").ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no report 'nope'" in capfd.readouterr().err


def test_without_an_allure_directory_nothing_is_recorded_for_it(
    run_tests: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    run_tests("-k", "outgoing").assert_outcomes(passed=1)
    assert not list(pytester.path.rglob("*-result.json"))


# -- when a report cannot be written ----------------------------------------------------------------------------------


class Idler(Actor):
    @action
    async def stumble(self) -> None:
        raise LookupError("there is nothing here")


@scenario
def idle(idler: Idler, stumbles: bool = False) -> Any:
    return [Idler.stumble()] if stumbles else []


def test_a_report_that_cannot_be_written_is_told_and_hides_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unwritable = f"junit={tmp_path}/file/x.xml"
    with pytest.raises(RecordingError, match="the report 'junit' cannot be written"):
        play(idle, stand=Stand("s", {}), runs=tmp_path / "a", reports=[unwritable, "summary"])
    (run,) = (tmp_path / "a").iterdir()
    assert (run / "summary.md").is_file(), "the other one is made all the same"
    with pytest.raises(LookupError) as raised:
        play(idle, stand=Stand("s", {}), runs=tmp_path / "b", reports=[unwritable], stumbles=True)
    assert any("the report 'junit' cannot be written" in note for note in raised.value.__notes__)


def test_the_command_line_tells_of_a_report_beside_the_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert call(tmp_path / "a", "--telephone", "busy", "--report", f"junit={tmp_path}/file/x.xml") == 1
    told = capsys.readouterr().err
    assert "refused startNewOutInteraction" in told
    assert "error: the report 'junit' cannot be written" in told
    assert call(tmp_path / "b", "--report", f"junit={tmp_path}/file/x.xml") == 2


def test_a_report_whose_library_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    recording._load_report.cache_clear()
    monkeypatch.delitem(sys.modules, "antiphon.report.formats.allure")
    monkeypatch.delitem(sys.modules, "antiphon.report.formats.allure_tree")
    monkeypatch.setitem(sys.modules, "allure_commons", None)
    with pytest.raises(ScenarioError, match=r"cannot be loaded[^$]*pip install 'antiphon\[allure\]'"):
        recording.load_reports(["allure"])

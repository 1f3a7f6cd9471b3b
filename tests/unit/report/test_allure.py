"""The report "allure": a run as Allure 2 results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.journal.recording import make_report

Record = Callable[..., Path]


def results(directory: Path) -> tuple[dict[str, Any], dict[str, Any], Path]:
    """The one result there, its container, and the folder."""
    folder = directory / "allure-results"
    (result,) = folder.glob("*-result.json")
    (container,) = folder.glob("*-container.json")
    return json.loads(result.read_text()), json.loads(container.read_text()), folder


def names(item: dict[str, Any]) -> list[str]:
    return [attached["name"] for attached in item.get("attachments", [])]


def test_steps_are_nested_with_their_messages_parameters_and_times(record: Record, call: list[Any]) -> None:
    directory = record(call)
    make_report(directory, "allure")
    result, container, folder = results(directory)
    assert result["name"] == "outgoing(telephone='890000002')"
    assert (result["status"], result["stage"]) == ("failed", "finished")
    assert result["stop"] - result["start"] == 13
    assert result["start"] == 1_795_333_304_123, "the journal's moment in milliseconds since 1970"
    assert names(result) == ["0.001 s  ⇄ POST http://centre/login 200", "0.003 s  ← connectionStatus"]
    (outer,) = result["steps"]
    assert outer["name"] == "outbound_call('890000002', tries=2)"
    assert outer["parameters"] == [{"name": "1", "value": "'890000002'"}, {"name": "tries", "value": "2"}]
    assert names(outer) == ["0.005 s  → newOutInteraction", "0.006 s  ← resultNewOutInteraction"]
    assert (outer["status"], outer["start"] - result["start"], outer["stop"] - outer["start"]) == ("failed", 4, 6)
    assert outer["statusDetails"]["message"].startswith("DeadlinePassed: DeadlinePassed: operator.desk waited 10 s")
    (inner,) = outer["steps"]
    assert (inner["name"], inner["status"], names(inner)) == ("answer()", "passed", ["0.008 s  ← newRtc"])
    assert result["statusDetails"]["message"] == "DeadlinePassed: operator.desk waited 10 s for newWorkitemState"
    assert result["statusDetails"]["trace"].endswith("at desk.py:9")
    assert container["children"] == [result["uuid"]]
    attached = outer["attachments"][0]
    assert attached["type"] == "application/json"
    assert json.loads((folder / attached["source"]).read_text())["data"] == {"destination": "890000002"}


def test_a_history_is_that_of_the_same_parameters(record: Record, telling: Any) -> None:
    found = []
    for number, telephone in enumerate(("1", "1", "2")):
        directory = record(telling(telephone=telephone).finish(), f"run{number}")
        make_report(directory, "allure")
        result = results(directory)[0]
        labels = {label["name"]: label["value"] for label in result["labels"]}
        assert labels | {"suite": "outgoing", "framework": "antiphon", "language": "python", "tag": "local"} == labels
        found.append((result["historyId"], result["testCaseId"]))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert found[0][1] == found[2][1]


@pytest.mark.parametrize(
    ("verdict", "status"), [("passed", "passed"), ("failed", "failed"), ("error", "broken"), ("interrupted", "broken")]
)
def test_verdicts(record: Record, telling: Any, verdict: str, status: str) -> None:
    directory = record(telling().finish(verdict, "" if verdict == "passed" else "Trouble: it is"))
    make_report(directory, "allure")
    assert results(directory)[0]["status"] == status


def test_what_was_under_way_when_a_run_was_killed_is_broken(record: Record, call: list[Any]) -> None:
    directory = record(call[:6])
    make_report(directory, "allure")
    result, _, _ = results(directory)
    (step,) = result["steps"]
    assert result["status"] == step["status"] == "broken"
    assert "no end" in result["statusDetails"]["message"]
    assert names(step) == ["0.005 s  → newOutInteraction"]


def test_the_trace_is_attached_if_it_is_there(record: Record, call: list[Any]) -> None:
    directory = record(call)
    (directory / "trace.html").write_text("<html>the trace")
    make_report(directory, "allure")
    result, _, folder = results(directory)
    trace = result["attachments"][-1]
    assert (trace["name"], trace["type"]) == ("trace.html", "text/html")
    assert (folder / trace["source"]).read_text() == "<html>the trace"


def test_runs_may_share_a_folder(record: Record, call: list[Any], tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_report(record(call, name), f"allure={tmp_path / 'all'}")
    assert len(list((tmp_path / "all").glob("*-result.json"))) == 2


def test_hostile_content_stays_in_its_folder(record: Record, hostile: list[Any]) -> None:
    directory = record(hostile)
    before = {path for path in directory.parent.rglob("*") if path.is_file()}
    make_report(directory, "allure")
    result, _, folder = results(directory)
    made = {path for path in directory.parent.rglob("*") if path.is_file()} - before
    assert {path.parent for path in made} == {folder}
    assert all(path.stat().st_size < 1_100_000 for path in made), "what is long is cut, with a note"
    steps = result["steps"]
    assert [step["status"] for step in steps] == ["failed", "skipped"]
    assert steps[1]["parameters"] == [{"name": "1", "value": "not python ("}]
    (binary,) = [found for found in names(steps[1]) + names(result) if "← end" in found]
    assert "\x00" not in json.dumps(result) + binary
    huge = next(found for found in result["attachments"] + steps[1]["attachments"] if "← huge" in found["name"])
    assert "more bytes are in the journal" in (folder / huge["source"]).read_text()[-60:]


def test_a_long_step_shows_its_beginning_and_its_end(record: Record, telling: Any) -> None:
    told = telling().open()
    step = told.begin("work")
    for number in range(1_000):
        told.say(f"m{number}", is_sent=True, step=step)
    directory = record(told.end(step).finish())
    make_report(directory, "allure")
    result, _, folder = results(directory)
    attached = result["steps"][0]["attachments"]
    assert len(attached) == 250 + 1 + 250
    assert attached[249]["name"].endswith("→ m249")
    assert (folder / attached[250]["source"]).read_text() == "500 more messages are in the journal\n"
    assert attached[-1]["name"].endswith("→ m999")


def test_a_run_of_many_messages_is_not_as_many_files(
    record: Record, long_run: Callable[[int], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.report.formats.allure_tree.MOST_ATTACHMENTS", 250)
    directory = record(long_run(1_000))
    make_report(directory, "allure")
    result, _, folder = results(directory)
    assert [len(step["attachments"]) for step in result["steps"]] == [100, 100, *[1] * 8]
    (bundle,) = result["steps"][-1]["attachments"]
    assert bundle["name"] == "100 messages"
    assert (folder / bundle["source"]).read_text().count("→ hold") == 50

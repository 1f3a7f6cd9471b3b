"""A load as Allure results: a result for each part and each threshold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from antiphon.report.load.allure import write_results
from antiphon.report.load.summary import LoadSummary


def results(summary: LoadSummary, directory: Path) -> dict[str, Any]:
    """The results by name."""
    write_results(summary, directory, directory / "allure-results")
    found = [json.loads(path.read_text()) for path in (directory / "allure-results").glob("*-result.json")]
    return {result["name"]: result for result in found}


def test_parts_and_thresholds(good: LoadSummary, tmp_path: Path) -> None:
    told = results(good, tmp_path)
    assert told.keys() == {"outgoing", "long_case", *(judged.threshold for judged in good.thresholds)}
    assert {result["status"] for result in told.values()} == {"passed"}
    outgoing = told["outgoing"]
    assert [step["name"] for step in outgoing["steps"]][:2] == ["connect operator.desk", "log_in"]
    assert {each["name"] for each in outgoing["steps"][0]["parameters"]} >= {"count", "errors", "p95"}
    assert outgoing["stop"] - outgoing["start"] == 70_000
    assert "conversations, 20.0/s" in outgoing["statusDetails"]["message"]
    (attachment,) = outgoing["attachments"]
    text = (tmp_path / "allure-results" / attachment["source"]).read_text(encoding="utf-8")
    assert text.startswith("PASSED, VALID: busy_day")
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "allure-results").iterdir()}
    assert modes == {0o600}


def test_what_was_crossed_has_failed(good: LoadSummary, tmp_path: Path) -> None:
    judged = msgspec.structs.replace(good.thresholds[0], has_passed=False)
    told = results(msgspec.structs.replace(good, verdict="failed", thresholds=[judged]), tmp_path)
    assert told[judged.threshold]["status"] == "failed"
    assert told["outgoing"]["status"] == "failed"
    assert told["long_case"]["status"] == "passed"
    assert "× DeadlinePassed: waited 5 s" in told["outgoing"]["statusDetails"]["trace"]


def test_doubtful_numbers_are_the_tests_own_defect(summary: LoadSummary, tmp_path: Path) -> None:
    told = results(summary, tmp_path)
    assert {result["status"] for result in told.values()} == {"broken"}
    assert told["errors < 1%"]["statusDetails"]["message"].startswith("INCONCLUSIVE: ")


def test_the_history_is_that_of_the_same_name_on_the_same_stand(good: LoadSummary, tmp_path: Path) -> None:
    first = results(good, tmp_path / "a")
    again = results(msgspec.structs.replace(good, started_at="not told", duration_s=1.0), tmp_path / "b")
    elsewhere = results(msgspec.structs.replace(good, stand="other"), tmp_path / "c")
    assert again["outgoing"]["historyId"] == first["outgoing"]["historyId"] != elsewhere["outgoing"]["historyId"]
    assert again["outgoing"]["stop"] == 1_000, "since 1970, for nobody knows when it was"
    assert len({result["historyId"] for result in first.values()}) == len(first)

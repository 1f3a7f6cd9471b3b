"""A load as JUnit XML: what a CI server makes of it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from antiphon.report.load.junit import write_junit
from antiphon.report.load.summary import LoadSummary

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "schemas" / "junit-10.xsd"))


def junit(summary: LoadSummary) -> etree._Element:
    """The suite, from XML that is valid."""
    file = StringIO()
    write_junit(summary, file, Path("runs/7"))
    document = etree.fromstring(file.getvalue().encode())
    SCHEMA.assertValid(document)
    (suite,) = document
    return suite


def outcomes(suite: etree._Element) -> dict[str, str]:
    return {case.get("name"): case[0].tag if len(case) else "passed" for case in suite.iter("testcase")}


def test_thresholds_and_causes_are_testcases(summary: LoadSummary) -> None:
    suite = junit(summary)
    told = outcomes(suite)
    assert len(told) == 1 + 3 + 3
    assert told["errors < 1%"] == "failure"
    assert told["outgoing/hang_up p50 < 20ms"] == "passed"
    assert told["RequestRefused in outbound_call: the centre refused startNewOutInteraction: busy"] == "failure"
    assert told["the numbers may be trusted"] == "error"
    counts = [suite.get(count) for count in ("tests", "failures", "errors", "skipped")]
    assert counts == ["7", "4", "1", "0"]
    assert (suite.get("name"), suite.get("timestamp")) == ("busy_day", "2026-11-27T07:00:00.000Z")
    assert {case.get("classname") for case in suite.iter("testcase")} == {
        *("antiphon.busy_day.load", "antiphon.busy_day.thresholds", "antiphon.busy_day.outgoing.causes")
    }


def test_a_cause_has_how_often_an_example_and_where_it_was_kept(summary: LoadSummary) -> None:
    cause = summary.causes[0]
    failure = junit(summary).find("testcase[5]/failure")
    assert failure.get("type") == "DeadlinePassed"
    assert failure.get("message").startswith(f"{cause.count} conversations failed so, ")
    assert "in the step outbound_call('890000002')" in failure.text
    assert f"kept: {cause.kept[0].directory}" in failure.text
    assert "\\u202e\\x00\\x1b[31m" in failure.text


def test_where_the_load_passed_its_failures_are_allowed_for(good: LoadSummary) -> None:
    suite = junit(good)
    assert set(outcomes(suite).values()) == {"passed", "skipped"}
    assert [suite.get(count) for count in ("failures", "errors")] == ["0", "0"]
    assert "PASSED, VALID" in suite.find("system-out").text


@pytest.mark.parametrize("verdict", ["interrupted", "unfinished"])
def test_a_load_without_a_verdict_of_its_own_is_an_error(good: LoadSummary, verdict: str) -> None:
    suite = junit(msgspec.structs.replace(good, verdict=verdict, started_at=""))
    assert outcomes(suite)["the numbers may be trusted"] == "error"
    assert suite.get("timestamp") is None


def test_a_threshold_that_ended_the_load_says_so(good: LoadSummary) -> None:
    judged = msgspec.structs.replace(good.thresholds[0], has_passed=False, ended_the_load=True)
    message = junit(msgspec.structs.replace(good, thresholds=[judged])).find("testcase/failure").get("message")
    assert message.endswith(", and ended the load")

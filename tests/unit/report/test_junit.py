"""The report "junit": what a CI server makes of a run."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from antiphon.journal import RunStarted, TestEnded
from antiphon.report.formats.junit import write_junit

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("schemas") / "junit-10.xsd"))


def junit(entries: Any) -> etree._Element:
    """The suite of these entries, from XML that is valid."""
    file = StringIO()
    write_junit(iter(entries), file, Path("runs/7"))
    document = etree.fromstring(file.getvalue().encode(), etree.XMLParser(huge_tree=True))
    SCHEMA.assertValid(document)
    (suite,) = document
    return suite


def properties(suite: etree._Element) -> dict[str, str]:
    return {found.get("name"): found.get("value") for found in suite.iter("property")}


def test_a_failed_run_is_a_failure_with_its_text_and_the_conversation(call: list[Any]) -> None:
    suite = junit(call)
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) == (
        "outgoing",
        "1",
        "1",
        "0",
    )
    assert suite.get("timestamp") == "2026-11-22T07:41:44.123Z"
    (case,) = suite.iter("testcase")
    assert case.get("name") == "outgoing(telephone='890000002')"
    assert case.get("classname") == "antiphon.outgoing"
    assert case.get("time") == suite.get("time") == "0.013"
    failure, output = case
    assert failure.tag == "failure"
    assert failure.get("type") == "DeadlinePassed"
    assert failure.get("message") == "DeadlinePassed: operator.desk waited 10 s for newWorkitemState"
    assert failure.text.endswith("\n  at desk.py:9")
    assert "→ newOutInteraction" in output.text
    assert "← newRtc  offer" in output.text
    assert properties(suite)["parameter.telephone"] == "890000002"
    assert properties(suite) | {"run": "runs/7", "stand": "local", "actors": "operator"} == properties(suite)


def test_a_failure_that_its_test_is_marked_for_is_skipped(call: list[Any]) -> None:
    suite = junit([*call, TestEnded(at_ns=1, test="test_a.py::test_b", outcome="xfailed")])
    assert [suite.get(count) for count in ("failures", "errors", "skipped")] == ["0", "0", "1"]
    (case,) = suite.iter("testcase")
    skipped, output = case
    assert (skipped.tag, skipped.get("message")) == ("skipped", "xfailed (the run itself: failed)")
    assert output.text.startswith("the run itself: failed; its test is marked to fail (xfailed)\nDeadlinePassed: ")
    of_test = {"test": "test_a.py::test_b", "test.outcome": "xfailed", "run.verdict": "failed"}
    assert properties(suite) | of_test == properties(suite)


def test_a_run_whose_test_failed_is_a_failure(telling: Any) -> None:
    ended = TestEnded(at_ns=1, test="test_a.py::test_b", outcome="failed")
    suite = junit([*telling().say("hello").finish(), ended])
    assert [suite.get(count) for count in ("failures", "errors", "skipped")] == ["1", "0", "0"]
    (failure,) = suite.iter("failure")
    assert failure.text == "the run passed, and its test failed: test_a.py::test_b"


def test_a_run_that_passed_has_neither_failure_nor_error(telling: Any) -> None:
    suite = junit(telling().say("hello").finish())
    assert [element.tag for element in suite.find("testcase")] == ["system-out"]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


@pytest.mark.parametrize("verdict", ["error", "interrupted"])
def test_what_is_not_the_peers_fault_is_an_error(telling: Any, verdict: str) -> None:
    suite = junit(telling().finish(verdict, "ConnectFailed: nobody is there"))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")
    assert suite.find("testcase/error").get("message") == "ConnectFailed: nobody is there"


def test_a_run_that_was_killed_is_an_error_with_what_was_said(call: list[Any]) -> None:
    suite = junit(call[:6])
    assert suite.find("testcase/error").get("type") == "unfinished"
    assert "its journal has no end" in suite.find("testcase/error").text
    assert "newOutInteraction" in suite.find("testcase/system-out").text


def test_a_journal_that_lost_its_beginning_is_valid_too(call: list[Any]) -> None:
    assert isinstance(call[0], RunStarted)
    assert junit(call[1:]).get("name") == "unknown"


def test_hostile_content_stays_text(hostile: list[Any]) -> None:
    suite = junit(hostile)
    (case,) = suite.iter("testcase")
    assert [element.tag for element in case] == ["failure", "system-out"]
    assert "</system-out><script>" in case.find("failure").text
    assert "\\x00\\x08\\x1b" in case.find("failure").text
    assert "\u202e" not in case.find("system-out").text
    assert len(etree.tostring(suite)) < 100_000, "a message is a line, however long it is"


def test_of_a_long_conversation_the_beginning_and_the_end_are_kept(
    long_run: Callable[[int], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.report.formats.junit.FIRST_LINES", 50)
    monkeypatch.setattr("antiphon.report.formats.junit.LAST_LINES", 100)
    output = junit(long_run(2_000)).find("testcase/system-out").text.splitlines()
    assert len(output) == 50 + 1 + 100
    assert output[0].startswith("outgoing()")
    assert "is left out here" in output[50]
    assert output[-1] == "passed: outgoing in 2.042 s (20 steps, 1000 sent, 1000 received)"

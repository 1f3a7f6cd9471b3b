"""The report "junit": a run as JUnit XML, for the page of a CI server that shows tests.

A run is a testsuite of one testcase, its scenario: with `failure` if the peer did not do what was expected, `error` if
anything else went wrong, `skipped` if its test was to fail or was run again, and the conversation as `system-out`.
Elements and attributes are those of the Jenkins xunit plugin's schema (junit-10.xsd).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from antiphon.report.formats.documents import Document
from antiphon.report.formats.xml import Xml
from antiphon.report.text import ends
from antiphon.report.verdict import Verdict

__all__ = ["JUNIT", "write_junit"]

FIRST_LINES: Final = 500
LAST_LINES: Final = 2_000
"""How much of a longer conversation is shown."""

LINE_WIDTH: Final = 160

LONGEST_TEXT: Final = 100_000
"""A longer failure text, in characters, is cut."""


def write_junit(entries: Iterable[Any], file: TextIO, directory: Path) -> None:
    """Write the XML of one run; what XML cannot hold is written as an escape."""
    verdict = Verdict()
    # Before anything is written: the counts stand in the first element, and the entries are read once.
    lines = list(ends(verdict.watch(entries), FIRST_LINES, LAST_LINES, width=LINE_WIDTH))
    xml = Xml(file)
    counts = {
        "tests": "1",
        "failures": str(int(verdict.word == "failed")),
        "errors": str(int(verdict.is_red and verdict.word != "failed")),
        "time": _seconds(verdict.ended_ns),
    }
    skipped = str(int(verdict.word == "skipped"))
    xml.begin("testsuites", **counts)
    xml.begin("testsuite", name=verdict.scenario, **counts, skipped=skipped, **_when(verdict))
    _write_properties(xml, verdict, directory)
    # With its parameters in the name: that is what a server keeps the history of a test by.
    xml.begin("testcase", name=verdict.call, classname=f"antiphon.{verdict.scenario}", time=_seconds(verdict.ended_ns))
    if verdict.is_red:
        _write_failure(xml, verdict)
    elif verdict.word == "skipped":
        _write_skipped(xml, verdict)
    xml.begin("system-out")
    if verdict.expected:
        xml.text(f"{verdict.expected[:LONGEST_TEXT]}\n\n")
    for line in lines:
        xml.text(line + "\n")
    for _ in ("system-out", "testcase", "testsuite", "testsuites"):
        xml.end()


def _write_properties(xml: Xml, verdict: Verdict, directory: Path) -> None:
    properties: dict[str, Any] = {"run": directory}
    if verdict.started is not None:
        started = verdict.started
        properties |= {"stand": started.stand, "actors": ", ".join(started.actors)}
        properties |= {f"parameter.{name}": value for name, value in started.parameters.items()}
        properties |= {"antiphon": started.antiphon, "python": started.python}
    if verdict.test is not None:
        properties |= {"test": verdict.test.test, "test.outcome": verdict.test.outcome, "run.verdict": verdict.own}
    xml.begin("properties")
    for name, value in properties.items():
        xml.begin("property", name=name, value=str(value))
        xml.end()
    xml.end()


def _write_failure(xml: Xml, verdict: Verdict) -> None:
    element = "failure" if verdict.word == "failed" else "error"
    text = verdict.text
    xml.begin(element, message=verdict.headline[:1000], type=verdict.kind or verdict.word)
    xml.text(text[:LONGEST_TEXT])
    if len(text) > LONGEST_TEXT:
        xml.text(f"\n… {len(text) - LONGEST_TEXT} more characters are in the journal")
    xml.end()


def _write_skipped(xml: Xml, verdict: Verdict) -> None:
    """What a failure that counts for nothing is to JUnit, as pytest's own report has it for xfail."""
    xml.begin("skipped", message=verdict.told)
    xml.end()


def _when(verdict: Verdict) -> Mapping[str, str]:
    """When the run began, which a journal without a beginning does not tell."""
    started_at = verdict.started.started_at if verdict.started is not None else ""
    return {"timestamp": started_at} if started_at else {}


def _seconds(time_ns: int) -> str:
    """Seconds with three decimals and no exponent: the schema's SUREFIRE_TIME."""
    return f"{time_ns / 1e9:.3f}"


JUNIT: Final = Document("junit.xml", write_junit)

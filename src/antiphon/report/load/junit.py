"""A load as JUnit XML: what a CI server shows as tests.

A testcase for each threshold, which fails if it was crossed; one for each cause, which fails with how many
conversations failed so; and one for whether the numbers may be trusted. Where the load passed, its thresholds allow for
the failures: then a cause is skipped, with the same text.
"""

from __future__ import annotations

from typing import Any, Final, TextIO

import msgspec

from antiphon.conversation.wording import one_line
from antiphon.errors import plain_text
from antiphon.report.formats.xml import Xml
from antiphon.report.load.summary import CauseSummary, LoadSummary, ThresholdSummary
from antiphon.report.load.text import example_told, step_told, text_lines, title, verdict
from antiphon.report.load.wording import amount, percent

__all__ = ["JUNIT_NAME", "write_junit"]

JUNIT_NAME: Final = "junit.xml"
LONGEST_TEXT: Final = 100_000
LONGEST_NAME: Final = 200


class _Case(msgspec.Struct):
    """A testcase: `outcome` is the element in it, "" for one that passed."""

    name: str
    room: str
    outcome: str = ""
    message: str = ""
    kind: str = ""
    text: str = ""


def write_junit(summary: LoadSummary, file: TextIO, directory: Any) -> None:
    """Write the XML of a load; its elements and attributes are those of the Jenkins xunit plugin's schema."""
    cases = [_trust(summary), *map(_threshold, summary.thresholds)]
    cases += [_cause(cause, summary) for cause in summary.causes]
    counts = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "time": f"{summary.duration_s:.3f}",
    }
    xml = Xml(file)
    xml.begin("testsuites", **counts)
    when = {"timestamp": summary.started_at} if summary.started_at else {}
    xml.begin("testsuite", name=summary.name, **counts, skipped=_count(cases, "skipped"), **when)
    _write_properties(xml, summary, directory)
    for case in cases:
        _write_case(xml, summary, case)
    xml.begin("system-out")
    xml.text(plain_text(text_lines(summary)))
    for _ in ("system-out", "testsuite", "testsuites"):
        xml.end()


def _trust(summary: LoadSummary) -> _Case:
    """Whether the load came to its end with numbers that tell something."""
    name = "the numbers may be trusted"
    if summary.is_valid and summary.verdict in ("passed", "failed"):
        return _Case(name, "load")
    why = "\n".join([*summary.doubts, *filter(None, [summary.error])]) or verdict(summary)
    return _Case(name, "load", "error", f"{verdict(summary)}: {one_line(why)}", summary.verdict, why)


def _threshold(judged: ThresholdSummary) -> _Case:
    if judged.has_passed:
        return _Case(judged.threshold, "thresholds")
    ended = ", and ended the load" if judged.ended_the_load else ""
    text = f"{judged.threshold}: {judged.measured}{ended}"
    return _Case(judged.threshold, "thresholds", "failure", text, "threshold", text)


def _cause(cause: CauseSummary, summary: LoadSummary) -> _Case:
    """A cause of failures, which a load that passed has allowed for."""
    name = one_line(f"{cause.error or 'various'}{step_told(cause)}: {cause.text}", LONGEST_NAME)
    message = f"{amount(cause.count, 'conversation')} failed so, {percent(cause.share)} of the failures"
    kept = [f"kept: {each.directory}" for each in cause.kept]
    text = "\n".join([message, example_told(cause), *kept])
    outcome = "skipped" if summary.verdict == "passed" else "failure"
    return _Case(name, f"{cause.part}.causes", outcome, message, cause.error or "various", text)


def _write_case(xml: Xml, summary: LoadSummary, case: _Case) -> None:
    xml.begin("testcase", name=case.name, classname=f"antiphon.{summary.name}.{case.room}", time="0.000")
    if case.outcome == "skipped":
        xml.begin("skipped", message=case.message)
        xml.end()
        xml.begin("system-out")
        xml.text(case.text[:LONGEST_TEXT])
        xml.end()
    elif case.outcome:
        xml.begin(case.outcome, message=case.message[:1000], type=case.kind)
        xml.text(case.text[:LONGEST_TEXT])
        xml.end()
    xml.end()


def _write_properties(xml: Xml, summary: LoadSummary, directory: Any) -> None:
    properties: dict[str, Any] = {
        "load": directory,
        "title": title(summary),
        "verdict": verdict(summary),
        "stand": summary.stand,
        "seed": summary.seed,
        "antiphon": summary.antiphon,
        "python": summary.python,
        "machine": summary.machine,
    }
    xml.begin("properties")
    for name, value in properties.items():
        xml.begin("property", name=name, value=str(value))
        xml.end()
    xml.end()


def _count(cases: list[_Case], outcome: str) -> str:
    return str(sum(case.outcome == outcome for case in cases))

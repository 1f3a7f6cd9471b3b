"""How tests end: told to the runs that they made, when pytest has told it to everybody.

Imported when a test asks for `play` or `perform`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

import pytest

from antiphon.errors import RecordingError
from antiphon.journal import TestOutcome
from antiphon.pytest.recordings import Recordings
from antiphon.pytest.tracebacks import Presenter

__all__ = ["Outcomes", "outcome_of"]


def outcome_of(reports: Iterable[pytest.TestReport]) -> TestOutcome:
    """The outcome of a test, or of an attempt of one, by the reports of its phases."""
    phases = {report.when: report for report in reports}
    # "rerun" is the word of pytest-rerunfailures and its like, for the phase that failed.
    if any(str(report.outcome) == "rerun" for report in phases.values()):
        return "rerun"
    call = phases.get("call", phases.get("setup"))
    if call is None:
        return "error"
    failed = [report.when for report in phases.values() if report.failed]
    if failed:
        return "failed" if "call" in failed else "error"
    if hasattr(call, "wasxfail"):
        return "xfailed" if call.skipped else "xpassed"
    return "skipped" if call.skipped else "passed"


class Outcomes:
    """A plugin: collects the reports of the tests that made runs, and finishes the runs with each test's last one.

    Only the reports that are logged count: who repeats a test may log no attempt but the last, or change what a report
    says before it is logged.
    """

    def __init__(self, keep: str) -> None:
        self._keep: Final = keep
        self._attempts: dict[str, list[Recordings]] = {}
        self._reports: dict[str, list[pytest.TestReport]] = {}

    def expect(self, nodeid: str, recordings: Recordings) -> None:
        """An attempt of the test makes runs."""
        self._attempts.setdefault(nodeid, []).append(recordings)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Innermost of all: allure-pytest and others read the report in wrappers of their own."""
        report = yield
        presenter = self._presenter(item)
        if presenter is not None:
            presenter.present(report)
        return report

    def present_reason(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """What `pytest.xfail()` was given as its reason, which pytest adds to the report outside of all that."""
        presenter = self._presenter(item)
        if presenter is not None and hasattr(report, "wasxfail"):
            report.wasxfail = presenter.text(report.wasxfail)

    def _presenter(self, item: pytest.Item) -> Presenter | None:
        attempts = self._attempts.get(item.nodeid)
        colours = item.config.get_terminal_writer().hasmarkup
        return attempts[-1].presenter(has_colours=colours) if attempts else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Before anybody else sees the report: it fails if a report of a run cannot be written."""
        if report.nodeid not in self._attempts:
            return
        reports = self._reports.setdefault(report.nodeid, [])
        reports.append(report)
        outcome = outcome_of(reports)
        if report.when != "teardown" and outcome != "rerun":
            return
        del self._reports[report.nodeid]
        *earlier, last = self._attempts.pop(report.nodeid)
        trouble = [error for each in earlier for error in each.finish("rerun", self._keep)]
        trouble += last.finish(outcome, self._keep)
        if trouble:
            _tell(report, trouble)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """What was interrupted has no outcome: its runs keep their own verdicts."""
        for attempts in self._attempts.values():
            for recordings in attempts:
                recordings.finish(None, self._keep)  # the journals are there; nobody is left to be told of more
        self._attempts.clear()


def _tell(report: pytest.TestReport, trouble: list[RecordingError]) -> None:
    text = "\n".join(f"RecordingError: {error}" for error in trouble)
    if report.passed:
        report.outcome, report.longrepr = "failed", text
    else:
        report.sections.append(("antiphon: not written", text))

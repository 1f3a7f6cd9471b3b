"""The outcome of a test, by the reports of its phases."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.pytest.outcomes import outcome_of


def report(when: Any, outcome: Any, wasxfail: str | None = None) -> pytest.TestReport:
    made = pytest.TestReport("test_a.py::test_b", ("test_a.py", 1, "test_b"), {}, outcome, None, when)
    if wasxfail is not None:
        made.wasxfail = wasxfail  # type: ignore[attr-defined]
    return made


SETUP, TEARDOWN = report("setup", "passed"), report("teardown", "passed")


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([SETUP, report("call", "passed"), TEARDOWN], "passed"),
        ([SETUP, report("call", "failed"), TEARDOWN], "failed"),
        ([SETUP, report("call", "skipped"), TEARDOWN], "skipped"),
        ([SETUP, report("call", "skipped", ""), TEARDOWN], "xfailed"),
        ([SETUP, report("call", "passed", "a reason"), TEARDOWN], "xpassed"),
        ([report("setup", "failed"), TEARDOWN], "error"),
        ([report("setup", "skipped"), TEARDOWN], "skipped"),
        ([report("setup", "skipped", ""), TEARDOWN], "xfailed"),
        ([SETUP, report("call", "passed"), report("teardown", "failed")], "error"),
        ([SETUP, report("call", "failed"), report("teardown", "failed")], "failed"),
        ([SETUP, report("call", "skipped", ""), report("teardown", "failed")], "error"),
        ([SETUP, report("call", "rerun")], "rerun"),
        ([report("setup", "rerun")], "rerun"),
        ([], "error"),
    ],
)
def test_the_outcome_of_a_test(reports: list[pytest.TestReport], outcome: str) -> None:
    assert outcome_of(reports) == outcome

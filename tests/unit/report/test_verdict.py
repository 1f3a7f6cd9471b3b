"""How a run ended, and how that and the end of its test become one verdict."""

from __future__ import annotations

from typing import get_args

import pytest

from antiphon.journal import Failed, RunEnded, RunVerdict, TestEnded, TestOutcome
from antiphon.report.verdict import Verdict

TEXT = "desk.line waited 1 s for never, and it did not come\nmore"


def verdict_of(own: RunVerdict | None, outcome: TestOutcome | None) -> Verdict:
    verdict = Verdict()
    if own not in (None, "passed"):
        verdict(Failed(at_ns=5, error="DeadlinePassed", text=TEXT))
    if own is not None:
        verdict(RunEnded(at_ns=7, verdict=own, error="" if own == "passed" else TEXT))
    if outcome is not None:
        verdict(TestEnded(at_ns=7, test="test_a.py::test_b", outcome=outcome))
    return verdict


@pytest.mark.parametrize("own", get_args(RunVerdict))
def test_without_a_test_the_run_has_the_word(own: RunVerdict) -> None:
    verdict = verdict_of(own, None)
    assert (verdict.word, verdict.outcome, verdict.told, verdict.expected) == (own, own, own, "")
    assert verdict.is_red is (own != "passed")
    assert verdict.text == verdict.happened == ("" if own == "passed" else TEXT)


@pytest.mark.parametrize(
    ("outcome", "of_passed", "of_failed", "of_error"),
    [
        ("passed", "passed", "passed", "passed"),
        ("xpassed", "passed", "passed", "passed"),
        ("xfailed", "skipped", "skipped", "skipped"),
        ("skipped", "skipped", "skipped", "skipped"),
        ("rerun", "skipped", "skipped", "skipped"),
        ("failed", "failed", "failed", "error"),
        ("error", "error", "failed", "error"),
    ],
)
def test_the_test_has_the_last_word(outcome: TestOutcome, of_passed: str, of_failed: str, of_error: str) -> None:
    assert verdict_of("passed", outcome).word == of_passed
    assert verdict_of("failed", outcome).word == of_failed
    assert verdict_of("error", outcome).word == of_error


def test_every_outcome_of_a_test_has_a_word_and_a_text() -> None:
    for outcome in get_args(TestOutcome):
        for own in get_args(RunVerdict):
            verdict = verdict_of(own, outcome)
            assert bool(verdict.text) is verdict.is_red
            assert verdict.happened == ("" if own == "passed" else TEXT)
            assert not (verdict.text and verdict.expected)


def test_an_expected_failure_is_told_as_what_happened() -> None:
    verdict = verdict_of("failed", "passed")
    assert verdict.text == verdict.headline == ""
    assert verdict.told == "passed (the run itself: failed)"
    assert verdict.expected == f"the run itself: failed; its test expected that, and passed\n{TEXT}"
    assert verdict.kind == "DeadlinePassed"


def test_a_run_that_passed_tells_of_the_test_that_failed() -> None:
    assert verdict_of("passed", "failed").text == "the run passed, and its test failed: test_a.py::test_b"
    told = verdict_of("passed", "error").text
    assert told == "the run passed, and its test failed in its setup or teardown: test_a.py::test_b"
    assert verdict_of("passed", "failed").told == "failed (the run itself: passed)"


def test_a_test_that_fails_shows_the_runs_own_failure() -> None:
    assert verdict_of("failed", "failed").text == TEXT
    assert verdict_of("failed", "failed").told == "failed"


def test_a_name_of_a_test_moves_no_cursor() -> None:
    verdict = Verdict()
    verdict(RunEnded(at_ns=7, verdict="passed"))
    verdict(TestEnded(at_ns=7, test="test_a.py::test_b[\x1b[2J]", outcome="failed"))
    assert "\x1b" not in verdict.text


def test_the_end_of_the_test_does_not_make_a_run_longer() -> None:
    assert verdict_of("passed", "passed").ended_ns == 7

"""How a run ended, told."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import AntiphonError, CheckFailed, ConnectFailed, DialectError, ScenarioError
from antiphon.journal import Journal
from antiphon.scenarios.outcome import make_presentable, text_of, verdict_of


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, "passed"),
        (CheckFailed("x"), "failed"),
        (AssertionError("x"), "failed"),
        (DialectError("x"), "failed"),
        (ConnectFailed("x"), "error"),
        (ScenarioError("x"), "error"),
        (SystemExit(1), "error"),
        (pytest.fail.Exception("x"), "error"),
        (KeyboardInterrupt(), "interrupted"),
        (asyncio.CancelledError(), "interrupted"),
    ],
)
def test_each_error_has_its_verdict(error: BaseException | None, verdict: str) -> None:
    assert verdict_of(error) == verdict


def test_an_error_is_made_ready_to_be_shown() -> None:
    error = AntiphonError("the peer said \x1b[2J\n  token=abcdef123", hint="see \u202e")
    error.step = "hear('\x9b')"
    error.add_note("and then \x07")

    make_presentable(error, Journal(), "calls.py:7")

    assert text_of(error).splitlines() == [
        "the peer said \\x1b[2J",
        "  token=***",
        "  at calls.py:7",
        "  in the step hear('\\x9b')",
        "  hint: see \\u202e",
        "  and then \\x07",
    ]

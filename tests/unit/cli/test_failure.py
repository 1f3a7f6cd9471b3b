"""Errors as the command line tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.cli.failure import fail
from antiphon.cli.screen import Screen
from antiphon.errors import ConnectFailed
from antiphon.journal import Journal
from antiphon.runtime.exhaustion import as_exhaustion
from antiphon.scenarios.outcome import make_presentable

HERE = Path(__file__).relative_to(Path.cwd())


@pytest.mark.parametrize("has_cause", [True, False])
def test_the_authors_line_is_told_once_beside_the_address(capsys: pytest.CaptureFixture[str], has_cause: bool) -> None:
    error = ConnectFailed("nobody listens", place="ws://centre/desk", hint="is it running?")
    try:
        raise error from (ConnectionRefusedError() if has_cause else None)
    except ConnectFailed:
        make_presentable(error, Journal(), "")

    assert fail(error, Screen()) == 3
    told = capsys.readouterr().err
    line = error.__traceback__.tb_lineno if error.__traceback__ is not None else 0
    assert told.count(f"{HERE}:{line}") == 1
    assert told.count("at ws://centre/desk") == 1


def test_the_authors_line_is_told_once_where_the_code_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    error: BaseException
    try:
        raise MemoryError
    except MemoryError as raised:
        error = as_exhaustion(raised)
    make_presentable(error, Journal(), "")

    assert fail(error, Screen()) == 2
    told = capsys.readouterr().err
    assert told.count(f"at {HERE}:") == 1
    assert "raise MemoryError" in told

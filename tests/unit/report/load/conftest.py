"""Loads that the tests of their reports share: each is written and read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from load_records import LoadBook

from antiphon.report.load.compare import compare
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.summary import LoadSummary, summarised


@pytest.fixture(autouse=True)
def outside_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LoadFigures]:
    """Figures of a load of a minute with these options of LoadBook."""
    known: dict[Any, LoadFigures] = {}

    def make(**options: Any) -> LoadFigures:
        key = tuple(sorted(options.items()))
        if key not in known:
            directory = tmp_path_factory.mktemp("load")
            known[key] = read_figures(LoadBook(**{"seconds": 60} | options).write(directory))
        return known[key]

    return make


@pytest.fixture(scope="session")
def summary(load: Callable[..., LoadFigures]) -> LoadSummary:
    """A load that lost a process and got slower."""
    slow = load(loses_process=True, slower=1.3, seed=9)
    summary = summarised(slow, compare(slow, load()))
    assert summary.baseline is not None
    summary.baseline.baseline = "baseline"
    return summary


@pytest.fixture(scope="session")
def good(load: Callable[..., LoadFigures]) -> LoadSummary:
    """A load that passed although some conversations failed."""
    passed = load(failing=0.008)
    assert passed.word == "passed"
    return summarised(passed)

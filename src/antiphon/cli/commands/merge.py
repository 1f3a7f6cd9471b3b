"""`antiphon merge`: shards of a load, performed apart, become one load with one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from antiphon.cli.app import OurScreen
from antiphon.cli.exit_codes import INCONCLUSIVE, PASSED, THRESHOLD_CROSSED
from antiphon.load.reunion import reunite
from antiphon.load.table import OWN_TABLE_NAME
from antiphon.report.failure_text import painted
from antiphon.report.load.figures import Word
from antiphon.report.load.reports import STANDARD_REPORTS, LoadReports
from antiphon.report.runs import find_run

__all__ = ["command"]

_CODES: Final[Mapping[Word, int]] = {"passed": PASSED, "failed": THRESHOLD_CROSSED, "inconclusive": INCONCLUSIVE}

_Several = Annotated[list[str] | None, Parameter(negative="")]


def command(
    *shards: str,
    into: Path | None = None,
    threshold: _Several = None,
    baseline: str = "",
    report: _Several = None,
    runs: Path = Path("runs"),
    screen: OurScreen,
) -> int:
    """Merge the shards, and show what came of it; the exit code, as that of `antiphon load`.

    Raises ScenarioError if they are not shards of one load, RecordingError if one cannot be read or the load cannot be
    written.

    Args:
        shards: the directories of the shards, or their names below --runs
        into: the directory of the load; without it a new one below --runs
        threshold: what must hold beside what the shards were told; may be given several times
        baseline: an earlier load to compare with
        report: a report beside the standard ones: html, junit, allure, summary; NAME=PATH says where
        runs: the directory that loads are recorded in
    """
    found = [find_run(shard, runs, with_loads=True) for shard in shards]
    before = find_run(baseline, runs, with_loads=True) if baseline else None
    wanted = report or []
    figures = reunite(found, into=into, runs=runs, thresholds=threshold or (), baseline=before, reports=wanted)
    made = LoadReports(figures.directory, before)
    for spec in dict.fromkeys([*STANDARD_REPORTS, *wanted]):
        made.make(spec)
    screen.print(*painted(made.lines()))
    if (table := figures.directory / OWN_TABLE_NAME).exists():
        screen.print(f"the rows of all shards are in {table}")
    screen.print(f"recorded in {figures.directory}")
    return _CODES.get(figures.word, INCONCLUSIVE)

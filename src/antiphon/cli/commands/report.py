"""`antiphon report`: a report of a run, or a load, that was recorded before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from antiphon.cli.app import OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.errors import ScenarioError
from antiphon.journal.load_file import is_load
from antiphon.journal.recording import make_report
from antiphon.report.load.reports import LoadReports, check_names
from antiphon.report.runs import find_run

__all__ = ["command"]


def command(run: str, /, *reports: str, runs: Path = Path("runs"), baseline: str = "", screen: OurScreen) -> int:
    """Make reports of a run that `antiphon.report.runs.find_run` finds; the exit code.

    Raises ScenarioError if none is named or there is no such report, RecordingError if there is no such run or it
    cannot be written.

    Args:
        run: last, the run's directory, or its name or a part of it
        reports: junit, allure, summary; of a run mermaid, har, trace, of a load html, json, csv; NAME=PATH says where
        runs: the directory that runs are recorded in
        baseline: of a load, an earlier one to tell what has moved since
    """
    if not reports:
        raise ScenarioError("which report is meant?", hint=f"antiphon report {run} junit")
    directory = find_run(run, runs, with_loads=True)
    make: Callable[[str], object]
    if is_load(directory):
        check_names(spec.partition("=")[0] for spec in reports)
        make = LoadReports(directory, find_run(baseline, runs, with_loads=True) if baseline else None).make
    elif baseline:
        raise ScenarioError("only a load has a baseline, and this is a run", hint="antiphon diff compares two runs")
    else:
        make = partial(make_report, directory)
    for spec in reports:
        make(spec)
        name, _, target = spec.partition("=")
        screen.print(f"{name}: made of {directory}" + (f", {target}" if target else ""))
    return PASSED

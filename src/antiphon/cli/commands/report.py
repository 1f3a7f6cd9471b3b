"""`antiphon report`: a report of a run that was recorded before."""

from __future__ import annotations

from pathlib import Path

from antiphon.cli.app import OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.errors import ScenarioError
from antiphon.journal.recording import make_report
from antiphon.report.runs import find_run

__all__ = ["command"]


def command(run: str, /, *reports: str, runs: Path = Path("runs"), screen: OurScreen) -> int:
    """Make reports of a run that `antiphon.report.runs.find_run` finds; the exit code.

    Raises ScenarioError if none is named or there is no such report, RecordingError if there is no such run or it
    cannot be written.

    Args:
        run: last, the run's directory, or its name or a part of it
        reports: junit, allure, summary, mermaid, har, trace; NAME=PATH says where it goes
        runs: the directory that runs are recorded in
    """
    if not reports:
        raise ScenarioError("which report is meant?", hint=f"antiphon report {run} junit")
    directory = find_run(run, runs)
    for spec in reports:
        make_report(directory, spec)
        name, _, target = spec.partition("=")
        screen.print(f"{name}: made of {directory}" + (f", {target}" if target else ""))
    return PASSED

"""`antiphon report`: a report of a run that was recorded before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from antiphon.cli.exit_codes import PASSED
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.journal.recording import make_report
from antiphon.report.runs import find_run

__all__ = ["report"]


def report(wanted: str, specs: Sequence[str], screen: Screen, *, runs: Path) -> int:
    """Make reports, each `NAME` or `NAME=PATH`, of a run that `antiphon.report.runs.find_run` finds; the exit code.

    Raises ScenarioError if none is named or there is no such report, RecordingError if there is no such run or it
    cannot be written.
    """
    if not specs:
        raise ScenarioError("which report is meant?", hint=f"antiphon report {wanted} junit")
    directory = find_run(wanted, runs)
    for spec in specs:
        make_report(directory, spec)
        name, _, target = spec.partition("=")
        screen.print(f"{name}: made of {directory}" + (f", {target}" if target else ""))
    return PASSED

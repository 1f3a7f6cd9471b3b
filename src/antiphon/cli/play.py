"""A scenario performed for the command line: shown as it goes on, its end told, its exit code."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from antiphon.actor.actor import Actor
from antiphon.cli.exit_codes import INTERRUPTED, PASSED
from antiphon.cli.failure import fail
from antiphon.cli.interruption import run_until_told
from antiphon.cli.live import LiveView
from antiphon.cli.screen import Screen
from antiphon.errors import ResourcesExhausted, behind
from antiphon.journal.recording import STANDARD_REPORTS, load_reports, new_run_directory, unwritten
from antiphon.runtime.exhaustion import as_exhaustion
from antiphon.scenarios.outcome import failure_lines
from antiphon.scenarios.runner import perform
from antiphon.scenarios.scenario import Scenario
from antiphon.stand.stand import Stand

__all__ = ["play_on_screen"]


def play_on_screen(
    scenario: Scenario[Any, Any],
    parameters: Mapping[str, Any],
    screen: Screen,
    *,
    stand: Stand,
    runs: Path | None,
    reports: Sequence[str] = (),
    strict: bool | None = None,
    is_quiet: bool = False,
    shows_traceback: bool = False,
    actors: Mapping[str, Actor] = MappingProxyType({}),
) -> int:
    """Perform it and show it; the exit code. Where it was recorded is told however it ends.

    `actors` are those that are not to be new ones. `runs` is the directory in which the run gets its own; None records
    nothing. `reports` are made of it beside the standard ones. Raises ScenarioError or RecordingError before anything
    is begun.
    """
    # What is wrong is told before a directory lies there that no run was recorded in.
    scenario.arguments(parameters)
    load_reports(reports)
    directory = new_run_directory(runs, scenario.name) if runs is not None else None
    view = LiveView(screen, is_quiet=is_quiet)
    error: BaseException | None = None
    try:
        run_until_told(
            perform(
                scenario,
                stand=stand,
                runs=None,
                directory=directory,
                reports=(*STANDARD_REPORTS, *reports),
                watch=view,
                strict=strict,
                **{**parameters, **actors},
            )
        )
    except BaseException as raised:
        error = raised
    # Everything that was said is shown before the verdict, and the verdict before where it is.
    _finish(view)
    code = PASSED
    if error is not None:
        code = fail(
            error,
            screen,
            ended=view.ended,
            shows_traceback=shows_traceback,
            directory=directory,
        )
    _tell_unwritten(error, screen, view)
    if directory is not None:
        screen.print(f"recorded in {directory}")
    return code


def _tell_unwritten(error: BaseException | None, screen: Screen, view: LiveView) -> None:
    """What of the run could not be written, or shown."""
    if error is not None:
        for trouble in unwritten(error):
            screen.tell_error(failure_lines(as_exhaustion(trouble)))
    if screen.output_error is not None:
        screen.tell_error(f"the output could not be written: {screen.output_error.strerror}")
    if view.error is not None:
        _tell_view_ended(view.error, screen)


def _tell_view_ended(error: Exception, screen: Screen) -> None:
    told = as_exhaustion(error)
    if isinstance(told, ResourcesExhausted):
        screen.tell_error(behind("the live view ended early: ", told.lines()))
    else:
        screen.tell_error(f"the live view ended early: {type(error).__name__}: {error}", label="internal error")


def _finish(view: LiveView) -> None:
    try:
        view.finish()
    except KeyboardInterrupt:
        # Whoever reads the output stands still, and the interpreter cannot end while the view's thread writes.
        os._exit(INTERRUPTED)

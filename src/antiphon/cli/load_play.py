"""A load performed for the command line: shown while it runs, its end told, its exit code."""

from __future__ import annotations

from pathlib import Path

from antiphon.cli.exit_codes import PASSED, exit_code
from antiphon.cli.failure import fail
from antiphon.cli.interruption import Interrupted, run_until_told
from antiphon.cli.load_exports import LoadExports
from antiphon.cli.load_options import Asked
from antiphon.cli.load_view import LoadView
from antiphon.cli.screen import Screen
from antiphon.errors import LoadInconclusive, ThresholdCrossed
from antiphon.journal.recording import new_run_directory
from antiphon.load.keeping import parse_keep
from antiphon.load.loads import name_of, perform_load, require_performable
from antiphon.load.plan import Plan
from antiphon.load.shares import Share
from antiphon.load.target import plan_of
from antiphon.load.watchers import Watchers

__all__ = ["load_on_screen"]


def load_on_screen(asked: Asked, screen: Screen, *, shows_traceback: bool = False) -> int:
    """Perform it and show it; the exit code. Where it was recorded is told however it ends.

    Raises ScenarioError, RecordingError or ResourcesExhausted before anything is begun.
    """
    plan = _plan(asked)
    keep = parse_keep(asked.keep) if asked.keep is not None else None
    # What is wrong is told before a directory lies there that no load was recorded in.
    performable = require_performable(
        plan,
        stand=asked.stand,
        reports=asked.reports,
        baseline=asked.baseline,
        processes=asked.processes,
        table=asked.table,
    )
    exports = LoadExports(asked.prometheus, otlp=asked.otlp, screen=screen)
    directory: Path | None = new_run_directory(asked.runs, name_of(plan)) if asked.runs is not None else None
    view = LoadView(screen, is_quiet=asked.quiet, baseline=performable.baseline)
    watchers = Watchers(view, *exports.watchers)
    code = PASSED
    try:
        run_until_told(
            perform_load(
                plan,
                stand=asked.stand,
                runs=None,
                directory=directory,
                reports=asked.reports,
                keep=keep,
                baseline=asked.baseline,
                processes=asked.processes,
                target=asked.target,
                table=asked.table,
                watch=watchers,
                at=asked.at,
            )
        )
    except (ThresholdCrossed, LoadInconclusive, Interrupted) as error:
        # The end of the load says all that these say.
        code = exit_code(error) if view.tell_end() else fail(error, screen, shows_traceback=shows_traceback)
    except BaseException as error:
        view.tell_end()  # what was until then
        code = fail(error, screen, shows_traceback=shows_traceback)
    else:
        view.tell_end()
    finally:
        watchers.close()  # also where the load did not come to its beginning
    exports.tell_end()
    for failed in filter(None, (view.error, *watchers.errors)):
        screen.tell_error(f"the live view ended early: {type(failed).__name__}: {failed}", label="internal error")
    if directory is not None:
        screen.print(f"recorded in {directory}")
    return code


def _plan(asked: Asked) -> Plan:
    plan = plan_of(asked.target)
    if asked.seed is not None:
        plan = plan.with_seed(asked.seed)
    if asked.shard is not None:
        share = Share.parse(asked.shard)
        plan = plan.shard(share.index + 1, share.of)
    return plan

"""What a locustfile says: `users("plan.py:busy_day")`."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import locust
from locust import env, runners

from antiphon.cli.exit_codes import USAGE
from antiphon.errors import AntiphonError
from antiphon.load.keeping import parse_keep
from antiphon.load.limits import require_files
from antiphon.locust.asked import Asked, asked_of, unit_per_s
from antiphon.locust.master import EnginesMaster
from antiphon.locust.worker import EnginesWorker
from antiphon.report.load.reports import check_names

__all__ = ["users"]

LOST_AFTER_S = 7
"""A worker whose master says nothing for so long ends its load: Locust's own is a minute."""


def users(
    target: str,
    *,
    stand: str | None = None,
    runs: str = "runs",
    keep: str = "failed:3-per-cause,slowest:5",
    reports: Sequence[str] = (),
    thresholds: Sequence[str] = (),
    baseline: str | None = None,
    seats: int = 0,
) -> None:
    """Make a user class of each part of the plan `FILE.py:NAME`, in the module that calls this: a locustfile.

    target: its file is looked for beside the locustfile, then in the working directory. Rates and users of its parts
    are weights here; Locust's `-u`, `-r` and `-t` or a shape say how much there is, and how long.
    stand, runs, keep, reports, thresholds, baseline: as the options of `antiphon load`.
    seats: among how many engines the stand's users and unique feeds are divided at least; 0 for those that are there
    when the load begins.

    Ends the process with exit code 2, and says why, for what cannot be performed.
    """
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    there = frame.f_back.f_globals
    try:
        found, plan, chosen = asked_of(target, Path(there.get("__file__", "")).parent, stand)
        check_names(spec.partition("=")[0] for spec in reports)
        plan = plan.with_thresholds(thresholds)
        compared = Path(baseline) if baseline is not None else None
        asked = Asked(found, plan, chosen, Path(runs), parse_keep(keep), reports, compared, seats)
        require_files(plan, 1)
    except AntiphonError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # before Locust has a log
        sys.exit(USAGE)
    for part in plan.parts:
        weight = part.profile.peak / unit_per_s(part)
        there[part.name] = type(part.name, (locust.User,), {"weight": weight, "abstract": False, "tasks": [_held]})
    # Locust looks these names up when it makes its runner.
    vars(env).update(
        WorkerRunner=type("Worker", (EnginesWorker,), {"asked": asked}),
        MasterRunner=type("Master", (EnginesMaster,), {"asked": asked}),
    )
    runners.WORKER_REPORT_INTERVAL = 1.0
    runners.MASTER_HEARTBEAT_TIMEOUT = LOST_AFTER_S
    locust.events.init_command_line_parser.add_listener(_add_options)
    locust.events.init.add_listener(_require_cluster)


def _held(_user: locust.User) -> None:
    """What Locust would have a user do; engines do it."""


def _add_options(parser: Any) -> None:
    group = parser.add_argument_group("antiphon")
    group.add_argument(
        "--engines",
        type=int,
        default=0,
        env_var="LOCUST_ENGINES",
        help="processes that hold conversations, of each worker; by itself one for each core, one with --processes",
    )
    group.add_argument(
        "--on-loss",
        default="fail",
        env_var="LOCUST_ON_LOSS",
        help="when workers are lost: fail (go on with the others, exit code 5), abort, or 'tolerate N' of them",
    )


def _require_cluster(environment: Any, web_ui: Any = None, **_: Any) -> None:
    runner = environment.runner
    if not isinstance(runner, EnginesMaster | EnginesWorker):
        logging.error("antiphon needs a master and workers: add --processes -1, or say antiphon load without Locust")
        sys.exit(USAGE)
    foreign = {each.__name__ for each in environment.user_classes} - {part.name for part in runner.asked.plan.parts}
    if foreign:
        logging.error("no part of the plan: %s; a locustfile has users of one plan, or Locust's own", sorted(foreign))
        sys.exit(USAGE)
    if web_ui is not None and isinstance(runner, EnginesMaster):
        _add_page(web_ui, runner, environment.parsed_options.web_base_path or "")


def _add_page(web_ui: Any, master: EnginesMaster, base: str) -> None:
    """What Locust's own pages do not show: where each step's time went, and why conversations failed."""

    def antiphon() -> tuple[str, dict[str, str]]:
        return master.told(), {"Content-Type": "text/plain; charset=utf-8"}

    web_ui.app.add_url_rule(f"{base}/antiphon", view_func=web_ui.auth_required_if_enabled(antiphon))

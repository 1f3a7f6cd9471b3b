"""What `antiphon load` is told: how much of a scenario, for how long, what must hold, where it is recorded."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Group, Parameter

from antiphon.cli.app import plain_app
from antiphon.cli.options import give_signature, own_parameters
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.load.plain_values import plain
from antiphon.load.plan import Plan
from antiphon.load.target import Target
from antiphon.scenarios.scenario import Scenario

__all__ = ["FLAGS", "WITH_VALUE", "Asked", "load_app", "load_help"]

_MUCH: Final = Group("How much", sort_key=2)
_OPTIONS: Final = Group("Options", sort_key=3)

_Options = Mapping[str, tuple[Any, Any, str]]

_OF_SCENARIO: Final[_Options] = {
    "rate": (str | None, None, "So many conversations begin in a second, a minute, an hour: 20/s, 90/min, 1000/h."),
    "users": (int | None, None, "So many users, each of whom begins anew when a conversation of his has ended."),
    "count": (int | None, None, "Exactly so many conversations; without --rate or --users one after the other."),
    "during": (str | None, None, "How long conversations begin: 30s, 5m, 1h30m. Without it until --count, or Ctrl-C."),
    "ramp": (str | None, None, "How long, from the beginning, rate or users grow from 0."),
    "stages": (str | None, None, "How it changes over time instead: '0..20/s in 1m, 20/s for 5m, 0 in 10s'."),
    "pause": (str | None, None, "How many seconds a user rests between two conversations: 2, or 1..3."),
    "arrivals": (str | None, None, "constant (the default), or poisson: as independent callers come."),
    "grace": (str | None, None, "How long, at the end, those under way may go on; 30s without it."),
    "feed": (
        list[str] | None,
        None,
        "A table whose columns are parameters, a row for each: phones.csv, or phones.csv:unique, phones.jsonl:random.",
    ),
}

_COMMON: Final[_Options] = {
    "threshold": (
        list[str] | None,
        None,
        "What must hold: 'outbound_call p95 < 800ms', 'errors < 1%'. Without one about errors there must be none.",
    ),
    "stand": (str | None, None, "The stand in antiphon.toml to load; without it the file's default."),
    "processes": (str, "1", "How many processes perform it: a number, or auto for one a core."),
    "seed": (int | None, None, "What chance goes by, 0 to 4294967295; without it one is chosen, and recorded."),
    "shard": (str | None, None, "Only a share of it, as 2/8: the second of eight machines. See `antiphon merge`."),
    "start_at": (str | None, None, "When it begins: 14:30, 2026-11-27T14:30:00, +30s. Without it at once."),
    "keep": (str | None, None, "Which are kept whole: failed:3-per-cause,slowest:5,sample:0.1%, or none."),
    "table": (str | None, None, "A CSV file of conversations: calls.csv:telephone,interaction_id,outcome."),
    "baseline": (Path | None, None, "The directory of an earlier load to compare with."),
    "runs": (Path, Path("runs"), "The directory in which the load gets one of its own."),
    "no_record": (bool, False, "Write nothing to disk."),
    "report": (list[str] | None, None, "A report beside the page: junit, allure, summary; NAME=PATH says where."),
    "prometheus": (str | None, None, "Serve metrics to Prometheus while it runs, on this port, or HOST:PORT."),
    "otlp": (bool, False, "Send metrics by OTLP, to where OTEL_EXPORTER_OTLP_ENDPOINT says."),
    "quiet": (bool, False, "Show only how it ends."),
}

FLAGS: Final = frozenset({"--no-record", "--otlp", "--quiet"})


def _option(name: str) -> str:
    """`for` is no name that Python knows, and the word that a person says."""
    return "--for" if name == "during" else f"--{name.replace('_', '-')}"


WITH_VALUE: Final = frozenset(map(_option, (*_OF_SCENARIO, *_COMMON))) - FLAGS

_ORDERS: Final = ("circular", "random", "unique")


class Asked:
    """What was said: the target, with the options that every load has."""

    def __init__(self, target: Target, given: Mapping[str, Any]) -> None:
        def said(name: str) -> Any:
            return given.get(name, {**_OF_SCENARIO, **_COMMON}[name][1])

        if said("no_record") and (said("report") or said("keep")):
            raise ScenarioError("a report is made of what was recorded", hint="leave out --no-record, or the other")
        self.target = target
        target.rate, target.users, target.count = said("rate"), said("users"), said("count")
        target.during, target.ramp, target.stages = said("during"), said("ramp"), said("stages")
        target.pause, target.arrivals, target.grace = said("pause"), said("arrivals"), said("grace")
        target.feeds = [_feed(text) for text in said("feed") or ()]
        target.thresholds = list(said("threshold") or ())
        self.stand: str | None = said("stand")
        self.processes = _processes(said("processes"))
        self.seed: int | None = said("seed")
        self.shard: str | None = said("shard")
        self.at = _moment(said("start_at"))
        self.keep: str | None = said("keep")
        self.table: str | None = said("table")
        self.baseline: Path | None = said("baseline")
        self.runs: Path | None = None if said("no_record") else said("runs")
        self.reports = tuple(said("report") or ())
        self.prometheus: str | None = said("prometheus")
        self.otlp: bool = said("otlp")
        self.quiet: bool = said("quiet")


def load_app(meant: Scenario[Any, Any] | Plan, target: Target, run: Any, screen: Screen) -> App:
    """The command that loads one scenario or plan: `run` gets what was asked for.

    Raises ScenarioError if the scenario has a parameter that the command line uses itself.
    """
    if isinstance(meant, Plan):
        options, own, doc = _COMMON, [], "Perform a plan: its scenarios as thousands of conversations at once."
    else:
        options, own, doc = {**_OF_SCENARIO, **_COMMON}, own_parameters(meant), meant.doc
    for parameter in own:
        if parameter.name in options:
            option = _option(parameter.name)
            raise ScenarioError(
                f"{target.name} has a parameter {parameter.name!r}, and {option} is an option of `antiphon load`",
                place=meant.place,
                hint="call it otherwise",
            )

    def command(**given: Any) -> int:
        asked = Asked(target, {name: given.pop(name) for name in list(given) if name in options})
        target.parameters = {name: plain(name, value) for name, value in given.items()}
        code: int = run(asked)
        return code

    give_signature(command, [*own, *_parameters(options)], doc)
    shown = f"antiphon load {target.file}:{target.name}"
    app = plain_app(shown, screen)
    app.usage = f"Usage: {shown} [OPTIONS]"
    app.default(command)
    app["--help"].group = (_OPTIONS,)
    return app


def load_help(screen: Screen) -> None:
    """Show the help of `antiphon load` without a scenario."""

    def command(**given: Any) -> None: ...

    give_signature(
        command,
        _parameters({**_OF_SCENARIO, **_COMMON}),
        "Perform a scenario as thousands of conversations at once, and measure.",
    )
    app = plain_app("antiphon load", screen)
    app.usage = "Usage: antiphon load FILE.py:SCENARIO [OPTIONS]\n       antiphon load FILE.py:PLAN [OPTIONS]"
    app.help_epilogue = (
        "The scenario's own parameters are options too: antiphon load FILE.py:SCENARIO --help shows them. "
        "Exit codes: 0 all thresholds held, 4 one was crossed, 5 the numbers may not be trusted."
    )
    app.default(command)
    app["--help"].group = (_OPTIONS,)
    app.help_print([])


def _parameters(options: _Options) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[
                kind,
                Parameter(
                    group=_MUCH if name in _OF_SCENARIO else _OPTIONS,
                    help=text,
                    negative="",
                    show_default=bool(default),
                    name=_option(name),
                ),
            ],
            default=default,
        )
        for name, (kind, default, text) in options.items()
    ]


def _feed(text: str) -> tuple[str, str | None]:
    file, _, order = text.rpartition(":")
    return (file, order) if order in _ORDERS and file else (text, None)


def _processes(text: str) -> int:
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise ScenarioError(f"--processes {text} is no number of processes", hint="1 to 9999, or auto")
    return int(text)


def _moment(text: str | None) -> float | None:
    """The moment that is meant, in seconds since the epoch; local time unless it says another."""
    if text is None:
        return None
    now = datetime.now().astimezone()
    hint = "14:30, 14:30:00, 2026-11-27T14:30:00, 2026-11-27T14:30:00Z, or +30s from now"
    try:
        if found := re.fullmatch(r"\+(\d{1,6})s?", text):
            meant = now + timedelta(seconds=int(found[1]))
        elif re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
            meant = datetime.fromisoformat(f"{now:%Y-%m-%d}T{text}").astimezone()
        else:
            meant = datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise ScenarioError(f"--start-at {text} is no moment", hint=hint) from None
    if meant < now:
        raise ScenarioError(f"--start-at {text} has passed: it is {datetime.now(UTC):%H:%M:%S} UTC", hint=hint)
    return meant.timestamp()

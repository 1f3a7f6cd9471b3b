"""A scenario's parameters as options of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

from cyclopts import App, Group, Parameter
from cyclopts.argument import ArgumentCollection

from antiphon.cli.app import plain_app
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.scenarios.scenario import Parameter as ScenarioParameter
from antiphon.scenarios.scenario import Scenario

__all__ = [
    "FLAGS",
    "HELP",
    "WITH_VALUE",
    "Common",
    "arguments_of",
    "give_signature",
    "own_parameters",
    "run_help",
    "scenario_app",
    "split_target",
]

Run = Callable[["Common", Mapping[str, Any]], int]

_OPTIONS: Final = Group("Options", sort_key=2)

_COMMON: Final[Mapping[str, tuple[Any, Any, str]]] = {
    "stand": (str | None, None, "The stand in antiphon.toml to play on; without it the file's default."),
    "runs": (Path, Path("runs"), "The directory in which the run gets one of its own."),
    "no_record": (bool, False, "Write nothing to disk."),
    "report": (
        list[str] | None,
        None,
        "A report of the run: junit, allure, summary, mermaid, har; NAME=PATH says where it goes. May be given again.",
    ),
    "strict": (bool, False, "Fail if a message was received that nobody expected."),
    "quiet": (bool, False, "Show only how it ends."),
}
"""The options that every scenario has: type, default and help."""

HELP: Final = frozenset({"--help", "-h"})
FLAGS: Final = frozenset({"--no-record", "--strict", "--quiet"})
WITH_VALUE: Final = frozenset({"--stand", "--runs", "--report"})

_TAKEN: Final = frozenset({*_COMMON, "help", "h", "traceback"})


class Common:
    """What was said with the options that every scenario has."""

    def __init__(
        self, *, stand: str | None, runs: Path, no_record: bool, report: list[str] | None, strict: bool, quiet: bool
    ) -> None:
        if no_record and report:
            raise ScenarioError("a report is made of what was recorded", hint="leave out --no-record, or --report")
        self.stand = stand
        self.runs = None if no_record else runs
        self.reports = tuple(report or ())
        # None and not False: without the option the scenario's own word counts.
        self.strict = True if strict else None
        self.quiet = quiet


def scenario_app(
    scenario: Scenario[Any, Any],
    target: str,
    run: Run,
    screen: Screen,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> App:
    """The command that performs one scenario: `run` gets the common options, and the scenario's own that were given.

    `known` are values of its parameters that hold if no others are given.

    Raises ScenarioError if the scenario has a parameter that the command line uses itself.
    """
    # A parameter that took one of our options would make that one unreachable, and nobody would see why.
    for name in scenario.parameters:
        if name in _TAKEN:
            option = f"--{name.replace('_', '-')}"
            raise ScenarioError(
                f"{scenario.name} has a parameter {name!r}, and {option} is an option of `antiphon run` itself",
                place=scenario.place,
                hint="call it otherwise",
            )

    def command(**given: Any) -> int:
        common = Common(**{name: given.pop(name, default) for name, (_, default, _) in _COMMON.items()})
        return run(common, {**known, **given})

    give_signature(command, [*own_parameters(scenario, known), *_common_parameters()], scenario.doc)
    app = plain_app(f"antiphon run {target}", screen)
    app.usage = f"Usage: antiphon run {target} [OPTIONS]"
    app.help_epilogue = _about(scenario)
    app.default(command)
    app["--help"].group = (_OPTIONS,)
    return app


def run_help(screen: Screen) -> None:
    """Show the help of `antiphon run` without a scenario."""

    def command(**given: Any) -> None: ...

    give_signature(command, _common_parameters(), "Perform a scenario once, and show the conversation as it goes on.")
    app = plain_app("antiphon run", screen)
    app.usage = "Usage: antiphon run FILE.py:SCENARIO [OPTIONS]"
    app.help_epilogue = (
        "The scenario's own parameters are options too: antiphon run FILE.py:SCENARIO --help shows them. "
        "SCENARIO may be left out if the file has one only."
    )
    app.default(command)
    app["--help"].group = (_OPTIONS,)
    app.help_print([])


def arguments_of(scenario: Scenario[Any, Any], screen: Screen) -> ArgumentCollection:
    """The scenario's own parameters, with their names as options and the help from its docstring."""

    def command(**given: Any) -> None: ...

    give_signature(command, own_parameters(scenario), scenario.doc)
    app = plain_app("antiphon run", screen)
    app.default(command)
    return app.assemble_argument_collection(parse_docstring=True)


def split_target(
    command: str, tokens: Sequence[str], *, with_value: Set[str], flags: Set[str]
) -> tuple[str, list[str]]:
    """The FILE.py:NAME that a command is about ("" if there is none), and the rest.

    Only options that every scenario has may stand before it: which others there are, only the scenario says.
    """
    position = 0
    while position < len(tokens) and tokens[position].startswith("-"):
        option, _, value = tokens[position].partition("=")
        if option not in HELP | with_value | flags:
            raise ScenarioError(
                f"{option} comes before the scenario that it may belong to",
                hint=f"antiphon {command} FILE.py:SCENARIO {option} …",
            )
        position += 2 if option in with_value and not value else 1
    if position >= len(tokens):
        return "", list(tokens)
    return tokens[position], [*tokens[:position], *tokens[position + 1 :]]


def own_parameters(
    scenario: Scenario[Any, Any], known: Mapping[str, Any] = MappingProxyType({})
) -> list[inspect.Parameter]:
    """Those of the scenario, as a command's options; `known` are other default values."""
    group = Group(f"Parameters of {scenario.name}", sort_key=1)
    return [
        _parameter(
            parameter.name,
            parameter.type,
            known.get(parameter.name, parameter.default),
            _shown(parameter, scenario.doc, group),
        )
        for parameter in scenario.parameters.values()
    ]


def _shown(parameter: ScenarioParameter, doc: str, group: Group) -> Parameter:
    """How it is shown. Of one of which nothing is said, neither by a type nor in the docstring, what it may have been
    meant as: an actor whose class was forgotten."""
    if not parameter.is_required or parameter.type is not Any or parameter.name in doc:
        return Parameter(group=group)
    return Parameter(group=group, help=parameter.actor_hint)


def _common_parameters() -> list[inspect.Parameter]:
    return [
        _parameter(name, kind, default, Parameter(group=_OPTIONS, help=text, negative="", show_default=bool(default)))
        for name, (kind, default, text) in _COMMON.items()
    ]


def _parameter(name: str, kind: Any, default: Any, shown: Parameter) -> inspect.Parameter:
    if kind is Any:
        # Without a type the command line goes by the default, and by text where there is none.
        kind = str if default is inspect.Parameter.empty or default is None else type(default)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, shown], default=default)


def give_signature(command: Callable[..., Any], parameters: list[inspect.Parameter], doc: str) -> None:
    """Make the function look as if it had been written with these parameters: that is what the options are made of."""
    # cyclopts asks `inspect`, which believes this attribute (PEP 362).
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = doc


def _about(scenario: Scenario[Any, Any]) -> str:
    actors = ", ".join(f"{name} ({kind.__name__})" for name, kind in scenario.actors.items()) or "none"
    return f"Actors: {actors}. Written at {scenario.place}."

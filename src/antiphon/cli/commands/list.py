"""`antiphon list`: the scenarios of a file, with their parameters."""

from __future__ import annotations

from typing import Any

from cyclopts.argument import Argument
from rich.text import Text

from antiphon.cli.app import OurScreen
from antiphon.cli.exit_codes import PASSED
from antiphon.cli.options import arguments_of
from antiphon.conversation.wording import visible
from antiphon.errors import ScenarioError
from antiphon.scenarios.scenario import REQUIRED, Scenario, load_file, scenarios_of

__all__ = ["command"]


def command(file: str, /, *, screen: OurScreen) -> int:
    """Write the scenarios of the file in the order of their definition; the exit code.

    Raises ScenarioError if the file cannot be imported or has none.

    Args:
        file: a Python file with functions that have @scenario
    """
    found = scenarios_of(load_file(file))
    if not found:
        raise ScenarioError("there is no scenario", place=file, hint="a scenario is a function with @scenario")
    for name, scenario in found.items():
        screen.print_prose(Text.assemble((f"{file}:{name}", "bold"), f"  {visible(scenario.summary)}"))
        for argument in arguments_of(scenario, screen):
            screen.print_prose(_line(argument, scenario))
    return PASSED


def _line(argument: Argument, scenario: Scenario[Any, Any]) -> Text:
    parameter = scenario.parameters[argument.field_info.name]
    kind = getattr(parameter.type, "__name__", None) or str(parameter.type)
    default = "" if parameter.default is REQUIRED else f" = {parameter.default!r}"
    text = " ".join((argument.parameter.help or "").split())
    return Text.assemble(
        (f"    {argument.name}", "cyan"), visible(f" {kind}{default}"), (f"  {visible(text)}" if text else "", "dim")
    )

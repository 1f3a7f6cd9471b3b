"""What a command line says that is to be loaded: a plan of a file, or one of its scenarios and how much of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon.load.feed import Feed
from antiphon.load.part import Part
from antiphon.load.plain_values import of_plain
from antiphon.load.plan import GRACE_S, Plan
from antiphon.load.rates import duration_s
from antiphon.scenarios.scenario import Scenario, load_file, scenarios_of

__all__ = ["Target", "plan_of", "plans_of", "target_of"]


class Target(msgspec.Struct):
    """A plan that any process can make: by FILE and NAME, and if that is a scenario, by what is asked for.

    `parameters` are those of the scenario that were given, as plain data, `feeds` the files of `--feed`, each with its
    order, or None. The rest is as in `antiphon.load.plan.Plan`.
    """

    file: str
    name: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    feeds: list[tuple[str, str | None]] = msgspec.field(default_factory=list)
    rate: str | None = None
    users: int | None = None
    stages: str | None = None
    pause: str | None = None
    count: int | None = None
    during: str | None = None
    ramp: str | None = None
    arrivals: str | None = None
    grace: str | None = None
    thresholds: list[str] = msgspec.field(default_factory=list)

    @property
    def asks(self) -> list[str]:
        """The options that say how much of a scenario there is: a plan says that itself."""
        names = ("rate", "users", "stages", "pause", "count", "during", "ramp", "arrivals", "grace", "feeds")
        return [name for name in names if getattr(self, name)]


def target_of(text: str) -> tuple[Target, Scenario[Any, Any] | Plan]:
    """What `FILE.py:NAME` means, or `FILE.py` if there is one thing only that can be loaded; plans go first.

    Raises ScenarioError if there is no such thing.
    """
    file, _, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    module = load_file(file)
    found: dict[str, Scenario[Any, Any] | Plan] = {**scenarios_of(module), **plans_of(module)}
    there = f"there is {', '.join(found)}" if found else "it has none: a scenario is a function with @scenario"
    if not name:
        those = plans_of(module) or scenarios_of(module)
        if len(those) != 1:
            raise ScenarioError("which plan or scenario is meant?", place=file, hint=f"{file}:NAME; {there}")
        name = next(iter(those))
    if name not in found:
        raise ScenarioError(f"there is no plan or scenario {name!r}", place=file, hint=there)
    return Target(file, name), found[name]


def plans_of(module: Any) -> dict[str, Plan]:
    """The plans that a module has, by name."""
    return {name: value for name, value in vars(module).items() if isinstance(value, Plan)}


def plan_of(target: Target) -> Plan:
    """The plan. Raises ScenarioError for what cannot be meant."""
    _, meant = target_of(f"{target.file}:{target.name}")
    if isinstance(meant, Plan):
        if target.asks:
            raise ScenarioError(
                f"the plan {target.name} says itself how much of what there is",
                place=meant.place,
                hint=f"leave out --{_option(target.asks[0])}, or change the plan",
            )
        return meant.with_thresholds(target.thresholds)
    return _plan_of_scenario(target, meant)


def _plan_of_scenario(target: Target, scenario: Scenario[Any, Any]) -> Plan:
    whole = Part(
        scenario,
        [Feed(file, order, None, _PLACE) for file, order in target.feeds],  # type: ignore[arg-type]  # checked there
        {name: of_plain(scenario.parameters[name], value) for name, value in target.parameters.items()},
        rate=target.rate,
        users=target.users,
        stages=target.stages,
        pause=target.pause,
        count=target.count,
        place=_PLACE,
    )
    return Plan(
        whole,
        during=target.during,
        ramp=target.ramp or 0,
        arrivals=target.arrivals or "constant",  # type: ignore[arg-type]  # checked there
        grace_s=GRACE_S if target.grace is None else duration_s(target.grace, "--grace"),
        thresholds=target.thresholds,
        place=_PLACE,
    )


def _option(name: str) -> str:
    return {"during": "for", "feeds": "feed"}.get(name, name)


_PLACE: Final = "the command line"

"""One conversation of a load once more, alone: the same scenario, with the parameters and users that it had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from antiphon.actor.actor import Actor
from antiphon.errors import ScenarioError
from antiphon.journal.figures import ConversationKept, LoadStarted
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.journal.masking import MASK
from antiphon.load.feed import feed
from antiphon.load.plain_values import is_one_option, of_plain
from antiphon.load.plan import PlannedPart
from antiphon.load.target import Target, plan_of
from antiphon.scenarios.scenario import REQUIRED, Scenario, load_file, scenarios_of

__all__ = ["Again", "conversation_again"]


class Again(msgspec.Struct):
    """What is to be performed again.

    `parameters` are the scenario's, REQUIRED for one that is secret and so was not recorded, `users` the names of users
    by actor, `stand` the name of the stand ("" for one without), `starts_users` how many users it is to have if it
    makes them itself.
    """

    scenario: Scenario[Any, Any]
    parameters: dict[str, Any]
    users: dict[str, str]
    stand: str
    starts_users: int

    def actors(self) -> dict[str, Actor]:
        """New actors who are to be the users that they were."""
        made = {name: self.scenario.new_actor(name) for name in self.users if name in self.scenario.actors}
        for name, actor in made.items():
            actor.be(self.users[name])
        return made


def conversation_again(directory: Path, conversation: str) -> Again:
    """What the load in that directory performed as that conversation, `PART-NUMBER`.

    Its parameters are those that the plan gives the number; of a load that was made in code those that were recorded,
    if it was kept. Raises ScenarioError if it cannot be known, RecordingError if the record cannot be read.
    """
    place = str(directory / LOAD_FILE_NAME)
    started, kept = _read(directory, conversation)
    name, _, digits = conversation.rpartition("-")
    part = next((each for each in started.plan["parts"] if each["name"] == name), None)
    if part is None or not digits.isdigit():
        names = ", ".join(each["name"] for each in started.plan["parts"])
        raise ScenarioError(f"there is no conversation {conversation!r}", place=place, hint=f"PART-NUMBER, of {names}")
    if "target" in started.plan:
        planned = _planned(started, name)
        scenario, given = planned.scenario, planned.arguments().of(int(digits))
        if given is None:
            raise ScenarioError(f"the feed of {name} has no values for number {digits}", place=place)
    elif kept is not None:
        scenario = _scenario(part)
        given = {name: _typed(scenario, name, value) for name, value in kept.parameters.items()}
    else:
        raise ScenarioError(
            f"the plan of this load was made in code, and what {conversation} was given is not recorded",
            place=place,
            hint="the conversations that were kept can be performed again; conversations/ has them",
        )
    users = kept.users if kept is not None else {}
    # What was masked is not known: whoever performs it again has to say it.
    known = {name: REQUIRED if _is_masked(value) else value for name, value in given.items()}
    for name in (name for name, value in known.items() if value is REQUIRED):
        if not is_one_option(scenario.parameters[name].type):
            raise ScenarioError(
                f"{conversation} was given a secret in {name}, which is not recorded, and no option can say a {name}",
                place=place,
                hint=f"perform it from Python: play({scenario.name}, {name}=…)",
            )
    return Again(scenario, known, users, started.stand, started.plan.get("users", 0))


def _typed(scenario: Scenario[Any, Any], name: str, value: Any) -> Any:
    """What was recorded, as the parameter's type, if there still is such a parameter."""
    parameter = scenario.parameters.get(name)
    return value if parameter is None or _is_masked(value) else of_plain(parameter, value)


def _is_masked(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_masked, value.values()))
    if isinstance(value, str):
        return MASK in value
    return isinstance(value, list | tuple) and any(map(_is_masked, value))


def _read(directory: Path, conversation: str) -> tuple[LoadStarted, ConversationKept | None]:
    entries = read_load(directory / LOAD_FILE_NAME)
    started = next(entries, None)
    if not isinstance(started, LoadStarted):
        raise ScenarioError("this load did not begin", place=str(directory / LOAD_FILE_NAME))
    for entry in entries:
        if isinstance(entry, ConversationKept) and entry.conversation == conversation:
            return started, entry
    return started, None


def _planned(started: LoadStarted, name: str) -> PlannedPart:
    target = msgspec.convert(started.plan["target"], Target)
    for parameter, value in target.parameters.items():
        if _is_masked(value):
            # Of a number it would be said that a mask is none. What a feed gives is looked at when it is lent, and then
            # whoever performs the conversation has been asked for it.
            target.parameters[parameter] = feed(lambda: MASK)
    plan = plan_of(target).with_seed(started.seed)
    found = next((part for part in plan.parts if part.name == name), None)
    if found is None:
        raise ScenarioError(f"the plan has no part {name!r} any more", place=plan.place)
    return found


def _scenario(part: dict[str, Any]) -> Scenario[Any, Any]:
    file = part["scenario_place"].rpartition(":")[0]
    found = scenarios_of(load_file(file)).get(part["scenario"])
    if found is None:
        raise ScenarioError(f"there is no scenario {part['scenario']!r} any more", place=file)
    return found

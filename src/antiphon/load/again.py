"""One conversation of a load once more, alone: the same scenario, with the parameters and users that it had."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon.actor.actor import Actor
from antiphon.errors import ScenarioError
from antiphon.journal.figures import ConversationKept, LoadStarted, PartFigures
from antiphon.journal.load_file import LOAD_FILE_NAME
from antiphon.journal.masking import MASK
from antiphon.load.feed import feed
from antiphon.load.keeping import CONVERSATIONS
from antiphon.load.plain_values import as_recorded, is_one_option, of_plain, plain
from antiphon.load.plan import PlannedPart
from antiphon.load.shares import Share
from antiphon.load.target import Target, plan_of
from antiphon.report.load.figures import LoadFigures, read_figures
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

    Its parameters are those that were recorded, if it was kept, else those that the plan gives the number. Raises
    ScenarioError if it cannot be known, RecordingError if the record cannot be read.
    """
    place = str(directory / LOAD_FILE_NAME)
    figures = read_figures(directory)
    started, kept = _started(figures), _kept(figures, conversation)
    name, _, digits = conversation.rpartition("-")
    part = next((each for each in started.plan["parts"] if each["name"] == name), None)
    if part is None or not _NUMBER.fullmatch(digits):
        names = ", ".join(each["name"] for each in started.plan["parts"])
        raise ScenarioError(f"there is no conversation {conversation!r}", place=place, hint=f"PART-NUMBER, of {names}")
    if kept is None:
        _require_begun(figures, name, int(digits))
    if "target" in started.plan:
        planned = _planned(started, name)
        scenario = planned.scenario
        if kept is None:
            _require_known(planned, conversation, place)
        planned_for = planned.arguments().of(int(digits))
        if planned_for is None:
            raise ScenarioError(
                f"the feed of {name} has no values for number {digits}",
                place=place,
                hint="has its file been changed since? The values of conversations that were kept are recorded",
            )
        given = planned_for if kept is None else _as_recorded(scenario, planned_for, kept)
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


def _started(figures: LoadFigures) -> LoadStarted:
    if figures.started is None:
        place = str(figures.directory / LOAD_FILE_NAME)
        raise ScenarioError("this load did not begin", place=place, hint="antiphon runs shows which there are")
    return figures.started


def _kept(figures: LoadFigures, conversation: str) -> ConversationKept | None:
    return next((each for each in figures.kept if each.conversation == conversation), None)


def _require_begun(figures: LoadFigures, name: str, number: int) -> None:
    """Raise ScenarioError for a number that none can have had: of several processes, and of one shard, some are left
    out between those that began, and of a load that was killed nobody knows the last."""
    started = _started(figures)
    if figures.ended is None or figures.lost:
        return
    part = figures.parts.get(name, PartFigures())
    begun = part.started + part.dropped
    shards = Share.parse(started.shard).of if started.shard else 1
    if number >= begun * started.processes * shards:
        raise ScenarioError(
            f"there is no conversation {name}-{number}: {begun} of {name} were to begin",
            place=str(figures.directory / LOAD_FILE_NAME),
            hint=f"they are counted from 0; {CONVERSATIONS}/ has those that were kept",
        )


def _require_known(planned: PlannedPart, conversation: str, place: str) -> None:
    """Raise ScenarioError if it was given what nobody can give again."""
    for each in planned.part.all_feeds:
        if not each.goes_by_number:
            raise ScenarioError(
                f"what {conversation} was given by {each.title} is not recorded",
                place=place,
                hint=f"{CONVERSATIONS}/ has those that were kept; a function that takes the number can be asked again",
            )


def _as_recorded(scenario: Scenario[Any, Any], planned: Mapping[str, Any], kept: ConversationKept) -> dict[str, Any]:
    """What it was given, where the plan gives another value by now: its feed has changed, or decides by itself."""
    given = dict(planned)
    for name, recorded in kept.parameters.items():
        if name not in scenario.parameters:
            raise ScenarioError(
                f"{scenario.name} has no parameter {name!r} any more, which {kept.conversation} was given",
                place=scenario.place,
                hint="perform it with the file as it was then",
            )
        now = given.get(name, scenario.parameters[name].default)
        if not (_is_masked(recorded) or recorded == as_recorded(now) or _is_told_in_short(now)):
            given[name] = _typed(scenario, name, recorded)
    return given


def _is_told_in_short(value: Any) -> bool:
    """Whether it is the author's own object, of which the record has no more than its name."""
    try:
        plain("", value)
    except ScenarioError:
        return value is not REQUIRED
    return False


def _planned(started: LoadStarted, name: str) -> PlannedPart:
    target = msgspec.convert(started.plan["target"], Target)
    for parameter, value in target.parameters.items():
        if _is_masked(value):
            # Of a number it would be said that a mask is none. What a feed gives is looked at when it is lent, and then
            # whoever performs the conversation has been asked for it.
            target.parameters[parameter] = feed(lambda _number: MASK)
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


_NUMBER: Final = re.compile("[0-9]{1,15}")

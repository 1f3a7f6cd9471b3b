"""A part of a plan: one scenario, how much of it, and what its conversations are given."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

from antiphon.conversation.wording import shorten, visible
from antiphon.errors import ScenarioError
from antiphon.load.arguments import check_arguments
from antiphon.load.feed import Feed
from antiphon.load.rates import RATE_HINT, Pause, Rate, Span, pause_span, rate_per_s
from antiphon.load.stages import MOST_USERS, Stage, Stages, parse_stages
from antiphon.runtime.call_site import Place, caller
from antiphon.scenarios.scenario import Scenario

__all__ = ["Part", "part", "whole_number"]

MOST_CONVERSATIONS: Final = 10**12
MOST_WEIGHT: Final = 1e6


def part(
    scenario: Scenario[Any, Any],
    /,
    *feeds: Feed,
    rate: Rate | None = None,
    users: int | None = None,
    stages: str | None = None,
    weight: float | None = None,
    pause: Pause | None = None,
    count: int | None = None,
    name: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    **more: Any,
) -> Part:
    """A scenario as a part of a plan: `part(outgoing, rate="14/s", telephone=feed("phones.csv"))`.

    One of these says how much of it there is; without any it has its share of what the plan's own stages say:

    rate: so many conversations start in a second, however many are under way: a number above 0, or a text as "20/s",
    "90/min", "1000/h"; at most a million a second.
    users: so many users, 1 to a million, perform it again and again.
    stages: how the rate, or the number of users, changes over time: "0..20/s in 1m, 20/s for 5m, 0 in 10s". `X in T`
    goes to X evenly, `X for T` holds it, `A..B in T` goes from A to B.
    weight: its share of the plan's stages, beside the other parts' weights; 1 by itself. Of users each part's are
    rounded up.

    pause: how long a user rests between two conversations: seconds, a text as "500ms", or the least and the most, as
    "1..3" or (1, 3); no pause by itself.
    count: exactly so many conversations, 1 or more; without anything else one user performs them, one after the other.
    name: what the part is called in thresholds and reports; by itself as the scenario.
    parameters and more: what the scenario's parameters are, for all conversations alike, or a feed for each;
    `parameters` is for those that are called as something above. feeds: tables whose columns name parameters.

    Raises ScenarioError, with the line of this call, for what the scenario does not take or what cannot be meant.
    """
    given = {**(parameters or {}), **more}
    return Part(
        scenario,
        feeds,
        given,
        rate=rate,
        users=users,
        stages=stages,
        weight=weight,
        pause=pause,
        count=count,
        name=name,
        place=caller(),
    )


class Part:
    """What an author has said of a part; see `part`. `place` is where.

    `level` is its own rate, in starts a second, or number of users, and `stages` its own stages; both are None if the
    plan says it. `is_open` says which it is: True for a rate, False for users, None if the plan says it.
    """

    def __init__(
        self,
        scenario: Scenario[Any, Any],
        feeds: Iterable[Feed] = (),
        given: Mapping[str, Any] | None = None,
        *,
        rate: Rate | None = None,
        users: int | None = None,
        stages: str | None = None,
        weight: float | None = None,
        pause: Pause | None = None,
        count: int | None = None,
        name: str | None = None,
        place: Place = "",
    ) -> None:
        self.place = place
        if not isinstance(scenario, Scenario):
            raise self.wrong(f"{shorten(scenario)} is no scenario", "decorate the function with @scenario")
        self.scenario = scenario
        self.name = scenario.name if name is None else self._checked_name(name)
        self.feeds = tuple(feeds)
        for each in self.feeds:
            if not isinstance(each, Feed):
                raise self.wrong(f"{shorten(each)} is no feed", 'feed("phones.csv"), or a parameter by its name')
        self.given = dict(given or {})
        check_arguments(scenario, self.given, self.feeds, place, own_words=_OWN_WORDS)
        self._require_one(rate=rate, users=users, stages=stages, weight=weight)
        self.is_open: bool | None = True if rate is not None else None if users is None else False
        self.level = self._rate(rate) if rate is not None else self._users(users)
        self.stages: tuple[Stage, ...] | None = None
        if stages is not None:
            said = self._stages(stages)
            self.is_open, self.stages = said.unit == "rate", said.stages
        self.weight = None if weight is None else self._weight(weight)
        self.pause = Span(0.0, 0.0) if pause is None else pause_span(pause, place=place)
        if pause is not None and self.is_open:
            raise self.wrong("only users pause, and this part has a rate", "leave out the pause, or give users")
        self.count = None if count is None else whole_number(count, "count", MOST_CONVERSATIONS, place)

    def __repr__(self) -> str:
        return f"<Part {self.name} at {self.place}>"

    @property
    def all_feeds(self) -> list[Feed]:
        """Its feeds, of one parameter and of rows."""
        return [*self.feeds, *(value for value in self.given.values() if isinstance(value, Feed))]

    def with_count(self, count: int, place: Place) -> Part:
        """The same, with that many conversations; `place` is where that was said."""
        counted = copy.copy(self)
        counted.count = whole_number(count, "count", MOST_CONVERSATIONS, place)
        return counted

    def wrong(self, text: str, hint: str) -> ScenarioError:
        """The error with its place."""
        return ScenarioError(text, place=self.place or None, hint=hint)

    def _checked_name(self, name: str) -> str:
        if not isinstance(name, str) or not name.strip() or visible(name) != name or "/" in name:
            raise self.wrong(
                f"{shorten(name)} is no name of a part", "a text without slashes: thresholds say PART/STEP"
            )
        return name.strip()

    def _require_one(self, **given: Any) -> None:
        named = [name for name, value in given.items() if value is not None]
        if len(named) > 1:
            raise self.wrong(f"{named[0]} and {named[1]} both say how much of {self.name} there is", "give one of them")

    def _rate(self, rate: Rate) -> float:
        per_s = rate_per_s(rate, place=self.place or None)
        if not per_s:
            raise self.wrong(f"with the rate {shorten(rate)} nothing would ever start", RATE_HINT)
        return per_s

    def _users(self, users: int | None) -> float | None:
        return None if users is None else whole_number(users, "users", MOST_USERS, self.place)

    def _stages(self, stages: str) -> Stages:
        said = parse_stages(stages, place=self.place or None)
        if said.unit == "percent":
            hint = "a rate or users here; hundredths are for the plan's stages, of what each part says itself"
            raise self.wrong(f"hundredths of what, in {shorten(stages)}?", hint)
        return said

    def _weight(self, weight: float) -> float:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= MOST_WEIGHT:
            raise self.wrong(f"weight {shorten(weight)} is no number above 0", f"at most {MOST_WEIGHT:,.0f}")
        return float(weight)


def whole_number(given: object, what: str, most: int, place: Place) -> int:
    """A whole number, 1 to `most`, that an author has given; else ScenarioError."""
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        text = f"{what} {shorten(given)} is no whole number from 1 to {most:,}"
        raise ScenarioError(text, place=place or None, hint=f"as {what}=20")
    return given


_OWN_WORDS: Final = frozenset({"rate", "users", "stages", "weight", "pause", "count", "name", "parameters"})

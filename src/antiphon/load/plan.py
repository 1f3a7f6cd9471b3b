"""A plan: which scenarios are a load together, how much of each, for how long, and what must hold of it."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from antiphon.conversation.wording import counted, shorten
from antiphon.errors import ScenarioError
from antiphon.load.arguments import Arguments
from antiphon.load.chance import MOST_SEED, new_seed
from antiphon.load.feed import Feed
from antiphon.load.pacing import SPACINGS, Arrivals, Spacing, Users
from antiphon.load.part import Part
from antiphon.load.profile import Profile
from antiphon.load.rates import Duration, duration_s
from antiphon.load.shares import WHOLE, Share
from antiphon.load.stages import Stage, Stages, parse_stages
from antiphon.load.thresholds import Threshold, parse
from antiphon.runtime.call_site import Place, caller
from antiphon.stand.stand import Stand

__all__ = ["GRACE_S", "Plan", "PlannedPart"]

GRACE_S: Final = 30.0
"""How long conversations that are under way may go on, if nobody says."""


class Plan:
    """What a load is: `Plan(part(outgoing, rate="14/s"), part(long_case, users=20), during="5m")`. It never changes.

    parts: see `part`; each has a name of its own.

    during: how long conversations start: seconds, or a text as "5m", "1h30m". Without it they do until `count` or a
    feed's values are used up, or somebody ends it. ramp: how long, from the beginning and within `during`, rates and
    users grow evenly from 0.
    stages: instead of these, how all of it changes over time. Hundredths, "0..100% in 1m, 100% for 5m", are of each
    part's own rate or users. Rates ("0..20/s in 1m") or users ("20 for 5m") are shared by parts that have none.
    count: exactly so many conversations, for a plan of one part.
    arrivals: how those of a rate follow each other: "constant", evenly, or "poisson", as independent callers do.
    grace_s: how many seconds conversations that are under way may go on when no new ones start; 0 or more.
    seed: 0 to 4294967295 for what is drawn by chance; without it one is chosen, and told.
    stand: as in `perform`. thresholds: what must hold, as "outbound_call p95 < 800ms".
    place: where errors say that it was written; by itself the line of this call.

    Raises ScenarioError, with that line, for what cannot be meant: also two parts of one name, a feed of unique values
    that has fewer than `count`, or two parts that would both use up the same file.
    """

    def __init__(
        self,
        *parts: Part,
        during: Duration | None = None,
        ramp: Duration = 0,
        stages: str | None = None,
        count: int | None = None,
        arrivals: Spacing = "constant",
        grace_s: float = GRACE_S,
        seed: int | None = None,
        stand: Stand | str | None = None,
        thresholds: Sequence[str] = (),
        place: Place | None = None,
    ) -> None:
        self.place = caller() if place is None else place
        self._require_parts(parts)
        self.arrivals: Spacing = self._arrivals(arrivals)
        self.grace_s = duration_s(grace_s, "grace_s", place=self.place)
        self.seed = new_seed() if seed is None else self._seed(seed)
        self.stand = stand
        self.thresholds = self._thresholds(thresholds)
        self.share = WHOLE
        parts = self._counted(parts, count)
        profiles = self._profiles(parts, during, duration_s(ramp, "ramp", place=self.place), stages)
        self.parts = tuple(
            PlannedPart(each, is_open, profile, self.arrivals, self.seed)
            for each, (is_open, profile) in zip(parts, profiles, strict=True)
        )
        self._require_values()

    def __repr__(self) -> str:
        return f"<Plan {', '.join(each.name for each in self.parts)}; share {self.share}, seed {self.seed}>"

    @property
    def duration_s(self) -> float | None:
        """How many seconds conversations start, without grace; None if that shows only when it has ended."""
        durations = [each.duration_s for each in self.parts]
        return None if None in durations else max(each for each in durations if each is not None)

    @property
    def most_users(self) -> int | None:
        """How many users of the stand it needs at most at once; None if that cannot be known, as with a rate."""
        users = [each.most_users for each in self.parts]
        return None if None in users else sum(each for each in users if each is not None)

    def shard(self, k: int, n: int) -> Plan:
        """The k-th of n shares of it, counted from 1; all of them together are exactly the whole.

        A share can be shared again, as a machine's by its processes. Raises ScenarioError if there is no such share.
        """
        shared = copy.copy(self)
        share = Share.numbered(k, n)
        shared.share = share.within(self.share)
        shared.parts = tuple(each.scaled(share) for each in self.parts)
        return shared

    def with_seed(self, seed: int) -> Plan:
        """The same with another seed: processes that read one file of a plan draw alike only if they have the same."""
        seeded = copy.copy(self)
        seeded.seed = self._seed(seed)
        seeded.parts = tuple(each.with_seed(seed) for each in self.parts)
        return seeded

    def steered(self) -> Plan:
        """The same, of which nothing begins until somebody says how much of each part, and that without an end.

        Each part stays one with a rate or with users. Raises ScenarioError for a part with a count: who steers ends it.
        """
        steered = copy.copy(self)
        for each in self.parts:
            if each.count is not None:
                hint = "leave the count out: whoever steers it says when it ends"
                raise each.part.wrong(f"{each.name} has a count, and it is steered from elsewhere", hint)
        idle = Profile.constant(0.0)
        steered.parts = tuple(
            PlannedPart(each.part, each.is_open, idle, self.arrivals, self.seed).scaled(self.share)
            for each in self.parts
        )
        return steered

    def with_thresholds(self, thresholds: Sequence[str]) -> Plan:
        """The same, of which these must hold as well. Raises ScenarioError for what is no threshold."""
        judged = copy.copy(self)
        judged.thresholds = (*self.thresholds, *self._thresholds(thresholds))
        return judged

    def as_data(self) -> dict[str, Any]:
        """The plan as plain data, for records. Values of parameters are in it as they were given."""
        return {
            "parts": [each.as_data() for each in self.parts],
            "arrivals": self.arrivals,
            "duration_s": self.duration_s,
            "grace_s": self.grace_s,
            "seed": self.seed,
            "share": str(self.share),
            "stand": self.stand.name if isinstance(self.stand, Stand) else self.stand,
            "thresholds": [str(each) for each in self.thresholds],
            "place": self.place,
        }

    def _wrong(self, text: str, hint: str) -> ScenarioError:
        return ScenarioError(text, place=self.place, hint=hint)

    def _require_parts(self, parts: Iterable[Part]) -> None:
        hint = 'Plan(part(outgoing, rate="14/s"), during="5m")'
        for each in parts:
            if not isinstance(each, Part):
                raise self._wrong(f"{shorten(each)} is no part of a plan", hint)
        names = Counter(each.name for each in parts)
        if not names:
            raise self._wrong("the plan has no parts", hint)
        name, times = names.most_common(1)[0]
        if times > 1:
            raise self._wrong(f"{times} parts are called {name!r}", "give each a name: part(…, name=…)")

    def _arrivals(self, arrivals: Spacing) -> Spacing:
        if arrivals not in SPACINGS:
            raise self._wrong(f"arrivals cannot be {shorten(arrivals)}", f"they are {' or '.join(SPACINGS)}")
        return arrivals

    def _seed(self, seed: int) -> int:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
            raise self._wrong(f"seed {shorten(seed)} is no whole number from 0 to {MOST_SEED}", "leave it out for any")
        return seed

    def _thresholds(self, thresholds: Sequence[str]) -> tuple[Threshold, ...]:
        if isinstance(thresholds, str) or not all(isinstance(each, str) for each in thresholds):
            hint = 'thresholds=["outbound_call p95 < 800ms", "errors < 1%"]'
            raise self._wrong(f"thresholds are a list of texts, not {shorten(thresholds)}", hint)
        return tuple(parse(each, place=self.place) for each in thresholds)

    def _counted(self, parts: tuple[Part, ...], count: int | None) -> tuple[Part, ...]:
        """The parts, with the count that the plan gives."""
        if count is None:
            return parts
        if len(parts) > 1 or parts[0].count is not None:
            raise self._wrong("which part has this count?", "give each part its own: part(…, count=100)")
        return (parts[0].with_count(count, self.place),)

    def _profiles(
        self, parts: Sequence[Part], during: Duration | None, ramp_s: float, stages: str | None
    ) -> list[tuple[bool, Profile]]:
        """For each part whether it has a rate, and its level over time."""
        if stages is not None:
            if during is not None or ramp_s:
                raise self._wrong("stages say themselves how long they take", "leave out during and ramp")
            return self._staged(parts, parse_stages(stages, place=self.place))
        during_s = math.inf if during is None else duration_s(during, "during", place=self.place)
        if not during_s:
            raise self._wrong("in no time nothing would ever start", 'during="5m"')
        if ramp_s > during_s:
            raise self._wrong(f"a ramp of {ramp_s:g} s does not fit into {during_s:g} s", "it is a part of that time")
        if (during is not None or ramp_s) and all(each.stages is not None for each in parts):
            raise self._wrong("the parts' stages say themselves how long they take", "leave out during and ramp")
        return [_own_profile(each, during_s, ramp_s) for each in parts]

    def _staged(self, parts: Sequence[Part], said: Stages) -> list[tuple[bool, Profile]]:
        """The same by the plan's stages."""
        is_of_own = said.unit == "percent"
        for each in parts:
            if each.stages is not None:
                raise each.wrong(f"{each.name} has stages, and the plan too", "leave out one of them")
            if is_of_own and each.level is None:
                raise each.wrong(f"hundredths of what, for {each.name}?", 'give it a rate or users: rate="14/s"')
            if not is_of_own and each.level is not None:
                hint = "leave it out, or let the plan's stages be hundredths: 0..100% in 1m"
                raise each.wrong(f"{each.name} has its own rate or users, and the plan's stages say it too", hint)
        weights = sum(each.weight or 1.0 for each in parts)
        planned: list[tuple[bool, Profile]] = []
        for each in parts:
            is_open = said.unit == "rate" if each.is_open is None else each.is_open
            if is_open and each.pause.most_s:
                raise each.wrong("only users pause, and the plan's stages are a rate", "leave out the pause")
            own, of = (each.level, 100.0) if each.level is not None else (each.weight or 1.0, weights)
            # In this order: 14 * 100 / 100 is 14, and 0.14 * 100 is a little more.
            scaled = [Stage(stage.begin * own / of, stage.end * own / of, stage.duration_s) for stage in said.stages]
            planned.append((is_open, Profile(scaled)))
        return planned

    def _require_values(self) -> None:
        """Raises ScenarioError if a part cannot have all its conversations, or two would use up the same values."""
        users: dict[Any, str] = {}
        for planned in self.parts:
            _require_enough_starts(planned)
            for feed in planned.part.all_feeds:
                if feed.order != "unique":
                    continue
                _require_enough_values(planned.part, feed)
                other = users.setdefault(feed.file or feed, planned.name)
                if other != planned.name:
                    text = f"{other} and {planned.name} would both use up the feed {feed.title}"
                    raise self._wrong(text, "give each a feed of its own, or another order")


class PlannedPart:
    """A part as it is to be performed: by its share, at its profile's rate or with its users.

    `is_open` is True for a rate, `profile` is the share's, `count` is how many conversations the whole has, None for no
    limit.
    """

    def __init__(self, part: Part, is_open: bool, profile: Profile, spacing: Spacing, seed: int) -> None:
        self.part = part
        self.name = part.name
        self.scenario = part.scenario
        self.is_open = is_open
        self.profile = profile
        self.count = part.count
        self._spacing: Spacing = spacing
        self._seed = seed

    def __repr__(self) -> str:
        return f"<PlannedPart {self.name}: {'rate' if self.is_open else 'users'} {self.profile!r}>"

    @property
    def duration_s(self) -> float | None:
        """How many seconds its conversations start; None if that shows only when it has ended."""
        ends_s = self.profile.duration_s
        if self.is_open and self.count is not None and self._spacing == "constant":
            ends_s = min(ends_s, Profile(self.profile.stages).when(self.count - 1))
        return ends_s if math.isfinite(ends_s) else None

    @property
    def most_users(self) -> int | None:
        """How many users of the stand its share needs at most at once; None if that cannot be known."""
        for_each = sum(kind.needs_user for kind in self.scenario.actors.values())
        if not for_each:
            return 0
        if self.is_open:
            return None if self.count is None else for_each * self.profile.share.how_many(self.count)
        return for_each * max((users for _, users in self.profile.steps()), default=0)

    def pacing(self) -> Arrivals | Users:
        """When its conversations start, from the beginning: by a rate, or by users."""
        if self.is_open:
            return Arrivals(self.profile, spacing=self._spacing, count=self.count, seed=self._seed, stream=self.name)
        return Users(self.profile, pause=self.part.pause, count=self.count, seed=self._seed, stream=self.name)

    def arguments(self) -> Arguments:
        """What its conversations are given. Iterators of Python can be asked for once."""
        return Arguments(self.scenario, self.part.given, self.part.feeds, seed=self._seed, stream=self.name)

    def scaled(self, share: Share) -> PlannedPart:
        """That share of it."""
        return PlannedPart(self.part, self.is_open, self.profile.scaled(share), self._spacing, self._seed)

    def with_seed(self, seed: int) -> PlannedPart:
        """The same with another seed."""
        return PlannedPart(self.part, self.is_open, self.profile, self._spacing, seed)

    def as_data(self) -> dict[str, Any]:
        """It as plain data. Levels are starts in a second, or users, of the whole."""
        pause = self.part.pause
        return {
            "name": self.name,
            "scenario": self.scenario.name,
            "scenario_place": self.scenario.place,
            "model": "open" if self.is_open else "closed",
            "stages": self.profile.as_data(),
            "count": self.count,
            "pause_s": [pause.least_s, pause.most_s],
            "parameters": {name: _plain(value) for name, value in self.part.given.items()},
            "feeds": [feed.as_data() for feed in self.part.feeds],
            "place": self.part.place,
        }


def _own_profile(part: Part, during_s: float, ramp_s: float) -> tuple[bool, Profile]:
    """Whether a part has a rate, and its level over time, where the plan has no stages."""
    if part.weight is not None:
        raise part.wrong("a weight of what?", 'the plan needs stages to share: stages="20/s for 5m"')
    if part.stages is not None:
        return bool(part.is_open), Profile(part.stages)
    if part.level is not None:
        return bool(part.is_open), Profile.constant(part.level, during_s, ramp_s)
    if part.count is None:
        raise part.wrong(f"how much of {part.name}?", 'give it rate="14/s", users=20 or count=100')
    return False, Profile.constant(1.0, during_s, ramp_s)


def _require_enough_starts(planned: PlannedPart) -> None:
    count, total = planned.count, planned.profile.total
    if planned.is_open and count is not None and math.isfinite(total) and math.ceil(total) < count:
        text = f"{planned.name} is to have {count} conversations, and in its time {math.ceil(total)} start"
        raise planned.part.wrong(text, "give it more time, a higher rate, or a lower count")


def _require_enough_values(part: Part, feed: Feed) -> None:
    if part.count is None:
        return
    many = feed.how_many()
    if many is not None and many < part.count:
        has = f"the feed {feed.title} has {counted(many, 'value')}, and {part.name} needs {part.count}"
        raise part.wrong(has, "add some, ask for fewer, or let it be circular")


def _plain(value: Any) -> Any:
    if isinstance(value, Feed):
        return value.as_data()
    return value if isinstance(value, str | int | float | bool | None) else shorten(value)

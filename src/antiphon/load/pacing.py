"""When conversations start. Pure: whoever drives it says what time it is, in seconds since the load began.

`Arrivals` is the open model: they start when they are due, however many are under way. `Users` is the closed one: so
many users do one after the other. Both give each start with the moment at which it was due, so that whoever is late
counts from there. What changes them while they run is absolute: told the same again, they stay as they are.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import chain
from typing import Final, Literal, NamedTuple, get_args

from antiphon.load.chance import draw
from antiphon.load.profile import Profile
from antiphon.load.rates import Span
from antiphon.load.shares import Numbering

__all__ = ["SPACINGS", "Arrivals", "Spacing", "Start", "Users"]

Spacing = Literal["constant", "poisson"]
"""How arrivals follow each other: evenly, or as independent callers do (exponential gaps)."""

SPACINGS: Final[tuple[str, ...]] = get_args(Spacing)


class Start(NamedTuple):
    """A conversation that is to start: its number in the whole load, when it was due, and whose turn it is.

    `user` is the number of the user among those of the share, -1 in the open model.
    """

    number: int
    due_s: float
    user: int = -1


class Arrivals:
    """The starts of the open model: due at the moments of a profile of rates, each given once.

    `constant`: start n is due when the profile's integral is n. `poisson`: the points of a Poisson process with rate 1,
    put where the profile's integral has come to them, which gives one with the profile's rate (time change: Çınlar,
    "Introduction to Stochastic Processes", 1975). Each share draws its own, and their union is Poisson with the whole's
    rate. `count` is how many starts the whole has, None for no limit; `seed` and `stream`, a name, choose the chance.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        spacing: Spacing = "constant",
        count: int | None = None,
        seed: int = 0,
        stream: str = "",
    ) -> None:
        self._profile = profile
        self._spacing: _Evenly | _AtRandom = _Evenly() if spacing == "constant" else _AtRandom(seed, stream, profile)
        share = profile.share
        self._numbering = Numbering(share, share.of)
        self._last = math.inf if count is None else share.how_many(count)
        self._begun = 0
        self._further = 0  # by so many its numbers are ahead of its moments
        self.next_at_s = self._next()
        """When the next start is due; infinite if, as things are, none is."""

    @property
    def profile(self) -> Profile:
        """The profile, with what was changed since the beginning."""
        return self._profile

    @property
    def begun(self) -> int:
        """How many starts were given."""
        return self._begun

    @property
    def next_number(self) -> int:
        """The number of the next start: those of the share below it were given."""
        return self._numbering.number(self._begun + self._further)

    def is_over(self, now_s: float) -> bool:
        """Whether no start will be given any more: all were, or the profile has ended."""
        return not self._has_more or (self.next_at_s > now_s and now_s >= self._profile.duration_s)

    def take(self, now_s: float) -> list[Start]:
        """The starts that are due by now and were not given yet, in order."""
        starts: list[Start] = []
        while self.next_at_s <= now_s:
            starts.append(Start(self.next_number, self.next_at_s))
            self._begun += 1
            self.next_at_s = self._next()
        return starts

    def skip(self, before_s: float, reached: int | None = None) -> int:
        """Leave out the starts that were due before that moment, as if they had been given; how many they were.

        For whoever takes over the share of a process that has ended. `reached` is the number up to which that one had
        given them: numbers go on from there, however many were due. None if it is not known.
        """
        begun = self._begun
        surely = min(self._last, self._spacing.surely_before(self._profile, before_s))
        self._begun = max(begun, int(surely))
        self.next_at_s = self._next()
        while self.next_at_s < before_s:
            self._begun += 1
            self.next_at_s = self._next()
        if reached is not None:
            self._further = self._numbering.how_many(reached) - self._begun
            self.next_at_s = self._next()
        return self._begun - begun

    def set_rate(self, per_s: float, from_s: float) -> None:
        """From that moment to the end the whole has this rate, whatever its profile said. 0 is none.

        A moment before the last start changes when the next is due, and takes nothing back.
        """
        self._change(self._profile.with_level(per_s, from_s))

    def pause(self, from_s: float) -> None:
        """From that moment on nothing is due, until `resume`. Time goes on, and nothing is made up for."""
        self._change(self._profile.with_pause(True, from_s))

    def resume(self, from_s: float) -> None:
        """From that moment on starts are due again, as the profile says for it."""
        self._change(self._profile.with_pause(False, from_s))

    def _change(self, profile: Profile) -> None:
        if profile is not self._profile:
            self._profile = profile
            self.next_at_s = self._next()

    def _next(self) -> float:
        return self._spacing.when(self._profile, self._begun) if self._has_more else math.inf

    @property
    def _has_more(self) -> bool:
        return self._begun + self._further < self._last


class _Evenly:
    """Each start when the profile says that it is due."""

    def when(self, profile: Profile, nth: int) -> float:
        return profile.when(nth)

    def surely_before(self, profile: Profile, moment_s: float) -> int:
        """So many starts are before that moment; it may be a few more."""
        return max(0, math.floor(profile.due(moment_s)) - 1)


class _AtRandom:
    """Each start at the next point of the share's own Poisson process."""

    def __init__(self, seed: int, stream: str, profile: Profile) -> None:
        self._seed = seed
        self._stream = f"arrivals {stream} {profile.share}"
        self._drawn = 0
        self._point = 0.0

    def when(self, profile: Profile, nth: int) -> float:
        while self._drawn <= nth:
            self._point -= math.log(1.0 - draw(self._seed, self._stream, self._drawn))
            self._drawn += 1
        return profile.moment(self._point)

    def surely_before(self, profile: Profile, moment_s: float) -> int:
        return 0  # all points must be drawn


class Users:
    """The starts of the closed model: users who begin one conversation after the other, with a pause between them.

    A user is there from the moment at which the profile wants it; its first conversation is due then, and each further
    one a pause after the last has ended. One that is no longer wanted ends what it has begun. `count` is how many
    conversations the whole has, None for no limit: each user has as many as any other, or one more.
    """

    def __init__(
        self, profile: Profile, *, pause: Span, count: int | None = None, seed: int = 0, stream: str = ""
    ) -> None:
        self._profile = profile
        self._pause = pause
        self._seed = seed
        self._stream = f"pause {stream}"
        share = profile.share
        width = share.of if count is None else max(1, math.ceil(round(profile.peak, 9)))
        self._numbering = Numbering(share, width)
        self._last = math.inf if count is None else self._numbering.how_many(count)
        self._begun = 0
        self._wanted = 0
        self._there = 0  # users with a lower number have been there
        self._away: list[int] = []  # those of them who are not wanted, lowest first
        self._resting: list[tuple[float, int]] = []  # when who goes on
        self._busy: dict[int, int] = {}  # who performs which conversation
        self._seen_s = -math.inf  # how far the steps were taken
        self._steps = profile.steps()
        self._step = next(self._steps, _NEVER)

    @property
    def profile(self) -> Profile:
        """The profile, with what was changed since the beginning."""
        return self._profile

    @property
    def wanted(self) -> int:
        """How many users of the share are to be there, at the moment of the last `take`."""
        return self._wanted

    @property
    def begun(self) -> int:
        """How many starts were given."""
        return self._begun

    @property
    def next_number(self) -> int:
        """The number of the next start: those of the share below it were given."""
        return self._numbering.number(self._begun)

    @property
    def next_at_s(self) -> float:
        """When `take` has something to do next; infinite if, as things are, never."""
        return min(self._step[0], self._rested_at_s) if self._begun < self._last else math.inf

    def is_over(self, now_s: float) -> bool:
        """Whether no start will be given any more: all were, or the profile has ended."""
        return self._begun >= self._last or now_s >= self._profile.duration_s

    def take(self, now_s: float) -> list[Start]:
        """The starts that are due by now and were not given yet, in the order in which they are due."""
        starts: list[Start] = []
        while self.next_at_s <= now_s:
            # Who is no longer wanted at a moment does not start at it.
            if self._step[0] <= self._rested_at_s:
                at_s, self._wanted = self._step
                self._step = next(self._steps, _NEVER)
                starts += self._arrive(at_s)
            else:
                due_s, user = heapq.heappop(self._resting)
                if user < self._wanted:
                    starts.append(self._start(user, due_s))
                else:
                    heapq.heappush(self._away, user)
        self._seen_s = max(self._seen_s, now_s)
        return starts

    def skip(self, before_s: float, reached: int) -> None:
        """Go on at that moment, and at that number, where somebody else has ended: users who are to be there are due
        then.

        For whoever takes over the share of a process that has ended; before the first `take`.
        """
        self._begun = self._numbering.how_many(reached)
        self._seen_s = before_s
        self._look_at_steps(before_s)

    def ended(self, start: Start, at_s: float) -> None:
        """That conversation has ended: its user pauses, and goes on if it is wanted then."""
        if self._busy.get(start.user) == start.number:
            del self._busy[start.user]
            pause_s = self._pause.at(draw(self._seed, self._stream, start.number))
            heapq.heappush(self._resting, (at_s + pause_s, start.user))

    def set_users(self, users: int, from_s: float) -> None:
        """From that moment to the end the whole has so many users, whatever its profile said."""
        self._change(self._profile.with_level(users, from_s), from_s)

    def pause(self, from_s: float) -> None:
        """From that moment on nobody begins a conversation, until `resume`."""
        self._change(self._profile.with_pause(True, from_s), from_s)

    def resume(self, from_s: float) -> None:
        """From that moment on users begin conversations again, as many as the profile wants by then."""
        self._change(self._profile.with_pause(False, from_s), from_s)

    @property
    def _rested_at_s(self) -> float:
        return self._resting[0][0] if self._resting else math.inf

    def _change(self, profile: Profile, from_s: float) -> None:
        if profile is not self._profile:
            self._profile = profile
            self._look_at_steps(from_s)

    def _look_at_steps(self, from_s: float) -> None:
        """Take the profile's steps anew from where we are; what is otherwise from an earlier moment on is due then."""
        self._steps = self._profile.steps()
        self._step = next(self._steps, _NEVER)
        wanted = 0
        while self._step[0] <= self._seen_s:
            wanted = self._step[1]
            self._step = next(self._steps, _NEVER)
        if from_s <= self._seen_s:
            self._steps = chain([self._step], self._steps)
            self._step = (from_s, wanted)

    def _arrive(self, at_s: float) -> Iterator[Start]:
        while self._away and self._away[0] < self._wanted and self._begun < self._last:
            yield self._start(heapq.heappop(self._away), at_s)
        while self._there < self._wanted and self._begun < self._last:
            self._there += 1
            yield self._start(self._there - 1, at_s)

    def _start(self, user: int, due_s: float) -> Start:
        number = self._numbering.number(self._begun)
        self._begun += 1
        self._busy[user] = number
        return Start(number, due_s, user)


_NEVER: Final = (math.inf, 0)

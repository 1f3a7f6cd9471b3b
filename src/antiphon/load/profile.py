"""How much load there is to be at each moment, how much was due until then, and when the n-th start is due."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Any, Final

import msgspec

from antiphon.load.shares import WHOLE, Share
from antiphon.load.stages import Stage

__all__ = ["Change", "Profile"]


class Change(msgspec.Struct, frozen=True):
    """What somebody wants otherwise from that moment on: another level, or whether nothing is to start."""

    from_s: float
    level: float | None = None
    is_paused: bool | None = None


class _Piece(msgspec.Struct, frozen=True):
    """A straight line: between the moments `start_s` and `end_s` the level goes evenly from `begin` to `end`."""

    start_s: float
    end_s: float
    begin: float
    end: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def slope(self) -> float:
        """By how much the level rises in a second."""
        return (self.end - self.begin) / self.duration_s if self.end != self.begin else 0.0

    def level(self, passed_s: float) -> float:
        return self.begin + self.slope * passed_s if self.end != self.begin else self.begin

    def when(self, level: float) -> float:
        """The moment at which a line that rises or falls has come to that level."""
        return min(self.start_s + max(0.0, (level - self.begin) / self.slope), self.end_s)

    def area(self, passed_s: float) -> float:
        """The integral of the level over the piece's first seconds."""
        return passed_s * (self.begin + self.level(passed_s)) / 2 if self.begin or self.end else 0.0

    def passed_s(self, area: float) -> float:
        """In how many seconds the integral has come to that. The piece is not flat at 0."""
        if self.begin == self.end:
            return min(area / self.begin, self.duration_s)
        # The root of slope/2·t² + begin·t = area in the form that cancels nothing, also where the slope is small.
        root = math.sqrt(max(0.0, self.begin * self.begin + 2 * self.slope * area))
        return min(2 * area / (self.begin + root), self.duration_s) if area else 0.0

    def cut(self, from_s: float, to_s: float) -> _Piece | None:
        """What of it lies between these moments; None if that is nothing."""
        from_s, to_s = max(from_s, self.start_s), min(to_s, self.end_s)
        if from_s >= to_s:
            return None
        end = self.end if to_s == self.end_s else self.level(to_s - self.start_s)
        return _Piece(from_s, to_s, self.level(from_s - self.start_s), end)


class Profile:
    """A level (starts in a second, or users) over the time of a load, which begins at 0 s. A value: it never changes.

    It goes evenly from one level to the next, or holds one; before its beginning and after its end the level is 0.
    `changes` is what was wanted otherwise while it ran, in the order in which that was said. `share` is which of its
    starts are ours; `level`, `due` and `when` are those of the share.
    """

    def __init__(self, stages: Sequence[Stage], changes: Sequence[Change] = (), share: Share = WHOLE) -> None:
        self.stages = tuple(stages)
        self.changes = tuple(changes)
        self.share = share
        pieces = _pieces_of(self.stages)
        self.duration_s = pieces[-1].end_s if pieces else 0.0
        """How long it takes; infinite if it has no end."""
        self._pieces = _with_pauses(_with_levels(pieces, self.changes), self.changes)
        self._starts_s = [piece.start_s for piece in self._pieces]
        # Where a piece of rates as 1000/h ends, no start shall be lost or won by rounding.
        areas = accumulate((piece.area(piece.duration_s) for piece in self._pieces), initial=0.0)
        self._areas = [_snapped(area) for area in areas]

    @classmethod
    def constant(cls, level: float, duration_s: float = math.inf, ramp_s: float = 0.0) -> Profile:
        """One level for so long; the first `ramp_s` seconds of it go there evenly from 0."""
        ramp = [Stage(0.0, level, ramp_s)] if ramp_s else []
        rest = [Stage(level, level, duration_s - ramp_s)] if duration_s > ramp_s else []
        return cls([*ramp, *rest])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return (self.stages, self.changes, self.share) == (other.stages, other.changes, other.share)

    def __hash__(self) -> int:
        return hash((self.stages, self.changes, self.share))

    def __repr__(self) -> str:
        told = [f"{stage.begin:g}..{stage.end:g} in {stage.duration_s:g} s" for stage in self.stages]
        return f"<Profile {', '.join(told)}; share {self.share}, {len(self.changes)} changes>"

    @property
    def peak(self) -> float:
        """The highest level of the whole."""
        return max((max(piece.begin, piece.end) for piece in self._pieces), default=0.0)

    @property
    def total(self) -> float:
        """How much is due in all its time: at a rate, its starts; infinite if it has no end."""
        return self._areas[-1] / self.share.of

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to start, by what was wanted last."""
        said = [change.is_paused for change in self.changes if change.is_paused is not None]
        return bool(said) and said[-1]

    def at(self, t_s: float) -> float:
        """The level at that moment; where it jumps, the one after."""
        piece = self._piece_at(t_s)
        return piece.level(t_s - piece.start_s) / self.share.of if piece is not None else 0.0

    def asking_s(self, from_s: float, to_s: float) -> float:
        """For how many of the seconds between these moments there is a level at all."""
        first = max(bisect_right(self._starts_s, from_s) - 1, 0)
        asking_s = 0.0
        for piece in self._pieces[first:]:
            if piece.start_s >= to_s:
                break
            if piece.begin or piece.end:
                asking_s += max(0.0, min(piece.end_s, to_s) - max(piece.start_s, from_s))
        return asking_s

    def due(self, t_s: float) -> float:
        """The integral of the level until that moment: at a rate, so many starts."""
        index = bisect_right(self._starts_s, t_s) - 1
        if index < 0:
            return 0.0
        piece = self._pieces[index]
        if t_s >= piece.end_s:
            return self._areas[index + 1] / self.share.of
        return (self._areas[index] + piece.area(t_s - piece.start_s)) / self.share.of

    def when(self, nth: int) -> float:
        """The moment at which start `nth` is due, 0 and up, in seconds; infinite if that is never.

        The first is due when there is a level at all, start n of the whole when `due` is n; of the share k of n shares,
        its start j is the whole's j·n + k. The moment is computed from `nth` alone, so nothing adds up over time.
        """
        return self._moment(nth * self.share.of + self.share.index)

    def moment(self, due: float) -> float:
        """The last moment at which `due` is still that, in seconds; infinite if it never is more."""
        return self._moment(due * self.share.of)

    def steps(self) -> Iterator[tuple[float, int]]:
        """How many users of this share are to be there: (from which moment on, how many), in order of time.

        A level between two whole numbers is the higher one, so a ramp from 0 begins with a user and ends without one.
        """
        last = 0
        # Where one line ends and another begins there are two for a moment, and the later one counts.
        for at_s, of_a_moment in groupby(self._steps(), itemgetter(0)):
            *_, (_, users) = of_a_moment
            own = self.share.how_many(users)
            if own != last:
                yield at_s, own
                last = own

    def scaled(self, share: Share) -> Profile:
        """That share of this profile: shares of the same load are together exactly the whole."""
        return Profile(self.stages, self.changes, share.within(self.share))

    def with_level(self, level: float, from_s: float) -> Profile:
        """The same, but from that moment to its end at this level of the whole. Said again, it changes nothing."""
        last = next((change for change in reversed(self.changes) if change.level is not None), None)
        if last is not None and last.level == level and last.from_s <= from_s:
            return self
        return self._with(Change(from_s, level=level))

    def with_pause(self, is_paused: bool, from_s: float) -> Profile:
        """The same, but from that moment on nothing starts, or starts again. Said again, it changes nothing.

        Time goes on in a pause: what would have been due in it is not made up for.
        """
        return self if self.is_paused == is_paused else self._with(Change(from_s, is_paused=is_paused))

    def as_data(self) -> list[dict[str, Any]]:
        """Its stages as plain data; a duration without an end is None."""
        return [
            {
                "begin": stage.begin,
                "end": stage.end,
                "duration_s": stage.duration_s if math.isfinite(stage.duration_s) else None,
            }
            for stage in self.stages
        ]

    def _with(self, change: Change) -> Profile:
        return Profile(self.stages, (*self.changes, change), self.share)

    def _piece_at(self, t_s: float) -> _Piece | None:
        index = bisect_right(self._starts_s, t_s) - 1
        return self._pieces[index] if index >= 0 and t_s < self._pieces[index].end_s else None

    def _moment(self, area: float) -> float:
        """The last moment at which the whole's integral is that."""
        index = bisect_right(self._areas, area) - 1
        if index >= len(self._pieces):
            return math.inf
        piece = self._pieces[index]
        return piece.start_s + piece.passed_s(area - self._areas[index])

    def _steps(self) -> Iterator[tuple[float, int]]:
        """The same of the whole; the number may be what it was."""
        for piece in self._pieces:
            begin, end = round(piece.begin, _DIGITS), round(piece.end, _DIGITS)
            if piece.slope > 0:
                # Just after the moment at which the level is a whole number, one more is wanted.
                for users in range(math.floor(begin), math.ceil(end)):
                    yield piece.when(users), users + 1
            else:
                yield piece.start_s, math.ceil(begin)
                for users in range(math.ceil(begin) - 1, math.ceil(end) - 1, -1):
                    yield piece.when(users), users
        if math.isfinite(self.duration_s):
            yield self.duration_s, 0


def _pieces_of(stages: Sequence[Stage]) -> list[_Piece]:
    bends_s = accumulate((stage.duration_s for stage in stages), initial=0.0)
    return [
        _Piece(start_s, end_s, stage.begin, stage.end)
        for stage, (start_s, end_s) in zip(stages, pairwise(bends_s), strict=True)
    ]


def _with_levels(pieces: list[_Piece], changes: Sequence[Change]) -> list[_Piece]:
    """The pieces as they are with these changes of the level, each of which holds until the end."""
    end_s = pieces[-1].end_s if pieces else 0.0
    for change in changes:
        from_s = max(change.from_s, 0.0)
        if change.level is None or from_s >= end_s:
            continue
        while pieces and pieces[-1].start_s >= from_s:
            pieces.pop()
        if pieces:
            pieces[-1] = pieces[-1].cut(0.0, from_s) or pieces[-1]
        pieces.append(_Piece(from_s, end_s, change.level, change.level))
    return pieces


def _with_pauses(pieces: list[_Piece], changes: Sequence[Change]) -> list[_Piece]:
    """The pieces with nothing where there was a pause."""
    end_s = pieces[-1].end_s if pieces else 0.0
    for from_s, to_s in _pauses(changes, end_s):
        silence = _Piece(from_s, to_s, 0.0, 0.0)
        pieces = [*_between(pieces, 0.0, from_s), silence, *_between(pieces, to_s, end_s)]
    return pieces


def _pauses(changes: Sequence[Change], end_s: float) -> Iterator[tuple[float, float]]:
    began_s: float | None = None
    for change in changes:
        if change.is_paused and began_s is None:
            began_s = max(change.from_s, 0.0)
        elif change.is_paused is False and began_s is not None:
            if began_s < min(change.from_s, end_s):
                yield began_s, min(change.from_s, end_s)
            began_s = None
    if began_s is not None and began_s < end_s:
        yield began_s, end_s


def _between(pieces: Sequence[_Piece], from_s: float, to_s: float) -> list[_Piece]:
    return [part for piece in pieces if (part := piece.cut(from_s, to_s)) is not None]


def _snapped(area: float) -> float:
    """The area, or the whole number that it is but for rounding."""
    if math.isinf(area):
        return area
    nearest = round(area)
    return float(nearest) if abs(area - nearest) <= _ROUNDING * max(1.0, abs(area)) else area


_ROUNDING: Final = 1e-12
_DIGITS: Final = 9

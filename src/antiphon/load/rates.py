"""How often, how long, and between how much and how much: `20/s`, `1h30m`, `1..3`."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.load.short_text import ShortText

__all__ = [
    "DOTS",
    "MOST_PER_S",
    "RATE_HINT",
    "Duration",
    "Pause",
    "Rate",
    "Span",
    "duration_s",
    "number_between",
    "pause_span",
    "rate_per_s",
    "read_duration_s",
    "read_number",
    "read_rate_unit",
]

Rate: TypeAlias = float | str
"""How often something starts: a number for each second, or a text as `20/s`, `90/min`, `1000/h`."""

Duration: TypeAlias = float | str
"""A number of seconds, or a text as `5m`, `1h30m`, `250ms`."""

Pause: TypeAlias = float | str | tuple[float, float]
"""A duration, or the least and the most of one: `1..3`, `500ms..2s`, `(1, 3)`."""

MOST_PER_S: Final = 1e6
"""The highest rate: no generator starts so many conversations, so more is a slip."""

LONGEST_S: Final = 1e9
"""Times are counted in nanoseconds, in 64 bits where they are written."""

RATE_HINT: Final = "so many in each second, minute or hour: 20/s, 90/min, 1000/h"
DURATION_HINT: Final = "seconds, or numbers with units, the largest first: 30, 250ms, 5m, 1h30m"
PAUSE_HINT: Final = "a duration, or the least and the most of one: 2, 1..3, 500ms..2s"

DOTS: Final = re.compile(r"\.\.")


class Span(msgspec.Struct, frozen=True):
    """The least and the most that a duration may be, in seconds."""

    least_s: float
    most_s: float

    def at(self, share: float) -> float:
        """The duration that lies so far on the way from the least, at 0, to the most, at 1."""
        return self.least_s + (self.most_s - self.least_s) * share


def rate_per_s(given: Rate, *, place: str | None = None) -> float:
    """How often in a second that is: 0 to a million. A text has a unit, unless it is 0.

    Raises ScenarioError, with that place, for what is no rate.
    """
    if not isinstance(given, str):
        return number_between(given, MOST_PER_S, "rate", RATE_HINT, place)
    text = ShortText(given, "rate", place)
    value = read_number(text, RATE_HINT)
    unit_at = text.at
    unit = read_rate_unit(text)
    if unit is None and value and text.has_ended:
        raise text.wrong("in what time?", RATE_HINT, unit_at)
    text.require_end(RATE_HINT)
    per_s = value / (unit or 1.0)
    if per_s > MOST_PER_S:
        raise text.wrong(f"it is more than {MOST_PER_S:,.0f}/s", RATE_HINT, 0)
    return per_s


def duration_s(given: Duration, what: str = "duration", *, place: str | None = None) -> float:
    """How many seconds that is: 0 to 1e9. `what` it is the error says.

    Raises ScenarioError, with that place, for what is no duration.
    """
    if not isinstance(given, str):
        return number_between(given, LONGEST_S, what, DURATION_HINT, place)
    text = ShortText(given, what, place)
    value = read_duration_s(text)
    text.require_end(DURATION_HINT)
    return value


def pause_span(given: Pause, *, place: str | None = None) -> Span:
    """The least and the most of a pause; in a text a first number without a unit has that of the second: `1..3m`.

    Raises ScenarioError, with that place, for what is no pause, or has its most first.
    """
    if isinstance(given, str):
        return _read_pause(ShortText(given, "pause", place))
    ends = given if isinstance(given, tuple) and len(given) == 2 else (given, given)
    span = Span(*[number_between(end, LONGEST_S, "pause", PAUSE_HINT, place) for end in ends])
    if span.least_s > span.most_s:
        raise ScenarioError(f"pause {given!r}: the first is more than the second", place=place, hint=PAUSE_HINT)
    return span


def number_between(given: object, most: float, what: str, hint: str, place: str | None) -> float:
    """A number from 0 to `most` that an author has given as one; else ScenarioError."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= most:
        raise ScenarioError(f"{what} {shorten(given)} is no number from 0 to {most:,.0f}", place=place, hint=hint)
    return float(given)


def read_number(text: ShortText, hint: str) -> float:
    """The number that comes next: digits, among them a point if need be."""
    number = text.take(_NUMBER)
    if not number:
        raise text.wrong("a number is missing here", hint)
    return float(number)


def read_rate_unit(text: ShortText) -> float | None:
    """The seconds that `/s`, `/min` or `/h` means; None if no unit of rates comes next."""
    if not text.take(_SLASH):
        return None
    begins_at = text.at
    unit = text.take(_WORD)
    if unit not in _RATE_UNITS_S:
        raise text.wrong(f"'{unit}' is no unit of rates" if unit else "a unit is missing here", RATE_HINT, begins_at)
    return _RATE_UNITS_S[unit]


def read_duration_s(text: ShortText) -> float:
    """The duration that comes next, in seconds."""
    return _read_duration(text)[0]


def _read_duration(text: ShortText) -> tuple[float, tuple[str, ...]]:
    """The same, with its units: none if it is a plain number."""
    begins_at = text.at
    value = read_number(text, DURATION_HINT)
    units: tuple[str, ...] = ()
    total_s = 0.0 if text.sees(_WORD) else value
    while text.sees(_WORD):
        unit_at = text.at
        unit = text.take(_WORD)
        if unit not in _UNITS_S:
            raise text.wrong(f"'{unit}' is no unit of time", DURATION_HINT, unit_at)
        if units and _UNITS_S[unit] >= _UNITS_S[units[-1]]:
            raise text.wrong(f"{unit} cannot stand behind {units[-1]}", DURATION_HINT, unit_at)
        units += (unit,)
        total_s += value * _UNITS_S[unit]
        if not text.sees(_NUMBER):
            break
        value = read_number(text, DURATION_HINT)
        if not text.sees(_WORD):
            raise text.wrong("a unit is missing here", DURATION_HINT)
    if total_s > LONGEST_S:
        raise text.wrong(f"it is more than {LONGEST_S:,.0f} s", DURATION_HINT, begins_at)
    return total_s, units


def _read_pause(text: ShortText) -> Span:
    begins_at = text.at
    least_s, units = _read_duration(text)
    most_s = least_s
    if text.take(DOTS):
        most_s, most_units = _read_duration(text)
        if not units and len(most_units) > 1:
            raise text.wrong("the first has no unit, and the second several", PAUSE_HINT, begins_at)
        if not units and most_units:
            least_s *= _UNITS_S[most_units[0]]
    text.require_end(PAUSE_HINT)
    if least_s > most_s:
        raise text.wrong("the first is more than the second", PAUSE_HINT, begins_at)
    return Span(least_s, most_s)


_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_WORD: Final = re.compile(r"[^\W\d_]{1,40}")
_SLASH: Final = re.compile("/")

_RATE_UNITS_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}
_UNITS_S: Final = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0, "ms": 0.001}

"""The small language in which an author says how a load grows and shrinks: `0..20/s in 1m, 20/s for 5m, 0 in 10s`."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.load.rates import (
    DOTS,
    LONGEST_S,
    MOST_PER_S,
    RATE_HINT,
    read_duration_s,
    read_number,
    read_rate_unit,
)
from antiphon.load.short_text import ShortText

__all__ = ["MOST_USERS", "Stage", "Stages", "Unit", "parse_stages"]

Unit = Literal["rate", "users", "percent"]
"""What a level is: so many starts in a second, so many users, or so many hundredths of what each part says itself."""

MOST_USERS: Final = 1_000_000
"""More than the connections that a machine can have, so more is a slip."""

_HINT: Final = "0..20/s in 1m, 20/s for 5m, 0 in 10s; users without /s, or 0..100% of what each part says itself"


class Stage(msgspec.Struct, frozen=True):
    """From one level to another in so many seconds, evenly; the same level twice holds it."""

    begin: float
    end: float
    duration_s: float


class Stages(msgspec.Struct, frozen=True):
    """The stages, one after the other, and what their levels are: starts in a second, users, or hundredths."""

    unit: Unit
    stages: tuple[Stage, ...]


def parse_stages(given: Any, *, place: str | None = None) -> Stages:
    """What the text says.

    `X in T` goes to X evenly, from where the stage before ended (the first begins at 0); `A..B in T` from A to B;
    `X for T` holds X. Levels are rates (`/s`, `/min`, `/h`), users (whole numbers) or hundredths (`%`), in one text
    of one kind; 0 is of any. Raises ScenarioError that points at what cannot be read.
    """
    if not isinstance(given, str):
        raise ScenarioError(f"stages are a text, not {shorten(given)}", place=place, hint=_HINT)
    return _Reader(ShortText(given, "stages", place)).read()


class _Reader:
    """A text of stages being read."""

    def __init__(self, text: ShortText) -> None:
        self._text = text
        self._unit: Unit | None = None

    def read(self) -> Stages:
        stages: list[Stage] = []
        level = 0.0
        while True:
            stage = self._stage(level)
            stages.append(stage)
            level = stage.end
            if not self._text.take(_COMMA):
                break
        self._text.require_end(_HINT)
        if sum(stage.duration_s for stage in stages) > LONGEST_S:
            raise self._text.wrong(f"they take more than {LONGEST_S:,.0f} s", _HINT, 0)
        if not any(stage.begin or stage.end for stage in stages):
            raise self._text.wrong("nothing would ever start", _HINT, 0)
        return Stages(self._unit or "users", tuple(stages))

    def _stage(self, level: float) -> Stage:
        begins_at = self._text.at
        value, unit = self._value()
        first: float | None = None
        if self._text.take(DOTS):
            first, first_unit, first_at = value, unit, begins_at
            value_at = self._text.at
            value, unit = self._value()
            # A first number without a unit has that of the second.
            first = self._level(first, first_unit or unit, first_at)
            value = self._level(value, unit, value_at)
        else:
            value = self._level(value, unit, begins_at)
        word_at = self._text.at
        word = self._text.take(_WORD)
        if word not in ("in", "for"):
            raise self._text.wrong('"in" or "for" and a time are missing here', _HINT, word_at)
        if word == "for" and first is not None and first != value:
            raise self._text.wrong('from one level to another it is "in" a time', _HINT, word_at)
        time_at = self._text.at
        took_s = read_duration_s(self._text)
        if not took_s:
            raise self._text.wrong("a stage takes some time", _HINT, time_at)
        begin = first if first is not None else level if word == "in" else value
        return Stage(begin, value, took_s)

    def _value(self) -> tuple[float, tuple[Unit, float] | None]:
        """A number, and what it counts with how many seconds it does; None if it does not say."""
        value = read_number(self._text, _HINT)
        if self._text.take(_PERCENT):
            return value, ("percent", 1.0)
        unit_s = read_rate_unit(self._text)
        return value, ("rate", unit_s) if unit_s is not None else None

    def _level(self, value: float, said: tuple[Unit, float] | None, at: int) -> float:
        unit, unit_s = said or ("users", 1.0)
        if not value and said is None:
            return 0.0
        if self._unit is None:
            self._unit = unit
        if unit != self._unit:
            raise self._text.wrong(f"these are {_NAMES[unit]}, and before it was {_NAMES[self._unit]}", _HINT, at)
        if unit == "users" and not value.is_integer():
            raise self._text.wrong("users are whole numbers", RATE_HINT, at)
        if value / unit_s > _MOST[unit]:
            raise self._text.wrong(f"it is more than {_MOST[unit]:,.0f} {_NAMES[unit]}", _HINT, at)
        return value / unit_s


_NAMES: Final = {"rate": "starts in a second", "users": "users", "percent": "hundredths"}
_MOST: Final = {"rate": MOST_PER_S, "users": MOST_USERS, "percent": 10_000}

_COMMA: Final = re.compile(",")
_PERCENT: Final = re.compile("%")
_WORD: Final = re.compile(r"[^\W\d_]{1,40}")

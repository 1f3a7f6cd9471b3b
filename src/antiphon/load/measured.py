"""What is measured of a load where a threshold looks at it, and what it is compared with.

Whoever has counted what a load does gives it as `Figures`; nothing else of a load is known here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple, Protocol

from antiphon.conversation.wording import counted
from antiphon.journal.histogram import HIGHEST_US, Histogram
from antiphon.load.thresholds import Amount, Baseline, Threshold

__all__ = [
    "CauseCounts",
    "Counts",
    "Figures",
    "Limit",
    "Limits",
    "Measured",
    "PartCounts",
    "SeriesCounts",
    "is_called",
    "measure",
    "name_ends",
    "named",
]


class SeriesCounts(Protocol):
    """What was measured of one thing: how long it took, also when it failed, and how often it failed."""

    @property
    def histogram(self) -> Histogram: ...
    @property
    def errors(self) -> int: ...


class PartCounts(Protocol):
    """The conversations of a part: how many began, and of these late; how many ended well, and not."""

    @property
    def started(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def passed(self) -> int: ...
    @property
    def failed(self) -> int: ...


class CauseCounts(Protocol):
    """So many conversations of a part that failed alike: in that step, with that class of error, by that cause."""

    @property
    def part(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def count(self) -> int: ...


class Figures(Protocol):
    """What was measured in `took_s` seconds: of a whole load, or of one second of it.

    `series` are by their names: `part` is the part's conversations, `part/step` an action in them, and so on.
    """

    @property
    def took_s(self) -> float: ...
    @property
    def parts(self) -> Mapping[str, PartCounts]: ...
    @property
    def series(self) -> Mapping[str, SeriesCounts]: ...
    @property
    def causes(self) -> Mapping[Any, CauseCounts]: ...


class Counts(NamedTuple):
    """What there is to measure of a series; "" is all conversations, which have no histogram."""

    series: str
    ended: int = 0
    errors: int = 0
    started: int = 0
    late: int = 0
    histogram: Histogram | None = None


class Limit(NamedTuple):
    """What a series is compared with, and what that was in the baseline, if it is of one."""

    value: Fraction
    base: Fraction | None = None


class Measured(NamedTuple):
    """What one series was; without `value` or `limit` it could not be judged, and `why` says why."""

    counts: Counts
    value: Fraction | None = None
    limit: Limit | None = None
    why: str = ""
    holds: bool = False
    excess: Fraction = Fraction()


class Limits:
    """What each series is compared with. The earlier load is measured once."""

    def __init__(self, threshold: Threshold, baseline: Figures | None) -> None:
        self._threshold = threshold
        self._baseline = baseline
        self._found: dict[str, Limit | str] = {}

    def of(self, series: str) -> Limit | str:
        """The limit of that series, or why there is none."""
        if series not in self._found:
            limit = self._threshold.limit
            self._found[series] = Limit(limit.value) if isinstance(limit, Amount) else self._compared(series, limit)
        return self._found[series]

    def _compared(self, series: str, limit: Baseline) -> Limit | str:
        shift = limit.shift
        if self._baseline is None:
            return "there is no baseline to compare with"
        base = self._measured_before(series, self._baseline)
        if base is None:
            return f"the baseline has nothing of {series or 'that'}"
        if shift is None:
            return Limit(base, base)
        if shift.quantity == self._threshold.quantity:
            return Limit(base + shift.value, base)
        return Limit(base * (1 + shift.value / 100), base)

    def _measured_before(self, series: str, baseline: Figures) -> Fraction | None:
        for counts in named(self._threshold, baseline):
            if counts.series == series:
                value = _value(self._threshold, counts, baseline)
                return value if isinstance(value, Fraction) else None
        return None


def measure(threshold: Threshold, figures: Figures, limits: Limits) -> Iterator[Measured]:
    """What each series that has the name was, but for those of which there was nothing to measure."""
    for counts in named(threshold, figures):
        value = _value(threshold, counts, figures)
        if isinstance(value, str):
            yield Measured(counts, why=value)
        elif value is not None:
            limit = limits.of(counts.series)
            if isinstance(limit, str):
                yield Measured(counts, value, why=limit)
            else:
                holds = _HOLDS[threshold.operator](value, limit.value)
                excess = _excess(threshold, value, limit.value)
                yield Measured(counts, value, limit, holds=holds, excess=excess)


def named(threshold: Threshold, figures: Figures) -> Iterator[Counts]:
    """What the threshold is of."""
    parts, has_name = figures.parts, is_called(threshold.name)
    if not threshold.name:
        yield Counts(
            "",
            ended=sum(part.passed + part.failed for part in parts.values()),
            errors=sum(part.failed for part in parts.values()),
            started=sum(part.started for part in parts.values()),
            late=sum(part.late for part in parts.values()),
        )
    elif threshold.measure in OF_PARTS:
        for name, part in parts.items():
            if has_name(name):
                yield Counts(name, started=part.started, late=part.late)
    else:
        for name, series in figures.series.items():
            if has_name(name):
                yield Counts(name, series.histogram.count, series.errors, histogram=series.histogram)


def _value(threshold: Threshold, counts: Counts, figures: Figures) -> Fraction | str | None:
    """What is measured; None where there was nothing, and a text that says why it cannot be told."""
    match threshold.measure:
        case "count":
            return Fraction(counts.ended)
        case "rate":
            return Fraction(counts.started) / Fraction(figures.took_s) if figures.took_s > 0 else None
        case "late":
            return _of(threshold, counts.late, counts.started)
        case "errors" if not threshold.kind:
            return _of(threshold, counts.errors, counts.ended)
        case "errors":
            errors = _errors_of_kind(threshold, counts, figures)
            return errors if isinstance(errors, str) else _of(threshold, errors, counts.ended)
    return _duration(threshold, counts.histogram) if counts.histogram is not None else None


def _of(threshold: Threshold, number: int, total: int) -> Fraction | None:
    if not total:
        return None
    return Fraction(100 * number, total) if threshold.quantity == "share" else Fraction(number)


def _errors_of_kind(threshold: Threshold, counts: Counts, figures: Figures) -> int | str:
    series, is_meant = counts.series, _glob(threshold.kind)
    causes = [each for each in figures.causes.values() if series in ("", each.part, f"{each.part}/{each.step}")]
    known = sum(each.count for each in causes)
    if known < counts.errors:
        return f"the kinds of {counts.errors - known} of {counted(counts.errors, 'error')} were not recorded"
    return sum(each.count for each in causes if is_meant(each.error) or is_meant(each.text))


def _duration(threshold: Threshold, histogram: Histogram) -> Fraction | str | None:
    if not histogram.count:
        return None
    percentile = threshold.percentile
    if percentile is not None:
        # The counter of a value stands for a bit more than it; the last one for all that is longer.
        us = min(histogram.percentile(percentile), histogram.max_us)
        if us > HIGHEST_US and isinstance(threshold.limit, Baseline):
            return f"above {HIGHEST_US // 1_000_000} s percentiles are not told apart"
        return Fraction(us)
    if threshold.measure == "mean":
        return Fraction(histogram.sum_us, histogram.count)
    return Fraction(histogram.min_us if threshold.measure == "min" else histogram.max_us)


OF_PARTS: Final = frozenset({"rate", "late"})

_HOLDS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _excess(threshold: Threshold, value: Fraction, limit: Fraction) -> Fraction:
    """How much worse than its limit it is, in parts of that: series have limits of their own by a baseline."""
    over = (value - limit) / (abs(limit) or 1)
    match threshold.operator:
        case "<" | "<=":
            return over
        case ">" | ">=":
            return -over
        case "==":
            return abs(over)
        case _:
            return -abs(over)


def is_called(name: str) -> Callable[[str], bool]:
    """Whether a series has the name: as a whole, or the last of its parts, which "/" divides."""
    is_meant = _glob(name)
    return lambda series: any(is_meant(series[at:]) for at in name_ends(series))


def name_ends(series: str) -> list[int]:
    """Where a name and its last parts begin."""
    return [0, *[found.end() for found in _SLASH.finditer(series)]]


def _glob(pattern: str) -> Callable[[str], bool]:
    signs = {"*": ".*", "?": "."}
    # Several * in a row would be tried in all their divisions.
    wanted = "".join(signs.get(each, re.escape(each)) for each in re.sub(r"\*+", "*", pattern))
    matches = re.compile(wanted, re.DOTALL).fullmatch
    return lambda text: matches(text) is not None


_SLASH: Final = re.compile("/")

"""Whether what must hold of a load did: a threshold is judged by figures, at the end or while they come.

A threshold with a name holds if it holds for each series that has the name; the worst of them is told. What was not
measured has not held: a name that nothing has, a step that was never done, an earlier load that knows nothing of it. So
a slip of the pen is no passed threshold.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from antiphon.load.measured import (
    OF_PARTS,
    Figures,
    Limit,
    Limits,
    Measured,
    is_called,
    measure,
    name_ends,
    named,
)
from antiphon.load.thresholds import Amount, Quantity, Threshold

__all__ = ["Verdict", "Watch", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a threshold held, and the sentence that says what was measured.

    `measured` and `limit` are in the `unit`: "us", "%", "/s", or "" for how many; None where it could not be measured.
    `series` is the worst one, "" for all conversations.
    """

    threshold: Threshold
    has_passed: bool
    text: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    series: str = ""


def judge(threshold: Threshold, figures: Figures, baseline: Figures | None = None) -> Verdict:
    """Whether it holds for all that is in the figures; `for 30s` is not looked at, which `Watch` is for.

    `baseline` are the figures of the earlier load that a threshold may compare with.
    """
    found = list(measure(threshold, figures, Limits(threshold, baseline)))
    if not found:
        text = f"{_subject(threshold)} not measured: {_why_not(threshold, figures)}"
        return Verdict(threshold, has_passed=False, text=text)
    worst = max(found, key=_badness)
    return _verdict(threshold, worst, worst.holds, _sentence(threshold, worst, figures))


class Watch:
    """A threshold with `for 30s`, looked at again with each second's figures.

    A series crosses it when for so long in a row it has not held. A second in which the series was not measured belongs
    to the row that it lies in: answers that come every five seconds can be too late for thirty.
    """

    def __init__(self, threshold: Threshold, baseline: Figures | None = None) -> None:
        assert threshold.lasting is not None, "only what lasts is watched"
        self._threshold = threshold
        self._baseline = baseline
        self._limits = Limits(threshold, baseline)
        self._lasting_us = threshold.lasting.value
        self._now_us = Fraction()
        self._rows: dict[str, _Row] = {}
        self._longest: _Row | None = None
        self._worst: Measured | None = None

    @property
    def is_crossed(self) -> bool:
        """True once it has been crossed: then the load is to end."""
        return self._longest is not None and self._longest.took_us >= self._lasting_us

    def feed(self, figures: Figures) -> bool:
        """Look at what was measured since the last call; `is_crossed` then."""
        begun_us = self._now_us
        self._now_us += Fraction(figures.took_s) * _US_PER_S
        for each in measure(self._threshold, figures, self._limits):
            if each.value is None or each.limit is None:
                continue
            self._worst = _worse(self._worst, each)
            if each.holds:
                self._rows.pop(each.counts.series, None)
            else:
                self._extend(each, begun_us)
        return self.is_crossed

    def verdict(self, figures: Figures) -> Verdict:
        """The verdict on the load; the figures are those of the whole of it."""
        threshold, row = self._threshold, self._longest
        whole = judge(threshold, figures, self._baseline)
        worst = row.worst if row is not None else self._worst
        if worst is None or (whole.limit is None and not self.is_crossed):
            return whole
        text = _sentence(threshold, worst, figures, " at worst")
        if row is not None:
            text += f": it was not for {_duration_told(row.took_us)} in a row"
            text += "" if self.is_crossed else f", less than {_duration_told(self._lasting_us)}"
        return _verdict(threshold, worst, not self.is_crossed, text)

    def _extend(self, measured: Measured, begun_us: Fraction) -> None:
        before = self._rows.get(measured.counts.series)
        if before is None:
            row = _Row(begun_us, self._now_us - begun_us, measured)
        else:
            row = _Row(before.begun_us, self._now_us - before.begun_us, _worse(before.worst, measured))
        self._rows[measured.counts.series] = row
        if not self.is_crossed and (self._longest is None or row.took_us > self._longest.took_us):
            self._longest = row


class _Row(NamedTuple):
    """For how long a series has not held without a break, since when, and the worst of it."""

    begun_us: Fraction
    took_us: Fraction
    worst: Measured


def _badness(measured: Measured) -> tuple[bool, bool, Fraction]:
    return measured.limit is None, not measured.holds, measured.excess


def _worse(one: Measured | None, other: Measured) -> Measured:
    return other if one is None else max(one, other, key=_badness)


def _verdict(threshold: Threshold, measured: Measured, has_passed: bool, text: str) -> Verdict:
    value, limit, series = measured.value, measured.limit, measured.counts.series
    return Verdict(
        threshold,
        has_passed,
        text,
        None if value is None else float(value),
        None if limit is None else float(limit.value),
        _UNITS[threshold.quantity],
        series,
    )


def _sentence(threshold: Threshold, measured: Measured, figures: Figures, at_worst: str = "") -> str:
    """`outbound_call p95 was 912 ms, and must be < 800 ms`."""
    counts, value, limit = measured.counts, measured.value, measured.limit
    is_one = sum(1 for _ in named(threshold, figures)) == 1 and not _SIGNS.search(threshold.name)
    where = at_worst if is_one else f"{at_worst} in {counts.series}"
    if value is None:
        return f"{_subject(threshold)} not told{where}: {measured.why}"
    beside = None if limit is None else limit.value
    told = f"{_subject(threshold)} {_told(value, threshold, beside)}"
    if threshold.quantity == "share":
        total = counts.ended if threshold.measure == "errors" else counts.started
        told += f" ({value * total / 100} of {total})"
    if limit is None:
        return f"{told}{where}, and {measured.why}"
    return f"{told}{where}, and must be {threshold.operator} {_limit_told(threshold, limit)}"


def _limit_told(threshold: Threshold, limit: Limit) -> str:
    told = _told(limit.value, threshold, limit.value)
    if limit.base is None:
        return told
    before = _told(limit.base, threshold, limit.value)
    shift = str(threshold.limit).removeprefix("baseline")
    return f"{told}, the baseline's {before}{shift}" if shift else f"{told}, as in the baseline"


def _subject(threshold: Threshold) -> str:
    if threshold.measure == "late":
        return f"{threshold.subject} starts were"
    return f"{threshold.subject} {'were' if threshold.measure == 'errors' else 'was'}"


def _told(value: Fraction, threshold: Threshold, beside: Fraction | None = None) -> str:
    """The value in words: to three digits, or as many as show on which side of the other one it lies."""
    quantity, limit = threshold.quantity, threshold.limit
    if quantity == "duration":
        return _duration_told(value, beside)
    if quantity == "count":
        return str(value)
    if quantity == "share":
        return f"{_rounded(value, beside):f} %"
    unit = limit.unit if isinstance(limit, Amount) else "/s"
    return f"{_rounded(value, beside, Amount(Decimal(1), unit).value):f}{unit}"


def _duration_told(us: Fraction, beside: Fraction | None = None) -> str:
    scale, unit = (1, "us") if abs(us) < 1_000 else (1_000, "ms") if abs(us) < _US_PER_S else (_US_PER_S, "s")
    return f"{_rounded(us, beside, Fraction(scale)):f} {unit}"


def _rounded(value: Fraction, beside: Fraction | None, scale: Fraction = Fraction(1)) -> Decimal:
    scaled = value / scale
    digits = max(3, len(str(abs(int(scaled)))))
    while True:
        rounded = Context(prec=digits).divide(Decimal(scaled.numerator), Decimal(scaled.denominator)).normalize()
        other = scaled if beside is None else beside / scale
        if _order(Fraction(rounded), other) == _order(scaled, other) or digits > _MOST_DIGITS:
            return rounded
        digits += 1


def _order(one: Fraction, other: Fraction) -> int:
    return (one > other) - (one < other)


def _why_not(threshold: Threshold, figures: Figures) -> str:
    """Why there was nothing to measure."""
    measure, name = threshold.measure, threshold.name
    names: Iterable[str] = figures.parts if measure in OF_PARTS else figures.series
    if any(map(is_called(name), names)) or not name:
        never = "it was never done" if name else "no conversation has ended"
        return {"rate": "no time has passed", "late": "no conversation was started"}.get(measure, never)
    if any(map(is_called(name), figures.series)):
        return f"{measure} is of conversations, which are {', '.join(figures.parts)}"
    ends = {series[at:].casefold(): series for series in names for at in name_ends(series)}
    alike = difflib.get_close_matches(name.casefold(), ends, n=1)
    return f"nothing is called so; the nearest is {ends[alike[0]]}" if alike else "nothing is called so"


_UNITS: Final[Mapping[Quantity, str]] = {"duration": "us", "count": "", "share": "%", "rate": "/s"}
_SIGNS: Final = re.compile(r"[*?]")
_US_PER_S: Final = 1_000_000
_MOST_DIGITS: Final = 15

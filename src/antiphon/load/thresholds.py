"""What must hold of a load, as a sentence: `outbound_call p95 < 800ms`.

    threshold = [of] measure operator limit ["for" duration]
    of        = a name of what is measured, as `part/step`, or its last parts; `*` and `?` stand for any characters
    measure   = "p" number | "mean" | "min" | "max"             durations of what is named
              | "count"                                         how often it was done, well or not
              | "errors" ["[" kind "]"]                         how often it failed
              | "rate" | "late"                                 conversations that began, and those that began late
    kind      = the class of errors, or their cause; `*` and `?` stand for any characters
    operator  = "<" | "<=" | ">" | ">=" | "==" | "!="
    limit     = amount | "baseline" [("+" | "-") amount]
    amount    = number unit

Units are us, ms, s, min, h for durations and /s, /min, /h for rates; errors and late starts are counted, or with %
they are a share. Without a name `count`, `errors`, `rate` and `late` are of all conversations. Blanks may be left out
where nothing runs together; `p(95)` is p95. A name or kind with blanks or signs in it stands in quotes.

`for 30s` is crossed when it does not hold for so long without a break, and then ends the load. `baseline` is the same
measure of an earlier load: `baseline +10%`, `baseline + 20ms`. Errors and late starts are compared with it as shares,
and what is added to these are points: of 1 %, `baseline +2%` is 3 %.

Percentiles are of histograms: at most a thousandth more than exact, and told apart up to 60 s. What is read here is
judged in `antiphon.load.verdicts`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeAlias, cast

from antiphon import errors
from antiphon.conversation.wording import shorten
from antiphon.journal.histogram import HIGHEST_US
from antiphon.load.short_text import ShortText

__all__ = ["Amount", "Baseline", "Operator", "Quantity", "Threshold", "parse"]

Operator: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]

Quantity: TypeAlias = Literal["duration", "count", "share", "rate"]
"""What is measured: microseconds, how many, percent, so many a second."""

_UNITS: Final[Mapping[Quantity, Mapping[str, Fraction]]] = {
    "duration": {
        "us": Fraction(1),
        "ms": Fraction(1_000),
        "s": Fraction(1_000_000),
        "min": Fraction(60_000_000),
        "h": Fraction(3_600_000_000),
    },
    "count": {"": Fraction(1)},
    "share": {"%": Fraction(1)},
    "rate": {"/s": Fraction(1), "/min": Fraction(1, 60), "/h": Fraction(1, 3600)},
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, as it was written: `800ms`, `1%`, `19/s`, `100`."""

    number: Decimal
    unit: str = ""

    @property
    def quantity(self) -> Quantity:
        """What it is an amount of."""
        return next(quantity for quantity, units in _UNITS.items() if self.unit in units)

    @property
    def value(self) -> Fraction:
        """The same in microseconds, percent, so many a second, or just as many."""
        return Fraction(self.number) * _UNITS[self.quantity][self.unit]

    def __str__(self) -> str:
        return f"{self.number:f}{self.unit}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an earlier load measured, and so much more, or less if the number is below 0."""

    shift: Amount | None = None

    def __str__(self) -> str:
        return "baseline" if self.shift is None else f"baseline {self.shift.number:+f}{self.shift.unit}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """What must hold; `str()` is its text, of which `parse` makes an equal one.

    `name` is what it is of, "" for all conversations; `kind` which errors, "" for all. `lasting` is the time of `for`.
    """

    measure: str
    operator: Operator
    limit: Amount | Baseline
    name: str = ""
    kind: str = ""
    lasting: Amount | None = None

    @property
    def percentile(self) -> float | None:
        """95.0 of `p95`; None for another measure."""
        return float(self.measure[1:]) if _is_percentile(self.measure) else None

    @property
    def quantity(self) -> Quantity:
        """What is measured and compared."""
        if isinstance(self.limit, Amount):
            return self.limit.quantity
        return "share" if self.measure in _SHARES else _quantities(self.measure)[0]

    @property
    def subject(self) -> str:
        """What is measured, as it is written: `outbound_call p95`, `errors[DeadlinePassed]`."""
        name = f"{self.name if _BARE_NAME.fullmatch(self.name) else _quoted(self.name)} " if self.name else ""
        kind = f"[{_kind_as_written(self.kind)}]" if self.kind else ""
        return f"{name}{self.measure}{kind}"

    def __str__(self) -> str:
        lasting = f" for {self.lasting}" if self.lasting is not None else ""
        return f"{self.subject} {self.operator} {self.limit}{lasting}"


def parse(text: str, *, place: str | None = None) -> Threshold:
    """The threshold that a text says.

    Raises ScenarioError, which points at where something else was expected; `place` is where the text was written.
    """
    reader = _Reader(ShortText(text, "threshold", place))
    name, measure = reader.read_subject()
    kind = reader.read_kind() if measure == "errors" else ""
    operator = reader.read_operator(measure)
    limit = reader.read_limit(measure)
    lasting = reader.read_lasting()
    return Threshold(measure, operator, limit, name, kind, lasting)


class _Reader:
    """Reads the parts of a threshold in their order."""

    def __init__(self, text: ShortText) -> None:
        self._text = text

    def read_subject(self) -> tuple[str, str]:
        """What it is of, "" for all conversations, and the measure."""
        text, name_at = self._text, self._text.at
        if text.has_ended:
            raise text.wrong("what must hold is missing", _EXAMPLES)
        name = self._take_quoted()
        is_quoted = bool(name)
        name = name or text.take(_BARE_NAME)
        if not name:
            raise text.wrong("a name or a measure was expected here", _EXAMPLES)
        if text.sees(_WORD_BEGINS):
            measure_at = text.at
            measure = text.take(_BARE_NAME)
            return name, self._measure(measure, measure_at)
        if is_quoted or not (_is_measure(name) or _nearest(name, _MEASURES)):
            raise text.wrong(f"a measure of {shorten(name, 40)} was expected here", f"one of {_listed(_MEASURES)}")
        measure = self._measure(name, name_at)
        if measure not in _OF_ALL:
            hint = f"as outbound_call {measure}; * is anything"
            raise text.wrong(f"a name was expected before {measure}", hint, name_at)
        return "", measure

    def read_kind(self) -> str:
        """Which errors, "" for all."""
        text = self._text
        if not text.take(_BRACKET):
            return ""
        kind_at = text.at
        kind = self._take_quoted()
        if not kind:
            kind = text.take(_BARE_KIND).strip()
            if not kind:
                raise text.wrong("a class or a cause of errors was expected here", "as errors[DeadlinePassed]")
            if (meant := _misspelt(kind)) is not None:
                hint = f'did you mean {meant}? In quotes, as errors["{kind}"], it is taken as it is'
                raise text.wrong(f"there is no error {kind} in antiphon", hint, kind_at)
        if not text.take(_CLOSING_BRACKET):
            raise text.wrong("] was expected here", "as errors[DeadlinePassed]; a cause with ] in it stands in quotes")
        return kind

    def read_operator(self, measure: str) -> Operator:
        """How the measure and the limit compare."""
        text, begins_at = self._text, self._text.at
        if text.sees(_BRACKET):
            raise text.wrong("an operator was expected here", f"only errors are of kinds, not {measure}")
        signs = text.take(_SIGNS)
        if signs in _OPERATORS:
            return cast("Operator", signs)
        meant = _MEANT.get(signs)
        hint = f"did you mean {meant}?" if meant else f"one of {' '.join(_OPERATORS)}"
        raise text.wrong("an operator was expected here", hint, begins_at)

    def read_limit(self, measure: str) -> Amount | Baseline:
        """What the measure is compared with."""
        text, begins_at = self._text, self._text.at
        word = text.take(_WORD)
        if not word:
            amount = self._amount(_quantities(measure))
            if _is_percentile(measure) and amount.value > HIGHEST_US:
                hint = "the longest is known, and the mean: max < 90s"
                raise text.wrong(f"above {HIGHEST_US // 1_000_000} s percentiles are not told apart", hint, begins_at)
            return amount
        if word != "baseline":
            is_near = _nearest(word, ["baseline"]) is not None
            hint = "did you mean baseline?" if is_near else f"as {_example(measure)}, or baseline +10%"
            raise text.wrong("a number or baseline was expected here", hint, begins_at)
        sign = text.take(_SIGN)
        if not sign:
            return Baseline()
        quantities: tuple[Quantity, ...] = ("share",) if measure in _SHARES else (*_quantities(measure), "share")
        shift = self._amount(quantities)
        return Baseline(shift if sign == "+" else Amount(shift.number.copy_negate(), shift.unit))

    def read_lasting(self) -> Amount | None:
        """How long it must not hold until it is crossed; None if nothing is said of it. Then the text is at its end."""
        text, lasting = self._text, None
        if text.take(_FOR):
            begins_at = text.at
            lasting = self._amount(("duration",))
            if lasting.value < _UNITS["duration"]["s"]:
                raise text.wrong("a second or more was expected here", "figures are looked at once a second", begins_at)
        text.require_end("it ends here" if lasting is not None else _FURTHER)
        return lasting

    def _measure(self, word: str, begins_at: int) -> str:
        found = _PERCENTILE.fullmatch(word)
        if found is not None:
            percent = Decimal(found[1] or found[2])
            if percent > 100:
                raise self._text.wrong("a percentile is from 0 to 100", "as p95 or p99.9", begins_at)
            return f"p{percent:f}"
        if word in _MEASURES:
            return word
        meant = _nearest(word, _MEASURES)
        if meant is not None:
            hint = f"did you mean {meant}?"
        else:
            hint = f"one of {_listed(_MEASURES)}; a name with blanks in it stands in quotes"
        raise self._text.wrong("a measure was expected here", hint, begins_at)

    def _amount(self, quantities: Iterable[Quantity]) -> Amount:
        text = self._text
        units = [unit for quantity in quantities for unit in _UNITS[quantity]]
        number = text.take(_NUMBER)
        if not number:
            raise text.wrong("a number was expected here", _units_told(units))
        unit_at = text.at
        unit = "".join(text.take(_UNIT).split()).replace("µ", "u").replace("μ", "u")
        unit = _MEANT_UNITS.get(unit, unit)
        if unit not in units:
            meant = _nearest(unit, [each for each in units if each])
            hint = f"did you mean {meant}?" if meant is not None else _units_told(units)
            raise text.wrong("a unit was expected here" if "" not in units else "this is no unit here", hint, unit_at)
        return Amount(Decimal(number), unit)

    def _take_quoted(self) -> str:
        """What stands in quotes, if that comes next, else ""."""
        text, begins_at = self._text, self._text.at
        if not text.sees(_QUOTE):
            return ""
        quoted = text.take(_QUOTED)
        if not quoted:
            raise text.wrong("the quote that begins here has no end", r'within quotes " is written \"', begins_at)
        if len(quoted) == 2:
            raise text.wrong("nothing stands in these quotes", "* is any", begins_at)
        return _ESCAPED.sub(r"\1", quoted[1:-1])


_MEASURES: Final = ("p50", "p95", "p99", "mean", "min", "max", "count", "errors", "rate", "late")
"""The measures, with some percentiles to name."""

_OF_ALL: Final = frozenset({"count", "errors", "rate", "late"})
_SHARES: Final = frozenset({"errors", "late"})
_OPERATORS: Final = ("<", "<=", ">", ">=", "==", "!=")

# Signs that end a word can stand in names only in quotes.
_BARE_NAME: Final = re.compile(r"""[^\s<>=!\[\]'"]+""")
_WORD_BEGINS: Final = _BARE_NAME
_BARE_KIND: Final = re.compile(r"""[^\]'"][^\]]*""")
_QUOTE: Final = re.compile(r"""['"]""")
_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PERCENTILE: Final = re.compile(r"p(?:([0-9]{1,3}(?:\.[0-9]{1,9})?)|\(([0-9]{1,3}(?:\.[0-9]{1,9})?)\))")
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_UNIT: Final = re.compile(r"%|/\s*[^\W\d_]*|(?!for\b)[^\W\d_]*")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SIGN: Final = re.compile(r"[+-]")
_SIGNS: Final = re.compile(r"[<>=!]*")
_BRACKET: Final = re.compile(r"\[")
_CLOSING_BRACKET: Final = re.compile(r"\]")
_FOR: Final = re.compile(r"for\b")

_FURTHER: Final = "it ends here, or goes on as for 30s; baseline +10% has a sign"
_EXAMPLES: Final = "as outbound_call p95 < 800ms, errors < 1%, rate > 19/s"
_MEANT: Final = {
    "=": "==",
    "=<": "<=",
    "=>": ">=",
    "<>": "!=",
    "===": "==",
    "avg": "mean",
    "average": "mean",
    "median": "p50",
    "med": "p50",
}
"""What somebody means who writes something else, where that is not much alike."""

_MEANT_UNITS: Final = {"m": "min", "sec": "s", "/sec": "/s", "/m": "/min"}


def _is_percentile(word: str) -> bool:
    return _PERCENTILE.fullmatch(word) is not None


def _is_measure(word: str) -> bool:
    return word in _MEASURES or _is_percentile(word)


def _quantities(measure: str) -> tuple[Quantity, ...]:
    """What a limit of that measure can be an amount of."""
    if measure in _SHARES:
        return ("count", "share")
    if measure in _OF_ALL:
        return ("rate",) if measure == "rate" else ("count",)
    return ("duration",)


def _example(measure: str) -> str:
    if measure in _SHARES:
        return "1%"
    return {"rate": "19/s", "count": "100"}.get(measure, "800ms")


def _units_told(units: list[str]) -> str:
    named = [unit for unit in units if unit]
    if not named:
        return "a number without a unit, as 100"
    told = f"a number with {_listed(named)}" if len(named) > 1 else f"a number with {named[0]}"
    return f"{told}, or without a unit" if "" in units else told


def _listed(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} or {last}"


def _nearest(word: str, words: Iterable[str]) -> str | None:
    if word in _MEANT and _MEANT[word] in words:
        return _MEANT[word]
    return next(iter(difflib.get_close_matches(word.casefold(), words, n=1)), None)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _kind_as_written(kind: str) -> str:
    is_bare = _BARE_KIND.fullmatch(kind) is not None and kind == kind.strip() and _misspelt(kind) is None
    return kind if is_bare else _quoted(kind)


def _misspelt(kind: str) -> str | None:
    """The error of ours that seems to be meant by another name: of a name that nothing has, there are never errors."""
    ours = [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    if kind in ours or not kind.isidentifier():
        return None
    return next(iter(difflib.get_close_matches(kind, ours, n=1, cutoff=0.85)), None)

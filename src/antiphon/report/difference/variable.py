"""Values that every run has anew: ids and times, by their form, by the name of their field, and by how they differ.

A time may differ in any way. An id may be another, but the same other one wherever it stands: the ids of one run are
those of the other, renamed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any, Final, NamedTuple

__all__ = ["Renaming", "are_made_up", "as_id", "constant", "ids_in", "is_time", "may_be_made_up", "without_variables"]

_FORMS: Final = re.compile(
    r"(?P<time>"
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"  # ISO 8601, RFC 3339
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"  # RFC 9110 section 5.6.7
    r"|(?<![\w.])1\d{9}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?![\w.])"  # seconds, ms, µs or ns since 1970, until 2033
    r")|(?P<id>"
    r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])"  # UUID, RFC 9562
    r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"  # JSON Web Token, RFC 7519
    r"|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}={0,2}"  # a token
    r"|(?<!\w)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?!\w)"  # a hexadecimal number
    r"|(?<![\w.])\d{15,}(?![\w.])"  # a great number
    r")"
)

_SEPARATORS: Final = re.compile(r"[_\-.\s\[\]]+|(?<=[a-z0-9])(?=[A-Z])")
_DIGITS: Final = re.compile(r"\d+")

_ID_WORDS: Final = frozenset(
    {
        *("id", "ids", "uuid", "guid", "key", "token", "nonce", "seq", "sequence", "counter", "serial", "session"),
        *(
            "stream",
            "subscription",
            "rid",
            "cid",
            "sid",
            "ref",
            "reference",
            "cookie",
            "etag",
            "hash",
            "signature",
            "ticket",
            "correlation",
            "trace",
            "span",
        ),
    }
)
_TIME_WORDS: Final = frozenset(
    {"at", "time", "timestamp", "ts", "date", "when", "since", "until", "expires", "elapsed", "latency", "uptime"}
)
_DURATION_WORDS: Final = frozenset(
    {"duration", "age", "took", "rtt", "s", "sec", "secs", "seconds", "ms", "millis", "us", "ns"}
)
_COUNTER_WORDS: Final = frozenset({"seq", "sequence", "counter", "serial", "nonce", "etag", "hash", "signature"})
"""Of the words of ids those of which each message has another."""

_IDENTIFIER: Final = re.compile(r"[\w.:/@+~-]{5,80}", re.ASCII)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9]+")
_ALPHANUMERIC: Final = re.compile(r"[A-Za-z0-9]")
_TURN: Final = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
SHORTEST_MADE_UP: Final = 5
FEWEST_TURNS: Final = 2

NEARLY_AS_LONG: Final = 1.2
"""Whole numbers are durations that were measured, and not set, if the one is at most so many times the other."""

_EPOCHS: Final = ((1e9, 4e9), (1e12, 4e12), (1e15, 4e15), (1e18, 4e18))


def without_variables(text: str) -> str:
    """The text with `*` for what looks like an id or a time."""
    return _FORMS.sub("*", text)


def is_time(path: str, before: Any, after: Any) -> bool:
    """True if both values are moments or durations, each as long as it happened to be."""
    if isinstance(before, str) and isinstance(after, str):
        first, second = _read(before), _read(after)
        return first.rest == second.rest and {kind for kind, _ in (*first.found, *second.found)} == {"time"}
    if not _is_number(before) or not _is_number(after):
        return False
    if any(low < before < high and low < after < high for low, high in _EPOCHS):
        return True
    words = _words(path)
    if not _DURATION_WORDS.isdisjoint(words[-1:]):
        is_whole = float(before).is_integer() and float(after).is_integer()
        return not is_whole or 0 < max(before, after) <= NEARLY_AS_LONG * min(before, after)
    return not _TIME_WORDS.isdisjoint(words)


def as_id(path: str, before: Any, after: Any) -> list[tuple[str, str, str]] | None:
    """The ids in these two values, each with its counterpart: where it is valid, before, after. None if there are none.

    An id that looks like one is valid in the whole run. Another, as `42` in a field "ticketID" or `call-42`, only in
    fields of that name.
    """
    if isinstance(before, str) and isinstance(after, str):
        first, second = _read(before), _read(after)
        if first.found and first.rest == second.rest and len(first.found) == len(second.found):
            # A great number may look like nanoseconds since 1970 by chance: what is an id in one of them is one.
            pairs = zip(first.found, second.found, strict=True)
            return [("", one[1], other[1]) for one, other in pairs if {one[0], other[0]} != {"time"}]
        is_alike = _DIGITS.sub("#", before) == _DIGITS.sub("#", after) != before
    else:
        is_alike = type(before) is type(after) is int
    words = _words(path)
    if is_alike and not _ID_WORDS.isdisjoint(words[-1:]):
        return [(words[-1], str(before), str(after))]
    return [("", before, after)] if are_made_up(before, after) else None


def ids_in(path: str, value: Any) -> list[tuple[str, str]]:
    """The ids in one value, each with where it is valid, as `as_id` gives those of two; counters are none here."""
    if isinstance(value, str):
        found = [("", text) for kind, text in _read(value).found if kind == "id"]
        if found or (_IDENTIFIER.fullmatch(value) and any(map(_is_made_up, _SEGMENT.findall(value)))):
            return found or [("", value)]
    elif type(value) is not int:
        return []
    words = _words(path)
    is_id = not (_ID_WORDS - _COUNTER_WORDS).isdisjoint(words[-1:]) and (type(value) is int or _DIGITS.search(value))
    return [(words[-1], str(value))] if is_id else []


def constant(path: str, value: Any) -> Any:
    """What of a value is the same in every run: `*` stands for what is not."""
    if _is_number(value):
        words = _words(path)
        is_variable = not (_ID_WORDS | _TIME_WORDS | _DURATION_WORDS).isdisjoint(words[-1:])
        return "*" if is_variable or any(low < value < high for low, high in _EPOCHS) else value
    if not isinstance(value, str):
        return value
    return "*" if ids_in(path, value) else without_variables(value)


def are_made_up(before: Any, after: Any) -> bool:
    """True if both are ids as `m4-s5hbwp` and `m7-k0xq3a`, or six hexadecimal digits: of one layout, with letters and
    digits mixed in one part of it, and hardly a character of that alike. `utf8mb3` and `utf8mb4` are not."""
    if not _is_of_one_layout(before, after):
        return False
    parts = zip(_SEGMENT.findall(before), _SEGMENT.findall(after), strict=True)
    return any((_is_made_up(one) or _is_made_up(other)) and _has_little_in_common(one, other) for one, other in parts)


def may_be_made_up(before: Any, after: Any) -> bool:
    """The same of two that stand where others are: each letter may be a digit by chance, and the same one, too."""
    return _is_of_one_layout(before, after) and any(len(part) >= SHORTEST_MADE_UP for part in _SEGMENT.findall(before))


def _is_of_one_layout(before: Any, after: Any) -> bool:
    """Whether both are identifiers whose separators, and the lengths between them, are the same."""
    if not isinstance(before, str) or not isinstance(after, str) or len(before) != len(after):
        return False
    if not _IDENTIFIER.fullmatch(before) or not _IDENTIFIER.fullmatch(after):
        return False
    return _ALPHANUMERIC.sub("x", before) == _ALPHANUMERIC.sub("x", after)


def _is_made_up(part: str) -> bool:
    """Whether letters and digits alternate as they do not in a word with a number behind it."""
    turns = len(_TURN.findall(part))
    return len(part) >= SHORTEST_MADE_UP and turns >= FEWEST_TURNS


def _has_little_in_common(one: str, other: str) -> bool:
    return 2 * sum(first == second for first, second in zip(one, other, strict=True)) < len(one)


class Renaming:
    """Which id of one run is which of the other: for each, the one that it was found as most often."""

    def __init__(self) -> None:
        self._forth: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._back: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def __len__(self) -> int:
        return len(self._forth)

    def learn(self, ids: list[tuple[str, str, str]]) -> None:
        """These were found as each other."""
        for scope, before, after in ids:
            self._forth[scope, before][after] += 1
            self._back[scope, after][before] += 1

    def agrees(self, ids: list[tuple[str, str, str]]) -> bool:
        """False if one of them is another id elsewhere."""
        return all(
            self._forth[scope, before].most_common(1)[0][0] == after
            and self._back[scope, after].most_common(1)[0][0] == before
            for scope, before, after in ids
        )


class _Read(NamedTuple):
    """What is variable in a text, each with its kind, and the rest."""

    rest: str
    found: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)  # a value is asked about several times, then never again
def _read(text: str) -> _Read:
    found = tuple((match.lastgroup or "", match[0]) for match in _FORMS.finditer(text))
    return _Read(_FORMS.sub("*", text) if found else text, found)


def _words(path: str) -> list[str]:
    """The words of a path's last name: ["workitem", "id"] of `data.workitemID`."""
    name = path.rstrip("[]").rpartition(".")[2]
    words = [word.lower() for word in _SEPARATORS.split(name) if word]
    if len(words) == 1 and words[0].endswith("id") and name[-2:] in ("ID", "Id"):
        return [words[0][:-2], "id"]
    return words


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

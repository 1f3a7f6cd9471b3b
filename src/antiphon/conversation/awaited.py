"""What is waited for: as data that a record can hold, and in words, which are made for whoever reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final, Literal, get_origin

from antiphon.conversation.match import DESCRIBED, describe
from antiphon.conversation.names import Names, names_told
from antiphon.conversation.wording import one_line

__all__ = [
    "WaitKind",
    "describe_awaited",
    "is_described",
    "is_plain",
    "is_predicate",
    "is_same_where",
    "parts_around_name",
    "where_as_data",
]

WaitKind = Literal["message", "absence", "reply", "close", "until", "signal"]
"""For a message, for its absence, for the replies to a request, for a close, for a condition, for a signal."""

PREDICATE: Final = "$predicate"
"""In a `where` that has become data: the name of the function that was to accept the body."""


def describe_awaited(
    kind: WaitKind,
    name: Names = None,
    where: Any = None,
    *,
    code: int | None = None,
    place: str = "",
    times: int = 1,
) -> str:
    """What is waited for, on one line.

    name: of the message (None: any, several: one of them), of the request whose replies are awaited, of the signal, or
    of the condition that is to be true. where: a pattern or predicate of the body, or what `where_as_data` made of it.
    code: the close code that is wanted. place: where the condition is written.
    """
    match kind:
        case "close":
            return "the close of the connection" + (f" with code {code}" if code is not None else "")
        case "until":
            return f"until {names_told(name) or 'it'}" + (f" at {place}" if place else "") + " is true"
        case "signal":
            return f"the signal {names_told(name)!r}" + (f", given {times} times" if times > 1 else "")
        case _:
            return "".join(parts_around_name(kind, name, where))


def parts_around_name(kind: WaitKind, name: Names, where: Any = None) -> tuple[str, str, str]:
    """The same for a message, its absence or a reply, parted into what stands before the name, the name, and the rest.

    Without a name the second part is empty.
    """
    before = {"absence": "no ", "reply": "the reply to "}.get(kind, "")
    if name is None:
        return f"{before}any message", "", _selection(where)
    return before, _brief(names_told(name)), _selection(where)


def is_predicate(where: Any) -> bool:
    """True for a callable that is to be called; classes and annotations as `list[str]` are patterns."""
    return callable(where) and not isinstance(where, type) and get_origin(where) is None


def is_described(where: Any) -> bool:
    """Whether it is, or has at its top, what a record describes only: it cannot be held against a body."""
    if not isinstance(where, Mapping):
        return False
    inner = [each for each in where.values() if isinstance(each, Mapping)]
    return any(PREDICATE in each or DESCRIBED in each for each in (where, *inner))


def is_same_where(one: Any, other: Any) -> bool:
    """Whether both select the same, as far as it can be told: functions do if they are written at the same place."""
    if one is other:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_where(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(is_same_where, one, other))
    if one.__class__ is not other.__class__:
        return False
    code = getattr(one, "__code__", None)
    if code is not None:
        return code is getattr(other, "__code__", None)
    try:
        return bool(one == other)
    except Exception:  # a foreign __eq__: that of an array has no truth
        return False


def where_as_data(where: Any) -> Any:
    """The same `where` in what JSON can hold: it is described alike, and its plain fields are as they were.

    What is no plain value is `{"$pattern": its description}` there, a predicate `{"$predicate": its name}`.
    """
    return {PREDICATE: _predicate_name(where)} if is_predicate(where) else _as_data(where, 0)


def _as_data(pattern: Any, depth: int) -> Any:
    if is_plain(pattern):
        return pattern
    if depth < _DEEPEST:
        # A pattern with such a key would be read back as a description; it is described instead.
        if isinstance(pattern, Mapping) and DESCRIBED not in pattern:
            return {str(key): _as_data(value, depth + 1) for key, value in pattern.items()}
        if isinstance(pattern, (list, tuple)):
            return [_as_data(item, depth + 1) for item in pattern]
    return {DESCRIBED: describe(pattern)}


def is_plain(value: Any) -> bool:
    """True for null, a boolean, a finite number or a text of at most 1,000 characters that JSON can hold as it is."""
    kind = value.__class__
    if kind is str:
        # A lone surrogate cannot be written as UTF-8; what is printable has none.
        return len(value) <= _LONGEST and (value.isprintable() or not _SURROGATE.search(value))
    if kind is int:
        return bool(abs(value) < _TOO_GREAT)
    return value is None or kind is bool or (kind is float and math.isfinite(value))


def _selection(where: Any) -> str:
    if where is None:
        return ""
    if is_predicate(where):
        return f" that {_brief(_predicate_name(where))} accepts"
    if isinstance(where, Mapping) and where.keys() == {PREDICATE}:
        return f" that {_brief(str(where[PREDICATE]))} accepts"
    return f" where {_brief(describe(where))}"


def _predicate_name(predicate: Callable[[Any], Any]) -> str:
    name = getattr(predicate, "__name__", None) or repr(predicate)
    # A lambda is called "<lambda>"; its line says which.
    code = getattr(predicate, "__code__", None)
    return (
        f"the lambda at {PurePath(code.co_filename).name}:{code.co_firstlineno}"
        if name == "<lambda>" and code
        else name
    )


def _brief(text: str) -> str:
    return one_line(text, 160)


_DEEPEST: Final = 20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST: Final = 1_000
"""A longer text is described: what is recorded of a wait stays small."""
_TOO_GREAT: Final = 1 << 63
"""Greater numbers are none that every reader of JSON knows."""

"""Does this body fit a pattern, and if not, where.

A pattern is plain data. A mapping fits a mapping that has at least its fields, and a typed body (a struct, dataclass or
model) that has at least such attributes; a list or tuple fits element by element
and in length; a type fits its instances (`int` is not `bool`); `...` fits anything that is there; `ABSENT` fits a field
that is not there; a compiled regular expression fits a string that it finds something in; a set or range fits its
members; a callable fits what it returns true for; anything else fits what is equal to it, `True` and `1` being
different.

Members of a set are patterns again: `{ABSENT, None, "login"}`. `int | None`, `Literal["a", "b"]`, `list[str]` and
`dict[str, int]` say what they say in an annotation. Numbers are equal by value, `1` to `1.0`; NaN fits NaN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from types import FunctionType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.wording import cut_middle, own_words, shorten

__all__ = ["ABSENT", "DESCRIBED", "Difference", "describe", "differences", "matches"]


class _Absent:
    """The value of a field that is not there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""In a pattern: the field must not be there. In a difference: it was not."""

DESCRIBED: Final = "$pattern"
"""In a pattern that was read from a record: under this name stands the description of what a record cannot hold."""


class Difference(msgspec.Struct, frozen=True):
    """One place where a body does not fit: `path` ("" for the whole), what was `wanted` there and what was `found`."""

    path: str
    wanted: Any
    found: Any
    because: str = ""

    def __str__(self) -> str:
        found = "is not there" if self.found is ABSENT else f"is {shorten(self.found)}"
        because = f" ({self.because})" if self.because else ""
        return f"{self.path or 'the body'} {found}, wanted {describe(self.wanted)}{because}"


def matches(pattern: Any, value: Any) -> bool:
    """True if `value` fits `pattern`; a predicate that raises does not fit."""
    if pattern.__class__ is dict:
        # The class first: `isinstance` with an abstract class is slow, and nearly all bodies are dicts.
        if value.__class__ is not dict:
            value = named_fields(value)
            if value is None:
                return False
        for key, wanted in pattern.items():
            if wanted.__class__ is str:  # most fields are; this spares them a call in the hottest loop of the project
                if wanted != value.get(key):
                    return False
            elif not matches(wanted, value.get(key, ABSENT)):
                return False
        return True
    kind = pattern.__class__
    if kind in _PLAIN:
        if pattern == value:
            # In Python True is 1, in what is sent over a wire it is not.
            return (kind is bool) is (value.__class__ is bool)
        return kind is float and _is_nan(pattern) and _is_nan(value)
    return _matches_other(pattern, value)


def _matches_other(pattern: Any, value: Any) -> bool:
    if pattern.__class__ not in _LEAVES:
        if isinstance(pattern, Mapping):
            return matches(dict(pattern), value)
        if isinstance(pattern, (list, tuple)):
            # All of the list, unlike a mapping, whose further fields do not matter: a list says how many there are.
            return isinstance(value, (list, tuple)) and len(pattern) == len(value) and all(map(matches, pattern, value))
    return _fits(pattern, value)[0]


def differences(pattern: Any, value: Any) -> list[Difference]:
    """Every place where `value` does not fit `pattern`, in the pattern's order; empty if it fits."""
    if matches(pattern, value):
        return []
    # A predicate that changes its mind between the two looks must not turn a misfit into a fit.
    return _judge(pattern, value, "") or [Difference("", pattern, value)]


def _judge(pattern: Any, value: Any, path: str) -> list[Difference]:
    if isinstance(pattern, Mapping):
        return _judge_mapping(pattern, value, path)
    if isinstance(pattern, (list, tuple)):
        return _judge_sequence(pattern, value, path)
    fits, because = (matches(pattern, value), "") if pattern.__class__ in _PLAIN else _fits(pattern, value)
    return [] if fits else [Difference(path, pattern, value, because)]


def _judge_mapping(pattern: Mapping[Any, Any], value: Any, path: str) -> list[Difference]:
    fields = named_fields(value)
    if fields is None:
        return [Difference(path, pattern, value)]
    found = []
    for key, wanted in pattern.items():
        found += _judge(wanted, fields.get(key, ABSENT), _extend(path, key))
    return found


def _judge_sequence(pattern: Sequence[Any], value: Any, path: str) -> list[Difference]:
    if not isinstance(value, (list, tuple)):
        return [Difference(path, pattern, value)]
    if len(pattern) != len(value):
        return [Difference(path, pattern, value, f"{len(value)} items instead of {len(pattern)}")]
    found = []
    for index, wanted in enumerate(pattern):
        found += _judge(wanted, value[index], f"{path}[{index}]")
    return found


def _extend(path: str, key: Any) -> str:
    """The path of a field: `call.state`; `call['a.b']` for a name that a dotted path cannot hold."""
    if not isinstance(key, str) or not _DOTTABLE.fullmatch(key):
        return f"{path}[{key!r}]"
    return f"{path}.{key}" if path else key


def _fits(pattern: Any, value: Any) -> tuple[bool, str]:
    """Whether `value` fits a pattern that is neither plain nor a container, and why not if the values do not tell."""
    if pattern is ...:
        return value is not ABSENT, ""
    if pattern is ABSENT:
        return value is ABSENT, ""
    if isinstance(pattern, type):
        return _is_instance(value, pattern)
    if isinstance(pattern, (set, frozenset, Set)):
        return _is_member(value, pattern), ""
    # From here on patterns judge a value, and would be asked about our marker for none.
    if value is ABSENT:
        return False, ""
    if isinstance(pattern, FunctionType):
        return _ask(pattern, value)
    if isinstance(pattern, re.Pattern):
        return isinstance(value, type(pattern.pattern)) and pattern.search(value) is not None, ""
    if isinstance(pattern, range):
        return type(value) is int and value in pattern, ""
    if get_origin(pattern) is not None:
        return _fits_annotation(pattern, value), ""
    # Equality may raise as well, as that of an array does: then it does not fit, and says why.
    return _ask(pattern if callable(pattern) else lambda found: _is_equal(pattern, found), value)


def _is_instance(value: Any, wanted: type) -> tuple[bool, str]:
    if value is ABSENT or (value.__class__ is bool and wanted is not bool and wanted is not object):
        return False, ""
    try:
        return isinstance(value, wanted), ""
    except TypeError as error:  # a Protocol that is not runtime_checkable
        return False, str(error)


def _is_member(value: Any, members: Set[Any]) -> bool:
    return (value.__class__ is str and value in members) or any(matches(member, value) for member in members)


def _is_equal(pattern: Any, value: Any) -> bool:
    """Equality by the pattern's own judgement, but for numbers (`IntEnum`), which are no booleans."""
    return bool(pattern == value) and not (isinstance(value, bool) and isinstance(pattern, (int, float)))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _fits_annotation(pattern: Any, value: Any) -> bool:
    origin, arguments = get_origin(pattern), get_args(pattern)
    if origin is Union or origin is UnionType or origin is Literal:
        return any(matches(argument, value) for argument in arguments)
    if not matches(origin, value):
        return False
    if origin is list:
        return all(matches(arguments[0], item) for item in value)
    if origin is dict:
        return all(matches(arguments[0], key) and matches(arguments[1], inner) for key, inner in value.items())
    return True


def _ask(predicate: Callable[[Any], Any], value: Any) -> tuple[bool, str]:
    try:
        return bool(predicate(value)), ""
    except Exception as error:
        return False, f"{type(error).__name__}: {own_words(error)}"


def describe(pattern: Any) -> str:
    """The pattern as a person would write it, on one line of at most some 200 characters."""
    return cut_middle(_describe(pattern), 200)


def _describe(pattern: Any) -> str:
    if pattern is ...:
        return "anything"
    if pattern is ABSENT:
        return "no such field"
    if isinstance(pattern, Mapping):
        return _describe_mapping(pattern)
    if isinstance(pattern, (list, tuple)):
        return "[" + ", ".join(map(_describe, pattern)) + "]"
    if isinstance(pattern, Set):
        return "one of " + ", ".join(sorted(map(_describe, pattern)))
    if isinstance(pattern, re.Pattern):
        return f"/{pattern.pattern}/"
    if get_origin(pattern) is not None:
        return f"any {pattern}"
    if isinstance(pattern, type):
        return f"any {pattern.__name__}"
    if callable(pattern):
        return f"what {getattr(pattern, '__name__', type(pattern).__name__)} accepts"
    return shorten(pattern)


def _describe_mapping(pattern: Mapping[Any, Any]) -> str:
    if pattern.keys() == {DESCRIBED}:
        return str(pattern[DESCRIBED])
    return "{" + ", ".join(f"{key}: {_describe(value)}" for key, value in pattern.items()) + "}"


_PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None)})
_LEAVES: Final = frozenset({type, type(...), _Absent, set, frozenset, re.Pattern, FunctionType, range})
_DOTTABLE: Final = re.compile(r"[^\s.\[\]'\"]+")

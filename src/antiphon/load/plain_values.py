"""Values of parameters as plain data and back: so they come to other processes, and into records."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import inspect

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.scenarios.scenario import Parameter

__all__ = ["as_recorded", "is_one_option", "of_plain", "plain"]


def plain(name: str, value: Any) -> Any:
    """The parameter's value as what JSON has. Raises ScenarioError for one that could not be made again of that."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_as_text))
    except (TypeError, ValueError, RecursionError) as error:
        raise ScenarioError(
            f"{name} cannot be {shorten(value)} in a load: other processes could not be told",
            hint="a text, a number, a date, an enumeration or a list of these can",
        ) from error


def as_recorded(value: Any) -> Any:
    """A value as what JSON has, for who reads: an object of the author's is told in short."""
    try:
        return msgspec.to_builtins(value, enc_hook=shorten, str_keys=True)
    except (TypeError, ValueError, RecursionError):
        return shorten(value)


def of_plain(parameter: Parameter, value: Any) -> Any:
    """The value that plain data was made of. What is none for the parameter is given as it is: whoever checks it says
    so."""
    kind = parameter.type
    if kind is Any:  # as on the command line: a default value says what it is
        kind = Any if parameter.is_required or parameter.default is None else type(parameter.default)
    if kind is Any:
        return value
    try:
        return _typed(value, kind)
    except (msgspec.ValidationError, TypeError, ValueError, LookupError, ArithmeticError):
        return value


def is_one_option(kind: Any) -> bool:
    """Whether a value of that type is what one option of a command line can say: words, and lists of words."""
    try:
        told = inspect.type_info(kind)
    except (TypeError, ValueError):
        return False
    return _is_word(told)


def _is_word(told: inspect.Type) -> bool:
    match told:
        case inspect.UnionType():
            return all(map(_is_word, told.types))
        case inspect.CollectionType():
            return _is_word(told.item_type)
        case inspect.TupleType():
            return all(map(_is_word, told.item_types))
        case inspect.CustomType():
            return issubclass(told.cls, PurePath)
    return isinstance(told, _WORDS)


_WORDS: Final = (
    inspect.AnyType,
    inspect.BoolType,
    inspect.BytesType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.DecimalType,
    inspect.EnumType,
    inspect.FloatType,
    inspect.IntType,
    inspect.LiteralType,
    inspect.NoneType,
    inspect.StrType,
    inspect.TimeDeltaType,
    inspect.TimeType,
    inspect.UUIDType,
)


def _as_text(value: Any) -> str:
    """A value that is none of JSON's as text, of which its class makes it again: a path, an address."""
    text = str(value)
    if type(value)(text) != value:
        raise ValueError(f"{text} is not the same again")
    return text


def _typed(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True, dec_hook=_made)
    except msgspec.ValidationError:  # keys are texts in JSON
        return msgspec.convert(value, kind, strict=False, dec_hook=_made)
    except TypeError:  # there is a type in it that msgspec does not know
        return _enumerated(value, kind)


def _made(kind: Any, value: Any) -> Any:
    return kind(value)


def _enumerated(value: Any, kind: Any) -> Any:
    """The same for types with enumerations of values of several kinds in them."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {repr(msgspec.to_builtins(member)): member for member in kind}[repr(value)]
    inner = [each for each in get_args(kind) if each is not Ellipsis]
    container = get_origin(kind)
    if container in (list, set, frozenset, tuple) and isinstance(value, list):
        kinds = inner if len(inner) == len(value) else inner[:1] * len(value)
        return container(_typed(each, one) for each, one in zip(value, kinds, strict=True))
    for each in inner:  # a union
        try:
            return _typed(value, each)
        except (msgspec.ValidationError, TypeError, ValueError, LookupError):
            continue
    raise ValueError(f"{shorten(value)} is no {kind}")

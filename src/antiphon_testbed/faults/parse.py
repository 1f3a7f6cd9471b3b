"""Faults in words, as a command line gives them: `KIND:MESSAGE[:ARGUMENT][,AIM=VALUE]…` (see `faults`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon_testbed.faults.faults import (
    KINDS,
    Closed,
    Fault,
    Late,
    NotJson,
    Twice,
    WithoutField,
    WrongField,
    WrongId,
)

__all__ = ["read_fault"]

_FORM: Final = "KIND:MESSAGE[:ARGUMENT][,AIM=VALUE]…, as late:resultHangUp:2.5,user=alice"
_AIM: Final = re.compile(r",(?=(?:user|nth|probability|where\.[^=,:]+)=)")


def read_fault(text: str) -> Fault:
    """The fault that the text says; ScenarioError, with the text as its place, if it says none."""
    spoken, *aims = _AIM.split(text)
    word, _, rest = spoken.partition(":")
    message, _, argument = rest.partition(":")
    kind = next((kind for kind in KINDS if kind.word == word), None)
    if kind is None:
        raise _unread(text, f"there is no kind {word!r} of faults; {', '.join(kind.word for kind in KINDS)} are there")
    if not message:
        raise _unread(text, "it does not say which message is meant")
    takes_text = kind in (NotJson, WrongField, Closed)
    if "," in message or (not takes_text and "," in argument):
        raise _unread(text, "its aims are user=, nth=, probability= and where.FIELD=")
    try:
        return kind(message, **_READERS.get(kind, _read_none)(text, argument), **_aims(text, aims))
    except ScenarioError as error:
        error.place = error.place or f"fault {text!r}"
        raise


def _read_late(text: str, argument: str) -> dict[str, Any]:
    return {"seconds": _number(text, "the seconds that it is late", argument)}


def _read_twice(text: str, argument: str) -> dict[str, Any]:
    return {"after_s": _number(text, "the seconds between the two", argument)} if argument else {}


def _read_closed(text: str, argument: str) -> dict[str, Any]:
    code, _, reason = argument.partition(" ")
    return {"code": _whole(text, "the close code", code), "reason": reason}


def _read_not_json(_: str, argument: str) -> dict[str, Any]:
    return {"text": argument} if argument else {}


def _read_wrong_id(_: str, argument: str) -> dict[str, Any]:
    return {"field": argument}


def _read_wrong_field(text: str, argument: str) -> dict[str, Any]:
    field, equals, value = argument.partition("=")
    if not field or not equals:
        raise _unread(text, "it does not say which field has which value: wrongfield:newWorkitemState:state=held")
    return {"field": field, "value": _value(value)}


def _read_without_field(text: str, argument: str) -> dict[str, Any]:
    if not argument:
        raise _unread(text, "it does not say which field is not there")
    return {"field": argument}


def _read_none(text: str, argument: str) -> dict[str, Any]:
    if argument:
        raise _unread(text, f"{text.partition(':')[0]!r} takes no argument")
    return {}


_READERS: Final[Mapping[type[Fault], Callable[[str, str], dict[str, Any]]]] = MappingProxyType(
    {
        Late: _read_late,
        Twice: _read_twice,
        Closed: _read_closed,
        NotJson: _read_not_json,
        WrongId: _read_wrong_id,
        WrongField: _read_wrong_field,
        WithoutField: _read_without_field,
    }
)
"""How the argument is read of each kind that takes one."""


def _aims(text: str, aims: list[str]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    where: dict[str, Any] = {}
    for aim in aims:
        name, _, value = aim.partition("=")
        if name == "user":
            read["user"] = tuple(value.split("+"))
        elif name == "nth":
            read["nth"] = _whole(text, "nth", value)
        elif name == "probability":
            read["probability"] = _number(text, "the probability", value)
        else:
            where[name.removeprefix("where.")] = _value(value)
    return {**read, "where": where} if where else read


def _number(text: str, what: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _unread(text, f"{what} must be a number, not {value!r}") from None


def _whole(text: str, what: str, value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", value, re.ASCII):
        raise _unread(text, f"{what} must be a whole number, not {value!r}")
    return int(value)


def _value(text: str) -> Any:
    """JSON if it is, or else the text itself."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return text


def _unread(text: str, what: str) -> ScenarioError:
    return ScenarioError(f"{text!r} is no fault: {what}", hint=_FORM)

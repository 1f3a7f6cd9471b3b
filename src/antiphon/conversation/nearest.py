"""Which of the messages that came is most like the one that was awaited, as a person would say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from antiphon.conversation.awaited import is_predicate
from antiphon.conversation.failure_signs import is_heartbeat
from antiphon.conversation.likeness import nearest_name
from antiphon.conversation.match import Difference, differences, matches
from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.names import Names, is_among

__all__ = ["NAME_PATH", "Nearest", "nearest_of"]

NAME_PATH: Final = "its name"
"""In a difference: not a field of the body, the message's name."""


class Nearest(msgspec.Struct, frozen=True):
    """A message that is like what was awaited, and where it is not."""

    message: Message
    differences: list[Difference]


def nearest_of(
    name: Names,
    where: Any,
    messages: Iterable[Message],
    after: int,
    is_routine: Callable[[Message], bool],
    is_taken: Callable[[Message], bool],
) -> Nearest | None:
    """The message most like the awaited one, None if none is: no candidate is better than a false one.

    messages: those that could have counted, oldest first; of these the ones from number `after` on came during the
    wait. is_routine: whether a message is one that a handler hears, or that nobody needs to expect, so that it is none
    unless it has the very name. is_taken: whether somebody has taken it, so that of another name it was for that.
    """
    candidates = [
        m
        for m in messages
        if (name is not None and is_among(m.name, name)) or not (is_routine(m) or is_heartbeat(m.name))
    ]
    named = list(_named(name, where, candidates))
    if named:
        return min(named, key=lambda near: _distance(near, where, after))
    if name is None or is_predicate(where):
        return None
    return _of_another_name(name, where, [message for message in candidates if not is_taken(message)])


def _named(name: Names, where: Any, messages: Iterable[Message]) -> Iterator[Nearest]:
    """Those of the awaited name that do not fit; of any name, if that was awaited, those with a field that does."""
    for message in messages:
        found = differences(where, message.body) if where is not None and is_among(message.name, name) else []
        if found and (name is not None or len(found) < _fields_in(where)):
            yield Nearest(message, found)


def _distance(near: Nearest, where: Any, after: int) -> tuple[bool, bool, int, int, int]:
    """What a person looks at, in this order: anything alike, during the wait, the same thing, alike, the latest."""
    message, found = near.message, near.differences
    is_quite_another = len(found) >= _fields_in(where) > 1
    other_keys = sum(_is_key(difference.path, difference.wanted) for difference in found)
    return is_quite_another, message.number <= after, other_keys, len(found), -message.number


def _of_another_name(name: str | tuple[str, ...], where: Any, messages: list[Message]) -> Nearest | None:
    """A typo in a name, a message about the same thing, or one whose name stands where its dialect does not look."""
    names = name if isinstance(name, tuple) else (name,)
    alike = {nearest_name(wanted, {message.name for message in messages}): wanted for wanted in names}
    about = [message for message in messages if _is_about_the_same(where, message.body)]
    for message in reversed(about or messages):
        if message.name in alike:
            return Nearest(message, [Difference(NAME_PATH, alike[message.name], message.name)])
    for message in reversed(about):
        return Nearest(message, [Difference(NAME_PATH, name, message.name), *differences(where, message.body)])
    for message in reversed(messages):
        for field, value in (named_fields(message.body) or {}).items():
            if isinstance(value, str) and value in names:
                because = f"{value!r} is its {field}: is that where the dialect is to look for the name?"
                return Nearest(message, [Difference(NAME_PATH, name, message.name, because)])
    return None


def _is_about_the_same(where: Any, body: Any) -> bool:
    """Whether a field that tells one thing from another is the same."""
    fields = named_fields(body)
    if not isinstance(where, Mapping) or fields is None:
        return False
    return any(_is_key(str(key), wanted) and matches(wanted, fields.get(key)) for key, wanted in where.items())


def _is_key(path: str, value: Any) -> bool:
    """Whether it tells one thing from another, as an id does, and not what it is like."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    if _KEY.search(path):
        return True
    return bool(_DIGIT.search(value)) if isinstance(value, str) else value >= _LEAST


def _fields_in(where: Any) -> int:
    """How many differences there are at most."""
    if isinstance(where, Mapping):
        return sum(map(_fields_in, where.values()))
    return sum(map(_fields_in, where)) if isinstance(where, (list, tuple)) else 1


_KEY: Final = re.compile(r"(?:(?:^|[^A-Za-z])(?:id|ID|key)|[a-z](?:Id|ID|Key|Uuid|UUID|Ref|Number))$|uuid$")
_DIGIT: Final = re.compile(r"\d")
_LEAST: Final = 10
"""Smaller numbers are counts as often as ids."""

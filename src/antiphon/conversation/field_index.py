"""The fields by which a pattern can be looked up instead of tried.

A mapping pattern fits only what has its plain fields, exactly. Where many messages are kept, or many waits pend, of one
name, these fields lead to the few that can fit; whether they do is still for the pattern to say.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, Final, Generic, TypeVar

from antiphon.conversation.named_fields import named_fields

__all__ = ["LONG", "FieldIndex", "Fields", "Values", "bring_into_place", "indexable_fields", "values_at"]

T = TypeVar("T")
Fields = tuple[Any, ...]
Values = tuple[Hashable, ...]

LONG: Final = 32
"""Up to this many, trying one after the other is quicker than looking up."""


def indexable_fields(where: Any) -> tuple[Fields, Values]:
    """The pattern's fields that want a plain `str` or `int`, and what they want; `((), ())` if there are none."""
    if not isinstance(where, Mapping):
        return (), ()
    plain = {field: wanted for field, wanted in where.items() if wanted.__class__ is str or wanted.__class__ is int}
    return tuple(plain), tuple(plain.values())


def values_at(fields: Fields, body: Any) -> Values | None:
    """What the body has in these fields (None in one that is not there); None if no clue with them can fit it."""
    if not fields:
        return ()
    found = named_fields(body)
    if found is None:
        return None
    values = tuple(found.get(field) for field in fields)
    try:
        hash(values)
    except TypeError:  # a list or mapping stands where a plain value is wanted
        return None
    return values


class FieldIndex(Generic[T]):
    """Numbered things, found by the values of some fields, in the order of their numbers.

    The values are remembered, so that a thing is found again to be removed, whatever has become of it meanwhile.
    """

    __slots__ = ("_buckets", "_values")

    def __init__(self) -> None:
        self._buckets: dict[Values, OrderedDict[int, T]] = {}
        self._values: dict[int, Values] = {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def add(self, number: int, values: Values | None, thing: T) -> None:
        """Add a thing; one whose values are None is never looked for."""
        if values is None:
            return
        self._values[number] = values
        bucket = self._buckets.setdefault(values, OrderedDict())
        bucket[number] = thing
        bring_into_place(bucket, number)

    def remove(self, number: int) -> None:
        """Remove the thing of that number, if it is here."""
        values = self._values.pop(number, None)
        if values is None:
            return
        bucket = self._buckets[values]
        del bucket[number]
        if not bucket:
            del self._buckets[values]

    def at(self, values: Values | None) -> OrderedDict[int, T]:
        """The things with these values."""
        return self._buckets.get(values, OrderedDict()) if values is not None else OrderedDict()


def bring_into_place(numbered: OrderedDict[int, T], number: int) -> None:
    """Move the entry that was just appended to where its number belongs; nothing to do for the greatest."""
    greater = []
    for each in reversed(numbered):
        if each < number:
            break
        if each != number:
            greater.append(each)
    for each in reversed(greater):
        numbered.move_to_end(each)

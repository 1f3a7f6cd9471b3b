"""The arguments of a step: as data that a record can hold, and in words, which are made for whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, overload

import msgspec

from antiphon.conversation.awaited import is_plain
from antiphon.conversation.wording import shorten
from antiphon.journal.masking import Masker

__all__ = ["Argument", "GivenArguments", "arguments_told", "mask_argument", "named_things"]

SHOWN: Final = "$shown"
"""In an argument's value: how it is shown, where JSON cannot hold the value, or the value is long."""


class Argument(msgspec.Struct, omit_defaults=True):
    """An argument without its secrets; `name` is the one that it was given by, "" for one given by its place.

    value: what JSON reads back as the same, up to 1,000 characters; of anything else `{"$shown": how it is shown}`.
    """

    value: Any
    name: str = ""

    @property
    def text(self) -> str:
        """The value as it is shown."""
        value = self.value
        return str(value[SHOWN]) if _is_shown(value) else shorten(value)


class GivenArguments(Sequence[Argument]):
    """The arguments of a step that is performed, while they are in memory: made anew whenever somebody reads them."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Iterable[Argument]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Argument]:
        return iter(self._make())

    def __len__(self) -> int:
        return len(list(self._make()))

    @overload
    def __getitem__(self, index: int) -> Argument: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Argument]: ...
    def __getitem__(self, index: int | slice) -> Argument | Sequence[Argument]:
        return list(self._make())[index]


def arguments_told(arguments: Iterable[Argument]) -> str:
    """Arguments as they were written: `'890000002', tries=2`."""
    return ", ".join(f"{each.name}={each.text}" if each.name else each.text for each in arguments)


def named_things(names: str) -> Argument:
    """Functions or steps as an argument, which are shown by their names."""
    return Argument({SHOWN: names})


def mask_argument(masker: Masker, value: Any, called: str, name: str = "") -> Argument:
    """The argument without its secrets. `called` is its parameter's name, "" for none, and decides what is one."""
    masked = masker.member(called, value)
    name = name and masker.text(name)
    if _is_shown(masked) or (_is_readable_back(masked, 0) and len(repr(masked)) <= _LONGEST):
        return Argument(masked, name)
    return Argument({SHOWN: masker.text(masker.shown(called, value))}, name)


def _is_shown(value: Any) -> bool:
    return value.__class__ is dict and value.keys() == {SHOWN} and value[SHOWN].__class__ is str


def _is_readable_back(value: Any, depth: int) -> bool:
    kind = value.__class__
    if kind is dict and depth < _DEEPEST:
        return SHOWN not in value and all(
            key.__class__ is str and is_plain(key) and _is_readable_back(inner, depth + 1)
            for key, inner in value.items()
        )
    if kind is list and depth < _DEEPEST:
        return all(_is_readable_back(inner, depth + 1) for inner in value)
    # Exponents are written otherwise in JSON: whoever shows the number as it stands there would show another text.
    return is_plain(value) and not (kind is float and "e" in repr(value))


_DEEPEST: Final = 20
_LONGEST: Final = 1_000

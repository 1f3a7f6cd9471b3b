"""Structs whose fields are written as quickly as those of any class with slots.

The interpreter has a short way for a write to a slot, and takes it for classes that write as `object` does. msgspec
gives each struct a function of its own, which looks afterwards whether the collector has to look into the struct from
now on; the same is done when the struct is made. So where the collector never looks (`gc=False`), or does from the
beginning because of what a struct is made with, that function does nothing but take three times as long.

Relied upon: a class whose `__setattr__` and `__delattr__` are those of `object` has the slot of `object` for both
(CPython 3.11 to 3.14). Where that does not hold, the same is written, and not faster.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

__all__ = ["quick_writes"]

S = TypeVar("S", bound=msgspec.Struct)


def quick_writes(struct: type[S]) -> type[S]:
    """Decorates such a struct; each of its children, too, for msgspec gives all their own function."""
    struct.__setattr__ = object.__setattr__  # type: ignore[method-assign]
    struct.__delattr__ = object.__delattr__  # type: ignore[method-assign]
    return struct

"""Things in the order of their keys, of which the first is wanted most of the time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar

__all__ = ["Key", "Ranking"]

T = TypeVar("T")
Key: TypeAlias = tuple[int, ...]


class Ranking(Generic[T]):
    """Items by unique keys, least first. Adding and discarding are binary searches and one move of memory."""

    __slots__ = ("_items", "_keys")

    def __init__(self) -> None:
        self._keys: list[Key] = []
        self._items: dict[Key, T] = {}

    def __iter__(self) -> Iterator[T]:
        return (self._items[key] for key in self._keys)

    def first(self) -> tuple[Key, T] | None:
        """The item with the least key, and the key; None if there is none."""
        return (self._keys[0], self._items[self._keys[0]]) if self._keys else None

    def add(self, key: Key, item: T) -> None:
        """Put it in its place; nothing if the key is there."""
        if key not in self._items:
            insort(self._keys, key)
            self._items[key] = item

    def discard(self, key: Key) -> None:
        """Take it out; nothing if it is not there."""
        if key in self._items:
            del self._items[key]
            del self._keys[bisect_left(self._keys, key)]

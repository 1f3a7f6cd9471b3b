"""The queue: contacts that wait for a desk, for each channel and skill in the order in which they came."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from antiphon_testbed.floor.contacts import Contact

__all__ = ["ContactQueue", "Key", "SortedMap"]

T = TypeVar("T")
Key: TypeAlias = tuple[int, ...]


class SortedMap(Generic[T]):
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


class ContactQueue:
    """Who waits. A contact that comes back has its old place."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[str, str | None], SortedMap[Contact]] = {}
        self._places: dict[str, tuple[tuple[str, str | None], Key]] = {}

    def __contains__(self, contact: Contact) -> bool:
        return contact.id in self._places

    def by_channel(self) -> dict[str, int]:
        """How many wait, for each channel."""
        return dict(Counter(channel for (channel, _), _ in self._places.values()))

    def add(self, contact: Contact) -> None:
        """It waits for a desk with its skill, or for any if it needs none."""
        kind, key = (contact.channel, contact.skill), (contact.number,)
        self._places[contact.id] = (kind, key)
        self._by_kind.setdefault(kind, SortedMap()).add(key, contact)

    def discard(self, contact: Contact) -> None:
        """It waits no longer; nothing if it did not."""
        place = self._places.pop(contact.id, None)
        if place is not None:
            kind, key = place
            self._by_kind[kind].discard(key)

    def first(self, channel: str, skills: Iterable[str]) -> Contact | None:
        """Who came first of those whom an agent with these skills can serve; None if nobody waits."""
        heads = [self._head(channel, skill) for skill in (None, *skills)]
        found = [head for head in heads if head is not None]
        return min(found, key=lambda head: head[0])[1] if found else None

    def _head(self, channel: str, skill: str | None) -> tuple[Key, Contact] | None:
        found = self._by_kind.get((channel, skill))
        return found.first() if found is not None else None

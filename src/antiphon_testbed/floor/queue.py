"""The queue: contacts that wait for a desk, for each channel and skill in the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.ranking import Key, Ranking

__all__ = ["Waiting"]


class Waiting:
    """Who waits. A contact that comes back has its old place."""

    def __init__(self) -> None:
        self._by_kind: dict[tuple[str, str | None], Ranking[Contact]] = {}
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
        self._by_kind.setdefault(kind, Ranking()).add(key, contact)

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
        ranking = self._by_kind.get((channel, skill))
        return ranking.first() if ranking is not None else None

"""Which part of a load is ours, when several processes or machines perform it together."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from antiphon.errors import ScenarioError

__all__ = ["WHOLE", "Numbering", "Share"]

MOST_SHARES: Final = 100_000

_HINT: Final = "K/N, K from 1 to N: 2/8 is the second of eight"


class Share(msgspec.Struct, frozen=True):
    """The share with that index, 0 to `of` - 1: of things in a row it has those whose number modulo `of` is its index.

    So the shares together are the whole, and none has what another has.
    """

    index: int = 0
    of: int = 1

    @classmethod
    def numbered(cls, k: int, n: int) -> Share:
        """The k-th of n, as a person counts: from 1. Raises ScenarioError for what there is not."""
        if not (type(k) is int and type(n) is int and 1 <= k <= n <= MOST_SHARES):
            raise ScenarioError(f"there is no share {k} of {n}", hint=_HINT)
        return cls(k - 1, n)

    @classmethod
    def parse(cls, text: str) -> Share:
        """The share that is written `2/8`: the second of eight. Raises ScenarioError for what is none."""
        found = _SHARE.fullmatch(text.strip())
        if found is None:
            raise ScenarioError(f"{text[:60]!r} is no share of a load", hint=_HINT)
        return cls.numbered(int(found[1]), int(found[2]))

    def within(self, share: Share) -> Share:
        """This share of that one: a process's of its machine's."""
        return Share(share.index + share.of * self.index, share.of * self.of)

    def how_many(self, total: int) -> int:
        """How many of so many in a row are its."""
        return (total - self.index + self.of - 1) // self.of if total > self.index else 0

    def __str__(self) -> str:
        return f"{self.index + 1}/{self.of}"


WHOLE: Final = Share()


class Numbering(msgspec.Struct, frozen=True):
    """Which numbers the conversations of a share have among those of the whole.

    The whole's numbers, 0 and up, are dealt to `width` seats in turn, and the seats to the shares. With as many seats
    as shares each share has every `of`-th number; with a seat for each user, each user has as many as any other, and so
    the shares have as many as they have users.
    """

    share: Share
    width: int

    @property
    def seats(self) -> int:
        """How many seats the share has; with none it has no conversation."""
        return self.share.how_many(self.width)

    def number(self, nth: int) -> int:
        """The number, among the whole's, of this share's conversation `nth`, 0 and up."""
        turn, seat = divmod(nth, self.seats)
        return turn * self.width + seat * self.share.of + self.share.index

    def how_many(self, total: int) -> int:
        """How many of the whole's first `total` conversations are this share's."""
        turns, rest = divmod(total, self.width)
        return turns * self.seats + self.share.how_many(rest)


_SHARE: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")

"""Chance that can be had again: the same seed and the same question give the same number, in whatever order one asks.

So processes that share a load need not tell each other what they have drawn, and one conversation of it can be played
again alone.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final

__all__ = ["MOST_SEED", "draw", "new_seed"]

MOST_SEED: Final = 2**32 - 1


def new_seed() -> int:
    """A seed that nobody has chosen, 0 to 2³² - 1."""
    return secrets.randbelow(MOST_SEED + 1)


def draw(seed: int, *question: int | str) -> float:
    """A number from 0, to below 1, evenly spread, and independent of that for any other seed or question."""
    digest = blake2b(repr((seed, *question)).encode(), digest_size=8).digest()
    # As many bits as a float has.
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53

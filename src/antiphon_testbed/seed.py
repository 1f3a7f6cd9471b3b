"""Chance that can be repeated: ids, tokens and fractions drawn from a seed.

Every draw belongs to a scope and counts within it, so that what one desk draws does not depend on what the others do
meanwhile: with the same seed, the n-th id of alice is the same in every run.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from uuid import UUID

__all__ = ["Seed"]


class Seed:
    """Draws from `seed`; without one, from a secret that is made now and never shown."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._key = blake2b(str(seed).encode()).digest() if seed is not None else secrets.token_bytes(64)
        self._drawn: dict[str, int] = {}

    def uuid(self, scope: str) -> str:
        """The next UUID (version 4, RFC 9562) of the scope."""
        return str(UUID(bytes=self._draw(scope, 16), version=4))

    def token(self, scope: str) -> str:
        """The next token of the scope: 48 hexadecimal digits."""
        return self._draw(scope, 24).hex()

    def fraction(self, scope: str) -> float:
        """The next number of the scope, 0.0 <= fraction < 1.0."""
        return (int.from_bytes(self._draw(scope, 8), "big") >> 11) / (1 << 53)

    def number(self, scope: str) -> int:
        """The next positive number of the scope, below 2**62."""
        return int.from_bytes(self._draw(scope, 8), "big") >> 2 or 1

    def _draw(self, scope: str, size_bytes: int) -> bytes:
        count = self._drawn.get(scope, 0)
        self._drawn[scope] = count + 1
        return blake2b(f"{count}/{scope}".encode(), key=self._key, digest_size=size_bytes).digest()

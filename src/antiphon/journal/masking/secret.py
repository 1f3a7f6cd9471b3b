"""A secret that was found in a text: where it stands, and what may be learnt of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec

__all__ = ["LONGEST_BEFORE", "Reading", "Secret"]

LONGEST_BEFORE = 80
"""So many characters before a name are looked at: they tell what kind of a name it is."""


class Secret(msgspec.Struct, frozen=True):
    """A secret at `start` to `stop` of a text, in the field `name`.

    `values` are what it may be, unescaped, where it is certain enough to be learnt. `edge` is the quotation mark that a
    mask needs where the text had none: that of a number.
    """

    start: int
    stop: int
    name: str
    values: Sequence[str] = ()
    edge: str = ""


Reading = Generator[Secret, None, int]
"""Yields the secrets that it comes upon, and returns where the text goes on."""

"""Numbers as protocols write them: digits and nothing else.

`int` forgives signs, underscores, spaces, prefixes and the digits of other alphabets; a length of -6 or 1_0 that is
taken for a number makes two parties disagree about where a message ends. And it refuses more than 4,300 digits with an
error about the interpreter.
"""

from __future__ import annotations

import re
from typing import Final

from antiphon.conversation.wording import shorten

__all__ = ["LARGEST", "read_digits"]

LARGEST: Final = (1 << 63) - 1
"""More than anyone can mean, and what a length on any wire may be at most."""

_FORMS: Final = {10: re.compile("[0-9]+"), 16: re.compile("[0-9A-Fa-f]+")}
_SHOWN: Final = 40


def read_digits(text: str, *, base: int = 10, largest: int = LARGEST) -> int:
    """The number that stands there in decimal or hexadecimal digits, leading zeros allowed.

    Raises ValueError for an empty text, anything that is no ASCII digit (RFC 5234 appendix B.1: DIGIT, HEXDIG), or more
    than `largest`.
    """
    if _FORMS[base].fullmatch(text) is None:
        raise ValueError(f"{shorten(text, _SHOWN)} is not made of digits only")
    # By its length first: int would take its time for a million digits, or refuse them as too many for Python.
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(largest)) or int(significant, base) > largest:
        raise ValueError(f"{shorten(text, _SHOWN)} is more than {largest}")
    return int(significant, base)

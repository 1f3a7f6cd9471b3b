"""Cells of tables: what somebody else said does nothing in a spreadsheet that opens it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["harmless"]

_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9 ().,/-]*(?:[eE][+-]?[0-9]+)?")


def harmless(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would take it for a formula.

    A number stays as it is, also that of a telephone.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_BEGINS) and not _NUMBER.fullmatch(text) else text

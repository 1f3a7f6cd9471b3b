"""Texts without what is of one conversation only: ids, numbers, times, ports."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["ANY", "is_unique", "short_place", "without_ids"]

ANY: Final = "…"
"""Stands for what differs from conversation to conversation."""


def is_unique(text: str) -> bool:
    """Whether a text looks like one that no other conversation has: it has a digit in it, or is long."""
    return len(text) > _LONGEST_WORD or any(character.isdigit() for character in text)


def without_ids(text: str, kept: Collection[int] = ()) -> str:
    """The text on one line with `…` for numbers but those which are `kept`, for words and quoted texts with a digit in
    them, hexadecimal ids, durations and ports. Addresses of hosts and places in the code stay."""

    def told(found: re.Match[str]) -> str:
        word = found[0]
        match found.lastgroup:
            case "place":
                return short_place(word)
            case "quoted":
                return f"{word[0]}{ANY}{word[0]}"
            case "number" if int(word) not in kept:
                return ANY
            case "host" | "number":
                return word
            case _:
                return ANY

    return _TOLD_APART.sub(told, " ".join(text.split()))


def short_place(place: str) -> str:
    """FILE:LINE without the directories."""
    return place.replace("\\", "/").rpartition("/")[2]


_LONGEST_WORD: Final = 40
_TOLD_APART: Final = re.compile(
    r"""
      (?P<place>[\w./\\:<>-]+\.py:\d+)
    | (?P<quoted>'[^'\n]*\d[^'\n]*' | "[^"\n]*\d[^"\n]*")
    | (?P<host>\b\d{1,3}(?:\.\d{1,3}){3}\b)
    | (?P<uuid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)
    | (?P<duration>\b\d+(?:[.,]\d+)*\ ?(?:ms|µs|us|ns|s|min|h)\b)
    | (?P<number>(?<![\w.,-])\d{1,18}(?![\w-]|[.,]\d))
    | (?P<word>[\w-]*\d+(?:[.,]\d+|[\w-])*)
    """,
    re.VERBOSE,
)

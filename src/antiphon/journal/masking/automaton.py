"""Many words looked for at once: the search of Aho and Corasick, whose time is linear in the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

__all__ = ["Find", "strict_word_finder", "tolerant", "word_finder"]

Find = Callable[[str], list[tuple[int, int, int]]]
"""Gives, in order, the matches in a text that do not overlap: the word's index, where it begins, where it ends."""


def word_finder(words: Iterable[str]) -> Find:
    """Finds these words, of those at one place the longest, of those that overlap the first."""
    return tolerant(strict_word_finder(words))


def tolerant(find: Find) -> Find:
    """The same for any text."""

    def find_in(text: str) -> list[tuple[int, int, int]]:
        try:
            return find(text)
        except UnicodeEncodeError:
            return find(_encodable(text))

    return find_in


def strict_word_finder(words: Iterable[str]) -> Find:
    """The same, for texts without half characters; of others it raises UnicodeEncodeError."""
    automaton = AhoCorasick(
        map(_encodable, words), MatchKind.LeftmostLongest, store_patterns=False, implementation=_KIND
    )
    return automaton.find_matches_as_indexes


def _encodable(text: str) -> str:
    """The text of the same length without half characters, which the automaton cannot read."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


_KIND: Final = Implementation.ContiguousNFA  # a DFA searches as fast, and takes 10 times as long to make
_HALVES: Final = re.compile("[\ud800-\udfff]")

"""What an author wrote down as it is, at a place: it tells a state that is meant from an id that was learnt."""

from __future__ import annotations

import ast
import linecache
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, Final

__all__ = ["literals_at"]


@lru_cache(1024)
def literals_at(place: str) -> frozenset[tuple[type, Any]]:
    """The texts and numbers, with their types, in the statement that begins at FILE:LINE; none where that cannot be
    read."""
    file, _, line = place.rpartition(":")
    if not file or not line.isdecimal():
        return frozenset()
    lines = islice(linecache.getlines(file), int(line) - 1, int(line) - 1 + _MOST_LINES)
    found: set[tuple[type, Any]] = set()
    # What is broken, or begins in the middle of an expression, is read as far as that goes.
    with suppress(tokenize.TokenError, SyntaxError):
        for token in _tokens(lines):
            with suppress(ValueError, SyntaxError):  # an f-string is no literal
                value = ast.literal_eval(token.string)
                found.add((type(value), value))
    return frozenset(found)


def _tokens(lines: Iterator[str]) -> Iterator[tokenize.TokenInfo]:
    """The texts and numbers until the statement ends."""
    # Without its margin the first line would be an unexpected indent.
    first = next(lines, "").lstrip()
    rest = iter([first])
    for token in tokenize.generate_tokens(lambda: next(rest, None) or next(lines, "")):
        if token.type in (tokenize.STRING, tokenize.NUMBER):
            yield token
        elif token.type == tokenize.NEWLINE:
            return


_MOST_LINES: Final = 40

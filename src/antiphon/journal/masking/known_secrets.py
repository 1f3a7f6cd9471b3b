"""Values that must not be seen, wherever they stand and however they are escaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["KnownSecrets"]


class KnownSecrets:
    """A set of secrets, each of at least 6 characters, and how to find them in a text.

    While they are few each is looked for. When they are many their pieces are, so that a text's cost does not grow with
    their number: of each secret the last 8 pieces of 6 characters are known, and a text is probed at every n-th place,
    n being the fewest pieces that a secret has. What `…` has left of a secret is found too. `most` bounds what is
    remembered; then the one that was not seen for longest is forgotten.
    """

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._secrets: dict[str, frozenset[str]] = {}
        self._forms: dict[str, int] = {}
        self._pieces: dict[str, list[tuple[str, int]]] = {}
        self._heads: dict[str, set[str]] = {}
        self._tails: dict[str, set[str]] = {}
        self._stride = _PIECES

    def __len__(self) -> int:
        return len(self._secrets)

    def add(self, secret: str) -> None:
        """Find this secret from now on; one that is known counts as seen again."""
        forms = self._secrets.pop(secret, None)
        if forms is None:
            forms = _forms(secret)
            for form in forms:
                self._index(form)
        self._secrets[secret] = forms
        if len(self._secrets) > self.most:
            for form in self._secrets.pop(next(iter(self._secrets))):
                self._forget(form)

    def _index(self, form: str) -> None:
        self._forms[form] = self._forms.get(form, 0) + 1
        if self._forms[form] == 1:
            pieces = _pieces(form)
            self._stride = min(self._stride, len(pieces))
            for piece, offset in pieces:
                self._pieces.setdefault(piece, []).append((form, offset))
            self._heads.setdefault(form[:_STUMP], set()).add(form)
            self._tails.setdefault(form[-_STUMP:], set()).add(form)

    def _forget(self, form: str) -> None:
        self._forms[form] -= 1
        if self._forms[form]:
            return
        del self._forms[form]
        for piece, offset in _pieces(form):
            entries = self._pieces[piece]
            entries.remove((form, offset))
            if not entries:
                del self._pieces[piece]
        for stumps, stump in ((self._heads, form[:_STUMP]), (self._tails, form[-_STUMP:])):
            stumps[stump].remove(form)
            if not stumps[stump]:
                del stumps[stump]

    def mask(self, text: str, mask: str) -> str:
        """The text with `mask` in the place of every secret; the text itself if it holds none."""
        if not self._forms or len(text) < _PIECE:
            return text
        kept: list[str] = []
        done = 0
        found = chain(self._find_few(text) if len(self._forms) <= _FEW else self._find_many(text), self._find_cut(text))
        for start, stop in sorted(found):
            if start >= done:
                kept += (text[done:start], mask)
            done = max(done, stop)
        return "".join((*kept, text[done:])) if kept else text

    def _find_few(self, text: str) -> Iterator[tuple[int, int]]:
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + len(form))

    def _find_many(self, text: str) -> Iterator[tuple[int, int]]:
        pieces = self._pieces
        for position in range(0, len(text) - _PIECE + 1, self._stride):
            piece = text[position : position + _PIECE]
            if piece in pieces:
                for form, offset in pieces[piece]:
                    start = position - offset
                    if start >= 0 and text.startswith(form, start):
                        yield start, start + len(form)

    def _find_cut(self, text: str) -> Iterator[tuple[int, int]]:
        """The first characters of a secret before an ellipsis, or the last after it: our own texts are cut so."""
        for _, cut in zip(range(_MOST_CUTS), re.finditer("…", text), strict=False):
            stop, start = cut.start(), cut.end()
            for size in range(_STUMP, min(_LONGEST_STUMP, stop) + 1):
                heads = self._heads.get(text[stop - size : stop - size + _STUMP], ())
                if any(text.startswith(head[:size], stop - size) for head in heads):
                    yield stop - size, stop
            for size in range(_STUMP, min(_LONGEST_STUMP, len(text) - start) + 1):
                tails = self._tails.get(text[start + size - _STUMP : start + size], ())
                if any(text.startswith(tail[-size:], start) for tail in tails):
                    yield start, start + size


def _pieces(form: str) -> list[tuple[str, int]]:
    """Pieces from the end, which differs where the beginning is often shared (as that of JSON Web Tokens)."""
    last = len(form) - _PIECE
    return [(form[offset : offset + _PIECE], offset) for offset in range(max(0, last - _PIECES + 1), last + 1)]


def _forms(secret: str) -> frozenset[str]:
    """The secret as it is, and as JSON (also inside of a JSON string), Python, a URL and UTF-8 write it."""
    if _UNESCAPED.fullmatch(secret):
        return frozenset((secret,))
    forms = {secret}
    for is_ascii in (True, False):
        inner = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        outer = json.dumps(inner, ensure_ascii=is_ascii)[1:-1]
        forms |= {inner, inner.replace("/", "\\/"), outer, outer.replace("/", "\\/")}
    forms.add(repr(secret)[1:-1])
    forms |= {form.encode("utf-8", "replace").decode("latin-1") for form in forms}
    forms |= {quote(secret, safe, errors="replace") for safe in ("", "/")}
    return frozenset((*forms, quote_plus(secret, errors="replace")))


_FEW: Final = 32
_PIECE: Final = 6
_PIECES: Final = 8
_STUMP: Final = 4
_LONGEST_STUMP: Final = 200
_MOST_CUTS: Final = 100
_UNESCAPED: Final = re.compile(r"[A-Za-z0-9_.~-]+")

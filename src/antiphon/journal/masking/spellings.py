"""How else a secret may be written: encoded whole, or with some of its characters escaped.

Encodings (base64, hexadecimal, UTF-16) change every character, and there are few of them: each gives further texts to
look for. Which characters are escaped, and how, is everybody's own choice (`&`, `\\u0026`, `&amp;`, `%26`, `\\x26`, in
upper or lower case, inside of each other): no list of forms holds them all, so the text is read instead (`unescaped`).
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from html.entities import html5
from typing import Final

__all__ = ["Reading", "encoded_forms", "escape_anchor", "plain_forms", "readings"]

LONGEST_ENCODED: Final = 48
"""So many bytes of a secret are looked for in base64 and hexadecimal; what follows in the same word is masked too."""

MOST_NESTED: Final = 4
"""So many escapings inside of each other are read: JSON in a JSON string in a query is three."""


def plain_forms(secret: str) -> set[str]:
    """The texts that stand for the secret as they are, once a text's escapes are read."""
    forms = {secret, secret.replace(" ", "+")}  # as a form's data and query write it
    if not secret.isascii():
        forms.add(secret.encode("utf-8", "replace").decode("latin-1"))  # UTF-8 in data that is no UTF-8 as a whole
        if any(character > "\xff" for character in secret):  # the others are read by leaving zeros out
            for encoding in ("utf-16-le", "utf-16-be"):
                forms |= _as_data_is_read(secret.encode(encoding, "replace"))
    return forms


def encoded_forms(secret: str) -> set[str]:
    """The texts that stand for the secret, or its beginning, in base64 (at any place of a longer one) and hexadecimal.

    Base64 writes 6 bits a character: of a secret that begins 0, 1 or 2 bytes after a multiple of three the characters
    are known that hold nothing of its neighbours. RFC 4648, sections 4, 5 and 8.
    """
    data = secret.encode("utf-8", "replace")[:LONGEST_ENCODED]
    forms = {data.hex(), data.hex().upper()}
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode()
        form = text[-(-8 * before // 6) : 8 * (before + len(data)) // 6]
        forms |= {form, form.replace("+", "-").replace("/", "_")}
    return forms


def escape_anchor(secret: str) -> str | None:
    """The longest part of the secret that no escaping changes ("" if there is none); None if nothing in it is escaped.

    A text without it does not hold the secret in any escaping, and need not be read for it.
    """
    if _NEVER_ESCAPED.fullmatch(secret):
        return None
    return max(_LETTERS.findall(secret), key=len, default="")


class Reading:
    """A text as it reads once its escapes are, and where in the text each part of it stands."""

    def __init__(self, text: str, starts: list[int], sources: list[int], source: Reading | None) -> None:
        self.text = text
        self._starts = starts
        self._sources = sources
        self._source = source

    def place(self, start: int, stop: int) -> tuple[int, int]:
        """Where the characters from `start` to `stop` stand in the text that was read first."""
        if not self._starts:
            return start, stop
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, stop - 1) - 1
        begin = self._sources[first] + start - self._starts[first]
        # Pieces alternate: one that was copied, one character that was made of an escape, which is masked whole.
        is_copied = last % 2 == 0
        end = self._sources[last] + stop - self._starts[last] if is_copied else self._sources[last + 1]
        return self._source.place(begin, end) if self._source is not None else (begin, end)


def readings(text: str, is_escaped: bool) -> Iterator[Reading]:
    """The other ways to read a text: with its escapes read, then with those inside of them, and so on.

    And each without its zero characters: so reads UTF-16 of characters below 256, in either order of its bytes.
    `is_escaped` tells whether its escapes are worth reading.
    """
    reading = Reading(text, [], [], None)
    if "\x00" in text:
        yield _without_zeros(reading)
    for _ in range(MOST_NESTED if is_escaped else 0):
        following = _unescaped(reading)
        if following is None:
            return
        reading = following
        yield reading
        if "\x00" in reading.text:
            yield _without_zeros(reading)


def _without_zeros(source: Reading) -> Reading:
    pieces: list[str] = []
    starts: list[int] = []
    sources: list[int] = []
    size = 0
    for piece in _NO_ZEROS.finditer(source.text):
        starts += (size, size + len(piece[0]))
        sources += (piece.start(), piece.end())
        pieces.append(piece[0])
        size += len(piece[0])
    return Reading("".join(pieces), starts, sources, source)


def _unescaped(source: Reading) -> Reading | None:
    """The same with one level of its escapes read; None if there are none."""
    text = source.text
    pieces: list[str] = []
    starts: list[int] = []
    sources: list[int] = []
    size = done = 0
    for escape in _ESCAPE.finditer(text):
        position = escape.start()
        for character, length in _characters(escape):
            copied = text[done:position]
            starts += (size, size + len(copied))
            sources += (done, position)
            pieces += (copied, character)
            size += len(copied) + 1
            position = done = position + length
    if not pieces:
        return None
    starts.append(size)
    sources.append(done)
    pieces.append(text[done:])
    return Reading("".join(pieces), starts, sources, source)


def _characters(escape: re.Match[str]) -> Iterator[tuple[str, int]]:
    """The characters that an escape stands for, each with the length of its part."""
    text = escape[0]
    if escape["percent"]:
        data = bytes.fromhex(text.replace("%", ""))
        for character in data.decode("utf-8", "surrogateescape"):
            yield character, 3 * len(character.encode("utf-8", "surrogateescape"))
    elif escape["pair"]:
        yield bytes.fromhex(text[2:6] + text[8:12]).decode("utf-16-be"), len(text)
    elif escape["code"]:
        yield chr(int(escape["code"][1:], 16)), len(text)
    elif escape["single"]:
        yield _SINGLES.get(text[1], text[1]), len(text)
    elif escape["number"]:
        number = text[2:-1]
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        yield chr(code) if code < 0x110000 else "?", len(text)
    elif text[1:] in html5:
        yield html5[text[1:]][:1], len(text)


def _as_data_is_read(data: bytes) -> set[str]:
    """Binary data as text, which is looked through whether it is UTF-8 or not."""
    forms = {data.decode("latin-1")}
    with suppress(UnicodeDecodeError):
        forms.add(data.decode())
    return forms


_NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_LETTERS: Final = re.compile(r"[A-Za-z0-9]+")
_NO_ZEROS: Final = re.compile("[^\x00]+")
_SINGLES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ESCAPE: Final = re.compile(
    r"""(?x)
      \\u (?P<pair> [dD][89abAB][0-9a-fA-F]{2} \\u [dD][c-fC-F][0-9a-fA-F]{2})
    | \\ (?P<code> u[0-9a-fA-F]{4} | x[0-9a-fA-F]{2})
    | \\ (?P<single> .)
    | (?P<percent> (?:%[0-9a-fA-F]{2})+)
    | &\# (?P<number> [xX][0-9a-fA-F]{1,6} | [0-9]{1,7});
    | &(?P<name> [A-Za-z]{2,8});
    """
)

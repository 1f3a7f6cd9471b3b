"""All secrets of a text that stand in fields, of whatever kind, also where names and marks are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

import msgspec

from antiphon.journal.masking.commands import find_after_mark
from antiphon.journal.masking.elements import REST_OF_ELEMENT, REST_OF_PAIR, REST_OF_PART, Elements, read_part
from antiphon.journal.masking.field_names import FieldNames, Hit
from antiphon.journal.masking.fields import REST_OF_FIELD, Field, beginning, read_value
from antiphon.journal.masking.pairs import Pairs
from antiphon.journal.masking.secret import LONGEST_BEFORE, Reading, Secret
from antiphon.journal.masking.spellings import readings

__all__ = ["find_secrets", "may_hold_secret"]


def find_secrets(text: str, names: FieldNames) -> Iterable[Secret]:
    """The secrets of a text, in order."""
    hits = names.find(_lower(text))
    if not hits and "%" not in text and "\\" not in text:
        return ()
    secrets = list(_Finder(text, names).read(hits)) if hits else []
    # An entity is looked for where a name is near only: those of letters nobody writes.
    has_escape = "%" in text or "\\" in text
    if (has_escape and _LETTER_ESCAPE.search(text) is not None) or (
        hits and "&" in text and _ENTITY.search(text) is not None
    ):
        secrets += _find_escaped(text, names)
        return _united(secrets)
    return secrets


def may_hold_secret(text: str, names: FieldNames) -> bool:
    """Whether there may be such secrets, or those of a shape (`find_shapes`).

    Without one in a text, there is none in what stands in it between quotation marks or line ends either. Raises
    UnicodeError for half a character.
    """
    lower = text.lower()  # of other letters it does not matter how long they become
    # Private keys have the word for a key.
    if (names.search(lower) and names.find(lower)) or "eyJ" in text or ("@" in text and "/" in text):
        return True
    return ("%" in text or "\\" in text) and _LETTER_ESCAPE.search(text) is not None


def _find_escaped(text: str, names: FieldNames) -> Iterator[Secret]:
    """The secrets whose names, or the marks around them, are escaped: `pass%77ord=`, `%22password%22%3A%22`."""
    for reading in readings(text, is_escaped=True):
        hits = names.find(_lower(reading.text))
        for secret in _Finder(reading.text, names).read(hits):
            start, stop = reading.place(secret.start, secret.stop)
            if text[start:stop].strip("*"):
                yield Secret(start, stop, secret.name, secret.values)
        if _LETTER_ESCAPE.search(reading.text) is None and _ENTITY.search(reading.text) is None:
            return


def _united(secrets: list[Secret]) -> Iterator[Secret]:
    """In order, those that overlap as one."""
    last: Secret | None = None
    for secret in sorted(secrets, key=lambda each: (each.start, -each.stop)):
        if last is None or secret.start >= last.stop:
            if last is not None:
                yield last
            last = secret
        else:
            values = tuple(dict.fromkeys((*last.values, *secret.values)))
            last = msgspec.structs.replace(last, stop=max(last.stop, secret.stop), values=values)
    if last is not None:
        yield last


class _Finder:
    """Finds the secrets of one text as it stands."""

    def __init__(self, text: str, names: FieldNames) -> None:
        self._text = text
        self._names = names
        # Looked for once in the text, so that what most texts have not costs nothing at each hit.
        self._has_elements = (
            "<" in text or ("\\" in text and "\\u003" in text) or ("&" in text and _LESS.search(text) is not None)
        )
        self._has_parts = "form-data" in text

    @cached_property
    def _elements(self) -> Elements:
        return Elements(self._text, self._names)

    @cached_property
    def _pairs(self) -> Pairs:
        return Pairs(self._text, self._names, self._elements)

    def read(self, hits: Iterable[Hit]) -> Iterator[Secret]:
        position = 0
        for hit in hits:
            _, start, stop = hit
            if stop <= position:
                continue  # it stands in what was a value, or in the same name as the last
            mark = self._names.mark_of(hit)
            if mark is None or mark == "bearer":
                position = max(position, (yield from self._read_hit(start, stop, position)))
            if (
                mark is not None
                and (found := find_after_mark(self._text, mark, start)) is not None
                and found[0] >= position
            ):
                yield Secret(*found, mark, (self._text[slice(*found)],))
                position = found[1]

    def _read_hit(self, start: int, stop: int, position: int) -> Reading:
        text, names = self._text, self._names
        # In this order: `password=` in an element's attribute is a field, not the element.
        if (rest := REST_OF_FIELD.match(text, stop)) is not None:
            begin = beginning(text, start, rest["quote"])
            name = text[begin : rest.end("name" if rest["quote"] else "bare_name")]
            if secrecy := names.secrecy(name):
                before = text[max(0, begin - LONGEST_BEFORE) : begin]
                return (yield from read_value(text, Field(name.lower(), before, rest, secrecy)))
            return position
        if self._has_elements:
            if (rest := REST_OF_PAIR.match(text, stop)) is not None:
                return (yield from self._elements.read_pair(start, rest))
            if (rest := REST_OF_ELEMENT.match(text, stop)) is not None:
                return (yield from self._elements.read(start, rest))
        if self._has_parts and (rest := REST_OF_PART.match(text, stop)) is not None:
            return (yield from read_part(text, start, rest, names))
        return (yield from self._pairs.read(start, stop, position))


def _lower(text: str) -> str:
    """The text in lower case, every character at its place; some become two, and they are in no name of ours."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(map(_lower_one, text))


def _lower_one(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


_LETTER_ESCAPE: Final = re.compile(
    r"(?:%(?:25)*|\\x|\\u00)(?:2[27dD]|3[aAcCdDeE]|5[bBdDfF]|7[bBdD]|[46][1-9a-fA-F]|[57][0-9aA])"
)
"""What names, and the marks around them, are escaped by. Of the rest of a text an escape is nothing to find here."""

_ENTITY: Final = re.compile(r"&(?:quot|apos|#[xX]?[0-9a-fA-F]{2,4});")
_LESS: Final = re.compile(r"&(?:amp;)?lt;")

"""Where secrets stand in a text: as values of what looks like fields with secret names.

JSON (`"token": "abc"`), also inside of a JSON string (`\\"token\\": \\"abc\\"`) and however deep; what Python prints of
a dict; `token=abc` of URLs, cookies and calls; header lines. Every pattern is bounded or possessive: the time is linear
in the text, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

__all__ = ["Secret", "field_finder", "find_secrets"]

Find = Callable[[str, int], "re.Match[str] | None"]


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


def field_finder(words: Sequence[str]) -> Find:
    """A search for fields whose names contain one of these words, in lower case or not."""
    return re.compile(f"(?:{_any_case(words)}){_REST_OF_FIELD}").search


def find_secrets(text: str, find: Find) -> Iterator[Secret]:
    """The secrets of a text, in order."""
    field = find(text, 0)
    while field is not None:
        position = yield from _read_value(text, field)
        field = find(text, position)


Reading = Generator[Secret, None, int]
"""Yields the secrets that it comes upon, and returns where the text goes on."""


def _read_value(text: str, field: re.Match[str]) -> Reading:
    start, name = field.end(), field[0].lower()
    opening = _OPENING.match(text, start)
    if opening is not None:
        return (yield from _read_string(text, opening, name))
    if text[start : start + 1] in _BRACKETS:
        return (yield from _read_container(text, field, name))
    return (yield from _read_bare(text, field, name))


def _read_string(text: str, opening: re.Match[str], name: str) -> Reading:
    start = opening.end()
    stop, end = _end_of_string(text, opening)
    if stop > start:
        yield Secret(start, stop, name, _unescape(text[start:stop], len(opening[1])))
    return end


def _read_container(text: str, field: re.Match[str], name: str) -> Reading:
    """Every string and number in the list or object that begins here; the names of its fields stay."""
    edge = _edge(field)
    depth, position = 0, field.end()
    while (token := _TOKEN.search(text, position)) is not None:
        position = token.end()
        if token["bracket"]:
            depth += 1 if token["bracket"] in _BRACKETS else -1
        elif token["number"]:
            yield Secret(token.start(), token.end(), name, edge=edge)
        elif token["line"]:
            depth = 0 if field["quote"] is None else depth  # out of JSON a bracket may stay open for ever
        elif (opening := _OPENING.match(text, token.start())) is not None:
            position = _end_of_string(text, opening)[1]
            if not _COLON.match(text, position):
                yield from _read_string(text, opening, name)
        if depth <= 0:
            return position
    return len(text)


def _edge(field: re.Match[str]) -> str:
    """The quotation mark that a number needs when it is replaced: in JSON that of its field's name."""
    return field["slashes"] + '"' if field["quote"] == '"' else ""


def _read_bare(text: str, field: re.Match[str], name: str) -> Reading:
    """A value without quotation marks: a number, a word, the rest of a header line."""
    start = field.end()
    if field["quote"] is not None:
        found = _ATOM.match(text, start)
        if found is None or found[0].lower() in _NO_SECRETS:
            return start
        yield Secret(start, found.end(), name, edge=_edge(field))
        return found.end()
    before = text[max(0, field.start() - 20) : field.start()]
    is_header = _HEADER.search(name) is not None and _LINE_START.search(before) is not None
    found = (_LINE if is_header else _WORD).match(text, start)
    value = found[0].rstrip(",.)]} ") if found is not None else ""
    if value and value.lower() not in _NO_SECRETS:
        is_certain = is_header or name.rstrip().endswith("=")  # `token: expired` may be prose
        yield Secret(start, start + len(value), name, (value,) if is_certain else ())
    return start + len(value)


def _end_of_string(text: str, opening: re.Match[str]) -> tuple[int, int]:
    """Where the string ends that is opened here, and where the text goes on; it ends with its line at the latest.

    A mark with `slashes` backslashes is closed by one with as many. More stand before a mark inside of the string:
    there a backslash of the string is written as `slashes + 1` of them.
    """
    slashes, mark = len(opening[1]), opening[2]
    for edge in _EDGE.finditer(text, opening.end()):
        if edge[2] in "\r\n":
            return edge.end() - 1, edge.end()
        if edge[2] == mark and len(edge[1]) >= slashes and (len(edge[1]) - slashes) % (2 * slashes + 2) == 0:
            return edge.end() - 1 - slashes, edge.end()
    return len(text), len(text)


def _unescape(text: str, slashes: int) -> Sequence[str]:
    """The text, and what it stands for when the JSON around it is read."""
    if "\\" not in text:
        return (text,)
    plain = text
    for _ in range((slashes + 1).bit_length()):
        try:
            plain = msgspec.json.decode(f'"{plain}"', type=str)
        except (msgspec.DecodeError, UnicodeError):
            break
    return (text, plain)


def _any_case(words: Sequence[str]) -> str:
    """A pattern for these words in any case: one branch for each first letter, by which the search skips what begins
    otherwise (with the flag IGNORECASE it is 4 times slower)."""
    branches = []
    for first, group in groupby(sorted(words), key=lambda word: word[0]):
        rests = "|".join("".join(map(_either_case, word[1:])) for word in group)
        branches += [f"{re.escape(letter)}(?:{rests})" for letter in sorted({first, first.upper()})]
    return "|".join(branches)


def _either_case(letter: str) -> str:
    return f"[{letter}{letter.upper()}]" if letter.isalpha() else re.escape(letter)


_REST_OF_FIELD: Final = r"""(?x:
    [^"'\\\n=:&?,{}<>]{0,64}+ (?P<slashes>\\{0,63}+) (?P<quote>["']) \s{0,64}+ : \s{0,64}+
    | [\w.%-]{0,64}+ [ \t]{0,8}+ [=:] [ \t]{0,8}+
)"""
_OPENING: Final = re.compile(r"[bB]?(\\{0,63}+)([\"'])")
_EDGE: Final = re.compile(r"(?<!\\)(\\*+)([\"'\r\n])")
_TOKEN: Final = re.compile(
    r"(?P<bracket>[\[\](){}])|(?P<number>(?<![\w.])-?[0-9][0-9.eE+-]*+)|(?P<line>\n)|(?<!\\)(?:\\*+)[\"']"
)
_BRACKETS: Final = ("[", "{", "(")
_COLON: Final = re.compile(r"\s{0,64}+:")
_ATOM: Final = re.compile(r"[^\s,;:\"'\\\[\](){}]++")
_WORD: Final = re.compile(r"(?:(?i:bearer|basic|digest|token|negotiate)(?:[ \t]+|%20|\+))?(?:[^\s&;\"'\\<>]|\\/)++")
_LINE: Final = re.compile(r"[^\r\n\"'\\]++")
_HEADER: Final = re.compile(r"(?:cookie|authorization)[ \t]*:[ \t]*$")
_LINE_START: Final = re.compile(r"(?:^|\n|\\n|\\r)[\w-]{0,18}$")
_NO_SECRETS: Final = frozenset({"null", "none", "true", "false", "undefined", "***"})

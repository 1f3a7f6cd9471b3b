"""Where secrets stand in a text: as values of what looks like fields with secret names.

JSON (`"token": "abc"`), also inside of a JSON string (`\\"token\\": \\"abc\\"`) and however deep; what Python prints of
a dict; `token=abc` of URLs, cookies and calls; header lines; elements of XML; parts of a form (multipart). Every
pattern is bounded or possessive: the time is linear in the text, whatever it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from antiphon.journal.masking.field_names import FieldNames, Secrecy

__all__ = ["Secret", "find_secrets", "is_random", "is_small_number"]


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


class _Field(msgspec.Struct, frozen=True):
    """A field whose value is a secret.

    `before` is what stands before its name (80 characters at most), `rest` goes from within its name to its value.
    """

    name: str
    before: str
    rest: re.Match[str]
    secrecy: Secrecy

    @property
    def is_likely_only(self) -> bool:
        """Whether it may hold an ordinary word as well."""
        return self.secrecy is Secrecy.LIKELY

    @property
    def edge(self) -> str:
        """The quotation mark that a number needs when it is replaced: in JSON that of its field's name."""
        return self.rest["slashes"] + '"' if self.rest["quote"] == '"' else ""


Reading = Generator[Secret, None, int]
"""Yields the secrets that it comes upon, and returns where the text goes on."""


def find_secrets(text: str, names: FieldNames) -> Iterable[Secret]:
    """The secrets of a text, in order."""
    hits = names.find(_lower(text))
    return _read_hits(text, hits, names) if hits else ()


def _read_hits(text: str, hits: Iterable[tuple[int, int, int]], names: FieldNames) -> Iterator[Secret]:
    # Looked for once in the text, so that what most texts have not costs nothing at each hit.
    has_elements = "<" in text or "\\u003" in text or "&lt;" in text
    has_parts = "form-data" in text
    position = 0
    for _, start, stop in hits:
        if stop <= position:
            continue  # it stands in what was a value, or in the same name as the last
        # In this order: `password=` in an element's attribute is a field, not the element.
        if (rest := _REST_OF_FIELD.match(text, stop)) is not None:
            begin = _beginning(text, start, rest["quote"])
            name = text[begin : rest.end("name" if rest["quote"] else "bare_name")]
            if secrecy := names.secrecy(name):
                before = text[max(0, begin - _LONGEST_BEFORE) : begin]
                position = yield from _read_value(text, _Field(name.lower(), before, rest, secrecy))
        elif has_elements and (rest := _REST_OF_ELEMENT.match(text, stop)) is not None:
            position = yield from _read_element(text, start, rest, names)
        elif has_parts and (rest := _REST_OF_PART.match(text, stop)) is not None:
            position = yield from _read_part(text, start, rest, names)


def is_random(text: str) -> bool:
    """Whether a text looks as if a machine had made it to be no one's guess, and not like a word of a conversation."""
    return len(text) >= _SHORTEST_RANDOM and _RANDOM.fullmatch(text) is not None


def is_small_number(text: str) -> bool:
    """Whether it is a number that is no secret in a field that only may be one: `"pass": 12`."""
    return len(text) <= _SMALL_DIGITS and text.isdecimal()


def _beginning(text: str, start: int, quote: str | None) -> int:
    """Where the name of a field begins that has something of a secret's name at `start`."""
    earliest = max(0, start - _LONGEST_NAME)
    if quote:
        return max(earliest, text.rfind(quote, earliest, start) + 1)
    # Backwards over the text turned round: a look-behind may not be of any length.
    found = _BARE_BACKWARDS.match(text[earliest:start][::-1])
    begin = start - (found.end() if found is not None else 0)
    is_escape = begin and text[begin - 1] == "\\" and text[begin] in "rnt"  # that of a line's end, before a header
    return begin + 1 if is_escape else begin


def _lower(text: str) -> str:
    """The text in lower case, every character at its place; some become two, and they are in no name of ours."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(map(_lower_one, text))


def _lower_one(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


# -- values -----------------------------------------------------------------------------------------------------------


def _read_value(text: str, field: _Field) -> Reading:
    start = field.rest.end()
    opening = _OPENING.match(text, start)
    if opening is not None:
        return (yield from _read_string(text, opening, field))
    if text[start : start + 1] in _BRACKETS:
        return (yield from _read_container(text, field))
    return (yield from _read_bare(text, field))


def _read_string(text: str, opening: re.Match[str], field: _Field, is_inner: bool = False) -> Reading:
    start = opening.end()
    stop, end = _end_of_string(text, opening)
    if stop > start:
        values = _unescape(text[start:stop], len(opening[1]))
        if field.is_likely_only:  # what stands below such a field is mostly words
            values = [] if is_inner else [value for value in values if is_random(value)]
        yield Secret(start, stop, field.name, values)
    return end


def _read_container(text: str, field: _Field) -> Reading:
    """Every string and number in the list or object that begins here; the names of its fields stay."""
    depth, position = 0, field.rest.end()
    while (token := _TOKEN.search(text, position)) is not None:
        position = token.end()
        if token["bracket"]:
            depth += 1 if token["bracket"] in _BRACKETS else -1
        elif token["number"]:
            yield Secret(token.start(), token.end(), field.name, edge=field.edge)
        elif token["line"]:
            depth = 0 if field.rest["quote"] is None else depth  # out of JSON a bracket may stay open for ever
        elif (opening := _OPENING.match(text, token.start())) is not None:
            position = _end_of_string(text, opening)[1]
            # A string before a colon is a name, which tells what was there, and is no secret.
            if not _COLON.match(text, position):
                yield from _read_string(text, opening, field, is_inner=True)
        if depth <= 0:
            return position
    return len(text)


def _read_bare(text: str, field: _Field) -> Reading:
    """A value without quotation marks: a number, a word, the rest of a header line, a phrase."""
    start = field.rest.end()
    if field.rest["quote"] is not None:
        found = _ATOM.match(text, start)
        if found is None or found[0].lower() in _NO_SECRETS:
            return start
        if not (field.is_likely_only and is_small_number(found[0])):
            yield Secret(start, found.end(), field.name, edge=field.edge)
        return found.end()
    is_header = _is_header(field)
    found = (_LINE if is_header else _PHRASE if _is_phrase(field) else _WORD).match(text, start)
    # In prose the sentence goes on behind it; nobody's secret is known by how its sentence ends.
    value = found[0].rstrip(",.)]} ") if found is not None else ""
    if value and value.lower() not in _NO_SECRETS and not (field.is_likely_only and _is_a_word(value, field)):
        is_certain = is_header or field.rest["separator"] == "="  # `token: expired` may be prose
        is_learnt = is_certain and (not field.is_likely_only or is_random(value))
        yield Secret(start, start + len(value), field.name, (value,) if is_learnt else ())
    return start + len(value)


def _is_a_word(value: str, field: _Field) -> bool:
    """Whether it is no secret in a field that only may be one: in prose (`the session: closed`) no word is."""
    if field.rest["separator"] == "=" or _LINE_START.search(field.before) is not None:
        return is_small_number(value)
    return is_small_number(value) or not any(map(str.isdecimal, value))


def _is_header(field: _Field) -> bool:
    name = field.name
    is_whole_line = name.endswith(("cookie", "authorization"))
    return is_whole_line and field.rest["separator"] == ":" and _LINE_START.search(field.before) is not None


def _is_phrase(field: _Field) -> bool:
    """Whether the value may have blanks in it. People's passwords have, what machines make has not; a URL or a call
    (`?password=`, `(password=`) has none either, and after a colon it is prose unless it begins a line."""
    if _PHRASES.search(field.name) is None:
        return False
    if field.rest["separator"] == ":":
        return _LINE_START.search(field.before) is not None
    return field.before[-1:] not in ("?", "&", "(")


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


# -- elements and parts -----------------------------------------------------------------------------------------------


def _read_element(text: str, start: int, rest: re.Match[str], names: FieldNames) -> Reading:
    """The text of an element of XML or HTML, also where `<` is escaped for a JSON string or for XML."""
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    opened = max((before.rfind(mark) + len(mark) for mark in _LESS if mark in before), default=-1)
    prefix = before[opened:].rpartition(":")[2]
    name = prefix + text[start : rest.start()] + rest["name"]
    if opened < 0 or not _XML_NAME.fullmatch(before[opened:]) or not names.secrecy(name):
        return rest.end("name")
    begin = rest.end()
    end = _LESS_PATTERN.search(text, begin)
    stop = end.start() if end is not None else len(text)
    if (data := _CDATA.match(text, begin)) is not None:
        begin, stop = data.start("data"), data.end("data")
    value = text[begin:stop]
    if value.strip():
        yield Secret(begin, stop, name.lower(), tuple({value.strip(), html.unescape(value.strip())}))
    return stop


def _read_part(text: str, start: int, rest: re.Match[str], names: FieldNames) -> Reading:
    """A field of a form that is sent in parts (RFC 7578): its headers, an empty line, its value, a boundary."""
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    found = _PART_NAME.search(before)
    if found is None or not names.secrecy(found[1] + text[start : rest.start()] + rest["name"]):
        return rest.start()
    begin = rest.end()
    end = _BOUNDARY.search(text, begin)
    stop = end.start() if end is not None else len(text)
    if stop > begin:
        yield Secret(begin, stop, found[1] + text[start : rest.start()], (text[begin:stop],))
    return stop


_LONGEST_NAME: Final = 64
_LONGEST_BEFORE: Final = 80
_SMALL_DIGITS: Final = 3
_SHORTEST_RANDOM: Final = 8
_RANDOM: Final = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])\S+")

_REST_OF_FIELD: Final = re.compile(
    r"""(?x)
      (?P<name> [^"'\\\n=:&?,{}<>]{0,64}+ ) (?P<slashes>\\{0,63}+) (?P<quote>["']) \s{0,64}+ : \s{0,64}+
    | (?P<bare_name> [\w.%-]{0,64}+ ) [ \t]{0,8}+ (?P<separator>[=:]) [ \t]{0,8}+
    """
)
_BARE_BACKWARDS: Final = re.compile(r"[\w.-]*+")
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
_PHRASE: Final = re.compile(r"(?:(?![ \t,]{1,8}[\w.-]{1,64}[ \t]{0,8}=)(?:[^\r\n&;\"'\\<>]|\\/))++")
_PHRASES: Final = re.compile(r"pass|pwd|pw$")
_LINE_START: Final = re.compile(r"(?:^|\n|\\n|\\r)[ \t]{0,18}$")
_NO_SECRETS: Final = frozenset({"null", "none", "true", "false", "undefined", "***"})

_LESS: Final = ("<", "\\u003c", "\\u003C", "&lt;")
_LESS_PATTERN: Final = re.compile(r"<|\\u003[cC]|&lt;")
_GREATER: Final = r"(?:>|\\u003[eE]|&gt;)"
_XML_NAME: Final = re.compile(r"(?:[\w.-]+:)?[\w.-]*")
_REST_OF_ELEMENT: Final = re.compile(rf"(?P<name>[\w.-]{{0,64}}+)(?:\s[^<>]{{0,256}}?)?{_GREATER}")
_CDATA: Final = re.compile(rf"\s{{0,64}}(?:<|\\u003[cC])!\[CDATA\[(?P<data>.*?)(?:\]\]{_GREATER}|\Z)", re.DOTALL)

_NEWLINE: Final = r"(?:\r?\n|(?:\\{1,15}r)?\\{1,15}n)"
_PART_NAME: Final = re.compile(r"[Ff]orm-[Dd]ata;.*name=\\{0,15}[\"']?([^\"'\\]*)$", re.DOTALL)
_REST_OF_PART: Final = re.compile(
    rf"(?P<name>[^\"'\\\r\n]{{0,64}}+)\\{{0,15}}+[\"']?[^\r\n\\]{{0,200}}"
    rf"(?:{_NEWLINE}[\w-]{{1,40}}:[^\r\n\\]{{0,200}}){{0,5}}{_NEWLINE}{_NEWLINE}"
)
_BOUNDARY: Final = re.compile(rf"{_NEWLINE}--")

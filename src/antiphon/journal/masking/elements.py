"""Secrets in elements of XML or HTML, also where `<` is escaped for a JSON string or for XML, and in parts of a form.

In an element with a secret name is masked: its text, the text of all elements inside of it, and the attributes that
carry a value. Elements that name a field and give its value next to it (`<name>password</name><value>…`) likewise.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from antiphon.journal.masking.field_names import FieldNames
from antiphon.journal.masking.secret import LONGEST_BEFORE, Reading, Secret

__all__ = ["REST_OF_ELEMENT", "REST_OF_PAIR", "REST_OF_PART", "Elements", "read_part"]


class Elements:
    """Reads the elements of one text."""

    def __init__(self, text: str, names: FieldNames) -> None:
        self._text = text
        self._names = names
        self._unclosed = 0

    def read(self, start: int, rest: re.Match[str]) -> Reading:
        """The element whose name has a word for a secret at `start`; `rest` goes on to the end of its opening tag."""
        text = self._text
        before = text[max(0, start - LONGEST_BEFORE) : start]
        opened, less = max(
            ((before.rfind(mark) + len(mark), mark) for mark in _LESS if mark in before), default=(-1, "")
        )
        name = before[opened:] + text[start : rest.start()] + rest["name"]
        if opened < 0 or not _XML_NAME.fullmatch(before[opened:]) or not self._names.secrecy(name.rpartition(":")[2]):
            return rest.end("name")
        yield from self._attributes(rest.end("name"), rest.end(), name.lower())
        if text[rest.start() : rest.end()].rstrip(">").endswith("/"):
            return rest.end()
        return (yield from self.read_inside(rest.end(), name, less))

    def read_inside(self, begin: int, tag: str, less: str, name: str = "") -> Reading:
        """What stands between the opening tag that ends at `begin` and the tag that closes it."""
        name = (name or tag).lower()
        markup = _MARKUP_OF[less]
        first = markup.search(self._text, begin)
        if first is None:
            stop = self._next(less, begin)
            yield from self._value(begin, stop, name)
            return stop
        stop = first.start()
        if first["data"] is not None or not first["close"]:  # it has elements, or character data
            stop = self._end_of(tag, less, begin)
        yield from self._values(begin, stop, name, markup)
        return stop

    def _end_of(self, tag: str, less: str, begin: int) -> int:
        """Where the closing tag is; without one, behind the tags that follow at once."""
        if self._unclosed < MOST_UNCLOSED:
            end = re.compile(rf"{_LESS[less]}/{re.escape(tag)}").search(self._text, begin)
            if end is not None:
                return end.start()
            self._unclosed += 1
        nested = _NESTED_OF[less].match(self._text, begin)
        assert nested is not None  # it fits anything
        return self._next(less, nested.end())

    def _next(self, less: str, begin: int) -> int:
        """Where the next tag begins, or the text ends."""
        found = re.compile(_LESS[less]).search(self._text, begin)
        return found.start() if found is not None else len(self._text)

    def _values(self, begin: int, stop: int, name: str, markup: re.Pattern[str]) -> Iterator[Secret]:
        for found in markup.finditer(self._text, begin, stop):
            yield from self._value(begin, found.start(), name)
            if found["data"] is not None:
                yield from self._value(*found.span("data"), name)
            else:
                yield from self._attributes(found.start(), found.end(), name)
            begin = found.end()
        yield from self._value(begin, stop, name)

    def _value(self, begin: int, stop: int, name: str) -> Iterator[Secret]:
        value = self._text[begin:stop]
        if not _BLANK.fullmatch(value):
            bare = value.strip()
            yield Secret(begin, stop, name, tuple({bare, html.unescape(bare)}) if bare != "***" else ())

    def _attributes(self, begin: int, stop: int, name: str) -> Iterator[Secret]:
        for found in _ATTRIBUTE.finditer(self._text, begin, stop):
            if found["name"].lower() in _VALUES or self._names.secrecy(found["name"]):
                yield Secret(*found.span("value"), name, (found["value"], html.unescape(found["value"])))

    def read_pair(self, start: int, rest: re.Match[str]) -> Reading:
        """`<name>password</name><value>…</value>`, where a word for a secret is at `start`."""
        text = self._text
        opened = _NAME_ELEMENT.search(text[max(0, start - LONGEST_BEFORE) : start])
        if opened is None:
            return rest.start()
        name = opened["begun"] + text[start : rest.start()] + rest["name"]
        is_value = rest["tag"].rpartition(":")[2].lower() in _VALUES or opened["tag"].lower() == "key"
        if not is_value or not self._names.secrecy(name):
            return rest.start()
        return (yield from self.read_inside(rest.end(), rest["tag"], rest["less"], name))


def read_part(text: str, start: int, rest: re.Match[str], names: FieldNames) -> Reading:
    """A field of a form that is sent in parts (RFC 7578): its headers, an empty line, its value, a boundary."""
    before = text[max(0, start - LONGEST_BEFORE) : start]
    found = _PART_NAME.search(before)
    if found is None or not names.secrecy(found[1] + text[start : rest.start()] + rest["name"]):
        return rest.start()
    begin = rest.end()
    end = _BOUNDARY.search(text, begin)
    stop = end.start() if end is not None else len(text)
    if stop > begin:
        yield Secret(begin, stop, found[1] + text[start : rest.start()], (text[begin:stop],))
    return stop


MOST_UNCLOSED: Final = 32
"""So many closing tags of one text are looked for in vain: each search may go through all of it."""

_LESS: Final = {
    "<": "<",
    "\\u003c": r"\\u003[cC]",
    "\\u003C": r"\\u003[cC]",
    "&lt;": "&lt;",
    "&amp;lt;": "&amp;lt;",
}
"""What `<` is written as, and its pattern."""
_GREATER: Final = r"(?:>|\\u003[eE]|&gt;|&amp;gt;)"
_SPACE: Final = r"(?:\s|\\{1,15}[nrt])"
_BLANK: Final = re.compile(rf"{_SPACE}*+")
_XML_NAME: Final = re.compile(r"(?:[\w.-]+:)?[\w.-]*")
REST_OF_ELEMENT: Final = re.compile(rf"(?P<name>[\w.-]{{0,64}}+)(?:(?:\s|\\[nrt]|/)[^<>]{{0,1000}}?)?{_GREATER}")
REST_OF_PAIR: Final = re.compile(
    rf"(?P<name>[\w.-]{{0,64}}+)\s{{0,9}}(?P<less><|\\u003[cC]|&lt;)/[\w:.-]{{1,40}}{_GREATER}{_SPACE}{{0,64}}"
    rf"(?P=less)(?P<tag>[\w:.-]{{1,40}})(?:\s[^<>]{{0,256}}?)?{_GREATER}"
)
_NAME_ELEMENT: Final = re.compile(
    r"(?i)(?:<|\\u003c|&lt;)(?:[\w.-]+:)?(?P<tag>name|key|field|param|parameter|property|header|id|variable)"
    rf"(?:\s[^<>]*?)?{_GREATER}\s*(?P<begun>[\w.-]*)$"
)
_VALUES: Final = frozenset({"value", "val", "v", "content", "text", "data", "string"})
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w.-])(?:[\w.-]{1,40}:)?(?P<name>[\w.-]{1,64}+)\s{0,9}=\s{0,9}(?P<mark>\\{0,15}[\"'])(?P<value>[^\"'<>]{1,4000}?)(?P=mark)"
)


def _markup(mark: str) -> re.Pattern[str]:
    return re.compile(
        rf"{mark}(?:!\[CDATA\[(?P<data>.*?)(?:\]\]{_GREATER}|\Z)|(?P<close>/)?[\w!?][^<>]{{0,2000}}?{_GREATER})",
        re.DOTALL,
    )


def _nested(mark: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:\n\s*+)?{mark}(?:[A-Za-z_][^<>]{{0,256}}?{_GREATER}|!\[CDATA\[)){{0,16}}+")


_MARKUP_OF: Final = {less: _markup(mark) for less, mark in _LESS.items()}
_NESTED_OF: Final = {less: _nested(mark) for less, mark in _LESS.items()}

_NEWLINE: Final = r"(?:\r?\n|(?:\\{1,15}r)?\\{1,15}n)"
_PART_NAME: Final = re.compile(r"[Ff]orm-[Dd]ata;.*name=\\{0,15}[\"']?([^\"'\\]*)$", re.DOTALL)
REST_OF_PART: Final = re.compile(
    rf"(?P<name>[^\"'\\\r\n]{{0,64}}+)\\{{0,15}}+[\"']?[^\r\n\\]{{0,200}}"
    rf"(?:{_NEWLINE}[\w-]{{1,40}}:[^\r\n\\]{{0,200}}){{0,5}}{_NEWLINE}{_NEWLINE}"
)
_BOUNDARY: Final = re.compile(rf"{_NEWLINE}--")

"""Secrets whose field is named next to them and not before them, in a text or in data.

`{"name": "password", "value": "abc"}` in either order and JSON Patch (RFC 6902),
`<param name="password" value="abc"/>`,
`name=password&value=abc`, an environment in YAML, `["password", "abc"]`, and the options of a command
(`--token abc`, `["--token", "abc"]`), and of SQL (`PASSWORD 'abc'`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeGuard

from antiphon.journal.masking.elements import Elements
from antiphon.journal.masking.field_names import FieldNames, Secrecy
from antiphon.journal.masking.fields import NO_VERDICT, Field, read_value
from antiphon.journal.masking.secret import LONGEST_BEFORE, Reading

__all__ = ["Pairs", "is_pair", "is_value_key", "may_name", "named_by", "options_in"]


def named_by(members: Mapping[Any, Any]) -> str:
    """The field that an object names in one of its members and gives the value of in another; "" if there is none."""
    if not may_name(members):
        return ""
    return next(
        (_named_field(each) for key, each in members.items() if key in _NAME_KEYS and isinstance(each, str)), ""
    )


def may_name(members: Mapping[Any, Any]) -> bool:
    """Whether an object has members for a field's name and for its value."""
    return not (_VALUE_KEYS.isdisjoint(members) or _NAME_KEYS.isdisjoint(members))


def _named_field(text: str) -> str:
    """The field that a text names: of a path (`/users/0/password`) its last part that is no index."""
    return re.sub(r"(?:/[0-9-]*)+$", "", text).rpartition("/")[2] if len(text) <= LONGEST_BEFORE else ""


def is_value_key(key: Any) -> bool:
    return isinstance(key, str) and key in _VALUE_KEYS


def is_pair(items: Sequence[Any]) -> bool:
    """Whether the first of two texts may name the second: that is neither a name nor words, as in a list of names."""
    return len(items) == 2 and all(isinstance(each, str) for each in items) and _is_odd(items[1])


def options_in(items: Sequence[Any]) -> Iterator[int]:
    """Where in the words of a command an option stands that another word follows."""
    for index, (option, value) in enumerate(pairwise(items)):
        if isinstance(option, str) and option[:1] == "-" and isinstance(value, str):
            yield index


def _is_begun(begun: re.Match[str] | None, quoted: re.Match[str]) -> TypeGuard[re.Match[str]]:
    """Whether a text in quotation marks begins with the same mark that it ends with."""
    return begun is not None and begun["mark"] == quoted["mark"]


def _is_odd(value: str) -> bool:
    return _IDENTIFIER.fullmatch(value) is None


class Pairs:
    """Reads the pairs of one text."""

    def __init__(self, text: str, names: FieldNames, elements: Elements) -> None:
        self._text = text
        self._names = names
        self._elements = elements
        self._opened = -1

    def read(self, start: int, stop: int, position: int) -> Reading:
        """What belongs to the word for a secret at `start` to `stop`; before `position` nothing is read."""
        text = self._text
        before = text[max(0, start - LONGEST_BEFORE) : start]
        quoted = _REST_OF_TEXT.match(text, stop)
        if quoted is not None and _is_begun(begun := _BEGUN_TEXT.search(before), quoted):
            name = begun["begun"] + text[start : quoted.end("name")]
            head = before[: begun.start()]
            if (secrecy := self._names.secrecy(_named_field(name))) and _NAME_BEFORE.search(head) is not None:
                return (yield from self._read_around(start, quoted, head, name, secrecy, position))
            if (option := _OPTION.fullmatch(name)) is not None and self._is_option(option[1]):
                return (yield from self._read_next(quoted, head, name))
            if secrecy is Secrecy.CERTAIN and self._is_pair(quoted, head):
                return (yield from self._read_next(quoted, head, name))
            return stop
        return (yield from self._read_bare(before, start, stop))

    def _is_option(self, name: str) -> bool:
        return bool(self._names.secrecy(name)) and _NO_OPTION.search(name) is None

    def _is_pair(self, quoted: re.Match[str], head: str) -> bool:
        """Whether `["password", "abc"]` is a name and its value, and not a list of names."""
        following = _SECOND.match(self._text, quoted.end())
        if following is None or head[-1:] not in ("[", "("):
            return False
        is_in_list = head[-2:-1] in ("[", "(") or _IN_LIST.search(head) is not None
        return (is_in_list or _is_odd(following["value"])) and not self._names.is_word(following["value"])

    def _read_next(self, quoted: re.Match[str], head: str, name: str) -> Reading:
        """The text after this one in a list."""
        rest = _COMMA.match(self._text, quoted.end())
        if rest is None:
            return quoted.end()
        return (yield from read_value(self._text, Field(name.lower(), head, rest, Secrecy.CERTAIN)))

    def _read_around(
        self, start: int, quoted: re.Match[str], head: str, name: str, secrecy: Secrecy, position: int
    ) -> Reading:
        """The value in the object, the tag or the call that the name stands in."""
        text = self._text
        earliest = max(0, start - _FARTHEST)
        opened = max(text.rfind(mark, earliest, start) for mark in "{<(")
        if opened < 0 or opened == self._opened:
            return quoted.end()
        self._opened = opened
        closed = text.find(_CLOSING[text[opened]], quoted.end(), quoted.end() + _FARTHEST)
        closed = closed if closed >= 0 else min(len(text), quoted.end() + _FARTHEST)
        position = max(position, opened)
        while (rest := _VALUE_KEY.search(text, position, closed)) is not None:
            position = yield from read_value(text, Field(_named_field(name).lower(), head, rest, secrecy))
            position = max(position, rest.end())
        position = max(position, quoted.end())
        if text[opened] == "<" and closed < len(text) and text[closed - 1] != "/":
            tag = _TAG.match(text, opened + 1)
            if tag is not None and tag[0].lower() not in _NO_VALUES:
                return (yield from self._elements.read_inside(closed + 1, tag[0], "<", name))
        return position

    def _read_bare(self, before: str, start: int, stop: int) -> Reading:
        """`name=password&value=abc`, the same in two lines, and `--password abc`."""
        rest = _REST_OF_BARE_PAIR.match(self._text, stop)
        if rest is not None and (named := _BARE_NAME_BEFORE.search(before)) is not None:
            name = named["begun"] + self._text[start : rest.end("name")]
            if secrecy := self._names.secrecy(name):
                return (yield from read_value(self._text, Field(name.lower(), "?", rest, secrecy)))
        rest = _REST_OF_OPTION.match(self._text, stop)
        if rest is not None and (option := _OPTION_BEFORE.search(before)) is not None:
            name = option["begun"] + self._text[start : rest.end("name")]
            if self._is_option(name):
                return (yield from read_value(self._text, Field(name.lower(), "?", rest, Secrecy.CERTAIN)))
        if self._text[start:stop] in ("PASS", "AUTH") and _LINE_START.search(before) is not None:
            rest = _REST_OF_LINE.match(self._text, stop)  # RFC 959, section 4.1.1, and its like
            if rest is not None:
                return (yield from read_value(self._text, Field("password", "?", rest, Secrecy.CERTAIN)))
        rest = _REST_OF_STATEMENT.match(self._text, stop)
        if rest is not None and _STATEMENT.search(self._text, start, rest.end("name")) is not None:
            return (yield from read_value(self._text, Field("password", "?", rest, Secrecy.CERTAIN)))
        return stop


_FARTHEST: Final = 4_000
_CLOSING: Final = {"{": "}", "<": ">", "(": ")"}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]?[A-Za-z_ .-]*")
_NO_VALUES: Final = frozenset(
    ("input", "meta", "br", "a", "label", "button", "option", "select", "form", "th", "td", "div", "span", "section")
)

_NAMES: Final = (
    "name|key|field|fieldname|k|n|id|param|parameter|property|prop|attribute|attr|header|headername|path|pointer|variable|"
    "var|slot|setting|label|column"
)
_VALUES: Final = "value|val|v|values|newvalue|oldvalue|new|old|content|default|stringvalue|string_value|to|data"


def _spellings(words: str) -> frozenset[str]:
    plain = words.split("|")
    more = [word.replace("value", "Value").replace("name", "Name") for word in plain]
    return frozenset({*plain, *more, *(word[:1].upper() + word[1:] for word in (*plain, *more))})


def _keys(words: str) -> frozenset[str]:
    """Names of members, also as the dialect `Xml` has those of attributes."""
    plain = _spellings(words)
    return plain | {f"@{word}" for word in plain}


_NAME_KEYS: Final = _keys(_NAMES)
_VALUE_KEYS: Final = _keys(_VALUES) | {"#text"}

_REST_OF_TEXT: Final = re.compile(r"(?P<name>[^\"'\\\r\n<>]{0,64}+)(?P<mark>\\{0,63}+[\"'])")
_BEGUN_TEXT: Final = re.compile(r"(?P<mark>(?<!\\)\\*+[\"'])(?P<begun>[^\"'\\\r\n<>]*)$")
_NAME_BEFORE: Final = re.compile(rf"(?i)(?<![\w.-])(?:{_NAMES})(?:\\*[\"'])?\s*(?:=>|[:=])\s*$")
_VALUE_KEY: Final = re.compile(
    rf"(?i)(?<![\w.-])(?:{_VALUES})(?:(?P<slashes>\\{{0,63}})(?P<quote>[\"']))?\s{{0,9}}(?P<separator>=>|[:=])\s{{0,9}}"
)
_OPTION: Final = re.compile(r"--?([A-Za-z][\w-]*)")
_NO_OPTION: Final = re.compile(r"(?i)file|path|stdin|prompt|env|fd|dir|name|help|^no-|^skip-|^with-")
_SECOND: Final = re.compile(r"\s{0,9},\s{0,9}\\{0,63}[\"'](?P<value>[^\"'\\]{1,4000})\\{0,63}[\"']\s{0,9}[\])]")
_IN_LIST: Final = re.compile(r"[\])],\s*[\[(]$")
_COMMA: Final = re.compile(r"(?P<slashes>)\s{0,9}(?P<quote>)(?P<separator>,)\s{0,9}(?=\\{0,63}[\"'])")
_STATEMENT: Final = re.compile(r"(?i)passw|passphrase|passcode|pwd|secret")
_REST_OF_STATEMENT: Final = re.compile(
    r"(?i)(?P<name>\w{0,64}+)(?P<slashes>)(?P<quote>Q)?(?:\s{1,8}+(?:FOR\s[^\r\n=]{1,200}=\s{0,8}+(?:PASSWORD\()?)?|\((?=\\{0,15}[\"'][^\"']*[^A-Za-z_\"']))(?P<separator>)"
    r"(?=\\{0,15}'[^\s,:;}\])]|\\{1,15}\"[^\s,:;}\])\\]|\"[^\s,:;}\])]+\"\s{0,8}(?:[;)}\]\n]|$))"
)
_LINE_START: Final = re.compile(r"(?:^|\n|\\n)$")
_REST_OF_LINE: Final = re.compile(
    r"(?P<slashes>)(?P<quote>Q)?(?P<separator>[ \t])"
    r"(?=[^\s/.\\\"'0-9]{0,64}+[0-9][^\s/.\\\"']{0,500}+(?:[\r\n\\\"']|$))"
)
_TAG: Final = re.compile(r"[\w:.-]+")
_BARE_NAME_BEFORE: Final = re.compile(rf"(?i)(?<![\w.])(?:{_NAMES})\s{{0,4}}[:=]\s{{0,4}}(?P<begun>[\w.-]*)$")
_REST_OF_BARE_PAIR: Final = re.compile(
    rf"(?i)(?P<name>[\w.-]{{0,64}}+)(?:[&;,]|[ \t\r]{{0,8}}+\n|\\n|[ \t])\s{{0,64}}+"
    rf"(?:{_VALUES})(?P<slashes>)(?P<quote>Q)?\s{{0,4}}+(?P<separator>[=:])\s{{0,4}}+"
)
_OPTION_BEFORE: Final = re.compile(
    r"(?:(?:^|[\s\"'`({,])(?:--?|:)|\blogin\s{1,8}\S{1,64}\s{1,8})(?P<begun>(?:[A-Za-z][\w-]*)?)$"
)
_REST_OF_OPTION: Final = re.compile(
    r"(?P<name>[\w-]{0,64}+)(?P<slashes>)(?P<quote>Q)?(?P<separator>[ \t])[ \t]{0,8}+"
    r"(?!(?:is|was|are|to|for|and|or|not|must|may|can|with|in|on|of|the|flag|option|argument|needs|given|has|as|if)\b|[-|<>&;])"
    + NO_VERDICT
)

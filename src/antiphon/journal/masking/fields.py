"""Where secrets stand in a text: as values of what looks like fields with secret names.

JSON (`"token": "abc"`), also inside of a JSON string (`\\"token\\": \\"abc\\"`) and however deep; what Python prints of
a dict, PHP and Ruby of theirs (`'token' => 'abc'`); `token=abc`, `login[token]=abc` of URLs, forms, cookies and calls;
header lines. Every pattern is bounded or possessive: the time is linear in the text, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from antiphon.journal.masking.field_names import Secrecy
from antiphon.journal.masking.secret import Reading, Secret

__all__ = ["NO_VERDICT", "REST_OF_FIELD", "Field", "beginning", "is_random", "is_small_number", "read_value"]


class Field(msgspec.Struct, frozen=True):
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


def is_random(text: str) -> bool:
    """Whether a text looks as if a machine had made it to be no one's guess, and not like a word of a conversation."""
    return len(text) >= _SHORTEST_RANDOM and _RANDOM.fullmatch(text) is not None


def is_small_number(text: str) -> bool:
    """Whether it is a number that is no secret in a field that only may be one: `"pass": 12`."""
    return len(text) <= _SMALL_DIGITS and text.isdecimal()


def beginning(text: str, start: int, quote: str | None) -> int:
    """Where the name of a field begins that has something of a secret's name at `start`."""
    earliest = max(0, start - _LONGEST_NAME)
    if quote:
        return max(earliest, text.rfind(quote, earliest, start) + 1)
    # Backwards over the text turned round: a look-behind may not be of any length.
    found = _BARE_BACKWARDS.match(text[earliest:start][::-1])
    begin = start - (found.end() if found is not None else 0)
    is_escape = begin and text[begin - 1] == "\\" and text[begin] in "rnt"  # that of a line's end, before a header
    return begin + 1 if is_escape else begin


# -- values -----------------------------------------------------------------------------------------------------------


def read_value(text: str, field: Field) -> Reading:
    start = field.rest.end()
    opening = _OPENING.match(text, start)
    if opening is not None:
        if (long := _LONG_STRING.match(text, start)) is not None:
            yield Secret(*long.span("value"), field.name, (long["value"],))
            return long.end()
        return (yield from _read_string(text, opening, field))
    if text[start : start + 1] in _BRACKETS:
        if field.rest["separator"] == "=" and (word := _BRACED.match(text, start)) is not None:
            yield Secret(*word.span("value"), field.name, (word["value"],))
            return word.end()
        return (yield from _read_container(text, field, start))
    if _is_assignment(field.rest):
        if (code := _SOURCE.match(text, start)) is not None:
            return code.end()
        if (call := _CALL_OF_METHOD.match(text, start)) is not None:
            return (yield from _read_container(text, field, call.end()))
    if (call := _CALL.match(text, start)) is not None:
        return (yield from _read_container(text, field, call.end()))
    if field.rest["quote"] is None and (block := _BLOCK.match(text, start)) is not None:
        yield Secret(*block.span("value"), field.name, (block["value"].strip(),))
        return block.end()
    return (yield from _read_bare(text, field))


def _read_string(text: str, opening: re.Match[str], field: Field, is_inner: bool = False) -> Reading:
    start = opening.end()
    stop, end = _end_of_string(text, opening)
    if stop > start:
        values = _unescape(text[start:stop], len(opening[1]))
        if field.is_likely_only:  # what stands below such a field is mostly words
            values = [] if is_inner else [value for value in values if is_random(value)]
        yield Secret(start, stop, field.name, values)
    return end


def _read_container(text: str, field: Field, start: int) -> Reading:
    """Every string and number in the list or object that begins here; the names of its fields stay."""
    depth, position = 0, start
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


def _read_bare(text: str, field: Field) -> Reading:
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
    if _is_prose(field) and _VERDICT.match(text, start) is not None:
        return start + len(value)
    if value and value.lower() not in _NO_SECRETS and not (field.is_likely_only and _is_a_word(value, field)):
        is_certain = is_header or field.rest["separator"] != ":"  # `token: expired` may be prose
        is_learnt = is_certain and (not field.is_likely_only or is_random(value))
        yield Secret(start, start + len(value), field.name, (value,) if is_learnt else ())
    return start + len(value)


def _is_a_word(value: str, field: Field) -> bool:
    """Whether it is no secret in a field that only may be one: in prose (`the session: closed`) no word is."""
    if field.rest["separator"] != ":" or _LINE_START.search(field.before) is not None:
        return is_small_number(value)
    return is_small_number(value) or not any(map(str.isdecimal, value))


def _is_assignment(rest: re.Match[str]) -> bool:
    """Whether it is written as in source, `token = …`, and not as in a form, a URL or an environment: `token=…`."""
    around = rest.string[rest.start("separator") - 1], rest.string[rest.end() - 1]
    return rest["separator"] in ("=", ":=") and all(blank in " \t" for blank in around)


def _is_prose(field: Field) -> bool:
    """Whether it may be a sentence: `login failed, password: incorrect`. At the beginning of a line it is a header."""
    return field.rest["separator"] == ":" and _LINE_START.search(field.before) is None


def _is_header(field: Field) -> bool:
    name = field.name
    is_whole_line = name.endswith(("cookie", "authorization"))
    return is_whole_line and field.rest["separator"] == ":" and _HEADER_START.search(field.before) is not None


def _is_phrase(field: Field) -> bool:
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


_LONGEST_NAME: Final = 64
_SMALL_DIGITS: Final = 3
_SHORTEST_RANDOM: Final = 8
_RANDOM: Final = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])\S+")

REST_OF_FIELD: Final = re.compile(
    r"""(?x)
      (?P<name> [^"'\\\n=:&?,{}<>]{0,64}+ ) (?P<slashes>\\{0,63}+) (?P<quote>["'])
      \s{0,64}+ (?: : | => | \]\s{0,8}+=(?!=)
          | [\])]\s{0,8}+(?:[=!]=|(?:not\ )?in\b)\s{0,8}+(?=\\{0,15}["'(\[{])
        ) \s{0,64}+
    | (?P<bare_name> [\w.%-]{0,64}+ ) (?: \]?+ (?: \[[\w.-]{0,32}\] ){0,4}+ (?=[ \t]{0,8}=) )?
      [ \t]{0,8}+ (?P<separator> => | :?={1,3} | : ) [ \t]{0,8}+
    """
)
_BARE_BACKWARDS: Final = re.compile(r"[\w.-]*+")
_OPENING: Final = re.compile(r"[bB]?(\\{0,63}+)([\"'])")
_LONG_STRING: Final = re.compile(r"(?P<mark>(?:\\{0,15}[\"']){3})(?P<value>.{1,4000}?)(?P=mark)", re.DOTALL)
_BRACED: Final = re.compile(r"\{(?P<value>[^{}\"'\\=:,\s]{1,200}+)\}")
_SOURCE: Final = re.compile(
    r"""(?x)
    (?: await [ \t]{1,4} [A-Za-z_]\w{0,40}+ (?:\.[A-Za-z_]\w{0,40}+){0,6}+ \( [\w.,*= \t]{0,100}+ \)
      | [A-Za-z_]\w{0,40}+ (?:\.[A-Za-z_]\w{0,40}+){1,6}+ \( [\w.,*= \t]{0,100}+ \)
      | (?:bytes|getattr|hash|input|int|iter|max|min|next|open|repr|str) \( [\w.,*= \t]{0,100}+ \)
      | [A-Za-z_]{1,40}+ \( \)
    ) (?= [ \t]{0,8} (?: [\r\n\#;"'\\] | \Z ) )
    """
)
"""A call, as the value of an assignment in source: one that is awaited, of something's method, of what Python has, or
without arguments. Texts in it are not passed over. `password = pet(rex)` may be a password."""

_CALL_OF_METHOD: Final = re.compile(
    r"(?:await[ \t]{1,4})?[A-Za-z_]\w{0,40}+(?:\.[A-Za-z_]\w{0,40}+){1,6}+(?=\([\w.,*= \t]{0,100}\\{0,15}[\"'])"
)

NO_VERDICT: Final = (
    r"(?!(?i:incorrect|invalid|wrong|expired|required|missing|mismatch|rejected|refused|denied|revoked|unknown|accepted)"
    r"[.,;:!?)\]]{0,3}(?:[\s\\\"']|\Z))"
)
"""What follows is no word by which somebody judges a secret, as in `Password incorrect.`"""

_VERDICT: Final = re.compile(NO_VERDICT.replace("(?!", "(?=", 1))
_CALL: Final = re.compile(r"[\w.]{1,40}(?=\(\\{0,15}[\"'])")
_BLOCK: Final = re.compile(r"[|>][+-]?[ \t]*(?:\n|\\n)(?P<value>(?:[ \t]++[^\n\\\"']++(?:\n|\\n)?)++)")
_EDGE: Final = re.compile(r"(?<!\\)(\\*+)([\"'\r\n])")
_TOKEN: Final = re.compile(
    r"(?P<bracket>[\[\](){}])|(?P<number>(?<![\w.])-?[0-9][0-9.eE+-]*+)|(?P<line>\n)|(?<!\\)(?:\\*+)[\"']"
)
_BRACKETS: Final = ("[", "{", "(")
_COLON: Final = re.compile(r"\s{0,64}+:")
_ATOM: Final = re.compile(r"[^\s,;:\"'\\\[\](){}]++")
_WORD: Final = re.compile(r"(?:(?i:bearer|basic|digest|token|negotiate)(?:[ \t]+|%20|\+))?(?:[^\s&;\"'\\<>]|\\/)++")
_LINE: Final = re.compile(
    r"(?:[^\r\n\"'\\=]|=(?:\\{0,15}+\"(?![,\]}:])[^\"\r\n]{0,4000}+\")?|(?:\r?\n|\\{1,15}r\\{1,15}n)[ \t]++(?=\S))++"
)
_PHRASE: Final = re.compile(r"(?:(?![ \t,]{1,8}[\w.-]{1,64}[ \t]{0,8}=)(?:[^\r\n&;\"'\\<>]|\\/))++")
_PHRASES: Final = re.compile(r"pass|pwd|pw$")
_LINE_START: Final = re.compile(r"(?:^|\n|\\n|\\r)[ \t]{0,18}$")
_HEADER_START: Final = re.compile(r"(?:^|\n|\\n|\\r|[\"'])[ \t]{0,18}$")
_NO_SECRETS: Final = frozenset({"null", "none", "true", "false", "undefined", "***"})

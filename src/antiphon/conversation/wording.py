"""How values, durations and counts are put into words: the same everywhere that antiphon speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

__all__ = [
    "beginning",
    "counted",
    "cut",
    "cut_middle",
    "one_line",
    "seconds",
    "shorten",
    "visible",
    "visible_json",
    "visible_lines",
]

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0e\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Control characters, those that turn the direction of text, those that cannot be seen, and lone surrogates."""

_BRACKETS: Final[dict[type[Any], tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    dict: ("{", "}"),
    set: ("{", "}"),
}
"""Python's own containers, whose subclasses may have a text of their own."""


def seconds(duration_ns: int) -> str:
    """A duration as a person reads it: `312 ms` below a second, `5.000 s` from there."""
    return f"{duration_ns / 1e6:.0f} ms" if duration_ns < 999_500_000 else f"{duration_ns / 1e9:.3f} s"


def shorten(value: Any, limit: int = 120) -> str:
    """`repr(value)`, cut in the middle to at most `limit` characters."""
    if isinstance(value, (str, bytes)) and len(value) > limit * 2:
        text = repr(value[:limit])[:-1] + "…" + repr(value[-limit:])[1:]
    else:
        text = _text_of(value)
    return cut_middle(text, limit)


def beginning(value: Any, limit: int) -> str:
    """`repr(value)`, cut at its end to at most `limit` characters.

    So what names a secret stands before it, and can be seen by who masks the text. Of Python's own containers no more
    is looked at than is told: they may have a million items.
    """
    text = ""
    for piece in _pieces(value, limit, ()):
        text += piece
        if len(text) > limit:
            break
    return cut(text, limit)


def _pieces(value: Any, limit: int, around: tuple[int, ...]) -> Iterator[str]:
    """The text of a value, bit by bit; `around` are the containers that it is in."""
    kind = type(value)
    if kind in (str, bytes):
        yield repr(value[:limit])[:-1] if len(value) > limit else repr(value)
    elif kind not in _BRACKETS or not value:
        yield _text_of(value)
    elif id(value) in around:
        yield "...".join(_BRACKETS[kind])
    else:
        opening, closing = _BRACKETS[kind]
        inside = (*around, id(value))
        yield opening
        for place, each in enumerate(value.items() if kind is dict else value):
            yield ", " if place else ""
            if kind is dict:
                yield from _pieces(each[0], limit, inside)
                yield ": "
            yield from _pieces(each[1] if kind is dict else each, limit, inside)
        yield ",)" if kind is tuple and len(value) == 1 else closing


def own_words(error: BaseException) -> str:
    """What an error says, also one of the author's whose `__str__` is wrong: that would be told in its place."""
    try:
        return str(error)
    except Exception as wrong:
        return f"<its text cannot be had: {type(wrong).__name__}>"


def _text_of(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # nested too deeply, or a foreign __repr__: a report must not fail for that
        return f"<{type(value).__name__}, which cannot be shown: {type(error).__name__}>"


def cut_middle(text: str, limit: int) -> str:
    """The text, cut in its middle to at most `limit` characters: what tells two values apart is often at the end."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def cut(text: str, limit: int) -> str:
    """The text, cut at its end to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int | None = 200) -> str:
    """The text on one line, white space made single blanks; cut at its end to `limit` characters if there is one."""
    text = " ".join(text.split())
    return text if limit is None else cut(text, limit)


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def visible(text: str) -> str:
    """The text with every character that a terminal acts upon, or that cannot be seen, written as an escape."""
    return _UNSAFE.sub(_escape, text)


def visible_lines(text: str) -> str:
    """The same of each line, for a text whose line breaks are ours."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(document: str) -> str:
    """The same of a JSON document, which stays one: outside of strings it has no such characters but white space."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in "\t\r\n" else _escape_json(found[0]), document)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short is not None:
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_json(character: str) -> str:
    """As RFC 8259 section 7 has it: beyond 16 bits there are two of them."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

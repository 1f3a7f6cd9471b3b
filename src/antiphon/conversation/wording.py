"""How values, durations and counts are put into words: the same everywhere that antiphon speaks."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["counted", "cut", "cut_middle", "one_line", "seconds", "shorten", "visible", "visible_json", "visible_lines"]

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0e\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Control characters, those that turn the direction of text, those that cannot be seen, and lone surrogates."""


def seconds(duration_ns: int) -> str:
    """A duration as a person reads it: `312 ms` below a second, `5.000 s` from there."""
    return f"{duration_ns / 1e6:.0f} ms" if duration_ns < 999_500_000 else f"{duration_ns / 1e9:.3f} s"


def shorten(value: Any, limit: int = 120) -> str:
    """`repr(value)`, cut in the middle to at most `limit` characters."""
    if isinstance(value, (str, bytes)) and len(value) > limit * 2:
        text = repr(value[:limit])[:-1] + "…" + repr(value[-limit:])[1:]
    else:
        try:
            text = repr(value)
        except Exception as error:  # nested too deeply, or a foreign __repr__: a report must not fail for that
            text = f"<{type(value).__name__}, which cannot be shown: {type(error).__name__}>"
    return cut_middle(text, limit)


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

"""A frame's data in a form that a person can open: indented JSON, plain text, or a hexadecimal dump."""

from __future__ import annotations

import re
from typing import Final

import msgspec

__all__ = ["as_json", "hexadecimal", "is_plain_text"]

LARGEST_INDENTED: Final = 1_048_576
"""Longer JSON, in characters, is left as it came."""

DEEPEST_INDENTED: Final = 64
"""Deeper JSON is left as it came: indented, a small frame of a thousand brackets would fill a disk."""

_TOKENS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_ESCAPES: Final = re.compile(
    r"\\(?:u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|u([\da-f]{4})|.)", re.IGNORECASE | re.DOTALL
)
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def as_json(text: str) -> bytes | None:
    """The text indented, if it is a JSON object or array (RFC 8259); None if it is anything else.

    Numbers, the order of fields and fields that are there twice stay as they are; `\\u` escapes of characters that can
    be read are replaced by the characters.
    """
    if not text.lstrip(" \t\n\r").startswith(("{", "[")):
        return None
    data = text.encode("utf-8", "backslashreplace")
    try:
        if len(text) > LARGEST_INDENTED or _is_deep(text):
            msgspec.json.decode(data, type=msgspec.Raw)
            return data
        pretty = msgspec.json.format(data, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return None
    if b"\\u" in pretty:
        pretty = _ESCAPES.sub(_unescaped, pretty.decode()).encode()
    return pretty + b"\n"


def is_plain_text(text: str) -> bool:
    """True if there are no control characters in it but tabs and ends of lines."""
    return _CONTROLS.search(text) is None


def hexadecimal(data: bytes) -> bytes:
    """Lines of 16 bytes, with their offset before them and what is printable of them behind, as `xxd` writes them."""
    lines = []
    for offset in range(0, len(data), 16):
        piece = data[offset : offset + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{offset:08x}: {piece.hex(' ', -2):<39}  {shown}\n")
    return "".join(lines).encode()


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST_INDENTED:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        match token[0][0]:
            case "[" | "{":
                depth += 1
                if depth > DEEPEST_INDENTED:
                    return True
            case "]" | "}":
                depth -= 1
    return False


def _unescaped(escape: re.Match[str]) -> str:
    high, low, single = escape.groups()
    if high:
        code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
    elif single:
        code = int(single, 16)
    else:
        return escape[0]
    character = chr(code)
    return character if character.isprintable() and character not in '"\\' else escape[0]

"""A frame's data in a form that a person can open: indented JSON, plain text, or a hexadecimal dump."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.journal import HttpExchange

__all__ = ["as_json", "exchange_content", "frame_content", "hexadecimal", "is_plain_text"]

LARGEST_INDENTED: Final = 1_048_576
"""Longer JSON, in characters, is left as it came."""

LARGEST_DUMP: Final = 16_384
"""Longer binary data, in bytes, is left as it is."""

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


def frame_content(raw: Data) -> tuple[bytes, str]:
    """What is written for a frame, and the end of its file's name: `.json`, `.txt`, `.hex.txt` or `.bin`."""
    text = raw if isinstance(raw, str) else _decoded(raw)
    if text is not None:
        json = as_json(text)
        if json is not None:
            return json, ".json"
        if isinstance(raw, str) or is_plain_text(text):
            return text.encode("utf-8", "backslashreplace"), ".txt"
    assert isinstance(raw, bytes)
    if len(raw) > LARGEST_DUMP:
        return raw, ".bin"
    return hexadecimal(raw), ".hex.txt"


def exchange_content(exchange: HttpExchange) -> bytes:
    """A request over HTTP and its answer as one JSON object, indented."""
    content = {
        "method": exchange.method,
        "url": exchange.url,
        "channel": exchange.channel,
        "at_s": exchange.at_ns / 1e9,
        "took_s": exchange.took_ns / 1e9,
        "request": {"headers": exchange.request_headers, "body": _body(exchange.request_body)},
    }
    if exchange.status:
        body = _body(exchange.response_body)
        content["response"] = {"status": exchange.status, "headers": exchange.response_headers, "body": body}
    if exchange.error:
        content["error"] = exchange.error
    text = msgspec.json.encode(content).decode()
    return as_json(text) or text.encode()


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


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _body(text: str) -> Any:
    """A JSON body as it is, so that it is indented with the rest; any other as a string."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return msgspec.Raw(text.encode()) if as_json(text) is not None else text

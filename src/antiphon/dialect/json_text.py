"""JSON as text: what cannot be read or written, said so that its author understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = ["NOT_JSON", "NOT_WRITABLE", "encode_json", "unreadable", "unwritable"]

NOT_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for data that is no JSON."""

NOT_WRITABLE: Final = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What `encode_json` raises for what JSON cannot hold."""

_encode: Final = msgspec.json.Encoder().encode


def encode_json(value: Any) -> str:
    """`value` as JSON. NaN and infinities are errors (RFC 8259 section 6), where msgspec would write null."""
    text = _encode(value).decode()
    if "null" in text:
        _refuse_nan(value)
    return text


def _refuse_nan(document: Any) -> None:
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            rest += value.values()
        elif isinstance(value, (list, tuple)):
            rest += value
        elif isinstance(value, float) and value - value != 0:
            raise ValueError(f"{value} is no JSON number (RFC 8259 section 6)")


def unreadable(data: Data, error: Exception) -> DialectError:
    """What to raise for data that is no JSON."""
    beginning = f"; the data begins {shorten(data[:80])}" if data else ""
    return DialectError(f"not JSON: {error}{beginning}", hint=_reading_hint(data, error))


def unwritable(name: str, body: Any, error: Exception) -> DialectError:
    """What to raise for a body that JSON cannot hold."""
    return DialectError(f"{name} cannot be written as JSON: {error}", hint=f"its body is {shorten(body)}")


def _reading_hint(data: Data, error: Exception) -> str:
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    if not text:
        return "the frame is empty"
    if text[0] == "\ufeff":
        return "the data begins with a byte order mark, which JSON does not allow (RFC 8259 section 8.1)"
    if isinstance(error, RecursionError):
        return "it is nested too deeply; RFC 8259 section 9 lets a reader set a limit"
    if r"\ud" in text.lower():
        return r"half a surrogate pair, as \ud83d alone, is no character (RFC 8259 section 8.2)"
    return "is this channel's dialect the right one? Text() and Raw() take anything"

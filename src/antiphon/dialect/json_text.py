"""JSON as text: what cannot be read or written, said so that its author understands."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, Final
from uuid import UUID

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.typed import plain_value
from antiphon.dialect.notation import Notation

__all__ = ["JSON", "NOT_JSON", "NOT_WRITABLE", "encode_json", "plain"]

NOT_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for data that is no JSON."""

NOT_WRITABLE: Final = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What `encode_json` raises for what JSON cannot hold."""

_LEAVES: Final = (str, int, bytes, bytearray, memoryview, type(None), Enum, date, time, timedelta, UUID, msgspec.Raw)
"""What msgspec writes as one value that is no NaN, and what somebody has written already."""

_encode: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=plain_value).encode


_read: Final = msgspec.json.Decoder(msgspec.Raw).decode
"""Reads over JSON, and makes nothing of it."""


def encode_json(value: Any) -> str:
    """`value` as JSON, for every channel: a number stays the number that it is.

    NaN and infinities are errors (RFC 8259 section 6), where msgspec would write null, and so are decimals as names of
    fields, which it would write without quotes. Raises what NOT_WRITABLE lists.
    """
    encoded = _encode(value)
    text = encoded.decode()
    # To read it over is cheaper than a walk through the value: what a decimal can make wrong is no JSON.
    try:
        _read(encoded)
    except NOT_JSON:
        _refuse_what_is_no_json(value)
    if "null" in text:  # for None, in a string, or for a float that is no number
        _refuse_what_is_no_json(value)
    return text


def plain(value: Any) -> Any:
    """`value` in what JSON knows: mappings, lists, texts and numbers. TypeError if it cannot be said so."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,), enc_hook=plain_value)  # a decimal would become a text


def _refuse_what_is_no_json(document: Any) -> None:
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            if any(isinstance(key, Decimal) for key in value):
                raise ValueError("a Decimal is no name of a field")
            rest += value.values()
        elif isinstance(value, (list, tuple, Set)):
            rest += value
        elif isinstance(value, (float, Decimal)):
            # As a float, a decimal of 1E+400 would be infinite, and it is a number.
            if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value)):
                raise ValueError(f"{value} is no JSON number (RFC 8259 section 6)")
        elif not isinstance(value, _LEAVES):
            rest.append(plain(value))  # an object with fields


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


JSON: Final = Notation(
    name="JSON",
    read=msgspec.json.Decoder().decode,
    write=encode_json,
    plain=plain,
    not_readable=NOT_JSON,
    not_writable=NOT_WRITABLE,
    why_unreadable=_reading_hint,
)

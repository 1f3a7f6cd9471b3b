"""What a message with binary data says, as text: its body as JSON. Text says it itself, and JSON in bytes does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten

__all__ = ["readable_body"]

_DEEPEST: Final = 20


def readable_body(raw: Data, body: Any) -> str | None:
    """The body as JSON; None where the data shows it. What JSON does not know is as Python shows it, bytes that are
    text are that text."""
    if isinstance(raw, str) or body is None or body is raw or raw[:1] in (b"{", b"["):
        return None
    if raw == (body.encode("utf-8", "replace") if isinstance(body, str) else body):
        return None
    with suppress(Exception):  # whatever a foreign object may raise when it is looked at
        body = msgspec.to_builtins(body, builtin_types=(bytes, bytearray, memoryview), enc_hook=_shown)
    return msgspec.json.encode(_plain(body, 0)).decode()


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 1 << 64):
        return value
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _text_of(bytes(value))
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_encodable(_name(key)): _plain(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_plain(inner, depth + 1) for inner in value]
    return _encodable(_shown(value))


def _text_of(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _shown(data)
    return text if text.isprintable() or not any(sign < " " and sign not in "\t\r\n" for sign in text) else _shown(data)


def _name(key: Any) -> str:
    return _text_of(key) if isinstance(key, bytes) else str(key)


def _shown(value: Any) -> str:
    return shorten(value, 1000)


def _encodable(text: str) -> str:
    """Lone surrogates cannot be written as UTF-8; they are replaced."""
    return text.encode("utf-8", "replace").decode()

"""The fields of a message as a flat list: `data.items[0].title` and what stands there."""

from __future__ import annotations

import contextlib
import re
from hashlib import sha256
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data
from antiphon.journal import HttpExchange

__all__ = ["body_of", "flat", "path_of", "type_name"]

DEEPEST: Final = 32
LARGEST_READ: Final = 1_048_576
"""Longer data, in characters or bytes, is compared as a whole."""

_INDEX: Final = re.compile(r"\[\d+\]")


def body_of(raw: Data | HttpExchange) -> Any:
    """What is compared: the value of JSON, the text of other text, and of bytes that are none how many there are."""
    if isinstance(raw, HttpExchange):
        answer = {"status": raw.status, "error": raw.error, "body": body_of(raw.response_body)}
        return {"request": {"body": body_of(raw.request_body)}, "response": answer}
    if isinstance(raw, bytes):
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return f"{len(raw)} bytes, SHA-256 {sha256(raw).hexdigest()[:6]}, beginning with {raw[:8].hex(' ')}"
    else:
        text = raw
    if len(text) <= LARGEST_READ and text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return msgspec.json.decode(text)
    return text


def flat(body: Any) -> dict[str, Any]:
    """The leaves of a body by their place, as `data.items[0].title`; an empty container is a leaf."""
    leaves: dict[str, Any] = {}
    _fill(leaves, body, "", 0)
    return leaves


def path_of(place: str) -> str:
    """The place without the numbers in it: `data.items[].title`."""
    return _INDEX.sub("[]", place)


def type_name(value: Any) -> str:
    """The JSON type of a value (RFC 8259)."""
    match value:
        case None:
            return "null"
        # Before the numbers: in Python a bool is an int, in JSON it is not.
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _fill(leaves: dict[str, Any], body: Any, path: str, depth: int) -> None:
    if not body or not isinstance(body, (dict, list)):
        leaves[path] = body
    elif depth == DEEPEST:
        # Compared as a text from here on: to tell places so deep would help nobody, and recursion has an end.
        leaves[path] = msgspec.json.encode(body).decode()
    elif isinstance(body, dict):
        for name, value in body.items():
            _fill(leaves, value, f"{path}.{name}" if path else name, depth + 1)
    else:
        for index, value in enumerate(body):
            _fill(leaves, value, f"{path}[{index}]", depth + 1)

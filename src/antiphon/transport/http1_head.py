"""The heads of HTTP/1.1 requests and responses, as far as an upgrade needs them (RFC 9112, RFC 6455 section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from multidict import CIMultiDict

from antiphon.conversation.headers import Headers, combine

__all__ = [
    "HEAD_END",
    "MAX_HEAD_BYTES",
    "RequestHead",
    "ResponseHead",
    "check_headers",
    "extensions",
    "has_token",
    "is_token",
    "phrase",
    "read_request",
    "read_response",
    "tokens",
    "write_response",
]

_STATUS: Final = re.compile("[1-9][0-9][0-9]")
"""Below 100 there is none (RFC 9110 section 15); 000 would pass for one that announces another."""

HEAD_END: Final = b"\r\n\r\n"
MAX_HEAD_BYTES: Final = 16 * 1024


class RequestHead(msgspec.Struct, frozen=True):
    """A request line and its headers (see `antiphon.conversation.headers.combine`)."""

    method: str
    target: str
    version: str
    headers: Headers


class ResponseHead(msgspec.Struct, frozen=True):
    """A status line and its headers."""

    version: str
    status: int
    reason: str
    headers: Headers


def read_request(head: bytes) -> RequestHead:
    """Read a request's head (without its empty line). Raises ValueError, whose text says what is wrong."""
    first, headers = _read_lines(head)
    parts = first.split(" ")
    # Single blanks only (RFC 9112 section 3): two parties that split more freely may see two targets.
    if len(parts) != 3 or not parts[1] or not parts[2].startswith("HTTP/"):
        raise ValueError("the first line is no HTTP request line")
    return RequestHead(method=parts[0], target=parts[1], version=parts[2], headers=headers)


def read_response(head: bytes) -> ResponseHead:
    """Read a response's head (without its empty line). Raises ValueError, whose text says what is wrong."""
    first, headers = _read_lines(head)
    version, _, rest = first.partition(" ")
    status, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/") or _STATUS.fullmatch(status) is None:
        raise ValueError(f"the first line is no HTTP status line: {first[:60]!r}")
    return ResponseHead(version, int(status), reason.strip(), headers)


def _read_lines(head: bytes) -> tuple[str, Headers]:
    first, *lines = _decode(head).split("\r\n")
    # Another party may take one of them for the end of a line, and see headers that we do not (RFC 9110 section 5.5).
    if not _BREAKS.isdisjoint("".join((first, *lines))):
        raise ValueError("a line of the head holds a bare CR or LF, or NUL")
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        # No white space in a name or before the colon, nor lines that continue the one before (RFC 9112, 5.1 and 5.2).
        if not colon or name.split() != [name]:
            raise ValueError("a header line is malformed")
        fields.append((name, value.strip(" \t")))
    return first, combine(fields)


def _decode(head: bytes) -> str:
    # Heads are ASCII; what else stands in them is for people, and UTF-8 or Latin-1 (RFC 9110 section 5.5).
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def tokens(headers: Headers, name: str) -> list[str]:
    """The comma-separated items of a header, without empty ones (RFC 9110 section 5.6.1)."""
    value = headers.get(name)
    return [item for item in map(str.strip, value.split(",")) if item] if value else []


def has_token(headers: Headers, name: str, token: str) -> bool:
    """Does the header's list hold this token, whatever its case?"""
    return token in (item.lower() for item in tokens(headers, name))


def extensions(headers: Headers) -> list[tuple[str, dict[str, str | None]]]:
    """What Sec-WebSocket-Extensions lists: names and parameters (RFC 6455 section 9.1). Raises ValueError."""
    found: list[tuple[str, dict[str, str | None]]] = []
    for item in tokens(headers, "Sec-WebSocket-Extensions"):
        name, *rest = (part.strip() for part in item.split(";"))
        parameters: dict[str, str | None] = {}
        for part in rest:
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not key or key in parameters:
                raise ValueError(f"the extension {name} has an empty or repeated parameter")
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]  # what is quoted must be a token all the same
            if equals and not is_token(value):
                raise ValueError(f"the extension {name} has a parameter {key} whose value is no token")
            parameters[key] = value if equals else None
        found.append((name, parameters))
    return found


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise ValueError if a header cannot be sent; the text tells its name, never its value."""
    for name, value in headers:
        if not isinstance(name, str) or not is_token(name):
            raise ValueError(f"{name!r} is no name for a header")  # RFC 9110 section 5.1
        if not isinstance(value, str):
            raise ValueError(f"the header {name} has a value of type {type(value).__name__}, not str")
        # A line break in a value would begin a header of its own. isprintable is fast, and right for nearly all.
        if not value.isprintable() and set(value) & _CONTROL_SIGNS:
            raise ValueError(f"the value of the header {name} holds a control character, perhaps a line break")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"the value of the header {name} has no UTF-8 form") from None


_TOKEN_SIGNS: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_BREAKS: Final = frozenset("\r\n\0")
_CONTROL_SIGNS: Final = frozenset(map(chr, (*range(9), *range(10, 32), 127)))


def is_token(text: str) -> bool:
    """Is this a token (RFC 9110 section 5.6.2), as names of headers and subprotocols are?"""
    return bool(text) and set(text) <= _TOKEN_SIGNS


def phrase(status: int) -> str:
    """The registered reason phrase, "" for a status that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def write_response(status: int, body: str, headers: Mapping[str, str]) -> bytes:
    """A whole response with a text for a person; the connection ends after it."""
    content = body.encode()
    fields: CIMultiDict[str] = CIMultiDict({"Content-Type": "text/plain; charset=utf-8"})
    fields.update(headers)
    fields["Content-Length"] = str(len(content))
    fields.setdefault("Connection", "close")  # not over one that says Upgrade as well (RFC 9110 section 7.8)
    lines = [f"HTTP/1.1 {status} {phrase(status)}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + HEAD_END + content

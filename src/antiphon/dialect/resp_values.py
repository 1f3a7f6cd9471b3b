"""The values of RESP 3 and their form in a stream, read as they come, in whatever pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = ["DEFAULT_LIMIT_BYTES", "Failure", "Push", "RespReader", "write"]

DEFAULT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_DEEPEST: Final = 32
_LONGEST_LINE_BYTES: Final = 64 * 1024
_AGGREGATES: Final = b"*~>%|"


class Failure(str):
    """An error, `CODE text`."""

    __slots__ = ()


class Push(msgspec.Struct):
    """What the server says out of turn."""

    words: Sequence[Any]


class _Open(msgspec.Struct):
    """An aggregate whose items are still to come."""

    kind: bytes
    missing: int
    items: list[Any]


class RespReader:
    """Cuts a stream into values; none may take more than `limit_bytes`."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()
        self._at = 0  # where the next item of the value begins
        self._open: list[_Open] = []

    def feed(self, data: bytes) -> Iterator[tuple[Any, bytes]]:
        """The values that it completes, each with its own bytes. Raises DialectError where it cannot go on."""
        self._rest += data
        while (item := self._item()) is not None:
            (value,) = item
            if (whole := self._close(value)) is not None:
                raw = bytes(self._rest[: self._at])
                del self._rest[: self._at]
                self._at = 0
                yield whole[0], raw
            if self._at > self._limit_bytes:
                self._fail(f"a value of more than {self._limit_bytes:,} bytes", "Resp(limit_bytes=…) takes larger ones")

    def _item(self) -> tuple[Any] | None:
        """The next item in one, or an aggregate that begins; None if it is not all there."""
        end = self._rest.find(b"\r\n", self._at, self._at + _LONGEST_LINE_BYTES)
        if end < 0:
            if len(self._rest) - self._at >= _LONGEST_LINE_BYTES:
                self._fail(f"a line of more than {_LONGEST_LINE_BYTES:,} bytes", None)
            return None
        kind, line = bytes(self._rest[self._at : self._at + 1]), bytes(self._rest[self._at + 1 : end])
        if kind in b"$!=" and kind:
            return self._bulk(kind, line, end + 2)
        if kind in _AGGREGATES and kind:
            size = self._size(line)
            if len(self._open) >= _DEEPEST:
                self._fail(f"values are nested in more than {_DEEPEST} others", None)
            self._at = end + 2
            if size < 0:
                return (None,)  # RESP 2's array that is none
            opened = _Open(kind, size * (2 if kind in b"%|" else 1), [])
            return (opened,) if opened.missing else (_made(opened),)
        value = self._scalar(kind, line)
        self._at = end + 2
        return (value,)

    def _bulk(self, kind: bytes, line: bytes, begin: int) -> tuple[Any] | None:
        size = self._size(line)
        if size < 0:
            self._at = begin
            return (None,)
        if len(self._rest) < begin + size + 2:
            return None
        text, end = bytes(self._rest[begin : begin + size]), begin + size
        if self._rest[end : end + 2] != b"\r\n":
            self._fail(f"no end behind a string of {size} bytes", None)
        self._at = end + 2
        value = _text(text[4:] if kind == b"=" else text)
        return (Failure(value) if kind == b"!" and isinstance(value, str) else value,)

    def _scalar(self, kind: bytes, line: bytes) -> Any:
        text = line.decode(errors="replace")
        try:
            match kind:
                case b"+":
                    return text
                case b"-":
                    return Failure(text)
                case b":" | b"(" if len(line) <= _MOST_DIGITS:
                    return int(text)
                case b",":
                    return float(text)
                case b"#" if line in (b"t", b"f"):
                    return line == b"t"
                case b"_" if not line:
                    return None
        except ValueError:
            pass
        return self._fail(f"{shorten(kind + line)} begins no value", "is it RESP that the peer speaks?")

    def _size(self, line: bytes) -> int:
        if line == b"-1":
            return -1
        if not line.isdigit() or len(line) > len(str(self._limit_bytes)):
            self._fail(f"{shorten(line)} is no size", "sizes that are not known before (`?`) are not read")
        size = int(line)
        if size > self._limit_bytes:
            self._fail(f"a value of {size:,} bytes or items", "Resp(limit_bytes=…) takes larger ones")
        return size

    def _close(self, value: Any) -> tuple[Any] | None:
        """The whole value, if this item was its last."""
        while True:
            if isinstance(value, _Open):
                self._open.append(value)
                return None
            if value is _ATTRIBUTES:  # it tells of the value behind it, and is none
                return None
            if not self._open:
                return (value,)
            outer = self._open[-1]
            outer.items.append(value)
            outer.missing -= 1
            if outer.missing:
                return None
            self._open.pop()
            value = _made(outer)

    def _fail(self, text: str, hint: str | None) -> Any:
        self._rest.clear()
        self._open.clear()
        self._at = 0
        raise DialectError(f"no RESP: {text}", hint=hint)


def _made(aggregate: _Open) -> Any:
    items = aggregate.items
    match aggregate.kind:
        case b"|":
            return _ATTRIBUTES
        case b">":
            return Push(items)
        case b"%":
            pairs = list(zip(items[::2], items[1::2], strict=True))
            is_plain = all(key.__class__ in (str, int, float, bool, bytes) for key, _ in pairs)
            return dict(pairs) if is_plain else [list(pair) for pair in pairs]
    return items


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def write(value: Any, *, is_command: bool = False) -> bytes:
    """The value in RESP 3; of a command every part is a bulk string. Raises DialectError for what has no form."""
    pieces: list[bytes] = []
    _write(value, is_command, pieces, 0)
    return b"".join(pieces)


def _write(value: Any, is_command: bool, pieces: list[bytes], depth: int) -> None:
    if depth > _DEEPEST:
        raise DialectError(f"values are nested in more than {_DEEPEST} others")
    if isinstance(value, Push):
        pieces.append(b">%d\r\n" % len(value.words))
        rest: Sequence[Any] = value.words
    elif isinstance(value, Mapping):
        pieces.append(b"%%%d\r\n" % len(value))
        rest = [each for pair in value.items() for each in pair]
    elif isinstance(value, (list, tuple, set, frozenset)):
        pieces.append(b"%s%d\r\n" % (b"~" if isinstance(value, (set, frozenset)) else b"*", len(value)))
        rest = list(value)
    else:
        pieces.append(_bulk(value) if is_command else _scalar(value))
        return
    for each in rest:
        _write(each, is_command, pieces, depth + 1)


def _scalar(value: Any) -> bytes:
    match value:
        case None:
            return b"_\r\n"
        case Failure():
            return b"-%s\r\n" % _encoded(value.replace("\r", " ").replace("\n", " "))
        case True | False:
            return b"#t\r\n" if value else b"#f\r\n"
        case int():
            return b"%s%d\r\n" % (b":" if -(2**63) <= value < 2**63 else b"(", value)
        case float():
            return b",%s\r\n" % repr(value).encode()
    return _bulk(value)


def _bulk(value: Any) -> bytes:
    if isinstance(value, bytes):
        data = value
    elif isinstance(value, (str, int, float)):
        data = _encoded(str(value))
    else:
        raise DialectError(f"RESP has no form for {shorten(value)}", hint="texts, bytes, numbers, lists and mappings")
    return b"$%d\r\n%s\r\n" % (len(data), data)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DialectError(f"{shorten(text)} is no text that can be sent: {error}", hint="send bytes") from error


_ATTRIBUTES: Final = object()
_MOST_DIGITS: Final = 4000

"""The values of RESP 3 and their form in a stream, read as they come, in whatever pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import DialectError

__all__ = ["DEFAULT_LIMIT_BYTES", "Failure", "Push", "RespReader", "arguments", "write"]

DEFAULT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_DEEPEST: Final = 32
_LONGEST_LINE_BYTES: Final = 64 * 1024
_BULKS: Final = (b"$", b"!", b"=")
_AGGREGATES: Final = (b"*", b"~", b">", b"%", b"|")
_MOST_DIGITS_OF_SIZES: Final = 18
_WHOLE: Final = re.compile(rb"[+-]?[0-9]{1,4000}")
"""Python reads more than others: blanks, underscores, digits of other scripts. Of more digits it reads none."""
_REAL: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|inf|nan)")


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
        """The values that it completes, each with its own bytes.

        Raises DialectError where the stream is no RESP, and cannot be read any further.
        """
        self._rest += data
        while (item := self._item()) is not None:
            (value,) = item
            if (whole := self._close(value)) is not None:
                raw = bytes(self._rest[: self._at])
                del self._rest[: self._at]
                self._at = 0
                yield whole[0], raw
            if self._at > self._limit_bytes:
                hint = "Resp(limit_bytes=…) takes larger ones"
                raise _broken(f"a value of more than {self._limit_bytes:,} bytes", hint)

    def _item(self) -> tuple[Any] | None:
        """The next item in one, or an aggregate that begins; None if it is not all there."""
        end = self._rest.find(b"\r\n", self._at, self._at + _LONGEST_LINE_BYTES)
        if end < 0:
            if len(self._rest) - self._at >= _LONGEST_LINE_BYTES:
                raise _broken(f"a line of more than {_LONGEST_LINE_BYTES:,} bytes")
            return None
        kind, line = bytes(self._rest[self._at : self._at + 1]), bytes(self._rest[self._at + 1 : end])
        if kind in _BULKS:
            return self._bulk(kind, line, end + 2)
        item = self._aggregate(kind, line) if kind in _AGGREGATES else (_scalar(kind, line),)
        self._at = end + 2
        return item

    def _aggregate(self, kind: bytes, line: bytes) -> tuple[Any]:
        if kind == b"*" and line == b"-1":
            return (None,)  # as RESP 2 says that there is no array
        size = self._size(line)
        if len(self._open) >= _DEEPEST:
            raise _broken(f"values are nested in more than {_DEEPEST} others")
        if kind == b">" and self._open:
            raise _broken("a push inside of another value")
        opened = _Open(kind, size * (2 if kind in b"%|" else 1), [])
        return (opened,) if opened.missing else (_made(opened),)

    def _bulk(self, kind: bytes, line: bytes, begin: int) -> tuple[Any] | None:
        if kind == b"$" and line == b"-1":
            self._at = begin
            return (None,)  # as RESP 2 says that there is no string
        size = self._size(line)
        if len(self._rest) < begin + size + 2:
            return None
        text, end = bytes(self._rest[begin : begin + size]), begin + size
        if self._rest[end : end + 2] != b"\r\n":
            raise _broken(f"no end behind a string of {size} bytes")
        self._at = end + 2
        if kind == b"!":
            return (Failure(text.decode(errors="replace")),)
        return (_text(text[4:] if kind == b"=" else text),)

    def _size(self, line: bytes) -> int:
        if not line.isdigit():
            raise _broken(f"{shorten(line)} is no size", "sizes that are not known before (`?`) are not read")
        if len(line) > _MOST_DIGITS_OF_SIZES or int(line) > self._limit_bytes:
            told = line[:_MOST_DIGITS_OF_SIZES].decode()
            text = f"a value of {told} bytes or items, and no more than {self._limit_bytes:,} are taken"
            raise _broken(text, "Resp(limit_bytes=…) takes larger ones")
        return int(line)

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


def _broken(text: str, hint: str | None = None) -> DialectError:
    return DialectError(f"no RESP: {text}", hint=hint)


def _scalar(kind: bytes, line: bytes) -> Any:
    text = line.decode(errors="replace")
    match kind:
        case b"+":
            return text
        case b"-":
            return Failure(text)
        case b":" | b"(" if _WHOLE.fullmatch(line):
            return int(text)
        case b"," if _REAL.fullmatch(line):
            return float(text)
        case b"#" if line in (b"t", b"f"):
            return line == b"t"
        case b"_" if not line:
            return None
    raise _broken(f"{shorten(kind + line)} begins no value", "is it RESP that the other side speaks?")


def _made(aggregate: _Open) -> Any:
    items = aggregate.items
    match aggregate.kind:
        case b"|":
            return _ATTRIBUTES
        case b">":
            return Push(items)
        case b"%":
            pairs = list(zip(items[::2], items[1::2], strict=True))
            is_plain = all(isinstance(key, (str, int, float, bytes)) for key, _ in pairs)
            return dict(pairs) if is_plain else [list(pair) for pair in pairs]
    return items


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def arguments(name: str, body: Any) -> Sequence[Any]:
    """The body of a command as its arguments: none, one, or a list. Raises DialectError for what cannot be one."""
    if body is None:
        return []
    words: Sequence[Any] = body if isinstance(body, (list, tuple)) else [body]
    for word in words:
        if not isinstance(word, (str, bytes, int, float)) or isinstance(word, bool):
            text = f"{name}: {shorten(word)} is no argument of a command"
            raise DialectError(text, hint=f'arguments are texts, bytes and numbers: ask({name!r}, ["key", 1])')
    return words


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
        pieces.append(_written_text(value) if is_command else _written(value))
        return
    for each in rest:
        _write(each, is_command, pieces, depth + 1)


def _written(value: Any) -> bytes:
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
    return _written_text(value)


def _written_text(value: Any) -> bytes:
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

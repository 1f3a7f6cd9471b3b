"""The frames of STOMP 1.2: a command, headers, and what it carries, up to a NUL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten
from antiphon.dialect.json_text import JSON
from antiphon.errors import DialectError

__all__ = ["DEFAULT_LIMIT_BYTES", "StompReader", "read_body", "write"]

DEFAULT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_LONGEST_HEAD_BYTES: Final = 64 * 1024
_LONGEST_END_BYTES: Final = 4
_ESCAPES: Final = {"\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c"}
_UNESCAPED: Final = {"\\": "\\", "r": "\r", "n": "\n", "c": ":"}
_UNESCAPING: Final = frozenset({"CONNECT", "CONNECTED"})
"""Their headers are as they are, for the sake of STOMP 1.0."""


class StompReader:
    """Cuts a stream into frames; none may take more than `limit_bytes`. Line ends between them are heart-beats."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[str, dict[str, Any], bytes]]:
        """The frames that it completes: command, headers with `body`, and its bytes. Raises DialectError."""
        rest = self._rest
        rest += data
        while True:
            begin = next((at for at, byte in enumerate(rest) if byte not in b"\r\n"), len(rest))
            del rest[:begin]
            end = self._end_of_frame()
            if end is None:
                return
            raw = bytes(rest[:end])
            del rest[:end]
            yield self._read(raw)

    def _end_of_frame(self) -> int | None:
        rest = self._rest
        head_end, body_at = _head_end(rest)
        nul = rest.find(b"\0")
        is_endless = (head_end if head_end >= 0 else len(rest) - _LONGEST_END_BYTES) > _LONGEST_HEAD_BYTES
        if is_endless or (nul >= 0 and (head_end < 0 or nul < head_end)):
            raise DialectError(
                "no frame of STOMP: its head does not end", hint="is it STOMP that the other side speaks?"
            )
        if head_end < 0:
            return None
        size = _content_length(bytes(rest[:head_end]))
        if size is None:
            end = rest.find(b"\0", body_at)
            if end < 0 and len(rest) - body_at <= self._limit_bytes:
                return None
        else:
            end = body_at + size
            if size <= self._limit_bytes and len(rest) <= end:
                return None
        if end < 0 or end - body_at > self._limit_bytes or rest[end] != 0:
            text = f"a frame that does not end, or of more than {self._limit_bytes:,} bytes"
            raise DialectError(f"no frame of STOMP: {text}", hint="Stomp(limit_bytes=…) takes larger ones")
        return end + 1

    def _read(self, raw: bytes) -> tuple[str, dict[str, Any], bytes]:
        head_end, body_at = _head_end(raw)
        try:
            command, *lines = raw[:head_end].decode().replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError as error:
            raise DialectError(f"no frame of STOMP: its head is no UTF-8 ({error})") from error
        if not _is_command(command):
            raise DialectError(f"no frame of STOMP: {shorten(command)} is no command")
        headers: dict[str, Any] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise DialectError(f"no header of STOMP: {shorten(line)}")
            if command not in _UNESCAPING:
                name, value = _unescape(name), _unescape(value)
            headers.setdefault(name, value)  # of repeated headers the first counts
        if data := raw[body_at:-1]:
            headers["body"] = data
        return command, headers, raw


def _is_command(text: str) -> bool:
    return text.isascii() and text.isupper() and text.isalpha()


def _head_end(data: bytes | bytearray) -> tuple[int, int]:
    """Where the head ends, without its empty line, and where what it carries begins; -1 if it does not end."""
    at = 0
    while (line_end := data.find(b"\n", at)) >= 0:
        if bytes(data[at:line_end]) in (b"", b"\r"):
            before = at - 1
            return (before - 1 if before > 0 and data[before - 1] == 0x0D else max(before, 0)), line_end + 1
        at = line_end + 1
    return -1, -1


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\n")[1:]:
        name, _, value = line.strip(b"\r").partition(b":")
        if name == b"content-length":
            if not value.isdigit() or len(value) > _MOST_DIGITS:
                raise DialectError(f"no frame of STOMP: its content-length is {shorten(value)}")
            return int(value)
    return None


def read_body(data: bytes, content_type: str) -> Any:
    """What a frame carries: values where it says that it is JSON, else text if it is UTF-8. Raises DialectError."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        try:
            return JSON.read(data)
        except JSON.not_readable as error:
            raise JSON.unreadable(data, error) from error
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def write(command: str, fields: Mapping[str, Any]) -> Data:
    """A frame with these headers, of which `body` is what it carries; text unless that is bytes.

    Raises DialectError for what has no form.
    """
    if not _is_command(command):
        raise DialectError(
            f"{shorten(command)} is no command of STOMP", hint='send("SEND", destination="/queue/calls")'
        )
    headers = {name: value for name, value in fields.items() if name not in ("body", "content-length")}
    carried = _carried(command, fields.get("body"), headers)
    size = len(carried if isinstance(carried, bytes) else _encoded(carried))
    if size:
        headers["content-length"] = size
    head = "\n".join([command, *(_header(command, name, value) for name, value in headers.items())]) + "\n\n"
    encoded = _encoded(head)
    return encoded + carried + b"\0" if isinstance(carried, bytes) else f"{head}{carried}\0"


def _carried(command: str, body: Any, headers: dict[str, Any]) -> Data:
    if isinstance(body, (str, bytes)):
        return body
    if body is None:
        return ""
    headers.setdefault("content-type", "application/json")
    try:
        return JSON.write(body)
    except JSON.not_writable as error:
        raise JSON.unwritable(command, body, error) from error


def _header(command: str, name: Any, value: Any) -> str:
    if not isinstance(name, str):
        raise DialectError(f"{command}: the name of a header is a text, not {shorten(name)}")
    if not isinstance(value, (str, int, float)):
        raise DialectError(f"{command}: the header {name} is a text or a number, not {shorten(value)}")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if command not in _UNESCAPING:
        return f"{_escape(name)}:{_escape(text)}"
    if any(sign in name for sign in "\r\n:") or any(sign in text for sign in "\r\n"):
        raise DialectError(f"{command}: the header {name} holds what it cannot: line ends, or a colon in its name")
    return f"{name}:{text}"


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    pieces, signs = [], iter(text)
    for sign in signs:
        if sign == "\\":
            follower = next(signs, "")
            if follower not in _UNESCAPED or not follower:
                raise DialectError(f"no header of STOMP: \\{follower} in {shorten(text)} stands for nothing")
            sign = _UNESCAPED[follower]
        pieces.append(sign)
    return "".join(pieces)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DialectError(f"{shorten(text)} is no text that can be sent: {error}", hint="send bytes") from error


_MOST_DIGITS: Final = 9

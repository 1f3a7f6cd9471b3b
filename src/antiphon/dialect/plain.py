"""Dialects for data without structure: `Text`, a message a frame of text, and `Raw`, a message a frame as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from antiphon.conversation.message import UNNAMED, Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError

__all__ = ["Raw", "Text"]

Namer = Callable[[Any], str | None]
"""Gives a message its name from its text or data; what it gives no name is called "unnamed"."""


class Text:
    """Each frame is a message whose body is its text.

    `name` gives a message its name from the text (by default "text"). Sending takes the body as it is:
    `send("text", "hello")`. Data that is no UTF-8 is not of this dialect.
    """

    def __init__(self, name: Namer | None = None) -> None:
        self.name = name

    def codec(self, _meeting: Meeting, /) -> Codec:
        return _TextCodec(self.name)


class _TextCodec(Codec):
    gives_messages = True

    def __init__(self, namer: Namer | None) -> None:
        self._namer = namer

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            # Binary frames count as text, too: many servers send text in them.
            text = data if isinstance(data, str) else data.decode()
        except UnicodeDecodeError as error:
            raise DialectError(
                f"binary data of {len(data)} bytes where text was expected ({error})", hint="use Raw()"
            ) from error
        return (Message("text" if self._namer is None else _name(self._namer, text), text, data),)

    def encode(self, name: str, body: Any) -> Message:
        if not isinstance(body, str):
            raise DialectError(f"{name}: the Text dialect sends str, not {_kind(body)}", hint='send("text", "hello")')
        return Message(name, body, _sendable(name, body))


class Raw:
    """Each frame is a message whose body is its data: `str` for a text frame, `bytes` for a binary one.

    `name` gives a message its name from the data (by default "text" or "binary").
    """

    def __init__(self, name: Namer | None = None) -> None:
        self.name = name

    def codec(self, _meeting: Meeting, /) -> Codec:
        return _RawCodec(self.name)


class _RawCodec(Codec):
    gives_messages = True

    def __init__(self, namer: Namer | None) -> None:
        self._namer = namer

    def decode(self, data: Data) -> Sequence[Message]:
        kind = "text" if isinstance(data, str) else "binary"
        return (Message(kind if self._namer is None else _name(self._namer, data), data, data),)

    def encode(self, name: str, body: Any) -> Message:
        if isinstance(body, (bytearray, memoryview)):
            body = bytes(body)  # a copy: the journal keeps what was said, whatever becomes of the buffer
        if not isinstance(body, (str, bytes)):
            raise DialectError(
                f"{name}: the Raw dialect sends str or bytes, not {_kind(body)}", hint='send("binary", b"…")'
            )
        return Message(name, body, body if isinstance(body, bytes) else _sendable(name, body))


def _name(namer: Namer, data: Data) -> str:
    try:
        return namer(data) or UNNAMED
    except Exception as error:  # the author's function may raise anything
        raise DialectError(
            f"the function that names messages raised {type(error).__name__}: {error}; the data is {shorten(data)}",
            hint="let it return None for data without a name",
        ) from error


def _sendable(name: str, text: str) -> str:
    """The text, if UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DialectError(f"{name} cannot be sent as text: {error}", hint="send bytes, with Raw()") from error
    return text


def _kind(body: Any) -> str:
    return "nothing" if body is None else type(body).__name__

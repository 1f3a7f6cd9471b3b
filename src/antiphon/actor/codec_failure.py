"""What a codec raises, told as what it is: data that is not of its dialect, or a bug of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeGuard

from antiphon.conversation.message import UNREADABLE, Data, Message, Unreadable
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Dialect
from antiphon.errors import AntiphonError, DialectFailed
from antiphon.runtime.call_site import place
from antiphon.runtime.tracebacks import author_frame

__all__ = ["are_messages", "codec_failure", "read_all", "unreadable"]


def unreadable(dialect: Dialect, data: Data, error: Exception) -> Unreadable:
    """The data as a message, whose trouble is what `decode` raised."""
    return Unreadable(UNREADABLE, data, data, trouble=codec_failure(dialect, error, f"on {shorten(data)}"))


def are_messages(given: Iterable[object]) -> TypeGuard[Sequence[Message]]:
    """Has `decode` read everything, and are these messages and nothing else?"""
    if not isinstance(given, (list, tuple)):  # a generator has not
        return False
    for each in given:  # noqa: SIM110 (a generator would be made for each frame)
        if not isinstance(each, Message):
            return False
    return True


def read_all(dialect: Dialect, messages: Iterable[Message], data: Data) -> list[Message]:
    """The messages of a `decode`; what it gave before it raised, or gave something else, counts."""
    read: list[Message] = []
    try:
        if isinstance(messages, Message):  # Python would go through its fields
            raise TypeError("decode gave a message, not a list of them")
        for message in messages:
            if not isinstance(message, Message):
                raise TypeError(f"decode gave a thing of type {type(message).__name__} as a message")
            read.append(message)
    except Exception as error:
        read.append(unreadable(dialect, data, error))
    return read


def codec_failure(dialect: Dialect, error: Exception, where: str) -> AntiphonError:
    """What a codec raised: an error of ours is what it says, anything else a bug, told with the dialect's name."""
    if isinstance(error, AntiphonError):
        return error
    text = f"the dialect {type(dialect).__name__} raised {type(error).__name__}: {error}, {where}"
    frame = author_frame(error)
    hint = f"its codec has a bug, at {place(frame.filename, frame.lineno or 0)}" if frame is not None else None
    failure = DialectFailed(text, hint=hint or "its codec has a bug: data that it cannot read is a DialectError")
    failure.__cause__ = error
    return failure

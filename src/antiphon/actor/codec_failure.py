"""What a codec raises, told as what it is: data that is not of its dialect, or a bug of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from antiphon.conversation.message import UNREADABLE, Data, Message, Unreadable
from antiphon.conversation.wording import own_words, shorten
from antiphon.dialect.codec import Codec, Dialect
from antiphon.errors import AntiphonError, DialectFailed, OpeningRefused
from antiphon.runtime.call_site import place
from antiphon.runtime.tracebacks import author_frame

__all__ = ["codec_failure", "decoder_of", "read_all", "unreadable"]


def unreadable(dialect: Dialect, data: Data, error: Exception) -> Unreadable:
    """The data as a message, whose trouble is what `decode` raised.

    A refusal is what the protocol says by itself: it is told to whoever opens the connection, and not to its reader.
    """
    if isinstance(error, OpeningRefused):
        told = error.message = error.message or Message("refusal", data, data)
        return Unreadable(told.name, told.body, data, is_protocol=True, trouble=error)
    return Unreadable(UNREADABLE, data, data, trouble=codec_failure(dialect, error, f"on {shorten(data)}"))


def decoder_of(dialect: Dialect, codec: Codec) -> Callable[[Data], Sequence[Message]]:
    """What makes messages of data: the codec itself where it gives nothing else, whatever comes."""
    # What a codec that says so gives is a list, whatever the protocol allows.
    return codec.decode if codec.gives_messages else partial(read_all, dialect, codec)  # type: ignore[return-value]


def read_all(dialect: Dialect, codec: Codec, data: Data) -> list[Message]:
    """The messages that a codec makes of the data, which may raise, give a generator, or things that are no messages.

    What it gave before it raised counts.
    """
    read: list[Message] = []
    try:
        messages = codec.decode(data)
        if isinstance(messages, Message):  # Python would go through its fields
            raise TypeError("decode gave a message, not a list of them")
        for each in messages:
            if isinstance(each, Message):
                read.append(each)
                continue
            # Whatever the types say: a foreign codec may have a bug. This takes the thing's place.
            nonsense = TypeError(f"decode gave a thing of type {type(each).__name__} as a message")  # type: ignore[unreachable]
            read.append(unreadable(dialect, data, nonsense))
            if not isinstance(messages, (list, tuple)):  # a text, or a generator: no more to be had from that
                break
    except Exception as error:
        read.append(unreadable(dialect, data, error))
    return read


def codec_failure(dialect: Dialect, error: Exception, where: str) -> AntiphonError:
    """What a codec raised: an error of ours is what it says, anything else a bug, told with the dialect's name."""
    if isinstance(error, AntiphonError):
        return error
    text = f"the dialect {type(dialect).__name__} raised {type(error).__name__}: {own_words(error)}, {where}"
    frame = author_frame(error)
    hint = f"its codec has a bug, at {place(frame.filename, frame.lineno or 0)}" if frame is not None else None
    failure = DialectFailed(text, hint=hint or "its codec has a bug: data that it cannot read is a DialectError")
    failure.__cause__ = error
    return failure

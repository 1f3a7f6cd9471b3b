"""What a codec has from its class: it is a dialect, it owes nothing, and where nothing belongs together it says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from antiphon import Codec, Data, DialectError, ErrorReply, Message
from antiphon.dialect.meeting import Meeting


class Words(Codec):
    """Words parted by spaces; `said` is what a connection has said so far."""

    def __init__(self, separator: str = " ") -> None:
        self.separator = separator
        self.said: list[str] = []

    def decode(self, data: Data) -> Sequence[Message]:
        return [Message(word, None, word) for word in str(data).split(self.separator)]

    def encode(self, name: str, body: Any) -> Message:
        self.said.append(name)
        return Message(name, body, name)


def test_each_connection_gets_its_own_copy_with_the_same_options() -> None:
    words = Words("-")
    first, second = words.codec(Meeting()), words.codec(Meeting())

    first.encode("hello", None)

    assert (first.said, second.said, words.said) == (["hello"], [], [])
    assert [message.name for message in second.decode("a-b")] == ["a", "b"]


def test_it_owes_nothing_and_is_ready() -> None:
    codec = Words()
    assert (*codec.opening(), *codec.owed(), *codec.heartbeat(), *codec.closing()) == ()
    assert (*codec.cancel(codec.encode("hello", None)),) == ()
    assert codec.is_ready
    assert codec.is_done
    assert (codec.heartbeat_s, codec.silence_s, codec.ending) == (None, None, None)


def test_without_correlation_nothing_can_be_asked_answered_or_refused() -> None:
    codec = Words()
    with pytest.raises(DialectError, match=r"hello cannot be asked: [^\n]*\n.*use send"):
        codec.request("hello", None)
    with pytest.raises(DialectError, match="the handler of hello returned a value"):
        codec.answer(codec.encode("hello", None), 5)
    with pytest.raises(DialectError, match="hello has one answer: this dialect has no form for others before it"):
        codec.answer_interim(codec.encode("hello", None), 5)
    with pytest.raises(DialectError, match=r"the handler of hello refused it.*404: not here"):
        codec.refuse(codec.encode("hello", None), ErrorReply(404, "not here"))


def test_a_bundle_is_one_after_the_other_with_frames_where_a_message_has_them() -> None:
    codec = Words()
    whole, parts, nothing = (codec.encode(name, None) for name in ("whole", "parts", "nothing"))
    parts.frames = ("par", "ts")
    nothing.frames = ()
    assert codec.bundle([whole, parts, nothing]) == ["whole", "par", "ts"]

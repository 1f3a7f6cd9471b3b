"""The dialects of data without structure."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import UNNAMED, DialectError, Message, Raw, Text
from antiphon.dialect.meeting import Meeting


def hear(dialect: Text | Raw, data: str | bytes) -> Message:
    (message,) = dialect.codec(Meeting()).decode(data)
    return message


@pytest.mark.parametrize("data", ["", "hello", b"hello", "Grüße 🙂".encode(), "\x00"])
def test_a_text_is_its_own_body(data: str | bytes) -> None:
    message = hear(Text(), data)
    assert message.name == "text"
    assert message.body == (data if isinstance(data, str) else data.decode())
    assert message.raw == data


def test_text_is_not_binary() -> None:
    with pytest.raises(DialectError, match="binary data of 3 bytes") as failure:
        Text().codec(Meeting()).decode(b"\xff\x00\x01")
    assert "Raw()" in str(failure.value)


def test_text_is_sent_as_it_is() -> None:
    message = Text().codec(Meeting()).encode("anything", "hello\n")
    assert (message.name, message.body, message.raw) == ("anything", "hello\n", "hello\n")


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"x", "not bytes"), ({"a": 1}, "not dict"), (None, "not nothing"), ({}, "not dict"), ("\ud800", "surrogates")],
)
def test_what_is_no_text_cannot_be_sent_as_text(body: Any, reason: str) -> None:
    with pytest.raises(DialectError, match=reason):
        Text().codec(Meeting()).encode("text", body)


@pytest.mark.parametrize(("data", "name"), [("", "text"), ("hello", "text"), (b"", "binary"), (b"\xff", "binary")])
def test_raw_data_is_its_own_body(data: str | bytes, name: str) -> None:
    message = hear(Raw(), data)
    assert (message.name, message.body, message.raw) == (name, data, data)


@pytest.mark.parametrize("body", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")])
def test_raw_data_is_sent_as_it_is(body: Any) -> None:
    message = Raw().codec(Meeting()).encode("binary", body)
    assert (message.body, message.raw) == (b"\x00\xff", b"\x00\xff")
    assert Raw().codec(Meeting()).encode("text", "hello").raw == "hello"


@pytest.mark.parametrize(("body", "reason"), [(5, "not int"), (None, "not nothing"), ("\udfff", "surrogates")])
def test_what_is_no_data_cannot_be_sent(body: Any, reason: str) -> None:
    with pytest.raises(DialectError, match=reason):
        Raw().codec(Meeting()).encode("binary", body)


def first_word(text: str) -> str:
    return text.split()[0]


@pytest.mark.parametrize("dialect", [Text, Raw])
def test_a_function_may_name_messages(dialect: Any) -> None:
    assert hear(dialect(first_word), "SET volume").name == "SET"
    assert hear(dialect(lambda _: None), "SET volume").name == UNNAMED
    assert hear(dialect(lambda _: ""), "SET volume").name == UNNAMED


@pytest.mark.parametrize("dialect", [Text, Raw])
def test_a_function_that_fails_to_name_a_message_is_said_so(dialect: Any) -> None:
    codec = dialect(first_word).codec(Meeting())
    with pytest.raises(DialectError, match="raised IndexError") as failure:
        codec.decode("  ")
    assert "the data is '  '" in str(failure.value)
    assert isinstance(failure.value.__cause__, IndexError)
    assert codec.decode("a b")[0].name == "a"


@pytest.mark.parametrize("dialect", [Text(), Raw()])
def test_these_dialects_do_not_correlate(dialect: Any) -> None:
    codec = dialect.codec(Meeting())
    message = codec.encode("text", "x")
    with pytest.raises(DialectError, match="cannot be asked"):
        codec.request("text", "x")
    with pytest.raises(DialectError, match="cannot answer"):
        codec.answer(message, "x")


def test_what_a_codec_owes_by_default_is_nothing() -> None:
    codec = Text().codec(Meeting())
    assert [*codec.opening(), *codec.owed(), *codec.heartbeat(), *codec.closing()] == []
    messages = [codec.encode("text", "a"), Message("text", "b", "b", frames=("b1", "b2")), codec.encode("text", "c")]
    assert list(codec.bundle(messages)) == ["a", "b1", "b2", "c"]

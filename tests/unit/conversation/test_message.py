"""A message: what a program asks of it, and what a person reads."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.errors import ExpectationFailed, FieldMissing


def test_a_field_of_the_body_is_read_from_the_message() -> None:
    message = Message("state", {"id": 0, "none": None}, "{}")
    assert message["id"] == 0
    assert message["none"] is None
    assert "id" in message
    assert "nothing" not in message
    assert message.get("id", 7) == 0
    assert message.get("nothing", 7) == 7
    assert message.get("nothing") is None


def test_an_item_of_a_list_is_read_from_the_message() -> None:
    message = Message("items", ["a", "b"], "[]")
    assert (message[0], message[-1]) == ("a", "b")
    assert message.get(0) is None
    assert "a" not in message


@pytest.mark.parametrize(
    ("body", "key", "hint"),
    [
        ({"id": 1, "n": 2}, "ID", "its fields are 'id', 'n'; did you mean 'id'?"),
        ({}, "id", "its body is empty"),
        ([1, 2], 5, "its body is a list of 2"),
        ([1, 2], "id", "its body is a list of 2"),
        (None, "id", "NoneType, not an object"),
        ("text", "id", "str, not an object"),
        ({"id": 1}, [], "its fields are 'id'"),
    ],
)
def test_a_field_that_is_missing_is_the_peers_fault_and_named(body: Any, key: Any, hint: str) -> None:
    with pytest.raises(FieldMissing) as failure:
        Message("state", body, "")[key]
    assert str(failure.value).startswith(f"state has no field {key!r}\n  hint: ")
    assert str(failure.value).endswith(hint)
    assert isinstance(failure.value, ExpectationFailed)
    assert isinstance(failure.value, KeyError)
    assert failure.value.__cause__ is not None


def test_a_message_that_is_printed_shows_no_values() -> None:
    """A test report prints whatever a function was called with."""
    assert repr(Message("login", {"password": "s3cr3t"}, "s3cr3t")) == "<Message login: its fields are 'password'>"


def test_messages_are_told_apart_by_identity() -> None:
    one, other = Message("a", {}, ""), Message("a", {}, "")
    assert one != other
    assert len({one, other}) == 2


def test_a_failure_that_lacks_a_field_says_what_it_says() -> None:
    refusal = Message("error", {"reason": "members only"}, "", is_failure=True)
    with pytest.raises(FieldMissing, match=r"it says that something failed, .*members only"):
        refusal["data"]

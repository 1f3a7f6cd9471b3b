"""Messages, endings, errors and the clock: what a person reads and what a program asks of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import errors
from antiphon.conversation.clock import Clock, iso_utc
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Message
from antiphon.errors import (
    AntiphonError,
    ErrorReply,
    ExpectationFailed,
    FieldMissing,
    RequestRefused,
    ScenarioError,
    UpgradeRefused,
)

# -- messages ----------------------------------------------------------------------------------------------------------


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
        ({"id": 1, "n": 2}, "ID", "its fields are 'id', 'n'"),
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


# -- endings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (Ending(), "the connection broke"),
        (Ending(1006), "the connection broke with code 1006"),
        (Ending(1000, by="peer", is_clean=True), "the peer closed the connection with code 1000"),
        (Ending(1011, "out of\ncoffee", by="peer"), "the peer closed the connection with code 1011 'out of\\ncoffee'"),
        (Ending(1007, by="us", detail="invalid UTF-8"), "we closed the connection with code 1007: invalid UTF-8"),
        (Ending(0), "the connection broke with code 0"),
    ],
)
def test_an_ending_tells_by_whom_and_why(ending: Ending, text: str) -> None:
    assert str(ending) == text


def test_endings_are_equal_by_value() -> None:
    assert Ending(1000, by="peer") == Ending(1000, by="peer")
    assert Ending(1000) != Ending(1001)


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_says_in_which_step_it_was() -> None:
    error = FieldMissing("call has no field 'id'", place="desk.py:51", hint="its fields are 'n'")
    assert error.step == ""
    error.step = "outbound_call('890') at calls.py:26"
    assert str(error).splitlines() == [
        "call has no field 'id'",
        "  at desk.py:51",
        "  in the step outbound_call('890') at calls.py:26",
        "  hint: its fields are 'n'",
    ]


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = ScenarioError("no such actor", place="calls.py:3", hint="its actors are: alice")
    assert str(error) == "no such actor\n  at calls.py:3\n  hint: its actors are: alice"
    assert (error.text, error.place, error.hint, error.run) == (
        "no such actor",
        "calls.py:3",
        "its actors are: alice",
        None,
    )
    assert str(ScenarioError("no such actor")) == "no such actor"


def test_there_is_one_root_and_pytest_knows_the_peers_faults() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    ours = [kind for kind in kinds if kind is not ErrorReply]  # what a handler raises to answer is no failure
    assert all(issubclass(kind, AntiphonError) for kind in ours)
    assert {kind for kind in ours if issubclass(kind, AssertionError)} == {
        kind for kind in ours if issubclass(kind, ExpectationFailed)
    }
    assert not issubclass(ErrorReply, AntiphonError)


def test_the_text_of_a_failed_wait_is_made_when_it_is_read() -> None:
    facts = ["early"]

    class Explained:
        def __str__(self) -> str:
            return facts[-1]

    error = RequestRefused("", explanation=Explained())
    facts.append("late")
    assert str(error) == "late"
    assert error.message is None
    assert str(ExpectationFailed("plain", hint="look")) == "plain\n  hint: look"


def test_a_refused_upgrade_carries_the_response() -> None:
    error = UpgradeRefused("401", status=401, headers={"a": "b"}, body=b"who are you?", place="ws://x")
    assert (error.status, error.headers, error.body) == (401, {"a": "b"}, b"who are you?")
    assert str(error) == "401\n  at ws://x"


def test_a_refusal_carries_code_message_and_fields() -> None:
    refusal = ErrorReply(404, "no such number", number="890")
    assert (refusal.code, refusal.message, refusal.fields) == (404, "no such number", {"number": "890"})
    assert str(refusal) == "404: no such number"


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_a_clock_counts_from_its_creation() -> None:
    now_ns = 5_000
    clock = Clock(lambda: now_ns)
    assert clock.now_ns() == 0
    now_ns = 5_700
    assert clock.now_ns() == 700


def test_a_clock_knows_the_wall_time_of_its_zero() -> None:
    before = datetime.now(UTC)
    clock = Clock()
    assert before <= clock.started_at <= datetime.now(UTC)
    assert clock.started_at.tzinfo is UTC
    assert 0 <= clock.now_ns() <= clock.now_ns()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 7, 41, 44, 123_999, tzinfo=UTC), "2026-11-22T07:41:44.123Z"),
        (datetime(2026, 11, 22, 7, 41, 44, tzinfo=UTC), "2026-11-22T07:41:44.000Z"),
        (datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000Z"),
    ],
)
def test_moments_are_written_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert iso_utc(moment) == text


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))
def test_a_written_moment_is_that_moment(moment: datetime) -> None:
    text = iso_utc(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    read = datetime.fromisoformat(text)
    assert timedelta(0) <= moment.astimezone(UTC) - read < timedelta(milliseconds=1)


def test_an_error_is_shown_by_its_first_line() -> None:
    error = ScenarioError("it is wrong", place="x.py:3", hint="do it right")
    assert repr(error) == "ScenarioError('it is wrong')"

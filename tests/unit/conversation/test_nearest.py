"""The message most like the awaited one: the same name or the same thing before a value that is near."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.conversation.nearest import NAME_PATH, nearest_of


def nearest(
    name: Any, where: Any, *said: tuple[str, Any], after: int = 0, routine: str = "", taken: int = 0
) -> tuple[int, list[str]]:
    """The number of the message, 0 for none, and the paths at which it differs."""
    messages = [Message(named, body, "", number=number) for number, (named, body) in enumerate(said, 1)]
    found = nearest_of(
        name, where, messages, after, lambda message: message.name == routine, lambda message: message.number == taken
    )
    return (found.message.number, [each.path for each in found.differences]) if found is not None else (0, [])


def test_the_same_thing_comes_before_a_near_value() -> None:
    right, other = {"id": "c-17", "state": "ringing"}, {"id": "c-99", "state": "held"}
    assert nearest("s", {"id": "c-17", "state": "held"}, ("s", right), ("s", other)) == (1, ["state"])


def test_what_came_during_the_wait_comes_before_what_came_earlier() -> None:
    right, other = {"id": "c-17", "state": "ringing"}, {"id": "c-99", "state": "held"}
    assert nearest("s", {"id": "c-17", "state": "held"}, ("s", right), ("s", other), after=1) == (2, ["id"])


def test_what_is_quite_another_thing_comes_last() -> None:
    right, other = {"id": "c-17", "state": "ringing"}, {"id": "c-99", "state": "ready"}
    assert nearest("s", {"id": "c-17", "state": "held"}, ("s", right), ("s", other), after=1) == (1, ["state"])


def test_of_equals_it_is_the_latest() -> None:
    assert nearest("s", {"a": 1}, ("s", {"a": 2}), ("s", {"a": 3}))[0] == 2


@pytest.mark.parametrize("name", ["ping", "other"])
def test_neither_a_heartbeat_nor_what_a_handler_takes(name: str) -> None:
    assert nearest("pings", {"call": "c-17"}, (name, {"call": "c-17"}), routine="other") == (0, [])


def test_a_heartbeat_that_was_awaited() -> None:
    assert nearest("ping", {"seq": 7}, ("ping", {"seq": 6})) == (1, ["seq"])


def test_what_shares_neither_name_nor_field_is_not_near() -> None:
    assert nearest("s", {"state": "held"}, ("t", {"state": "ready"}), ("u", {"state": "held"})) == (0, [])
    assert nearest("s", None, ("t", {})) == (0, [])
    assert nearest(None, {"a": 1}, ("t", {"b": 1}), ("t", [1])) == (0, [])


@pytest.mark.parametrize(
    "where", [{"callId": 3}, {"call": "c-17"}, {"number": 12}, {"id": "abc"}, {"session_key": "abc"}]
)
def test_another_name_about_the_same_thing(where: dict[str, Any]) -> None:
    assert nearest("held", where, ("ended", where), ("t", {})) == (1, [NAME_PATH])


@pytest.mark.parametrize("where", [{"muted": True}, {"count": 3}, {"state": "held"}, {"id": None}])
def test_what_many_things_share_makes_none_near(where: dict[str, Any]) -> None:
    assert nearest("s", where, ("ended", where)) == (0, [])


def test_what_somebody_took_by_another_name_was_for_that() -> None:
    assert nearest("held", {"callId": 3}, ("ended", {"callId": 3}), taken=1) == (0, [])
    assert nearest("held", {"callId": 3}, ("held", {"callId": 4}), taken=1) == (1, ["callId"])


def test_a_typo_comes_before_another_name() -> None:
    same = {"call": "c-17"}
    assert nearest("stateHeld", same, ("StateHeld", same), ("ended", same)) == (1, [NAME_PATH])
    assert nearest(("stateHeld", "gone"), None, ("StateHeld", {})) == (1, [NAME_PATH])


def test_a_name_in_another_field() -> None:
    assert nearest("welcome", None, ("unnamed", {"n": 1, "event": "welcome"}), ("unnamed", [1])) == (1, [NAME_PATH])


def test_a_predicate_says_nothing_of_other_names() -> None:
    assert nearest("s", lambda body: False, ("ss", {})) == (0, [])
    assert nearest("s", lambda body: False, ("s", {})) == (1, [""])

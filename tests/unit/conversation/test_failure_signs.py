"""What says that something failed, and why: by structure first, by the name only when nothing else tells."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.failure_signs import is_heartbeat, is_name_of_failure, reason, sign_of_failure
from antiphon.conversation.message import Message


def message(name: str = "x", body: Any = None, **more: Any) -> Message:
    return Message(name, body, "", **more)


@pytest.mark.parametrize(
    "name", ["433", "503", "ERROR", "-ERR", "join_failed", "AccessDenied", "connection_error", "NACK", "phx.error"]
)
def test_a_name_of_failure(name: str) -> None:
    assert is_name_of_failure(name)
    assert is_name_of_failure(("welcome", name))


@pytest.mark.parametrize("name", ["001", "200", "4858", "state", "terror", "errand", "", "PRIVMSG", "deniability"])
def test_a_name_of_anything_else(name: str) -> None:
    assert not is_name_of_failure(name)
    assert not is_name_of_failure(None)


@pytest.mark.parametrize("name", ["ping", "PONG", "heart_beat", "keepalive", "keep-alive", "Heartbeat", "ping_7"])
def test_a_heartbeat(name: str) -> None:
    assert is_heartbeat(name)


@pytest.mark.parametrize("name", ["shipping", "state", "", "mapping", "001"])
def test_no_heartbeat(name: str) -> None:
    assert not is_heartbeat(name)


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        (message(is_failure=True), "dialect"),
        (message("error", {"error": "denied"}), "body"),
        (message("x", {"ok": False}), "body"),
        (message("x", {"success": False}), "body"),
        (message("x", {"status": "login failed"}), "body"),
        (message("x", {"errors": [{"message": "no"}]}), "body"),
        (message("error", {}), "name"),
        (message("error", "text"), "name"),
        (message("x", {"error": None, "errors": [], "ok": True, "status": "ready", "result": 5}), ""),
        (message("x", {"state": "failed"}), ""),
        (message("x", [1]), ""),
    ],
)
def test_by_what_it_is_told(said: Message, sign: str) -> None:
    assert sign_of_failure(said) == sign


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (":irc 433 * ann :Nickname is already in use", "'Nickname is already in use'"),
        ("busy", "'busy'"),
        (" :leading", "':leading'"),
        ({"code": 7, "message": "no token"}, "7 'no token'"),
        ({"code": "busy", "message": "busy: the line is"}, "'busy: the line is'"),
        ({"type": "denied", "payload": {"reason": "members only"}}, "'members only'"),
        ({"result": {"error": {"message": "deep"}}}, "'deep'"),
        ([{"message": "first"}, {"message": "second"}], "'first'"),
        ({"by": "op"}, "{'by': 'op'}"),
        ({"code": 7}, "{'code': 7}"),
        ({"kind": "x"}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
        ([1, 2], "[1, 2]"),
        ({"a": {"error": {"error": {"error": {"error": {"error": "too deep"}}}}}}, None),
    ],
)
def test_why(body: Any, why: str | None) -> None:
    told = reason(message("x", body))
    assert told == why if why is not None else told.startswith("{'a'")

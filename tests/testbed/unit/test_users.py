"""Users of the contact centre and their sessions."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import ScenarioError
from antiphon_testbed.seed import Seed
from antiphon_testbed.users import Sessions, enrol


def test_the_default_users_can_log_in() -> None:
    users = enrol(None)
    assert [user.name for user in users[:3]] == ["alice", "bob", "carol"]
    sessions = Sessions(users, Seed())
    for user in users:
        token = sessions.log_in(user.name, user.password)
        assert token is not None
        assert sessions.user_of(token) is user


def test_as_many_users_as_asked_for() -> None:
    users = enrol(1000)
    assert len({user.name for user in users}) == len({user.password for user in users}) == 1000
    assert (users[0].name, users[-1].name, users[0].line) == ("user0001", "user1000", "1001")


def test_given_users() -> None:
    (user,) = enrol([{"name": "zoë", "password": "ключ", "skills": ["support"], "line": "7"}])
    assert (user.skills, user.line) == (("support",), "7")
    assert Sessions([user], Seed()).log_in("zoë", "ключ")


@pytest.mark.parametrize(
    "users",
    [
        [{"name": "alice"}],
        [{"name": "alice", "password": 5}],
        [{"name": "", "password": "x"}],
        [{"name": "alice", "password": ""}],
        [{"name": "alice", "password": "x", "age": 4}],
        [{"name": "alice", "password": "x"}, {"name": "alice", "password": "y"}],
        ["alice"],
        0,
        -3,
        True,
    ],
)
def test_users_that_cannot_be(users: Any) -> None:
    with pytest.raises(ScenarioError, match="users="):
        enrol(users)


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("alice", ""), ("nobody", ""), ("nobody", "x"), ("", "")]
)
def test_a_wrong_name_or_password_opens_nothing(name: str, password: str) -> None:
    assert Sessions(enrol(None), Seed()).log_in(name, password) is None


def test_every_login_is_a_session_and_the_oldest_give_way() -> None:
    (user,) = enrol(1)
    sessions = Sessions([user], Seed())
    tokens = [sessions.log_in(user.name, user.password) or "" for _ in range(20)]
    assert len(set(tokens)) == 20
    assert [sessions.user_of(token) is user for token in tokens] == [False] * 4 + [True] * 16
    assert sessions.user_of("") is None

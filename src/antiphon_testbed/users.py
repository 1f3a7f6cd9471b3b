"""Who may sit at a desk: users, their passwords, and the sessions they have opened."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from antiphon.errors import ScenarioError
from antiphon_testbed.seed import Seed

__all__ = ["Sessions", "User", "UsersGiven", "enrol"]

SESSIONS_PER_USER = 16
"""How many sessions of one user are valid at a time; a further login ends the oldest."""

FIRST_LINE = 1001

UsersGiven: TypeAlias = int | Iterable[Mapping[str, Any]] | None
"""None for the default users, a number for that many of them, or the users themselves."""


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user of the centre: `line` is the telephone line's number, `skills` what calls may be routed to them for."""

    name: str
    password: str
    skills: tuple[str, ...] = ()
    line: str = ""


def enrol(users: UsersGiven) -> list[User]:
    """The users of a centre; raises ScenarioError for users that cannot be.

    A given user needs `name` and `password`; `skills` is ["sales"] and `line` 1001, 1002, … unless given.
    """
    if users is None:
        given: Sequence[Mapping[str, Any]] = _default_users()
    elif isinstance(users, int):
        given = _numbered_users(users)
    else:
        given = list(users)
    enrolled = [_user(index, entry) for index, entry in enumerate(given)]
    names: set[str] = set()
    for user in enrolled:
        if user.name in names:
            raise ScenarioError(f"users= has two users named {user.name!r}", hint="a desk is known by its user's name")
        names.add(user.name)
    return enrolled


def _user(index: int, entry: Mapping[str, Any]) -> User:
    try:
        user = msgspec.convert({"skills": ("sales",), "line": str(FIRST_LINE + index), **entry}, User)
    except (msgspec.ValidationError, TypeError) as error:
        raise ScenarioError(
            f"users= entry {index} is no user: {error}",
            hint='{"name": "alice", "password": "…"}, and skills and line if you like',
        ) from error
    if not user.name or not user.password:
        raise ScenarioError(f"users= entry {index} has an empty name or password")
    return user


def _default_users() -> list[dict[str, Any]]:
    return [
        {"name": "alice", "password": "looking-glass", "skills": ["sales", "support"]},
        {"name": "bob", "password": "can-we-fix-it", "skills": ["sales"]},
        {"name": "carol", "password": "fa-la-la-la", "skills": ["support"]},
        {"name": "dave", "password": "open-the-doors", "skills": ["sales", "billing"]},
        {"name": "erin", "password": "go-bragh-1921", "skills": ["billing"]},
    ]


def _numbered_users(count: int) -> list[dict[str, Any]]:
    if isinstance(count, bool) or count < 1:
        raise ScenarioError(f"users={count!r} is no number of users", hint="1 or more, or a list of users")
    width = max(4, len(str(count)))
    return [{"name": f"user{n:0{width}}", "password": f"pass-{n:0{width}}"} for n in range(1, count + 1)]


class Sessions:
    """The sessions that users have opened: each login gives a token, and a token names its user.

    `logins` counts them by result, "success" or "refused".
    """

    def __init__(self, users: Iterable[User], seed: Seed) -> None:
        self._users = {user.name: user for user in users}
        self._seed = seed
        self._by_token: dict[str, User] = {}
        self._tokens: dict[str, list[str]] = {}
        self.logins: Counter[str] = Counter(success=0, refused=0)

    def log_in(self, name: str, password: str) -> str | None:
        """A new token for the user, or None if the name or the password is wrong."""
        user = self._users.get(name)
        # Compared for an unknown user too: a refusal shall not tell by its time which of the two was wrong.
        expected = user.password if user is not None else ""
        is_right = hmac.compare_digest(expected.encode(), password.encode())
        if user is None or not is_right:
            self.logins["refused"] += 1
            return None
        self.logins["success"] += 1
        token = self._seed.token(f"session/{name}")
        tokens = self._tokens.setdefault(name, [])
        tokens.append(token)
        if len(tokens) > SESSIONS_PER_USER:
            del self._by_token[tokens.pop(0)]
        self._by_token[token] = user
        return token

    @property
    def skills(self) -> frozenset[str]:
        """All that any of the users can do."""
        return frozenset(skill for user in self._users.values() for skill in user.skills)

    def user_of(self, token: str) -> User | None:
        """Whose session the token is, if anyone's."""
        return self._by_token.get(token)

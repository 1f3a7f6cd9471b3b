"""Which of a stand's users are whose, when several processes or machines perform a load: no user is two's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from antiphon.load.shares import Share

__all__ = ["users_of"]


def users_of(users: Sequence[Mapping[str, Any]], share: Share) -> list[Mapping[str, Any]]:
    """That share of the users, each as its fields: of every kind of them, as far as they go round.

    Users are of one kind if they are alike in all that several users have, as `role`, beside name and password: an
    operator and a supervisor are lent together only where there are both.
    """
    told = [_told(user) for user in users]
    times = Counter(field for fields in told for field in fields)
    kinds: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for user, fields in zip(users, told, strict=True):
        kinds.setdefault(tuple(field for field in fields if times[field] > 1), []).append(user)
    dealt = [user for alike in kinds.values() for user in alike]
    return dealt[share.index :: share.of]


def _told(user: Mapping[str, Any]) -> list[str]:
    return sorted(f"{name}={value!r}" for name, value in user.items() if name not in _OF_ONE)


_OF_ONE: Final = frozenset({"name", "password"})

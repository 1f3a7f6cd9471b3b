"""What a load needs, and whose the users of a stand are."""

from __future__ import annotations

import pytest

from antiphon import ScenarioError, Stand
from antiphon.load.limits import with_own_users
from antiphon.load.shares import WHOLE, Share

USERS = [{"name": f"user{number}", "password": "secret"} for number in range(5)]


def names(stand: Stand) -> list[str]:
    return [user["name"] for user in stand.users.fields()]


def test_machines_divide_the_users_of_a_stand() -> None:
    stand = Stand("local", {"centre": "ws://centre"}, users=USERS, within_s=7, users_within_s=3, source="antiphon.toml")

    shares = [with_own_users(stand, Share.numbered(k, 3)) for k in (1, 2, 3)]

    assert sorted(name for share in shares for name in names(share)) == names(stand)
    assert [len(share.users) for share in shares] == [2, 2, 1]
    for share in shares:
        assert (share.name, share.addresses, share.source) == (stand.name, stand.addresses, stand.source)
        assert (share.within_s, share.users_within_s, share.users.is_shared) == (7, 3, True)


def test_a_load_that_is_whole_has_them_all() -> None:
    stand = Stand("local", {}, users=USERS)
    assert with_own_users(stand, WHOLE) is stand


def test_a_stand_that_is_started_for_the_load_is_nobody_elses() -> None:
    stand = Stand("embedded", {}, users=USERS, start="centre:running")
    assert with_own_users(stand, Share.numbered(2, 3)) is stand
    without = Stand("open", {"centre": "ws://centre"})
    assert with_own_users(without, Share.numbered(2, 3)) is without


def test_a_shard_without_a_user_is_told() -> None:
    stand = Stand("local", {}, users=USERS[:1])
    with pytest.raises(ScenarioError, match="there is no user for shard 2/3: the stand 'local' has 1"):
        with_own_users(stand, Share.numbered(2, 3))

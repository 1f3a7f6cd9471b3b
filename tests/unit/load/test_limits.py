"""What a load needs, and whose the users of a stand are."""

from __future__ import annotations

import pytest

from antiphon import Actor, ScenarioError, Stand, scenario
from antiphon.load.limits import require_users, with_own_users
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.load.shares import WHOLE, Share
from antiphon.load.user_shares import users_of

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


class Operator(Actor, user={"role": "operator"}):
    pass


class Supervisor(Actor, user={"role": "supervisor"}):
    pass


@scenario
async def listening_in(operator: Operator, supervisor: Supervisor) -> None: ...


@scenario
async def being_alice(operator: Operator = Operator(user="user0")) -> None: ...  # noqa: B008 - as authors write it


MIXED = [{**user, "role": ("operator", "supervisor")[number % 2]} for number, user in enumerate(USERS)]


def test_of_users_of_several_kinds_each_process_has_some_of_every_kind() -> None:
    users = [*MIXED, {"name": "user5", "password": "secret", "role": "supervisor"}]
    shares = [users_of(users, Share(number, 2)) for number in range(2)]

    assert sorted(user["name"] for share in shares for user in share) == [f"user{number}" for number in range(6)]
    for share in shares:
        assert {user["role"] for user in share} == {"operator", "supervisor"}


def test_too_few_users_for_one_of_the_processes_are_told() -> None:
    stand = Stand("local", {}, users=[*MIXED, {"name": "user5", "password": "secret", "role": "supervisor"}])
    plan = Plan(part(listening_in, users=3))

    require_users(plan, stand)
    with pytest.raises(
        ScenarioError, match=r"up to 4 users at once, and process 1 of 2, which divide the users of .*, has 3"
    ):
        require_users(plan, stand, 2)


def test_a_process_without_the_user_that_an_actor_is_to_be_is_told() -> None:
    stand = Stand("local", {}, users=MIXED)
    plan = Plan(part(being_alice, rate="1/s"))

    require_users(plan, stand)
    with pytest.raises(ScenarioError, match=r"process 2 of 2.* has no user for operator, who is to be"):
        require_users(plan, stand, 2)
    with pytest.raises(ScenarioError, match="the stand 'local' has no user for operator"):
        require_users(plan, Stand("local", {}, users=MIXED[1:]))

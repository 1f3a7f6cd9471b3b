"""Users: lent to one actor at a time, by name or kind, also among processes; and what is said when none is free."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from antiphon import Actor, Run, ScenarioError, Stand, load_stand, perform, scenario, wait
from antiphon.testing import VirtualTimeLoop

USERS = [{"name": "alice"}, {"name": "bob", "role": "supervisor"}, {"name": "carol", "skills": ["sales", "billing"]}]


class Operator(Actor):
    pass


class Supervisor(Operator, user={"role": "supervisor"}):
    pass


class Biller(Operator, user={"skills": lambda skills: "billing" in skills}):
    pass


@scenario
async def two_desks(first: Operator, second: Operator, for_s: float = 0) -> list[str]:
    await wait(for_s)
    return [first.user.name, second.user.name]


@scenario
async def one_desk(operator: Operator, for_s: float = 0) -> str:
    await wait(for_s)
    return operator.user.name


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def played(case: Any, stand: Stand, **options: Any) -> Run:
    result: Run = run(perform(case, stand=stand, runs=None, **options))
    return result


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stand]:
    """Reads the same stand anew, as every process and every test does."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def read(users: str = '[{ name = "alice" }, { name = "bob" }]', within_s: float = 2) -> Stand:
        (tmp_path / "antiphon.toml").write_text(f"[stands.s]\nusers = {users}\nusers_within_s = {within_s}")
        return load_stand("s")

    return read


def test_each_actor_is_another_user_and_gives_it_back() -> None:
    stand = Stand("s", users=USERS)
    assert played(two_desks, stand).value == ["alice", "bob"]
    assert played(two_desks, stand).value == ["carol", "alice"]


def test_a_stand_without_users_is_fine_until_one_is_needed() -> None:
    with pytest.raises(ScenarioError, match="operator needs a user, and the stand has none"):
        played(one_desk, Stand("s"))


def test_a_class_asks_for_its_kind_of_user_before_others_choose() -> None:
    @scenario
    async def floor(anyone: Operator, biller: Biller, boss: Supervisor) -> list[str]:
        return [actor.user.name for actor in (anyone, biller, boss)]

    assert played(floor, Stand("s", users=reversed(USERS))).value == ["alice", "carol", "bob"]


def test_an_actor_is_given_its_user_by_name_or_kind() -> None:
    stand = Stand("s", users=USERS)
    run = played(two_desks, stand, first=Operator(user="carol"), second=Operator(user={"role": "supervisor"}))
    assert run.value == ["carol", "bob"]


def test_a_scenario_chooses_its_users_by_itself() -> None:
    @scenario
    async def chosen(boss: Operator = Operator(user="bob"), other: Operator = Operator(user="alice")) -> list[str]:  # noqa: B008
        boss.notes = [*getattr(boss, "notes", ()), boss.user.name]  # type: ignore[attr-defined]
        return [boss.user.name, other.user.name, *boss.notes]  # type: ignore[attr-defined]

    stand = Stand("s", users=USERS)
    assert played(chosen, stand).value == ["bob", "alice", "bob"]
    assert played(chosen, stand).value == ["bob", "alice", "bob"], "each run has actors of its own"


@pytest.mark.parametrize(
    ("actors", "told"),
    [
        ({"first": Operator(user="dave")}, r"has no user for first, who is to be \{name: 'dave'\}"),
        ({"second": Operator(user={"line": 3})}, r"has no user for second, who is to be \{line: 3\}"),
    ],
)
def test_a_user_that_is_not_there_is_told_at_once(actors: dict[str, Actor], told: str) -> None:
    with pytest.raises(ScenarioError, match=told) as wrong:
        played(two_desks, Stand("s", users=USERS), **actors)
    assert "its users are: alice, bob, carol" in str(wrong.value)
    assert wrong.value.run.duration_s == 0


def test_too_few_users_are_told_at_once() -> None:
    with pytest.raises(ScenarioError, match="the stand 's' has 1 user, and 2 are needed at once"):
        played(two_desks, Stand("s", users=USERS[:1]))


def test_two_actors_that_want_the_same_user_are_told_who_has_it() -> None:
    same = {"first": Operator(user="bob"), "second": Operator(user="bob")}
    with pytest.raises(ScenarioError, match=r"became free within 5\.0 s for second"):
        played(two_desks, Stand("s", users=USERS), **same)


def test_a_run_waits_for_the_users_of_another() -> None:
    stand = Stand("s", users=USERS[:2])

    async def side_by_side() -> list[Run]:
        async with asyncio.TaskGroup() as group:
            runs = [
                group.create_task(perform(two_desks, stand=stand, runs=None, for_s=1.0)),
                group.create_task(perform(one_desk, stand=stand, runs=None, for_s=0.5)),
                group.create_task(perform(two_desks, stand=stand, runs=None, for_s=1.0)),
            ]
        return [task.result() for task in runs]

    first, single, last = run(side_by_side())
    assert first.duration_s == pytest.approx(1, abs=0.1)
    assert {single.duration_s > 1, last.duration_s > 2} == {True}, "they had to wait"


def test_users_that_are_not_free_in_time_are_told_with_who_has_them(shared: Callable[..., Stand]) -> None:
    async def in_want() -> str:
        holding = asyncio.ensure_future(perform(two_desks, stand=shared(), runs=None, for_s=30.0))
        await asyncio.sleep(1)
        with pytest.raises(ScenarioError) as failed:
            await perform(one_desk, stand=shared(), runs=None)
        assert failed.value.run.duration_s == pytest.approx(2, abs=0.1)
        await holding
        return str(failed.value)

    text = run(in_want())
    assert "no user of the stand 's' became free within 2.0 s for operator" in text
    assert "alice is lent to first of two_desks in this process, since 20" in text
    assert "bob is lent to second of two_desks in this process" in text
    assert "antiphon.toml" in text
    assert "hint: add users to it, or wait longer with users_within_s" in text


def test_another_stand_of_the_file_has_users_of_its_own(shared: Callable[..., Stand], tmp_path: Path) -> None:
    shared()
    file = tmp_path / "antiphon.toml"
    file.write_text(file.read_text() + "\n" + file.read_text().replace("stands.s", "stands.t"))

    async def both() -> list[str]:
        options: dict[str, Any] = {"runs": None, "for_s": 1.0}
        runs = await asyncio.gather(*(perform(two_desks, stand=load_stand(name), **options) for name in "st"))
        return [name for each in runs for name in each.value]

    assert run(both()) == ["alice", "bob", "alice", "bob"]


HOLDING = """
import asyncio, sys, tempfile
from antiphon import load_stand
from antiphon.stand.users import Wanted

async def hold():
    tempfile.tempdir = sys.argv[1]
    users = await load_stand("s").lend_users([Wanted("someone")], "elsewhere")
    print(users[0].name, flush=True)
    sys.stdin.read()

asyncio.run(hold())
"""


def test_a_user_of_another_process_is_free_when_that_is_killed(shared: Callable[..., Stand], tmp_path: Path) -> None:
    stand = shared('[{ name = "alice" }]', within_s=0.1)
    command = [sys.executable, "-c", HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "alice\n"
        with pytest.raises(ScenarioError, match=f"lent to someone of elsewhere in process {other.pid}, since 20"):
            played(one_desk, stand)
        other.kill()
        other.wait()
    assert played(one_desk, stand).value == "alice"
    assert not list(tmp_path.glob("antiphon-*/*")), "nothing is left behind"


def test_a_place_for_locks_that_cannot_be_is_told(shared: Callable[..., Stand], tmp_path: Path) -> None:
    stand = shared()
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    tempfile.tempdir = str(blocked)
    with pytest.raises(ScenarioError, match="there is no place for locks on users"):
        played(one_desk, stand)

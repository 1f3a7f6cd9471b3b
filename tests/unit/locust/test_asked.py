"""What a locustfile asks for, before Locust is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from antiphon import Actor, Plan, Stand, feed, part, scenario
from antiphon.errors import ScenarioError
from antiphon.load.keeping import Keep
from antiphon.load.target import Target
from antiphon.locust.asked import Asked, asked_of, unit_per_s


class Operator(Actor):
    """Who is a user of the stand."""


@scenario
async def working(operator: Operator, telephone: str = "") -> None: ...


@scenario
async def idle(telephone: str = "") -> None: ...


def asked(plan: Plan, users: int = 0, seats: int = 0) -> Asked:
    stand = Stand("desk", {}, users=[{"name": f"u{number}", "password": "x"} for number in range(users)])
    return Asked(Target("plan.py", "day"), plan, stand, Path("runs"), Keep(), (), None, seats)


def test_users_of_the_stand_go_round_among_the_engines_that_are_there() -> None:
    plan = Plan(part(working, users=2))
    assert asked(plan, users=10).seats_for(4) == 4
    assert asked(plan, users=10, seats=8).seats_for(4) == 8
    assert asked(plan, users=10, seats=2).seats_for(4) == 4


def test_each_engine_needs_a_user_of_the_stand() -> None:
    with pytest.raises(ScenarioError, match="the stand 'desk' has 3 users, which 4 engines are to divide"):
        asked(Plan(part(working, users=2)), users=3).seats_for(4)


def test_values_that_are_used_up_go_round_among_them_too() -> None:
    plan = Plan(part(idle, users=2, telephone=feed(["1", "2", "3"], order="unique")))
    assert asked(plan).seats_for(2) == 2


def test_where_nothing_is_to_be_divided_there_is_a_seat_for_whoever_comes_and_no_row_is_left_out() -> None:
    seats = asked(Plan(part(idle, users=2)), users=1).seats_for(3)
    assert seats > 100
    for rows in range(1, 100):
        assert {number * seats % rows for number in range(rows)} == set(range(rows))


@pytest.mark.parametrize(
    ("given", "per_s"), [({"rate": "4/s"}, 1.0), ({"rate": "30/min"}, 1 / 60), ({"users": 3}, 1.0)]
)
def test_what_a_user_of_locust_stands_for(given: dict[str, Any], per_s: float) -> None:
    (planned,) = Plan(part(idle, **given)).parts
    assert unit_per_s(planned) == per_s


def test_secrets_of_the_stand_are_in_no_message() -> None:
    plan = Plan(part(idle, users=1, telephone="looking-glass"))
    stand = Stand("desk", {}, secrets=["telephone"])
    told = Asked(Target("plan.py", "day"), plan, stand, Path("runs"), Keep(), (), None, 0).plan_data()
    assert "looking-glass" not in str(told)


HEAD = "from antiphon import Plan, part, scenario\n\n@scenario\nasync def idle() -> None: ...\n\n"


@pytest.mark.parametrize(
    ("text", "stand", "why"),
    [
        ("", "here", "is a scenario"),
        ("day = Plan(part(idle, count=3))", "here", "idle has a count, and it is steered from elsewhere"),
        ("day = Plan(part(idle, users=3))", "own", "the stand 'own' is started for a load, and each worker would"),
        ("day = Plan(part(idle, users=3))", "other", "there is no stand 'other'"),
    ],
)
def test_what_cannot_be_steered_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, stand: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asked_plan.py").write_text(HEAD + text)
    (tmp_path / "antiphon.toml").write_text(
        '[stands.here]\na = "ws://127.0.0.1:1"\n\n[stands.own]\nstart = "antiphon_testbed:ContactCentre"\n'
    )
    with pytest.raises(ScenarioError, match=why):
        asked_of(f"asked_plan.py:{'day' if text else 'idle'}", Path(), stand)


def test_the_plan_is_looked_for_beside_the_locustfile_first(tmp_path: Path) -> None:
    (tmp_path / "asked_plan.py").write_text(f"{HEAD}day = Plan(part(idle, users=3))")
    (tmp_path / "antiphon.toml").write_text('[stands.here]\na = "ws://127.0.0.1:1"\n')
    target, plan, stand = asked_of("asked_plan.py:day", tmp_path, None)
    assert target.file == str(tmp_path / "asked_plan.py")
    assert [each.name for each in plan.parts] == ["idle"]
    assert stand.name == "here"

"""Plans: what a load is, and what is wrong with one, said before anything begins."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Actor, Plan, feed, part, scenario
from antiphon.errors import ScenarioError
from antiphon.load.pacing import Arrivals, Users
from antiphon.load.part import Part
from antiphon.load.plan import PlannedPart
from antiphon.load.profile import Profile
from antiphon.load.rates import Span
from antiphon.load.stages import Stage
from antiphon.load.thresholds import parse
from antiphon.stand.stand import Stand


class Operator(Actor):
    """Somebody."""


class Customer(Actor, user=False):
    """Who is no user of the stand."""


@scenario
async def outgoing(operator: Operator, customer: Customer, telephone: str = "890000002", count: int = 0) -> None:
    """An operator calls a customer."""


@scenario
async def consult(alice: Operator, bob: Operator) -> None:
    """Two operators."""


@scenario
async def walk_in(customer: Customer, count: int) -> None:
    """Nobody of the stand's users."""


def line() -> int:
    """The line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def only(plan: Plan) -> PlannedPart:
    """The one part of a plan."""
    [planned] = plan.parts
    return planned


def starts(plan: Plan, until_s: float = 1e6) -> list[tuple[float, int]]:
    """The moments and numbers of a plan of one part with a rate."""
    pacing = only(plan).pacing()
    assert isinstance(pacing, Arrivals)
    return [(start.due_s, start.number) for start in pacing.take(until_s)]


def test_a_plan_of_two_parts() -> None:
    plan = Plan(
        part(outgoing, rate="14/s", telephone=feed(["1", "2"])),
        part(consult, users=20, pause="1..3"),
        during="5m",
        ramp="30s",
        grace_s=10,
        seed=7,
        stand="local",
        thresholds=["outbound_call p95 < 800ms"],
    )
    calls, consults = plan.parts
    assert (calls.name, calls.is_open, calls.profile) == ("outgoing", True, Profile.constant(14.0, 300.0, 30.0))
    assert (consults.name, consults.is_open, consults.profile) == (
        "consult",
        False,
        Profile.constant(20.0, 300.0, 30.0),
    )
    assert (plan.duration_s, plan.grace_s, plan.seed, plan.stand) == (300.0, 10.0, 7, "local")
    assert plan.thresholds == (parse("outbound_call p95 < 800ms"),)
    assert isinstance(calls.pacing(), Arrivals)
    assert isinstance(consults.pacing(), Users)
    assert [calls.arguments().of(number) for number in range(3)] == [
        {"telephone": "1"},
        {"telephone": "2"},
        {"telephone": "1"},
    ]
    assert "outgoing, consult" in repr(plan)
    assert "rate <Profile" in repr(calls)


def test_exactly_so_many() -> None:
    assert starts(Plan(part(outgoing, rate=2), count=3)) == [(0.0, 0), (0.5, 1), (1.0, 2)]
    assert starts(Plan(part(outgoing, rate=2, count=3))) == [(0.0, 0), (0.5, 1), (1.0, 2)]
    assert Plan(part(outgoing, rate=2), count=3).duration_s == 1.0
    # Nothing but a number: one after the other.
    one_by_one = Plan(part(outgoing), count=3)
    assert (only(one_by_one).is_open, only(one_by_one).profile.at(0), one_by_one.duration_s) == (False, 1.0, None)
    users = only(one_by_one).pacing()
    assert isinstance(users, Users)
    [start] = users.take(0.0)
    users.ended(start, 5.0)
    assert [start.due_s for start in users.take(5.0)] == [5.0]


def test_the_plans_stages_are_shared_by_weight() -> None:
    plan = Plan(part(outgoing, weight=3), part(consult), stages="0..20/s in 1m, 20/s for 5m")
    assert [each.profile.stages for each in plan.parts] == [
        (Stage(0, 15, 60), Stage(15, 15, 300)),
        (Stage(0, 5, 60), Stage(5, 5, 300)),
    ]
    assert all(each.is_open for each in plan.parts)
    assert plan.duration_s == 360.0
    users = Plan(part(outgoing), stages="0..20 in 1m")
    assert (only(users).is_open, only(users).profile.stages) == (False, (Stage(0, 20, 60),))


def test_the_plans_hundredths_are_of_what_each_part_says() -> None:
    plan = Plan(part(outgoing, rate="14/s"), part(consult, users=20), stages="0..100% in 1m, 50% for 5m")
    assert [each.profile.stages for each in plan.parts] == [
        (Stage(0, 14, 60), Stage(7, 7, 300)),
        (Stage(0, 20, 60), Stage(10, 10, 300)),
    ]
    assert [each.is_open for each in plan.parts] == [True, False]


def test_a_part_with_stages_of_its_own() -> None:
    plan = Plan(part(outgoing, stages="0..20/s in 1m"), part(consult, users=2), during="30s")
    assert [each.profile.duration_s for each in plan.parts] == [60.0, 30.0]
    assert plan.duration_s == 60.0
    assert only(Plan(part(outgoing, stages="3 for 1m"))).is_open is False


def test_a_scenario_twice_needs_two_names() -> None:
    plan = Plan(part(outgoing, rate=1), part(outgoing, rate=2, name="hot line"))
    assert [each.name for each in plan.parts] == ["outgoing", "hot line"]
    with pytest.raises(ScenarioError, match="2 parts are called 'outgoing'") as raised:
        Plan(part(outgoing, rate=1), part(outgoing, rate=2))
    assert raised.value.place == f"{Path(__file__).relative_to(Path.cwd())}:{line() - 1}"


def test_parameters_that_are_called_as_a_word_of_parts() -> None:
    planned = only(Plan(part(walk_in, rate=1, count=5, parameters={"count": 3})))
    assert (planned.count, planned.arguments().of(0)) == (5, {"count": 3})
    with pytest.raises(ScenarioError, match="walk_in needs a value for 'count'") as raised:
        part(walk_in, count=3)
    assert raised.value.hint == "give the part parameters={'count': …}, or a feed that has it"


def test_rows_for_several_parameters() -> None:
    rows = feed([{"telephone": "1", "count": 2}])
    assert only(Plan(part(outgoing, rows, rate=1))).arguments().of(0) == {"telephone": "1", "count": 2}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"rate": "20"}, "in what time"),
        ({"rate": 0}, "with the rate 0 nothing would ever start"),
        ({"rate": "0/s"}, "nothing would ever start"),
        ({"rate": 1, "users": 2}, "rate and users both say how much of outgoing there is"),
        ({"stages": "2 for 1m", "weight": 2}, "stages and weight both say"),
        ({"users": 0}, "users 0 is no whole number from 1 to 1,000,000"),
        ({"users": 2.5}, "users 2.5 is no whole number"),
        ({"users": True}, "users True is no whole number"),
        ({"stages": "20/s"}, '"in" or "for" and a time'),
        ({"stages": "50% for 1m"}, "hundredths of what"),
        ({"weight": 0}, "weight 0 is no number above 0"),
        ({"rate": 1, "pause": 1}, "only users pause"),
        ({"stages": "1/s for 1m", "pause": 1}, "only users pause"),
        ({"users": 1, "pause": "3..1"}, "the first is more than the second"),
        ({"count": -1}, "count -1 is no whole number"),
        ({"name": " "}, "is no name of a part"),
        ({"name": "a/b"}, "is no name of a part"),
        ({"name": "a\nb"}, "is no name of a part"),
        ({"name": 5}, "5 is no name of a part"),
        ({"telephone": 5}, "outgoing takes telephone as str, not 5"),
        ({"telefone": "5"}, "outgoing has no parameter 'telefone'"),
        ({"parameters": {"telefone": "5"}}, "outgoing has no parameter 'telefone'"),
    ],
)
def test_what_is_no_part_is_told_at_its_line(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ScenarioError, match=why) as raised:
        part(outgoing, **given)
    assert raised.value.place == f"{Path(__file__).relative_to(Path.cwd())}:{line() - 1}"


def test_a_part_is_of_a_scenario_and_feeds() -> None:
    with pytest.raises(ScenarioError, match="is no scenario"):
        part(line)  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match=r"'phones\.csv' is no feed"):
        part(outgoing, "phones.csv")  # type: ignore[arg-type]
    assert repr(part(outgoing)).startswith("<Part outgoing at ")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"during": "soon"}, "during 'soon': a number is missing here"),
        ({"during": 0}, "in no time nothing would ever start"),
        ({"during": "1m", "ramp": "2m"}, "a ramp of 120 s does not fit into 60 s"),
        ({"ramp": -1}, "ramp -1 is no number"),
        ({"arrivals": "now and then"}, "arrivals cannot be 'now and then'"),
        ({"grace_s": -1}, "grace_s -1 is no number"),
        ({"seed": -1}, "seed -1 is no whole number"),
        ({"seed": 2**32}, "is no whole number from 0 to 4294967295"),
        ({"seed": True}, "seed True is no whole number"),
        ({"thresholds": "errors < 1%"}, "thresholds are a list of texts"),
        ({"thresholds": [1]}, "thresholds are a list of texts"),
        ({"thresholds": ["errors < 1%", "p95 << 1s"]}, "threshold 'p95 << 1s'"),
        ({"count": 0}, "count 0 is no whole number"),
        ({"count": 21, "during": 10}, "outgoing is to have 21 conversations, and in its time 20 start"),
        ({"stages": "20/s for 1m"}, "outgoing has its own rate or users, and the plan's stages say it too"),
        ({"stages": "100% for 1m", "during": "1m"}, "stages say themselves how long they take"),
        ({"stages": "100% for 1m", "ramp": "1m"}, "stages say themselves how long they take"),
        ({"stages": "100%"}, '"in" or "for"'),
    ],
)
def test_what_is_no_plan_is_told_at_its_line(given: dict[str, Any], why: str) -> None:
    own = part(outgoing, rate=2)
    with pytest.raises(ScenarioError, match=why) as raised:
        Plan(own, **given)
    assert (raised.value.place or "").startswith(f"{Path(__file__).relative_to(Path.cwd())}:")
    assert raised.value.hint


@pytest.mark.parametrize(
    ("parts", "given", "why"),
    [
        ([], {}, "the plan has no parts"),
        ([outgoing], {}, "is no part of a plan"),
        ([part(outgoing)], {}, "how much of outgoing?"),
        ([part(outgoing, weight=2)], {}, "a weight of what?"),
        ([part(outgoing)], {"stages": "50% for 1m"}, "hundredths of what, for outgoing?"),
        ([part(outgoing, stages="2 for 1m")], {"stages": "50% for 1m"}, "outgoing has stages, and the plan too"),
        ([part(outgoing, stages="2 for 1m")], {"during": "1m"}, "the parts' stages say themselves"),
        ([part(outgoing, pause=1)], {"stages": "2/s for 1m"}, "only users pause"),
        ([part(outgoing, rate=1), part(consult, rate=1)], {"count": 5}, "which part has this count?"),
        ([part(outgoing, rate=1, count=2)], {"count": 5}, "which part has this count?"),
    ],
)
def test_parts_that_make_no_plan(parts: list[Any], given: dict[str, Any], why: str) -> None:
    with pytest.raises(ScenarioError, match=why.replace("?", r"\?")) as raised:
        Plan(*parts, **given)
    assert raised.value.place
    assert raised.value.hint


def test_values_that_are_to_be_used_once_must_be_enough(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    file.write_text("telephone\n1\n2\n3\n")

    def phones() -> Any:
        return feed(file, order="unique")

    assert only(Plan(part(outgoing, rate=1, telephone=phones()), count=3)).arguments().of(2) == {"telephone": "3"}
    with pytest.raises(ScenarioError, match=r"phones\.csv has 3 values, and outgoing needs 4") as raised:
        Plan(part(outgoing, rate=1, telephone=phones()), count=4)
    assert (raised.value.place or "").startswith(f"{Path(__file__).relative_to(Path.cwd())}:")
    with pytest.raises(ScenarioError, match=r"has 3 values, and outgoing needs 4"):
        Plan(part(outgoing, phones(), rate=1, count=4))
    with pytest.raises(ScenarioError, match=r"outgoing and other would both use up the feed .*phones\.csv"):
        Plan(part(outgoing, rate=1, telephone=phones()), part(outgoing, rate=1, name="other", telephone=phones()))
    # Where nobody knows how many there are, it shows when they are used up.
    assert Plan(part(outgoing, rate=1, telephone=feed(iter(["1"]))), count=4)


def test_how_many_users_of_the_stand_it_needs() -> None:
    assert Plan(part(consult, users=20)).most_users == 40
    assert Plan(part(outgoing, users=20)).most_users == 20  # the customer is none
    assert Plan(part(walk_in, users=20, parameters={"count": 1})).most_users == 0
    assert Plan(part(consult, rate=1)).most_users is None
    assert Plan(part(consult, rate=1), count=3).most_users == 6
    assert Plan(part(consult, stages="3 for 1m, 7 for 1m, 0 in 1m"), part(outgoing, users=1)).most_users == 15
    assert Plan(part(consult, users=3)).shard(2, 2).most_users == 2


def test_a_seed_is_chosen_and_told() -> None:
    plan = Plan(part(outgoing, rate=1))
    assert 0 <= plan.seed < 2**32
    assert plan.seed != Plan(part(outgoing, rate=1)).seed
    assert f"seed {plan.seed}" in repr(plan)


def test_who_has_the_seed_draws_alike() -> None:
    def plan(seed: int | None = None) -> Plan:
        return Plan(
            part(outgoing, rate=5, telephone=feed(["1", "2", "3"], order="random")),
            arrivals="poisson",
            during=20,
            seed=seed,
        )

    def drawn(plan: Plan) -> Any:
        arguments = only(plan).arguments()
        return starts(plan), [arguments.of(number) for number in range(20)]

    assert drawn(plan(3)) == drawn(plan().with_seed(3)) != drawn(plan(4))
    assert plan().with_seed(3).seed == 3
    with pytest.raises(ScenarioError, match="seed"):
        plan().with_seed(-1)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 60), st.sampled_from(["constant", "poisson"]))
def test_shares_are_together_the_whole(machines: int, processes: int, count: int, arrivals: Any) -> None:
    plan = Plan(
        part(outgoing, rate=7, telephone=feed(range(100), order="unique")), count=count, arrivals=arrivals, seed=1
    )
    ours = [
        plan.shard(machine, machines).shard(process, processes)
        for machine in range(1, machines + 1)
        for process in range(1, processes + 1)
    ]
    assert len({str(own.share) for own in ours}) == machines * processes
    dealt = sorted(start for own in ours for start in starts(own))
    assert sorted(number for _, number in dealt) == list(range(count))
    if arrivals == "constant":
        assert dealt == starts(plan)
    lent = [only(own).arguments().of(number) for own in ours for _, number in starts(own)]
    assert sorted(each["telephone"] for each in lent if each) == list(range(count))


def test_there_is_no_such_share() -> None:
    with pytest.raises(ScenarioError, match="there is no share 3 of 2"):
        Plan(part(outgoing, rate=1)).shard(3, 2)


def test_a_plan_as_data() -> None:
    plan = Plan(
        part(outgoing, rate="14/s", telephone=feed(["1"])),
        part(consult, users=2, pause="1..3", count=5),
        part(walk_in, feed([{"count": 1}]), users=1),
        during="5m",
        seed=7,
        stand=Stand("local"),
        thresholds=["errors < 1%"],
    ).shard(1, 2)
    data = plan.as_data()
    assert json.loads(json.dumps(data)) == data
    assert {
        name: data[name] for name in ("seed", "share", "stand", "duration_s", "grace_s", "arrivals", "thresholds")
    } == {
        "seed": 7,
        "share": "1/2",
        "stand": "local",
        "duration_s": 300.0,
        "grace_s": 30.0,
        "arrivals": "constant",
        "thresholds": ["errors < 1%"],
    }
    calls, consults, walk_ins = data["parts"]
    assert calls["stages"] == [{"begin": 14.0, "end": 14.0, "duration_s": 300.0}]
    assert (calls["name"], calls["scenario"], calls["model"], calls["count"]) == ("outgoing", "outgoing", "open", None)
    assert calls["scenario_place"] == outgoing.place
    assert calls["parameters"]["telephone"]["order"] == "circular"
    assert (consults["model"], consults["count"], consults["pause_s"]) == ("closed", 5, [1.0, 3.0])
    assert walk_ins["feeds"][0]["feed"].startswith("list at ")
    endless = Plan(part(walk_in, users=1, parameters={"count": 3}), stand="local").as_data()
    assert (endless["duration_s"], endless["stand"], endless["parts"][0]["parameters"]) == (None, "local", {"count": 3})


def test_whoever_makes_a_plan_for_somebody_says_where_that_was() -> None:
    with pytest.raises(ScenarioError) as raised:
        Plan(Part(outgoing, rate=1), place="--for", during=0)
    assert raised.value.place == "--for"
    with pytest.raises(ScenarioError) as raised:
        Part(outgoing, rate=0)
    assert raised.value.place is None
    planned = only(Plan(Part(outgoing, [feed([{}])], {"telephone": "1"}, users=2, pause=1), place=""))
    assert (planned.part.pause, planned.profile.total, planned.arguments().of(0)) == (
        Span(1.0, 1.0),
        math.inf,
        {"telephone": "1"},
    )


def test_a_plan_that_is_steered_begins_nothing_until_it_is_told_how_much() -> None:
    steered = Plan(part(outgoing, rate="4/s"), part(consult, users=2), during="3s", ramp="1s").steered()
    arrivals, users = (each.pacing() for each in steered.parts)

    assert isinstance(arrivals, Arrivals)
    assert isinstance(users, Users)
    assert arrivals.take(100.0) == users.take(100.0) == []
    assert not arrivals.is_over(100.0)
    assert not users.is_over(100.0)
    arrivals.set_rate(2.0, 100.0)
    users.set_users(3, 100.0)
    assert [start.due_s for start in arrivals.take(101.2)] == [100.0, 100.5, 101.0]
    assert len(users.take(101.2)) == 3


def test_who_steers_a_load_says_when_it_ends() -> None:
    with pytest.raises(ScenarioError, match="outgoing has a count, and it is steered from elsewhere"):
        Plan(part(outgoing, count=5)).steered()

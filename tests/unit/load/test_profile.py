"""A level over time: its integral, and the moment of each start."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.load.profiles import profiles, shares, users_profiles

from antiphon.load.profile import Profile
from antiphon.load.shares import Share
from antiphon.load.stages import Stage, parse_stages


def staged(text: str) -> Profile:
    return Profile(parse_stages(text).stages)


def test_a_constant_rate() -> None:
    profile = Profile.constant(20.0, 300.0)
    assert [profile.when(nth) for nth in (0, 1, 5999, 6000)] == [0.0, 0.05, 299.95, math.inf]
    assert (profile.at(-1), profile.at(0), profile.at(299.9), profile.at(300)) == (0.0, 20.0, 20.0, 0.0)
    assert (profile.due(-1), profile.due(1), profile.due(300), profile.due(900)) == (0.0, 20.0, 6000.0, 6000.0)
    assert (profile.duration_s, profile.total, profile.peak) == (300.0, 6000.0, 20.0)


@pytest.mark.parametrize(
    ("from_s", "to_s", "asking_s"), [(0, 12, 4), (0, 3, 0), (2.5, 3.5, 0.5), (4, 9, 2), (-1, 100, 4), (8.5, 8.75, 0.25)]
)
def test_for_how_long_there_is_a_level(from_s: float, to_s: float, asking_s: float) -> None:
    profile = staged("0/s for 3s, 4/s for 2s, 0/s for 3s, 0..4/s in 3s, 0 for 2s").with_pause(True, 10.0)
    assert profile.asking_s(from_s, to_s) == asking_s


def test_a_rate_without_an_end() -> None:
    profile = Profile.constant(0.5)
    assert (profile.duration_s, profile.total) == (math.inf, math.inf)
    assert (profile.at(1e8), profile.due(1e8), profile.when(10)) == (0.5, 5e7, 20.0)
    assert profile.as_data() == [{"begin": 0.5, "end": 0.5, "duration_s": None}]


def test_a_ramp_is_a_part_of_the_time() -> None:
    profile = Profile.constant(20.0, 60.0, 30.0)
    assert profile.stages == (Stage(0, 20, 30), Stage(20, 20, 30))
    assert (profile.duration_s, profile.at(15.0), profile.due(30.0), profile.due(60.0)) == (60.0, 10.0, 300.0, 900.0)
    assert Profile.constant(20.0, 30.0, 30.0).stages == (Stage(0, 20, 30),)


def test_stages_that_grow_hold_and_shrink() -> None:
    profile = staged("0..20/s in 1m, 20/s for 5m, 0 in 10s")
    assert [profile.at(t_s) for t_s in (0, 30, 60, 200, 365, 370)] == [0.0, 10.0, 20.0, 20.0, 10.0, 0.0]
    assert [profile.due(t_s) for t_s in (30, 60, 360, 365, 370)] == [150.0, 600.0, 6600.0, 6675.0, 6700.0]
    assert [profile.when(nth) for nth in (0, 150, 600, 6600, 6675)] == [0.0, 30.0, 60.0, 360.0, 365.0]
    assert profile.when(6700) == math.inf
    assert profile.total == 6700.0


def test_where_nothing_is_to_start_nothing_is_due() -> None:
    profile = staged("0 for 10s, 1/s for 3s, 0 for 10s, 1/s for 1s")
    assert [profile.when(nth) for nth in range(5)] == [10.0, 11.0, 12.0, 23.0, math.inf]


@given(profiles())
def test_due_is_the_integral_of_the_level(profile: Profile) -> None:
    # The trapezoid rule is exact on straight lines, if no step lies across a bend.
    bends = [0.0]
    for stage in profile.stages:
        bends.append(bends[-1] + stage.duration_s)
    area = 0.0
    for begin_s, end_s, stage in zip(bends, bends[1:], profile.stages, strict=False):
        middle_s = (begin_s + end_s) / 2
        half = (stage.begin + (stage.begin + stage.end) / 2) / 2 * (middle_s - begin_s)
        assert profile.due(middle_s) == pytest.approx(area + half, rel=1e-9, abs=1e-9)
        assert profile.at(middle_s) == pytest.approx((stage.begin + stage.end) / 2)
        area += (stage.begin + stage.end) / 2 * stage.duration_s
        assert profile.due(end_s) == pytest.approx(area, rel=1e-9, abs=1e-9)
    assert profile.total == pytest.approx(area)


@given(profiles(), st.data())
def test_due_and_when_are_inverse(profile: Profile, data: st.DataObject) -> None:
    total = math.ceil(profile.total)
    assert profile.when(total) == math.inf
    if total:
        nth = data.draw(st.integers(0, total - 1))
        at_s = profile.when(nth)
        assert 0 <= at_s <= profile.duration_s
        assert profile.due(at_s) == pytest.approx(nth, rel=1e-9, abs=1e-7)
    at_s = data.draw(st.floats(0, profile.duration_s * 0.999))
    if profile.at(at_s) > 0.01:
        due = profile.due(at_s)
        # A ramp that begins at 0 is flat there: many moments have the same due, to a float's precision.
        assert profile.moment(due) == pytest.approx(at_s, rel=1e-6, abs=1e-6)


@given(profiles(), shares())
def test_the_shares_starts_are_together_exactly_the_wholes(profile: Profile, every: list[Share]) -> None:
    total = math.ceil(profile.total)
    whole = [profile.when(nth) for nth in range(total)]
    assert whole == sorted(whole)
    ours: list[float] = []
    for share in every:
        own = profile.scaled(share)
        many = share.how_many(total)
        ours += [own.when(nth) for nth in range(many)]
        assert own.when(many) == math.inf
        middle_s = profile.duration_s / 2
        assert own.due(middle_s) * share.of == pytest.approx(profile.due(middle_s))
        assert own.at(middle_s) * share.of == pytest.approx(profile.at(middle_s))
    assert sorted(ours) == whole


def test_a_share_of_a_share() -> None:
    profile = Profile.constant(12.0, 10.0)
    machine = profile.scaled(Share(1, 2))
    assert machine.scaled(Share(2, 3)) == profile.scaled(Share(1 + 2 * 2, 6))


@pytest.mark.parametrize("per_s", [20.0, 1.5, 1000 / 3600, 0.1])
def test_no_drift_after_ten_million_starts(per_s: float) -> None:
    profile = Profile.constant(per_s)
    for nth in (10_000_000, 10_000_001, 12_345_678):
        # From the number alone, so the error is that of one division: far below a microsecond in years.
        assert profile.when(nth) == nth / per_s
        assert profile.due(profile.when(nth)) == pytest.approx(nth, rel=1e-15)


@pytest.mark.parametrize("per_h", [1000, 7, 999, 3601])
def test_rounding_wins_and_loses_no_start(per_h: int) -> None:
    profile = Profile.constant(per_h / 3600, 3600.0)
    assert profile.when(per_h - 1) < 3600.0
    assert profile.when(per_h) == math.inf
    again = Profile([*profile.stages, *profile.stages])
    assert again.when(per_h) == 3600.0
    assert again.when(2 * per_h) == math.inf


def test_another_level_from_a_moment_on() -> None:
    profile = staged("0..20/s in 10s, 20/s for 10s").with_level(5.0, 15.0)
    assert [profile.at(t_s) for t_s in (5, 12, 15, 19, 20)] == [10.0, 20.0, 5.0, 5.0, 0.0]
    assert [profile.due(t_s) for t_s in (10, 15, 20)] == [100.0, 200.0, 225.0]
    assert [profile.when(nth) for nth in (199, 200, 201, 225)] == [14.95, 15.0, 15.2, math.inf]
    assert profile.duration_s == 20.0


def test_a_level_in_the_middle_of_a_ramp_keeps_what_was_before() -> None:
    before = staged("0..20/s in 10s")
    after = before.with_level(1.0, 5.0)
    assert [after.when(nth) for nth in range(25)] == [before.when(nth) for nth in range(25)]
    assert [after.when(nth) for nth in (25, 26, 29, 30)] == [5.0, 6.0, 9.0, math.inf]


def test_the_same_level_again_changes_nothing() -> None:
    once = Profile.constant(20.0, 60.0).with_level(5.0, 10.0)
    assert once.with_level(5.0, 10.0) is once
    assert once.with_level(5.0, 17.0) is once
    assert once.with_level(5.0, 8.0).at(9.0) == 5.0
    assert once.with_level(6.0, 10.0).at(11.0) == 6.0
    assert once.with_level(6.0, 70.0).when(1000) == math.inf


def test_a_pause_takes_its_time() -> None:
    paused = Profile.constant(1.0, 10.0).with_pause(True, 2.5)
    assert paused.is_paused
    assert paused.with_pause(True, 3.0) is paused
    assert [paused.when(nth) for nth in range(4)] == [0.0, 1.0, 2.0, math.inf]
    resumed = paused.with_pause(False, 5.0)
    assert not resumed.is_paused
    assert resumed.with_pause(False, 6.0) is resumed
    assert [resumed.when(nth) for nth in range(9)] == [0.0, 1.0, 2.0, 5.5, 6.5, 7.5, 8.5, 9.5, math.inf]
    assert resumed.duration_s == 10.0


def test_a_level_that_is_set_in_a_pause_holds_after_it() -> None:
    profile = Profile.constant(1.0, 10.0).with_pause(True, 2.0).with_level(4.0, 3.0).with_pause(False, 8.0)
    assert [profile.at(t_s) for t_s in (1, 3, 7, 8, 9)] == [1.0, 0.0, 0.0, 4.0, 4.0]


def test_a_second_pause() -> None:
    profile = Profile.constant(1.0)
    for is_paused, from_s in [(True, 1.0), (False, 2.0), (True, 3.0), (False, 4.0)]:
        profile = profile.with_pause(is_paused, from_s)
    assert [profile.when(nth) for nth in range(3)] == [0.0, 2.0, 4.0]


def test_resumed_before_it_was_paused_is_never_paused() -> None:
    profile = Profile.constant(1.0, 10.0).with_pause(True, 5.0).with_pause(False, 4.0)
    assert [profile.at(t_s) for t_s in (3, 4.5, 6)] == [1.0, 1.0, 1.0]


@given(profiles(), shares(), st.lists(st.tuples(st.floats(0, 50), st.floats(0, 100)), max_size=5))
def test_shares_that_are_changed_alike_stay_the_whole(
    profile: Profile, every: list[Share], changes: list[tuple[float, float]]
) -> None:
    changed, ours = profile, [profile.scaled(share) for share in every]
    for level, from_s in changes:
        changed = changed.with_level(level, from_s)
        ours = [own.with_level(level, from_s) for own in ours]
    total = math.ceil(changed.total)
    moments = [own.when(nth) for own, share in zip(ours, every, strict=True) for nth in range(share.how_many(total))]
    assert sorted(moments) == [changed.when(nth) for nth in range(total)]


def test_users_on_a_ramp() -> None:
    profile = staged("0..3 in 3s, 3 for 1s, 1 in 4s")
    assert list(profile.steps()) == [(0.0, 1), (1.0, 2), (2.0, 3), (6.0, 2), (8.0, 0)]


def test_users_that_jump() -> None:
    assert list(staged("2 for 5s, 0 for 5s, 4 for 5s").steps()) == [(0.0, 2), (5.0, 0), (10.0, 4), (15.0, 0)]
    assert list(Profile.constant(3.0).steps()) == [(0.0, 3)]
    assert list(Profile.constant(3.0, 6.0, 3.0).with_level(1.0, 1.5).steps()) == [
        (0.0, 1),
        (1.0, 2),
        (1.5, 1),
        (6.0, 0),
    ]


def test_a_part_of_a_user_is_one_and_rounding_is_none() -> None:
    assert list(Profile.constant(2.5, 1.0).steps()) == [(0.0, 3), (1.0, 0)]
    assert list(Profile.constant(2.9 + 0.1 + 4e-15, 1.0).steps()) == [(0.0, 3), (1.0, 0)]


@given(users_profiles(), shares())
def test_the_shares_users_are_together_the_wholes(profile: Profile, every: list[Share]) -> None:
    def users_at(own: Profile, t_s: float) -> int:
        return next((users for at_s, users in reversed(list(own.steps())) if at_s <= t_s), 0)

    moments = [at_s for at_s, _ in profile.steps()]
    assert moments == sorted(moments)
    for at_s in moments:
        assert sum(users_at(profile.scaled(share), at_s) for share in every) == users_at(profile, at_s)
        assert abs(users_at(profile, at_s) - profile.at(at_s)) <= 1 + 1e-9


def test_profiles_are_values() -> None:
    assert Profile.constant(2.0, 3.0) == Profile([Stage(2.0, 2.0, 3.0)])
    assert hash(Profile.constant(2.0, 3.0)) == hash(Profile([Stage(2.0, 2.0, 3.0)]))
    assert Profile.constant(2.0, 3.0) != Profile.constant(2.0, 4.0)
    assert Profile.constant(2.0, 3.0) != 2.0
    assert "2..2 in 3 s" in repr(Profile.constant(2.0, 3.0))
    nothing = Profile([])
    assert (nothing.total, nothing.when(0), nothing.peak, list(nothing.steps())) == (0.0, math.inf, 0.0, [])

"""When conversations start: arrivals, and users."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from statistics import fmean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.load.profiles import profiles, shares, users_profiles

from antiphon.load.pacing import Arrivals, Spacing, Start, Users
from antiphon.load.profile import Profile
from antiphon.load.rates import Span
from antiphon.load.shares import Share
from antiphon.load.stages import parse_stages

NO_PAUSE = Span(0.0, 0.0)


def all_of(arrivals: Arrivals, until_s: float = 1e9) -> list[Start]:
    return arrivals.take(until_s)


# Arrivals


def test_each_start_is_given_once_with_the_moment_at_which_it_was_due() -> None:
    arrivals = Arrivals(Profile.constant(2.0, 2.0))
    assert arrivals.next_at_s == 0.0
    assert arrivals.take(0.6) == [Start(0, 0.0), Start(1, 0.5)]
    assert arrivals.take(0.6) == []
    assert arrivals.next_at_s == 1.0
    # Whoever was away finds all of them, and sees by the moments how late it is.
    assert arrivals.take(7.0) == [Start(2, 1.0), Start(3, 1.5)]
    assert (arrivals.begun, arrivals.next_at_s, arrivals.is_over(7.0)) == (4, math.inf, True)


def test_exactly_so_many() -> None:
    arrivals = Arrivals(Profile.constant(2.0), count=3)
    assert [start.due_s for start in all_of(arrivals)] == [0.0, 0.5, 1.0]
    assert arrivals.is_over(1.0)


def test_it_is_not_over_before_the_profiles_end() -> None:
    arrivals = Arrivals(Profile.constant(1.0, 3.0))
    assert len(arrivals.take(2.5)) == 3
    assert not arrivals.is_over(2.5)  # a higher rate could still be set
    assert arrivals.is_over(3.0)


def test_what_is_due_and_not_yet_taken_keeps_it_from_being_over() -> None:
    arrivals = Arrivals(Profile.constant(1.0, 3.0))
    assert not arrivals.is_over(5.0)
    arrivals.take(5.0)
    assert arrivals.is_over(5.0)


@given(profiles(), shares(), st.integers(0, 200))
def test_the_shares_are_together_exactly_the_whole(profile: Profile, every: list[Share], count: int) -> None:
    whole = all_of(Arrivals(profile, count=count))
    ours = [start for share in every for start in all_of(Arrivals(profile.scaled(share), count=count))]
    assert sorted(ours) == whole
    assert len(whole) == min(count, math.ceil(profile.total))


@pytest.mark.parametrize("spacing", ["constant", "poisson"])
def test_the_rate_can_be_changed_while_it_runs(spacing: Spacing) -> None:
    arrivals = Arrivals(Profile.constant(100.0, 30.0), spacing=spacing, seed=7)
    begun = len(arrivals.take(10.0))
    arrivals.set_rate(10.0, 10.0)
    at_s = arrivals.next_at_s
    arrivals.set_rate(10.0, 10.0)
    arrivals.set_rate(10.0, 10.5)
    assert arrivals.next_at_s == at_s
    then = len(arrivals.take(20.0))
    arrivals.set_rate(0.0, 20.0)
    assert arrivals.next_at_s == math.inf
    assert not arrivals.is_over(20.0)
    arrivals.set_rate(50.0, 25.0)
    last = all_of(arrivals)
    for got, wanted in [(begun, 1000), (then, 100), (len(last), 250)]:
        assert got == pytest.approx(wanted, abs=4 * math.sqrt(wanted) if spacing == "poisson" else 1)
    assert last[0].due_s >= 25.0
    assert arrivals.profile.at(26.0) == 50.0


def test_changed_rates_lose_no_start_and_give_none_twice() -> None:
    arrivals = Arrivals(Profile.constant(10.0), count=100)
    starts = arrivals.take(1.0)
    for rate, from_s in [(1.0, 1.0), (100.0, 3.0), (7.0, 3.1)]:
        arrivals.set_rate(rate, from_s)
        starts += arrivals.take(from_s + 0.05)
    starts += all_of(arrivals)
    assert [start.number for start in starts] == list(range(100))
    assert [start.due_s for start in starts] == sorted(start.due_s for start in starts)


def test_a_pause_and_what_follows() -> None:
    arrivals = Arrivals(Profile.constant(1.0, 10.0))
    arrivals.take(1.5)
    arrivals.pause(1.5)
    arrivals.pause(2.5)
    assert (arrivals.next_at_s, arrivals.take(4.0)) == (math.inf, [])
    assert not arrivals.is_over(4.0)
    arrivals.resume(4.0)
    arrivals.resume(5.0)
    assert [start.due_s for start in all_of(arrivals)] == [4.5, 5.5, 6.5, 7.5, 8.5, 9.5]


@pytest.mark.parametrize("spacing", ["constant", "poisson"])
def test_who_takes_over_leaves_out_what_was_due_before(spacing: Spacing) -> None:
    share = Profile.constant(10.0, 5.0).scaled(Share(1, 2))
    whole = all_of(Arrivals(share, spacing=spacing, count=40))
    arrivals = Arrivals(share, spacing=spacing, count=40)
    assert arrivals.skip(2.0) == sum(start.due_s < 2.0 for start in whole) > 0
    assert all_of(arrivals) == [start for start in whole if start.due_s >= 2.0] != []


@pytest.mark.parametrize("spacing", ["constant", "poisson"])
@pytest.mark.parametrize("per_s", [30.0, 2.0])
def test_who_takes_over_goes_on_at_the_number_that_was_reached(spacing: Spacing, per_s: float) -> None:
    """Whatever the rate was since, no number is given twice, none is left out, and the rate is what is asked for."""
    share = Profile.constant(10.0, 30.0).scaled(Share(1, 2))
    lost = Arrivals(share, spacing=spacing)
    lost.set_rate(per_s, 1.0)
    before = lost.take(5.0)
    heirs = [Arrivals(share.scaled(Share(number, 2)), spacing=spacing) for number in range(2)]
    for heir in heirs:
        heir.skip(5.0, lost.next_number)
        heir.set_rate(per_s, 5.0)
    after = [start for heir in heirs for start in all_of(heir)]

    numbers = sorted(start.number for start in [*before, *after])
    assert len(numbers) == len(set(numbers))
    for heir in heirs:
        own = [start.number for start in after if start.number % 4 == heir.profile.share.index]
        assert own == list(range(own[0], own[-1] + 1, 4))
        assert own[0] - before[-1].number <= 4
    assert min(start.due_s for start in after) >= 5.0
    if spacing == "constant":
        assert len(after) == pytest.approx(25 * per_s / 2, abs=2)


def test_of_a_count_whoever_takes_over_gives_the_rest() -> None:
    share = Profile.constant(10.0).scaled(Share(0, 2))
    lost = Arrivals(share, count=100)
    lost.set_rate(50.0, 0.0)
    before = lost.take(1.0)
    heir = Arrivals(share, count=100)
    heir.skip(1.0, lost.next_number)

    assert [start.number for start in [*before, *all_of(heir)]] == list(range(0, 100, 2))
    assert heir.is_over(1e9)


def test_late_starts_of_a_long_load_are_where_they_should_be() -> None:
    arrivals = Arrivals(Profile.constant(1000 / 3))
    arrivals.skip(30_000.0)
    assert arrivals.begun == 10_000_000
    assert arrivals.take(30_000.0) == [Start(10_000_000, 30_000.0)]


# Poisson


def test_poisson_has_the_rates_mean_and_variance() -> None:
    starts = all_of(Arrivals(Profile.constant(50.0, 400.0), spacing="poisson", seed=11))
    in_each_second = Counter(int(start.due_s) for start in starts)
    counts = [in_each_second[second] for second in range(400)]
    # 400 samples of a Poisson distribution of mean and variance 50: four standard errors of each.
    assert fmean(counts) == pytest.approx(50.0, abs=4 * math.sqrt(50 / 400))
    assert pvariance(counts) == pytest.approx(50.0, abs=4 * 50 * math.sqrt(2 / 400))
    gaps = [later.due_s - sooner.due_s for sooner, later in pairwise(starts)]
    assert fmean(gaps) == pytest.approx(1 / 50, rel=0.03)
    assert pvariance(gaps) == pytest.approx(1 / 2500, rel=0.06)
    assert sum(gap > 1 / 50 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.015)


def test_poisson_follows_the_profile() -> None:
    profile = Profile(parse_stages("0..100/s in 100s, 0 for 10s, 20/s for 50s").stages)
    starts = all_of(Arrivals(profile, spacing="poisson", seed=5))
    for begin_s, end_s in [(0, 50), (50, 100), (110, 160)]:
        wanted = profile.due(end_s) - profile.due(begin_s)
        got = sum(begin_s <= start.due_s < end_s for start in starts)
        assert got == pytest.approx(wanted, abs=4 * math.sqrt(wanted))
    assert not [start for start in starts if 100 <= start.due_s < 110]


def test_the_union_of_shares_is_poisson_with_the_wholes_rate() -> None:
    profile = Profile.constant(50.0, 400.0)
    shared = [Arrivals(profile.scaled(Share(index, 4)), spacing="poisson", seed=3) for index in range(4)]
    streams = [[start.due_s for start in all_of(arrivals)] for arrivals in shared]
    assert not set(streams[0]) & set(streams[1])  # each draws its own
    in_each_second = Counter(int(due_s) for stream in streams for due_s in stream)
    counts = [in_each_second[second] for second in range(400)]
    assert fmean(counts) == pytest.approx(50.0, abs=4 * math.sqrt(50 / 400))
    assert pvariance(counts) == pytest.approx(50.0, abs=4 * 50 * math.sqrt(2 / 400))


def test_poisson_of_a_seed_is_always_the_same_however_it_is_asked() -> None:
    profile = Profile.constant(20.0, 10.0)

    def drawn(seed: int, stream: str = "") -> list[Start]:
        return all_of(Arrivals(profile, spacing="poisson", seed=seed, stream=stream))

    slowly = Arrivals(profile, spacing="poisson", seed=1)
    assert [start for now in range(101) for start in slowly.take(now / 10)] == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1) != drawn(1, "another part")


@given(shares(), st.integers(0, 50))
def test_exactly_so_many_at_random(every: list[Share], count: int) -> None:
    profile = Profile.constant(20.0)
    ours = [Arrivals(profile.scaled(share), spacing="poisson", count=count) for share in every]
    assert sorted(start.number for each in ours for start in all_of(each)) == list(range(count))


# Users


class Desk:
    """Users whose conversations take `takes_s`, driven from moment to moment."""

    def __init__(self, users: Users, takes_s: float) -> None:
        self.users = users
        self.takes_s = takes_s
        self.starts: list[Start] = []
        self.most_live = 0
        self._live: list[tuple[float, Start]] = []

    def until(self, end_s: float) -> list[Start]:
        """All starts up to that moment."""
        while True:
            now_s = min([self.users.next_at_s, *(end for end, _ in self._live)])
            if now_s > end_s:
                return self.starts
            for end, start in [each for each in self._live if each[0] <= now_s]:
                self._live.remove((end, start))
                self.users.ended(start, end)
            begun = self.users.take(now_s)
            self.starts += begun
            self._live += [(now_s + self.takes_s, start) for start in begun]
            self.most_live = max(self.most_live, len(self._live))


def test_users_go_on_after_a_pause() -> None:
    desk = Desk(Users(Profile.constant(2.0, 10.0), pause=Span(1.0, 1.0)), takes_s=2.0)
    assert desk.until(7.0) == [
        Start(0, 0.0, 0),
        Start(1, 0.0, 1),
        Start(2, 3.0, 0),
        Start(3, 3.0, 1),
        Start(4, 6.0, 0),
        Start(5, 6.0, 1),
    ]
    assert not desk.users.is_over(7.0)
    desk.until(20.0)
    assert (desk.users.begun, desk.users.wanted, desk.users.is_over(10.0)) == (8, 0, True)


def test_a_pause_is_drawn_between_its_least_and_most() -> None:
    def moments(seed: int) -> list[float]:
        users = Users(Profile.constant(3.0, 300.0), pause=Span(1.0, 3.0), seed=seed)
        return [start.due_s for start in Desk(users, takes_s=1.0).until(300.0)]

    desk = Desk(Users(Profile.constant(1.0, 1000.0), pause=Span(1.0, 3.0), seed=1), takes_s=1.0)
    due_s = [start.due_s for start in desk.until(1000.0)]
    pauses = [later - sooner - 1.0 for sooner, later in pairwise(due_s)]
    assert 1.0 <= min(pauses) < 1.1
    assert 2.9 < max(pauses) <= 3.0
    assert fmean(pauses) == pytest.approx(2.0, abs=0.15)
    assert moments(1) == moments(1) != moments(2)


def test_users_come_one_by_one_on_a_ramp_and_leave_when_they_have_ended() -> None:
    profile = Profile(parse_stages("0..3 in 3s, 3 for 2s, 0 in 3s").stages)
    desk = Desk(Users(profile, pause=NO_PAUSE), takes_s=1.5)
    starts = desk.until(20.0)
    assert [(start.due_s, start.user) for start in starts if start.user == 2] == [(2.0, 2), (3.5, 2), (5.0, 2)]
    assert [start.due_s for start in starts if start.user == 0] == [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]
    assert desk.most_live == 3


def test_a_start_that_is_given_late_was_due_when_its_user_was_wanted() -> None:
    users = Users(Profile(parse_stages("0..4 in 4s").stages), pause=NO_PAUSE)
    assert users.next_at_s == 0.0
    assert [start.due_s for start in users.take(3.5)] == [0.0, 1.0, 2.0, 3.0]


def test_more_and_fewer_users_while_it_runs() -> None:
    users = Users(Profile.constant(2.0, 100.0), pause=Span(1.0, 1.0))
    first, second = users.take(0.0)
    users.set_users(3, 5.0)
    assert [(start.due_s, start.user) for start in users.take(5.0)] == [(5.0, 2)]
    users.set_users(3, 5.0)
    users.set_users(3, 6.0)
    assert users.take(6.0) == []
    users.set_users(1, 7.0)
    users.ended(first, 8.0)
    users.ended(second, 8.0)
    assert [(start.due_s, start.user) for start in users.take(20.0)] == [(9.0, 0)]  # the second is not wanted any more
    users.set_users(2, 21.0)
    # It comes back; the third has not ended its first one yet.
    assert [(start.due_s, start.user) for start in users.take(21.0)] == [(21.0, 1)]
    assert users.wanted == 2
    assert users.profile.at(50.0) == 2.0


def test_a_change_that_is_told_late_is_due_from_when_it_was_to_be() -> None:
    users = Users(Profile.constant(1.0, 100.0), pause=NO_PAUSE)
    users.take(10.0)
    users.set_users(2, 9.5)
    assert [(start.due_s, start.user) for start in users.take(10.1)] == [(9.5, 1)]
    users.set_users(4, 20.0)
    assert users.next_at_s == 20.0
    assert len(users.take(20.0)) == 2


def test_nobody_begins_in_a_pause_of_the_load() -> None:
    users = Users(Profile.constant(2.0, 100.0), pause=Span(1.0, 1.0))
    starts = users.take(0.0)
    users.pause(0.5)
    users.pause(0.6)
    for start in starts:
        users.ended(start, 1.0)
    assert users.take(5.0) == []
    assert not users.is_over(5.0)
    users.resume(6.0)
    users.resume(7.0)
    assert [(start.due_s, start.user) for start in users.take(6.0)] == [(6.0, 0), (6.0, 1)]


def test_an_end_that_is_told_twice_counts_once() -> None:
    users = Users(Profile.constant(1.0, 100.0), pause=NO_PAUSE)
    [start] = users.take(0.0)
    users.ended(start, 1.0)
    users.ended(start, 1.0)
    assert len(users.take(2.0)) == 1
    users.ended(start, 3.0)
    assert users.take(4.0) == []


@given(users_profiles(), shares(), st.floats(0.5, 20))
def test_the_shares_users_are_together_the_wholes(profile: Profile, every: list[Share], takes_s: float) -> None:
    whole = Desk(Users(profile, pause=NO_PAUSE), takes_s)
    ours = [Desk(Users(profile.scaled(share), pause=NO_PAUSE), takes_s) for share in every]
    due_s = sorted(start.due_s for desk in ours for start in desk.until(200.0))
    assert due_s == pytest.approx(sorted(start.due_s for start in whole.until(200.0)))
    numbers = [start.number for desk in ours for start in desk.starts]
    assert len(numbers) == len(set(numbers))


@given(st.integers(1, 9), shares(), st.integers(0, 40))
def test_exactly_so_many_by_users(users: int, every: list[Share], count: int) -> None:
    profile = Profile.constant(users)
    desks = [Desk(Users(profile.scaled(share), pause=NO_PAUSE, count=count), 1.0) for share in every]
    numbers = [start.number for desk in desks for start in desk.until(1000.0)]
    assert sorted(numbers) == list(range(count))
    # Nobody waits for a share that has more to do for each of its users.
    assert (
        max((start.due_s for desk in desks for start in desk.starts), default=0.0) < math.ceil(count / users)
        or not count
    )
    assert all(desk.users.is_over(1000.0) for desk in desks)


def test_who_takes_over_users_goes_on_from_that_moment() -> None:
    share = Profile.constant(4.0, 100.0).scaled(Share(1, 2))
    users = Users(share, pause=NO_PAUSE)
    users.skip(50.0, reached=61)
    assert users.take(50.0) == [Start(61, 50.0, 0), Start(63, 50.0, 1)]
    assert users.take(100.0) == []
    assert users.is_over(100.0)


@given(st.integers(1, 9), st.integers(1, 3), st.integers(0, 40), st.integers(1, 4), st.data())
def test_who_takes_over_users_gives_the_rest_of_a_count(
    users: int, of: int, count: int, heirs: int, data: st.DataObject
) -> None:
    profile = Profile.constant(users).scaled(Share(data.draw(st.integers(0, of - 1)), of))
    lost = Desk(Users(profile, pause=NO_PAUSE, count=count), 1.0)
    before = lost.until(data.draw(st.floats(0.0, 10.0)))
    reached = lost.users.next_number if before else 0
    numbers = [start.number for start in before]
    for number in range(heirs):
        heir = Users(profile.scaled(Share(number, heirs)), pause=NO_PAUSE, count=count)
        heir.skip(10.0, reached)
        numbers += [start.number for start in Desk(heir, 1.0).until(1000.0)]

    assert sorted(numbers) == [
        start.number for start in Desk(Users(profile, pause=NO_PAUSE, count=count), 1.0).until(1e3)
    ]

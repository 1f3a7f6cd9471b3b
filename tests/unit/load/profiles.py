"""Profiles of any shape, for the tests of what is made of them."""

from __future__ import annotations

from hypothesis import strategies as st

from antiphon.load.profile import Profile
from antiphon.load.shares import Share
from antiphon.load.stages import Stage

__all__ = ["profiles", "shares", "users_profiles"]

levels = st.one_of(st.just(0.0), st.integers(1, 50).map(float), st.floats(0.01, 50.0))
durations = st.one_of(st.integers(1, 100).map(float), st.floats(0.01, 100.0))


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Rates of at most 50/s, over some minutes."""
    stages = draw(st.lists(st.builds(Stage, levels, levels, durations) | holds(), min_size=1, max_size=5))
    return Profile(stages)


def holds() -> st.SearchStrategy[Stage]:
    return st.builds(lambda level, took_s: Stage(level, level, took_s), levels, durations)


@st.composite
def users_profiles(draw: st.DrawFn) -> Profile:
    """At most 9 users, over some minutes."""
    whole = st.integers(0, 9).map(float)
    return Profile(draw(st.lists(st.builds(Stage, whole, whole, durations), min_size=1, max_size=5)))


@st.composite
def shares(draw: st.DrawFn) -> list[Share]:
    """All shares of a load."""
    of = draw(st.integers(1, 7))
    return [Share(index, of) for index in range(of)]

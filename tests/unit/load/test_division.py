"""The time of a step, divided over what it awaited."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.load.division import OTHERS, Division, divide

WAITS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.integers(0, 20)), max_size=12)


def divided(waits: list[tuple[str, int, int]]) -> dict[str, int]:
    return {name: gained for name, gained in (divide(waits) if waits else {}).items() if gained}


def moment_by_moment(waits: list[tuple[str, int, int]]) -> dict[str, int]:
    """Each moment is that of the wait under way which is settled first."""
    gained: dict[str, int] = {}
    for moment in range(100):
        owner = next((name for name, made, settled in waits if made <= moment < settled), None)
        if owner is not None:
            gained[owner] = gained.get(owner, 0) + 1
    return gained


@given(WAITS)
def test_each_moment_is_that_of_the_wait_that_is_settled_next(given_waits: list[tuple[str, int, int]]) -> None:
    waits = sorted(((name, made, made + took) for name, made, took in given_waits), key=lambda wait: wait[2])
    assert divided(waits) == moment_by_moment(waits)


def test_of_many_waits_it_remembers_few_and_still_gives_each_its_own() -> None:
    division = Division()
    for number in range(10_000):
        division.add("call", 10 * number, 10 * number + 3)
    division.add("end", 0, 100_000)
    assert len(division._spans) <= 256
    assert division.gained_ns == {"call": 30_000, "end": 70_000}


def test_ever_new_names_are_others() -> None:
    division = Division()
    for number in range(1_000):
        division.add(f"call-{number}", number, number + 1)
    assert len(division.gained_ns) == 101
    assert division.gained_ns[OTHERS] == 900

"""Shares of a load: together they are the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ScenarioError
from antiphon.load.shares import WHOLE, Numbering, Share


def test_a_share_is_written_as_people_count() -> None:
    assert Share.parse(" 2/8 ") == Share.numbered(2, 8) == Share(1, 8)
    assert str(Share(1, 8)) == "2/8"
    assert str(WHOLE) == "1/1"


@pytest.mark.parametrize("text", ["0/8", "9/8", "2", "2/", "a/b", "-1/2", "1/1/1", ""])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ScenarioError, match="share") as raised:
        Share.parse(text)
    assert raised.value.hint == "K/N, K from 1 to N: 2/8 is the second of eight"


@pytest.mark.parametrize("given", [(1.0, 2), (True, 2), (1, "2")])
def test_a_share_has_whole_numbers(given: Any) -> None:
    with pytest.raises(ScenarioError):
        Share.numbered(*given)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 100))
def test_a_processs_share_of_its_machines(machines: int, processes: int, total: int) -> None:
    ours = [
        Share(process, processes).within(Share(machine, machines))
        for machine in range(machines)
        for process in range(processes)
    ]
    assert sorted(number for share in ours for number in range(total)[share.index :: share.of]) == list(range(total))
    assert sum(share.how_many(total) for share in ours) == total


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 60))
def test_numbers_are_dealt_to_all_shares_and_none_twice(of: int, width: int, total: int) -> None:
    dealt: list[int] = []
    for index in range(of):
        numbering = Numbering(Share(index, of), width)
        many = numbering.how_many(total)
        own = [numbering.number(nth) for nth in range(many)]
        assert own == sorted(own)
        assert many == 0 or many <= -(-total // width) * numbering.seats
        dealt += own
    assert sorted(dealt) == list(range(total))

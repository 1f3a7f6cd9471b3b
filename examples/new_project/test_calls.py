"""The scenario as a test: `pytest`."""

import pytest
from calls import greet

from antiphon import RequestRefused
from antiphon.pytest import Play


def test_greet(play: Play) -> None:
    run = play(greet)

    assert run.operator.state == "break"  # what the actor learnt last


def test_no_such_state(play: Play) -> None:
    with pytest.raises(RequestRefused) as refused:
        play(greet, state="asleep")

    assert refused.value.message["code"]

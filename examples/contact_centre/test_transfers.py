"""Calls that go from one desk to another, as tests: `pytest test_transfers.py`."""

from typing import Any

import pytest
from transfers import blind, change_of_mind, consult

from antiphon import Scenario
from antiphon.pytest import Play


def test_consult(play: Play) -> None:
    run = play(consult)

    assert run.value["users"] == [run.alice.user.name, run.bob.user.name]
    assert run.value["disposition"] == "resolved"  # that of bob, who has the customer at the end


@pytest.mark.parametrize("scenario", [blind, change_of_mind], ids=lambda scenario: scenario.name)
def test_both_have_the_same_contact(play: Play, scenario: Scenario[..., Any]) -> None:
    run = play(scenario, strict=True)

    assert run.alice.interaction_id == run.bob.interaction_id
    assert run.alice.workitem_id != run.bob.workitem_id

"""The same scenarios as tests: `pytest test_calls.py`."""

import pytest
from calls import on_hold, outgoing

from antiphon import RequestRefused
from antiphon.pytest import Play


def test_outgoing(play: Play) -> None:
    run = play(outgoing, telephone="890000002", talk_s=0.1)

    assert run.operator.interaction_id
    assert run.returned["record"]["state"] == "finished"
    assert run.returned["record"]["disposition"] == "resolved"


def test_hold_is_in_the_record(play: Play) -> None:
    run = play(on_hold, hold_s=0.2)

    assert run.value > 0.19  # never less, but for what the centre rounds; more on a busy machine


def test_a_busy_customer(play: Play) -> None:
    with pytest.raises(RequestRefused) as refused:
        play(outgoing, telephone="busy")

    assert refused.value.message["code"] == "busy"

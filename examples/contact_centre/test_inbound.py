"""Calls that come in, as tests: `pytest test_inbound.py`."""

import pytest
from inbound import impatient, long_case

from antiphon.pytest import Play


def test_long_case(play: Play) -> None:
    run = play(long_case, telephone="89161234567", rings_s=0.1)

    assert run.operator.interaction_id == run.customer.interaction_id
    assert run.returned["caller"] == "Ada"
    assert run.returned["during"]["state"] == "connected"
    assert [entry["state"] for entry in run.returned["record"]["states"]] == [
        *("queued", "offered", "accepted", "connected"),
        *("connected", "connected"),  # muted, and not any longer
        *("held", "connected", "wrapUp", "finished"),
    ]


@pytest.mark.parametrize("patience_s", [0.0, 0.1])
def test_impatient(play: Play, patience_s: float) -> None:
    run = play(impatient, patience_s=patience_s, strict=True)

    assert run.operator.interaction_id == run.customer.interaction_id

"""The options of a centre: faults that it can have."""

from __future__ import annotations

import pytest

from antiphon import ScenarioError
from antiphon_testbed import ContactCentre, Fault, Missing


@pytest.mark.parametrize("given", [None, 5, Fault("ping"), ("late", "ping")])
def test_what_is_no_fault(given: object) -> None:
    with pytest.raises(ScenarioError, match="which is no fault"):
        ContactCentre(faults=[given])  # type: ignore[list-item]


def test_a_fault_for_a_user_whom_the_centre_does_not_have() -> None:
    with pytest.raises(ScenarioError, match="'mallory', whom the centre does not have"):
        ContactCentre(faults=[Missing("ping", user=("alice", "mallory"))])
    ContactCentre(users=3, faults=[Missing("ping", user="user0003")])

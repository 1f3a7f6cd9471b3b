"""Faults as values: what cannot be."""

from __future__ import annotations

import pytest

from antiphon import ScenarioError
from antiphon_testbed import Late, Missing, WrongField


def test_values_that_cannot_be() -> None:
    with pytest.raises(ScenarioError, match="has no JSON form"):
        WrongField("ping", "seq", object())
    with pytest.raises(ScenarioError, match="where is 5"):
        Missing("ping", where=5)  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="nth is True"):
        Missing("ping", nth=True)
    with pytest.raises(ScenarioError, match="seconds is '2'"):
        Late("ping", "2")  # type: ignore[arg-type]

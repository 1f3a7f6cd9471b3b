"""Scenarios as pytest tests: what the fixtures `play`, `perform` and `play_load` are, for annotations."""

from antiphon.pytest.plugin import Perform, Play, PlayLoad

__all__ = ["Perform", "Play", "PlayLoad"]

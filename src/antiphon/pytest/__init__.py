"""Scenarios as pytest tests: what the fixtures `play` and `perform` are, for annotations."""

from antiphon.pytest.plugin import Perform, Play

__all__ = ["Perform", "Play"]

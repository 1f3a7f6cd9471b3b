"""What exporters know of the load that they watch: its figures."""

from __future__ import annotations

from typing import Protocol

from antiphon.report.load.figures import LoadFigures

__all__ = ["Watched"]


class Watched(Protocol):
    """Whoever drives the load; its `figures` have each entry before a watcher sees it."""

    @property
    def figures(self) -> LoadFigures:
        """What is known of the load so far."""
        ...

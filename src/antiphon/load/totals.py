"""What thresholds look at, made of what was recorded: a whole load, or one interval of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.journal.figures import PartFigures, Second
from antiphon.report.load.figures import Cause, LoadFigures
from antiphon.report.load.timeline import Measurement, Point

__all__ = ["Interval", "Totals"]


class Totals:
    """A load, as `antiphon.load.measured.Figures`; rates are of the time in which conversations were asked for."""

    def __init__(self, figures: LoadFigures) -> None:
        self.took_s = figures.asking_ns / 1e9
        self.parts: Mapping[str, PartFigures] = figures.parts
        self.series: Mapping[str, Measurement] = figures.series
        self.causes: Mapping[Any, Cause] = dict(enumerate(figures.causes))


class Interval:
    """The same of one interval; `point` is what has been made of it."""

    def __init__(self, second: Second, point: Point) -> None:
        self.took_s = (second.at_ns - second.from_ns) / 1e9
        self.parts: Mapping[str, PartFigures] = second.parts
        self.series: Mapping[str, Measurement] = point.series
        self.causes = dict(enumerate(second.causes))

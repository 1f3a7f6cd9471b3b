"""A load as `load.html`: one page with everything in it, made as the trace of a run is made.

The page has the summary and how the load went over time as JSON; what it shows, it draws in the browser. Histograms are
merged and cut here: the page has percentiles of at most 600 points, and curves of some fifty.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import quote

import msgspec

from antiphon.conversation.wording import visible
from antiphon.errors import RecordingError
from antiphon.journal.figures import GeneratorFigures, PartFigures
from antiphon.journal.file import FILE_NAME
from antiphon.journal.histogram import Histogram
from antiphon.report.formats.html.page import harmless_json, page
from antiphon.report.formats.html.trace import TRACE_NAME, write_trace
from antiphon.report.load.figures import LoadFigures
from antiphon.report.load.summary import LoadSummary
from antiphon.report.load.timeline import Measurement, Point

__all__ = ["PAGE_NAME", "page_data", "write_page"]

PAGE_NAME: Final = "load.html"

BARS: Final = 48
"""A histogram is shown in so many bars, each as much longer than the one before."""

_STYLES: Final = ("colours.css", "load.css")
_SCRIPTS: Final = ("words.js", "theme.js", "figures.js", "chart.js", "curves.js", "tables.js", "load.js")
_CURVE: Final = (
    *range(0, 90, 5),
    *(90, 92.5, 95, 96, 97, 97.5, 98, 98.5, 99, 99.25, 99.5, 99.75, 99.9, 99.95, 99.99, 99.995, 99.999),
)


def write_page(figures: LoadFigures, summary: LoadSummary, file: TextIO, folder: Path) -> None:
    """Write the page into a file that lies in `folder`, from where it links to what was kept."""
    before_title, before_data, after_data = page(PAGE_NAME, _STYLES, _SCRIPTS)
    file.write(before_title)
    file.write(html.escape(f"{summary.verdict}: {visible(summary.name)}"))
    file.write(before_data)
    file.write('<script type="application/json" id="data">')
    file.write(harmless_json(msgspec.json.encode(page_data(figures, summary, folder))))
    file.write("</script>\n")
    file.write(after_data)


def page_data(figures: LoadFigures, summary: LoadSummary, folder: Path) -> dict[str, Any]:
    """What the page is given: the summary, and of each point of time and each series what is drawn."""
    points = figures.points
    return {
        "summary": summary,
        "times": {"from_s": [point.from_ns / 1e9 for point in points], "to_s": [point.at_ns / 1e9 for point in points]},
        "parts": {name: _part_over_time(points, name) for name in figures.parts},
        "series": {each.name: _series_over_time(points, each.name) for each in summary.series},
        "curves": {each.name: _curves(figures.series[each.name]) for each in summary.series},
        "causes": [[point.causes[cause.part, cause.error, cause.text] for point in points] for cause in summary.causes],
        "traffic": _traffic_over_time(points),
        "generators": {str(each): _generator_over_time(points, each) for each in sorted(figures.generators)},
        "links": {kept.conversation: _link(figures.directory, kept.directory, folder) for kept in figures.kept},
    }


def _part_over_time(points: Sequence[Point], name: str) -> dict[str, list[Any]]:
    def of(figure: Callable[[PartFigures], float], *, per_s: bool = False) -> list[Any]:
        return [
            None if name not in point.parts else _short(figure(point.parts[name]), point if per_s else None)
            for point in points
        ]

    return {
        "asked": of(lambda part: part.asked),
        "live": of(lambda part: part.live),
        "due": of(lambda part: part.due, per_s=True),
        "started": of(lambda part: part.started, per_s=True),
        "passed": of(lambda part: part.passed, per_s=True),
        "failed": of(lambda part: part.failed, per_s=True),
        "late": of(lambda part: part.late),
    }


def _series_over_time(points: Sequence[Point], name: str) -> dict[str, list[Any]]:
    """Milliseconds, and counts a second; nothing where nothing was measured."""
    over: dict[str, list[Any]] = {what: [] for what in ("p50", "p95", "p99", "max", "per_s", "errors")}
    for point in points:
        measured = point.series.get(name)
        if measured is None:
            row: Iterable[Any] = (None, None, None, None, 0, 0)
        else:
            longest_us = measured.histogram.max_us
            times = [min(us, longest_us) for us in measured.histogram.percentiles((50, 95, 99))]
            row = (
                *(_short(us / 1000) for us in (*times, longest_us)),
                _short(measured.histogram.count, point),
                _short(measured.errors, point),
            )
        for values, value in zip(over.values(), row, strict=True):
            values.append(value)
    return over


def _curves(measured: Measurement) -> dict[str, Any]:
    """The bars of the histogram as `[from_ms, to_ms, count]`, and the curve of percentiles as `[percent, ms]`."""
    histogram = measured.histogram
    return {"bars": _bars(histogram), "percentiles": _percentiles(histogram)}


def _bars(histogram: Histogram) -> list[tuple[float, float, int]]:
    """As many bars as there are values to tell apart, up to BARS."""
    if not histogram.count:
        return []
    least, most = math.log(histogram.min_us), math.log(histogram.max_us + 1)
    width = max((most - least) / BARS, 1e-9)
    counts: dict[int, int] = {}
    for us, count in histogram:
        bar = min(max(int((math.log(us) - least) / width), 0), BARS - 1)
        counts[bar] = counts.get(bar, 0) + count
    edges = [_short(math.exp(least + bar * width) / 1000) for bar in range(BARS + 1)]
    return [(edges[bar], edges[bar + 1], counts.get(bar, 0)) for bar in range(BARS)]


def _percentiles(histogram: Histogram) -> list[tuple[float, float]]:
    """Up to where a single one lies beyond, and the longest at the end."""
    count = histogram.count
    told = [percent for percent in _CURVE if count * (100 - percent) >= 100]
    values = [min(us, histogram.max_us) for us in histogram.percentiles(told)]
    last = [(100 * (1 - 1 / (2 * count)), histogram.max_us / 1000)] if count else []
    return [*((percent, _short(us / 1000)) for percent, us in zip(told, values, strict=True)), *last]


def _traffic_over_time(points: Sequence[Point]) -> dict[str, list[Any]]:
    names = ("sent", "received", "sent_bytes", "received_bytes")
    return {name: [_short(getattr(point.traffic, name), point) for point in points] for name in names}


def _generator_over_time(points: Sequence[Point], process: int) -> dict[str, list[Any]]:
    def of(figure: Callable[[GeneratorFigures], float]) -> list[Any]:
        found = (point.generators.get(process) for point in points)
        return [None if figures is None else _short(figure(figures)) for figures in found]

    return {
        "cpu": of(lambda figures: 100 * figures.cpu_s / figures.wall_s if figures.wall_s else 0.0),
        "lag_ms": of(lambda figures: figures.lag_ms),
        "late_ms": of(lambda figures: figures.late_us / 1000),
        "rss_mib": of(lambda figures: figures.rss_kib / 1024),
    }


def _link(load: Path, kept: str, folder: Path) -> str:
    """The trace of a conversation that was kept, as an address relative to the page; "" if there is none.

    It is made if it is not there yet: during a load nobody looks at one.
    """
    try:
        directory = (load / kept).resolve()
        trace = directory / TRACE_NAME
        if not directory.is_relative_to(load.resolve()):
            return ""
        if not trace.is_file() and (directory / FILE_NAME).is_file():
            write_trace(directory)
        address = quote(Path(os.path.relpath(trace, folder.resolve())).as_posix())
        return f"./{address}" if trace.is_file() else ""
    except (RecordingError, OSError, ValueError):  # damaged; no path at all; on another drive of Windows
        return ""


def _short(value: float, point: Point | None = None) -> float:
    """A number for a chart, with four digits; with a point it is that many a second."""
    if point is not None:
        value = value / (point.wall_ns / 1e9) if point.wall_ns else 0.0
    return value if isinstance(value, int) else float(f"{value:.4g}")

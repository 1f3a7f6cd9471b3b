"""`seconds.csv`: a load second by second, for a spreadsheet or a notebook.

A row is one thing in one interval of the record: a part (`kind` "part"), or a series. Columns that it does not have are
empty. The record is read again for it, interval by interval, so it takes no memory however long the load was.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

from antiphon.journal.figures import PartFigures, Second, SeriesFigures
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LoadRecord
from antiphon.report.load.cells import harmless

__all__ = ["SECONDS_NAME", "write_seconds"]

SECONDS_NAME: Final = "seconds.csv"

_PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0, 99.9)
_COLUMNS: Final = (
    *("from_s", "to_s", "name", "kind", "asked", "due", "started", "late", "passed", "failed", "interrupted"),
    *("dropped", "live", "count", "errors", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms"),
)


def write_seconds(entries: Iterable[LoadRecord], file: TextIO) -> None:
    """Write the rows of a load's entries (RFC 4180, but that lines end with LF)."""
    writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        if isinstance(entry, Second):
            times = {"from_s": f"{entry.from_ns / 1e9:.3f}", "to_s": f"{entry.at_ns / 1e9:.3f}"}
            writer.writerows(times | row for row in _rows(entry))


def _rows(second: Second) -> Iterator[dict[str, Any]]:
    for name, part in second.parts.items():
        yield {"name": harmless(name), "kind": "part"} | _of_part(part)
    for name, series in second.series.items():
        yield {"name": harmless(name), "kind": series.kind} | _of_series(series)


def _of_part(part: PartFigures) -> dict[str, Any]:
    names = ("due", "started", "late", "passed", "failed", "interrupted", "dropped", "live")
    return {"asked": f"{part.asked:.10g}"} | {name: getattr(part, name) for name in names}


def _of_series(series: SeriesFigures) -> dict[str, Any]:
    histogram = Histogram.of(series.count, series.min_us, series.max_us, series.sum_us, series.blob)
    p50, p90, p95, p99, p999 = (f"{min(us, series.max_us) / 1000:.3f}" for us in histogram.percentiles(_PERCENTILES))
    mean = f"{series.sum_us / series.count / 1000:.3f}" if series.count else ""
    times = {"mean_ms": mean, "p50_ms": p50, "p90_ms": p90, "p95_ms": p95, "p99_ms": p99, "p999_ms": p999}
    return {"count": series.count, "errors": series.errors, "max_ms": f"{series.max_us / 1000:.3f}"} | times

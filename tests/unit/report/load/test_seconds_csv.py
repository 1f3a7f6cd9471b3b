"""`seconds.csv`: a load interval by interval."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from load_records import LoadBook

from antiphon.journal.figures import Second, SeriesFigures
from antiphon.journal.histogram import Histogram
from antiphon.report.load.seconds_csv import write_seconds


def rows(entries: list[Any]) -> list[dict[str, str]]:
    file = StringIO()
    write_seconds(entries, file)
    return list(csv.DictReader(StringIO(file.getvalue())))


def test_each_interval_has_a_row_for_each_part_and_series() -> None:
    book = LoadBook(seconds=10)
    told = rows(book.entries())
    seconds = [entry for entry in book.entries() if isinstance(entry, Second)]
    assert len(told) == sum(len(entry.parts) + len(entry.series) for entry in seconds)
    begun = [row for row in told if row["kind"] == "part" and row["name"] == "outgoing"]
    assert sum(int(row["started"]) for row in begun) == book.totals["outgoing"].started
    assert (begun[3]["from_s"], begun[3]["to_s"], begun[3]["asked"]) == ("3.000", "4.000", "20")
    assert begun[3]["count"] == begun[3]["p50_ms"] == ""
    calls = [row for row in told if row["name"] == "outgoing/outbound_call"]
    assert sum(int(row["count"]) for row in calls) == len(book.durations["outgoing/outbound_call"])
    assert max(float(row["max_ms"]) for row in calls) == max(book.durations["outgoing/outbound_call"]) / 1000
    assert all(float(row["p50_ms"]) <= float(row["p999_ms"]) <= float(row["max_ms"]) for row in calls)
    assert calls[0]["started"] == ""


def test_a_name_is_no_formula_and_breaks_no_row() -> None:
    histogram = Histogram()
    histogram.record(812)
    measured = SeriesFigures("step", 1, 812, 812, 812, histogram.to_blob())
    names = ["=cmd|' /C calc'!A1", 'one, "two"\nthree']
    told = rows([Second(at_ns=10**9, from_ns=0, series=dict.fromkeys(names, measured))])
    assert [row["name"] for row in told] == ["'=cmd|' /C calc'!A1", 'one, "two"\nthree']
    assert [row["mean_ms"] for row in told] == ["0.812", "0.812"]

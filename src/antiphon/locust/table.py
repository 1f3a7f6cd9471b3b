"""What was measured as rows of Locust's own table, charts and files: a view with two digits; the record has all."""

from __future__ import annotations

import math
from typing import Any

from locust.stats import RequestStats, StatsError

from antiphon.journal.figures import Second, SeriesFigures
from antiphon.journal.histogram import Histogram

__all__ = ["add_to_table"]


def add_to_table(stats: RequestStats, second: Second, at: float) -> None:
    """Add an interval, whose load began at that moment of the master's clock. "Aggregated" is the conversations."""
    now_s = at + second.at_ns / 1e9
    for name, series in second.series.items():
        rows = [stats.get(name, series.kind)]
        if series.kind == "conversation":
            rows.append(stats.total)
        buckets = _buckets(series)
        for row in rows:
            _add(row, series, buckets, now_s)
    for cause in second.causes:
        method, text = ("step", f"{cause.part}/{cause.step}") if cause.step else ("conversation", cause.part)
        key = StatsError.create_key(method, text, f"{cause.error}: {cause.text}")
        error = stats.errors.setdefault(key, StatsError(method, text, f"{cause.error}: {cause.text}", 0, now_s))
        error.occurrences += cause.count
        error.last_seen = now_s


def _add(row: Any, series: SeriesFigures, buckets: dict[float, int], now_s: float) -> None:
    if not series.count:
        return
    row.num_requests += series.count
    row.num_failures += series.errors
    row.total_response_time += series.sum_us / 1e3
    least_ms, most_ms = series.min_us / 1e3, series.max_us / 1e3
    row.min_response_time = least_ms if row.min_response_time is None else min(row.min_response_time, least_ms)
    row.max_response_time = max(row.max_response_time, most_ms)
    row.num_reqs_per_sec[int(now_s)] += series.count
    if series.errors:
        row.num_fail_per_sec[int(now_s)] += series.errors
    row.last_request_timestamp = now_s
    for value_ms, count in buckets.items():
        row.response_times[value_ms] += count


def _buckets(series: SeriesFigures) -> dict[float, int]:
    """The counters, in milliseconds of two digits, as Locust merges and charts them."""
    buckets: dict[float, int] = {}
    for us, count in Histogram.from_blob(series.blob):
        value_ms = us / 1e3
        value_ms = round(value_ms, 1 - math.floor(math.log10(value_ms)))
        buckets[value_ms] = buckets.get(value_ms, 0) + count
    return buckets

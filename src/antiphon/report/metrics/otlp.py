"""A load's metrics for OpenTelemetry, sent by OTLP over HTTP. Needs the extra `otel`.

Where they go say OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS,
OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, https://opentelemetry.io/docs/specs/otel/protocol/exporter/). The data
points are made of what is accumulated, not by instruments: those would have to be told of each duration.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from antiphon.errors import ScenarioError
from antiphon.journal.figures import LoadStarted, Second
from antiphon.report.metrics.accumulated import Accumulated, Durations, Sample
from antiphon.report.metrics.families import BOUNDS_S, Family
from antiphon.report.metrics.watched import Watched

__all__ = ["OtlpWatcher"]

INTERVAL_S: Final = 10.0
"""How often metrics are sent, unless OTEL_METRIC_EXPORT_INTERVAL says it: a load is shorter than what others watch."""

CUMULATIVE: Final = AggregationTemporality.CUMULATIVE


class OtlpWatcher:
    """Sends the metrics of the load that it watches, from a thread of its own, and at its end once more.

    What cannot be sent does not hold up the load: `error` says that, "" if all was sent. Raises ScenarioError if
    OpenTelemetry's variables cannot be read.
    """

    def __init__(self) -> None:
        # Else what the exporter logs of each failure would stand in the middle of the load's own output.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self.error = ""
        self._interval_s = _interval_s()
        try:
            self._exporter = OTLPMetricExporter()
        except ValueError as error:
            raise ScenarioError(
                f"OpenTelemetry's variables cannot be read: {error}", hint="see the OTEL_… variables"
            ) from error
        self._resource = Resource.get_empty()
        self._accumulated = Accumulated()
        self._watched: Watched | None = None
        self._began_ns = time.time_ns()
        self._is_over = threading.Event()
        # A daemon: a collector that stands still must not keep the process.
        self._thread = threading.Thread(target=self._send_on, name="antiphon metrics", daemon=True)

    def begin(self, watched: Watched, /) -> None:
        """The load is about to begin."""
        self._watched = watched
        self._began_ns = time.time_ns()
        self._resource = _resource(watched.figures.started)
        self._thread.start()

    def see(self, entry: Any, /) -> None:
        """An entry of its record."""
        if isinstance(entry, Second) and self._watched is not None and (point := self._watched.figures.latest):
            self._accumulated.add(entry, point)

    def close(self) -> None:
        """Send what is left. Said again, it does nothing."""
        if self._is_over.is_set():
            return
        self._is_over.set()
        if self._watched is not None:
            self._thread.join()
        self._exporter.shutdown()

    def _send_on(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(self._interval_s)
            self._send()

    def _send(self) -> None:
        try:
            result = self._exporter.export(self._data())
        except Exception as error:
            self.error = f"the metrics could not be sent: {type(error).__name__}: {error}"
        else:
            has_failed = result is not MetricExportResult.SUCCESS
            self.error = "the metrics could not be sent to the OTLP endpoint" if has_failed else ""

    def _data(self) -> MetricsData:
        now_ns = time.time_ns()
        metrics = [
            _metric(family, samples, self._began_ns, now_ns)
            for family, samples in self._accumulated.samples()
            if samples
        ]
        scope = ScopeMetrics(InstrumentationScope("antiphon"), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


def _interval_s() -> float:
    told = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    try:
        interval_s = float(told) / 1e3 if told else INTERVAL_S
    except ValueError:
        interval_s = math.nan
    if not 0 < interval_s < threading.TIMEOUT_MAX:
        raise ScenarioError(
            f"OTEL_METRIC_EXPORT_INTERVAL is {told!r}, no time in milliseconds", hint="10000 is every 10 seconds"
        )
    return interval_s


def _resource(started: LoadStarted | None) -> Resource:
    """Who sends it; what OpenTelemetry's variables say counts more."""
    attributes = {"service.name": "antiphon", "service.instance.id": f"{socket.gethostname()}-{os.getpid()}"}
    if started is not None:
        attributes |= {
            "service.version": started.antiphon,
            "antiphon.load": "+".join(str(part["name"]) for part in started.plan.get("parts", ())),
            "antiphon.stand": started.stand,
        }
        if started.shard:
            attributes["antiphon.shard"] = started.shard
    return Resource(attributes).merge(OTELResourceDetector().detect())


def _metric(family: Family, samples: Sequence[Sample], began_ns: int, now_ns: int) -> Metric:
    if family.kind == "histogram":
        histogram = Histogram([_durations(family, each, began_ns, now_ns) for each in samples], CUMULATIVE)
        return Metric(family.name, family.text, family.unit, histogram)
    points = [_number(family, each, began_ns, now_ns) for each in samples]
    if family.kind == "gauge":
        return Metric(family.name, family.text, family.unit, Gauge(points))
    return Metric(family.name, family.text, family.unit, Sum(points, CUMULATIVE, is_monotonic=True))


def _number(family: Family, sample: Sample, began_ns: int, now_ns: int) -> NumberDataPoint:
    assert not isinstance(sample.value, Durations)
    return NumberDataPoint(_attributes(family, sample), began_ns, now_ns, sample.value)


def _durations(family: Family, sample: Sample, began_ns: int, now_ns: int) -> HistogramDataPoint:
    durations = sample.value
    assert isinstance(durations, Durations)
    return HistogramDataPoint(
        _attributes(family, sample),
        began_ns,
        now_ns,
        durations.count,
        durations.sum_us / 1e6,
        durations.counts,
        BOUNDS_S,
        durations.min_us / 1e6,
        durations.max_us / 1e6,
    )


def _attributes(family: Family, sample: Sample) -> dict[str, str]:
    return dict(zip(family.labels, sample.labels, strict=True))

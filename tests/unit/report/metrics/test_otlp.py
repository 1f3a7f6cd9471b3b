"""What is sent by OTLP of a load, decoded by a collector of a few lines: the same figures as everywhere."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from load_records import KINDS, LoadBook
from load_watching import FakeDirector
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from antiphon.errors import ScenarioError
from antiphon.journal.figures import LoadStarted, Second
from antiphon.report.metrics.families import BOUNDS_S, FAMILIES
from antiphon.report.metrics.otlp import OtlpWatcher


class Collector:
    """Takes what is sent by OTLP, and says OK, or what `status` is."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        self.paths: set[str] = set()
        self.came = threading.Semaphore(0)
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    data = gzip.decompress(data)
                collector.requests.append(ExportMetricsServiceRequest.FromString(data))
                collector.paths.add(self.path)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                collector.came.release()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def resource(self) -> dict[str, str]:
        (resource,) = self.requests[-1].resource_metrics
        return {each.key: each.value.string_value for each in resource.resource.attributes}

    @property
    def metrics(self) -> dict[str, Any]:
        """The last ones, by name."""
        (resource,) = self.requests[-1].resource_metrics
        (scope,) = resource.scope_metrics
        assert scope.scope.name == "antiphon"
        return {metric.name: metric for metric in scope.metrics}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.address)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def book() -> LoadBook:
    return LoadBook(seconds=60)


def labelled(points: Any) -> dict[tuple[str, ...], Any]:
    """The points by the values of their labels, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted((each.key, each.value.string_value) for each in point.attributes)): point
        for point in points
    }


def played(book: LoadBook) -> OtlpWatcher:
    watcher, director = OtlpWatcher(), FakeDirector()
    first, *rest = book.entries()
    assert isinstance(first, LoadStarted)
    director.play(watcher, [first])
    watcher.begin(director)
    director.play(watcher, rest)
    return watcher


def test_the_end_of_a_load_sends_all_that_it_measured(book: LoadBook, collector: Collector) -> None:
    watcher = played(book)
    watcher.close()
    assert watcher.error == ""
    assert collector.paths == {"/v1/metrics"}
    metrics = collector.metrics
    assert metrics.keys() == {family.name for family in FAMILIES}
    conversations = metrics["antiphon.conversations"].sum
    assert conversations.is_monotonic
    assert conversations.aggregation_temporality == 2, "cumulative"
    for name, part in book.totals.items():
        assert labelled(conversations.data_points)["failed", name].as_int == part.failed
        assert labelled(metrics["antiphon.started"].sum.data_points)[name,].as_int == part.started
    errors = {key: point.as_int for key, point in labelled(metrics["antiphon.errors"].sum.data_points).items()}
    assert errors == {(f"{error}: {text}", part): count for (part, error, text), count in book.failures.items()}
    assert metrics["antiphon.bytes"].unit == "By"
    assert {*labelled(metrics["antiphon.live_conversations"].gauge.data_points)} == {("outgoing",), ("long_case",)}


def test_durations_are_histograms_with_explicit_bounds(book: LoadBook, collector: Collector) -> None:
    played(book).close()
    metric = collector.metrics["antiphon.duration"]
    assert metric.unit == "s"
    points = labelled(metric.histogram.data_points)
    for series, kind in KINDS.items():
        point, durations = points[kind, series], book.durations[series]
        assert point.count == len(durations) == sum(point.bucket_counts)
        assert point.sum == pytest.approx(sum(durations) / 1e6)
        assert (point.min, point.max) == pytest.approx((min(durations) / 1e6, max(durations) / 1e6))
        assert tuple(point.explicit_bounds) == BOUNDS_S
        assert len(point.bucket_counts) == len(BOUNDS_S) + 1
        assert 0 < point.start_time_unix_nano <= point.time_unix_nano


def test_they_are_sent_while_the_load_goes_on(
    book: LoadBook, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1")
    watcher = played(book)
    assert collector.came.acquire(timeout=20)
    assert collector.came.acquire(timeout=20)
    watcher.close()


def test_who_sends_it(book: LoadBook, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    played(book).close()
    told = collector.resource
    assert told.pop("service.instance.id")
    assert told == {
        "service.name": "antiphon",
        "service.version": "0.1.0",
        "antiphon.load": "outgoing+long_case",
        "antiphon.stand": "local",
    }
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=voice,antiphon.stand=staging")
    played(book).close()
    told = collector.resource
    assert (told["service.name"], told["team"], told["antiphon.stand"]) == ("nightly", "voice", "staging")


def test_a_collector_that_refuses_holds_nothing_up(
    book: LoadBook, collector: Collector, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler())
    collector.status = 400
    watcher = played(book)
    watcher.close()
    assert watcher.error == "the metrics could not be sent to the OTLP endpoint"
    assert capsys.readouterr() == ("", "")


def test_an_endpoint_that_is_none_is_told(book: LoadBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere")
    watcher = played(book)
    watcher.close()
    assert "could not be sent" in watcher.error


@pytest.mark.parametrize("interval", ["often", "0", "-1", "nan", "inf"])
def test_an_interval_that_cannot_be_read(interval: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", interval)
    with pytest.raises(ScenarioError, match="OTEL_METRIC_EXPORT_INTERVAL"):
        OtlpWatcher()


def test_a_load_that_never_begins_sends_nothing(collector: Collector) -> None:
    watcher = OtlpWatcher()
    watcher.see(Second(at_ns=1, from_ns=0))
    watcher.close()
    assert collector.requests == []

"""Debian's Prometheus scrapes a load and is asked by its own HTTP interface what it has of it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.report.metrics.prometheus import PrometheusWatcher

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus: apt-get install prometheus"),
]

PATIENCE_S = 60
DASHBOARD = Path(__file__).parents[2] / "examples" / "grafana" / "antiphon-load.json"


class Prometheus:
    """The server, asked over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, expression: str) -> dict[tuple[str, ...], float]:
        """The values of the expression now, by the values of their labels in the order of the labels' names."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self._address}/api/v1/query?{query}", timeout=PATIENCE_S) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        ours = ("instance", "job", "__name__")
        return {
            tuple(value for label, value in sorted(each["metric"].items()) if label not in ours): float(
                each["value"][1]
            )
            for each in told["data"]["result"]
        }

    def ask_until(self, expression: str, expected: dict[tuple[str, ...], float]) -> None:
        """Ask until that is the answer; fail if it does not come to be."""
        until_s = time.monotonic() + PATIENCE_S
        while (answer := self.ask(expression)) != pytest.approx(expected) and time.monotonic() < until_s:
            time.sleep(0.1)
        assert answer == pytest.approx(expected)


@pytest.fixture
def watcher() -> Iterator[PrometheusWatcher]:
    made = PrometheusWatcher("0")
    yield made
    made.close()


@pytest.fixture
def prometheus(watcher: PrometheusWatcher, tmp_path: Path) -> Iterator[Prometheus]:
    """A server that scrapes the watcher ten times a second."""
    target = watcher.address.removeprefix("http://").removesuffix("/metrics")
    jobs = [{"job_name": "load", "static_configs": [{"targets": [target]}]}]
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "100ms"}, "scrape_configs": jobs}))  # JSON is YAML
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        ["prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
    )
    try:
        _await_ready(f"http://127.0.0.1:{port}", process)
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        log.close()


def _await_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/-/ready", timeout=PATIENCE_S):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail("Prometheus did not begin")


def test_prometheus_has_the_books_of_the_load(watcher: PrometheusWatcher, prometheus: Prometheus) -> None:
    book, director = LoadBook(seconds=60), FakeDirector()
    watcher.begin(director)
    director.play(watcher, book.entries()[:20])
    prometheus.ask_until("sum(antiphon_live_conversations)", {(): live(director)})
    director.play(watcher, book.entries()[20:])

    totals = book.totals.items()
    prometheus.ask_until("antiphon_started_total", {(name,): part.started for name, part in totals})
    outcomes = {(outcome, name): getattr(part, outcome) for name, part in totals for outcome in ("passed", "failed")}
    assert prometheus.ask('antiphon_conversations_total{outcome=~"passed|failed"}') == outcomes
    assert prometheus.ask("sum by (part) (antiphon_errors_total)") == {("outgoing",): sum(book.failures.values())}
    durations = sorted(book.durations["outgoing/outbound_call"])
    of_calls = '{series="outgoing/outbound_call"}'
    assert [*prometheus.ask(f"antiphon_duration_seconds_count{of_calls}").values()] == [len(durations)]
    # It interpolates between the bounds of a bucket, and ours around the median are 0.5 s and 1 s.
    ((_, median_s),) = prometheus.ask(
        f"histogram_quantile(0.5, sum by (le) (antiphon_duration_seconds_bucket{of_calls}))"
    ).items()
    assert 0.5 <= durations[len(durations) // 2] / 1e6 <= 1
    assert 0.5 <= median_s <= 1


def test_prometheus_can_read_each_expression_of_the_dashboard(
    watcher: PrometheusWatcher, prometheus: Prometheus
) -> None:
    director = FakeDirector()
    watcher.begin(director)
    book = LoadBook(seconds=60)
    director.play(watcher, book.entries()[:30])
    prometheus.ask_until("sum(antiphon_live_conversations)", {(): live(director)})
    for expression in expressions(json.loads(DASHBOARD.read_text())):
        prometheus.ask(expression.replace("$__rate_interval", "10s").replace("$part", ".+").replace("$instance", ".+"))


def live(director: FakeDirector) -> float:
    return sum(part.live for part in director.figures.parts.values())


def expressions(document: Any) -> Iterator[str]:
    """All that stands under "expr", wherever it is."""
    if isinstance(document, dict):
        yield from (document[key] for key in document if key == "expr")
        document = [*document.values()]
    if isinstance(document, list):
        for each in document:
            yield from expressions(each)

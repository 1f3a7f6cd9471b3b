"""A load's metrics for Prometheus, which fetches them over HTTP. Needs the extra `metrics`.

What is served is made when somebody fetches it. When the load is over nobody answers any more: what was measured after
the last fetch is in the load's own reports, and with OTLP (`antiphon.report.metrics.otlp`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from antiphon.errors import ScenarioError
from antiphon.journal.figures import Second
from antiphon.report.metrics.accumulated import Accumulated, Durations, Sample
from antiphon.report.metrics.families import BOUNDS_S, FAMILIES, Family
from antiphon.report.metrics.watched import Watched

__all__ = ["PrometheusWatcher", "listening_place"]

LOCAL: Final = "127.0.0.1"
"""Where it listens if nobody says otherwise: what is served says which system is tested, and how it fails."""

_LISTEN: Final = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):)?(?P<port>[0-9]{1,5})")


class PrometheusWatcher:
    """Serves the metrics of the load that it watches: at `address`, from when it is made until `close`.

    `listen` is a port, or HOST:PORT; port 0 is one that is free. Raises ScenarioError if that cannot be read or had.
    """

    def __init__(self, listen: str) -> None:
        host, port = listening_place(listen)
        self._accumulated = Accumulated()
        self._watched: Watched | None = None
        registry = CollectorRegistry()
        registry.register(_Collector(self._accumulated))
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise ScenarioError(
                f"metrics cannot be served on {_place(host, port)}: {error.strerror or error}",
                hint="give another port with --prometheus, 0 for one that is free",
            ) from error
        self.address = f"http://{_place(host, self._server.server_port)}/metrics"

    def begin(self, watched: Watched, /) -> None:
        """The load is about to begin."""
        self._watched = watched

    def see(self, entry: Any, /) -> None:
        """An entry of its record."""
        if isinstance(entry, Second) and self._watched is not None and (point := self._watched.figures.latest):
            self._accumulated.add(entry, point)

    def close(self) -> None:
        """Serve no more. Said again, it does nothing."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def listening_place(text: str) -> tuple[str, int]:
    """The host and the port of `9464`, `0.0.0.0:9464`, `[::1]:9464`. Raises ScenarioError for anything else."""
    found = _LISTEN.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise ScenarioError(
            f"--prometheus takes a port, and {text!r} is none", hint="--prometheus 9464, or HOST:PORT: 0.0.0.0:9464"
        )
    return (found["host"] or LOCAL).strip("[]"), int(found["port"])


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Collector(Collector):
    """Gives what is accumulated at the moment in which somebody asks."""

    def __init__(self, accumulated: Accumulated) -> None:
        self._accumulated = accumulated

    def describe(self) -> Iterable[Metric]:
        return [_metric(family, ()) for family in FAMILIES]

    def collect(self) -> Iterator[Metric]:
        for family, samples in self._accumulated.samples():
            yield _metric(family, samples)


def _metric(family: Family, samples: Iterable[Sample]) -> Metric:
    named = (family.prometheus_name, family.text)
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(*named, labels=family.labels)
        for labels, value in samples:
            assert isinstance(value, Durations)
            histogram.add_metric(labels, _buckets(value), value.sum_us / 1e6)
        return histogram
    plain = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(*named, labels=family.labels)
    for labels, value in samples:
        assert not isinstance(value, Durations)
        plain.add_metric(labels, value)
    return plain


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    """How many are not above each bound."""
    bounds = [*map(floatToGoString, BOUNDS_S), "+Inf"]
    return list(zip(bounds, accumulate(durations.counts), strict=True))

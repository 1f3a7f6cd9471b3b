"""Where a load's metrics go while it runs: to Prometheus, to OpenTelemetry. Each needs an extra."""

from __future__ import annotations

from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError
from antiphon.load.loads import Watcher

__all__ = ["LoadExports"]


class LoadExports:
    """The watchers for what was asked for: `prometheus` is a port or HOST:PORT, None for no one who fetches metrics.

    Raises ScenarioError before the load if the port cannot be had, or what is needed is not installed.
    """

    def __init__(self, prometheus: str | None, *, otlp: bool, screen: Screen) -> None:
        self.watchers: list[Watcher] = []
        self._screen = screen
        self._otlp = None
        if otlp:
            try:
                from antiphon.report.metrics.otlp import OtlpWatcher
            except ImportError as error:
                raise _missing("--otlp", "otel", error) from error
            self._otlp = OtlpWatcher()
            self.watchers.append(self._otlp)
        if prometheus is not None:
            try:
                from antiphon.report.metrics.prometheus import PrometheusWatcher
            except ImportError as error:
                raise _missing("--prometheus", "metrics", error) from error
            served = PrometheusWatcher(prometheus)
            self.watchers.append(served)
            screen.tell(f"metrics for Prometheus: {served.address}")

    def tell_end(self) -> None:
        """Tell what could not be sent."""
        if self._otlp is not None and self._otlp.error:
            self._screen.tell_error(self._otlp.error, label="warning")


def _missing(option: str, extra: str, error: ImportError) -> ScenarioError:
    return ScenarioError(f"{option} needs what is not installed: {error}", hint=f"pip install 'antiphon[{extra}]'")

"""The options for metrics: what is made of them, and what is said where something is missing."""

from __future__ import annotations

import sys
import urllib.request

import pytest

from antiphon.cli.load_exports import LoadExports
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError


def test_without_options_nothing_goes_anywhere() -> None:
    assert LoadExports(None, otlp=False, screen=Screen()).watchers == []


def test_where_metrics_are_served_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    exports = LoadExports("0", otlp=True, screen=Screen())
    told = capsys.readouterr()
    assert told.out == ""
    what, _, address = told.err.strip().partition(": ")
    assert what == "metrics for Prometheus"
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert answer.status == 200
    for watcher in (*exports.watchers, *exports.watchers):
        watcher.close()
    exports.tell_end()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("module", "extra", "prometheus", "otlp"),
    [("prometheus", "metrics", "0", False), ("otlp", "otel", None, True)],
)
def test_an_extra_that_is_missing_is_named(
    module: str, extra: str, prometheus: str | None, otlp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"antiphon.report.metrics.{module}", None)
    with pytest.raises(ScenarioError, match="needs what is not installed") as caught:
        LoadExports(prometheus, otlp=otlp, screen=Screen())
    assert f"antiphon[{extra}]" in str(caught.value)


def test_what_could_not_be_sent_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    exports = LoadExports(None, otlp=True, screen=Screen())
    (watcher,) = exports.watchers
    monkeypatch.setattr(watcher, "error", "the metrics could not be sent to the OTLP endpoint")
    watcher.close()
    exports.tell_end()
    assert capsys.readouterr().err == "warning: the metrics could not be sent to the OTLP endpoint\n"

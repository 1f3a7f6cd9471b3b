"""`summary.json`: its shape is the published one, and its numbers are those of the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from load_records import KINDS, LoadBook, write_record

from antiphon.journal.figures import LoadStarted
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.summary import LoadSummary, json_schema, made_schema, summarised, summary_json


def test_the_published_schema_is_that_of_the_types() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json_schema() == made_schema()


def document(summary: LoadSummary) -> Any:
    text = summary_json(summary)
    assert text.startswith(b'{\n  "schema": 1,\n')
    found = json.loads(text)
    jsonschema.Draft202012Validator(json_schema()).validate(found)
    return found


def test_every_load_is_valid_against_it(summary: LoadSummary, good: LoadSummary, tmp_path: Path) -> None:
    assert document(summary)["baseline"]["figures"]
    assert document(good)["baseline"] is None
    nothing = read_figures(write_record(tmp_path, LoadBook(seconds=10).entries()[:1]))
    told = document(summarised(nothing))
    assert (told["verdict"], told["series"], told["conversations"]["failed_share"]) == ("unfinished", [], 0.0)


def test_a_load_that_measured_nothing_is_called_by_its_plan(tmp_path: Path) -> None:
    """As where all its processes are gone in the first second."""
    started = LoadBook(seconds=10).entries()[0]
    del started.plan["name"]
    nothing = read_figures(write_record(tmp_path, [started]))
    assert document(summarised(nothing))["name"] == "outgoing, long_case"
    assert document(summarised(LoadFigures(tmp_path)))["name"] == "load"


@pytest.mark.parametrize("spoil", [{"schema": 2}, {"verdict": "fine"}, {"is_valid": None}, {"series": {}}])
def test_what_is_otherwise_is_not_valid(good: LoadSummary, spoil: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(summary_json(good)) | spoil, json_schema())


def test_series_stand_in_the_order_of_parts_and_steps(summary: LoadSummary) -> None:
    names = [series.name for series in summary.series]
    assert set(names) == set(KINDS)
    assert names[:5] == [
        "outgoing",
        "outgoing/connect operator.desk",
        "outgoing/log_in",
        "outgoing/log_in/POST /login",
        "outgoing/outbound_call",
    ]
    assert names[-3:] == ["long_case", "long_case/transfer", "long_case/transfer/newTransfer"]


def test_the_numbers_of_a_series(load: Callable[..., LoadFigures]) -> None:
    figures = load()
    told = next(each for each in summarised(figures).series if each.name == "outgoing/outbound_call")
    histogram = figures.series[told.name].histogram
    assert told.mean_ms == pytest.approx(histogram.sum_us / histogram.count / 1000)
    assert sum(told.split_ms.values()) == pytest.approx(told.mean_ms)
    assert told.min_ms <= told.p50_ms <= told.p90_ms <= told.p95_ms <= told.p99_ms <= told.p999_ms <= told.max_ms
    assert told.max_ms == histogram.max_us / 1000
    assert told.error_share == told.errors / told.count
    assert told.per_s == pytest.approx(told.count / 70)


def test_the_numbers_of_conversations(load: Callable[..., LoadFigures]) -> None:
    figures = load(loses_process=True)
    told = summarised(figures)
    assert told.parts["outgoing"].asked == 20.0
    assert told.parts["outgoing"].started_per_s == pytest.approx(20.0), "while it was asked for"
    assert told.parts["long_case"].asked == 8.0
    total = told.conversations
    assert total.started == total.passed + total.failed + total.interrupted + total.lost
    assert total.lost == sum(part.lost for part in told.parts.values()) > 0
    assert total.most_live == figures.most_live
    assert sum(cause.count for cause in told.causes) == total.failed
    assert sum(cause.share for cause in told.causes) == pytest.approx(1.0)
    assert told.time.late_s + told.time.cpu_s + told.time.rest_s == pytest.approx(told.time.conversations_s)


def test_a_plan_without_a_name_is_called_by_its_parts(tmp_path: Path) -> None:
    first, *rest = LoadBook(seconds=10).entries()
    assert isinstance(first, LoadStarted)
    first.plan = {}
    assert summarised(read_figures(write_record(tmp_path / "a", [first, *rest]))).name == "outgoing, long_case"
    assert summarised(read_figures(write_record(tmp_path / "b", [first]))).name == "load"
    without_beginning = summarised(read_figures(write_record(tmp_path / "c", rest)))
    assert (without_beginning.stand, without_beginning.cpus, without_beginning.plan) == ("", 0, {})
    document(without_beginning)

"""The page of a load as a file: what is in it, and that nothing is markup. What it shows is tested in a browser."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from load_records import HOSTILE, LoadBook, write_record

from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.figures import ConversationKept, Second, SeriesFigures
from antiphon.journal.file import JournalWriter
from antiphon.journal.histogram import Histogram
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.html import page_data, write_page
from antiphon.report.load.summary import summarised


class Page(HTMLParser):
    """What a browser makes of the markup: the text in each script and style sheet, and the policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self.policy = ""
        self._tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""
        self._tag = tag if tag in ("script", "style", "title") else ""
        if self._tag:
            self.texts.append((tag, attributes, ""))

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag:
            tag, attributes, text = self.texts[-1]
            self.texts[-1] = (tag, attributes, text + data)


def page(figures: LoadFigures) -> Page:
    file = StringIO()
    write_page(figures, summarised(figures), file, figures.directory)
    return Page(file.getvalue())


def test_only_our_scripts_may_run_and_nothing_is_asked_for(load: Callable[..., LoadFigures]) -> None:
    found = page(load())
    assert "default-src 'none'" in found.policy
    scripts = [text for tag, attributes, text in found.texts if tag == "script" and "type" not in attributes]
    styles = [text for tag, _, text in found.texts if tag == "style"]
    hashes = [f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in [*scripts, *styles]]
    assert len(hashes) == 8
    assert all(digest in found.policy for digest in hashes)
    assert found.policy.count("sha256-") == len(hashes)


def test_the_data_is_one_element_and_what_was_recorded(load: Callable[..., LoadFigures]) -> None:
    figures = load()
    found = page(figures)
    (data,) = [text for _, attributes, text in found.texts if attributes.get("type") == "application/json"]
    assert "<" not in data
    told = json.loads(data)
    assert HOSTILE in json.dumps(told, ensure_ascii=False).replace("\\u0000", "\x00").replace("\\u001b", "\x1b")
    assert told["summary"]["verdict"] == "failed"
    assert ("title", {}, "failed: busy_day · antiphon load") in found.texts


def test_what_is_drawn_over_time_has_a_value_for_each_point(load: Callable[..., LoadFigures]) -> None:
    figures = load()
    data = json.loads(json.dumps(page_data(figures, summarised(figures), figures.directory), default=str))
    count = len(figures.points)
    assert len(data["times"]["from_s"]) == count
    lists = [
        *(values for part in data["parts"].values() for values in part.values()),
        *(values for series in data["series"].values() for values in series.values()),
        *data["causes"],
        *data["traffic"].values(),
        *(values for process in data["generators"].values() for values in process.values()),
    ]
    assert {len(values) for values in lists} == {count}
    assert sum(data["causes"][0]) == figures.causes[0].count
    assert data["series"]["outgoing"]["p50"][0] is None, "none has ended in the first second"


def test_bars_and_curves_have_all_that_was_measured(load: Callable[..., LoadFigures]) -> None:
    figures = load()
    data: dict[str, Any] = page_data(figures, summarised(figures), figures.directory)
    for name, measured in figures.series.items():
        curves = data["curves"][name]
        assert sum(count for _, _, count in curves["bars"]) == measured.histogram.count
        values = [ms for _, ms in curves["percentiles"]]
        assert values == sorted(values)
        percents = [percent for percent, _ in curves["percentiles"]]
        assert percents == sorted(set(percents))
        assert percents[-1] < 100
        assert values[-1] == measured.histogram.max_us / 1000


@pytest.mark.parametrize("values", [[1], [5, 5, 5], [60_000_000], [1, 60_000_000]])
def test_few_values_have_a_curve_too(tmp_path: Path, values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    numbers = (histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us)
    measured = SeriesFigures("step", *numbers, histogram.to_blob())
    figures = read_figures(write_record(tmp_path, [Second(at_ns=10**9, from_ns=0, series={"a/b": measured})]))
    curves = page_data(figures, summarised(figures), tmp_path)["curves"]["a/b"]
    assert sum(count for _, _, count in curves["bars"]) == len(values)
    assert curves["percentiles"][-1][1] == max(values) / 1000


def keep(directory: Path, name: str) -> None:
    """A conversation's own journal."""
    (directory / name).mkdir(parents=True)
    writer = JournalWriter(directory / name / "journal.jsonl")
    started = {
        "scenario": "outgoing",
        "parameters": {},
        "actors": {},
        "stand": "",
        "started_at": "2026-11-27T07:00:00Z",
    }
    writer(RunStarted(at_ns=0, **started, antiphon="0.1", python="3.11", pid=1))
    writer(RunEnded(at_ns=1, verdict="passed"))
    writer.close()


def test_kept_conversations_get_their_traces_and_links_to_them(tmp_path: Path) -> None:
    entries = LoadBook(seconds=10).entries()
    names = [entry.directory for entry in entries if isinstance(entry, ConversationKept)]
    kept = next(entry for entry in entries if isinstance(entry, ConversationKept))
    kept.directory = "conversations/a #1?"
    figures = read_figures(write_record(tmp_path / "runs" / "7", entries))
    keep(figures.directory, kept.directory)
    links = page_data(figures, summarised(figures), figures.directory)["links"]
    assert links[kept.conversation] == "./conversations/a%20%231%3F/trace.html"
    assert (figures.directory / kept.directory / "trace.html").is_file()
    assert {links[entry.conversation] for entry in figures.kept[1:]} == {""}, "those are gone"
    assert len(names) > 1
    elsewhere = page_data(figures, summarised(figures), tmp_path / "reports")["links"]
    assert elsewhere[kept.conversation] == "./../runs/7/conversations/a%20%231%3F/trace.html"


def test_what_lies_elsewhere_or_is_damaged_is_no_link(tmp_path: Path) -> None:
    entries = LoadBook(seconds=10).entries()
    first, second, *_ = (entry for entry in entries if isinstance(entry, ConversationKept))
    first.directory, second.directory = "../outside", "conversations/empty"
    figures = read_figures(write_record(tmp_path / "load", entries))
    keep(tmp_path, "outside")
    (figures.directory / second.directory).mkdir(parents=True)
    (figures.directory / second.directory / "journal.jsonl").touch()
    links = page_data(figures, summarised(figures), figures.directory)["links"]
    assert links[first.conversation] == links[second.conversation] == ""
    assert not (tmp_path / "outside" / "trace.html").exists()


def test_many_series_over_hours_make_a_page_of_bounded_size(tmp_path: Path) -> None:
    histogram = Histogram()
    for value in range(1_000, 1_020):
        histogram.record(value)
    numbers = (histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us)
    measured = SeriesFigures("step", *numbers, histogram.to_blob())
    figures = LoadFigures(tmp_path)
    for second in range(1_300):
        series = {f"part/step{number}": measured for number in range(10)}
        figures.add(Second(at_ns=(second + 1) * 10**9, from_ns=second * 10**9, series=series))
    file = StringIO()
    write_page(figures, summarised(figures), file, tmp_path)
    points = re.search(r'"from_s":\[([^]]*)\]', file.getvalue())
    assert points is not None
    assert len(points[1].split(",")) <= 600
    assert len(file.getvalue()) < 600_000

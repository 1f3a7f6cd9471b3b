"""What Prometheus is served of a load, read by its own client's parser: the load's books, to the counter."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from load_records import CAUSES, KINDS, LoadBook
from load_watching import FakeDirector
from prometheus_client.parser import text_string_to_metric_families

from antiphon.errors import ScenarioError
from antiphon.journal.figures import CauseFigures, Second
from antiphon.report.metrics.accumulated import MOST_CAUSES, OTHERS
from antiphon.report.metrics.families import BOUNDS_S, FAMILIES
from antiphon.report.metrics.prometheus import PrometheusWatcher, listening_place


@pytest.fixture(scope="module")
def book() -> LoadBook:
    return LoadBook(seconds=60, loses_process=True)


@pytest.fixture
def watcher() -> Iterator[PrometheusWatcher]:
    made = PrometheusWatcher("0")
    yield made
    made.close()


def fetched(watcher: PrometheusWatcher) -> dict[str, dict[tuple[str, ...], float]]:
    """What it serves: by name and the values of the labels, in the order of the labels' names."""
    with urllib.request.urlopen(watcher.address, timeout=20) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.fixture(scope="module")
def served(book: LoadBook) -> dict[str, dict[tuple[str, ...], float]]:
    """What is served of the book's load."""
    director, watcher = FakeDirector(), PrometheusWatcher("0")
    watcher.begin(director)
    director.play(watcher, book.entries())
    found = fetched(watcher)
    watcher.close()
    return found


def test_conversations_are_those_of_the_books(book: LoadBook, served: Any) -> None:
    for name, part in book.totals.items():
        for outcome in ("passed", "failed", "interrupted", "dropped"):
            assert served["antiphon_conversations_total"][outcome, name] == getattr(part, outcome)
        for what in ("due", "started", "late"):
            assert served[f"antiphon_{what}_total"][name,] == getattr(part, what)
    assert served["antiphon_asked"] == {("outgoing",): 0, ("long_case",): 0}
    assert served["antiphon_live_conversations"] == {("outgoing",): 0, ("long_case",): 0}


def test_durations_are_in_their_buckets_to_the_histograms_precision(book: LoadBook, served: Any) -> None:
    for series, kind in KINDS.items():
        durations = book.durations[series]
        assert served["antiphon_duration_seconds_count"][kind, series] == len(durations)
        assert served["antiphon_duration_seconds_sum"][kind, series] == pytest.approx(sum(durations) / 1e6)
        buckets = served["antiphon_duration_seconds_bucket"]
        counts = [buckets[kind, str(bound), series] for bound in BOUNDS_S]
        for bound, counted in zip(BOUNDS_S, counts, strict=True):
            not_above = [sum(us <= bound * 1e6 * share for us in durations) for share in (0.999, 1)]
            assert not_above[0] <= counted <= not_above[1], (series, bound)
        assert all(less <= more for less, more in pairwise(counts))
        assert buckets[kind, "+Inf", series] == len(durations)


def test_errors_stand_under_their_causes(book: LoadBook, served: Any) -> None:
    expected = {(f"{error}: {text}", part): count for (part, error, text), count in book.failures.items()}
    assert served["antiphon_errors_total"] == expected
    assert len(expected) == len(CAUSES)


def test_traffic_and_the_generator(book: LoadBook, served: Any) -> None:
    entries = [entry for entry in book.entries() if isinstance(entry, Second)]
    for direction in ("sent", "received"):
        assert served["antiphon_messages_total"][direction,] == sum(
            getattr(each.traffic, direction) for each in entries
        )
        sizes = sum(getattr(each.traffic, f"{direction}_bytes") for each in entries)
        assert served["antiphon_bytes_total"][direction,] == sizes
    figures = [each for entry in entries for each in entry.generators]
    for process in (0, 1):
        used_s = sum(each.cpu_s for each in figures if each.process == process)
        assert served["antiphon_generator_cpu_seconds_total"][str(process),] == pytest.approx(used_s)
    # Process 1 was lost: it is not late any more.
    assert served["antiphon_generator_lag_seconds"] == {("0",): pytest.approx(figures[-1].lag_ms / 1e3)}
    assert served["antiphon_generator_memory_bytes"] == {("0",): figures[-1].rss_kib * 1024}
    assert served["antiphon_wrong_messages_total"] == {("duplicate",): 2}


def test_every_metric_is_a_known_one(served: Any) -> None:
    known = {name for family in FAMILIES for name in family.exposed_names}
    assert {name for name in served if name.startswith("antiphon_")} == known


def test_nothing_is_served_that_was_not_measured(watcher: PrometheusWatcher) -> None:
    assert "antiphon_conversations_total" not in fetched(watcher)
    watcher.see(Second(at_ns=1, from_ns=0))  # before the load has begun
    assert "antiphon_conversations_total" not in fetched(watcher)


def test_causes_without_end_share_a_label(watcher: PrometheusWatcher) -> None:
    director = FakeDirector()
    watcher.begin(director)
    causes = [CauseFigures("calls", "ValueError", f"the number {number}", 1) for number in range(MOST_CAUSES + 7)]
    director.play(watcher, [Second(at_ns=2, from_ns=1, causes=causes), Second(at_ns=3, from_ns=2, causes=causes)])
    errors = fetched(watcher)["antiphon_errors_total"]
    assert len(errors) == MOST_CAUSES + 1
    assert errors["ValueError: the number 0", "calls"] == 2
    assert errors[OTHERS, "calls"] == 14


def test_after_the_load_nobody_answers() -> None:
    watcher = PrometheusWatcher("127.0.0.1:0")
    watcher.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(watcher.address, timeout=20)


def test_a_port_that_is_taken_is_said_before_the_load() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ScenarioError, match=f"metrics cannot be served on 127.0.0.1:{port}: Address already in use"
        ):
            PrometheusWatcher(str(port))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9464", ("127.0.0.1", 9464)),
        (" 0.0.0.0:9464 ", ("0.0.0.0", 9464)),
        ("[::1]:0", ("::1", 0)),
        ("metrics.local:65535", ("metrics.local", 65535)),
    ],
)
def test_where_it_listens(text: str, place: tuple[str, int]) -> None:
    assert listening_place(text) == place


@pytest.mark.parametrize("text", ["", "http://here:1", "65536", "here", "here:", ":9464", "::1:9464", "-1"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ScenarioError, match="--prometheus takes a port"):
        listening_place(text)

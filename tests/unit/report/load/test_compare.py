"""Two loads beside each other: what moved is told, with the direction that is worse; what chance does is not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import msgspec
import pytest
from load_records import LoadBook, write_record

from antiphon.journal.figures import LoadStarted, Second
from antiphon.journal.histogram import Histogram
from antiphon.report.load import bootstrap
from antiphon.report.load.bootstrap import Resampling, SeriesDraws
from antiphon.report.load.compare import Comparison, Moved, compare
from antiphon.report.load.figures import LoadFigures, read_figures

STEP = "outgoing/outbound_call"


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter, in a quarter of the time."""
    monkeypatch.setattr(bootstrap, "DRAWS", 100)


def figure(comparison: Comparison, what: str, name: str | None = None) -> Moved:
    return next(each for each in comparison.figures if each.what == what and name in (None, each.figure))


def test_a_load_beside_itself_has_not_moved(load: Callable[..., LoadFigures]) -> None:
    comparison = compare(load(), load())
    assert comparison.worse == comparison.better == comparison.new == comparison.gone == comparison.remarks == []
    assert {each.ratio for each in comparison.figures} == {1.0}
    assert comparison.block_s == 5.0


def test_what_got_slower_is_worse_and_the_interval_has_how_much(load: Callable[..., LoadFigures]) -> None:
    comparison = compare(load(seed=8, slower=1.3), load())
    moved = figure(comparison, "outgoing/log_in/POST /login", "p50")
    assert moved.direction == "worse"
    assert moved.low is not None
    assert moved.high is not None
    assert 1.15 < moved.low < 1.3 < moved.high < 1.5
    assert moved.now > moved.before
    assert figure(comparison, STEP, "p50").direction == "worse"
    assert comparison.better == []


def test_of_a_load_that_was_over_at_once_nothing_is_told(load: Callable[..., LoadFigures], tmp_path: Path) -> None:
    """Half a second is no block that another could be drawn from."""
    started, *entries = LoadBook(seconds=1).entries()
    second = next(each for each in entries if isinstance(each, Second))
    only = msgspec.structs.replace(second, from_ns=0, at_ns=200_000_000)
    short = read_figures(write_record(tmp_path, [started, only]))

    for comparison in (compare(short, load()), compare(load(), short)):
        assert {each.direction for each in comparison.figures} == {"unknown"}


def test_the_other_way_round_it_is_better(load: Callable[..., LoadFigures]) -> None:
    comparison = compare(load(), load(seed=8, slower=1.3))
    assert figure(comparison, STEP, "p50").direction == "better"
    assert comparison.worse == []


@pytest.mark.slow
def test_what_chance_does_is_told_of_few(load: Callable[..., LoadFigures]) -> None:
    figures = [
        each
        for one, other in combinations(range(1, 5), 2)
        for each in compare(load(seed=one), load(seed=other)).figures
    ]
    told = [each for each in figures if each.direction in ("worse", "better")]
    assert len(told) <= 0.05 * len(figures)


def test_a_change_of_two_percent_is_none(load: Callable[..., LoadFigures]) -> None:
    slightly = compare(load(slower=1.015), load())
    assert figure(slightly, "outgoing/log_in", "p50").direction == "same"


def test_failures_where_there_were_none_are_worse(load: Callable[..., LoadFigures]) -> None:
    none, some = load(failing=0.0), load(failing=0.1)
    worse = figure(compare(some, none), "errors")
    assert (worse.before, worse.direction) == (0.0, "worse")
    assert worse.now == pytest.approx(some.total.failed / (some.total.failed + some.total.passed))
    assert figure(compare(none, some), "errors").direction == "better"
    assert figure(compare(none, none), "errors").direction == "same"


def test_less_of_a_rate_is_worse(load: Callable[..., LoadFigures]) -> None:
    fewer = figure(compare(load(per_s=15), load(per_s=20)), "rate")
    assert fewer.direction == "worse"
    assert fewer.now < fewer.before
    assert figure(compare(load(per_s=20), load(per_s=15)), "rate").direction == "better"


def test_a_load_that_is_too_short_tells_nothing(load: Callable[..., LoadFigures]) -> None:
    comparison = compare(load(seconds=10, slower=2.0), load())
    assert {each.direction for each in comparison.figures} == {"unknown"}
    assert figure(comparison, STEP, "p50").low is None
    assert figure(comparison, STEP, "p50").ratio is not None


def test_a_percentile_with_few_beyond_it_tells_nothing(load: Callable[..., LoadFigures]) -> None:
    """Of 50 cases of users half of one is beyond the 99th percentile."""
    comparison = compare(load(seed=8, slower=3.0), load())
    assert figure(comparison, "long_case/transfer", "p99").direction == "unknown"
    assert figure(comparison, "long_case/transfer", "p50").direction == "worse"


def test_series_of_one_load_and_other_plans_are_told(tmp_path: Path, load: Callable[..., LoadFigures]) -> None:
    entries = LoadBook(seconds=60).entries()
    started = entries[0]
    assert isinstance(started, LoadStarted)
    entries[0] = msgspec.structs.replace(started, plan={}, cpus=64)
    for entry in entries:
        if hasattr(entry, "series"):
            entry.series.pop("outgoing/delivery", None)
    other = read_figures(write_record(tmp_path / "other", entries[:-1]))
    comparison = compare(load(), other)
    assert (comparison.new, comparison.gone) == (["outgoing/delivery"], [])
    assert compare(other, load()).gone == ["outgoing/delivery"]
    assert comparison.baseline == "other"
    assert comparison.remarks[0].startswith("the baseline is unfinished: ")
    assert comparison.remarks[1:] == ["the two plans are not the same", "cpus: 64 before, 4 now"]


def test_the_same_records_give_the_same_words(tmp_path: Path, load: Callable[..., LoadFigures]) -> None:
    again = read_figures(LoadBook(seconds=60, seed=8).write(tmp_path))
    assert msgspec.json.encode(compare(again, load()).figures) == msgspec.json.encode(
        compare(load(seed=8), load()).figures
    )


def histograms(resampling: Resampling) -> list[Histogram]:
    """A step's histogram in each block."""
    merged = []
    for block in resampling.blocks:
        merged.append(Histogram())
        for point in block:
            if STEP in point.series:
                merged[-1].add(point.series[STEP].histogram)
    return merged


@pytest.mark.parametrize("percentile", [50.0, 95.0, 99.0])
def test_a_draws_percentile_is_that_of_its_blocks_merged(load: Callable[..., LoadFigures], percentile: float) -> None:
    resampling = Resampling(load().points, 1)
    blocks = histograms(resampling)
    found = resampling.series(STEP).percentiles(percentile)
    merged = []
    for draw in resampling._draws:
        whole = Histogram()
        for block in draw(blocks):
            whole.add(block)
        merged.append(whole.percentile(percentile))
    assert found == merged
    assert len(found) == bootstrap.DRAWS
    assert len(set(found)) > 1


def test_draws_without_an_observation_are_left_out(load: Callable[..., LoadFigures]) -> None:
    resampling = Resampling(load().points, 1)
    empty = [Histogram() for _ in resampling.blocks]
    none = SeriesDraws(empty, resampling._draws)
    assert set(none.percentiles(50.0)) == set(none.means()) == {None}
    one = SeriesDraws([*empty[1:], histograms(resampling)[0]], resampling._draws)
    assert 0 < one.percentiles(50.0).count(None) == one.means().count(None) < bootstrap.DRAWS

"""What is read of a load's record: sums that are exact to the counter, and whether they may be trusted."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from load_records import KINDS, LoadBook, write_record

from antiphon.errors import RecordingError
from antiphon.journal.figures import Audit, PartFigures, Second, SeriesFigures
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LOAD_FILE_NAME
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.timeline import MOST_POINTS

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def book() -> LoadBook:
    return LoadBook(loses_process=True)


@pytest.fixture(scope="module")
def figures(book: LoadBook, tmp_path_factory: pytest.TempPathFactory) -> LoadFigures:
    return read_figures(book.write(tmp_path_factory.mktemp("load")))


def test_every_series_has_what_was_measured_to_the_counter(book: LoadBook, figures: LoadFigures) -> None:
    assert figures.series.keys() == KINDS.keys()
    for name, measured in figures.series.items():
        durations, histogram = book.durations[name], measured.histogram
        assert measured.kind == KINDS[name]
        assert measured.errors == book.errors[name]
        told = histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us
        assert told == (len(durations), min(durations), max(durations), sum(durations)), name


@pytest.mark.parametrize("percentile", [50, 90, 95, 99, 99.9])
def test_percentiles_are_those_of_the_sorted_list(book: LoadBook, figures: LoadFigures, percentile: float) -> None:
    for name, measured in figures.series.items():
        durations = sorted(book.durations[name])
        exact = durations[math.ceil(percentile / 100 * len(durations)) - 1]
        assert exact <= measured.histogram.percentile(percentile) <= exact * 1.001, name


def test_a_steps_split_adds_up_to_the_step(figures: LoadFigures) -> None:
    call = figures.series["outgoing/outbound_call"]
    assert call.split_us.keys() == {"startNewOutInteraction", "newRtc", "newWorkitemState", ""}
    assert call.split_us.total() == call.histogram.sum_us


def test_parts_and_causes_are_summed(book: LoadBook, figures: LoadFigures) -> None:
    for name, part in figures.parts.items():
        assert part == book.totals[name], name
    assert {(cause.part, cause.error, cause.text): cause.count for cause in figures.causes} == dict(book.failures)
    counts = [cause.count for cause in figures.causes]
    assert counts == sorted(counts, reverse=True)
    first = figures.causes[0]
    assert first.example.startswith("DeadlinePassed: waited 5 s for newWorkitemState")
    assert first.step == "outbound_call"
    assert first.kept[0].conversation == first.conversation
    assert len(first.kept) == 3
    assert figures.correctness == {"duplicate": 2}


def test_the_load_as_a_whole(book: LoadBook, figures: LoadFigures) -> None:
    assert figures.duration_ns == 130 * SECOND_NS
    assert figures.asking_ns == 120 * SECOND_NS, "in the grace nothing was asked for"
    assert figures.total.started == 120 * 20 + len(book.durations["long_case"]) + book.lost["long_case"]
    assert figures.most_live == max(
        sum(part.live for part in entry.parts.values()) for entry in book.entries() if isinstance(entry, Second)
    )
    generator = figures.generators[0]
    assert (generator.pid, generator.most_lag_ms) == (4711, 38.5)
    assert generator.wall_s == pytest.approx(130)
    assert figures.generators[1].wall_s == pytest.approx(90), "it was lost"


def test_a_lost_process_makes_the_numbers_doubtful(figures: LoadFigures) -> None:
    assert figures.word == "inconclusive"
    assert figures.doubts == [f"process 1 was lost with {figures.audit.lost} conversations under way"]


def test_a_load_that_crossed_a_threshold_is_failed_and_valid(tmp_path: Path) -> None:
    figures = read_figures(LoadBook(seconds=10).write(tmp_path))
    assert (figures.word, figures.is_valid, figures.doubts) == ("failed", True, [])


@pytest.mark.parametrize("verdict", ["passed", "failed", "interrupted"])
def test_books_that_do_not_agree_are_neither_a_pass_nor_a_failure(tmp_path: Path, verdict: str) -> None:
    book = LoadBook(seconds=10)
    total = sum(part.started for part in book.totals.values())
    figures = read_figures(book.write(tmp_path, verdict=verdict, audit=Audit(total + 1, total, 0, problems=["odd"])))
    assert figures.word == ("interrupted" if verdict == "interrupted" else "inconclusive")
    assert figures.doubts[:2] == ["odd", f"the intervals of the record count {total} started, and its end {total + 1}"]


def test_a_record_without_an_end_tells_what_was(tmp_path: Path) -> None:
    figures = read_figures(write_record(tmp_path, LoadBook(seconds=10).entries()[:6]))
    assert figures.word == "unfinished"
    assert "has no end" in figures.doubts[0]
    assert figures.total.started == figures.audit.started > 80
    assert figures.duration_ns == 5 * SECOND_NS


@pytest.mark.parametrize("blob", ["nonsense", Histogram().to_blob()])
def test_a_damaged_record_tells_what_stood_before(tmp_path: Path, blob: str) -> None:
    entries = LoadBook(seconds=10).entries()
    bad = Second(at_ns=1, from_ns=0, series={"outgoing": SeriesFigures("conversation", 1, 5, 5, 5, blob)})
    figures = read_figures(write_record(tmp_path, [*entries[:4], bad, *entries[4:]]))
    assert figures.word == "unfinished"
    assert "the record cannot be read to its end: a histogram cannot be read" in figures.doubts[1]
    assert figures.total.started == sum(entry.parts[name].started for entry in entries[1:4] for name in entry.parts)


def test_a_line_that_is_no_entry_is_told_with_its_place(tmp_path: Path) -> None:
    path = LoadBook(seconds=10).write(tmp_path) / LOAD_FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"{}\n"]))
    assert f"{LOAD_FILE_NAME}:4" in read_figures(tmp_path).doubts[1]


def test_a_directory_without_a_load_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no load can be read"):
        read_figures(tmp_path)
    write_record(tmp_path, [])
    with pytest.raises(RecordingError, match="this record holds nothing"):
        read_figures(tmp_path)


@pytest.mark.parametrize("seconds", [MOST_POINTS, MOST_POINTS + 1, 5 * MOST_POINTS + 7])
def test_a_long_load_has_few_points_and_loses_nothing(seconds: int) -> None:
    figures = LoadFigures(Path("runs/7"))
    for second in range(seconds):
        histogram = Histogram()
        histogram.record(1_000 + second)
        measured = SeriesFigures("step", 1, 1_000 + second, 1_000 + second, 1_000 + second, histogram.to_blob(), 1)
        parts = {"one": PartFigures(asked=5, started=1, live=second)}
        figures.add(
            Second(
                at_ns=(second + 1) * SECOND_NS, from_ns=second * SECOND_NS, parts=parts, series={"one/step": measured}
            )
        )
    points = figures.points
    assert MOST_POINTS / 2 <= len(points) <= MOST_POINTS
    assert [point.from_ns for point in points[1:]] == [point.at_ns for point in points[:-1]]
    assert len({point.wall_ns for point in points[:-1]}) == 1, "all but the last are as long"
    assert sum(point.parts["one"].started for point in points) == seconds
    assert points[-1].parts["one"].live == figures.most_live == seconds - 1
    assert sum(point.series["one/step"].histogram.count for point in points) == seconds
    assert figures.series["one/step"].errors == seconds
    whole = Histogram()
    for second in range(seconds):
        whole.record(1_000 + second)
    assert figures.series["one/step"].histogram == whole

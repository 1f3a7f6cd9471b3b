"""What is known of a load under way: its sums, its last seconds, and what is doubtful about it."""

from __future__ import annotations

import pytest
from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.cli.load_picture import HISTORY, LoadPicture, shown_series
from antiphon.journal.figures import GeneratorFigures, PartFigures, ProcessLost, Second
from antiphon.report.load.figures import LoadFigures

S = 1_000_000_000


class Watching:
    """Has a picture see what a view is shown."""

    def __init__(self) -> None:
        self.picture = LoadPicture()

    def see(self, entry: object) -> None:
        self.picture.add(entry, {})


def pictured(book: LoadBook, seconds: int) -> LoadPicture:
    """The picture after so many seconds."""
    picture, director = LoadPicture(), FakeDirector()

    class Seeing:
        def see(self, entry: object) -> None:
            point = director.figures.latest
            picture.add(entry, shown_series(point) if point is not None and isinstance(entry, Second) else {})

    director.play(Seeing(), book.entries()[: seconds + 1])
    return picture


@pytest.fixture(scope="module")
def book() -> LoadBook:
    return LoadBook(seconds=60, failing=0.2)


def second(at_s: int, **fields: object) -> Second:
    return Second(at_ns=at_s * S, from_ns=(at_s - 1) * S, **fields)  # type: ignore[arg-type]


def test_sums_are_those_of_the_books(book: LoadBook) -> None:
    picture = pictured(book, 70)
    for name, part in book.totals.items():
        told = picture.parts[name]
        assert (told.started, told.passed, told.failed, told.late) == (
            part.started,
            part.passed,
            part.failed,
            part.late,
        )
    assert picture.total.started == sum(part.started for part in book.totals.values())
    assert sum(cause.count for cause in picture.causes(10)) == sum(book.failures.values())
    first, *_ = picture.causes(1)
    assert first.count == max(book.failures.values())
    assert picture.how_many_causes == 3


def test_percentiles_are_those_of_the_last_ten_seconds(book: LoadBook) -> None:
    picture = pictured(book, 25)
    figures = LoadFigures(book.entries()[0].started_at)
    for entry in book.entries()[16:26]:
        figures.add(entry)
    for row in picture.rows:
        expected = figures.series[row.name]
        assert row.count == expected.histogram.count
        assert row.errors == expected.errors
        assert row.max_us == expected.histogram.max_us
        assert row.p95_us == min(expected.histogram.percentile(95), row.max_us)
    assert [row.name for row in picture.rows] == [
        "outgoing",
        "outgoing/log_in",
        "outgoing/outbound_call",
        "outgoing/delivery",
        "outgoing/hang_up",
        "long_case",
        "long_case/transfer",
    ]


def test_the_slowest_is_an_action_where_there_is_one(book: LoadBook) -> None:
    slowest = pictured(book, 20).slowest
    assert slowest is not None
    assert slowest.name == "outgoing/outbound_call"
    assert LoadPicture().slowest is None


def test_rates_are_those_of_the_last_five_seconds() -> None:
    watching = Watching()
    for at_s in range(1, 9):
        watching.see(second(at_s, parts={"calls": PartFigures(started=at_s), "cases": PartFigures(started=1)}))
    assert watching.picture.rate_per_s(["calls"]) == 6  # 4, 5, 6, 7, 8
    assert watching.picture.rate_per_s(["calls", "cases"]) == 7
    assert [*watching.picture.rates] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_a_long_interval_counts_by_its_length() -> None:
    watching = Watching()
    watching.see(Second(at_ns=4 * S, from_ns=0, parts={"calls": PartFigures(started=40)}))
    assert watching.picture.rate_per_s(["calls"]) == 10
    watching.see(Second(at_ns=4 * S, from_ns=4 * S))
    assert watching.picture.rates[-1] == 0


def test_the_past_is_bounded(book: LoadBook) -> None:
    picture = pictured(book, 70)
    entry = second(71)
    for _ in range(HISTORY):
        picture.add(entry, {})
    assert len(picture.rates) == HISTORY
    assert {len(line) for line in picture.p95_us.values()} == {HISTORY}


def test_a_line_of_percentiles_begins_when_the_load_does(book: LoadBook) -> None:
    picture = pictured(book, 20)
    assert {len(line) for line in picture.p95_us.values()} == {20}
    assert picture.p95_us["long_case"][0] == 0, "nobody was through after a second"


@pytest.mark.parametrize(
    ("lag_ms", "cpu_s", "doubt"),
    [(99.0, 0.9, None), (100.0, 0.2, "event loop is late by 100 ms"), (1.0, 0.96, "uses its whole core")],
)
def test_what_is_doubtful_of_the_generator(lag_ms: float, cpu_s: float, doubt: str | None) -> None:
    watching = Watching()
    generators = [
        GeneratorFigures(process, 7, 1, 1.0, cpu_s if process else 0.1, lag_ms if process else 0.5, 1024)
        for process in (0, 1)
    ]
    watching.see(second(1, generators=generators))
    assert (watching.picture.lag_ms, watching.picture.busiest) == (lag_ms, cpu_s)
    told = watching.picture.doubts
    assert not told if doubt is None else doubt in told[0]


def test_late_starts_and_a_lost_process_are_doubtful() -> None:
    watching = Watching()
    watching.see(second(1, parts={"calls": PartFigures(started=100, late=2)}))
    assert watching.picture.doubts == ["2 of 100 conversations began later than they were due"]
    watching.see(ProcessLost(at_ns=2 * S, process=3, seen_ns=S, live={"calls": 1}, text="it was ended by SIGKILL"))
    assert watching.picture.doubts[0] == "process 3 of the generator was lost: it was ended by SIGKILL"

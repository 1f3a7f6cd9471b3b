"""Shards of a load, merged: exact to the counter, and nothing that belongs together is taken for it that does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_records import SECOND_NS, LoadBook, write_record
from load_shards import entries_of, write_shard

from antiphon.errors import RecordingError, ScenarioError
from antiphon.journal.figures import (
    CauseFigures,
    ConversationKept,
    GeneratorFigures,
    LoadChanged,
    LoadEnded,
    PartFigures,
    ProcessLost,
    Second,
    SeriesFigures,
    ThresholdJudged,
    Traffic,
)
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LOAD_FILE_NAME, LoadRecord
from antiphon.load.reunion import reunite
from antiphon.load.shards import Shard, require_one_load, side_by_side
from antiphon.report.load.figures import LoadFigures, read_figures

LENIENT = ["errors < 50%"]
COUNTED = ("due", "started", "late", "passed", "failed", "interrupted", "dropped")


@pytest.fixture
def books() -> list[LoadBook]:
    return [LoadBook(seconds=12, per_s=4, seed=seed) for seed in (1, 2, 3)]


@pytest.fixture
def shards(tmp_path: Path, books: list[LoadBook]) -> list[Path]:
    return [write_shard(tmp_path / f"m{k}", entries_of(book, k, 3)) for k, book in enumerate(books, 1)]


class TestTheWhole:
    def test_is_exact_to_the_counter(self, tmp_path: Path, books: list[LoadBook], shards: list[Path]) -> None:
        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.doubts == []
        for name in books[0].totals:
            for what in COUNTED:
                told = getattr(figures.parts[name], what)
                assert told == sum(getattr(book.totals[name], what) for book in books), (name, what)
        for name in {name for book in books for name in book.durations}:
            one = Histogram()
            for us in (us for book in books for us in book.durations[name]):
                one.record(us)
            measured = figures.series[name]
            assert measured.histogram.to_blob() == one.to_blob(), name
            assert (measured.histogram.sum_us, measured.histogram.max_us) == (one.sum_us, one.max_us)
            assert measured.errors == sum(book.errors[name] for book in books)
        failures = sum((book.failures for book in books), Counter())
        assert {(cause.part, cause.error, cause.text): cause.count for cause in figures.causes} == failures

    def test_is_what_one_load_of_the_same_figures_tells(self, tmp_path: Path, shards: list[Path]) -> None:
        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        apart = [read_figures(shard) for shard in shards]
        assert figures.asking_ns == apart[0].asking_ns
        assert figures.duration_ns == apart[0].duration_ns
        assert figures.correctness == sum((each.correctness for each in apart), Counter())
        assert [point.parts["outgoing"].asked for point in figures.points[:12]] == [12.0] * 12
        assert len(figures.generators) == 6, "each has its own processes"
        assert len(figures.kept) == sum(len(each.kept) for each in apart) > 0
        for kept in figures.kept:
            assert (tmp_path / "whole" / kept.directory / "journal.jsonl").read_text() == f"{kept.number}\n"

    def test_is_read_again_as_it_was(self, tmp_path: Path, shards: list[Path]) -> None:
        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        again = read_figures(tmp_path / "whole")
        assert (again.word, again.doubts, again.audit) == (figures.word, [], figures.audit)
        assert again.started is not None
        assert (again.started.shard, again.started.processes, again.started.cpus) == ("", 6, 12)

    def test_is_judged_as_a_whole(self, tmp_path: Path, books: list[LoadBook], shards: list[Path]) -> None:
        started = sum(sum(part.started for part in book.totals.values()) for book in books)
        texts = [*LENIENT, "rate > 1/s", "outgoing p50 < 1ms"]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=texts)

        assert figures.word == "failed"
        assert [(each.threshold, each.has_passed) for each in figures.thresholds] == [
            ("errors < 50%", True),
            ("rate > 1/s", True),
            ("outgoing p50 < 1ms", False),
        ]
        assert figures.total.started == started

    def test_without_a_word_about_errors_there_must_be_none(self, tmp_path: Path, shards: list[Path]) -> None:
        figures = reunite(shards, into=tmp_path / "whole")

        assert [(each.threshold, each.has_passed) for each in figures.thresholds] == [("errors == 0", False)]

    def test_what_the_shards_had_to_hold_is_judged_too(self, tmp_path: Path, books: list[LoadBook]) -> None:
        plans = [{"parts": [], "thresholds": texts} for texts in (["errors < 99%"], ["errors < 99%", "late < 99%"])]
        shards = [
            write_shard(tmp_path / f"m{k}", entries_of(books[k], k + 1, 2, plan=plan)) for k, plan in enumerate(plans)
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=["errors < 98%"])

        assert [each.threshold for each in figures.thresholds] == ["errors < 99%", "late < 99%", "errors < 98%"]

    def test_begins_with_the_first(self, tmp_path: Path, books: list[LoadBook]) -> None:
        moments = ["2026-11-27T07:00:04.000Z", "2026-11-27T07:00:00.000Z"]
        shards = [
            write_shard(tmp_path / f"m{k}", entries_of(books[k], k + 1, 2, started_at=moment))
            for k, moment in enumerate(moments)
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.started is not None
        assert figures.started.started_at == moments[1]
        assert figures.duration_ns == (12 + 10 + 4) * SECOND_NS
        assert figures.doubts == ["shard 1/2 began 4.0 s after the first: give all of them the same --start-at"]
        assert [point.parts["outgoing"].asked for point in figures.points[:16]] == [4.0] * 4 + [8.0] * 8 + [4.0] * 4

    def test_has_the_changes_and_losses_of_all(self, tmp_path: Path) -> None:
        book = LoadBook(seconds=40, per_s=3, loses_process=True)
        entries = entries_of(book, 2, 2)
        quiet = entries_of(LoadBook(seconds=40, per_s=3, seed=5), 1, 2)
        shards = [write_shard(tmp_path / "a", entries), write_shard(tmp_path / "b", quiet)]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert [change.text for change in figures.changes] == [
            "shard 1/2: outgoing raised to 20/s",
            "shard 2/2: outgoing raised to 20/s",
        ]
        assert [(lost.process, lost.live) for lost in figures.lost] == [(3, dict(book.lost))]
        assert figures.audit.problems == []
        assert figures.doubts == [
            f"shard 2/2: process 1 was lost with {sum(book.lost.values())} conversations under way"
        ]


class TestWhatIsNotWhole:
    @pytest.mark.parametrize(
        ("there", "of", "told"),
        [
            ([1], 2, "shard 2 of 2 is missing"),
            ([2, 3], 4, "shards 1 and 4 of 4 are missing"),
            ([1, 5], 5, "shards 2, 3 and 4 of 5 are missing"),
        ],
    )
    def test_a_missing_shard_is_said(self, tmp_path: Path, there: list[int], of: int, told: str) -> None:
        shards = [
            write_shard(tmp_path / f"m{k}", entries_of(LoadBook(seconds=3, per_s=2, seed=k), k, of)) for k in there
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.word == "inconclusive"
        assert figures.doubts == [told]

    def test_of_a_shard_that_was_killed_what_is_known_counts(self, tmp_path: Path, books: list[LoadBook]) -> None:
        cut = entries_of(books[0], 1, 2)[:7]  # how it began, and six seconds
        shards = [write_shard(tmp_path / "a", cut), write_shard(tmp_path / "b", entries_of(books[1], 2, 2))]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        live = sum(part.live for part in cut[-1].parts.values())
        assert live > 0
        assert (figures.audit.lost, figures.audit.problems) == (live, [])
        told = "the record of shard 1/2 has no end: it was killed, or its copy is not whole"
        assert figures.doubts == [f"process 0 of the generator was lost: {told}"]

    def test_a_damaged_record_counts_until_there(self, tmp_path: Path, shards: list[Path]) -> None:
        file = shards[2] / LOAD_FILE_NAME
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join([*lines[:9], "nonsense\n", *lines[9:]]))

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.word == "inconclusive"
        assert figures.audit.problems == []
        assert any(doubt.startswith("shard 3/3 cannot be read to its end: ") for doubt in figures.doubts)

    def test_a_lost_second_is_told(self, tmp_path: Path, books: list[LoadBook]) -> None:
        entries = entries_of(books[0], 1, 1)
        del entries[5]

        figures = reunite([write_shard(tmp_path / "a", entries)], into=tmp_path / "whole", thresholds=LENIENT)

        assert "process 0: the figures between 4 and 6 are missing" in figures.doubts

    @pytest.mark.parametrize(
        ("started", "doubt"),
        [
            ({"antiphon": "0.2.0"}, "the shards were measured by different versions of antiphon: 0.1.0, 0.2.0"),
            ({"started_at": "2026-11-27T07:00:12.340Z"}, "shard 2/2 began 12.3 s after the first"),
        ],
    )
    def test_what_does_not_quite_fit_is_doubted(
        self, tmp_path: Path, books: list[LoadBook], started: dict[str, Any], doubt: str
    ) -> None:
        shards = [
            write_shard(tmp_path / "a", entries_of(books[0], 1, 2)),
            write_shard(tmp_path / "b", entries_of(books[1], 2, 2, **started)),
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.word == "inconclusive"
        assert len(figures.doubts) == 1
        assert figures.doubts[0].startswith(doubt)

    @pytest.mark.parametrize(
        ("plan", "is_doubted"),
        [
            ({"parts": [], "arrivals": "constant"}, False),
            ({"parts": [], "arrivals": "poisson"}, True),
            ({"parts": [{"pause_s": [1.0, 1.0]}]}, False),
            ({"parts": [{"pause_s": [1.0, 3.0]}]}, True),
            ({"parts": [{"feeds": [{"feed": "phones.csv", "order": "circular"}]}]}, False),
            ({"parts": [{"parameters": {"telephone": {"feed": "phones.csv", "order": "random"}}}]}, True),
        ],
    )
    def test_another_seed_matters_where_something_is_drawn(
        self, tmp_path: Path, books: list[LoadBook], plan: dict[str, Any], is_doubted: bool
    ) -> None:
        shards = [
            write_shard(tmp_path / f"m{k}", entries_of(books[k], k + 1, 2, plan={**plan, "seed": k}, seed=k))
            for k in (0, 1)
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        told = "each shard drew by chance for itself, for they have different seeds: give all the same --seed"
        assert figures.doubts == ([told] if is_doubted else [])

    def test_what_a_shard_said_of_itself_counts(self, tmp_path: Path, books: list[LoadBook]) -> None:
        first = entries_of(books[0], 1, 2)
        early = ThresholdJudged(
            at_ns=first[-1].at_ns, threshold="p99 < 2s for 5s", has_passed=False, measured="", ended_the_load=True
        )
        ended = msgspec.structs.replace(first[-1], verdict="interrupted", doubts=["the machine was busy"])
        shards = [
            write_shard(tmp_path / "a", [*first[:-1], early, ended]),
            write_shard(tmp_path / "b", entries_of(books[1], 2, 2)),
        ]

        figures = reunite(shards, into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.doubts == [
            "shard 1/2 was interrupted",
            "shard 1/2 was ended by its threshold p99 < 2s for 5s",
            "shard 1/2: the machine was busy",
        ]

    def test_a_conversation_that_was_not_copied_is_told(self, tmp_path: Path, books: list[LoadBook]) -> None:
        entries = entries_of(books[0], 1, 1)
        kept = [entry for entry in entries if isinstance(entry, ConversationKept)]
        away = msgspec.structs.replace(kept[0], directory="../elsewhere")
        entries[entries.index(kept[0])] = away

        figures = reunite([write_record(tmp_path / "a", entries)], into=tmp_path / "whole", thresholds=LENIENT)

        assert figures.kept == []
        assert figures.word == "passed", "no number is wrong"
        assert figures.ended is not None
        assert figures.ended.error == (
            f"{away.conversation} was kept in a directory that cannot be its own; "
            f"a conversation was kept, and was not copied with its shard ({len(kept) - 1} times)"
        )


class TestWhatIsNoLoad:
    @pytest.mark.parametrize(
        ("started", "told"),
        [
            ({"shard": "1/2"}, "shard 1/2 is there twice"),
            ({"shard": "2/3"}, "this is shard 2/3, and .* is shard 1/2"),
            ({"shard": ""}, "this load was performed whole, and not as a shard"),
            ({"stand": "staging"}, "shard 2/2 loaded the stand 'staging', and shard 1/2 'local'"),
            ({"plan": {"parts": [], "grace_s": 30}}, "shard 2/2 is of another plan than shard 1/2: its parts is"),
        ],
    )
    def test_is_refused(self, tmp_path: Path, books: list[LoadBook], started: dict[str, Any], told: str) -> None:
        shards = [
            write_shard(tmp_path / "a", entries_of(books[0], 1, 2)),
            write_shard(tmp_path / "b", entries_of(books[1], 2, 2, **started)),
        ]

        with pytest.raises(ScenarioError, match=told):
            reunite(shards, into=tmp_path / "whole")

        assert not (tmp_path / "whole").exists()

    def test_where_it_was_written_is_no_plan(self, tmp_path: Path, books: list[LoadBook]) -> None:
        plans = [{"place": f"/m{k}/plan.py:7", "parts": [{"scenario_place": f"/m{k}/calls.py:9"}]} for k in (0, 1)]
        shards = [
            write_shard(tmp_path / f"m{k}", entries_of(books[k], k + 1, 2, plan=plan)) for k, plan in enumerate(plans)
        ]

        assert reunite(shards, into=tmp_path / "whole", thresholds=LENIENT).doubts == []

    def test_a_shard_that_is_under_way_is_waited_for(self, books: list[LoadBook]) -> None:
        shard = Shard(Path("a"), entries_of(books[0], 1, 1)[:7])
        last_ns = shard.began_ns + 6 * SECOND_NS

        with pytest.raises(ScenarioError, match="shard 1/1 is still under way"):
            require_one_load([shard], last_ns + SECOND_NS)
        with pytest.raises(ScenarioError, match="shard 1/1 is still under way"):
            require_one_load([shard], shard.began_ns - 60 * SECOND_NS)  # it has not begun
        require_one_load([shard], last_ns + 60 * SECOND_NS)
        require_one_load([Shard(Path("b"), entries_of(books[0], 1, 1))], last_ns)

    def test_none_is_no_load(self) -> None:
        with pytest.raises(ScenarioError, match="which shards are meant"):
            reunite([])

    def test_a_record_without_a_beginning_is_none(self, tmp_path: Path, books: list[LoadBook]) -> None:
        headless = write_record(tmp_path / "a", entries_of(books[0], 1, 2)[1:])
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / LOAD_FILE_NAME).write_text("nonsense\n")

        for directory in (headless, tmp_path / "b", tmp_path / "c"):
            with pytest.raises(RecordingError):
                reunite([directory], into=tmp_path / "whole")

    def test_what_lies_there_is_not_overwritten(self, tmp_path: Path, shards: list[Path]) -> None:
        with pytest.raises(RecordingError, match="there is something in this directory already"):
            reunite(shards, into=shards[0])


# -- any seconds at all -----------------------------------------------------------------------------------------------


COUNTS = st.integers(0, 50)
PARTS = st.dictionaries(
    st.sampled_from(["outgoing", "long_case"]),
    st.builds(PartFigures, due=COUNTS, started=COUNTS, passed=COUNTS, failed=COUNTS, live=COUNTS, asked=st.just(2.0)),
)
SERIES = st.dictionaries(
    st.sampled_from(["outgoing", "outgoing/hang_up"]), st.lists(st.integers(1, 60_000_000), max_size=5)
)


@st.composite
def rows(draw: st.DrawFn) -> list[Any]:
    """The seconds of a shard, each from 0.1 to 3 s long, with whatever else is recorded between them."""
    at_ns = 0
    entries: list[Any] = []
    for seq in range(1, draw(st.integers(0, 8)) + 1):
        from_ns, at_ns = at_ns, at_ns + draw(st.integers(100, 3_000)) * 1_000_000
        series = {}
        for name, durations in draw(SERIES).items():
            histogram = Histogram()
            for us in durations:
                histogram.record(us)
            series[name] = SeriesFigures(
                "step", histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us, histogram.to_blob()
            )
        causes = [CauseFigures("outgoing", "DeadlinePassed", "waited", draw(COUNTS))] if draw(st.booleans()) else []
        generator = GeneratorFigures(0, 1, seq, (at_ns - from_ns) / 1e9, 0.1, 1.0, 1000)
        traffic = Traffic(*draw(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS)))
        entries.append(
            Second(
                at_ns=at_ns,
                from_ns=from_ns,
                parts=draw(PARTS),
                series=series,
                causes=causes,
                traffic=traffic,
                correctness={"stale": draw(COUNTS)},
                generators=[generator],
            )
        )
        if draw(st.booleans()):
            entries.append(LoadChanged(at_ns=at_ns, text=f"change {seq}"))
    return entries


def as_shard(entries: Iterable[Any], k: int, n: int, later_ms: int) -> list[Any]:
    moment = f"2026-11-27T07:00:{later_ms // 1000:02}.{later_ms % 1000:03}Z"
    (first, *_) = LoadBook(seconds=1, per_s=1).entries()
    last = LoadEnded(at_ns=0, verdict="passed", doubts=[], audit=read_audit(entries))
    return [msgspec.structs.replace(first, shard=f"{k}/{n}", started_at=moment, processes=1), *entries, last]


def read_audit(entries: Iterable[Any]) -> Any:
    figures = figures_of(entries)
    return figures.audit


def figures_of(entries: Iterable[Any]) -> LoadFigures:
    figures = LoadFigures(Path())
    for entry in entries:
        figures.add(entry)
    return figures


@given(st.lists(st.tuples(rows(), st.integers(0, 5_000)), min_size=1, max_size=4))
def test_side_by_side_nothing_is_lost_and_nothing_counts_twice(drawn: list[tuple[list[Any], int]]) -> None:
    records = [as_shard(entries, k, len(drawn), later_ms) for k, (entries, later_ms) in enumerate(drawn, 1)]
    shards = [Shard(Path(), record) for record in records]

    merged = list(side_by_side(shards, records))

    together = figures_of(merged)
    apart = [figures_of(record) for record in records]
    for name in {name for each in apart for name in each.parts}:
        for what in COUNTED:
            assert getattr(together.parts[name], what) == sum(
                getattr(each.parts.get(name, PartFigures()), what) for each in apart
            )
    for name in {name for each in apart for name in each.series}:
        one = Histogram()
        for each in apart:
            if name in each.series:
                one.add(each.series[name].histogram)
        assert together.series[name].histogram.to_blob() == one.to_blob()
    assert sum(cause.count for cause in together.causes) == sum(cause.count for each in apart for cause in each.causes)
    assert together.traffic.sent_bytes == sum(each.traffic.sent_bytes for each in apart)
    assert together.correctness.total() == sum(each.correctness.total() for each in apart)
    assert len(together.changes) == sum(len(each.changes) for each in apart)

    seconds = [entry for entry in merged if isinstance(entry, Second)]
    for before, after in pairwise(seconds):
        assert before.at_ns == after.from_ns
    assert all(second.from_ns < second.at_ns for second in seconds)
    seen = Counter((each.process, each.seq) for second in seconds for each in second.generators)
    assert set(seen.values()) <= {1}
    for second in seconds:
        assert len({each.process for each in second.generators}) == len(second.generators)
    if seconds:
        first_ns = min(shard.began_ns for shard in shards)
        ends = [shard.began_ns - first_ns + shard.last.at_ns for shard in shards if shard.last is not None]
        assert seconds[-1].at_ns == max(ends)


def test_who_was_not_asked_meanwhile_is_as_before() -> None:
    def second(from_s: float, at_s: float, live: int) -> Second:
        return Second(
            at_ns=round(at_s * SECOND_NS),
            from_ns=round(from_s * SECOND_NS),
            parts={"outgoing": PartFigures(asked=5, live=live)},
        )

    quick = as_shard([second(0, 1, 3), second(1, 2, 4), second(2, 3, 5), second(3, 4, 0)], 1, 2, 0)
    stalled = as_shard([second(0, 1.1, 10), second(1.1, 4.1, 20)], 2, 2, 0)
    records: list[list[LoadRecord]] = [quick, stalled]

    merged = side_by_side([Shard(Path(), record) for record in records], records)

    told = [(entry.at_ns / SECOND_NS, entry.parts["outgoing"].live) for entry in merged if isinstance(entry, Second)]
    assert told == [(1, 13), (2, 14), (3, 15), (4.1, 20)]


def test_it_ends_with_the_one_that_ends_last() -> None:
    """Also if that is side by side with an interval before the last of another."""

    def second(from_s: float, at_s: float) -> Second:
        return Second(at_ns=round(at_s * SECOND_NS), from_ns=round(from_s * SECOND_NS))

    records: list[list[LoadRecord]] = [
        as_shard([second(0, 1), second(1, 1.2)], 1, 2, 0),
        as_shard([second(0, 1.4)], 2, 2, 0),
    ]

    merged = side_by_side([Shard(Path(), record) for record in records], records)

    told = [(each.from_ns / SECOND_NS, each.at_ns / SECOND_NS) for each in merged if isinstance(each, Second)]
    assert told == [(0, 1), (1, 1.4)]


def test_processes_are_numbered_through() -> None:
    one = as_shard([Second(at_ns=1, from_ns=0, generators=[GeneratorFigures(1, 1, 1, 1.0, 0.1, 1.0, 1)])], 1, 2, 0)
    two = as_shard(
        [Second(at_ns=1, from_ns=0), ProcessLost(at_ns=2, process=0, seen_ns=1, live={}, text="gone")], 2, 2, 0
    )
    records: list[list[LoadRecord]] = [one, two]

    merged = list(side_by_side([Shard(Path(), record) for record in records], records))

    assert [entry.process for entry in merged if isinstance(entry, ProcessLost)] == [2]

"""What arrives from engines on other machines, gathered as one load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import RecordingError
from antiphon.journal.figures import (
    ConversationKept,
    GeneratorFigures,
    LoadStarted,
    PartFigures,
    Second,
    SeriesFigures,
)
from antiphon.journal.file import JournalWriter
from antiphon.journal.histogram import Histogram
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.load.engine import Snapshot
from antiphon.load.gathering import Gathering, files_of
from antiphon.load.keeping import Keep
from antiphon.load.thresholds import parse
from antiphon.report.load.figures import read_figures

SECOND_NS = 1_000_000_000


def gathering(directory: Path, *thresholds: str, keep: Keep | None = None) -> Gathering:
    started = LoadStarted(
        at_ns=0,
        plan={},
        stand="desk",
        seed=1,
        started_at="2026-11-27T00:00:00Z",
        antiphon="1",
        python="3.11",
        machine="two",
        cpus=2,
        processes=2,
    )
    return Gathering(
        started, 0.0, directory, thresholds=[parse(each) for each in thresholds], keep=keep or Keep(slowest=1)
    )


def told(
    process: int, seq: int, took_us: Sequence[int], *, live: int = 0, kept: Sequence[ConversationKept] = ()
) -> Snapshot:
    """The interval `seq` of a process, in which conversations took so long."""
    histogram = Histogram()
    for us in took_us:
        histogram.record(us)
    series = SeriesFigures(
        "conversation", histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us, histogram.to_blob()
    )
    ended = len(took_us)
    figures = PartFigures(asked=2.0, started=ended + live, passed=ended, live=live, asking_ns=SECOND_NS)
    second = Second(
        at_ns=seq * SECOND_NS,
        from_ns=(seq - 1) * SECOND_NS,
        parts={"calls": figures},
        series={"calls": series} if ended else {},
        generators=[GeneratorFigures(process, 1, seq, wall_s=1.0, cpu_s=0.1, lag_ms=1.0, rss_kib=1)],
    )
    return Snapshot(second, list(kept), is_over=False, problems={})


def kept(number: int, took_us: int, directory: str = "") -> ConversationKept:
    return ConversationKept(
        at_ns=1,
        conversation=f"calls-{number}",
        part="calls",
        number=number,
        why="slowest",
        directory=directory or f"conversations/calls-{number}",
        due_ns=0,
        started_ns=0,
        took_us=took_us,
    )


def test_what_is_merged_is_one_histogram_of_all_counter_by_counter(tmp_path: Path) -> None:
    load, whole = gathering(tmp_path), Histogram()
    for seq in (1, 2, 3):
        for process in (0, 1):
            took = [(seq * 7919 + process * 104_729 + each * 31) % 900_000 + 1 for each in range(500)]
            load.take([told(process, seq, took)], {})
            for us in took:
                whole.record(us)
        load.collect()

    assert load.finish().verdict == "passed"
    assert read_figures(tmp_path).series["calls"].histogram == whole


def test_what_arrives_twice_is_counted_once_and_what_does_not_is_a_doubt(tmp_path: Path) -> None:
    load = gathering(tmp_path)
    load.take([told(0, 1, [5]), told(0, 1, [5]), told(0, 3, [7])], {})
    ended = load.finish()

    assert load.figures.total.passed == 2
    assert ended.verdict == "inconclusive"
    assert ended.doubts == ["process 0: the figures between 1 and 3 are missing"]


def test_who_has_told_nothing_since_is_as_it_was_and_who_told_twice_is_counted_for_both(tmp_path: Path) -> None:
    load = gathering(tmp_path)
    load.take([told(0, 1, [5]), told(1, 1, [5])], {})
    load.collect()
    load.take([told(0, 2, [5]), told(0, 3, [5])], {})
    load.collect()
    load.take([told(1, 2, [5]), told(1, 3, [5])], {})
    load.finish()

    seconds = [each for each in read_load(tmp_path / LOAD_FILE_NAME) if isinstance(each, Second)]
    assert [each.parts["calls"].asked for each in seconds] == [4.0, 4.0, 4.0]
    assert [each.parts["calls"].passed for each in seconds] == [2, 2, 2]
    assert [(each.from_ns, each.at_ns) for each in seconds] == [
        (0, SECOND_NS),
        (SECOND_NS, 3 * SECOND_NS),
        (3 * SECOND_NS, 3 * SECOND_NS),
    ]
    assert seconds[1].parts["calls"].asking_ns == 2 * SECOND_NS


@pytest.mark.parametrize("is_tolerated", [False, True])
def test_who_is_lost_leaves_what_was_under_way(tmp_path: Path, is_tolerated: bool) -> None:
    load = gathering(tmp_path)
    load.take([told(0, 1, [5], live=3), told(1, 1, [5])], {})
    load.collect()
    load.lose(0, "its worker has gone", is_tolerated=is_tolerated)
    load.take([told(1, 2, [5])], {})
    ended = load.finish()

    assert ended.audit.lost == 3
    assert ended.audit.problems == []
    assert load.figures.latest is not None
    assert load.figures.parts["calls"].live == 0
    if is_tolerated:
        assert ended.verdict == "passed"
        assert "process 0 was lost, and its last" in ended.error
    else:
        assert ended.verdict == "inconclusive"
        assert ended.doubts == ["process 0 of the generator was lost: its worker has gone"]


def test_a_threshold_that_is_crossed_for_long_ends_it(tmp_path: Path) -> None:
    load = gathering(tmp_path, "calls p95 < 1ms for 2s", "errors < 1%")
    ends = []
    for seq in range(1, 5):
        load.take([told(0, seq, [5_000])], {})
        ends.append(load.collect())

    assert ends.count(True) == 1
    assert load.finish().verdict == "failed"


def test_of_the_slowest_of_each_the_slowest_of_all_stay(tmp_path: Path) -> None:
    source, directory = tmp_path / "worker", tmp_path / "load"
    directory.mkdir()
    for number in (1, 2):
        path = source / f"conversations/calls-{number}"
        path.mkdir(parents=True)
        (path / "journal.jsonl").write_bytes(b"%d\n" % number)
    load = gathering(directory)
    for process, (number, took_us) in enumerate([(1, 500), (2, 900)]):
        own = [kept(number, took_us)]
        load.take([told(process, 1, [took_us], kept=own)], files_of(own, source))
    load.finish()

    assert [each.conversation for each in read_figures(directory).kept] == ["calls-2"]
    assert [path.name for path in (directory / "conversations").iterdir()] == ["calls-2"]
    assert (directory / "conversations/calls-2/journal.jsonl").read_bytes() == b"2\n"


@pytest.mark.parametrize("path", ["../secret", "/tmp/secret", "conversations/../../secret", "summary.json"])
def test_files_from_elsewhere_stay_below_their_own(tmp_path: Path, path: str) -> None:
    directory = tmp_path / "load"
    directory.mkdir()
    load = gathering(directory)
    load.take([told(0, 1, [5], kept=[kept(1, 5, "conversations/calls-1")])], {path: b"harm"})
    ended = load.finish()

    assert {each.name for each in tmp_path.iterdir()} == {"load"}
    assert {each.name for each in directory.iterdir()} == {LOAD_FILE_NAME}
    assert "a directory that cannot be its own" in ended.error
    assert "its files have not arrived" in ended.error


def test_on_a_full_disk_it_is_broken_off_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class SmallDisk(JournalWriter):
        written = 0

        def __call__(self, entry: Any) -> None:
            self.written += 1
            if self.written > 2:
                raise RecordingError("the journal cannot be written: No space left on device")
            super().__call__(entry)

    monkeypatch.setattr("antiphon.load.gathering.JournalWriter", SmallDisk)
    load = gathering(tmp_path)
    load.take([told(0, 1, [5])], {})
    load.collect()
    load.take([told(0, 2, [5])], {})
    with pytest.raises(RecordingError, match="No space left") as caught:
        load.collect()
    ended = load.finish(caught.value)

    assert ended.verdict == "interrupted"
    assert "No space left" in ended.error
    assert load.figures.total.passed == 2  # in memory all of it is counted
    assert read_figures(tmp_path).total.passed == 1

"""A load's record on disk is read back as it was written, as far as it was written."""

from pathlib import Path

import pytest

from antiphon.errors import RecordingError
from antiphon.journal.figures import (
    Audit,
    CauseFigures,
    ConversationKept,
    GeneratorFigures,
    LoadChanged,
    LoadEnded,
    LoadStarted,
    PartFigures,
    ProcessLost,
    Second,
    SeriesFigures,
    ThresholdJudged,
    Traffic,
)
from antiphon.journal.file import JournalWriter
from antiphon.journal.load_file import LOAD_FILE_NAME, is_load, read_load

ENTRIES = [
    LoadStarted(
        at_ns=0,
        plan={"parts": [{"name": "outgoing", "rate": "20/s"}]},
        stand="local",
        seed=7,
        started_at="2026-11-27T07:00:00Z",
        antiphon="0.1",
        python="3.11.7",
        machine="x86_64, Linux",
        cpus=2,
        processes=1,
        shard="2/8",
    ),
    Second(
        at_ns=1_000_000_000,
        from_ns=0,
        parts={"outgoing": PartFigures(asked=20.0, due=20, started=19, late=1, passed=3, live=16)},
        series={"outgoing/call": SeriesFigures("step", 3, 800, 1200, 3000, "blob", 1, {"newRtc": 2000, "": 1000})},
        causes=[CauseFigures("outgoing", "DeadlinePassed", "waited 5 s for state", 1, "call", "text", "outgoing-4")],
        traffic=Traffic(5, 6, 700, 800),
        correctness={"duplicate": 1},
        generators=[GeneratorFigures(0, 4711, 1, 1.0, 0.25, 3.5, 60_000, 12)],
    ),
    LoadChanged(at_ns=1_100_000_000, text="rate raised", asked={"outgoing": 25.0}),
    ProcessLost(at_ns=1_200_000_000, process=1, seen_ns=1_000_000_000, live={"outgoing": 8}, text="killed by SIGKILL"),
    ConversationKept(
        at_ns=1_300_000_000,
        conversation="outgoing-4",
        part="outgoing",
        number=4,
        why="failed",
        directory="conversations/outgoing-4",
        due_ns=200_000_000,
        started_ns=200_100_000,
        took_us=1_000_000,
        parameters={"telephone": "890000002"},
        users={"operator": "op-4"},
        cause="waited 5 s for state",
    ),
    ThresholdJudged(at_ns=1_400_000_000, threshold="errors < 1%", has_passed=False, measured="errors were 5 %"),
    LoadEnded(at_ns=1_500_000_000, verdict="failed", doubts=[], audit=Audit(19, 18, 1)),
]


def write(path: Path) -> Path:
    writer = JournalWriter(path)
    for entry in ENTRIES:
        writer(entry)
    writer.close()
    return path


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    assert not is_load(tmp_path)
    path = write(tmp_path / LOAD_FILE_NAME)

    assert is_load(tmp_path)
    assert [repr(entry) for entry in read_load(path)] == [repr(entry) for entry in ENTRIES]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_last_line_that_was_cut_is_left_out(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / LOAD_FILE_NAME)
    path.write_bytes(path.read_bytes()[:-cut])

    assert len(list(read_load(path))) == len(ENTRIES) - 1


def test_a_damaged_line_is_one_error_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / LOAD_FILE_NAME)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"kind":"load-changed","at_ns":"soon"}\n'
    path.write_bytes(b"".join(lines))
    entries = read_load(path)

    assert [type(next(entries)).__name__, type(next(entries)).__name__] == ["LoadStarted", "Second"]
    with pytest.raises(RecordingError, match=r"this line is no entry of a load.*\n.*load\.jsonl:3"):
        next(entries)


def test_no_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no load can be read: No such file"):
        list(read_load(tmp_path / LOAD_FILE_NAME))

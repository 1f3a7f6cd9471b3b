"""The end of a load on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from load_records import LoadBook, write_record

from antiphon.errors import plain_text
from antiphon.report.failure_text import painted
from antiphon.report.load import wording
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.summary import LoadSummary
from antiphon.report.load.text import depth_and_name, lines, split, step_told, text_lines

GOLDEN = Path(__file__).parent / "golden"


def agrees(text: str, name: str) -> None:
    path = GOLDEN / name
    if "WRITE_GOLDEN" in os.environ:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


def test_a_load_that_lost_a_process_beside_its_baseline(summary: LoadSummary) -> None:
    agrees(plain_text(text_lines(summary)), "inconclusive.txt")


def test_a_load_that_passed(good: LoadSummary) -> None:
    agrees(plain_text(text_lines(good)), "passed.txt")


def test_the_verdict_stands_first_and_has_a_colour(load: Callable[..., LoadFigures], good: LoadSummary) -> None:
    assert text_lines(good)[0][0] == ("PASSED, VALID", "wanted")
    assert lines(load())[0][0] == ("FAILED, VALID", "found")
    assert lines(load(loses_process=True))[0][0] == ("INCONCLUSIVE", "late")
    assert len(painted(lines(load()))) == len(lines(load()))


def test_a_load_that_was_killed_tells_what_was(tmp_path: Path) -> None:
    first, *told = plain_text(lines(read_figures(write_record(tmp_path, LoadBook(seconds=10).entries()[:4])))).split(
        "\n"
    )
    assert first == "UNFINISHED, INCONCLUSIVE: busy_day on local, 3.0 s"
    assert told[0] == "  doubt: the record has no end: the load was killed, or is still under way"
    assert any("outbound_call" in line for line in told)


def test_of_many_causes_the_first_are_told(good: LoadSummary) -> None:
    cause = good.causes[0]
    many = [msgspec.structs.replace(cause, text=f"cause {number}", count=30 - number) for number in range(14)]
    text = plain_text(text_lines(msgspec.structs.replace(good, causes=many)))
    assert "cause 9" in text
    assert "cause 10" not in text
    assert "and 74 failures of 4 other causes" in text


def test_the_step_of_a_cause_is_told_once(good: LoadSummary) -> None:
    cause = msgspec.structs.replace(good.causes[0], step="dial", text="waited for state")
    assert step_told(cause) == " in dial"
    assert step_told(msgspec.structs.replace(cause, text="waited for state, in dial at desk.py:57")) == ""
    assert step_told(msgspec.structs.replace(cause, step="")) == ""


def test_what_takes_no_time_is_no_part_of_a_step(good: LoadSummary) -> None:
    step = next(series for series in good.series if series.name == "outgoing/log_in")
    told = split(msgspec.structs.replace(step, mean_ms=40.0, split_ms={"late": 0.0004, "POST /login": 39.0, "": 1.0}))
    assert told == "outgoing/log_in 40 ms = POST /login 39 ms + ours 1.0 ms"
    assert split(msgspec.structs.replace(step, split_ms={"": 1.0})) == ""


def test_what_a_peer_said_moves_no_cursor(summary: LoadSummary) -> None:
    text = plain_text(text_lines(summary))
    assert "\\u202e\\x00\\x1b[31m" in text
    assert not {"\x00", "\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("us", "told"),
    [
        *((0, "0 µs"), (812, "812 µs"), (999.4, "999 µs"), (999.6, "1.0 ms"), (9_949, "9.9 ms"), (9_960, "10 ms")),
        *((999_499, "999 ms"), (999_600, "1.000 s"), (5_001_215, "5.001 s"), (99_999_400, "99.999 s")),
        (120_000_000, "120 s"),
    ],
)
def test_durations(us: float, told: str) -> None:
    assert wording.took(us) == told


def test_rates_shares_sizes_and_times() -> None:
    assert [wording.rate(each) for each in (0, 19.04, 1_234.5, 0.1)] == ["0.0/s", "19.0/s", "1,234.5/s", "6.0/min"]
    shares = (0, 0.0001, 0.042, 0.9999, 1)
    assert [wording.percent(each) for each in shares] == ["0.0 %", "< 0.1 %", "4.2 %", "> 99.9 %", "100.0 %"]
    sizes = (12, 5_000, 7_000_000, 9_000_000_000)
    assert [wording.size(each) for each in sizes] == ["12 B", "4.9 KiB", "6.7 MiB", "8.4 GiB"]
    times = (0.8, 12.54, 59.96, 125, 7_260)
    assert [wording.lasted(round(each * 1e9)) for each in times] == [
        *("800 ms", "12.5 s", "1 min 0 s", "2 min 5 s", "2 h 1 min")
    ]
    assert [wording.change(each) for each in (1.123, 0.96, 5.2)] == ["+12.3 %", "-4.0 %", "× 5.2"]
    assert [wording.amount(each, "failure") for each in (1, 2_281)] == ["1 failure", "2,281 failures"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("outgoing", (0, "outgoing")),
        ("outgoing/dial", (1, "dial")),
        ("outgoing/dial/newRtc", (2, "newRtc")),
        ("outgoing/dial/POST /calls/*", (2, "POST /calls/*")),
        ("outgoing/POST /login", (1, "POST /login")),
        ("edit/open/textDocument/didOpen", (2, "textDocument/didOpen")),
    ],
)
def test_where_a_series_stands(name: str, told: tuple[int, str]) -> None:
    assert depth_and_name(name) == told


ALL_COLUMNS = ["count", "errors", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"]


@pytest.mark.parametrize("width", [500, 100, 80, 70, 10])
def test_on_a_narrow_terminal_a_row_is_a_line(good: LoadSummary, width: int) -> None:
    """What is left out is missed least; what thresholds are mostly about stays, however narrow it is."""
    told = plain_text(text_lines(good, width=width)).split("\n")
    at = next(number for number, line in enumerate(told) if line.split()[:2] == ["count", "errors"])
    rows = told[at : told.index("", at)]
    columns = rows[0].split()

    assert len(rows) == 1 + len(good.series)
    assert [name for name in ALL_COLUMNS if name in columns] == columns
    assert set(columns) >= {"count", "errors", "p95", "p99", "max"}
    assert width < 80 or all(len(row) <= width for row in rows)
    assert (columns == ALL_COLUMNS) == (width == 500)

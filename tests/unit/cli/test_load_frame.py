"""A load put into lines: what is told, that it fits, and that nothing in it harms the terminal."""

from __future__ import annotations

import re
from itertools import product

import pytest
from load_records import LoadBook
from load_watching import FakeDirector

from antiphon.cli.load_frame import Course, clock, frame, plain_line, sparkline
from antiphon.cli.load_picture import LoadPicture, shown_series
from antiphon.journal.figures import CauseFigures, LoadStarted, Second
from antiphon.load.looking import Looked
from antiphon.report.text import ASCII, UNICODE

USERS = frozenset({"long_case"})
HOSTILE = "\x1b[2J\x1b]0;harm\x07 \u202e <script>"


class Seeing:
    def __init__(self) -> None:
        self.picture = LoadPicture()
        self.director = FakeDirector()

    def see(self, entry: object) -> None:
        point = self.director.figures.latest
        self.picture.add(entry, shown_series(point) if point is not None and isinstance(entry, Second) else {})


@pytest.fixture(scope="module")
def picture() -> LoadPicture:
    """75 seconds of the load: a server has stalled, a fifth fails."""
    seeing = Seeing()
    seeing.director.play(seeing, LoadBook(seconds=120, failing=0.2).entries()[:76])
    return seeing.picture


def course(**changed: object) -> Course:
    known = {"title": "busy_day", "at_s": 75.0, "length_s": 120.0, "users": USERS, "keys": "p pause"}
    return Course(**{**known, **changed})  # type: ignore[arg-type]


def text_of(picture: LoadPicture, told: Course, width: int = 79, height: int = 24) -> str:
    return "\n".join(line.plain for line in frame(picture, told, width, height, UNICODE))


def test_all_that_is_wanted_stands_on_a_small_terminal(picture: LoadPicture) -> None:
    text = text_of(picture, course())
    total = picture.total
    for told in (
        "busy_day on local",
        "running",
        "01:15 of 02:00, 00:45 left",
        "rate 20.0/20.0 /s  users",
        f"live {total.live}",
        f"begun {total.started:,}   passed {total.passed:,}   failed {total.failed:,}",
        f"late {total.late}",
        "the last 10 s                 count  errors      p50      p95      p99      max",
        "  outbound_call",
        "× outbound_call: waited 5 s for newWorkitemState where state=connected",
        "of a core, loop late",
        "p pause",
    ):
        assert told in text, told
    assert re.search(r"messages \d+/s out, \d+/s in", text)
    assert re.search(r"rate  [▁▂▃▄▅▆▇█]{45} 2\d\.\d/s", text)
    assert re.search(r"p95   [▁▂▃▄▅▆▇█]{45} [\d.]+ m?s outbound_call", text)


@pytest.mark.parametrize(("width", "height"), [*product((1, 60, 79, 139, 300), (1, 5, 10, 24, 60))])
def test_it_fits(picture: LoadPicture, width: int, height: int) -> None:
    lines = frame(picture, course(), width, height, UNICODE)
    assert len(lines) == height
    assert max(line.cell_len for line in lines) <= max(width, 60)


def test_the_keys_stand_at_the_bottom(picture: LoadPicture) -> None:
    for height in (24, 50):
        assert text_of(picture, course(), height=height).splitlines()[-1] == "p pause"


def test_too_many_actions_are_counted(picture: LoadPicture) -> None:
    text = text_of(picture, course(), height=14)
    shown = [row for row in picture.rows if f"\n{row.name.rpartition('/')[2]} " in text.replace("\n  ", "\n")]
    assert f"and {len(picture.rows) - len(shown)} more, in the report" in text
    assert "why conversations failed" in text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"is_paused": True}, "paused"),
        ({"is_ending": True, "is_paused": True}, "ending\n01:15   nothing new begins"),
        ({"length_s": None, "count": 3000}, "of 3,000 begun"),
        ({"length_s": None}, "01:15, until it is ended"),
        ({"at_s": 3_723.0, "length_s": 7_200.0}, "1:02:03 of 2:00:00, 57:57 left"),
    ],
)
def test_how_far_it_is(picture: LoadPicture, changed: dict[str, object], told: str) -> None:
    assert told in text_of(picture, course(**changed))


def test_before_the_first_second_there_is_nothing_to_tell() -> None:
    text = text_of(LoadPicture(), course(at_s=0.0))
    assert "rate 0.0/0.0 /s" in text
    assert "why conversations failed" not in text
    assert plain_line(LoadPicture(), course(at_s=0.0)).startswith("00:00  rate 0.0/0.0 /s  live 0  passed 0  failed 0")


def test_what_a_peer_said_cannot_move_the_cursor() -> None:
    seeing = Seeing()
    causes = [CauseFigures("calls", "ValueError", HOSTILE, 3, HOSTILE), CauseFigures("calls", "E", "\n", 1)]
    seeing.director.play(seeing, [Second(at_ns=10**9, from_ns=0, causes=causes)])
    lines = [line.plain for line in frame(seeing.picture, course(title=HOSTILE), 79, 24, UNICODE)]
    for line in [*lines, plain_line(seeing.picture, course())]:
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line), line


def test_a_terminal_without_our_signs_gets_others(picture: LoadPicture) -> None:
    lines = frame(picture, course(title="née"), 79, 24, ASCII)
    assert all(line.plain.isascii() for line in lines)
    assert max(line.cell_len for line in lines) <= 79


def test_the_plain_line_says_what_matters(picture: LoadPicture) -> None:
    line = plain_line(picture, course())
    told = r"01:15  rate 20\.0/20\.0 /s  users \d/8  live \d+  passed [\d,]+  failed \d+  late \d+  "
    assert re.match(told + r"outbound_call p95 \S+ m?s  ", line)
    assert re.search(r"errors: \d+ × waited 5 s for newWorkitemState where .*, and 2 other causes$", line)


@pytest.mark.parametrize("height", [14, 24, 50])
def test_a_conversation_that_is_looked_at_stands_below_the_table(picture: LoadPicture, height: int) -> None:
    looked = Looked("outgoing-17", "held", [f"line {number} {HOSTILE}" for number in range(40)])
    lines = [line.plain for line in frame(picture, course(looked=looked), 79, height, UNICODE)]
    assert len(lines) == height
    head = lines.index("outgoing-17  all is done, and it is held open")
    assert lines[-3].startswith("line 39 "), "the latest"
    assert [line.split()[1] for line in lines[head + 1 : -2]] == [
        f"{n}" for n in range(40 - (len(lines) - head - 3), 40)
    ]
    assert any("outgoing " in line for line in lines[6:head]), "the table is still there"
    assert not any(re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line) for line in lines)


def test_a_stand_without_a_name_is_left_out(picture: LoadPicture) -> None:
    seeing = Seeing()
    started = next(entry for entry in LoadBook(seconds=1).entries() if isinstance(entry, LoadStarted))
    started.stand = ""
    seeing.director.play(seeing, [started])
    assert text_of(seeing.picture, course()).startswith("busy_day   ")


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 10, ""),
        ([0, 0], 10, "▁▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], 10, "▁▂▃▄▅▆▇█"),
        ([9, 1, 2], 2, "▅█"),
        ([1], 0, ""),
    ],
)
def test_sparklines(values: list[float], width: int, line: str) -> None:
    assert sparkline(values, width, UNICODE) == line


def test_clock() -> None:
    assert [clock(t_s) for t_s in (-0.3, 0, 59.9, 60, 3599, 3600)] == [
        *("00:00", "00:00", "00:59", "01:00", "59:59", "1:00:00")
    ]

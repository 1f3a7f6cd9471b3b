"""The line that tells what a run waits for."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.cli.progress import Progress
from antiphon.journal import Argument, RunStarted, StepEnded, StepStarted, WaitEnded, WaitStarted

S = 1_000_000_000


def started(at_s: float, number: int = 1, within_s: float | None = 10, name: str = "news") -> WaitStarted:
    deadline_ns = int((at_s + within_s) * S) if within_s is not None else None
    return WaitStarted(
        at_ns=int(at_s * S),
        number=number,
        actor="alice",
        channel="desk",
        awaits="message",
        name=name,
        step=0,
        deadline_ns=deadline_ns,
        source="",
    )


def paused(at_s: float, length_s: Any) -> StepStarted:
    arguments = [Argument(length_s)]
    return StepStarted(at_ns=int(at_s * S), number=7, parent=0, actor="", action="wait", arguments=arguments, source="")


@pytest.fixture
def progress() -> Progress:
    progress = Progress()
    run = RunStarted(
        at_ns=0, scenario="s", parameters={}, actors={}, stand="", started_at="", antiphon="", python="", pid=1
    )
    progress.note(run, 100.0)
    return progress


def test_nothing_is_told_of_a_short_wait(progress: Progress) -> None:
    progress.note(started(0.5), 100.5)
    assert progress.line(101.4, 80) == ""


def test_a_long_wait_is_told_with_its_deadline(progress: Progress) -> None:
    progress.note(started(0.5), 100.5)
    assert progress.line(105.5, 80) == "[######......] 5 of 10 s  alice: news"


def test_one_without_a_deadline_has_no_end(progress: Progress) -> None:
    progress.note(started(0, within_s=None), 100.0)
    assert progress.line(130.0, 80) == "30 s  alice: news"


def test_the_oldest_of_several_is_told(progress: Progress) -> None:
    progress.note(started(3, number=2, name="later"), 103.0)
    progress.note(started(1, number=1, name="first"), 103.0)
    assert progress.line(105.0, 80) == "[#####.......] 4 of 10 s  alice: first, and 1 more"


def test_what_is_over_is_told_no_longer(progress: Progress) -> None:
    progress.note(started(0), 100.0)
    progress.note(WaitEnded(at_ns=2 * S, number=1, outcome="satisfied"), 102.0)
    assert progress.line(110.0, 80) == ""


@pytest.mark.parametrize(
    ("length_s", "line"),
    [(5, "[#######.....] 3 of 5 s  wait"), ({"$shown": "saved.pause"}, "3 s  wait"), (0, "3 s  wait")],
)
def test_a_timed_wait_is_told_too(progress: Progress, length_s: Any, line: str) -> None:
    progress.note(paused(1, length_s), 101.0)
    assert progress.line(104.0, 80) == line
    progress.note(StepEnded(at_ns=5 * S, number=7, outcome="passed"), 105.0)
    assert progress.line(105.0, 80) == ""


def test_it_fits_its_line_also_when_it_is_overdue(progress: Progress) -> None:
    progress.note(started(0, name="x" * 200), 100.0)
    line = progress.line(120.0, 40)
    assert line.startswith("[############] 20 of 10 s  alice: xx")
    assert len(line) <= 39

"""A generator in a process of its own, as whoever drives it sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from antiphon import LoadInconclusive, Plan, ScenarioError, Stand, part, play_load, scenario
from antiphon.journal.figures import Second
from antiphon.load import processes
from antiphon.load.director import Director
from antiphon.load.keeping import Keep
from antiphon.load.orders import Begin, Order, Prepare, Ready, Said, SetRate, StandData, Start, Stop, line_of
from antiphon.load.processes import ProcessDied, ProcessGenerator
from antiphon.load.shares import WHOLE
from antiphon.load.target import Target, plan_of
from antiphon.report.load.figures import read_figures
from antiphon.runtime.event_loop import run_in_loop

PATIENCE_S = 30.0


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """What a process is told first: a scenario that does nothing, ten times a second."""
    file = tmp_path / "idle.py"
    file.write_text("from antiphon import scenario\n\n\n@scenario\nasync def idle() -> None: ...\n")
    return Begin(
        target=Target(str(file), "idle", rate="10/s"),
        seed=1,
        stand=StandData.of(Stand("test", {}), WHOLE),
        share=WHOLE,
        process=0,
        directory=None,
        keep=None,
    )


def test_one_that_is_gone_takes_every_word_and_says_so_where_it_is_asked(begin: Begin) -> None:
    async def talk_to_the_dead() -> None:
        generator = await ProcessGenerator.begin(begin)
        os.kill(generator.pid, signal.SIGKILL)
        with pytest.raises(ProcessDied, match="SIGKILL"):
            await generator.snapshot()
        generator.start(0.0)
        generator.set_rate({"idle": 5.0}, 1.0)
        generator.set_users({"idle": 5}, 1.0)
        generator.pause(True, 1.0)
        generator.adopt(WHOLE, 1.0, {"idle": 0})
        generator.look(1, False)
        generator.end()
        with pytest.raises(ProcessDied, match="SIGKILL"):
            await generator.stop()
        await generator.kill()

    run_in_loop(talk_to_the_dead())


def test_one_that_does_not_come_to_be_ready_is_given_up(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(begin.target.file).write_text("import threading\n\nthreading.Event().wait()\n")
    monkeypatch.setattr(processes, "READY_WITHIN_S", 0.5)

    with pytest.raises(ScenarioError, match=r"was not ready within 0\.5 s, and was ended") as caught:
        run_in_loop(ProcessGenerator.begin(begin))

    assert caught.value.place == begin.target.file
    assert "where the file is imported" in str(caught.value)


def test_a_load_that_does_not_come_to_its_beginning_has_an_end(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @scenario
    async def idle() -> None: ...

    Path(begin.target.file).write_text("import threading\n\nthreading.Event().wait()\n")
    monkeypatch.setattr(processes, "READY_WITHIN_S", 0.5)
    plan, stand = Plan(part(idle, count=1)), Stand("test", {})

    with pytest.raises(ScenarioError, match="was not ready"):
        play_load(plan, stand=stand, directory=tmp_path, processes=1, target=begin.target)

    ended = read_figures(tmp_path).ended
    assert ended is not None
    assert ended.verdict == "interrupted"
    assert "was not ready" in ended.error


def test_one_that_is_asked_to_end_with_all_others_still_tells_what_it_measured(begin: Begin) -> None:
    async def stop_after_signals() -> None:
        generator = await ProcessGenerator.begin(begin)
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(generator.pid, number)
            assert not (await generator.snapshot()).is_over
            assert (await generator.stop()).is_over
        finally:
            await generator.kill()

    run_in_loop(stop_after_signals())


def worker_of(*orders: Order) -> subprocess.Popen[bytes]:
    """A process that is told these, and hears further ones at its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "antiphon.load.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(b"".join(line_of(order) for order in orders))
    process.stdin.flush()
    return process


def said_by(process: subprocess.Popen[bytes]) -> Any:
    assert process.stdout is not None
    return msgspec.json.decode(process.stdout.readline(), type=Said)


def test_one_that_is_steered_has_read_the_plan_before_it_is_told_its_share(begin: Begin) -> None:
    steered = msgspec.structs.replace(begin, is_steered=True)
    with worker_of(Prepare(begin.target)) as process:
        assert said_by(process) == Ready()
        Path(begin.target.file).unlink()
        assert process.stdin is not None
        steering = [SetRate({"idle": 1.0}, 0.0), SetRate({"idle": 0.0}, 50.0)]
        process.stdin.write(b"".join(map(line_of, [steered, Start(time.time() - 100.0), *steering, Stop()])))
        process.stdin.flush()
        assert said_by(process) == Ready()
        assert said_by(process).second.parts["idle"].due == 50
        assert process.wait(PATIENCE_S) == 0


def test_one_that_cannot_be_prepared_says_why(begin: Begin) -> None:
    Path(begin.target.file).unlink()
    with worker_of(Prepare(begin.target)) as process:
        assert "there is no file" in said_by(process).error
        assert process.wait(PATIENCE_S) == 1


def test_one_to_which_nobody_says_anything_any_more_ends(begin: Begin) -> None:
    alone = msgspec.structs.replace(begin, is_steered=True, alone_s=0.2)
    with worker_of(alone, Start(time.time())) as process:
        assert said_by(process) == Ready()
        assert process.wait(PATIENCE_S) == 1  # its input is still open


class Raising:
    """Raises the rate when the load begins, and kills its first process when it has been heard twice."""

    def __init__(self) -> None:
        self._heard = 0

    def begin(self, director: Director, /) -> None:
        director.change({"numbered": 100.0}, "more")

    def see(self, entry: Any, /) -> None:
        if isinstance(entry, Second):
            self._heard += 1
            if self._heard == 2:
                os.kill(entry.generators[0].pid, signal.SIGKILL)

    def close(self) -> None: ...


@pytest.mark.slow
def test_of_a_load_that_was_raised_and_lost_a_process_nothing_is_given_twice(tmp_path: Path) -> None:
    file = tmp_path / "numbered.py"
    file.write_text("from antiphon import scenario\n\n\n@scenario\nasync def numbered(number: int) -> None: ...\n")
    (tmp_path / "numbers.csv").write_text("number\n" + "".join(f"{number}\n" for number in range(2_000)))
    feeds = [(str(tmp_path / "numbers.csv"), "unique")]
    target = Target(str(file), "numbered", rate="20/s", during="5s", feeds=feeds)
    table = tmp_path / "rows.csv"

    with pytest.raises(LoadInconclusive):
        play_load(
            plan_of(target),
            stand=Stand("test", {}),
            directory=tmp_path,
            processes=2,
            target=target,
            table=f"{table}:conversation,number",
            watch=Raising(),
            keep=Keep(0, 0),
        )

    figures = read_figures(tmp_path)
    assert len(figures.lost) == 1
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    numbers = [int(number) for _, number in rows]
    assert [name for name, _ in rows] == [f"numbered-{number}" for number in numbers]
    assert len(numbers) == len(set(numbers)) > 300
    assert sorted(number for number in numbers if number % 2) == list(range(1, 500, 2))
    # Of the share that was lost, what it had begun and not told yet is all that is left out: not a second's.
    of_lost = [number for number in numbers if number % 2 == 0]
    assert len(range(0, max(of_lost) + 1, 2)) - len(of_lost) < 50

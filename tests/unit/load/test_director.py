"""When a load ends: by its plan, and not a moment before its last conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from antiphon import Plan, part, scenario
from antiphon.journal.figures import PartFigures, Second
from antiphon.load.director import Director, Seat
from antiphon.load.engine import Snapshot
from antiphon.load.processes import ProcessDied
from antiphon.load.shares import WHOLE, Share
from antiphon.load.trust import audit_of
from antiphon.report.load.figures import LoadFigures
from antiphon.testing import VirtualTimeLoop


@scenario
async def idle() -> None: ...


class Slow:
    """A generator that is late: it is over when so many seconds have passed, and notes when it is told to end."""

    def __init__(self, over_s: float) -> None:
        self.ended_s: float | None = None
        self._over_s = over_s
        self._now_s = asyncio.get_running_loop().time
        self._began_s = self._now_s()

    def start(self, _at: float) -> None:
        self._began_s = self._now_s()

    def end(self) -> None:
        self.ended_s = self._now_s() - self._began_s

    async def snapshot(self) -> Snapshot:
        return self._snapshot()

    async def stop(self) -> Snapshot:
        return self._snapshot()

    def _snapshot(self) -> Snapshot:
        elapsed_s = self._now_s() - self._began_s
        return Snapshot(Second(at_ns=round(elapsed_s * 1e9), from_ns=0), [], elapsed_s > self._over_s, {})


def directed(plan: Plan, over_s: float) -> float | None:
    """When a generator that takes so long is told to begin nothing more."""

    async def direct() -> float | None:
        slow: Any = Slow(over_s)
        figures = LoadFigures(Path())
        await Director(plan, [Seat(slow, WHOLE, 0)], figures.add, figures).direct()
        ended: float | None = slow.ended_s
        return ended

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(direct())


def test_a_count_ends_when_all_of_it_has_begun_and_ended() -> None:
    assert directed(Plan(part(idle, rate="2/s", count=3)), over_s=7) is None


@pytest.mark.parametrize(
    "plan", [Plan(part(idle, rate="2/s"), during=5), Plan(part(idle, users=2, count=10**6), during=5)]
)
def test_a_time_ends_when_it_is_over(plan: Plan) -> None:
    assert directed(plan, over_s=7) == pytest.approx(5.3, abs=0.2)


class DyingAtTheEnd(Slow):
    """All that it was to perform is over when it is gone, but for its last word."""

    async def stop(self) -> Snapshot:
        raise ProcessDied("it was ended by SIGKILL", ())


@pytest.mark.parametrize("others", [0, 1])
def test_a_process_that_dies_before_its_last_word_is_a_doubt(others: int) -> None:
    """Also where another has told all, and nothing was under way: what it kept, and measured last, nobody knows."""

    async def direct() -> list[str]:
        seats: list[Any] = [DyingAtTheEnd(over_s=3), *(Slow(over_s=3) for _ in range(others))]
        figures, plan = LoadFigures(Path()), Plan(part(idle, rate="2/s", count=3))
        director = Director(plan, [Seat(each, WHOLE, at) for at, each in enumerate(seats)], figures.add, figures)
        await director.direct()
        return director.trust.doubts(figures, audit_of(figures))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert "process 0 of the generator was lost: it was ended by SIGKILL" in runner.run(direct())


class Piped(Slow):
    """A generator whose answers come in a row, a while after they were asked for, as those of another process do."""

    def __init__(self) -> None:
        super().__init__(over_s=60)
        self.answers: asyncio.Queue[Snapshot] = asyncio.Queue()
        self.is_asked = asyncio.Event()

    async def snapshot(self) -> Snapshot:
        return await self._asked()

    async def stop(self) -> Snapshot:
        return await self._asked()

    async def _asked(self) -> Snapshot:
        self.is_asked.set()
        asyncio.get_running_loop().call_later(0.2, self.answers.put_nowait, self._snapshot())
        return await self.answers.get()


def test_a_load_that_is_told_to_end_while_it_waits_for_figures_records_these_and_the_last() -> None:
    async def direct() -> tuple[LoadFigures, Piped]:
        piped = Piped()
        seat: Any = piped
        figures = LoadFigures(Path())
        director = Director(Plan(part(idle, rate="2/s"), during=5), [Seat(seat, WHOLE, 0)], figures.add, figures)
        directing = asyncio.ensure_future(director.direct())
        await piped.is_asked.wait()
        directing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await directing
        return figures, piped

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        figures, piped = runner.run(direct())
    assert figures.entries == 2
    assert piped.answers.empty()


class Told(Slow):
    """A generator that notes what it is told; when it was asked so many times it is lost, having come so far."""

    def __init__(self, lost_in: int | None = None, reached: Sequence[int] = ()) -> None:
        super().__init__(over_s=5)
        self.told: list[Any] = []
        self.adopted: list[Any] = []
        self._lost_in = lost_in
        self._reached = reached

    def set_rate(self, rates: Any, _from_s: float) -> None:
        self.told.append(rates)

    def pause(self, is_paused: bool, _from_s: float) -> None:
        self.told.append(is_paused)

    def adopt(self, share: Any, _from_s: float, reached: Any) -> None:
        self.told.append("adopt")
        self.adopted.append((str(share), reached))

    async def snapshot(self) -> Snapshot:
        if self._lost_in is not None:
            self._lost_in -= 1
            if self._lost_in < 0:
                raise ProcessDied("it was ended by SIGKILL", self._reached)
        return self._snapshot()


def test_whoever_takes_over_a_lost_share_hears_what_was_changed() -> None:
    async def direct() -> list[Any]:
        generators: list[Any] = [Told(lost_in=0), Told()]
        seats = [Seat(each, Share(number, 2), number) for number, each in enumerate(generators)]
        figures = LoadFigures(Path())
        director = Director(Plan(part(idle, rate="2/s"), during=9), seats, figures.add, figures)
        directing = asyncio.ensure_future(director.direct())
        await asyncio.sleep(0.5)
        director.change({"idle": 5.0}, "more")
        director.pause(True)
        await directing
        told: list[Any] = generators[1].told
        return told

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        told = runner.run(direct())
    assert told == [{"idle": 5.0}, True, "adopt", {"idle": 5.0}, True]


def test_a_share_that_was_taken_over_is_taken_over_again_where_it_was_left() -> None:
    @scenario
    async def other() -> None: ...

    async def direct() -> tuple[list[Any], list[Any]]:
        generators: list[Any] = [Told(0, [6, 3]), Told(1, [10, 1, 18]), Told()]
        seats = [Seat(each, Share(number, 3), number) for number, each in enumerate(generators)]
        figures = LoadFigures(Path())
        plan = Plan(part(idle, rate="2/s"), part(other, rate="1/s"), during=9)
        await Director(plan, seats, figures.add, figures).direct()
        return generators[1].adopted, generators[2].adopted

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        heir, last = runner.run(direct())
    left = {"idle": 6, "other": 3}
    assert heir == [("1/6", left)]
    # Its own share, and the half that it had taken over: of `other` it had begun nothing more.
    assert last == [("4/6", left), ("2/3", {"idle": 10, "other": 1}), ("1/6", {"idle": 18, "other": 3})]


class Stubborn(Slow):
    """A generator whose conversations do not end, whoever asks them to."""

    def __init__(self) -> None:
        super().__init__(over_s=60)
        self.is_asked = asyncio.Event()

    async def snapshot(self) -> Snapshot:
        told = self._snapshot()
        told.second.parts["idle"] = PartFigures(due=3, started=3, live=3)
        return told

    async def stop(self) -> Snapshot:
        self.is_asked.set()
        await asyncio.Event().wait()
        raise AssertionError


def test_of_a_load_that_is_told_to_end_twice_the_books_agree() -> None:
    async def direct() -> LoadFigures:
        stubborn: Any = Stubborn()
        figures = LoadFigures(Path())
        plan = Plan(part(idle, users=3), during=60)
        director = Director(plan, [Seat(stubborn, WHOLE, 0)], figures.add, figures)
        directing = asyncio.ensure_future(director.direct())
        await asyncio.sleep(1.5)
        directing.cancel()
        await stubborn.is_asked.wait()
        directing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await directing
        return figures

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        figures = runner.run(direct())
    audit = audit_of(figures)
    assert (audit.started, audit.lost, audit.problems) == (3, 3, [])
    assert [lost.text for lost in figures.lost] == ["it was given up, since the load was told to end once more"]

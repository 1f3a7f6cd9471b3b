"""Drives a load from its first conversation to its last: tells the generators, collects each second what they measured,
records it, and ends when the plan does, or a threshold, or whoever watches."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from antiphon.journal.figures import ConversationKept, LoadChanged, ProcessLost, Second, ThresholdJudged
from antiphon.load.clock import LoadClock
from antiphon.load.engine import Generator, Snapshot
from antiphon.load.judging import Judging, with_one_about_errors
from antiphon.load.looking import Looked
from antiphon.load.merging import beside
from antiphon.load.plan import Plan
from antiphon.load.processes import ProcessDied
from antiphon.load.shares import Share
from antiphon.load.table import TableFile
from antiphon.load.trust import Trust
from antiphon.load.verdicts import Verdict
from antiphon.report.load.figures import LoadFigures

__all__ = ["Director", "Seat"]

INTERVAL_S: Final = 1.0
"""How often it is asked what was measured."""

LEAD_S: Final = 0.3
"""How long before its time 0 a load is told when that is, so that all generators hear of it before."""


class Seat:
    """A generator, which shares of the load it was given, and what is known of it."""

    def __init__(self, generator: Generator, share: Share, process: int) -> None:
        self.generator = generator
        self.process = process
        self.shares: list[tuple[Share, dict[str, int]]] = [(share, {})]
        """Each with the numbers that had been reached in it when it was given."""
        self.is_over = False
        self.seen_ns = 0
        self.live: dict[str, int] = {}


class Director:
    """`record` is called with each entry of the load's record; what is known so far is in `figures`.

    `baseline` is the load that thresholds may compare with, `choose` says which of the conversations that all
    generators kept stay. Whoever watches says `change`, `pause`, `end` and `look`; `looked` is what was seen
    of the conversation that is looked at, as of the last interval.
    """

    def __init__(
        self,
        plan: Plan,
        seats: Sequence[Seat],
        record: Callable[[Any], None],
        figures: LoadFigures,
        *,
        baseline: LoadFigures | None = None,
        tables: Sequence[TableFile] = (),
        choose: Callable[[list[ConversationKept]], list[ConversationKept]] = list,
    ) -> None:
        self.plan = plan
        self.figures = figures
        self.trust = Trust()
        self.is_paused = False
        self.latest: Second | None = None
        self.looked: Looked | None = None
        self._changed: dict[str, float] = {}
        self._looks = 0
        self._is_held = False
        self._seats = list(seats)
        self._record = record
        self._tables = tables
        self._choose = choose
        self._judging = Judging(with_one_about_errors(plan.thresholds), baseline)
        # Not when the last of a count is due: whoever is to begin it may hear of the end first.
        self._duration_s = max(part.profile.duration_s for part in plan.parts)
        self._open = {part.name for part in plan.parts if part.is_open}
        self._clock = LoadClock(time.time())
        self._is_ending = False
        self._grace_ends_s = math.inf
        self._has_news = asyncio.Event()

    @property
    def now_s(self) -> float:
        """Seconds since the load began; below 0 before."""
        return self._clock.now_s

    @property
    def ended_by(self) -> Verdict | None:
        """The verdict of the threshold that has ended the load."""
        return self._judging.ended_by

    @property
    def is_ending(self) -> bool:
        """Whether nothing new begins any more."""
        return self._is_ending

    async def direct(self, at: float | None = None) -> None:
        """From beginning to end. `at` is when it begins, in seconds since the epoch; None for at once.

        Cancelled, it ends all that is under way, and records what was measured until then.
        """
        begins_at = at if at is not None else time.time() + LEAD_S
        self._clock = LoadClock(begins_at)
        for seat in self._seats:
            seat.generator.start(begins_at)
        try:
            await self._go_on()
        finally:
            await self._collect_last()

    async def _go_on(self) -> None:
        tick = 1
        while not self._is_over():
            await self._sleep_until(min(tick * INTERVAL_S, self._next_end_s()))
            if self.now_s >= self._duration_s:
                self.end(self.plan.grace_s)
            if self.now_s >= tick * INTERVAL_S:
                await self._collect_whole()
                # Those that were missed are not made up for: an interval may be longer.
                tick = max(tick + 1, math.floor(self.now_s / INTERVAL_S) + 1)

    def _next_end_s(self) -> float:
        return self._grace_ends_s if self._is_ending else self._duration_s

    def _is_over(self) -> bool:
        if self._is_ending and self.now_s >= self._grace_ends_s:
            return True
        return all(seat.is_over for seat in self._seats)

    async def _sleep_until(self, t_s: float) -> None:
        self._has_news.clear()
        wait_s = t_s - self.now_s
        if wait_s > 0:
            try:
                async with asyncio.timeout(min(wait_s, INTERVAL_S)):
                    await self._has_news.wait()
            except TimeoutError:
                pass

    # -- what whoever watches says ------------------------------------------------------------------------------------

    def change(self, asked: Mapping[str, float], text: str) -> None:
        """From now on the whole has so much of each of these parts: conversations a second, or users."""
        self._changed.update(asked)
        for seat in self._seats:
            self._tell_change(seat, asked)
        self._note(text, asked)

    def _tell_change(self, seat: Seat, asked: Mapping[str, float]) -> None:
        from_s = self.now_s
        rates = {name: asked[name] for name in asked if name in self._open}
        users = {name: round(asked[name]) for name in asked if name not in self._open}
        if rates:
            seat.generator.set_rate(rates, from_s)
        if users:
            seat.generator.set_users(users, from_s)

    def pause(self, is_paused: bool) -> None:
        """Nothing new begins from now on, or begins again."""
        if is_paused != self.is_paused:
            self.is_paused = is_paused
            for seat in self._seats:
                seat.generator.pause(is_paused, self.now_s)
            self._note("paused" if is_paused else "went on", {})

    def look(self) -> None:
        """Look at another conversation that is under way; see `looked`."""
        self._looks += 1
        self._is_held = False
        self._tell_look()

    def hold(self, is_held: bool) -> None:
        """Hold the one that is looked at open when all is done, as long as the load goes on, or let it go.

        If it is over already, or none is looked at, the next is held.
        """
        self._looks = max(self._looks, 1)
        self._is_held = is_held
        self._tell_look()

    def look_away(self) -> None:
        """Look at none, and hold none."""
        self._looks, self._is_held, self.looked = 0, False, None
        self._tell_look()

    def _tell_look(self) -> None:
        """One generator looks, each in its turn."""
        for place, seat in enumerate(self._seats):
            is_its_turn = self._looks > 0 and place == self._looks % len(self._seats)
            seat.generator.look(self._looks if is_its_turn else 0, is_its_turn and self._is_held)

    def end(self, grace_s: float) -> None:
        """Nothing new begins; what is under way may end for so long. Said again, a shorter time counts."""
        ends_s = self.now_s + grace_s
        if not self._is_ending:
            self._is_ending = True
            for seat in self._seats:
                seat.generator.end()
        self._grace_ends_s = min(self._grace_ends_s, ends_s)
        self._has_news.set()

    def _note(self, text: str, asked: Mapping[str, float]) -> None:
        self._record(LoadChanged(at_ns=round(self.now_s * 1e9), text=text, asked=dict(asked)))

    # -- what the generators say --------------------------------------------------------------------------------------

    async def _collect_whole(self) -> None:
        """Ask to the end, also if we are told to end: an answer that is under way would be taken for the last."""
        collecting = asyncio.ensure_future(self._collect())
        try:
            await asyncio.shield(collecting)
        except asyncio.CancelledError:
            await collecting
            raise

    async def _collect_last(self) -> None:
        try:
            await self._collect(is_last=True)
        except asyncio.CancelledError:
            # Told to end a second time: what a conversation does that does not end is not waited for.
            for seat in list(self._seats):
                self._lose(seat, "it was given up, since the load was told to end once more")
            raise

    async def _collect(self, is_last: bool = False) -> None:
        """Ask all of them what they measured; those that do not answer are lost."""
        asked = [each.generator.stop() if is_last else each.generator.snapshot() for each in self._seats]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        snapshots: list[Snapshot] = []
        lost: list[tuple[Seat, Sequence[int]]] = []
        for seat, answer in zip(list(self._seats), answers, strict=True):
            if isinstance(answer, ProcessDied):
                lost.append((seat, answer.reached))
                self._lose(seat, str(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                snapshots.append(answer)
                self._look_at(seat, answer)
        if snapshots:
            self._take(snapshots)
        self._move_shares(lost, is_last)

    def _look_at(self, seat: Seat, snapshot: Snapshot) -> None:
        seat.is_over = snapshot.is_over
        seat.seen_ns = snapshot.second.at_ns
        seat.live = {name: part.live for name, part in snapshot.second.parts.items() if part.live}
        self.trust.look(snapshot.second.generators)
        for problem, count in snapshot.problems.items():
            self.trust.note(problem, count)

    def _take(self, snapshots: list[Snapshot]) -> None:
        self.looked = next((each.looked for each in snapshots if each.looked is not None), None)
        second = beside([snapshot.second for snapshot in snapshots])
        self.latest = second
        self._record(second)
        for kept in self._choose([kept for snapshot in snapshots for kept in snapshot.kept]):
            self._record(kept)
        rows = [row for snapshot in snapshots for row in snapshot.rows]
        for table in self._tables:
            table.add(rows)
        if self._judging.look(second, self.figures, may_end=not self._is_ending):
            self.end(0.0)

    def _lose(self, seat: Seat, text: str) -> None:
        self._seats.remove(seat)
        lost = ProcessLost(
            at_ns=round(self.now_s * 1e9), process=seat.process, seen_ns=seat.seen_ns, live=seat.live, text=text
        )
        self.trust.lost.append(lost)
        self._record(lost)

    def _move_shares(self, lost: Sequence[tuple[Seat, Sequence[int]]], is_last: bool) -> None:
        """What was the lost ones' is divided among those that are there, who go on where it was left."""
        if is_last or self._is_ending:
            return
        there = list(self._seats)
        for seat, noted in lost:
            for share, reached in self._left_by(seat, noted):
                for number, other in enumerate(there):
                    own = Share(number, len(there)).within(share)
                    other.shares.append((own, reached))
                    other.generator.adopt(own, self.now_s, reached)
        for other in there if lost else ():
            # What is adopted is as the plan has it; what was said since is said again.
            self._tell_change(other, self._changed)
            if self.is_paused:
                other.generator.pause(True, self.now_s)
            other.is_over = False

    def _left_by(self, seat: Seat, noted: Sequence[int]) -> Iterator[tuple[Share, dict[str, int]]]:
        """Each share that it had, with the numbers up to which the conversations of each part have been begun."""
        names = [part.name for part in self.plan.parts]
        for place, (share, known) in enumerate(seat.shares):
            own = dict(zip(names, noted[place * len(names) :], strict=False))
            yield share, {name: max(known.get(name, 0), own.get(name, 0)) for name in names}

    # -- what came of it ----------------------------------------------------------------------------------------------

    @property
    def doubts(self) -> list[str]:
        """Why its verdicts may not be trusted, beside what `trust` has."""
        return self._judging.doubts

    def judge(self) -> list[ThresholdJudged]:
        """The verdicts on all thresholds, as entries; they are recorded. A shard that none of a count was for says
        nothing of them."""
        if self.plan.share.of > 1 and not self.figures.total.due:
            return []
        judged = self._judging.judge(self.figures)
        for entry in judged:
            self._record(entry)
        parameters = [name for part in self.plan.parts for name in part.scenario.parameters]
        if self._tables and (empty := self._tables[0].unknown(parameters)):
            self.trust.note(empty)
        return judged

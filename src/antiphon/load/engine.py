"""Holds the conversations of a load in one event loop, as many as it is told to; it knows of no other process."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from antiphon.journal.figures import ConversationKept, GeneratorFigures, PartFigures, Second
from antiphon.load.clock import LoadClock
from antiphon.load.conversations import Conversation, Holder, Outcome
from antiphon.load.keeping import Keeper
from antiphon.load.looking import Looked, Looking
from antiphon.load.meter import Meter
from antiphon.load.pacing import Arrivals, Start, Users
from antiphon.load.plan import Plan, PlannedPart
from antiphon.load.resident import resident_kib
from antiphon.load.shares import WHOLE, Share
from antiphon.load.stray_failures import StrayFailures
from antiphon.load.table import Columns
from antiphon.load.tally import Tally
from antiphon.stand.stand import Stand

__all__ = ["LATE_S", "WHOLE_ENTRIES", "Engine", "Generator", "Snapshot"]

TICK_S: Final = 0.02
"""How often it is looked at how late the loop is."""

WHOLE_ENTRIES: Final = 256
"""Conversations with up to so many entries are kept whole, of longer ones the latest `metered_journal.LASTING`."""

LATE_S: Final = 0.05
"""A conversation that begins so much later than it was due is a late one."""


class Snapshot(msgspec.Struct, tag="snapshot"):
    """What a generator measured since its last snapshot, and what it kept meanwhile.

    `is_over` says that nothing is under way and nothing more will begin; `problems` are what could not be done, as
    sentences, with how often.
    """

    second: Second
    kept: list[ConversationKept]
    is_over: bool
    problems: dict[str, int]
    rows: list[list[str]] = msgspec.field(default_factory=list)
    """Of a table of conversations (`antiphon.load.table`), those of the ones that have ended."""
    looked: Looked | None = None
    """The conversation that is looked at."""


class Generator(Protocol):
    """Whoever performs a load: an engine in this process or in another. All of its words are absolute, and may be said
    again; times are seconds since the load began."""

    def start(self, at: float, /) -> None:
        """Time 0 is at that moment, in seconds since the epoch."""
        ...

    def set_rate(self, rates: Mapping[str, float], from_s: float, /) -> None:
        """The whole has so many new conversations a second of each of the parts, from that moment on."""
        ...

    def set_users(self, users: Mapping[str, int], from_s: float, /) -> None:
        """The whole has so many users of each of the parts, from that moment on."""
        ...

    def pause(self, is_paused: bool, from_s: float, /) -> None:
        """Nothing new begins from that moment on, or begins again."""
        ...

    def adopt(self, share: Share, from_s: float, reached: Mapping[str, int], /) -> None:
        """Perform that share as well, which nobody performs from that moment on; of each part those with a lower number
        than `reached` were begun."""
        ...

    def look(self, number: int, is_held: bool, /) -> None:
        """Look at another conversation with each greater number, at none with 0; hold it open when all is done."""
        ...

    async def snapshot(self) -> Snapshot:
        """What was measured since the last one."""
        ...

    def end(self) -> None:
        """Begin nothing more; what is under way goes on."""
        ...

    async def stop(self) -> Snapshot:
        """Begin nothing more, and end what is under way; the last snapshot."""
        ...


class _Paced:
    """A part's conversations of one share: when they are due, and which are under way."""

    def __init__(self, part: PlannedPart, place: int) -> None:
        self.part = part
        self.place = place  # in the tally
        self.pacer = part.pacing()
        self.timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self.waiting: list[Start] = []  # due, and not begun: the latest first
        self.is_used_up = False  # a feed has no more values

    def is_over(self, now_s: float) -> bool:
        """Whether nothing of it will begin any more."""
        return self.is_used_up or (not self.waiting and self.pacer.is_over(now_s))


class Engine:
    """Performs a plan's share in the running event loop.

    `share` is what it performs of the plan, `process` names it among others, `keeper` writes the conversations that are
    to be kept, None for none; `columns` are those of a table of all of them; `whole` is up to how many entries each is
    kept whole in memory. `tally` is where it notes how far it has come, None for nowhere: for each share, in the order
    in which it was given them, and each part of the plan the number up to which it has taken the conversations.
    """

    def __init__(
        self,
        plan: Plan,
        stand: Stand,
        *,
        share: Share = WHOLE,
        process: int = 0,
        keeper: Keeper | None = None,
        columns: Columns | None = None,
        whole: int = WHOLE_ENTRIES,
        tally: Tally | None = None,
    ) -> None:
        self._plan = plan
        self._tally = tally
        self._process = process
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self._clock = LoadClock(time.time())
        self._meter = Meter()
        self._holders = {
            part.name: Holder(part, plan, stand, self._meter, keeper=keeper, columns=columns, whole=whole)
            for part in plan.parts
        }
        self._paced = [_Paced(part.scaled(share), place) for place, part in enumerate(plan.parts)]
        self._live: dict[Conversation, _Paced] = {}
        self._figures = {part.name: PartFigures() for part in plan.parts}
        self._longest_s = dict.fromkeys(self._figures, 0.0)  # of those that have ended
        self._stopped_s = math.inf
        self._looking = Looking(lambda: self._clock.now_ns)
        self._is_ending = False
        self._seq = 0
        self._lag_s = 0.0
        self._late_us = 0
        self._taken_ns = 0
        self._cpu_s = 0.0
        self._tick: asyncio.TimerHandle | None = None
        self._stray: StrayFailures | None = None

    # -- what it is told ----------------------------------------------------------------------------------------------

    def start(self, at: float, /) -> None:
        """See `Generator.start`."""
        self._clock = LoadClock(at)
        for holder in self._holders.values():
            holder.epoch_s = at
        self._taken_ns = 0
        self._cpu_s = time.process_time()
        self._stray = StrayFailures(self._loop)
        self._tick_at = self._loop.time() + TICK_S
        self._tick = self._loop.call_at(self._tick_at, self._look)
        for paced in self._paced:
            self._arm(paced)

    def set_rate(self, rates: Mapping[str, float], from_s: float, /) -> None:
        """See `Generator.set_rate`."""
        for paced in self._paced:
            if paced.part.name in rates and isinstance(paced.pacer, Arrivals):
                paced.pacer.set_rate(rates[paced.part.name], from_s)
                self._arm(paced)

    def set_users(self, users: Mapping[str, int], from_s: float, /) -> None:
        """See `Generator.set_users`."""
        for paced in self._paced:
            if paced.part.name in users and isinstance(paced.pacer, Users):
                paced.pacer.set_users(users[paced.part.name], from_s)
                self._arm(paced)

    def pause(self, is_paused: bool, from_s: float, /) -> None:
        """See `Generator.pause`."""
        for paced in self._paced:
            if is_paused:
                paced.pacer.pause(from_s)
            else:
                paced.pacer.resume(from_s)
            self._arm(paced)

    def adopt(self, share: Share, from_s: float, reached: Mapping[str, int], /) -> None:
        """See `Generator.adopt`."""
        for part in self._plan.parts:
            paced = _Paced(part.scaled(share), len(self._paced))
            paced.pacer.skip(from_s, reached[part.name])
            self._paced.append(paced)
            self._arm(paced)

    def look(self, number: int, is_held: bool, /) -> None:
        """See `Generator.look`. When the load ends nothing is held open."""
        self._looking.look(number, is_held and not self._is_ending, self._live)

    async def snapshot(self) -> Snapshot:
        """See `Generator.snapshot`."""
        return self._snapshot()

    def end(self) -> None:
        """See `Generator.end`. What is due and was not begun is dropped."""
        self._is_ending = True
        self._looking.let_go()
        now_s = self.now_s
        for paced in self._paced:
            figures = self._figures[paced.part.name]
            is_pacing = isinstance(paced.pacer, Arrivals) and not paced.is_used_up
            due = paced.pacer.take(now_s) if is_pacing else []
            figures.due += len(due)
            figures.dropped += len(due) + len(paced.waiting)
            paced.waiting.clear()
            self._arm(paced)

    async def stop(self) -> Snapshot:
        """See `Generator.stop`."""
        self.end()
        self._stopped_s = self.now_s
        tasks = [conversation.task for conversation in self._live]
        for task in tasks:
            task.cancel()
        # They part from their channels; how long that may take is bounded for each.
        while self._live:
            await asyncio.wait([conversation.task for conversation in self._live])
            await asyncio.sleep(0)  # those that are over are counted in a turn of their own
        if self._tick is not None:
            self._tick.cancel()
        if self._stray is not None:
            self._stray.close()
        return self._snapshot(is_last=True)

    # -- beginning ----------------------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds since the load began."""
        return self._clock.now_s

    def _arm(self, paced: _Paced) -> None:
        """Come again when the next one of it is due; at once if that is now."""
        if paced.timer is not None:
            paced.timer.cancel()
            paced.timer = None
        if self._is_ending or paced.is_used_up:
            return
        wait_s = paced.pacer.next_at_s - self.now_s
        if paced.waiting or wait_s <= 0:
            # One a turn of the loop: if many are due at once, those under way are heard between them.
            paced.timer = self._loop.call_soon(self._begin_due, paced)
        elif wait_s < math.inf:
            paced.timer = self._loop.call_later(min(wait_s, _LONGEST_TIMER_S), self._begin_due, paced)

    def _begin_due(self, paced: _Paced) -> None:
        paced.timer = None
        now_s = self.now_s
        if due := paced.pacer.take(now_s):
            self._figures[paced.part.name].due += len(due)
            paced.waiting[:0] = reversed(due)
            if self._tally is not None:
                self._tally.note(paced.place, paced.pacer.next_number)
        if paced.waiting:
            self._begin(paced, paced.waiting.pop(), now_s)
        self._arm(paced)

    def _begin(self, paced: _Paced, start: Start, now_s: float) -> None:
        figures = self._figures[paced.part.name]
        conversation = self._holders[paced.part.name].begin(start, self._ns(start.due_s), self._ns(now_s))
        if conversation is None:
            # What was due behind it is nobody's, either.
            figures.due -= 1 + len(paced.waiting)
            paced.waiting.clear()
            paced.is_used_up = True
            return
        figures.started += 1
        late_s = now_s - start.due_s
        self._late_us += max(round(late_s * 1e6), 0)
        if late_s > LATE_S:
            figures.late += 1
        self._live[conversation] = paced
        if self._looking.is_waiting:
            self._looking.see(conversation)
        conversation.task.add_done_callback(lambda _task: self._ended(conversation))

    def _ended(self, conversation: Conversation) -> None:
        paced = self._live.pop(conversation)
        figures = self._figures[paced.part.name]
        now_s = self.now_s
        outcome = conversation.conclude(self._ns(now_s))
        setattr(figures, outcome, getattr(figures, outcome) + 1)
        self._compare(paced.part.name, outcome, min(now_s, self._stopped_s) - conversation.start.due_s)
        self._looking.ended(conversation)
        if isinstance(paced.pacer, Users):
            paced.pacer.ended(conversation.start, now_s)
            self._arm(paced)

    def _compare(self, name: str, outcome: Outcome, took_s: float) -> None:
        """Was one that was interrupted under way for longer than any that has ended?"""
        longest_s = self._longest_s[name]
        if outcome != "interrupted":
            self._longest_s[name] = max(longest_s, took_s)
        elif 0 < longest_s < took_s:
            self._figures[name].outlasting += 1

    # -- measuring ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """How late are we?"""
        now = self._loop.time()
        self._lag_s = max(self._lag_s, now - self._tick_at)
        # From now: what a loop that stood still has missed is told once.
        self._tick_at = now + TICK_S
        self._tick = self._loop.call_at(self._tick_at, self._look)

    def _snapshot(self, is_last: bool = False) -> Snapshot:
        now_ns = self._ns(self.now_s)
        second = self._meter.take(now_ns)
        second.from_ns, self._taken_ns = self._taken_ns, now_ns
        second.parts = self._take_parts(second.from_ns / 1e9)
        second.generators = [self._take_generator(second)]
        kept: list[ConversationKept] = []
        problems = self._stray.take() if self._stray is not None else {}
        if self._keeper is not None:
            kept = self._keeper.take(is_last=is_last)
            problems |= self._keeper.take_unwritten()
        return Snapshot(second, kept, self._is_over(), problems, self._take_rows(), self._looking.told())

    def _take_rows(self) -> list[list[str]]:
        rows: list[list[str]] = []
        for holder in self._holders.values():
            rows += holder.rows
            holder.rows.clear()
        return rows

    def _take_parts(self, from_s: float) -> dict[str, PartFigures]:
        taken, now_s = self._figures, self.now_s
        self._figures = {name: PartFigures() for name in taken}
        for paced in self._paced:
            pacer, figures = paced.pacer, taken[paced.part.name]
            is_over, asking_ns = paced.is_over(now_s), 0
            # Once the last of a count has begun nothing is asked for: a rate is of the time in which something was.
            if not is_over:
                figures.asked += pacer.wanted if isinstance(pacer, Users) else pacer.profile.at(now_s)
            if figures.due or not is_over:
                asking_ns = self._ns(pacer.profile.asking_s(from_s, now_s))
            figures.asking_ns = max(figures.asking_ns or 0, asking_ns)
        for paced in self._live.values():
            taken[paced.part.name].live += 1
        return taken

    def _take_generator(self, second: Second) -> GeneratorFigures:
        cpu_s, cpu_before_s = time.process_time(), self._cpu_s
        self._seq += 1
        figures = GeneratorFigures(
            process=self._process,
            pid=os.getpid(),
            seq=self._seq,
            wall_s=(second.at_ns - second.from_ns) / 1e9,
            cpu_s=cpu_s - cpu_before_s,
            lag_ms=self._lag_s * 1e3,
            rss_kib=resident_kib(),
            late_us=self._late_us,
        )
        self._cpu_s, self._lag_s, self._late_us = cpu_s, 0.0, 0
        return figures

    def _is_over(self) -> bool:
        now_s = self.now_s
        return not self._live and all(self._is_ending or paced.is_over(now_s) for paced in self._paced)

    def _ns(self, t_s: float) -> int:
        return round(t_s * 1e9)


_LONGEST_TIMER_S: Final = 3600.0
"""Loops do not take a timer for the end of time."""

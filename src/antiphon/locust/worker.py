"""A worker of a Locust cluster that holds no conversation itself: engines do, a process for each core."""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

import gevent
import msgspec
from gevent.event import AsyncResult, Event
from gevent.lock import RLock
from locust.runners import STATE_RUNNING, WorkerRunner

from antiphon.cli.exit_codes import INCONCLUSIVE, USAGE
from antiphon.errors import ScenarioError
from antiphon.load import orders
from antiphon.load.gathering import files_of
from antiphon.load.processes import READY_WITHIN_S, ProcessDied
from antiphon.load.shares import Share
from antiphon.locust.asked import Asked, unit_per_s
from antiphon.locust.engines import EngineProcess
from antiphon.locust.messages import FIELD, Begin, Begun, Clock, Drain, Drained, Hello, Lost, Refused, Start, Told, read
from antiphon.locust.table import add_to_table
from antiphon.scenarios.runner import own_version

__all__ = ["EnginesWorker"]

ALONE_S: Final = 3.0
"""An engine whose worker stands still ends after so long: before the master has given its users to others."""


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Run:
    """The worker's part of a load: until it has started `at`, in seconds since the epoch, is infinite."""

    def __init__(self, begin: Begin) -> None:
        self.name = begin.run
        self.of = begin.of
        self.engines: list[EngineProcess] = []
        self.directory = Path(tempfile.mkdtemp(prefix="antiphon-"))
        self.at = math.inf
        self.ahead_s = 0.0  # the master's clock is ahead of ours by so much
        self.has_started = Event()
        self.is_draining = False
        self.told = Told(begin.run, [], {})


class EnginesWorker(WorkerRunner):
    """Locust's worker, whose users are the engines'."""

    asked: ClassVar[Asked]

    def __init__(self, environment: Any, master_host: str, master_port: int) -> None:
        options = environment.parsed_options
        self._size = options.engines or (1 if options.processes else _cores())
        self._run: _Run | None = None
        self._counts: dict[str, int] = {}
        self._lock = RLock()  # reports and the end speak with the same engines
        self._clock: AsyncResult = AsyncResult()
        self._warm: list[EngineProcess] = []
        try:
            self._prepare()
        except ScenarioError as error:
            logging.error("%s", error)
            sys.exit(USAGE)
        super().__init__(environment, master_host, master_port)
        environment.events.report_to_master.add_listener(self._report)
        self.greenlet.spawn(self._say_again)

    def connect_to_master(self) -> None:
        self._send(Hello(own_version(), self.asked.plan_data(), self._size, os.cpu_count() or 1))
        super().connect_to_master()  # type: ignore[no-untyped-call]

    # -- what the master says -----------------------------------------------------------------------------------------

    def handle_message(self, msg: Any) -> None:
        if msg.type == "stop":
            self.greenlet.spawn(self._stop, msg)  # the master is heard meanwhile, or it were taken for lost
            return
        if msg.type != FIELD:
            super().handle_message(msg)
            return
        said, run = read(msg.data[FIELD]), self._run
        match said:
            case Refused():
                logging.error("%s", said.why)
                sys.exit(USAGE)
            case Clock():
                self._clock.set(said)
            case Begin():
                self._end()
                run = self._run = _Run(said)
                self.greenlet.spawn(self._begin, run, said)
            case Start() if run is not None and run.name == said.run:
                self._start(run, said.at)
            case Drain() if run is not None and run.name == said.run:
                self.greenlet.spawn(self._drain, run, said.grace_s)

    def _send(self, said: Any) -> None:
        self.send_message(FIELD, {FIELD: msgspec.json.encode(said)})

    def _prepare(self) -> None:
        """Have engines that have read the plan."""
        with self._lock:
            if not self._warm:
                engines = [EngineProcess(self.asked.target) for _ in range(self._size)]
                for engine in engines:
                    engine.require_ready()
                self._warm = engines

    def _stop(self, msg: Any) -> None:
        with suppress(ScenarioError):  # it could be read before; whoever begins a load with it hears why
            self._prepare()  # so that it is warm when it says that it is ready again
        super().handle_message(msg)

    def _begin(self, run: _Run, begin: Begin) -> None:
        try:
            self._prepare()
            run.engines, self._warm = self._warm, []
            for seat, engine in zip(begin.seats, run.engines, strict=True):
                engine.seat = seat
                engine.tell(self._order(run, begin, seat))
            for engine in run.engines:
                engine.require_ready()
        except ScenarioError as error:
            self._send(Begun(begin.run, str(error)))
            return
        run.ahead_s = self._ahead_s()
        self._send(Begun(begin.run))
        if begin.at is not None:
            self._start(run, begin.at)

    def _order(self, run: _Run, begin: Begin, seat: int) -> orders.Begin:
        asked, share = self.asked, Share(seat, begin.of)
        return orders.Begin(
            target=asked.target,
            seed=begin.seed,
            stand=orders.StandData.of(asked.stand, share),
            share=share,
            process=seat,
            directory=str(run.directory),
            keep=(asked.keep.failed_per_cause, asked.keep.slowest, asked.keep.share),
            is_steered=True,
            alone_s=ALONE_S,
        )

    def _ahead_s(self) -> float:
        """By how much the master's clock is ahead: of the question that was answered fastest."""
        answers = [(math.inf, 0.0)]
        for _ in range(5):
            self._clock, sent = AsyncResult(), time.time()
            self._send(Clock(sent))
            with gevent.Timeout(1.0, False):
                answer, got = self._clock.get(), time.time()
                answers.append((got - sent, answer.at - (sent + got) / 2))
        return min(answers)[1]

    def _start(self, run: _Run, at: float) -> None:
        run.at = at - run.ahead_s
        for engine in run.engines:
            engine.tell(orders.Start(run.at))
        run.has_started.set()

    # -- how many users -----------------------------------------------------------------------------------------------

    @property
    def user_classes_count(self) -> dict[str, int]:
        return {each.__name__: self._counts.get(each.__name__, 0) for each in self.user_classes}

    @property
    def user_count(self) -> int:
        return sum(self._counts.values())

    def start_worker(self, user_classes_count: dict[str, int], **_: Any) -> None:
        run = self._run
        if run is None or not run.has_started.wait(READY_WITHIN_S) or run.is_draining:
            return
        self.target_user_classes_count = user_classes_count
        self.target_user_count = sum(user_classes_count.values())
        self._counts = dict(user_classes_count)
        self._divide(run)
        self.spawning_complete(self.target_user_count)  # type: ignore[no-untyped-call]
        self.update_state(STATE_RUNNING)

    def _say_again(self) -> None:
        """Each second, which changes nothing: an engine that hears nothing takes this worker for one that stands still,
        and is not to wait for another one whose answer takes long."""
        while True:
            gevent.sleep(1.0)
            if (run := self._run) is not None and run.has_started.is_set() and not run.is_draining:
                self._divide(run)

    def stop_users(self, _user_classes_stop_count: dict[str, int]) -> None:
        self._end()

    def _divide(self, run: _Run) -> None:
        """Each engine gets its share of what the worker is to have."""
        from_s, of = max(time.time() - run.at, 0.0), len(run.engines)
        for number, part in enumerate(self.asked.plan.parts):
            for place, engine in enumerate(run.engines):
                own = Share((place + number) % of, of).how_many(self._counts.get(part.name, 0))
                # Engines are told how much the whole is to have, of which this is its seat's share.
                if part.is_open:
                    engine.tell(orders.SetRate({part.name: own * unit_per_s(part) * run.of}, from_s))
                else:
                    users = (own - 1) * run.of + engine.seat + 1 if own else 0
                    engine.tell(orders.SetUsers({part.name: users}, from_s))

    # -- what was measured --------------------------------------------------------------------------------------------

    def monitor_cpu_and_memory(self) -> None:  # type: ignore[override]  # Locust's own never ends
        """Nothing: what is told is the engines', with each snapshot."""

    def _send_stats(self) -> None:
        run = self._run
        if run is not None and run.has_started.is_set():
            self._take(run, orders.Take())
        super()._send_stats()

    def _report(self, data: dict[str, Any], **_: Any) -> None:
        run = self._run
        if run is not None and run.told.snapshots:
            data[FIELD], run.told = msgspec.json.encode(run.told), Told(run.name, [], {})

    def _take(self, run: _Run, order: orders.Order) -> None:
        with self._lock:
            for engine in run.engines:
                engine.tell(order)
            there = []
            for engine in run.engines:
                try:
                    snapshot = engine.snapshot()
                except ProcessDied as error:
                    self._send(Lost(run.name, engine.seat, str(error)))
                    self.send_message("exception", {"msg": f"an engine was lost: {error}", "traceback": ""})
                    continue
                there.append(engine)
                run.told.snapshots.append(snapshot)
                run.told.files |= files_of(snapshot.kept, run.directory)
                add_to_table(self.stats, snapshot.second, run.at + run.ahead_s)
            has_lost, run.engines = len(there) < len(run.engines), there
        own = [each for snapshot in run.told.snapshots for each in snapshot.second.generators if each.wall_s > 0]
        self.current_cpu_usage = max((100 * each.cpu_s / each.wall_s for each in own), default=0.0)
        self.current_memory_usage = sum(each.rss_kib * 1024 for each in own)
        if has_lost and there:
            self._divide(run)
        elif has_lost:
            self.environment.process_exit_code = INCONCLUSIVE
            gevent.spawn(self.quit)

    # -- its end ------------------------------------------------------------------------------------------------------

    def _drain(self, run: _Run, grace_s: float) -> None:
        run.is_draining = True
        for engine in run.engines:
            engine.tell(orders.End())
        until_s = time.monotonic() + grace_s
        self._send_stats()
        while not all(engine.is_over for engine in run.engines) and time.monotonic() < until_s:
            gevent.sleep(0.2)
            self._send_stats()
        self._take(run, orders.Stop())
        self._end()
        super()._send_stats()
        self._send(Drained(run.name))

    def _end(self) -> None:
        """Nobody is under way any more; what was not told is lost."""
        self._counts = {}
        run = self._run
        if run is not None:
            with self._lock:
                for engine in run.engines:
                    engine.kill()
                run.engines = []
            shutil.rmtree(run.directory, ignore_errors=True)

    def quit(self) -> None:
        """Its master is gone, or all of its engines are."""
        if self.environment.process_exit_code is None:
            self.environment.process_exit_code = INCONCLUSIVE
        super().quit()

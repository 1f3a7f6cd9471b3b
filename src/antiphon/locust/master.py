"""The master of a Locust cluster whose workers have engines: it gathers what they measured as one load."""

from __future__ import annotations

import logging
import platform
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import gevent
import msgspec
from gevent.event import Event
from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner

from antiphon.cli.exit_codes import INCONCLUSIVE, PASSED, THRESHOLD_CROSSED, exit_code
from antiphon.conversation.clock import iso_utc
from antiphon.errors import AntiphonError, RecordingError, ScenarioError, plain_text
from antiphon.journal.figures import LoadStarted
from antiphon.journal.recording import new_run_directory
from antiphon.load.gathering import Gathering
from antiphon.load.loads import make_reports, name_of
from antiphon.load.processes import ANSWER_WITHIN_S, READY_WITHIN_S
from antiphon.load.shards import differing
from antiphon.locust.asked import Asked
from antiphon.locust.messages import FIELD, Begin, Begun, Clock, Drain, Drained, Hello, Lost, Refused, Start, read
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.summary import summarised
from antiphon.report.load.text import text_lines
from antiphon.scenarios.runner import own_version

__all__ = ["EnginesMaster"]

LEAD_S: Final = 1.0
"""How long before its time 0 a load is told when that is, so that all engines have heard of it."""

_CODES: Final = {"passed": PASSED, "failed": THRESHOLD_CROSSED, "inconclusive": INCONCLUSIVE}


class _Run:
    """A load: who has which seats of it, who is awaited, and what was gathered once it has begun."""

    def __init__(self, asked: Asked, hellos: dict[str, Hello]) -> None:
        self.name = uuid.uuid4().hex
        self.of = asked.seats_for(sum(hello.engines for hello in hellos.values()))
        self.at = 0.0
        self.seats: dict[str, list[int]] = {}
        self.there: set[str] = set()  # who has neither said its last nor been lost
        self.waiting: set[str] = set()  # who has not begun
        self.losses = 0
        self.is_open = True
        self.is_over = False  # all is told, and the reports are being made
        self.is_done = Event()
        self.error: AntiphonError | None = None
        self.gathering: Gathering | None = None
        for node, hello in hellos.items():
            self.seat(node, hello)

    def seat(self, node: str, hello: Hello) -> bool:
        """Give it seats, a seat to one engine only; False if there are none left."""
        taken = sum(len(seats) for seats in self.seats.values())
        if taken + hello.engines > self.of:
            return False
        self.seats[node] = list(range(taken, taken + hello.engines))
        self.there.add(node)
        return True


class EnginesMaster(MasterRunner):
    """Locust's master, which also keeps the load's record."""

    asked: ClassVar[Asked]

    def __init__(self, environment: Any, master_bind_host: str, master_bind_port: int) -> None:
        self._hellos: dict[str, Hello] = {}
        self._fenced: set[str] = set()
        self._run: _Run | None = None
        self._figures: LoadFigures | None = None  # of the latest load
        self._tolerated = _tolerated(environment.parsed_options.on_loss)
        super().__init__(environment, master_bind_host, master_bind_port)
        events = environment.events
        events.test_start.add_listener(self._begin)
        events.test_stopping.add_listener(self._drain)
        events.test_stop.add_listener(self._finish)
        events.worker_report.add_listener(self._take)
        self.greenlet.spawn(self._watch)

    def rebalancing_enabled(self) -> bool:
        """Always: who is lost leaves its users to the others, and who comes later gets some."""
        return True

    # -- who is let in ------------------------------------------------------------------------------------------------

    def handle_message(self, client_id: str, msg: Any) -> None:
        node = msg.node_id
        client = self.clients.get(node)
        if node in self._fenced or (client is not None and client.state == STATE_MISSING):
            # Others have its users: Locust would heal it, and have more users than were asked for.
            self._lose(node, "its worker was not heard of for too long")
            self.server.send_to_client(Message("quit", None, node))
        elif msg.type == FIELD:
            self._hear(node, read(msg.data[FIELD]))
        elif msg.type != "client_ready" or self._lets_in(node):
            super().handle_message(client_id, msg)

    def _tell(self, node: str, said: Any) -> None:
        self.send_message(FIELD, {FIELD: msgspec.json.encode(said)}, node)

    def _hear(self, node: str, said: Any) -> None:
        run = self._run
        match said:
            case Hello():
                self._hellos[node] = said
            case Clock():
                self._tell(node, Clock(said.sent, time.time()))
            case Begun() if run is not None and said.run == run.name:
                run.waiting.discard(node)
                if said.why:
                    self._refuse(node, said.why)
            case Drained() if run is not None and said.run == run.name:
                run.there.discard(node)
            case Lost() if run is not None and said.run == run.name and said.seat in run.seats.get(node, ()):
                run.seats[node].remove(said.seat)
                run.losses += 1
                self._record_loss(run, said.seat, f"{said.why}, of {node}")

    def _lets_in(self, node: str) -> bool:
        hello, run = self._hellos.get(node), self._run
        if hello is None:
            why = "it is no worker of antiphon: give it the same locustfile"
        elif hello.version != own_version():
            why = f"it has antiphon {hello.version}, and the master {own_version()}"
        elif differs := differing(hello.plan, self.asked.plan_data()):
            why = f"it has another plan than the master: its {differs}"
        elif run is None or not run.is_open or node in run.seats:
            return True
        elif run.seat(node, hello):
            self._tell(node, Begin(run.name, self.asked.plan.seed, run.seats[node], run.of, run.at or None))
            return True
        else:
            why = "the load's users are divided among those who were there when it began; seats=… leaves some"
        self._refuse(node, why)
        return False

    def _refuse(self, node: str, why: str) -> None:
        logging.error("worker %s is not let in: %s", node, why)
        self._fence(node)
        self._tell(node, Refused(why))

    def _fence(self, node: str) -> None:
        self._fenced.add(node)
        self.clients.pop(node, None)
        if self._run is not None:
            self._run.waiting.discard(node)
            self._run.there.discard(node)

    # -- a load -------------------------------------------------------------------------------------------------------

    def _begin(self, **_: Any) -> None:
        """Locust is about to begin, and waits for this: all are to begin at the same moment."""
        if (before := self._run) is not None and before.is_over:
            before.is_done.wait()
        try:
            ready = [*self.clients.ready, *self.clients.running, *self.clients.spawning]
            run = self._run = _Run(self.asked, {client.id: self._hellos[client.id] for client in ready})
            run.waiting = set(run.there)
            for node, seats in run.seats.items():
                self._tell(node, Begin(run.name, self.asked.plan.seed, seats, run.of))
            until_s = time.monotonic() + READY_WITHIN_S
            while run.waiting and time.monotonic() < until_s:
                gevent.sleep(0.02)
                for node in filter(self._is_gone, list(run.waiting)):
                    self._fence(node)
            for node in list(run.waiting):
                self._refuse(node, f"it was not ready within {READY_WITHIN_S:g} s")
            if not run.there:
                raise ScenarioError("no worker has begun", hint="each says why in its own log")
            run.at = time.time() + LEAD_S
            run.gathering = self._gathering(run)
            self._figures = run.gathering.figures
        except AntiphonError as error:
            logging.error("%s", error)
            self._run = self._users_dispatcher = None
            self.environment.process_exit_code = exit_code(error)
            self._break_off()
            raise gevent.GreenletExit from error  # Locust's greenlet that was to begin it
        for node in run.there:
            self._tell(node, Start(run.name, run.at))

    def _gathering(self, run: _Run) -> Gathering:
        asked = self.asked
        hellos = [self._hellos[node] for node in run.there]
        started = LoadStarted(
            at_ns=0,
            plan=asked.plan_data() | {"target": msgspec.to_builtins(asked.target)},
            stand=asked.stand.name,
            seed=asked.plan.seed,
            started_at=iso_utc(datetime.fromtimestamp(run.at, UTC)),
            antiphon=own_version(),
            python=platform.python_version(),
            machine=f"{len(hellos)} workers of Locust, {platform.machine()}, {platform.system()}",
            cpus=sum(hello.cpus for hello in hellos),
            processes=sum(hello.engines for hello in hellos),
        )
        baseline = read_figures(asked.baseline) if asked.baseline is not None else None
        directory = new_run_directory(asked.runs, name_of(asked.plan))
        return Gathering(
            started, run.at, directory, thresholds=asked.plan.thresholds, keep=asked.keep, baseline=baseline
        )

    def _take(self, data: dict[str, Any], **_: Any) -> None:
        run = self._run
        if run is not None and run.gathering is not None and FIELD in data:
            told = read(data[FIELD])
            if told.run == run.name:
                run.gathering.take(told.snapshots, told.files)

    def _watch(self) -> None:
        """Each second: who is lost, and what was measured."""
        while True:
            gevent.sleep(1.0)
            run = self._run
            if run is None or run.gathering is None or run.is_over or run.error is not None:
                continue
            for node in filter(self._is_gone, list(run.there)):
                self._lose(node, "its worker has gone")
            try:
                if run.gathering.collect(may_end=run.is_open):
                    self._break_off()
            except RecordingError as error:
                self._fail(run, error)

    def _is_gone(self, node: str) -> bool:
        client = self.clients.get(node)
        return client is None or client.state == STATE_MISSING

    def _lose(self, node: str, why: str) -> None:
        run = self._run
        was_there = run is not None and node in run.there
        self._fence(node)
        if run is None or not was_there or run.is_over:
            return
        run.losses += bool(run.seats[node])  # of one whose engines have all died each was counted
        for seat in run.seats[node]:
            self._record_loss(run, seat, f"{why} ({node})")
        if not run.there:
            self._break_off()

    def _record_loss(self, run: _Run, seat: int, why: str) -> None:
        logging.error("engine %d was lost: %s", seat, why)
        tolerated = self._tolerated or 0
        if run.gathering is not None:
            try:
                run.gathering.lose(seat, why, is_tolerated=run.losses <= tolerated)
            except RecordingError as error:
                self._fail(run, error)
        if self._tolerated is None:
            self._break_off()

    def _fail(self, run: _Run, error: RecordingError) -> None:
        logging.error("%s", error)
        run.error = error
        self._break_off()

    def _break_off(self) -> None:
        options = self.environment.parsed_options
        gevent.spawn(self.quit if options is not None and options.headless else self.stop)

    def told(self) -> str:
        """The latest load as a terminal shows it, with where each step's time went and why conversations failed."""
        if self._figures is None:
            return "no load has begun"
        return plain_text(text_lines(summarised(self._figures)))

    def _drain(self, **_: Any) -> None:
        """Locust is about to stop, and waits for this: all say what they measured last."""
        run = self._run
        if run is None:
            return
        if run.is_open:
            run.is_open = False
            for node in run.there:
                self._tell(node, Drain(run.name, self.asked.plan.grace_s))
        until_s = time.monotonic() + self.asked.plan.grace_s + ANSWER_WITHIN_S
        while run.there and time.monotonic() < until_s:
            gevent.sleep(0.05)
        for node in list(run.there):
            self._lose(node, "its worker did not say what it measured last")

    def stop(self, send_stop_to_client: bool = True) -> None:
        super().stop(send_stop_to_client)
        # Who is told to stop twice is stopping already, and would end the process while reports are being made.
        if (run := self._run) is not None and run.is_over:
            run.is_done.wait()

    def _finish(self, **_: Any) -> None:
        run = self._run
        if run is None or run.gathering is None or run.is_over:
            return
        run.is_over = True
        try:
            self._conclude(run, run.gathering)
        finally:
            run.is_done.set()
            self._run = None

    def _conclude(self, run: _Run, gathering: Gathering) -> None:
        asked = self.asked
        ended = gathering.finish(run.error)
        code = _CODES[ended.verdict] if ended.verdict in _CODES else exit_code(run.error)
        try:
            # Elsewhere, since it takes seconds, and workers whose heartbeats nobody answers take the master for lost.
            figures = gathering.figures
            made = (figures.directory, figures, asked.reports, asked.baseline)
            gevent.get_hub().threadpool.apply(make_reports, made)
        except AntiphonError as error:
            logging.error("%s", error)
            code = code or exit_code(error)
        self.environment.process_exit_code = code
        logging.info("%s\n%s", gathering.figures.directory, self.told())


def _tolerated(text: str) -> int | None:
    """How many losses are tolerated, as --on-loss says it; None if the first ends the load."""
    word, _, number = text.partition(" ")
    if text in ("fail", "abort"):
        return 0 if text == "fail" else None
    if word == "tolerate" and number.isdecimal():
        return int(number)
    logging.error("--on-loss is fail, abort or 'tolerate N', not %r", text)
    raise SystemExit(2)

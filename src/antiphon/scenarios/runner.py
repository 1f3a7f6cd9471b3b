"""Performs one scenario: connects its actors, does what it says, closes everything, and gives the run."""

from __future__ import annotations

import asyncio
import inspect
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from antiphon.actor.actor import Actor
from antiphon.actor.channel import Channel
from antiphon.conversation.clock import iso_utc
from antiphon.conversation.strict import messages_left
from antiphon.conversation.wording import shorten
from antiphon.errors import (
    AntiphonError,
    DeadlinePassed,
    MessagesLeft,
    RecordingError,
    ScenarioError,
    SoftChecksFailed,
)
from antiphon.journal import KEEP, Deferred, Failed, Journal, Note, RunEnded, RunStarted, Sink
from antiphon.journal.masking import Masker
from antiphon.journal.recording import STANDARD_REPORTS, load_reports, new_run_directory, recording
from antiphon.runtime.event_loop import callback_failures, require_no_loop, run_in_loop
from antiphon.runtime.exhaustion import as_exhaustion
from antiphon.runtime.failed_code import tell_values
from antiphon.runtime.runtime import Runtime
from antiphon.runtime.task_context import tasks_with
from antiphon.scenarios.lingering import LINGER_S, linger
from antiphon.scenarios.outcome import make_presentable, text_of, verdict_of
from antiphon.scenarios.root_cause import cause_of, tell_consequences
from antiphon.scenarios.run import Run
from antiphon.scenarios.scenario import Scenario
from antiphon.scenarios.step import STAGE, Step
from antiphon.scenarios.timed_steps import BEGUN_NS
from antiphon.scenarios.workflow import workflow_steps
from antiphon.stand.stand import Stand, load_stand
from antiphon.stand.starting import started
from antiphon.stand.users import Wanted

__all__ = ["own_version", "perform", "performed", "play"]

LEAVE_WITHIN_S: Final = 5.0
"""How long `Actor.leave` may take."""


def play(
    scenario: Scenario[Any, Any],
    /,
    *,
    stand: Stand | str | None = None,
    runs: Path | str | None = "runs",
    directory: Path | None = None,
    reports: Sequence[str] = STANDARD_REPORTS,
    watch: Sink | None = None,
    linger_s: float = LINGER_S,
    strict: bool | None = None,
    keep: int = KEEP,
    **parameters: Any,
) -> Run:
    """Perform a scenario from ordinary code, and return the run when it has passed. See `perform` for the rest."""
    require_no_loop("play()", "perform(…)")
    return run_in_loop(
        perform(
            scenario,
            stand=stand,
            runs=runs,
            directory=directory,
            reports=reports,
            watch=watch,
            linger_s=linger_s,
            strict=strict,
            keep=keep,
            **parameters,
        )
    )


async def perform(
    scenario: Scenario[Any, Any],
    /,
    *,
    stand: Stand | str | None = None,
    runs: Path | str | None = "runs",
    directory: Path | None = None,
    reports: Sequence[str] = STANDARD_REPORTS,
    watch: Sink | None = None,
    linger_s: float = LINGER_S,
    strict: bool | None = None,
    keep: int = KEEP,
    **parameters: Any,
) -> Run:
    """Perform a scenario in the running event loop, and return the run when it has passed.

    stand: a stand, or the name of one in antiphon.toml; None for the default one there.
    runs: the directory in which the run gets a new directory of its own; None records nothing on disk.
    directory: the run's own directory, which must exist and be empty; then `runs` is not used.
    reports: what is written there beside the journal, by the names of the entry points "antiphon.reports"; NAME=PATH
    says where else that one goes.
    watch: called with every journal entry, secrets masked, as it happens; not with what protocols say by themselves.
    linger_s: after a deadline has passed, how long to listen on for the message that was too late.
    strict: whether every received message must be expected, handled or declared ignored; None for what the scenario's
    own `@scenario(strict=…)` says.
    keep: how many of the latest entries of the journal stay in memory, where `run.journal` and explanations read them;
    on disk are all. Thousands of runs in one process want some 64; then a channel remembers fewer messages, too.
    parameters: the scenario's own; an actor may be given too, instead of a new one of its class.

    Raises what the run failed with; the error's `run` attribute is the run, if it is an AntiphonError. ScenarioError
    is raised before anything is recorded or connected if the scenario, the stand or a parameter is wrong.
    """
    _require_scenario(scenario)
    # Whatever can be wrong is found before a directory is made or anything is connected.
    writers = load_reports(reports)
    chosen = stand if isinstance(stand, Stand) else load_stand(stand, near=scenario.folder)
    given = {name: parameters.pop(name) for name in list(parameters) if name in scenario.actors}
    arguments = scenario.arguments(parameters)
    if not isinstance(keep, int) or keep < 0:
        raise ScenarioError(f"keep is {keep!r}, not a number of entries")
    journal = Journal(keep, Masker(chosen.secrets))
    # Before the first entry: no line of the journal may be older than what is masked in it.
    for known in filter(None, (chosen.environment, arguments)):
        journal.masker.learn_from(known)
    try:
        if directory is None and runs is not None:
            directory = new_run_directory(Path(runs), scenario.name)
        with recording(journal, directory, writers, watch):
            run = await performed(
                scenario, arguments, chosen, journal, given=given, directory=directory, linger_s=linger_s, strict=strict
            )
            if run.error is not None:
                raise run.error
            return run
    except RecordingError as error:
        raise as_exhaustion(error) from error.__cause__


async def performed(
    scenario: Scenario[Any, Any],
    arguments: dict[str, Any],
    stand: Stand,
    journal: Journal,
    *,
    given: Mapping[str, Actor] = MappingProxyType({}),
    directory: Path | None = None,
    linger_s: float = LINGER_S,
    strict: bool | None = None,
    stay: Callable[[], Awaitable[None]] | None = None,
) -> Run:
    """The run, when it is over, whatever came of it: its `error` is not raised.

    For whoever has prepared everything and performs it many times: `arguments` are the scenario's, checked, and the
    journal has its sinks. `stay` is awaited before the actors part, when what came of it is known: until then they are
    connected and their handlers answer. The rest is as in `perform`.
    """
    performance = _Performance(scenario, arguments, given, stand, journal, directory, stay)
    run = performance.run
    run.is_strict = scenario.is_strict if strict is None else strict
    try:
        await performance.perform(linger_s)
    finally:
        performance.let_go()
    return run


class _Performance:
    """One scenario being performed."""

    def __init__(
        self,
        scenario: Scenario[Any, Any],
        arguments: dict[str, Any],
        given: Mapping[str, Actor],
        stand: Stand,
        journal: Journal,
        directory: Path | None,
        stay: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self.runtime = Runtime(journal, self._fail)
        self.run = Run(scenario, arguments, directory, self.runtime)
        self._stand = stand
        self._given = given
        self._stay = stay
        self._failure: BaseException | None = None
        self._presented: BaseException | None = None
        self._body: asyncio.Task[None] | None = None
        self._steps: list[Step[Any]] = []

    async def perform(self, linger_s: float) -> None:
        run, runtime = self.run, self.runtime
        # First of all, so that a journal says what it is of, also if the process is killed in its next line.
        told = {name: _plain(value) for name, value in run.parameters.items()}
        facts = (run.scenario, told, self._stand.name, runtime.clock.started_at)
        runtime.record(Deferred(0, partial(_started, *facts)))
        error: BaseException | None = None
        try:
            with callback_failures(runtime.fail):
                await self._supervise(linger_s)
        except BaseException as raised:
            error = raised
        error = error if error is not None else self._failure
        run.error = as_exhaustion(error) if error is not None else None
        self._make_presentable(run.error)
        run.duration_s = runtime.now_ns() / 1e9
        run.verdict = verdict_of(run.error)
        runtime.record(RunEnded(at_ns=runtime.now_ns(), verdict=run.verdict, error=text_of(run.error)))
        if isinstance(run.error, AntiphonError):
            run.error.run = run

    def let_go(self) -> None:
        """Cut what leads round in a circle: else each run would be the garbage collector's work, under load most of it.

        The run stays as it is for whoever has it; a failure that comes now is nobody's.
        """
        self.run.signals.end()
        self.run.take_record()
        for actor in self.run.actors.values():
            for channel in actor.channels.values():
                if isinstance(channel, Channel):
                    channel.mailbox.taken.clear()  # a wait leads to whoever drove the mailbox, and that to the run
        del self.run, self.runtime
        self._body = None

    async def _supervise(self, linger_s: float) -> None:
        """Do it, with whatever must be running, and end everything whatever happens."""
        # What was started stops last, because all the others may still talk to it.
        if self._stand.start:
            async with started(self._stand) as stand:
                await self._perform_on(stand, linger_s)
        else:
            await self._perform_on(self._stand, linger_s)

    async def _perform_on(self, stand: Stand, linger_s: float) -> None:
        """The same, on a stand that runs."""
        run = self.run
        if stand.within_s is not None:
            run.signals.within_s = stand.within_s
        cast = {name: self._actor(name, kind) for name, kind in run.scenario.actors.items()}
        wanted = [Wanted(name, actor.wanted_user) for name, actor in cast.items() if actor.needs_user]
        users = await stand.lend_users(wanted, str(run.directory or run.scenario.name))
        try:
            lent = dict(zip((want.actor for want in wanted), users, strict=True))
            for name, actor in cast.items():
                actor.attach(self.runtime, name, stand, lent.get(name))
                run.actors[name] = actor
            try:
                await self._perform_body(linger_s)
            finally:
                # In this order: the actors part, the run's timers and tasks end, the users are free again.
                try:
                    if self._stay is not None:
                        await self._stay()
                finally:
                    try:
                        await self._part()
                    finally:
                        await self.runtime.close()
        finally:
            stand.users.take_back(users)

    async def _perform_body(self, linger_s: float) -> None:
        """What the scenario says, and the verdict on it."""
        self._prepare()
        # A scenario that is a workflow has run by now, in `_prepare`, and a step of it may have been thrown away.
        if self._failure is not None:
            raise self._failure
        loop = self.runtime.loop
        self._body = loop.create_task(self._act())
        ended = loop.create_future()
        self._body.add_done_callback(partial(_set_done, ended))
        try:
            # Not awaited itself: what it raises is judged in `_conclude`, together with what failed beside it.
            await ended
        finally:
            if not self._body.done():
                self._body.cancel()
                await asyncio.wait({self._body})
        if _has_failed(self._body):
            if not self._body.cancelled():
                tell_values(self._body.exception())  # before anything else changes them
            await self._end_branches()
        await self._conclude(linger_s)

    def _actor(self, name: str, kind: type[Actor]) -> Actor:
        scenario = self.run.scenario
        actor = self._given.get(name)
        if actor is None:
            return scenario.new_actor(name)
        if not isinstance(actor, kind):
            text = f"{scenario.name} takes {name} as {kind.__name__}, not {shorten(actor)}"
            raise ScenarioError(text, place=scenario.place)
        return actor

    def _prepare(self) -> None:
        """The workflow of a scenario that is one, looked through before anything is connected."""
        run = self.run
        if run.scenario.is_async:
            return
        # A step that the function makes and drops must find the run that it fails (`Step.__del__`).
        token = STAGE.set(run)
        try:
            workflow = run.scenario.function(**run.actors, **run.parameters)
        finally:
            STAGE.reset(token)
        self._steps = workflow_steps(workflow, run.scenario.place)
        for step in self._steps:
            for part in step.with_parts():
                part.check()
                if part.actor_kind is not None:
                    run.actor_for(part.actor_kind, part)

    async def _act(self) -> None:
        run = self.run
        STAGE.set(run)
        # Also for a single one: what fails in the read that opens its channel ends that a turn later, once it is open.
        async with asyncio.TaskGroup() as group:
            for actor in run.actors.values():
                group.create_task(actor.connect())
        # When all are there, not when the first is: moments are compared between actors.
        BEGUN_NS.set(self.runtime.now_ns())
        # An async handler may give a signal at any time, so nobody could be said to wait in vain.
        if not any(actor.has_async_handlers() for actor in run.actors.values()):
            run.signals.begin(STAGE)
        if run.scenario.is_async:
            value = await run.scenario.function(**run.actors, **run.parameters)
            if not _is_workflow(value):
                run.value = value
                return
            self._steps = workflow_steps(value, run.scenario.place)
        # Each one in this frame: whatever is between here and a step is gone through for every message that it awaits.
        results = []
        for step in self._steps:
            results.append(await step)  # noqa: PERF401
        run.value = results

    async def _end_branches(self) -> None:
        """Cancel what the scenario began beside itself and did not end: its failure is theirs."""
        # Handlers' tasks have the run in their context too; they end with the runtime, after the actors have left.
        branches = [task for task in tasks_with(STAGE, self.run) if task not in self.runtime.tasks]
        for task in branches:
            task.cancel()
        if branches:
            await asyncio.wait(branches, timeout=LEAVE_WITHIN_S)
        for task in branches:
            if task.done() and not task.cancelled():
                task.exception()  # somebody has seen it

    async def _conclude(self, linger_s: float) -> None:
        """Raise what the run failed with, if it did."""
        assert self._body is not None
        error = self._failure
        if error is None and not self._body.cancelled():
            error = cause_of(self._body.exception())
        # P7: the deadline of a wait that nobody awaited has passed as well.
        if error is None and self.runtime.unheard:
            error = next(iter(self.runtime.unheard)).error
        if error is None:
            error = self._judged()
        elif self.runtime.soft_failures:
            error.add_note(f"before that: {SoftChecksFailed(self.runtime.soft_failures)}")
        if error is None:
            return
        tell_consequences(error, self.runtime, is_beside_code=error is self._failure)
        # Before the text is made: the explanation is to say that the message came, and how much too late.
        if isinstance(error, DeadlinePassed):
            await linger(error, self.runtime, self.run.actors.values(), linger_s)
        error = as_exhaustion(error)
        self._make_presentable(error)
        if error is not self._failure:
            self.runtime.record(Failed(at_ns=self.runtime.now_ns(), error=type(error).__name__, text=text_of(error)))
        raise error

    def _make_presentable(self, error: BaseException | None) -> None:
        """Once for each: what was said may have to be looked through for secrets."""
        if error is not self._presented:
            make_presentable(error, self.runtime.journal, self.run.scenario.place)
            self._presented = error

    def _judged(self) -> BaseException | None:
        """What is wrong although the scenario came to its end: soft checks, and in strict mode what is left over."""
        soft = self.runtime.soft_failures
        left: MessagesLeft | None = None
        if self.run.is_strict:
            channels = (channel for actor in self.run.actors.values() for channel in actor.channels.values())
            left = messages_left([(each.mailbox, each.ignored) for each in channels if isinstance(each, Channel)])
        if not soft:
            return left
        failed = SoftChecksFailed(soft)
        if left is not None:
            failed.add_note(f"and {left}")
        return failed

    async def _part(self) -> None:
        """Let the actors leave, and close their channels."""
        for actor in self.run.actors.values():
            if _has_goodbye(actor) and actor.is_connected:
                try:
                    async with asyncio.timeout(LEAVE_WITHIN_S):
                        await actor.leave()
                except Exception as error:
                    # What failed first is what the run is about; a goodbye that fails after it is a note.
                    if self._failure is None and self._body is not None and not _has_failed(self._body):
                        raise
                    self.runtime.record(
                        Note(at_ns=self.runtime.now_ns(), text=f"{actor.name} could not leave: {error}")
                    )
        # In tasks, also a single one: the channel's own end wakes who awaits it, and may then have a failure to tell.
        partings = [self.runtime.loop.create_task(actor.disconnect()) for actor in self.run.actors.values()]
        if len(partings) == 1:  # as `gather` would, at a third of its cost
            with suppress(Exception):
                await partings[0]
        else:
            await asyncio.gather(*partings, return_exceptions=True)

    def _fail(self, error: BaseException) -> None:
        """Something failed beside the scenario's own code: end that."""
        if self._failure is None:
            self._failure = error
            if self._body is not None:
                self._body.cancel()


def _started(scenario: Scenario[Any, Any], parameters: dict[str, Any], stand: str, started_at: datetime) -> RunStarted:
    return RunStarted(
        at_ns=0,
        scenario=scenario.name,
        parameters=parameters,
        actors={name: kind.message_channels() for name, kind in scenario.actors.items()},
        stand=stand,
        started_at=iso_utc(started_at),
        antiphon=own_version(),
        python=platform.python_version(),
        pid=os.getpid(),
    )


@cache  # to look it up means to read a file
def own_version() -> str:
    """The version of antiphon, as a record has it."""
    return version("antiphon")


def _require_scenario(scenario: Any) -> None:
    if inspect.iscoroutine(scenario):
        scenario.close()
        hint = f"give the scenario itself, without brackets behind it: play({scenario.__name__}, …)"
        raise ScenarioError(f"a coroutine of {scenario.__name__} is no scenario", hint=hint)
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"{shorten(scenario)} is no scenario", hint="decorate the function with @scenario")


def _set_done(future: asyncio.Future[None], _task: object) -> None:
    if not future.done():
        future.set_result(None)


def _has_goodbye(actor: Actor) -> bool:
    """Whether its author has given it something to do in `leave`."""
    return getattr(actor.leave, "__func__", None) is not Actor.leave


def _is_workflow(value: Any) -> bool:
    return isinstance(value, Step) or (isinstance(value, list) and bool(value) and isinstance(value[0], Step))


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else shorten(value)

"""Performs one scenario: connects its actors, does what it says, closes everything, and gives the run."""

from __future__ import annotations

import asyncio
import inspect
import os
import platform
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from antiphon.actor import Actor
from antiphon.clock import iso_utc
from antiphon.engine import Engine
from antiphon.errors import (
    AntiphonError,
    ConnectFailed,
    DeadlinePassed,
    DialectError,
    ScenarioError,
    TransportError,
)
from antiphon.explain import Explanation
from antiphon.journal import Failed, Journal, Note, RunEnded, RunStarted, Sink
from antiphon.mask import Masker
from antiphon.match import shorten
from antiphon.recording import load_reports, new_run_directory, recording
from antiphon.run import Run
from antiphon.scenarios import Scenario
from antiphon.source import author_frame, place
from antiphon.stand import Stand, User, load_stand
from antiphon.step import STAGE, Step
from antiphon.workflow import perform_workflow, workflow_steps

__all__ = ["event_loop_factory", "perform", "play"]

LINGER_S: Final = 1.0
"""How long a run whose deadline passed listens on, to be able to say that the message came too late."""


LEAVE_WITHIN_S: Final = 5.0
"""How long `Actor.leave` may take."""


def play(
    scenario: Scenario[Any, Any],
    /,
    *,
    stand: Stand | str | None = None,
    runs: Path | str | None = "runs",
    directory: Path | None = None,
    reports: Sequence[str] = ("files",),
    watch: Sink | None = None,
    linger_s: float = LINGER_S,
    **parameters: Any,
) -> Run:
    """Perform a scenario from ordinary code, and return the run when it has passed. See `perform` for the rest."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise ScenarioError("play() cannot be used where an event loop runs", hint="await perform(…) there")
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        return runner.run(
            perform(
                scenario,
                stand=stand,
                runs=runs,
                directory=directory,
                reports=reports,
                watch=watch,
                linger_s=linger_s,
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
    reports: Sequence[str] = ("files",),
    watch: Sink | None = None,
    linger_s: float = LINGER_S,
    **parameters: Any,
) -> Run:
    """Perform a scenario in the running event loop, and return the run when it has passed.

    stand: a stand, or the name of one in antiphon.toml; None for the default one there.
    runs: the directory in which the run gets a new directory of its own; None records nothing on disk.
    directory: the run's own directory, which must exist and be empty; then `runs` is not used.
    reports: what is written there beside the journal, by the names of the entry points "antiphon.reports".
    watch: called with every journal entry, secrets masked, as it happens.
    linger_s: after a deadline has passed, how long to listen on for the message that was too late.
    parameters: the scenario's own; an actor may be given too, instead of a new one of its class.

    Raises what the run failed with; the error's `run` attribute is the run, if it is an AntiphonError. ScenarioError
    is raised before anything is recorded or connected if the scenario, the stand or a parameter is wrong.
    """
    _require_scenario(scenario)
    writers = load_reports(reports)
    chosen = stand if isinstance(stand, Stand) else load_stand(stand, near=scenario.folder)
    given = {name: parameters.pop(name) for name in list(parameters) if name in scenario.actors}
    arguments = scenario.arguments(parameters)
    journal = Journal(masker=Masker(chosen.secrets))
    if directory is None and runs is not None:
        directory = new_run_directory(Path(runs), scenario.name)
    with recording(journal, directory, writers, watch):
        performance = _Performance(scenario, arguments, given, chosen, journal, directory)
        return await performance.perform(linger_s)


class _Performance:
    """One scenario being performed."""

    def __init__(
        self,
        scenario: Scenario[Any, Any],
        arguments: dict[str, Any],
        given: dict[str, Actor],
        stand: Stand,
        journal: Journal,
        directory: Path | None,
    ) -> None:
        self.engine = Engine(journal, self._fail)
        self.run = Run(scenario, arguments, directory, self.engine)
        self._stand = stand
        self._given = given
        self._failure: BaseException | None = None
        self._body: asyncio.Task[None] | None = None
        self._workflow: Any = None

    async def perform(self, linger_s: float) -> Run:
        run, engine = self.run, self.engine
        engine.record(self._started())
        error: BaseException | None = None
        try:
            await self._supervise(linger_s)
        except BaseException as raised:
            error = raised
        run.error = error if error is not None else self._failure
        self._finish(run.error)
        run.duration_s = engine.now_ns() / 1e9
        run.verdict = _verdict(run.error)
        engine.record(RunEnded(at_ns=engine.now_ns(), verdict=run.verdict, error=_text_of(run.error)))
        if isinstance(run.error, AntiphonError):
            run.error.run = run
        if run.error is not None:
            raise run.error
        return run

    async def _supervise(self, linger_s: float) -> None:
        """Do it, with whatever must be running, and end everything whatever happens."""
        async with AsyncExitStack() as stack:
            stand = self._stand
            if stand.start:
                stand = await stack.enter_async_context(_started_stand(stand))
            users = self._cast(stand)
            stack.callback(self._give_back, stand, users)
            stack.push_async_callback(self.engine.close)
            stack.push_async_callback(self._part)
            self._prepare()
            if self._failure is not None:
                raise self._failure
            self._body = asyncio.ensure_future(self._act())
            try:
                await asyncio.wait({self._body})
            finally:
                if not self._body.done():
                    self._body.cancel()
                    await asyncio.wait({self._body})
            await self._conclude(linger_s)

    def _cast(self, stand: Stand) -> list[User | None]:
        """Make the actors."""
        users = []
        for name, kind in self.run.scenario.actors.items():
            actor = self._given.get(name)
            if actor is None:
                actor = _new_actor(kind, self.run.scenario)
            elif not isinstance(actor, kind):
                text = f"{self.run.scenario.name} takes {name} as {kind.__name__}, not {shorten(actor)}"
                raise ScenarioError(text, place=self.run.scenario.place)
            users.append(stand.lend_user())
            actor.attach(self.engine, name, stand, users[-1])
            self.run.actors[name] = actor
        return users

    def _give_back(self, stand: Stand, users: Iterable[User | None]) -> None:
        for user in users:
            stand.take_back(user)

    def _prepare(self) -> None:
        """The workflow of a scenario that is one, looked through before anything is connected."""
        run = self.run
        if run.scenario.is_async:
            return
        token = STAGE.set(run)
        try:
            self._workflow = run.scenario.function(**run.actors, **run.parameters)
        finally:
            STAGE.reset(token)
        for step in workflow_steps(self._workflow, run.scenario.place):
            for part in step.with_parts():
                part.check()
                if part.actor_kind is not None:
                    run.actor_for(part.actor_kind, part)

    async def _act(self) -> None:
        run = self.run
        STAGE.set(run)
        async with asyncio.TaskGroup() as group:
            for actor in run.actors.values():
                group.create_task(actor.connect())
        if run.scenario.is_async:
            self._workflow = await run.scenario.function(**run.actors, **run.parameters)
            if not _is_workflow(self._workflow):
                run.value = self._workflow
                return
        run.value = await perform_workflow(self._workflow, run, run.scenario.place)

    async def _conclude(self, linger_s: float) -> None:
        """Raise what the run failed with, if it did."""
        assert self._body is not None
        error = self._failure
        if error is None and not self._body.cancelled():
            error = _single(self._body.exception())
        if error is None and self.engine.unheard:
            error = next(iter(self.engine.unheard)).error
        if error is None:
            return
        if isinstance(error, DeadlinePassed):
            await self._linger(error, linger_s)
        self._finish(error)
        if error is not self._failure:
            self.engine.record(Failed(at_ns=self.engine.now_ns(), error=type(error).__name__, text=_text_of(error)))
        raise error

    async def _linger(self, error: DeadlinePassed, linger_s: float) -> None:
        """Listen on until the late message comes, or `linger_s` has passed."""
        wait = error.explanation.wait
        before_ns = self.engine.now_ns()
        while not wait.late_ns and self.engine.now_ns() - before_ns < linger_s * 1e9:
            if not any(actor.is_connected for actor in self.run.actors.values()):
                return
            await asyncio.sleep(min(0.02, linger_s))
        if wait.late_ns:
            self.engine.record(
                Note(at_ns=self.engine.now_ns(), text=f"{wait.describe()} came {wait.late_ns / 1e6:.0f} ms too late")
            )

    async def _part(self) -> None:
        """Let the actors leave, and close their channels."""
        for actor in self.run.actors.values():
            if actor.is_connected:
                try:
                    async with asyncio.timeout(LEAVE_WITHIN_S):
                        await actor.leave()
                except Exception as error:
                    if self._failure is None and self._body is not None and not _has_failed(self._body):
                        raise
                    self.engine.record(Note(at_ns=self.engine.now_ns(), text=f"{actor.name} could not leave: {error}"))
        await asyncio.gather(*(actor.disconnect() for actor in self.run.actors.values()), return_exceptions=True)

    def _finish(self, error: BaseException | None) -> None:
        """Make an error of ours ready to be shown: it says where, and keeps the secrets.

        The place is the innermost line of the author's that it went through, or the scenario.
        """
        if not isinstance(error, AntiphonError):
            return
        masker = self.engine.journal.masker
        explanation: Explanation | None = getattr(error, "explanation", None)
        if explanation is not None:
            for message in explanation.history:
                masker.learn_from(message.body)
            explanation.mask = masker.text
            return
        error.text = masker.text(error.text)
        error.hint = masker.text(error.hint) if error.hint else None
        if error.place is None:
            frame = author_frame(error)
            error.place = place(frame.filename, frame.lineno or 0) if frame is not None else self.run.scenario.place

    def _fail(self, error: BaseException) -> None:
        """Something failed beside the scenario's own code: end that."""
        if self._failure is None:
            self._failure = error
            if self._body is not None:
                self._body.cancel()

    def _started(self) -> RunStarted:
        return RunStarted(
            at_ns=0,
            scenario=self.run.scenario.name,
            parameters={name: _plain(value) for name, value in self.run.parameters.items()},
            actors={name: kind.message_channels() for name, kind in self.run.scenario.actors.items()},
            stand=self._stand.name,
            started_at=iso_utc(self.engine.clock.started_at),
            antiphon=version("antiphon"),
            python=platform.python_version(),
            pid=os.getpid(),
        )


@asynccontextmanager
async def _started_stand(stand: Stand) -> AsyncIterator[Stand]:
    """What the stand's `start` names, running; the stand with its addresses and users."""
    module, _, attribute = stand.start.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ScenarioError(
            f"the stand {stand.name!r} starts {stand.start!r}, which cannot be found: {error}",
            place=stand.source or None,
        ) from error
    async with factory() as started:
        yield stand.started(started.addresses, started.users)


def _new_actor(kind: type[Actor], scenario: Scenario[Any, Any]) -> Actor:
    try:
        return kind()
    except TypeError as error:
        raise ScenarioError(
            f"{kind.__name__} cannot be made without arguments: {error}",
            place=scenario.place,
            hint="give defaults to its __init__, or pass a ready actor to play() and perform()",
        ) from error


def _require_scenario(scenario: Any) -> None:
    if inspect.iscoroutine(scenario):
        scenario.close()
        hint = f"give the scenario itself, without brackets behind it: play({scenario.__name__}, …)"
        raise ScenarioError(f"a coroutine of {scenario.__name__} is no scenario", hint=hint)
    if not isinstance(scenario, Scenario):
        raise ScenarioError(f"{shorten(scenario)} is no scenario", hint="decorate the function with @scenario")


def _is_workflow(value: Any) -> bool:
    return isinstance(value, Step) or (isinstance(value, list) and bool(value) and isinstance(value[0], Step))


def _single(error: BaseException | None) -> BaseException | None:
    """The first error of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _verdict(error: BaseException | None) -> str:
    if error is None:
        return "passed"
    if isinstance(error, ConnectFailed):
        return "error"
    if isinstance(error, (AssertionError, DialectError, TransportError)):
        return "failed"
    return "error" if isinstance(error, Exception) else "interrupted"


def _text_of(error: BaseException | None) -> str:
    if error is None:
        return ""
    return str(error) if isinstance(error, AntiphonError) else f"{type(error).__name__}: {error}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else shorten(value)


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

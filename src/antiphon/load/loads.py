"""Performs a load: `perform_load` in the running event loop, `play_load` from ordinary code."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.errors import AntiphonError, LoadInconclusive, RecordingError, ScenarioError, ThresholdCrossed
from antiphon.journal.figures import ConversationKept, LoadStarted, LoadVerdict
from antiphon.journal.file import JournalWriter
from antiphon.journal.load_file import LOAD_FILE_NAME
from antiphon.journal.masking import Masker
from antiphon.journal.recording import make_report, new_run_directory
from antiphon.load.director import Director, Seat
from antiphon.load.engine import Engine
from antiphon.load.judging import conclusion
from antiphon.load.keeping import Keep, Keeper, slowest_of_all
from antiphon.load.limits import require_files, require_users, users_wanted, with_own_users
from antiphon.load.orders import Begin, StandData
from antiphon.load.plan import Plan
from antiphon.load.processes import ProcessGenerator
from antiphon.load.shares import Share
from antiphon.load.table import OWN_TABLE_NAME, Columns, TableFile, parse_table, require_table
from antiphon.load.target import Target
from antiphon.load.trust import Trust
from antiphon.report.load.figures import LoadFigures, read_figures
from antiphon.report.load.reports import STANDARD_REPORTS, LoadReports, check_names, require_place
from antiphon.runtime.event_loop import require_no_loop, run_in_loop
from antiphon.scenarios.runner import own_version
from antiphon.stand.stand import Stand, load_stand
from antiphon.stand.starting import started

__all__ = [
    "Load",
    "Performable",
    "Watcher",
    "make_reports",
    "name_of",
    "perform_load",
    "play_load",
    "require_performable",
]


class Load:
    """A load that is over: `figures` are what was measured, `directory` where it was recorded, None if it was not."""

    def __init__(self, plan: Plan, figures: LoadFigures, directory: Path | None) -> None:
        self.plan = plan
        self.figures = figures
        self.directory = directory

    @property
    def verdict(self) -> LoadVerdict:
        """ "passed", "failed" (a threshold was crossed), "inconclusive" or "interrupted"."""
        assert self.figures.ended is not None
        return self.figures.ended.verdict

    @property
    def doubts(self) -> Sequence[str]:
        """Why its numbers may not be trusted; none is that they may."""
        return self.figures.doubts

    def __repr__(self) -> str:
        return f"<Load {name_of(self.plan)}: {self.verdict}>"


class Watcher(Protocol):
    """Whoever looks on: it may tell the director to change the load, to pause it or to end it."""

    def begin(self, director: Director, /) -> None:
        """The load is about to begin."""
        ...

    def see(self, entry: Any, /) -> None:
        """An entry of the load's record."""
        ...

    def close(self) -> None:
        """It is over."""
        ...


def play_load(plan: Plan, **options: Any) -> Load:
    """Perform a load from ordinary code; see `perform_load`."""
    require_no_loop("play_load()", "perform_load(…)")
    return run_in_loop(perform_load(plan, **options))


async def perform_load(
    plan: Plan,
    *,
    stand: Stand | str | None = None,
    runs: Path | str | None = "runs",
    directory: Path | None = None,
    reports: Sequence[str] = (),
    keep: Keep | None = None,
    baseline: Path | None = None,
    processes: int = 0,
    target: Target | None = None,
    table: str | None = None,
    watch: Watcher | None = None,
    at: float | None = None,
) -> Load:
    """Perform a plan's conversations, and return the load when all its thresholds have held.

    stand: a stand, or the name of one in antiphon.toml; None for the plan's own, or else the default one there.
    runs, directory: where it is recorded, as in `perform`; nowhere with `runs=None`.
    reports: what is made of it beside the standard ones: junit, allure; NAME=PATH says where else one goes.
    keep: which conversations are kept whole, None for three of each cause and the five slowest.
    baseline: the directory of an earlier load, which thresholds and reports may compare with.
    processes: how many perform it; 0 for this one. Others make the plan anew, of its `target`.
    table: "FILE.csv:COLUMNS": a row for each conversation that has ended (`antiphon.load.table`).
    at: when it begins, in seconds since the epoch; None for at once.

    Raises ThresholdCrossed if a threshold did not hold, LoadInconclusive if the numbers may not be trusted; the error's
    `load` attribute is the load. ScenarioError is raised before anything begins if the plan cannot be performed.
    """
    ready = require_performable(plan, stand=stand, reports=reports, baseline=baseline, processes=processes, table=table)
    if directory is None and runs is not None:
        directory = new_run_directory(Path(runs), name_of(plan))
    figures = LoadFigures(directory if directory is not None else Path())
    options = _Options(directory, keep or Keep(), processes, target, watch, ready.baseline, ready.table)
    performance = _Performance(plan, ready.stand, figures, options)
    try:
        await performance.perform(at)
    finally:
        if directory is not None:
            make_reports(directory, figures, reports, baseline)
    load = Load(plan, figures, directory)
    if load.verdict == "inconclusive":
        raise LoadInconclusive(figures.doubts, load)
    crossed = [each for each in figures.thresholds if not each.has_passed]
    if crossed:
        raise ThresholdCrossed([each.measured for each in crossed], load)
    return load


class Performable(NamedTuple):
    """What a load is performed with; see `perform_load`."""

    stand: Stand
    baseline: LoadFigures | None
    table: tuple[Path, Columns] | None


def require_performable(
    plan: Plan,
    *,
    stand: Stand | str | None = None,
    reports: Sequence[str] = (),
    baseline: Path | None = None,
    processes: int = 0,
    table: str | None = None,
) -> Performable:
    """What the load is performed with, as `perform_load` is told; nothing is written.

    Raises ScenarioError, RecordingError or ResourcesExhausted if it cannot be.
    """
    check_names(spec.partition("=")[0] for spec in reports)
    asked_for = stand if stand is not None else plan.stand
    near = plan.parts[0].scenario.folder
    chosen = asked_for if isinstance(asked_for, Stand) else load_stand(asked_for, near=near)
    chosen = with_own_users(chosen, plan.share)
    compared = read_figures(baseline) if baseline is not None else None
    asked = parse_table(table) if table is not None else None
    if asked is not None:
        require_table(asked[0], _inputs(plan, chosen))
    for spec in reports:
        require_place(spec)
    require_files(plan, processes)
    require_users(plan, chosen, processes)
    return Performable(chosen, compared, asked)


def _inputs(plan: Plan, stand: Stand) -> Iterator[Path]:
    """The tables that the load reads: those of its feeds, and of the stand's users."""
    feeds = (feed.file for planned in plan.parts for feed in planned.part.all_feeds)
    yield from filter(None, [*feeds, stand.users_file])


def name_of(plan: Plan) -> str:
    """What a load is called, as its directory: by its parts."""
    names = [part.name for part in plan.parts]
    return "+".join(names[:3]) + ("+…" if len(names) > 3 else "")


class _Options(NamedTuple):
    """How a plan is performed, beside the plan; see `perform_load`."""

    directory: Path | None
    keep: Keep
    processes: int
    target: Target | None
    watch: Watcher | None
    baseline: LoadFigures | None
    table: tuple[Path, Columns] | None


class _Performance:
    """One load being performed."""

    def __init__(self, plan: Plan, stand: Stand, figures: LoadFigures, options: _Options) -> None:
        self._plan = plan
        self._stand = stand
        self._figures = figures
        self._options = options

    async def perform(self, at: float | None) -> None:
        plan = self._plan
        with (
            closing(_Record(self._options.directory, self._figures, self._options.watch)) as record,
            self._tables() as tables,
        ):
            async with started(self._stand, users=users_wanted(plan)) as stand:
                require_users(plan, stand, self._options.processes)
                record(self._started(at))
                async with self._ended(record), self._seats(stand) as seats:
                    director = Director(
                        plan,
                        seats,
                        record,
                        self._figures,
                        baseline=self._options.baseline,
                        tables=tables,
                        choose=self._choose,
                    )
                    if self._options.watch is not None:
                        self._options.watch.begin(director)
                    await self._direct(director, record, at)

    @asynccontextmanager
    async def _ended(self, record: Callable[[Any], None]) -> AsyncIterator[None]:
        """A load that has not come to its beginning has an end as well."""
        try:
            yield
        except BaseException as error:
            if self._figures.ended is None:
                record(conclusion(self._figures, Trust(), [], error=error))
            raise

    def _choose(self, kept: list[ConversationKept]) -> list[ConversationKept]:
        return (
            slowest_of_all(kept, self._options.keep, self._options.directory)
            if self._options.directory is not None
            else kept
        )

    @contextmanager
    def _tables(self) -> Iterator[list[TableFile]]:
        """The files of the table, if there is to be one: a shard's own directory has it too."""
        with ExitStack() as files:
            tables: list[TableFile] = []
            if self._options.table is not None:
                path, columns = self._options.table
                tables.append(files.enter_context(closing(TableFile(path, columns.names))))
                if self._plan.share.of > 1 and self._options.directory is not None:
                    own = TableFile(self._options.directory / OWN_TABLE_NAME, columns.names, is_private=True)
                    tables.append(files.enter_context(closing(own)))
            yield tables

    async def _direct(self, director: Director, record: Callable[[Any], None], at: float | None) -> None:
        error: BaseException | None = None
        try:
            await director.direct(at)
        except BaseException as raised:
            error = raised
        figures = self._figures
        # Of a load that was broken off it is not known whether its thresholds would have held.
        judged = director.judge() if error is None else []
        record(conclusion(figures, director.trust, judged, doubts=director.doubts, error=error))
        if error is not None:
            raise error

    @asynccontextmanager
    async def _seats(self, stand: Stand) -> AsyncIterator[list[Seat]]:
        """Who performs it, ready to begin."""
        plan = self._plan
        if not self._options.processes:
            columns = self._options.table[1] if self._options.table is not None else None
            keeper = (
                Keeper(self._options.keep, self._options.directory) if self._options.directory is not None else None
            )
            yield [Seat(Engine(plan, stand, keeper=keeper, columns=columns), plan.share, 0)]
            return
        begun = [ProcessGenerator.begin(self._order(number, stand)) for number in range(self._options.processes)]
        made = await asyncio.gather(*begun, return_exceptions=True)
        generators = [each for each in made if isinstance(each, ProcessGenerator)]
        try:
            for each in made:
                if isinstance(each, BaseException):
                    raise each
            yield [Seat(each, each.share, each.number) for each in generators]
        finally:
            await asyncio.gather(*[each.kill() for each in generators])

    def _order(self, number: int, stand: Stand) -> Begin:
        plan = self._plan
        if self._options.target is None:
            raise ScenarioError(
                "a plan that was made in code is performed in the process that has made it",
                hint="leave processes= out; or put the plan into a file, and say antiphon load FILE.py:NAME",
            )
        within = Share(number, self._options.processes)
        keep = self._options.keep
        return Begin(
            target=self._options.target,
            seed=plan.seed,
            stand=StandData.of(stand, within),
            share=within.within(plan.share),
            process=number,
            directory=str(self._options.directory) if self._options.directory is not None else None,
            keep=(keep.failed_per_cause, keep.slowest, keep.share),
            columns=self._options.table[1].names if self._options.table is not None else (),
        )

    def _plan_data(self) -> dict[str, Any]:
        """The plan, and what it can be made of again: `antiphon run --again` asks for that."""
        data = self._plan.as_data() | {"users": users_wanted(self._plan)}
        if self._options.table is not None:
            data["table"] = list(self._options.table[1].names)
        if self._options.target is not None:
            data["target"] = msgspec.to_builtins(self._options.target)
        return data

    def _started(self, at: float | None) -> LoadStarted:
        plan = self._plan
        begins = datetime.fromtimestamp(at, UTC) if at is not None else datetime.now(UTC)
        return LoadStarted(
            at_ns=0,
            plan=Masker(self._stand.secrets).value(self._plan_data()),
            stand=self._stand.name,
            seed=plan.seed,
            started_at=iso_utc(begins),
            antiphon=own_version(),
            python=platform.python_version(),
            machine=f"{platform.machine()}, {platform.system()}",
            cpus=os.cpu_count() or 1,
            processes=max(self._options.processes, 1),
            shard=str(plan.share) if plan.share.of > 1 else "",
        )


class _Record:
    """Takes the entries of a load's record: to the disk first, then to those who count, then to those who look on."""

    def __init__(self, directory: Path | None, figures: LoadFigures, watch: Watcher | None) -> None:
        self._write = JournalWriter(directory / LOAD_FILE_NAME) if directory is not None else None
        self._figures = figures
        self._watch = watch

    def __call__(self, entry: Any) -> None:
        try:
            if self._write is not None:
                self._write(entry)
        finally:
            self._figures.add(entry)
            if self._watch is not None:
                self._watch.see(entry)

    def close(self) -> None:
        try:
            if self._write is not None:
                self._write.close()
        finally:
            if self._watch is not None:
                self._watch.close()


def make_reports(directory: Path, figures: LoadFigures, reports: Sequence[str], baseline: Path | None) -> None:
    """All that can be made, those of the load and a trace of each conversation that was kept; what failed before is not
    hidden by one that cannot."""
    failed = sys.exception()
    troubles: list[AntiphonError] = []
    with _noting(troubles):
        made = LoadReports(directory, baseline)
        for spec in [*STANDARD_REPORTS, *reports]:
            with _noting(troubles):
                made.make(spec)
    for kept in figures.kept:
        with _noting(troubles):
            make_report(directory / kept.directory, "trace")
    if not troubles:
        return
    if failed is None:
        raise troubles[0]
    failed.add_note(str(troubles[0]))


@contextmanager
def _noting(troubles: list[AntiphonError]) -> Iterator[None]:
    try:
        yield
    except (RecordingError, ScenarioError) as error:
        troubles.append(error)

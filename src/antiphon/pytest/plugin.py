"""The pytest plugin: scenarios performed as tests.

    def test_outgoing(play):                      # or: play: Play
        run = play(outgoing, telephone="890000002")
        assert run.operator.interaction_id

    @pytest.mark.asyncio                          # or @pytest.mark.anyio, on asyncio
    async def test_outgoing(perform):             # or: perform: Perform
        run = await perform(outgoing, telephone="890000002")

    def test_load(play_load):                     # or: play_load: PlayLoad
        load = play_load(Plan(part(outgoing, rate="5/s"), during="30s", thresholds=["outbound_call p95 < 800ms"]))

Every run is recorded in a directory of its own, named after the test; the report of a failed test shows the end of the
conversation, or how the load ended, secrets masked, and the directory. What passed is kept too, unless `antiphon_keep =
failed`. Reports of a run are made when its test has ended, and have the test's verdict.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

# Nothing of antiphon is imported before a test asks for it: pytest loads this module at each of its starts.
if TYPE_CHECKING:
    from antiphon.load.loads import Load
    from antiphon.load.plan import Plan
    from antiphon.pytest.outcomes import Outcomes
    from antiphon.pytest.recordings import Recordings
    from antiphon.scenarios.run import Run
    from antiphon.scenarios.scenario import Scenario
    from antiphon.stand.stand import Stand

__all__ = ["Perform", "Play", "PlayLoad"]


class Play(Protocol):
    """The fixture `play`."""

    def __call__(self, scenario: Scenario[Any, Any], /, *, stand: Stand | str | None = None, **parameters: Any) -> Run:
        """Perform a scenario, and return the run when it has passed; see `antiphon.play`."""
        ...


class Perform(Protocol):
    """The fixture `perform`."""

    async def __call__(
        self, scenario: Scenario[Any, Any], /, *, stand: Stand | str | None = None, **parameters: Any
    ) -> Run:
        """Perform a scenario in the running event loop; see `antiphon.perform`."""
        ...


class PlayLoad(Protocol):
    """The fixture `play_load`."""

    def __call__(self, plan: Plan, /, *, stand: Stand | str | None = None, **options: Any) -> Load:
        """Perform a load, and return it when its thresholds have held; see `antiphon.play_load`."""
        ...


@pytest.fixture
def stand(request: pytest.FixtureRequest) -> Stand:
    """The stand that the test's scenarios are performed on.

    It is the one that `--stand` names, or the default one, in the `antiphon.toml` of the working directory or above it,
    or else next to the test's file or above that. A stand that starts its own system starts it anew for each run.
    Override this fixture in a conftest.py to make a stand otherwise (or return the name of one), or to start the system
    once for all tests:

        @pytest.fixture(scope="session")
        def stand():
            with my_system() as system:              # in a process or thread of its own
                yield Stand("mine", {"centre": system.address}, users=[...])

    The workers of pytest-xdist lend the stand's users to one run at a time, as all processes do.
    """
    from antiphon.errors import ScenarioError
    from antiphon.pytest.recordings import find_stand

    try:
        return find_stand(request.config.getoption("--stand"), request.path.parent)
    except ScenarioError as error:
        # Told as one error: a traceback of ours says nothing about a stand file.
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def play(request: pytest.FixtureRequest, stand: Stand | str) -> Play:
    """Performs scenarios: `run = play(outgoing, telephone="890000002")`.

    Takes what `antiphon.play` takes; the stand is that of the fixture `stand`, and each run is recorded in a new
    directory (`runs=None` records nothing).
    """
    from antiphon.scenarios import runner

    recordings = _recordings(request)

    def play_recorded(scenario: Scenario[Any, Any], /, **options: Any) -> Run:
        recording = recordings.begin(stand, options)
        try:
            with _exit_as_itself():
                return runner.play(scenario, **options)
        finally:
            recording.end()

    return play_recorded


@pytest.fixture
def perform(request: pytest.FixtureRequest, stand: Stand | str) -> Perform:
    """Performs scenarios in an async test: `run = await perform(outgoing, telephone="890000002")`.

    Takes what `antiphon.perform` takes; otherwise like `play`. The test runs on asyncio, by pytest-asyncio or anyio.
    """
    from antiphon.errors import ScenarioError
    from antiphon.scenarios import runner

    recordings = _recordings(request)

    async def perform_recorded(scenario: Scenario[Any, Any], /, **options: Any) -> Run:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ScenarioError(
                "perform() needs asyncio, and this test runs on another event loop",
                hint='let the fixture anyio_backend return "asyncio", or use play() in a test that is not async',
            ) from None
        recording = recordings.begin(stand, options)
        try:
            with _exit_as_itself():
                return await runner.perform(scenario, **options)
        finally:
            recording.end()

    return perform_recorded


@pytest.fixture
def play_load(request: pytest.FixtureRequest, stand: Stand | str) -> PlayLoad:
    """Performs loads: `load = play_load(Plan(part(outgoing, rate="5/s"), during="30s"))`.

    Takes what `antiphon.play_load` takes; the stand is that of the plan, or else of the fixture `stand`, and each load
    is recorded in a new directory (`runs=None` records nothing). A threshold that is crossed fails the test. A load
    whose numbers may not be trusted is an error of it: it is not known whether the system is good enough.
    """
    from antiphon.errors import LoadInconclusive, ThresholdCrossed
    from antiphon.journal.masking import Masker
    from antiphon.load import loads
    from antiphon.pytest.load_recordings import LoadRecording, reports_of_loads

    recordings = _recordings(request)

    def play_recorded(plan: Plan, /, **options: Any) -> Load:
        said = options.get("stand") or plan.stand
        options["stand"] = found = recordings.find_stand(stand if said is None else said)
        recording = LoadRecording(Masker(found.secrets))
        recording.masker.learn_from(found.environment)
        recordings.begin_load(recording, reports_of_loads(recordings.reports), options)
        try:
            recording.load = loads.play_load(plan, **options)
        except (LoadInconclusive, ThresholdCrossed) as error:
            recording.load = error.load
            raise
        finally:
            recording.end()
        return recording.load

    return play_recorded


@contextmanager
def _exit_as_itself() -> Iterator[None]:
    """Raise `pytest.exit()` of a handler as itself: an ordinary Exception, it arrives as the failure of the handler."""
    from antiphon.errors import HandlerFailed

    try:
        yield
    except HandlerFailed as error:
        if isinstance(error.__cause__, pytest.exit.Exception):
            raise error.__cause__ from None
        raise


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("antiphon", "conversations with message-driven systems")
    group.addoption("--stand", metavar="NAME", help="the stand in antiphon.toml (by default the default one there)")
    group.addoption("--antiphon-runs", metavar="DIR", help="where runs are recorded (by default the ini option)")
    group.addoption(
        "--antiphon-keep", choices=("all", "failed"), help="which tests' runs are kept (by default the ini option)"
    )
    group.addoption(
        "--antiphon-report",
        metavar="NAME[=DIR]",
        action="append",
        default=[],
        help="a report of every run, in its directory or that one: junit, allure, summary, mermaid, har; repeatable",
    )
    parser.addini("antiphon_runs", "where runs are recorded, from the rootdir (runs)", default="runs")
    parser.addini(
        "antiphon_reports", "reports of every run, as --antiphon-report takes them", type="linelist", default=[]
    )
    parser.addini("antiphon_keep", "which tests' runs are kept: all or failed (all)", default="all")


def pytest_configure(config: pytest.Config) -> None:
    if _keep(config) not in ("all", "failed"):
        raise pytest.UsageError(f"antiphon_keep is all or failed, not {_keep(config)!r}")
    reports = _reports(config)
    if reports:
        from antiphon.errors import ScenarioError
        from antiphon.journal.recording import load_reports

        try:
            # Now, and not in the first test: a report that is not there would fail all of them, each for itself.
            load_reports(reports)
        except ScenarioError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if (
        call.excinfo is not None
        # A test session without a run has no frames of ours to hide, and need not import what hides them.
        and "antiphon.scenarios.runner" in sys.modules
        and not item.config.getoption("fulltrace")
    ):
        from antiphon.runtime.tracebacks import keep_author_frames

        error, before = call.excinfo.value, call.excinfo.value.__traceback__
        keep_author_frames(error)
        if error.__traceback__ is not before:
            call.excinfo = pytest.ExceptionInfo.from_exception(error)
    report = yield
    if call.excinfo is not None and _is_inconclusive(call.excinfo.value):
        setattr(report, _INCONCLUSIVE, True)
    recordings = item.stash.get(_RECORDINGS, None)
    if recordings is not None:
        _outcomes(item.config).present_reason(item, report)
        if report.failed:
            recordings.show(report)
        # Only now: a fixture that fails while it is torn down makes the test a failed one, whose runs are kept.
        if report.when == "teardown":
            del item.stash[_RECORDINGS]
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A load whose numbers may not be trusted says nothing of the system: an error, and no failure."""
    return ("error", "E", "ERROR") if report.failed and getattr(report, _INCONCLUSIVE, False) else None


def _is_inconclusive(error: BaseException) -> bool:
    if "antiphon.load.loads" not in sys.modules:
        return False
    from antiphon.errors import LoadInconclusive

    return isinstance(error, LoadInconclusive)


_INCONCLUSIVE: Final = "antiphon_inconclusive"
"""What a report has that tells of a load whose numbers may not be trusted; pytest-xdist carries it to who shows it."""

_RECORDINGS: Final = pytest.StashKey["Recordings"]()
_OUTCOMES: Final = pytest.StashKey["Outcomes"]()


def _recordings(request: pytest.FixtureRequest) -> Recordings:
    """Those of the test that the request is for."""
    from antiphon.pytest.recordings import Recordings

    item: pytest.Item = request.node
    if _RECORDINGS not in item.stash:
        item.stash[_RECORDINGS] = Recordings(item, _home(item.config), _reports(item.config))
        _outcomes(item.config).expect(item.nodeid, item.stash[_RECORDINGS])
    return item.stash[_RECORDINGS]


def _outcomes(config: pytest.Config) -> Outcomes:
    """Whoever learns how tests end; it is there from the first test on that makes runs."""
    from antiphon.pytest.outcomes import Outcomes

    if _OUTCOMES not in config.stash:
        config.stash[_OUTCOMES] = Outcomes(_keep(config))
        config.pluginmanager.register(config.stash[_OUTCOMES], "antiphon-outcomes")
    return config.stash[_OUTCOMES]


def _home(config: pytest.Config) -> Path:
    option: str | None = config.getoption("--antiphon-runs")
    # What stands in a file is meant from there; what is typed, from where it is typed.
    return config.rootpath / config.getini("antiphon_runs") if option is None else config.invocation_params.dir / option


def _reports(config: pytest.Config) -> list[str]:
    """The reports of every run. Where one has a place of its own, that is a directory, which all tests share."""
    given = [(config.rootpath, spec) for spec in config.getini("antiphon_reports")]
    given += [(config.invocation_params.dir, spec) for spec in config.getoption("--antiphon-report")]
    parts = [(home, *spec.partition("=")) for home, spec in given]
    return [f"{name}={home / target}/" if target else name for home, name, _, target in parts]


def _keep(config: pytest.Config) -> str:
    keep: str = config.getoption("--antiphon-keep") or config.getini("antiphon_keep")
    return keep

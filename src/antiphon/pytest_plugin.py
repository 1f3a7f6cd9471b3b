"""The pytest plugin: scenarios performed as tests.

    def test_outgoing(play):                      # or: play: Play
        run = play(outgoing, telephone="890000002")
        assert run.operator.interaction_id

    @pytest.mark.asyncio                          # or @pytest.mark.anyio, on asyncio
    async def test_outgoing(perform):             # or: perform: Perform
        run = await perform(outgoing, telephone="890000002")

Every run is recorded in a directory of its own, named after the test; the report of a failed test shows the end of the
conversation, secrets masked, and the directory. What passed is kept too, unless `antiphon_keep = failed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

# Nothing of antiphon is imported before a test asks for it: pytest loads this module at each of its starts.
if TYPE_CHECKING:
    from antiphon.scenarios.run import Run
    from antiphon.scenarios.scenario import Scenario
    from antiphon.stand.stand import Stand

__all__ = ["Perform", "Play"]

LAST_LINES: Final = 20
"""How many lines of a conversation a failed test shows."""

KEPT_ENTRIES: Final = 2_000
"""How much of a journal is kept in memory for that."""

LONGEST_LABEL_BYTES: Final = 120
"""How much of a test's name a directory's name has."""


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

    try:
        return _find_stand(request.config.getoption("--stand"), request.path.parent)
    except ScenarioError as error:
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
            return await runner.perform(scenario, **options)
        finally:
            recording.end()

    return perform_recorded


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
            load_reports(reports)
        except ScenarioError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if (
        call.excinfo is not None
        and "antiphon.scenarios.runner" in sys.modules
        and not item.config.getoption("fulltrace")
    ):
        error, before = call.excinfo.value, call.excinfo.value.__traceback__
        _hide_frames(error)
        if error.__traceback__ is not before:
            call.excinfo = pytest.ExceptionInfo.from_exception(error)
    report = yield
    recordings = item.stash.get(_RECORDINGS, None)
    if recordings is not None:
        if report.failed:
            recordings.show(report)
        if report.when == "teardown":
            recordings.finish(_keep(item.config))
            del item.stash[_RECORDINGS]
    return report


class _Recording:
    """One run of a test: its directory, and the first entry and the last ones of its journal, secrets masked."""

    def __init__(self, watch: Callable[[Any], object] | None, allure: Any) -> None:
        self.directory: Path | None = None
        self._watch = watch
        self._allure = allure
        self._first: Any = None
        self._last: deque[Any] = deque(maxlen=KEPT_ENTRIES)

    def __call__(self, entry: Any) -> None:
        if self._first is None:
            self._first = entry
        else:
            self._last.append(entry)
        if self._watch is not None:
            self._watch(entry)

    @property
    def entries(self) -> list[Any]:
        """Those; none if the run did not begin."""
        return [self._first, *self._last] if self._first is not None else []

    def close(self) -> None:
        """Whoever else watches may want to know that it is over."""
        close = getattr(self._watch, "close", None)
        if close is not None:
            close()

    def end(self) -> None:
        """The run is over; one that did not begin leaves no directory."""
        if self._first is not None:
            self._tell_allure()
        elif self.directory is not None:
            with contextlib.suppress(OSError):  # a report has written something
                self.directory.rmdir()
                self.directory = None

    def _tell_allure(self) -> None:
        """Where allure-pytest records the test, put the run's steps into its result."""
        if self._allure is None:
            return
        from antiphon.journal.file import FILE_NAME, read_journal
        from antiphon.report.formats.allure import add_to_test

        entries = self.entries if self.directory is None else read_journal(self.directory / FILE_NAME)
        add_to_test(entries, self._allure.allure_logger, self.directory)


class _Recordings:
    """The runs of one test."""

    def __init__(self, item: pytest.Item) -> None:
        self._label = _label(item)
        self._home = _home(item.config)
        self._test_directory = item.path.parent
        self._reports = _reports(item.config)
        self._allure = item.config.pluginmanager.get_plugin("allure_listener")
        self._recordings: list[_Recording] = []
        self._has_failed = False

    def begin(self, stand: Stand | str, options: dict[str, Any]) -> _Recording:
        """A run is about to begin; `options` are completed for it."""
        from antiphon.journal.recording import STANDARD_REPORTS, new_run_directory

        chosen = options.get("stand")
        options["stand"] = _find_stand(stand if chosen is None else chosen, self._test_directory)
        recording = options["watch"] = _Recording(options.get("watch"), self._allure)
        options.setdefault("reports", (*STANDARD_REPORTS, *self._reports))
        if not {"runs", "directory"} & options.keys():
            recording.directory = options["directory"] = new_run_directory(self._home, self._label)
        self._recordings.append(recording)
        return recording

    def show(self, report: pytest.TestReport) -> None:
        """Show the end of the last run in the report."""
        self._has_failed = True
        begun = [recording for recording in self._recordings if recording.entries]
        if not begun or any(title == "antiphon" for title, _ in report.sections):
            return
        from antiphon.report.failure_text import show_command
        from antiphon.report.text import last_lines

        lines = last_lines(begun[-1].entries, LAST_LINES)
        places = [recording.directory for recording in begun if recording.directory is not None]
        if places:
            lines += [f"recorded in {places[-1]}", f"to see what was said: {show_command(places[-1])}"]
        lines += [f"and before in {place}" for place in places[:-1]]
        report.sections.append(("antiphon", "\n".join(lines)))

    def finish(self, keep: str) -> None:
        """The test is over."""
        if keep == "failed" and not self._has_failed:
            for recording in self._recordings:
                if recording.directory is not None:
                    shutil.rmtree(recording.directory, ignore_errors=True)


_RECORDINGS: Final = pytest.StashKey[_Recordings]()


def _recordings(request: pytest.FixtureRequest) -> _Recordings:
    """Those of the test that the request is for."""
    item: pytest.Item = request.node
    if _RECORDINGS not in item.stash:
        item.stash[_RECORDINGS] = _Recordings(item)
    return item.stash[_RECORDINGS]


def _label(item: pytest.Item) -> str:
    """The test's name for a directory: `test_calls-test_outgoing-busy`."""
    file, _, test = item.nodeid.partition("::")
    label = re.sub(r"\W+", "-", f"{Path(file).stem}-{test}").strip("-")
    return label.encode()[:LONGEST_LABEL_BYTES].decode(errors="ignore")


def _home(config: pytest.Config) -> Path:
    option: str | None = config.getoption("--antiphon-runs")
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


# -- stands -----------------------------------------------------------------------------------------------------------


def _find_stand(stand: Stand | str | None, directory: Path) -> Stand:
    from antiphon.stand.stand import Stand, load_stand

    return stand if isinstance(stand, Stand) else load_stand(stand, near=directory)


# -- tracebacks -------------------------------------------------------------------------------------------------------

_MACHINERY: Final = frozenset({"antiphon", "uvloop", "picows", "aiohttp"})
_LIBRARY: Final = sysconfig.get_path("stdlib")


def _hide_frames(error: BaseException) -> None:
    """Leave of the tracebacks of an error, and of what led to it, the author's frames: test, scenario, action.

    Tracebacks that antiphon has no part in stay as they are. So does the end of one whose error is none of antiphon's
    own: it may be antiphon that is wrong.
    """
    from antiphon.errors import AntiphonError

    is_explained = isinstance(error, AntiphonError)
    error.__traceback__ = _outline(error.__traceback__, is_explained) or error.__traceback__
    led_to_it, seen = [error], {id(error)}
    for later in led_to_it:
        inner = later.exceptions if isinstance(later, BaseExceptionGroup) else ()
        for earlier in (later.__cause__, later.__context__, *inner):
            if earlier is not None and id(earlier) not in seen:
                seen.add(id(earlier))
                led_to_it.append(earlier)
                outline = _outline(earlier.__traceback__, is_explained or isinstance(earlier, AntiphonError))
                earlier.__traceback__ = outline if is_explained else outline or earlier.__traceback__


def _outline(traceback: TracebackType | None, is_explained: bool) -> TracebackType | None:
    """The traceback without our frames and a library's; if it is not explained, with those that are at its end."""
    entries = []
    entry = traceback
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    if not any(_package(entry) == "antiphon" for entry in entries):
        return traceback
    outline: TracebackType | None = None
    is_at_end = not is_explained
    for entry in reversed(entries):
        is_own = _is_authors(entry)
        is_at_end = is_at_end and not is_own
        if is_own or is_at_end:
            outline = TracebackType(outline, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return outline


def _is_authors(entry: TracebackType) -> bool:
    file = entry.tb_frame.f_code.co_filename
    is_library = file.startswith((_LIBRARY, "<frozen ")) and "site-packages" not in file
    return not is_library and _package(entry) not in _MACHINERY


def _package(entry: TracebackType) -> str:
    """The package whose code an entry of a traceback is in."""
    return str(entry.tb_frame.f_globals.get("__name__")).partition(".")[0]

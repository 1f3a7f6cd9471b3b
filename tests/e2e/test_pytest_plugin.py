"""The pytest plugin, as its users meet it: their tests, run by pytest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree

import pytest

# What the tests' tests use is imported here, so that those that run in this process find it and do not import it again.
from antiphon import Accepted, Http, Json, WebSocket, listen, play, scenario  # noqa: F401
from antiphon.journal import RunEnded, RunStarted, TestEnded
from antiphon.journal.file import FILE_NAME, read_journal

pytest_plugins = ["pytester"]

QUICKLY = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

CENTRE = """
    import asyncio
    from contextlib import asynccontextmanager
    from types import SimpleNamespace

    from antiphon import Accepted, Actor, Json, listen, on

    class Centre(Actor):
        line = Accepted(dialect=Json(reply="result{Name}"))

        @on("hello")
        def greet(self, hello):
            return {"id": 7, "token": "tok-123456789"}

    @asynccontextmanager
    async def running():
        async with await listen("ws://127.0.0.1:0", lambda opening: Centre()) as server:
            yield SimpleNamespace(addresses={"centre": server.address}, users=[])
"""

TALK = """
    from antiphon import Actor, Json, WebSocket, action, scenario

    class Desk(Actor):
        line = WebSocket("{centre}", dialect=Json(reply="result{Name}"))

        @action
        async def greet(self, who: str) -> None:
            self.id = (await self.ask("hello", who=who, password="pw-987654"))["id"]

        @action
        async def wait_in_vain(self) -> None:
            await self.expect("never", within_s=0.01)

        @action
        async def stumble(self) -> None:
            {}["missing"]

    @scenario
    def greeting(desk: Desk, who: str = "world"):
        return [Desk.greet(who)]

    @scenario
    async def vain(desk: Desk):
        await desk.greet("me")
        await desk.wait_in_vain()

    @scenario
    def stumbling(desk: Desk):
        return [Desk.stumble()]
"""

STANDS = """
    default = "embedded"

    [stands.embedded]
    start = "centre:running"

    [stands.nobody]
    centre = "ws://127.0.0.1:9"
"""

INI = """
    [pytest]
    pythonpath = .
    asyncio_default_fixture_loop_scope = function
    filterwarnings = error
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a system under test, an actor, three scenarios, and a stand file."""
    pytester.makepyfile(centre=CENTRE, talk=TALK)
    pytester.makefile(".toml", antiphon=STANDS)
    pytester.makeini(INI)
    return pytester


@pytest.fixture
def run_tests(project: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Runs the tests of this source in a pytest of their own, in a process of its own."""

    def run_tests(source: str, *options: str) -> pytest.RunResult:
        project.makepyfile(test_talk=source)
        return project.runpytest_subprocess(*QUICKLY, *options)

    return run_tests


@pytest.fixture
def run_here(project: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """The same in this process, which takes less time."""

    def run_here(source: str, *options: str) -> pytest.RunResult:
        project.makepyfile(test_talk=source)
        return project.runpytest_inprocess(*QUICKLY, *options)

    return run_here


def recorded(runs: Path) -> list[list[Any]]:
    """The journals of all the runs there, complete."""
    journals = [list(read_journal(path / FILE_NAME)) for path in sorted(runs.iterdir())]
    for journal in journals:
        kinds = [type(journal[0]), *map(type, journal[-2:])]
        assert kinds == [RunStarted, RunEnded, TestEnded]
    return journals


# -- sync tests -------------------------------------------------------------------------------------------------------


def test_a_scenario_is_a_test(run_here: Callable[..., pytest.RunResult], project: pytest.Pytester) -> None:
    result = run_here(
        """
        from antiphon import Run, Stand
        from antiphon.pytest import Play
        from talk import greeting

        def test_greeting(play: Play, stand: Stand) -> None:
            run: Run = play(greeting, who="me")
            assert run.desk.id == 7
            assert run.verdict == "passed"
            assert stand.name == "embedded"
        """
    )
    result.assert_outcomes(passed=1)
    (run,) = (project.path / "runs").iterdir()
    assert run.name.endswith("-test_talk-test_greeting")
    assert sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()) == [
        "journal.jsonl",
        "received/resultHello0.json",
        "sent/hello0.json",
        "trace.html",
    ]
    assert json.loads((run / "sent/hello0.json").read_text())["password"] == "***"


def test_a_failure_shows_the_explanation_the_authors_lines_and_the_conversation(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    result = run_here(
        """
        from talk import vain

        def test_vain(play):
            play(vain, linger_s=0)
        """
    )
    result.assert_outcomes(failed=1)
    (run,) = (project.path / "runs").iterdir()
    result.stdout.fnmatch_lines(
        [
            ">*play(vain, linger_s=0)",
            "talk.py:*: in vain",
            "    await desk.wait_in_vain()",
            '>*await self.expect("never", within_s=0.01)',
            "E *DeadlinePassed: desk.line waited * for never, and it did not come",
            "talk.py:*: DeadlinePassed",
            "*- antiphon -*",
            "vain() on the stand embedded",
            "* greet('me')",
            "*→ hello * password=[*][*][*]",
            "*← resultHello * token=[*][*][*]",
            "*wait_in_vain*",
            f"recorded in {run}",
        ]
    )
    output = result.stdout.str()
    for hidden in ("antiphon/scenarios/", "antiphon/pytest/", "antiphon/runtime/", "asyncio/", "tok-123456789"):
        assert hidden not in output


def test_full_trace_hides_nothing(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here("from talk import vain\ndef test_vain(play): play(vain, linger_s=0)", "--full-trace")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*antiphon/scenarios/runner.py:*"])


def test_an_exit_in_a_handler_ends_the_session(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here(
        """
        import pytest
        from antiphon import on
        from talk import Desk, greeting, scenario

        class Leaving(Desk):
            @on("resultHello")
            def leave(self, _hello):
                pytest.exit("enough")

        @scenario
        def leaving(desk: Leaving):
            return [Leaving.greet("me")]

        def test_that_leaves(play):
            play(leaving)

        def test_after_it(play):
            play(greeting)
        """
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*Exit: enough*"])
    assert "HandlerFailed" not in result.stdout.str()


def test_failures_of_any_kind(run_here: Callable[..., pytest.RunResult], project: pytest.Pytester) -> None:
    result = run_here(
        """
        import pytest
        from antiphon import DeadlinePassed, ScenarioError
        from talk import greeting, stumbling, vain

        def test_of_the_author(play):
            play(stumbling)

        def test_of_the_test(play):
            run = play(greeting)
            assert run.desk.id == 8

        def test_of_the_wire(play):
            play(greeting, stand="nobody")

        def test_of_the_parameters(play):
            play(greeting, whom="me")

        def test_that_is_wanted(play):
            with pytest.raises(DeadlinePassed):
                play(vain, linger_s=0)
            assert play(greeting).verdict == "passed"

        @pytest.fixture
        def greeted(play):
            return play(vain, linger_s=0)

        def test_in_a_fixture(greeted):
            assert False, "not reached"

        """
    )
    result.assert_outcomes(failed=4, passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_in_a_fixture*",
            "E *DeadlinePassed: *",
            "*- antiphon -*",
            "vain() on the stand embedded",
            "*_ test_of_the_author _*",
            '>*{}[[]"missing"]',
            "E * KeyError: 'missing'",
            "*- antiphon -*",
            "*stumbling*",
            "*_ test_of_the_test _*",
            "E * assert 7 == 8",
            "*- antiphon -*",
            "greeting(who='world') on the stand embedded",
            "*_ test_of_the_wire _*",
            "E *ConnectFailed: desk.line: no server is listening on 127.0.0.1:9",
            "*_ test_of_the_parameters _*",
            "E *ScenarioError: greeting has no parameter 'whom'",
            "E * hint: it has who",
        ]
    )
    assert "runner.py" not in result.stdout.str()
    # The second run of a test has a number behind its name if both began in the same second.
    names = sorted(path.name.split("-", 6)[-1].removesuffix("-2") for path in (project.path / "runs").iterdir())
    assert names == [
        "test_in_a_fixture",
        "test_of_the_author",
        "test_of_the_test",
        "test_of_the_wire",
        "test_that_is_wanted",
        "test_that_is_wanted",
    ]
    assert len(recorded(project.path / "runs")) == 6


def test_everything_that_play_takes_is_passed_on(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    result = run_here(
        """
        from talk import Desk, greeting

        class Watch:
            def __init__(self):
                self.kinds = []
                self.is_closed = False

            def __call__(self, entry):
                self.kinds.append(type(entry).__name__)

            def close(self):
                self.is_closed = True

        def test_options(play, tmp_path):
            watch, desk = Watch(), Desk()
            run = play(greeting, directory=tmp_path, reports=(), watch=watch, desk=desk)
            assert run.directory == tmp_path
            assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]
            assert run.desk is desk
            assert watch.kinds[0] == "RunStarted"
            assert watch.kinds[-1] == "RunEnded"
            assert watch.is_closed

        def test_nothing_recorded(play):
            assert play(greeting, runs=None).directory is None
        """
    )
    result.assert_outcomes(passed=2)
    assert not (project.path / "runs").exists()


def test_a_failure_that_antiphon_has_no_part_in_is_left_alone(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here(
        """
        import asyncio
        import antiphon.scenarios.runner

        async def main():
            raise ValueError("not ours")

        def test_main():
            asyncio.run(main())
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*asyncio/runners.py:*", "E *ValueError: not ours"])
    assert "- antiphon -" not in result.stdout.str()


def test_where_runs_are_recorded_and_which_are_kept(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    source = """
        import pytest
        from talk import greeting, vain

        @pytest.mark.parametrize("who", ["a/b", "x" * 300, "."])
        def test_passing(play, who):
            play(greeting, who=who)

        def test_failing(play):
            play(greeting)
            play(vain, linger_s=0)
    """
    run_here(source, "--antiphon-runs=elsewhere/deep").assert_outcomes(passed=3, failed=1)
    assert len(recorded(project.path / "elsewhere/deep")) == 5
    assert not (project.path / "runs").exists()

    project.makeini(INI + "    antiphon_runs = by_ini\n    antiphon_keep = failed\n")
    run_here(source).assert_outcomes(passed=3, failed=1)
    assert [journal[0].scenario for journal in recorded(project.path / "by_ini")] == ["greeting", "vain"]

    run_here(source, "--antiphon-keep=all").assert_outcomes(passed=3, failed=1)
    assert len(recorded(project.path / "by_ini")) == 7

    project.makeini(INI + "    antiphon_keep = some\n")
    result = run_here(source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: antiphon_keep is all or failed, not 'some'"])


def test_a_place_that_cannot_be_written_is_one_clear_error(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    (project.path / "runs").write_text("a file")
    result = run_here("from talk import greeting\ndef test_greeting(play): play(greeting)")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *RecordingError: no run can be recorded: *", "E *hint: *--antiphon-runs*"])


# -- stands -----------------------------------------------------------------------------------------------------------


def test_an_unknown_stand_is_one_clear_error(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here("from talk import greeting\ndef test_greeting(play): play(greeting)", "--stand=nowhere")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["there is no stand 'nowhere'", "*antiphon.toml", "*hint: there are: embedded, nobody"])
    assert "def load_stand" not in result.stdout.str()
    assert ".py" not in "".join(line for line in result.outlines if "stand.py" in line or "plugin.py" in line)


def test_the_stand_is_found_next_to_the_tests(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    folder = project.mkdir("calls")
    (project.path / "antiphon.toml").rename(folder / "antiphon.toml")
    (folder / "test_there.py").write_text(
        "from talk import greeting\n"
        "def test_default(play, stand):\n"
        "    assert stand.name == 'embedded'\n"
        "    assert play(greeting).desk.id == 7\n"
    )
    run_here("def test_none(stand): assert stand.addresses == {}").assert_outcomes(passed=2)
    result = run_here("def test_none(stand): assert stand.addresses == {}", "--stand=nobody")
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["there is no stand 'nobody': no antiphon.toml here or above"])


def test_the_fixture_stand_can_be_overridden(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    """By the name of a stand, and by a stand of the session whose system is started once."""
    project.makeconftest(
        """
        import asyncio
        import threading

        import pytest

        from antiphon import Stand
        from centre import running

        @pytest.fixture(scope="session")
        def system():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever)
            thread.start()

            def do(coroutine):
                return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

            centre = running()
            yield do(centre.__aenter__())
            do(centre.__aexit__(None, None, None))
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

        @pytest.fixture(scope="session")
        def stand(system):
            return Stand("of the session", system.addresses)
        """
    )
    result = run_here(
        """
        import pytest
        from antiphon import ConnectFailed
        from talk import greeting

        def test_once(play, system):
            assert play(greeting).desk.id == 7

        def test_again(play, stand):
            assert stand.name == "of the session"
            assert play(greeting, stand=stand).desk.id == 7

        class TestByName:
            @pytest.fixture
            def stand(self):
                return "nobody"

            def test_nobody(self, play):
                with pytest.raises(ConnectFailed):
                    play(greeting)
        """
    )
    result.assert_outcomes(passed=3)


# -- async tests ------------------------------------------------------------------------------------------------------

ASYNC = """
    import asyncio

    import pytest
    from antiphon import ScenarioError
    from antiphon.pytest import Perform
    from talk import greeting, vain

    {asyncio_mark}
    async def test_asyncio(perform: Perform) -> None:
        run = await perform(greeting, who="me")
        assert run.desk.id == 7

    {asyncio_mark}
    async def test_two_at_once(perform: Perform) -> None:
        first, second = await asyncio.gather(perform(greeting), perform(greeting))
        assert first.directory != second.directory
        assert first.desk is not second.desk

    {asyncio_mark}
    async def test_failing(perform: Perform) -> None:
        await perform(vain, linger_s=0)

    {asyncio_mark}
    async def test_play_in_an_async_test(play) -> None:
        with pytest.raises(ScenarioError, match="await perform"):
            play(greeting)

    def test_perform_on_another_event_loop(perform: Perform) -> None:
        with pytest.raises(ScenarioError, match="needs asyncio") as caught:
            perform(greeting).send(None)
        assert "anyio_backend" in caught.value.hint

    def test_perform_in_a_loop_of_its_own(perform: Perform) -> None:
        assert asyncio.run(perform(greeting)).desk.id == 7

    {anyio}
"""

ANYIO = """
    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.mark.anyio
    async def test_anyio(perform: Perform) -> None:
        assert (await perform(greeting)).desk.id == 7

    @pytest.mark.anyio
    async def test_anyio_failing(perform: Perform) -> None:
        await perform(vain, linger_s=0)
"""


@pytest.mark.slow
def test_async_tests_strict_and_anyio(run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester) -> None:
    """In a process of its own, with warnings as errors: nothing may be left open."""
    source = ASYNC.format(asyncio_mark="@pytest.mark.asyncio", anyio=ANYIO)
    result = run_tests(source, "--import-mode=importlib", "-W", "error", "-o", "asyncio_mode=strict")
    result.assert_outcomes(passed=6, failed=2)
    for test in ("test_failing", "test_anyio_failing"):
        result.stdout.fnmatch_lines(
            [
                f"*_ {test} _*",
                ">*await perform(vain, linger_s=0)",
                "talk.py:*: in vain",
                "E *DeadlinePassed: *",
                "*- antiphon -*",
                "vain() on the stand embedded",
                f"recorded in *-{test}",
            ]
        )
    assert "runner.py" not in result.stdout.str()
    assert len(recorded(project.path / "runs")) == 7


def test_async_tests_auto(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here(ASYNC.format(asyncio_mark="", anyio=""), "-o", "asyncio_mode=auto")
    result.assert_outcomes(passed=5, failed=1)


# -- the test's verdict ------------------------------------------------------------------------------------------------


def verdicts(runs: Path) -> list[tuple[str, str, str, str]]:
    """Of each run, in order: its scenario, what it says itself, its test's outcome, what its JUnit file has."""
    found = []
    for run in sorted(runs.iterdir()):
        journal = list(read_journal(run / FILE_NAME))
        assert [type(journal[-2]), type(journal[-1])] == [RunEnded, TestEnded]
        found.append((journal[0].scenario, journal[-2].verdict, journal[-1].outcome, junit_says(run / "junit.xml")))
        assert journal[-1].test.startswith("test_talk.py::test_")
        for file in run.rglob("*"):
            assert file.stat().st_mode & 0o077 == 0
    return found


def junit_says(file: Path) -> str:
    """The element of a testcase that tells its outcome, "" for none; the counts agree with it."""
    suite = ElementTree.parse(file).getroot()[0]
    (case,) = suite.iter("testcase")
    (said,) = [child.tag for child in case if child.tag in ("failure", "error", "skipped")] or [""]
    counts = {kind: suite.get(kind) for kind in ("failures", "errors", "skipped") if suite.get(kind) != "0"}
    assert counts == ({{"failure": "failures", "error": "errors"}.get(said, said): "1"} if said else {})
    return said


VERDICTS = {
    "a failure that is wanted": (
        """
        def test_it(play):
            with pytest.raises(DeadlinePassed):
                play(vain, linger_s=0)
        """,
        {"passed": 1},
        [("vain", "failed", "passed", "")],
    ),
    "xfail": (
        """
        @pytest.mark.xfail
        def test_it(play):
            play(vain, linger_s=0)
        """,
        {"xfailed": 1},
        [("vain", "failed", "xfailed", "skipped")],
    ),
    "xfail, strict": (
        """
        @pytest.mark.xfail(strict=True, raises=DeadlinePassed)
        def test_it(play):
            play(vain, linger_s=0)
        """,
        {"xfailed": 1},
        [("vain", "failed", "xfailed", "skipped")],
    ),
    "xpass": (
        """
        @pytest.mark.xfail
        def test_it(play):
            play(greeting)
        """,
        {"xpassed": 1},
        [("greeting", "passed", "xpassed", "")],
    ),
    "xpass, strict": (
        """
        @pytest.mark.xfail(strict=True)
        def test_it(play):
            play(greeting)
        """,
        {"failed": 1},
        [("greeting", "passed", "failed", "failure")],
    ),
    "two runs, of which one is to fail": (
        """
        def test_it(play):
            play(greeting)
            with pytest.raises(KeyError):
                play(stumbling)
        """,
        {"passed": 1},
        [("greeting", "passed", "passed", ""), ("stumbling", "error", "passed", "")],
    ),
    "an assertion after a run that passed": (
        """
        def test_it(play):
            assert play(greeting).desk.id == 8
        """,
        {"failed": 1},
        [("greeting", "passed", "failed", "failure")],
    ),
    "a run that fails its test": (
        """
        def test_it(play):
            play(greeting, stand="nobody")
        """,
        {"failed": 1},
        [("greeting", "error", "failed", "error")],
    ),
    "an error in the teardown": (
        """
        @pytest.fixture
        def breaking():
            yield
            raise ValueError

        def test_it(play, breaking):
            play(greeting)
        """,
        {"passed": 1, "errors": 1},
        [("greeting", "passed", "error", "error")],
    ),
    "a failure in a fixture": (
        """
        @pytest.fixture
        def greeted(play):
            return play(vain, linger_s=0)

        def test_it(greeted):
            assert greeted
        """,
        {"errors": 1},
        [("vain", "failed", "error", "failure")],
    ),
    "a skip after a run": (
        """
        def test_it(play):
            play(greeting)
            pytest.skip("no more")
        """,
        {"skipped": 1},
        [("greeting", "passed", "skipped", "skipped")],
    ),
    "a skip and an xfail inside of scenarios": (
        """
        from antiphon import scenario
        from talk import Desk

        @scenario
        async def skipping(desk: Desk):
            pytest.skip("no more")

        @scenario
        async def xfailing(desk: Desk):
            pytest.xfail("not yet")

        @pytest.mark.parametrize("it", [skipping, xfailing], ids=["skip", "xfail"])
        def test_it(play, it):
            play(it)
        """,
        {"skipped": 1, "xfailed": 1},
        [("skipping", "error", "skipped", "skipped"), ("xfailing", "error", "xfailed", "skipped")],
    ),
}

TAKES = "import pytest\nfrom antiphon import DeadlinePassed\nfrom talk import greeting, stumbling, vain\n"


@pytest.mark.parametrize("case", VERDICTS)
def test_a_run_has_its_tests_verdict_in_its_reports(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester, case: str
) -> None:
    source, outcomes, expected = VERDICTS[case]
    run_here(TAKES + dedent(source), "--antiphon-report=junit").assert_outcomes(**outcomes)
    assert verdicts(project.path / "runs") == expected


RERUNS = """
    import pytest
    from _pytest.runner import runtestprotocol

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for attempt in (1, 2):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            is_again = attempt == 1 and any(report.failed for report in reports)
            for report in reports:
                if is_again and report.failed:
                    report.outcome = "rerun"
                if not is_again or {is_logged}:
                    item.ihook.pytest_runtest_logreport(report=report)
                if is_again and report.outcome == "rerun":
                    break
            if not is_again:
                break
            item._initrequest()
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
"""
"""What pytest-rerunfailures does, and others that log no attempt but the last."""


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_rerun_that_passes_leaves_nothing_red(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester, is_logged: bool
) -> None:
    project.makeconftest(RERUNS.replace("{is_logged}", str(is_logged)))
    result = run_here(
        """
        from talk import greeting, vain
        attempts = []

        def test_it(play):
            attempts.append(1)
            play(vain if len(attempts) == 1 else greeting, **({"linger_s": 0} if len(attempts) == 1 else {}))
        """,
        "--antiphon-report=junit",
    )
    assert result.parseoutcomes() == ({"passed": 1, "rerun": 1} if is_logged else {"passed": 1})
    assert verdicts(project.path / "runs") == [
        ("vain", "failed", "rerun", "skipped"),
        ("greeting", "passed", "passed", ""),
    ]


def test_what_was_expected_stays_readable(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    source = VERDICTS["a failure that is wanted"][0]
    options = [f"--antiphon-report={name}" for name in ("junit", "summary", "mermaid", "har", "allure")]
    run_here(TAKES + dedent(source), *options).assert_outcomes(passed=1)
    (run,) = (project.path / "runs").iterdir()
    assert "DeadlinePassed" not in (run / "summary.md").read_text().splitlines()[0]
    told = "the run itself: failed; its test expected that, and passed"
    said = "desk.line waited"
    for name in ("junit.xml", "summary.md"):
        text = (run / name).read_text()
        assert told in text
        assert said in text
    assert "passed (the run itself: failed)" in json.loads((run / "run.har").read_text())["log"]["comment"]
    assert said in (run / "conversation.mmd").read_text()
    assert '"kind":"test-ended"' in (run / "trace.html").read_text()
    (result,) = (json.loads(file.read_text()) for file in (run / "allure-results").glob("*-result.json"))
    assert result["status"] == "passed"
    assert {step["status"] for step in result["steps"]} == {"passed", "skipped"}
    assert said in result["statusDetails"]["trace"]


def test_allure_pytests_own_result_has_nothing_red_that_was_expected(
    run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    source = VERDICTS["a failure that is wanted"][0]
    run_tests(TAKES + dedent(source), "--alluredir=results").assert_outcomes(passed=1)
    (result,) = (json.loads(file.read_text()) for file in (project.path / "results").glob("*-result.json"))
    (run,) = result["steps"]
    assert (result["status"], run["status"]) == ("passed", "passed")
    assert {step["status"] for step in run["steps"]} == {"passed", "skipped"}
    assert "trace.html" in [attached["name"] for attached in run["attachments"]]


@pytest.mark.slow
def test_allure_pytests_own_result_has_no_secret(
    run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    run_tests(TELLING, "--alluredir=results").assert_outcomes(passed=2, failed=3, xfailed=1, skipped=1, errors=1)
    results = [json.loads(file.read_text()) for file in (project.path / "results").glob("*-result.json")]
    details = [result["statusDetails"] for result in results if "statusDetails" in result]
    assert len(details) == 6
    for text in (text for told in details for text in told.values() if isinstance(text, str)):
        assert not re.search("tok-1234|pw-9876|3456789", text)
        assert not CONTROLS.search(text)


TELLING = r"""
    import logging
    import pytest
    from talk import greeting, stumbling, vain

    HEARD = "\x1b[2J\x9b1m\r\u202eevil\u2028\x00\ud800"          # what a peer could have said

    def judge(token, note):
        found = {"said": note, "password": "pw-987654"}
        raise ValueError(f"{HEARD} tok-123456789 in {note}\n\tand pass%s" % "word=hunter-two")

    def learn(play):
        return play(greeting).desk

    def test_args(play):
        learn(play)
        judge("tok-123456789", "x" * 400 + "tok-123456789" + "y" * 90)

    def test_difference(play):
        learn(play)
        assert "tok-123456789 " + HEARD == "other"

    def test_reason(play):
        learn(play)
        pytest.xfail("it said tok-123456789" + HEARD)

    def test_left_out(play):
        learn(play)
        pytest.skip("it said tok-123456789" + HEARD)

    def test_passes(play):
        learn(play)
        print("printed tok-123456789 \x1b[1mbold")
        logging.getLogger("app").warning("logged tok-123456789" + HEARD[:-1])  # pytest itself escapes halves

    def test_fails_plainly(play):
        learn(play)
        pytest.fail("plainly tok-123456789" + HEARD, pytrace=False)

    @pytest.fixture
    def leaving(play):
        yield
        learn(play)
        raise ExceptionGroup("several", [KeyError("tok-123456789"), ValueError(HEARD)])

    def test_leaves(play, leaving):
        pass
"""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")


@pytest.mark.parametrize("style", ["long", "short", "line", "native"])
def test_pytests_own_account_has_no_secret_and_moves_no_cursor(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester, style: str
) -> None:
    options = ("-rA", "-vv", f"--tb={style}", "--junitxml=x.xml", "-o", "junit_logging=all")
    result = run_here(TELLING, *options, "--showlocals")
    result.assert_outcomes(passed=2, failed=3, xfailed=1, skipped=1, errors=1)
    shown, written = "\n".join(result.outlines), (project.path / "x.xml").read_text()
    for text in (shown, written):
        assert [line for line in text.split("\n") if re.search("tok-1234|pw-9876|hunter-two|3456789", line)] == []
    assert [line for line in shown.split("\n") if CONTROLS.search(line.replace("\x1b[1mbold", ""))] == []
    ElementTree.fromstring(written)
    if style not in ("line", "native"):
        assert r"\x1b[2J\x9b1m\r\u202eevil\u2028\x00\ud800 ***" in shown


def test_pytests_own_account_keeps_its_colours(run_here: Callable[..., pytest.RunResult]) -> None:
    source = r"""
        from talk import greeting
        def test_it(play):
            token = play(greeting).desk.id
            assert [token, "\x1b[2J"] == [8, "\u202e"]
        def test_other():
            token, password = 1, "pw-987654"
            assert "tok-123456789 pw-987654" == "\x1b[2J"
    """  # a raw string: what is compared is of control characters
    shown = run_here(source, "--color=yes", "-vv", "--showlocals").stdout.str()
    ours, other = shown.split("_ test_other _")
    assert "token = play(greeting)" in re.sub("\x1b\\[[0-9;]*m", "", ours)  # a line of source is no field
    assert re.search(r"\x1b\[9?\d+m- +8|\x1b\[91m- ", ours)  # a difference has pytest's colours
    assert "\x1b[2J" not in ours
    assert "tok-123456789 pw-987654" in other  # it made no run: it is as pytest has it
    assert "\x1b[2J" in other


def test_a_report_that_cannot_be_written_fails_the_test(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    (project.path / "reports").write_text("a file")
    result = run_here("from talk import greeting\ndef test_it(play): play(greeting)", "--antiphon-report=junit=reports")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["RecordingError: the report 'junit' cannot be written: *"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_tests_name_is_masked_as_the_run_is(
    run_here: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    run_here(
        """
        import pytest
        from antiphon import Actor, scenario

        class Desk(Actor): ...

        @scenario
        async def working(desk: Desk, password: str): ...

        @pytest.mark.parametrize("password", ["pw-987654"])
        def test_it(play, password):
            play(working, password=password)
        """
    ).assert_outcomes(passed=1)
    (run,) = (project.path / "runs").iterdir()
    assert "pw-987654" not in (run / FILE_NAME).read_text()
    assert "pw-987654" not in (run / "trace.html").read_text()


@pytest.mark.slow
def test_an_interrupted_test_leaves_its_runs_with_their_own_verdict(
    run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    run_tests(
        "from talk import greeting\ndef test_it(play):\n    play(greeting)\n    raise KeyboardInterrupt",
        "--antiphon-report=junit",
    )
    (run,) = (project.path / "runs").iterdir()
    assert isinstance(list(read_journal(run / FILE_NAME))[-1], RunEnded)
    assert junit_says(run / "junit.xml") == ""


@pytest.mark.slow
def test_under_xdist_a_run_has_its_tests_verdict(
    run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    source = VERDICTS["a failure that is wanted"][0] + VERDICTS["xfail"][0].replace("test_it", "test_marked")
    result = run_tests(TAKES + dedent(source), "--numprocesses=2", "--antiphon-report=junit")
    result.assert_outcomes(passed=1, xfailed=1)
    assert sorted(verdicts(project.path / "runs")) == [
        ("vain", "failed", "passed", ""),
        ("vain", "failed", "xfailed", "skipped"),
    ]


# -- in company, and in idleness --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_under_xdist_no_two_workers_share_a_directory_or_a_user(
    run_tests: Callable[..., pytest.RunResult], project: pytest.Pytester
) -> None:
    (project.path / "antiphon.toml").unlink()
    folder = project.mkdir("scarce")
    (folder / "antiphon.toml").write_text('[stands.scarce]\nusers = [{ name = "alice" }]\nusers_within_s = 20')
    (folder / "test_scarce.py").write_text(
        "from pathlib import Path\n"
        "import pytest\n"
        "from antiphon import Actor, scenario, wait\n"
        "class Operator(Actor): ...\n"
        "@scenario\n"
        "async def working(operator: Operator):\n"
        "    with Path(operator.user.name).open('x'):\n"
        "        await wait(0.01)\n"
        "    Path(operator.user.name).unlink()\n"
        "@pytest.mark.parametrize('number', range(3))\n"
        "def test_user(play, number):\n"
        "    play(working)\n"
    )
    result = run_tests(
        """
        import pytest
        from antiphon import Stand
        from talk import greeting, vain

        @pytest.fixture
        def stand():
            return Stand("started", start="centre:running")

        @pytest.mark.parametrize("number", range(3))
        def test_same_name_again(play, number):
            play(greeting, who="0123456789" * 20)
            play(greeting)

        def test_failing(play):
            play(vain, linger_s=0)
        """,
        "--numprocesses=2",
        "--dist=each",
        "-W",
        "error",
    )
    result.assert_outcomes(passed=12, failed=2)
    result.stdout.fnmatch_lines(["talk.py:*: in vain", "*- antiphon -*", "recorded in *-test_failing*"])
    journals = recorded(project.path / "runs")
    assert len(journals) == 20
    assert len({journal[0].pid for journal in journals}) == 2


@pytest.mark.slow
def test_tests_without_antiphon_do_not_wait_for_it(run_tests: Callable[..., pytest.RunResult]) -> None:
    result = run_tests(
        """
        import sys

        def test_failing():
            assert False

        def test_nothing_is_loaded():
            heavy = {"aiohttp", "picows", "uvloop", "msgspec", "rich"}
            assert "antiphon.pytest.plugin" in sys.modules
            assert not heavy & set(sys.modules)
            ours = {name for name in sys.modules if name.startswith("antiphon.")}
            assert ours == {"antiphon.pytest", "antiphon.pytest.plugin"}
        """
    )
    result.assert_outcomes(passed=1, failed=1)

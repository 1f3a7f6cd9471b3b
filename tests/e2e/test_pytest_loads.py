"""Loads as pytest tests, as their users meet them: the fixture `play_load`, run by pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

# What the tests' tests use is imported here, so that those that run in this process find it and do not import it again.
from antiphon import Json, Plan, listen, part, play_load, scenario  # noqa: F401
from antiphon.report.load.figures import read_figures

pytest_plugins = ["pytester"]

TALK = """
    from contextlib import asynccontextmanager
    from types import SimpleNamespace

    from antiphon import Accepted, Actor, Json, Plan, WebSocket, action, listen, on, part, scenario

    class Centre(Actor):
        line = Accepted(dialect=Json(reply="result{Name}"))

        @on("hello")
        def greet(self, hello):
            return {"id": 7}

    @asynccontextmanager
    async def running():
        async with await listen("ws://127.0.0.1:0", lambda opening: Centre()) as server:
            yield SimpleNamespace(addresses={"centre": server.address}, users=[])

    class Desk(Actor, user=False):
        line = WebSocket("{centre}", dialect=Json(reply="result{Name}"))

        @action
        async def greet(self) -> None:
            self.id = (await self.ask("hello"))["id"]

    @scenario
    def greeting(desk: Desk):
        return [Desk.greet()]

    def plan(*thresholds, **more):
        return Plan(part(greeting, count=3), thresholds=thresholds, **more)
"""

STANDS = """
    default = "embedded"

    [stands.embedded]
    start = "talk:running"

    [stands.nobody]
    centre = "ws://127.0.0.1:9"
"""

TRUSTED = """
    import antiphon.load.trust as trust
    import pytest

    @pytest.fixture(autouse=True)
    def a_machine_that_is_never_busy(monkeypatch):
        for name in ("LAG_MS", "LONGEST_LAG_MS", "BUSY_SHARE", "LATE_SHARE"):
            monkeypatch.setattr(trust, name, float("inf"))
"""


@pytest.fixture
def run_here(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Runs the tests of this source in a project with a system under test, on a machine that is never too busy."""
    pytester.makepyfile(talk=TALK)
    pytester.makeconftest(dedent(TRUSTED))
    pytester.makefile(".toml", antiphon=STANDS)
    pytester.makeini(
        "[pytest]\npythonpath = .\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )

    def run_here(source: str, *options: str) -> pytest.RunResult:
        header = "import pytest\nfrom antiphon import *\nfrom talk import *\n"
        pytester.makepyfile(test_talk=header + dedent(source))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options)

    return run_here


@pytest.fixture
def runs(pytester: pytest.Pytester) -> Path:
    return pytester.path / "runs"


def test_a_load_is_a_test(run_here: Callable[..., pytest.RunResult], runs: Path) -> None:
    result = run_here(
        """
        from antiphon import Load
        from antiphon.pytest import PlayLoad

        def test_greetings(play_load: PlayLoad) -> None:
            load: Load = play_load(plan("greet p95 < 60s"))
            assert load.verdict == "passed"
            assert load.figures.total.passed == 3
            assert load.figures.started.stand == "embedded"
        """,
        "--antiphon-report=junit",
        "--antiphon-report=har",
    )

    result.assert_outcomes(passed=1)
    (load,) = runs.iterdir()
    assert load.name.endswith("-test_talk-test_greetings")
    made = {path.name for path in load.iterdir()}
    assert {"load.jsonl", "load.html", "summary.json", "junit.xml"} <= made
    assert read_figures(load).word == "passed"


def test_a_threshold_that_is_crossed_fails_the_test(run_here: Callable[..., pytest.RunResult], runs: Path) -> None:
    result = run_here(
        """
        def test_greetings(play_load):
            play_load(plan("greet p95 < 60s", "greeting rate > 1000000/s"))
        """
    )

    result.assert_outcomes(failed=1)
    (load,) = runs.iterdir()
    result.stdout.fnmatch_lines(
        [
            ">*play_load(plan(*",
            "E*ThresholdCrossed: greeting rate was *, and must be > 1000000/s",
            "*- antiphon -*",
            "FAILED, VALID: greeting on embedded, *",
            "*3 conversations*",
            "*holds*greet p95 < 60s*",
            f"recorded in {load}",
            f"*antiphon show *{load.name}*",
            "FAILED test_talk.py::test_greetings - *ThresholdCrossed: *",
        ]
    )
    result.stdout.no_fnmatch_line("*During handling of the above exception*")
    result.stdout.no_fnmatch_line("*antiphon/load/loads.py*")


def test_numbers_that_may_not_be_trusted_are_an_error_and_no_failure(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    result = run_here(
        """
        def test_greetings(play_load, monkeypatch):
            monkeypatch.setattr("antiphon.load.trust.LONGEST_LAG_MS", -1.0)
            monkeypatch.setattr("antiphon.load.trust.LAG_MS", -1.0)
            play_load(plan("greeting rate > 1000000/s"))
        """
    )

    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*ERROR at call of test_greetings*",
            "E*LoadInconclusive: the numbers of this load may not be trusted:",
            "E*the generator's event loop was late*",
            "INCONCLUSIVE: greeting on embedded, *",
            "ERROR test_talk.py::test_greetings - *LoadInconclusive*",
        ]
    )


@pytest.mark.slow
def test_what_is_expected_is_raised(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here(
        """
        def test_greetings(play_load):
            with pytest.raises(ThresholdCrossed) as crossed:
                play_load(plan("greeting rate > 1000000/s"))
            assert crossed.value.load.verdict == "failed"
            assert crossed.value.load.figures.total.passed == 3
        """
    )

    result.assert_outcomes(passed=1)


@pytest.mark.slow
def test_the_stand_is_the_calls_or_the_plans_or_the_fixtures(run_here: Callable[..., pytest.RunResult]) -> None:
    result = run_here(
        """
        def stand_of(error):
            return error.value.load.figures.started.stand

        def test_of_the_plan(play_load):
            with pytest.raises(ThresholdCrossed) as crossed:
                play_load(plan(stand="nobody"))
            assert stand_of(crossed) == "nobody"

        def test_of_the_call(play_load):
            assert play_load(plan(stand="nobody"), stand="embedded").verdict == "passed"

        @pytest.fixture
        def mine():
            return Stand("mine", {"centre": "ws://127.0.0.1:9"})

        def test_of_the_fixture(play_load, request):
            with pytest.raises(ThresholdCrossed) as crossed:
                play_load(plan(), runs=None)
            assert stand_of(crossed) == "embedded"
        """.replace("play_load(plan(), runs=None)", 'play_load(plan("rate > 1000000/s"), runs=None)')
    )

    result.assert_outcomes(passed=3)


@pytest.mark.slow
def test_which_loads_are_kept(run_here: Callable[..., pytest.RunResult], runs: Path) -> None:
    result = run_here(
        """
        def test_good(play_load):
            play_load(plan())

        def test_bad(play_load):
            play_load(plan("rate > 1000000/s"))

        def test_refused(play_load):
            play_load(plan(), baseline="nowhere")
        """,
        "--antiphon-keep=failed",
    )

    result.assert_outcomes(passed=1, failed=2)
    (load,) = runs.iterdir()
    assert load.name.endswith("-test_bad")


def test_a_plan_that_cannot_be_read_points_at_its_line(run_here: Callable[..., pytest.RunResult], runs: Path) -> None:
    result = run_here(
        """
        def test_greetings(play_load):
            play_load(plan("greet p95 is low"))
        """
    )

    result.assert_outcomes(failed=1)
    assert not runs.exists() or not list(runs.iterdir())
    result.stdout.fnmatch_lines(["E*ScenarioError: *"])


@pytest.mark.slow
def test_a_load_beside_runs(run_here: Callable[..., pytest.RunResult], runs: Path) -> None:
    result = run_here(
        """
        def test_both(play, play_load):
            play_load(plan())
            play(greeting)
            raise ValueError("and then this")
        """
    )

    result.assert_outcomes(failed=1)
    assert len(list(runs.iterdir())) == 2
    result.stdout.fnmatch_lines(["*- antiphon -*", "*resultHello*", "recorded in *", "and before in *"])


@pytest.mark.slow
def test_under_xdist_an_error_is_one(run_here: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_talk="""
        from talk import *

        def test_greetings(play_load, monkeypatch):
            monkeypatch.setattr("antiphon.load.trust.LONGEST_LAG_MS", -1.0)
            monkeypatch.setattr("antiphon.load.trust.LAG_MS", -1.0)
            play_load(plan())
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-n", "1")

    result.assert_outcomes(errors=1)

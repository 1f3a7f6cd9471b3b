"""The author's line that a call comes from."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

import antiphon
from antiphon.journal import StepStarted
from antiphon.runtime.call_site import Place, caller, local_names, place, place_of
from antiphon.runtime.runtime import STEP

HERE = Path(__file__).relative_to(Path.cwd())
OURS = Path(antiphon.__file__).parent / "made_up.py"


def ours(source: str) -> dict[str, Any]:
    """The names that this source defines, as if it stood in a file of ours."""
    names: dict[str, Any] = {"caller": caller, "contextlib": contextlib}
    exec(compile(inspect.cleandoc(source), str(OURS), "exec"), names)
    return names


expect = ours("def expect(): return caller()")["expect"]
by_another_word = ours("def word(expect): return expect()")["word"]
performed = ours("async def performed(expect): return expect()")["performed"]


def line() -> int:
    """The line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_it_is_the_line_of_the_call() -> None:
    assert expect() == f"{HERE}:{line()}"


def test_two_calls_on_different_lines_are_told_apart_every_time() -> None:
    for _ in range(2):
        assert (expect(), line()) == (f"{HERE}:{line()}", line())
        assert (expect(), line()) == (f"{HERE}:{line()}", line())


def test_words_of_ours_in_between_are_passed() -> None:
    for _ in range(2):
        assert by_another_word(expect) == f"{HERE}:{line()}"
    assert by_another_word(lambda: expect()) == f"{HERE}:{line()}"


def test_a_library_in_between_is_passed() -> None:
    for _ in range(2):
        assert functools.reduce(lambda _, word: word(), [expect], "") == f"{HERE}:{line()}"


def test_what_a_context_manager_of_ours_notes_is_the_line_of_its_with() -> None:
    forbid = ours(
        """
        @contextlib.contextmanager
        def forbid():
            yield caller()
        """
    )["forbid"]
    for _ in range(2):
        with forbid() as found:
            assert found == f"{HERE}:{line() - 1}"
    with forbid() as found:
        assert found == f"{HERE}:{line() - 1}"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    loop = request.param()
    yield loop
    loop.close()


@pytest.fixture
def step() -> Iterator[StepStarted]:
    step = StepStarted(at_ns=0, number=1, parent=0, actor="", action="expect", source="calls.py:7")
    token = STEP.set(step)
    yield step
    STEP.reset(token)


def test_what_a_task_of_ours_does_is_told_with_the_step_under_way(
    loop: asyncio.AbstractEventLoop, step: StepStarted
) -> None:
    for _ in range(2):
        assert loop.run_until_complete(performed(expect)) == step.source


def test_the_authors_line_in_a_task_counts_more_than_the_step(
    loop: asyncio.AbstractEventLoop, step: StepStarted
) -> None:
    async def scenario() -> tuple[Place, int]:
        return await performed(expect), line()

    found, written = loop.run_until_complete(scenario())
    assert found == f"{HERE}:{written}"


def test_without_a_step_it_is_the_nearest_line_that_is_none_of_ours(loop: asyncio.AbstractEventLoop) -> None:
    found = loop.run_until_complete(performed(expect))
    assert "made_up.py" not in found


def test_the_local_names_are_a_copy() -> None:
    def names() -> dict[str, Any]:
        return local_names()

    before = 1
    found = names()
    after = 2
    assert found["before"] == before
    assert "after" not in found
    found["before"] = 3
    assert (before, after) == (1, 2)


def test_places_are_relative_to_the_working_directory_where_they_lie_below_it() -> None:
    assert place(str(Path.cwd() / "calls.py"), 7) == "calls.py:7"
    assert place("/elsewhere/calls.py", 7) == "/elsewhere/calls.py:7"


@pytest.mark.parametrize("function", [len, 5, None, functools.partial(len)])
def test_what_has_no_code_has_no_place(function: Callable[..., Any]) -> None:
    assert place_of(function) == ""


def test_a_function_is_where_it_is_defined() -> None:
    assert place_of(test_a_function_is_where_it_is_defined) == f"{HERE}:{line() - 1}"

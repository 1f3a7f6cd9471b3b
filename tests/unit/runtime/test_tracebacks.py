"""Whose code a frame is, and tracebacks with the author's frames alone."""

from __future__ import annotations

import json
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

import antiphon
import antiphon_testbed
from antiphon.errors import DeadlinePassed, HandlerFailed, ScenarioError
from antiphon.runtime.tracebacks import author_frame, keep_author_frames, owner_of

OURS = Path(antiphon.__file__).parent
STDLIB = Path(sysconfig.get_paths()["stdlib"])
PACKAGES = Path(sys.prefix) / "lib" / "site-packages"


def raised(do: Callable[[], Any]) -> BaseException:
    """What the call raises, with its traceback."""
    try:
        do()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def code_in(file: Path, source: str) -> dict[str, Any]:
    """The names that this source defines, as if it stood in that file."""
    names: dict[str, Any] = {}
    exec(compile(source, str(file), "exec"), names)
    return names


def shown(error: BaseException) -> list[str]:
    """The functions of its traceback, from the outside in."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        (OURS / "actor" / "channel.py", "antiphon"),
        (OURS / "made_up.py", "antiphon"),
        (antiphon_testbed.__file__, "author"),  # an application like any other
        (__file__, "author"),
        ("calls.py", "author"),
        (STDLIB / "asyncio" / "events.py", "library"),
        (STDLIB / "json" / "__init__.py", "library"),
        ("<frozen importlib._bootstrap>", "library"),
        ("<stdin>", "author"),
        ("<string>", "author"),
        (PACKAGES / "aiohttp" / "client.py", "library"),
        (PACKAGES / "acme_desk" / "client.py", "author"),
        (STDLIB / "site-packages" / "acme_desk" / "client.py", "author"),
        ("/usr/lib/python3/dist-packages/acme_desk.py", "author"),
        ("/usr/lib/python3/dist-packages/yarl/_url.py", "library"),
        (PACKAGES / "typing_extensions.py", "library"),
        ("uvloop/loop.pyx", "library"),
        ("picows/picows.pyx", "library"),
        ("cython_function", "library"),
    ],
)
def test_whose_a_file_is(file: str | Path, owner: str) -> None:
    assert owner_of(str(file)) == owner


def test_everything_that_antiphon_brings_along_is_a_library() -> None:
    brought: set[str] = set()
    todo = ["antiphon"]
    while todo:
        for requirement in distribution(todo.pop()).requires or ():
            name = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()
            if "extra ==" not in requirement and name not in brought and is_installed(name):
                brought.add(name)
                todo.append(name)
    packages = {
        package
        for package, names in packages_distributions().items()
        if package != "__pycache__" and {re.sub(r"[-_.]+", "-", name).lower() for name in names} & brought
    }

    assert {"aiohttp", "msgspec", "rich"} <= packages
    assert [name for name in packages if owner_of(str(PACKAGES / name / "made_up.py")) != "library"] == []


def is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:  # needed by an older Python only
        return False
    return True


def test_a_script_without_a_suffix_is_its_authors(tmp_path: Path) -> None:
    script = tmp_path / "nightly"
    script.write_text("#!/usr/bin/env python3\n")

    assert owner_of(str(script)) == "author"


def test_the_authors_line_is_found_below_a_library() -> None:
    frame = author_frame(raised(lambda: json.loads("{")))

    assert frame is not None
    assert frame.filename == __file__
    assert frame.line == 'frame = author_frame(raised(lambda: json.loads("{")))'


def test_the_authors_line_is_found_in_what_an_error_was_raised_from() -> None:
    error = HandlerFailed("x")
    error.__cause__ = raised(lambda: {}["seq"])
    frame = author_frame(error)

    assert frame is not None
    assert (frame.filename, frame.line) == (__file__, 'error.__cause__ = raised(lambda: {}["seq"])')


def test_causes_in_a_circle_come_to_an_end() -> None:
    error = HandlerFailed("x")
    error.__cause__ = ScenarioError("y")
    error.__cause__.__cause__ = error

    assert author_frame(error) is None


def through_us(fails: Callable[[], Any]) -> Callable[[], Any]:
    """Calls `fails` out of code of ours, which the author calls."""
    perform = code_in(OURS / "made_up.py", "def perform(function):\n    return function()")["perform"]
    return lambda: perform(fails)


def fail_in_time() -> None:
    raise DeadlinePassed("x")


def test_what_we_have_explained_shows_the_author_alone() -> None:
    ours = code_in(OURS / "made_up.py", "def wait(error):\n    raise error")["wait"]
    error = raised(through_us(lambda: ours(DeadlinePassed("x"))))
    keep_author_frames(error)

    assert shown(error) == ["raised", "<lambda>", "<lambda>"]


def test_an_error_of_the_authors_shows_the_author_alone() -> None:
    error = raised(through_us(lambda: {}["x"]))
    keep_author_frames(error)

    assert shown(error) == ["raised", "<lambda>", "<lambda>"]


def test_an_error_that_may_be_ours_keeps_its_end() -> None:
    ours = code_in(OURS / "made_up.py", "def decode():\n    {}['x']")["decode"]
    error = raised(through_us(lambda: through_us(ours)()))
    keep_author_frames(error)

    assert shown(error) == ["raised", "<lambda>", "<lambda>", "<lambda>", "perform", "decode"]


def test_what_we_have_no_part_in_stays_as_it_is() -> None:
    error = raised(lambda: json.loads("{"))
    before = shown(error)
    keep_author_frames(error)

    assert shown(error) == before
    assert "raw_decode" in before


def test_what_led_to_it_is_cleared_too() -> None:
    def translate() -> None:
        try:
            through_us(fail_in_time)()
        except DeadlinePassed as error:
            raise ExceptionGroup("two", [error]) from error

    error = raised(through_us(translate))
    keep_author_frames(error)

    assert isinstance(error, ExceptionGroup)
    assert shown(error) == ["raised", "<lambda>", "translate"]
    assert shown(error.exceptions[0]) == ["translate", "<lambda>", "fail_in_time"]


def test_errors_in_a_circle_come_to_an_end() -> None:
    error = raised(through_us(fail_in_time))
    error.__cause__ = ScenarioError("y")
    error.__cause__.__cause__ = error
    keep_author_frames(error)

    assert shown(error) == ["raised", "<lambda>", "fail_in_time"]

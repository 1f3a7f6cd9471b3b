"""Exit codes: whose fault an error is."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from antiphon.cli import exit_codes
from antiphon.cli.exit_codes import exit_code
from antiphon.cli.interruption import Interrupted
from antiphon.errors import (
    AntiphonError,
    ChannelClosed,
    CheckFailed,
    ConnectFailed,
    DeadlinePassed,
    DialectError,
    ExpectationFailed,
    FieldMissing,
    ForbiddenMessage,
    HandlerFailed,
    RecordingError,
    RequestRefused,
    ScenarioError,
    TransportError,
    UpgradeRefused,
)
from antiphon.journal.masking import Masker


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


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (ExpectationFailed("x"), 1),
        (DeadlinePassed("x"), 1),
        (CheckFailed("x"), 1),
        (ChannelClosed("x"), 1),
        (RequestRefused("x"), 1),
        (ForbiddenMessage("x"), 1),
        (FieldMissing("x"), 1),
        (DialectError("x"), 1),
        (TransportError("x"), 1),
        (AntiphonError("x"), 2),
        (ScenarioError("x"), 2),
        (RecordingError("x"), 2),
        (HandlerFailed("x"), 2),
        (ConnectFailed("x"), 3),
        (UpgradeRefused("x", status=401, headers={}, body=b""), 3),
        (KeyboardInterrupt(), 130),
        (Interrupted(signal.SIGINT), 130),
        (Interrupted(signal.SIGTERM), 143),
        (Interrupted(signal.SIGHUP), 129),
        (asyncio.CancelledError(), 130),
        (ExceptionGroup("two", [ExpectationFailed("x"), ConnectFailed("x")]), 3),
    ],
)
def test_each_error_has_its_code(error: BaseException | None, code: int) -> None:
    assert exit_code(error) == code


def test_the_codes_are_those_that_are_documented() -> None:
    codes = {name: getattr(exit_codes, name) for name in exit_codes.__all__ if name.isupper()}

    assert codes == {
        "PASSED": 0,
        "FAILED": 1,
        "USAGE": 2,
        "CONNECT_FAILED": 3,
        "THRESHOLD_CROSSED": 4,
        "INCONCLUSIVE": 5,
        "BUG": 70,
        "HUNG_UP": 129,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_an_error_of_the_authors_own_code_is_theirs() -> None:
    assert exit_code(raised(lambda: {}["callID"])) == 2


def test_an_error_deep_in_the_standard_library_is_its_callers() -> None:
    assert exit_code(raised(lambda: json.loads("{"))) == 2


def test_a_plain_assertion_of_the_authors_is_a_failure() -> None:
    def check() -> None:
        assert 1 == 2

    assert exit_code(raised(check)) == 1


@pytest.mark.parametrize("statement", ["{}['x']", "assert not 1", "import json; json.loads('{')"])
def test_an_error_of_our_own_code_is_our_bug(statement: str) -> None:
    room = Path(exit_codes.__file__).parent / "dialect" / "made_up.py"

    assert exit_code(raised(code_in(room, f"def decode():\n    {statement}")["decode"])) == 70


def test_wrong_arguments_that_an_author_gives_us_are_ours_until_we_refuse_them() -> None:
    assert exit_code(raised(lambda: Masker().text(5))) == 70  # type: ignore[arg-type]


def test_an_error_of_a_library_that_we_call_is_our_bug() -> None:
    room = Path(exit_codes.__file__).parent / "made_up.py"
    library = Path(sys.prefix) / "lib" / "site-packages" / "aiohttp" / "client.py"
    fails = code_in(library, "def fails():\n    raise OSError(5)")["fails"]
    ours = code_in(room, "def call(function):\n    function()")["call"]

    assert exit_code(raised(lambda: ours(fails))) == 70


def test_an_error_of_an_installed_package_of_the_authors_is_theirs() -> None:
    package = Path(sys.prefix) / "lib" / "site-packages" / "acme_desk" / "client.py"
    fails = code_in(package, "def fails():\n    raise OSError(5)")["fails"]

    assert exit_code(raised(fails)) == 2


def test_an_error_without_a_traceback_is_our_bug() -> None:
    assert exit_code(ValueError("x")) == 70


def test_an_author_who_ends_the_process_is_told_so() -> None:
    assert exit_code(raised(lambda: sys.exit(0))) == 2


def test_code_that_was_typed_in_is_the_authors() -> None:
    module = ModuleType("typed")
    exec("def fails():\n    {}['x']", module.__dict__)

    assert exit_code(raised(module.fails)) == 2

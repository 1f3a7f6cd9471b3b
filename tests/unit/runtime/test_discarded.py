"""Whether the statement at work has made an object for nothing; where that cannot be told, it has not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.runtime import discarded
from antiphon.runtime.call_site import Place, caller
from antiphon.runtime.discarded import is_discarded

FOUND: list[bool] = []


class Value:
    """Knows where it was made, and asks when it goes."""

    def __init__(self) -> None:
        self.written: Place = caller()

    def __del__(self) -> None:
        FOUND.append(is_discarded(self.written))


def found_by(function: Callable[[], Any]) -> list[bool]:
    FOUND.clear()
    function()
    return list(FOUND)


def as_a_statement() -> None:
    Value()


def as_a_condition() -> None:
    if Value():
        pass


def as_a_comparison() -> None:
    if Value() == 1:
        pass


def as_a_negation() -> None:
    while not Value():
        pass


def as_an_operand() -> None:
    Value() and 1


def before_a_bare_else() -> None:
    for _ in range(1):
        Value()


DISCARDING = [as_a_statement, as_a_condition, as_a_comparison, as_a_negation, as_an_operand, before_a_bare_else]


@pytest.mark.parametrize("function", DISCARDING)
def test_a_statement_that_makes_it_for_nothing(function: Callable[[], None]) -> None:
    assert found_by(function) == [True]


@pytest.mark.parametrize("function", DISCARDING)
def test_it_is_told_under_a_debugger_too(function: Callable[[], None]) -> None:
    before = sys.gettrace()

    def trace(*_: Any) -> Any:
        return trace

    sys.settrace(trace)
    try:
        found = found_by(function)
    finally:
        sys.settrace(before)
    assert found == [True]


def in_a_variable() -> None:
    value = Value()
    value = Value()
    del value


def in_a_list() -> None:
    values = [Value(), Value()]
    values.pop()
    values.clear()


def in_a_loop() -> None:
    for value in [Value() for _ in range(2)]:
        assert value


def as_an_argument() -> None:
    str(Value())


def at_the_end_of_a_function() -> None:
    def make() -> Value:
        return Value()

    make()


@pytest.mark.parametrize("function", [in_a_variable, in_a_list, in_a_loop, as_an_argument, at_the_end_of_a_function])
def test_what_is_kept_or_used(function: Callable[[], None]) -> None:
    found = found_by(function)
    assert found
    assert not any(found)


def test_an_unknown_instruction_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discarded, "opname", [f"<{number}>" for number in range(256)])
    assert found_by(as_a_statement) == [False]


def test_an_interpreter_without_frames_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare:
        pass

    monkeypatch.setattr(discarded, "sys", Bare())
    assert found_by(as_a_statement) == [False]


def test_code_without_lines_tells_nothing() -> None:
    code = as_a_statement.__code__.replace(co_linetable=b"")

    def unplaced() -> None: ...

    unplaced.__code__ = code
    assert found_by(unplaced) == [False]


@pytest.mark.parametrize("options", [[], ["-X", "no_debug_ranges"], ["-O"]])
def test_it_is_told_without_columns(options: list[str], tmp_path: Path) -> None:
    file = tmp_path / "forgets.py"
    file.write_text(
        "from antiphon.runtime.call_site import caller\n"
        "from antiphon.runtime.discarded import is_discarded\n"
        "class Value:\n"
        "    def __init__(self): self.written = caller()\n"
        "    def __del__(self): print(is_discarded(self.written))\n"
        "Value()\n"
        "kept = Value()\n"
        "kept = None\n"
    )
    told = subprocess.run([sys.executable, *options, file], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert told.stdout.split() == ["True", "False"]

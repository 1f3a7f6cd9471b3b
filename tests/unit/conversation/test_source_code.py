"""The author's source, found from a function or a place."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any
from warnings import catch_warnings

import pytest

from antiphon.conversation.source_code import expression_of, line_at, names_of, text_of, tree_of

LIMIT = 3


class Desk:
    state = "busy"

    def is_ready(self) -> bool:
        """Whether it is."""
        return self.state == "ready"


def is_many(n: int, *, most: int = 5) -> bool:
    return n > most


def with_more(n: int) -> bool:
    n += 1
    return n > LIMIT


def two() -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return (lambda a: a > LIMIT), (lambda b: b < LIMIT)


def outer() -> Callable[[Any], Any]:
    limit = 9
    return lambda a: (lambda b: b > limit)(a)


def source(function: Any) -> str | None:
    found = expression_of(function)
    return text_of(found) if found is not None else None


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda body: body["state"] == "ready", "body['state'] == 'ready'"),
        (two()[0], "a > LIMIT"),
        (two()[1], "b < LIMIT"),
        (outer(), "(lambda b: b > limit)(a)"),
        (is_many, "n > most"),
        (Desk().is_ready, "self.state == 'ready'"),
        (with_more, None),
        (partial(is_many, 3), None),
        (len, None),
        (Desk, None),
        (eval("lambda: 1"), None),
    ],
)
def test_an_expression_is_found_by_its_function(function: Any, expected: str | None) -> None:
    assert source(function) == expected


def test_a_lambda_over_several_lines_is_told_on_one() -> None:
    assert (
        source(
            lambda body: (
                body["state"]  # with a note
                == "ready"
            )
        )
        == "body['state'] == 'ready'"
    )


def test_names_are_those_of_a_call() -> None:
    names = names_of(is_many, 7)
    assert names is not None
    assert (names["n"], names["most"], names["LIMIT"]) == (7, 5, 3)
    inside = names_of(outer(), 1)
    assert inside is not None
    assert (inside["a"], inside["limit"]) == (1, 9)
    desk = Desk()
    of_method = names_of(desk.is_ready)
    assert of_method is not None
    assert of_method["self"] is desk
    assert names_of(is_many, 1, 2, 3) is None
    assert names_of(lambda *a: a, 1) is None
    assert names_of(len, 1) is None


def test_a_name_without_a_value_yet_is_none() -> None:
    assert "later" not in (names_of(lambda: later) or {})
    if LIMIT == 0:
        later = 1


def test_a_line_is_told_on_one_and_without_indentation(tmp_path: Path) -> None:
    file = tmp_path / "calls.py"
    file.write_text("def f():\n    await   g()\n@scenario\n")
    assert line_at(f"{file}:2") == "await g()"
    assert line_at(f"{file}:3") == ""
    assert [line_at(place) for place in ("", f"{file}:9", "nowhere.py:1", "ws://host:80", "calls.py:x")] == [""] * 5


def test_a_file_that_is_no_python_has_no_tree(tmp_path: Path) -> None:
    file = tmp_path / "calls.py"
    file.write_text("def (")
    code = compile("def f(): pass", str(file), "exec").co_consts[0]
    assert tree_of(code) is None
    assert tree_of(code, is_rewritten=True) is None


def test_a_file_that_was_changed_since_has_no_tree_for_the_code_of_before(tmp_path: Path) -> None:
    file = tmp_path / "calls.py"
    file.write_text("is_more = lambda n: n > 3\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    assert source(names["is_more"]) == "n > 3"
    file.write_text("is_more = lambda n: n > 4\n# longer\n")
    exec(compile("is_more = lambda n: n > 5\n", str(file), "exec"), names)
    assert source(names["is_more"]) is None


def test_a_cell_of_a_notebook_and_what_python_warns_of_are_read(recwarn: pytest.WarningsRecorder) -> None:
    cell = "await sleep(0)\nis_more = lambda n: n != '\\d'\n"
    linecache.cache["<cell 1>"] = (len(cell), None, cell.splitlines(keepends=True), "<cell 1>")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with catch_warnings(action="ignore"):
        code = compile(cell, "<cell 1>", "exec", flags, dont_inherit=True).co_consts
    function = FunctionType(next(each for each in code if isinstance(each, CodeType)), {})
    assert source(function) == r"n != '\\d'"
    assert not recwarn.list


def test_another_file_of_that_name_is_not_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "calls_of_another.py").write_text("one = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "there")
    monkeypatch.chdir(tmp_path)
    assert line_at("calls_of_another.py:1") == ""
    monkeypatch.chdir(tmp_path / "there")
    assert line_at("calls_of_another.py:1") == "one = 1"

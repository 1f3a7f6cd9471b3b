"""What the author's code had before it when it failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.runtime.failed_code import tell_values

MODULE = """
class Desk:
    state = "busy"
    asked = 0

    def ready(self):
        Desk.asked += 1
        return self.state == "ready"

desk = Desk()

def bare():
    wanted = "ready"
    assert desk.state == wanted

def with_text():
    assert desk.state == "ready", "the desk is not ready"

def called():
    assert desk.ready()

def two():
    assert desk; assert desk.state == "gone"

def over_lines():
    assert (
        desk.state ==
        "later"
    )

def by_hand():
    raise AssertionError

def library(data):
    return int("x" + data)

def missing(message):
    return message.body["stat"]

def unlike(data):
    return data["zzz"]

def unknown(function):
    return function()["stat"]

def deeper(data):
    return data.pop("stat")

def within(data, other):
    return data[other.pop("stat")]

class Mute:
    def __str__(self):
        raise ValueError("no text")

MUTE = Mute()

def with_object():
    assert desk.state == "ready", MUTE
"""


@pytest.fixture
def code(tmp_path: Path) -> dict[str, Any]:
    """A module of the author's, as it is without pytest."""
    file = tmp_path / "calls.py"
    file.write_text(MODULE)
    names: dict[str, Any] = {}
    exec(compile(MODULE, str(file), "exec"), names)
    return names


def told(function: Any, *arguments: Any) -> BaseException:
    try:
        function(*arguments)
    except Exception as error:
        tell_values(error)
        return error
    raise RuntimeError("nothing failed")


def test_a_bare_assert_says_what_it_asserted_of_what_values(code: dict[str, Any]) -> None:
    assert str(told(code["bare"])) == "assert desk.state == wanted\n  desk.state = 'busy'\n  wanted = 'ready'"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("with_text", "the desk is not ready\n  desk.state = 'busy'"),
        ("called", "assert desk.ready()"),
        ("two", "assert desk.state == 'gone'\n  desk.state = 'busy'"),
        ("over_lines", "assert desk.state == 'later'\n  desk.state = 'busy'"),
        ("by_hand", ""),
    ],
)
def test_other_assertions(code: dict[str, Any], name: str, text: str) -> None:
    assert str(told(code[name])) == text


def test_what_an_assert_called_is_not_called_again(code: dict[str, Any]) -> None:
    told(code["called"])
    assert code["Desk"].asked == 1


def test_it_is_told_once(code: dict[str, Any]) -> None:
    error = told(code["bare"])
    before = str(error)
    tell_values(error)
    assert str(error) == before


def test_it_is_told_once_below_a_text_of_the_authors_too(code: dict[str, Any]) -> None:
    error = told(code["with_text"])
    tell_values(error)
    assert str(error) == "the desk is not ready\n  desk.state = 'busy'"


def test_an_object_of_the_authors_that_says_why_stays_what_it_is(code: dict[str, Any]) -> None:
    error = told(code["with_object"])
    tell_values(error)
    assert error.args == (code["MUTE"],)
    assert error.__notes__ == ["desk.state = 'busy'"]


def test_all_in_a_group_and_what_led_to_them_are_told(code: dict[str, Any]) -> None:
    one, other = (_raised(code["bare"]) for _ in range(2))
    around = RuntimeError("around")
    around.__cause__ = other
    tell_values(ExceptionGroup("both", [one, around]))
    assert str(one) == str(other) == "assert desk.state == wanted\n  desk.state = 'busy'\n  wanted = 'ready'"
    tell_values(None)


def test_a_module_that_pytest_has_rewritten_is_left_alone() -> None:
    state = "busy"
    with pytest.raises(AssertionError) as failed:
        assert state == "ready"
    before = str(failed.value)
    tell_values(failed.value)
    assert str(failed.value) == before


def test_a_missing_key_says_what_there_is(code: dict[str, Any]) -> None:
    message = Message("state", {"state": "busy", "seat": 3}, b"")
    assert told(code["missing"], message).__notes__ == [
        "in message.body: its fields are 'state', 'seat'; did you mean 'state'?"
    ]
    assert told(code["unlike"], {"a": 1}).__notes__ == ["in data: its fields are 'a'"]


def test_what_is_no_missing_field_of_something_at_hand_is_left_alone(code: dict[str, Any]) -> None:
    for error in (told(code["unknown"], dict), told(code["deeper"], {"a": 1}), told(code["library"], "1")):
        assert not hasattr(error, "__notes__")


def test_a_key_that_something_else_misses_within_the_brackets_says_nothing_of_these_fields(
    code: dict[str, Any],
) -> None:
    for data in ({"state": 1}, {"stat": 1}):
        error = told(code["within"], data, {})
        assert not hasattr(error, "__notes__")


def test_a_source_that_is_gone_tells_nothing(code: dict[str, Any], tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(MODULE, str(tmp_path / "gone.py"), "exec"), names)
    assert str(told(names["bare"])) == ""


def test_a_source_that_was_changed_since_tells_nothing_wrong(code: dict[str, Any], tmp_path: Path) -> None:
    changed = MODULE.replace("desk.state == wanted", "desk.asked == wanted").replace('["stat"]', '["asks"]')
    (tmp_path / "calls.py").write_text(changed)
    assert str(told(code["bare"])) == ""
    assert not hasattr(told(code["missing"], Message("state", {"state": 1}, b"")), "__notes__")


def test_a_module_that_was_loaded_again_is_read_again(code: dict[str, Any], tmp_path: Path) -> None:
    assert str(told(code["bare"])).startswith("assert desk.state")
    changed = "state = 'idle'\n" + MODULE.replace("desk.state == wanted", "wanted == desk.state")
    (tmp_path / "calls.py").write_text(changed)
    names: dict[str, Any] = {}
    exec(compile(changed, str(tmp_path / "calls.py"), "exec"), names)
    assert str(told(names["bare"])).startswith("assert wanted == desk.state\n")


def _raised(function: Any) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise RuntimeError("nothing failed")

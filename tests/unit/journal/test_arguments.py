"""The arguments of a step, as data and as they are shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.wording import shorten
from antiphon.journal import Argument, StepStarted
from antiphon.journal.arguments import GivenArguments, arguments_told, mask_argument, named_things
from antiphon.journal.masking import Masker

SECRET = "hunter2-geheim"


def masked(value: Any, called: str = "", name: str = "") -> Argument:
    return mask_argument(Masker(), value, called, name)


@pytest.mark.parametrize(
    "value",
    ["890", "", 7, -1.5, True, None, [1, ["a", None]], {"a": {"b": [2.0]}}, "x" * 900, "Größe 😀"],
)
def test_what_json_can_hold_is_data(value: Any) -> None:
    argument = masked(value)
    assert argument.value == value
    assert argument.text == shorten(value)


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1: "a"},
        {"a": (1,)},
        b"ab",
        1 << 70,
        1e16,
        1e-7,
        float("inf"),
        "x" * 1_001,
        ["x" * 600] * 2,
        str,
        "\ud800",
    ],
)
def test_anything_else_is_as_it_is_shown(value: Any) -> None:
    argument = masked(value)
    assert argument.value == {"$shown": shorten(value)}
    assert argument.text == shorten(value)


def test_what_refers_to_itself_is_shown() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "$shown" in masked(endless).value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_it_is_shown_alike_before_and_after_it_was_written(value: Any) -> None:
    argument = masked(value)
    read = msgspec.json.decode(msgspec.json.encode(argument), type=Argument)
    assert read.text == argument.text


def test_a_parameter_with_the_name_of_a_secret_hides_what_is_given() -> None:
    assert masked("abc", "password") == Argument("***")
    assert masked("abc", "pwd", "pwd") == Argument("***", "pwd")
    assert masked(("a", "b"), "tokens").text == "['***', '***']"
    assert masked({"$shown": "abc"}, "password").text == "***"


def test_a_secret_inside_is_hidden_in_data_and_in_what_is_shown() -> None:
    assert masked({"user": "bob", "password": SECRET}).value == {"user": "bob", "password": "***"}
    assert SECRET not in masked(({"n": "x" * 90, "password": SECRET, "m": "y" * 90},)).text
    assert SECRET not in masked(type("Login", (), {"__repr__": lambda _: f"<password={SECRET}>"})()).text


def test_what_was_learnt_from_one_is_hidden_elsewhere() -> None:
    masker = Masker()
    mask_argument(masker, SECRET, "password")
    assert mask_argument(masker, f"say {SECRET}", "").value == "say ***"
    assert mask_argument(masker, f"say {SECRET}", "", SECRET) == Argument("say ***", "***")


def test_they_are_told_as_they_were_written() -> None:
    given = [named_things("fetch"), Argument("8"), Argument(2, "tries"), Argument({"a": None}, "how")]
    assert arguments_told(given) == "fetch, '8', tries=2, how={'a': None}"


def test_those_in_memory_are_made_when_they_are_read() -> None:
    made: list[int] = []

    def make() -> list[Argument]:
        made.append(1)
        return [Argument(1), Argument(2)]

    step = StepStarted(
        at_ns=0, number=1, parent=0, actor="", action="add", arguments=GivenArguments(make), source="a.py:1"
    )
    assert made == []
    assert step.title == "add(1, 2)"
    assert (len(step.arguments), step.arguments[1], step.arguments[:1]) == (2, Argument(2), [Argument(1)])

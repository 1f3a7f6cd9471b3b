"""Patterns: what fits, what does not, and where."""

from __future__ import annotations

import re
from collections import OrderedDict, UserDict, namedtuple
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, List, Literal, Optional, Protocol, Union  # noqa: UP035 - users still write them
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.match import ABSENT, Difference, describe, differences, matches
from antiphon.conversation.wording import shorten

NAN = float("nan")
CALL = {
    "state": "held",
    "id": 7,
    "muted": False,
    "reason": None,
    "parties": [{"name": "ann", "line": 1}, {"name": "bob"}],
}


class Colour(Enum):
    RED = "red"


class State(StrEnum):
    HELD = "held"


class Code(IntEnum):
    ONE = 1


class Named(Protocol):
    name: str


Point = namedtuple("Point", "x y")


def even(number: int) -> bool:
    return number % 2 == 0


def test_a_mapping_fits_one_that_has_at_least_its_fields() -> None:
    assert matches({"state": "held"}, CALL)
    assert matches({}, CALL)
    assert matches({"state": "held", "id": 7}, CALL)
    assert not matches({"state": "ready"}, CALL)
    assert not matches({"state": "held", "line": 1}, CALL)
    assert not matches({}, None)
    assert not matches({}, [])
    assert not matches({"state": "held"}, "state")


@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType])
def test_mappings_of_any_kind_fit_each_other(kind: Any) -> None:
    assert matches(kind({"a": 1, "b": {"c": ...}}), {"a": 1, "b": {"c": 2}})
    assert matches({"a": 1}, kind({"a": 1, "b": 2}))
    assert not matches(kind({"a": 1}), kind({"a": 2}))
    assert not matches(kind({"a": 1}), [1])


def test_mappings_nest() -> None:
    assert matches({"parties": [{"name": "ann"}, {"name": "bob"}]}, CALL)
    assert not matches({"parties": [{"name": "ann"}, {"name": "cid"}]}, CALL)
    assert not matches({"state": {"name": "held"}}, CALL)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_sequence_fits_element_by_element_and_in_length(kind: Any) -> None:
    assert matches(kind([1, ..., str]), [1, None, "x"])
    assert matches(kind([1, 2]), (1, 2))
    assert matches(kind([]), [])
    assert not matches(kind([1, 2]), [1, 2, 3])
    assert not matches(kind([1, 2]), [1])
    assert not matches(kind([1, 2]), [2, 1])
    assert not matches(kind(["a"]), "a")
    assert not matches(kind([]), {})
    assert not matches(kind([]), None)


def test_a_tuple_with_names_is_a_sequence() -> None:
    assert matches(Point(1, int), [1, 2])


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        (int, [0, -5, 2**80], [True, 1.5, "1", None, []]),
        (float, [1.5, NAN], [1, True, "1.5"]),
        (bool, [True, False], [1, 0, None]),
        (str, ["", "x", State.HELD], [b"x", None, 1]),
        (bytes, [b""], ["x"]),
        (list, [[], [1]], [(), {}, "x"]),
        (dict, [{}, {"a": 1}], [[], None]),
        (object, [None, True, 1, "x", []], []),
        (type(None), [None], [0, "", False]),
    ],
)
def test_a_type_fits_its_instances(wanted: Any, fitting: list[Any], others: list[Any]) -> None:
    assert all(matches(wanted, value) for value in fitting)
    assert not any(matches(wanted, value) for value in others)
    assert not matches({"field": wanted}, {})


def test_a_type_that_has_no_instances_to_ask_for_does_not_fit() -> None:
    assert not matches(Named, Point)
    assert "runtime" in differences(Named, 1)[0].because


def test_an_ellipsis_fits_anything_that_is_there() -> None:
    assert all(matches({"x": ...}, {"x": value}) for value in (None, 0, "", [], {}, False))
    assert not matches({"x": ...}, {"y": 1})
    assert matches(..., None)


def test_absent_fits_a_field_that_is_not_there() -> None:
    assert matches({"line": ABSENT}, CALL)
    assert not matches({"reason": ABSENT}, CALL)  # null is there
    assert not matches({"reason": ABSENT}, {"reason": ""})
    assert not matches({"missing": None}, CALL)
    assert matches({"reason": None}, CALL)
    assert not matches({"missing": {"deeper": ABSENT}}, CALL)


def test_a_regular_expression_fits_a_string_that_it_finds_something_in() -> None:
    assert matches(re.compile("el"), "held")
    assert matches(re.compile("HELD", re.IGNORECASE), "held")
    assert not matches(re.compile("^el"), "held")
    assert not matches(re.compile("1"), 1)
    assert not matches({"x": re.compile("")}, {})
    assert matches(re.compile(b"\xff$"), b"\x00\xff")
    assert not matches(re.compile("x"), b"x")


def test_a_set_fits_its_members_and_these_may_be_patterns() -> None:
    assert matches({"held", "ready"}, "held")
    assert not matches({"held", "ready"}, "gone")
    assert matches({int, None}, 5)
    assert matches({int, None}, None)
    assert not matches({int, None}, True)
    assert not matches({1}, True)
    assert matches(frozenset({re.compile("^h")}), "held")
    assert matches({"a": 1, "b": 2}.keys(), "b")
    assert not matches({"a"}, ["a"])
    assert not matches(set(), None)


def test_a_field_that_may_be_there_or_not() -> None:
    optional = {"reason": {ABSENT, None, "login"}}
    assert matches(optional, {})
    assert matches(optional, {"reason": None})
    assert matches(optional, {"reason": "login"})
    assert not matches(optional, {"reason": "break"})
    assert not matches({"reason": {"login"}}, {})


def test_a_range_fits_the_whole_numbers_in_it() -> None:
    assert matches(range(200, 300), 204)
    assert not matches(range(200, 300), 300)
    assert not matches(range(2), True)
    assert not matches(range(2), 1.0)
    assert not matches(range(2), "1")
    assert not matches({"x": range(2)}, {})


def test_a_callable_fits_what_it_returns_true_for() -> None:
    assert matches(even, 2)
    assert not matches(even, 3)
    assert matches({"id": lambda number: number > 5}, CALL)
    assert matches("held".__eq__, "held")
    assert matches(len, [1])
    assert not matches(len, [])


def test_a_callable_that_raises_does_not_fit_and_says_why() -> None:
    assert not matches(even, "x")
    (difference,) = differences({"id": even}, {"id": "x"})
    assert difference.because.startswith("TypeError: ")


def test_a_callable_is_not_asked_about_what_is_not_there() -> None:
    assert not matches({"x": lambda value: True}, {})


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        (True, 1.0, False),
        (True, True, True),
        (1, 1.0, True),
        (1.0, 1, True),
        (2**63, 2.0**63, True),
        (NAN, NAN, True),
        (NAN, 1.0, False),
        (1.0, NAN, False),
        (NAN, "x", False),
        (0.0, -0.0, True),
        ("1", 1, False),
        ("", None, False),
        (None, False, False),
        (None, None, True),
        (b"x", b"x", True),
        (Decimal("1.5"), 1.5, True),
        (Decimal(1), True, True),  # its own judgement
        (Colour.RED, Colour.RED, True),
        (Colour.RED, "red", False),
        (State.HELD, "held", True),
        (Code.ONE, 1, True),
        (Code.ONE, True, False),
        (mock.ANY, None, True),
        (mock.ANY, True, True),
    ],
)
def test_anything_else_fits_what_is_equal_to_it(one: Any, other: Any, is_equal: bool) -> None:
    assert matches(one, other) is is_equal
    assert matches({"x": one}, {"x": other}) is is_equal
    assert matches([one], [other]) is is_equal
    assert (differences(one, other) == []) is is_equal


def test_what_is_equal_to_everything_is_not_equal_to_nothing() -> None:
    assert not matches({"x": mock.ANY}, {})


def test_a_comparison_that_raises_does_not_fit() -> None:
    class Touchy:
        def __eq__(self, other: object) -> bool:
            raise ValueError("do not compare me")

        __hash__ = None  # type: ignore[assignment]

    assert not matches(Touchy(), 1)
    assert differences({"x": Touchy()}, {"x": 1})[0].because == "ValueError: do not compare me"


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        (int | None, [1, None], [True, "x", 1.5]),
        (Optional[int], [1, None], [True, "x"]),  # noqa: UP045
        (Union[str, list[int]], ["x", [1], []], [["x"], 1]),  # noqa: UP007
        (Literal["a", 1], ["a", 1], ["b", True, "1"]),
        (list[str], [[], ["a"]], [["a", 1], "a", None]),
        (List[str], [[], ["a"]], [["a", 1]]),  # noqa: UP006
        (list[int | None], [[1, None]], [[1, "x"], [True]]),
        (dict[str, int], [{}, {"a": 1}], [{"a": "b"}, {1: 1}, []]),
        (tuple[int, ...], [(1,)], [[1]]),
    ],
)
def test_annotations_say_what_they_say(wanted: Any, fitting: list[Any], others: list[Any]) -> None:
    assert all(matches(wanted, value) for value in fitting)
    assert not any(matches(wanted, value) for value in others)
    assert not matches({"x": wanted}, {})


# -- differences ------------------------------------------------------------------------------------------------------


def test_differences_name_every_place() -> None:
    wanted = {"state": "ready", "line": int, "parties": [{"name": "ann", "line": 2}, {"name": str}], "reason": ABSENT}

    found = differences(wanted, CALL)

    assert [(difference.path, difference.wanted, difference.found) for difference in found] == [
        ("state", "ready", "held"),
        ("line", int, ABSENT),
        ("parties[0].line", 2, 1),
        ("reason", ABSENT, None),
    ]


@pytest.mark.parametrize(
    ("pattern", "value", "path"),
    [
        (1, 2, ""),
        ({"a": {"b": [0, {"c": 1}]}}, {"a": {"b": [0, {"c": 2}]}}, "a.b[1].c"),
        ([[1, 2]], [[1, 3]], "[0][1]"),
        ({"a.b": 1}, {"a.b": 2}, "['a.b']"),
        ({"a": {"b c": 1}}, {"a": {"b c": 2}}, "a['b c']"),
        ({"a": {"": 1}}, {"a": {"": 2}}, "a['']"),
        ({7: 1}, {7: 2}, "[7]"),
        ({"$type": 1}, {"$type": 2}, "$type"),
        ({"a": [{"b": 1}]}, {"a": [5]}, "a[0]"),
    ],
)
def test_a_path_leads_to_the_place(pattern: Any, value: Any, path: str) -> None:
    (difference,) = differences(pattern, value)
    assert difference.path == path


def test_a_list_of_another_length_differs_once() -> None:
    (difference,) = differences({"parties": [1]}, CALL)
    assert difference.because == "2 items instead of 1"


def test_a_predicate_that_changes_its_mind_does_not_fit() -> None:
    answers = iter([False, True])
    assert differences(lambda _: next(answers), 5) == [Difference("", mock.ANY, 5)]


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (Difference("state", "ready", "held"), "state is 'held', wanted 'ready'"),
        (Difference("", {"a": 1}, 5), "the body is 5, wanted {a: 1}"),
        (Difference("line", int, ABSENT), "line is not there, wanted any int"),
        (Difference("line", ABSENT, 5), "line is 5, wanted no such field"),
        (Difference("a[0]", even, "x", "TypeError: no"), "a[0] is 'x', wanted what even accepts (TypeError: no)"),
    ],
)
def test_a_difference_in_words(difference: Difference, text: str) -> None:
    assert str(difference) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (..., "anything"),
        (ABSENT, "no such field"),
        (int, "any int"),
        (int | None, "any int | None"),
        (list[str], "any list[str]"),
        (re.compile("^a"), "/^a/"),
        ({"a": {"b": int}, "c": "x"}, "{a: {b: any int}, c: 'x'}"),
        ([int, "x"], "[any int, 'x']"),
        ({"b", "a", None}, "one of 'a', 'b', None"),
        (range(3), "range(0, 3)"),
        (even, "what even accepts"),
        ("text", "'text'"),
        (None, "None"),
    ],
)
def test_a_pattern_in_words(pattern: Any, text: str) -> None:
    assert describe(pattern) == text


def test_words_are_few() -> None:
    assert len(describe({f"field{number}": "x" * 50 for number in range(1000)})) <= 200
    assert len(shorten("x" * 10_000_000)) <= 120
    assert len(shorten(["x"] * 1000)) <= 120
    assert shorten(b"a" * 1000, 20) == "b'aaaaaaa…aaaaaaaa'"
    assert shorten("short") == "'short'"


def test_what_cannot_be_shown_is_said_so() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise ValueError

    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]

    assert shorten(Shy()) == "<Shy, which cannot be shown: ValueError>"
    assert "RecursionError" in shorten(deep)
    assert repr(ABSENT) == "ABSENT"


# -- properties -------------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
LEAVES = st.sampled_from(
    [..., ABSENT, int, str, bool, object, int | None, range(3), re.compile("a"), frozenset({1, None})]
)
PATTERNS = st.recursive(
    SCALARS | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(BODIES)
def test_a_body_fits_itself(body: Any) -> None:
    assert matches(body, body)
    assert differences(body, body) == []


@given(BODIES, BODIES | PATTERNS)
def test_differences_are_empty_exactly_for_what_fits(body: Any, pattern: Any) -> None:
    assert matches(pattern, body) is (differences(pattern, body) == [])
    assert all(str(difference) for difference in differences(pattern, body))


@given(st.dictionaries(st.text(max_size=3), SCALARS, max_size=5), st.integers(0, 31))
def test_some_fields_of_a_body_fit_it(body: dict[str, Any], chosen: int) -> None:
    kept = [key for number, key in enumerate(body) if chosen >> number & 1]
    assert matches({key: body[key] for key in kept}, body)
    assert matches(dict.fromkeys(kept, ...), body)
    assert not matches({**body, "another field": ...}, body)


@given(PATTERNS)
def test_every_pattern_has_words(pattern: Any) -> None:
    assert 0 < len(describe(pattern)) <= 200

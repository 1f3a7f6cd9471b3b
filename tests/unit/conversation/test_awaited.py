"""What is waited for, as data and in words: both say the same."""

from __future__ import annotations

import math
import re
from collections import UserDict
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.awaited import WaitKind, describe_awaited, is_predicate, is_same_where, where_as_data
from antiphon.conversation.match import ABSENT


class State(IntEnum):
    BUSY = 1


def is_ready(body: Any) -> bool:
    return bool(body)


@pytest.mark.parametrize(
    ("kind", "about", "text"),
    [
        ("message", {"name": "state"}, "state"),
        ("message", {}, "any message"),
        ("message", {"name": "a\nb", "where": {"id": 1}}, "a b where {id: 1}"),
        ("message", {"where": is_ready}, "any message that is_ready accepts"),
        ("absence", {"name": "error"}, "no error"),
        ("reply", {"name": "call"}, "the reply to call"),
        ("close", {}, "the close of the connection"),
        ("close", {"code": 0}, "the close of the connection with code 0"),
        ("until", {"name": "is_ready", "place": "calls.py:3"}, "until is_ready at calls.py:3 is true"),
        ("signal", {"name": "rung"}, "the signal 'rung'"),
        ("signal", {"name": "rung", "times": 2}, "the signal 'rung', given 2 times"),
    ],
)
def test_each_kind_is_told_on_one_line(kind: WaitKind, about: dict[str, Any], text: str) -> None:
    assert describe_awaited(kind, **about) == text


@pytest.mark.parametrize(
    ("where", "data"),
    [
        (None, None),
        (
            {"id": 1, "n": 1.5, "s": "x", "t": True, "none": None},
            {"id": 1, "n": 1.5, "s": "x", "t": True, "none": None},
        ),
        ({"call": {"parties": ({"role": "agent"}, 2)}}, {"call": {"parties": [{"role": "agent"}, 2]}}),
        ({"id": int, 7: ...}, {"id": {"$pattern": "any int"}, "7": {"$pattern": "anything"}}),
        ({"id": ABSENT, "s": re.compile("a.c")}, {"id": {"$pattern": "no such field"}, "s": {"$pattern": "/a.c/"}}),
        ({"id": {2, 1}}, {"id": {"$pattern": "one of 1, 2"}}),
        ({"state": State.BUSY}, {"state": {"$pattern": "<State.BUSY: 1>"}}),
        ({"n": math.nan, "great": 1 << 63}, {"n": {"$pattern": "nan"}, "great": {"$pattern": "9223372036854775808"}}),
        (UserDict(id=b"x"), {"id": {"$pattern": "b'x'"}}),
        (Literal["a"], {"$pattern": "any typing.Literal['a']"}),
        (dict, {"$pattern": "any dict"}),
        ({"id": is_ready}, {"id": {"$pattern": "what is_ready accepts"}}),
        ({"$pattern": "mine", "other": 1}, {"$pattern": "{$pattern: 'mine', other: 1}"}),
        (is_ready, {"$predicate": "is_ready"}),
    ],
)
def test_a_pattern_as_data_keeps_its_plain_fields_and_is_described_alike(where: Any, data: Any) -> None:
    assert where_as_data(where) == data
    assert where_as_data(data) == data
    read = msgspec.json.decode(msgspec.json.encode(data))
    assert describe_awaited("message", "a", read) == describe_awaited("message", "a", where)


def test_a_lambda_is_named_by_its_place_and_what_has_no_name_by_what_it_shows() -> None:
    where: Callable[[Any], bool] = lambda body: True  # noqa: E731
    line = test_a_lambda_is_named_by_its_place_and_what_has_no_name_by_what_it_shows.__code__.co_firstlineno + 1
    assert where_as_data(where) == {"$predicate": f"the lambda at test_awaited.py:{line}"}
    assert where_as_data(partial(is_ready))["$predicate"].startswith("functools.partial(")


def test_what_is_long_or_deep_is_described() -> None:
    assert where_as_data({"s": "x" * 1000}) == {"s": "x" * 1000}
    (text,) = where_as_data({"s": "x" * 1001})["s"].values()
    assert len(text) <= 200
    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    data = msgspec.json.encode(where_as_data(deep))
    assert data.startswith(b"[" * 20 + b'{"$pattern":"[[[')


@pytest.mark.parametrize(
    ("where", "is_one"),
    [(is_ready, True), (partial(is_ready), True), (dict, False), (list[str], False), ({"a": 1}, False), (None, False)],
)
def test_what_a_predicate_is(where: Any, is_one: bool) -> None:
    assert is_predicate(where) is is_one


PLAIN = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=300) | st.floats(allow_nan=False)


@given(
    where=st.recursive(
        PLAIN | st.sampled_from([int, ..., ABSENT, State.BUSY, b"x"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    kind=st.sampled_from(["message", "absence"]),
)
def test_whatever_the_pattern_is_it_is_told_alike_from_a_file(where: Any, kind: WaitKind) -> None:
    read = msgspec.json.decode(msgspec.json.encode(where_as_data(where)))
    assert describe_awaited(kind, "a", read) == describe_awaited(kind, "a", where)


class Untrue:
    def __eq__(self, other: object) -> bool:
        raise ValueError("an array has no truth")

    __hash__ = object.__hash__


def below(limit: int) -> Callable[[Any], bool]:
    return lambda body: bool(body < limit)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, None),
        ({"a": [1, {"b": int}]}, {"a": [1, {"b": int}]}),
        (re.compile("a+"), re.compile("a+")),
        (is_ready, is_ready),
        (below(1), below(1)),
        ({"a": below(1)}, {"a": below(1)}),
    ],
)
def test_two_that_select_the_same(one: Any, other: Any) -> None:
    assert is_same_where(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, {}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ([1], [1, 2]),
        (re.compile("a+"), re.compile("b+")),
        (is_ready, below(1)),
        (Untrue(), Untrue()),
        ("x" * 500 + "a" + "x" * 500, "x" * 500 + "b" + "x" * 500),
    ],
)
def test_two_that_do_not(one: Any, other: Any) -> None:
    assert not is_same_where(one, other)

"""The values that an expression read, without running anything of its author's."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.conversation.values_read import look_at, values_read, values_told


class Colour(Enum):
    RED = "r"


class Slotted:
    __slots__ = ("empty", "full")

    def __init__(self) -> None:
        self.full = 1


class Trap:
    """Whatever is done with it but `repr` of its plain data is a fault."""

    def __init__(self) -> None:
        self.plain = 7

    def _sprung(self, *_: object) -> Any:
        raise SystemError("this was run again")

    __eq__ = __hash__ = __bool__ = __len__ = __getitem__ = __contains__ = __iter__ = _sprung  # type: ignore[assignment]
    __getattr__ = __call__ = __add__ = __lt__ = _sprung
    asked = property(_sprung)
    kept = cached_property(_sprung)


@dataclass
class Desk:
    state: str = "busy"
    calls: list[str] = field(default_factory=lambda: ["a", "b"])


MESSAGE = Message("state", {"state": "busy", "at": {"room": 3}}, b"")
NAMES: dict[str, Any] = {
    "desk": Desk(),
    "trap": Trap(),
    "n": 3,
    "key": "at",
    "items": [1, 2],
    "message": MESSAGE,
    "listed": Message("listed", [5], b""),
    "counts": defaultdict(int, a=1),
    "slotted": Slotted(),
    "Colour": Colour,
    "odd": {"x": {"y": None}},
}


def read(source: str) -> dict[str, Any]:
    return values_read(ast.parse(source, mode="eval").body, NAMES)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("desk.state == 'ready'", {"desk.state": "busy"}),
        ("n < 2 or desk.calls[0] != 'b'", {"n": 3, "desk.calls[0]": "a"}),
        ("not items", {"items": [1, 2]}),
        ("message['at'][key]", {"message['at']": {"room": 3}, "key": "at"}),
        ("message[key]['room'] > n", {"message[key]['room']": 3, "key": "at", "n": 3}),
        ("message['missing'] == 1", {"message": MESSAGE}),
        ("listed[0]", {"listed[0]": 5}),
        ("items[-1] + items[9]", {"items[-1]": 2, "items": [1, 2]}),
        ("slotted.full", {"slotted.full": 1}),
        ("slotted.empty", {}),
        ("Colour.RED.value", {"Colour.RED.value": "r"}),
        ("(m := n) > 5", {"n": 3}),
        ("[each for each in items if each > n]", {"items": [1, 2]}),
        ("unknown.state", {}),
        ("f'{n}' if odd['x']['y'] else None", {"n": 3, "odd['x']['y']": None}),
    ],
)
def test_the_largest_parts_that_can_be_looked_at_are_told(source: str, found: dict[str, Any]) -> None:
    assert read(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("trap() == n", {"n": 3}),
        ("trap.method(n, key=items)", {"n": 3, "items": [1, 2]}),
        ("trap.asked", {}),
        ("trap.kept", {}),
        ("trap.nothing", {}),
        ("trap['a']", {}),
        ("trap[n]", {"n": 3}),
        ("odd[trap]", {"odd": NAMES["odd"]}),
        ("trap == trap and n in trap and trap < n", {"n": 3}),
        ("trap.plain == 8", {"trap.plain": 7}),
        ("desk.calls.pop()", {"desk.calls": ["a", "b"]}),
        ("counts['b'] == 1", {"counts": {"a": 1}}),
        ("(lambda: trap())()", {}),
    ],
)
def test_nothing_is_called_asked_or_compared_again(source: str, found: dict[str, Any]) -> None:
    assert read(source) == found
    assert NAMES["desk"].calls == ["a", "b"]
    assert dict(NAMES["counts"]) == {"a": 1}


def test_they_are_told_a_line_each_and_not_without_end() -> None:
    expression = ast.parse("desk.state == message['state'] == message", mode="eval").body
    assert values_told(expression, NAMES) == [
        "desk.state = 'busy'",
        "message['state'] = 'busy'",
        "message = the message state {'state': 'busy', 'at': {'room': 3}}",
    ]
    many = ast.parse(" + ".join(f"n{i}" for i in range(12)), mode="eval").body
    told = values_told(many, {f"n{i}": i for i in range(12)})
    assert told[-1] == "and 4 more"
    assert len(told) == 9
    assert len(values_told(ast.parse("long", mode="eval").body, {"long": "x" * 100_000})[0]) < 200


def test_an_object_that_lies_about_what_it_is_does_no_harm() -> None:
    class Liar:
        @property
        def __class__(self) -> Any:  # type: ignore[override]
            raise SystemError("who asks?")

        def __repr__(self) -> str:
            raise SystemError("who asks?")

    assert values_told(ast.parse("liar.state == 1", mode="eval").body, {"liar": Liar()}) == []
    assert len(values_told(ast.parse("liar", mode="eval").body, {"liar": Liar()})) <= 1


def test_a_name_that_is_given_where_it_is_looked_at() -> None:
    assert look_at(ast.parse("(state := 'busy')", mode="eval").body, {"state": "busy"}) == "busy"

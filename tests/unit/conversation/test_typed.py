"""Types that bodies have: what they are, what is made of bodies, and what of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Generic, Literal, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from antiphon import Json
from antiphon.conversation.match import ABSENT
from antiphon.conversation.typed import (
    class_name,
    is_body_type,
    is_typed,
    literal_of,
    make_body,
    misfits,
    plain_body,
    require_whole,
    tag_of,
)
from antiphon.dialect.meeting import Meeting
from antiphon.errors import ScenarioError

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@dataclass
class Data:
    n: int
    of: dict[int, str] | None = None


@attrs.define
class Attrs:
    n: int


class Model(pydantic.BaseModel):
    n: int


class Dict(TypedDict):
    n: int


class Mixed(msgspec.Struct):
    at: datetime
    price: Decimal
    raw: bytes
    model: Model | None = None


@pytest.mark.parametrize("kind", [Page, Page[int], Data, Attrs, Model, Dict, Mixed])
def test_what_a_body_type_is(kind: Any) -> None:
    assert is_body_type(kind)
    assert class_name(kind) == kind.__name__.partition("[")[0]


@pytest.mark.parametrize("kind", [int, str, dict, list[int], None, "Data", Data(1), object, type])
def test_what_no_body_type_is(kind: Any) -> None:
    assert not is_body_type(kind)


def test_instances_are_typed_and_types_and_dicts_are_not() -> None:
    assert all(map(is_typed, [Page([1]), Data(1), Attrs(1), Model(n=1)]))
    assert not any(map(is_typed, [Data, Dict(n=1), {"n": 1}, [1], "n", None]))


@pytest.mark.parametrize(
    ("kind", "body", "made"),
    [
        (Page[int], {"items": [1]}, Page([1])),
        (Data, {"n": 1, "of": {"5": "five"}}, Data(1, {5: "five"})),
        (Attrs, {"n": 1, "more": 2}, Attrs(1)),
        (Data, Attrs(1), Data(1)),
        (Dict, {"n": 1}, {"n": 1}),
    ],
)
def test_a_body_is_made_an_instance(kind: Any, body: Any, made: Any) -> None:
    assert make_body(kind, body) == made


def test_an_instance_is_taken_as_it_is_and_nothing_as_an_object_without_fields() -> None:
    class Empty(msgspec.Struct):
        n: int = 1

    data = Data(1)
    assert make_body(Data, data) is data
    assert make_body(Empty, None) == Empty()


@pytest.mark.parametrize(
    ("kind", "body", "path", "found", "told"),
    [
        (Data, {"n": None}, "n", None, "n is None, wanted int"),
        (Data, [1], "", [1], "the body is [1], wanted object"),
        (Data, {"n": 1, "of": {"1": 2}}, "of[…]", {"1": 2}, "of[…] is {'1': 2}, wanted str"),
        (Page[int], {"items": [1, "x"]}, "items[1]", "x", "items[1] is 'x', wanted int"),
        (Page, {}, "items", ABSENT, "items is not there, wanted what fits Page (it must be there)"),
        (
            Mixed,
            {"at": "soon", "price": "1", "raw": ""},
            "at",
            "soon",
            "at is 'soon', wanted what fits Mixed (Invalid RFC3339 encoded datetime)",
        ),
        (Model, [1], "", [1], "the body is [1], wanted a valid dictionary or instance of Model"),
    ],
)
def test_where_a_body_does_not_fit(kind: Any, body: Any, path: str, found: Any, told: str) -> None:
    with pytest.raises(ValueError) as raised:
        make_body(kind, body)
    (only,) = misfits(kind, body, raised.value)
    assert (only.path, only.found, str(only)) == (path, found, told)


def test_what_a_type_itself_refuses_is_told() -> None:
    @dataclass
    class Positive:
        n: int

        def __post_init__(self) -> None:
            if self.n < 0:
                raise ValueError("n is below 0")

    class Named(pydantic.BaseModel):
        n: int

        @pydantic.field_validator("n")
        @classmethod
        def positive(cls, n: int) -> int:
            raise ValueError("n is below 0")

    for kind, told in (
        (Positive, "the body is {'n': -1}, wanted what fits Positive (n is below 0)"),
        (Named, "n is -1, wanted what fits Named (Value error, n is below 0)"),
    ):
        with pytest.raises(ValueError) as raised:
            make_body(kind, {"n": -1})
        assert [str(each) for each in misfits(kind, {"n": -1}, raised.value)] == [told]


def test_a_typed_body_is_said_in_what_its_dialect_writes() -> None:
    mixed = Mixed(datetime(2026, 1, 2, tzinfo=timezone.utc), Decimal("1.50"), b"\0\1", Model(n=1))  # noqa: UP017
    assert plain_body(mixed) == {"at": mixed.at, "price": mixed.price, "raw": b"\0\1", "model": {"n": 1}}
    said = Json("name", "body").codec(Meeting()).encode("x", plain_body(mixed)).raw
    assert said == ('{"name":"x","body":{"at":"2026-01-02T00:00:00Z","price":1.50,"raw":"AAE=","model":{"n":1}}}')
    assert plain_body({"n": Model(n=1)}) == {"n": Model(n=1)}


def test_what_cannot_be_said_is_an_error_of_its_author() -> None:
    @dataclass
    class Odd:
        what: object

    class OddModel(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        what: object

    for odd in (Odd(object()), OddModel(what=object())):
        with pytest.raises(ScenarioError, match=f"{type(odd).__name__} cannot be said"):
            plain_body(odd)


def test_the_names_that_types_have_themselves() -> None:
    class Tagged(msgspec.Struct, tag="t"):
        pass

    class Numbered(msgspec.Struct, tag=5):
        pass

    class Literally(msgspec.Struct):
        type: Literal["ping"]
        either: Literal["a", "b"]
        number: Literal[5]
        plain: str

    assert [tag_of(kind) for kind in (Tagged, Numbered, Literally, Data)] == ["t", None, None, None]
    fields = ("type", "either", "number", "plain", "missing", "")
    assert [literal_of(Literally, each) for each in fields] == ["ping", None, None, None, None, None]
    assert Json("type").name_of(Page[int]) == "page"


class Nowhere(msgspec.Struct):
    type: Undefined  # type: ignore[name-defined]  # noqa: F821


def test_a_type_with_a_name_that_is_defined_nowhere() -> None:
    assert literal_of(Nowhere, "type") is None
    with pytest.raises(ScenarioError, match="no body can be made a Nowhere: NameError"):
        require_whole(Nowhere)
    require_whole(list[int])

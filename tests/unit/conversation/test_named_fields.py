"""Bodies that are typed already, as some dialects give them: patterns and messages read their attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import attrs
import msgspec
import pydantic
import pytest

from antiphon.conversation.match import ABSENT, differences, matches
from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.errors import FieldMissing


class Struct(msgspec.Struct):
    number: int
    inner: Any = None
    state: str | msgspec.UnsetType = msgspec.UNSET


@dataclass
class Data:
    number: int
    inner: Any = None


@attrs.define
class Attrs:
    number: int
    inner: Any = None


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    number: int
    inner: Any = None


KINDS = pytest.mark.parametrize("kind", [Struct, Data, Attrs, Model])


@KINDS
def test_a_pattern_reads_the_attributes_of_a_typed_body(kind: Any) -> None:
    body = kind(number=3, inner=[kind(number=4)])
    assert matches({"number": 3}, body)
    assert matches({"number": int, "inner": [{"number": 4, "state": ABSENT}]}, body)
    assert not matches({"number": 4}, body)
    assert not matches({"state": "up"}, body)
    assert matches({"state": ABSENT}, body)
    found = differences({"number": 4, "inner": [{"number": 5}], "state": "up"}, body)
    assert [(each.path, each.found) for each in found] == [("number", 3), ("inner[0].number", 4), ("state", ABSENT)]


@KINDS
def test_a_message_reads_the_attributes_of_a_typed_body(kind: Any) -> None:
    message = Message("call", kind(number=3), "")
    assert message["number"] == message.get("number") == 3
    assert "number" in message
    assert "state" not in message
    assert message.get("state", "none") == "none"
    with pytest.raises(FieldMissing, match="call has no field 'state'") as failed:
        message["state"]
    assert "its fields are 'number', 'inner'" in str(failed.value)
    with pytest.raises(FieldMissing):
        message[0]


def test_a_field_that_is_unset_is_not_there_and_one_that_is_set_is() -> None:
    assert matches({"state": ABSENT}, Struct(1))
    assert matches({"state": "up"}, Struct(1, state="up"))
    assert dict(named_fields(Model.model_validate({"number": 1, "more": 2})) or {}) == {
        "number": 1,
        "inner": None,
        "more": 2,
    }


@pytest.mark.parametrize("body", [None, 5, "text", [1], (1,), b"", object(), Struct])
def test_what_has_no_named_fields_fits_no_mapping(body: Any) -> None:
    assert named_fields(body) is None
    assert not matches({"number": 3}, body)
    assert not matches({}, body)


@KINDS
def test_a_type_as_a_pattern_is_for_its_instances(kind: Any) -> None:
    assert matches({"inner": kind}, kind(number=1, inner=kind(number=2)))
    assert not matches({"inner": kind}, kind(number=1, inner={"number": 2}))


@KINDS
def test_typed_bodies_are_found_among_many_and_tell_why_they_refuse(desk: Any, kind: Any) -> None:
    for n in range(100):
        desk.hear(body=kind(number=n))
    assert desk.expect(where={"number": 70}).message.number == 71
    waits = [desk.expect(where={"number": n}) for n in range(1_000, 1_100)]
    assert desk.hear(body=kind(number=1_050)) is waits[50].message


def test_a_refusal_in_a_typed_body_says_why(desk: Any) -> None:
    @dataclass
    class Trouble:
        code: int
        message: str

    wait = desk.ask(1)
    desk.reply(1, Trouble(404, "no such call"), is_failure=True)
    assert "was refused call: 404 no such call" in str(wait.error)

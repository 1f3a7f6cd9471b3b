"""MessagePack and CBOR, with the rules of `Json`; and rules that lead into arrays."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import cbor2
import msgspec
import pytest

from antiphon import Cbor, Data, DialectError, Json, Meeting, Message, MessagePack, ScenarioError
from antiphon.dialect import Structured
from antiphon.dialect.packed import _cbor

RULES: dict[str, Any] = {"name": "type", "body": "data", "reply": "{name}Reply", "id": "id", "failed": {"bad": True}}


class Colour(Enum):
    RED = "red"


class Order(msgspec.Struct):
    number: int
    data: bytes = b"\xff"


def hear(dialect: Structured, data: Data) -> Message:
    (message,) = dialect.codec(Meeting()).decode(data)
    return message


@pytest.mark.parametrize(("dialect", "dumps"), [(MessagePack, msgspec.msgpack.encode), (Cbor, cbor2.dumps)])
def test_the_rules_of_json_hold(dialect: type[Structured], dumps: Any) -> None:
    codec = dialect(**RULES).codec(Meeting())
    request = codec.request("get", {"key": b"\x00"})
    assert request.raw == dumps({"type": "get", "data": {"key": b"\x00"}, "id": 1})
    (reply,) = codec.decode(dumps({"type": "getReply", "id": 1, "data": {"bad": True}}))
    assert (reply.name, reply.body, reply.reply_to, reply.is_last, reply.is_failure) == (
        "getReply",
        {"bad": True},
        1,
        True,
        True,
    )
    assert hear(dialect(**RULES), dumps({"data": 1})).name == "unnamed"
    assert hear(dialect(**RULES), dumps([1, b"x"])).body == [1, b"x"]


@pytest.mark.parametrize(("dialect", "dumps"), [(MessagePack, msgspec.msgpack.encode), (Cbor, cbor2.dumps)])
def test_an_id_may_be_bytes(dialect: type[Structured], dumps: Any) -> None:
    codec = dialect(**RULES, new_id=lambda: b"\x00\x01").codec(Meeting())
    request = codec.request("get", None)
    assert (request.asks, request.raw) == (b"\x00\x01", dumps({"type": "get", "data": {}, "id": b"\x00\x01"}))
    (reply,) = codec.decode(dumps({"type": "getReply", "id": b"\x00\x01"}))
    assert reply.reply_to == b"\x00\x01"


@pytest.mark.parametrize("dialect", [MessagePack(), Cbor()])
@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ('{"type": "a"}', "it is text; this notation is binary"),
        (b"", "the frame is empty"),
        (b"\x01\x02", "is this channel's dialect the right one?"),
        (b"\xc1\xff\x00", "is this channel's dialect the right one?"),
        (b"\x82\xa1", "is this channel's dialect the right one?"),
    ],
)
def test_what_is_not_of_the_notation_is_told(dialect: Structured, data: Data, hint: str) -> None:
    with pytest.raises(DialectError, match=f"^not {dialect.notation.name}: ") as told:
        dialect.codec(Meeting()).decode(data)
    assert hint in str(told.value)


def test_deep_data_is_told() -> None:
    with pytest.raises(DialectError, match="it is nested too deeply"):
        MessagePack().codec(Meeting()).decode(b"\x91" * 50_000)
    with pytest.raises(DialectError, match="depth"):
        Cbor().codec(Meeting()).decode(b"\x81" * 50_000)


@pytest.mark.parametrize("dialect", [MessagePack(), Cbor()])
def test_what_cannot_be_written_is_told(dialect: Structured) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for body in (deep, endless, object(), {"x": object()}, "\ud800"):
        with pytest.raises(DialectError, match=f"a cannot be written as {dialect.notation.name}"):
            type(dialect)("type", "data").codec(Meeting()).encode("a", body)
    with pytest.raises(DialectError, match="so it must be an object, not 5"):
        dialect.codec(Meeting()).encode("a", 5)


def test_a_number_too_large_for_messagepack_is_told() -> None:
    with pytest.raises(DialectError, match="a cannot be written as MessagePack: can't serialize ints"):
        MessagePack().codec(Meeting()).encode("a", {"n": 1 << 70})


@pytest.mark.parametrize(
    "body",
    [
        {"at": datetime(2026, 1, 1, tzinfo=UTC), "data": b"\xff"},
        {"price": Decimal("1.5"), "id": UUID(int=5)},
        {"big": 1 << 70},
        {"on": date(2026, 1, 1)},
    ],
)
def test_cbor_has_dates_decimals_and_ids(body: dict[str, Any]) -> None:
    dialect = Cbor("type", "data")
    heard = hear(dialect, dialect.codec(Meeting()).encode("a", body).raw).body
    assert heard.keys() == body.keys()
    assert [str(value) for value in heard.values()][:1] == [str(value) for value in body.values()][:1]


def test_structs_and_enums_are_written_with_their_bytes() -> None:
    for dialect in (MessagePack(), Cbor(), MessagePack("type", "data"), Cbor("type", "data")):
        body = hear(dialect, dialect.codec(Meeting()).encode("a", Order(7)).raw).body
        assert {key: body[key] for key in ("number", "data")} == {"number": 7, "data": b"\xff"}
        body = hear(dialect, dialect.codec(Meeting()).encode("a", {"colour": Colour.RED}).raw).body
        assert body["colour"] == "red"


@pytest.mark.parametrize(
    "data", [b"\xd8\x1c\x81\xd8\x1d\x00", b"\xd8\x1d\x00", b"\xd8\x19\x00", b"\xd9\x01\x00\x81\x61a"]
)
def test_cbor_that_refers_to_itself_is_not_read(data: bytes) -> None:
    with pytest.raises(DialectError, match="not CBOR: "):
        Cbor().codec(Meeting()).decode(data)


def test_what_cbor_would_have_parsed_stays_as_it_is() -> None:
    assert hear(Cbor(), b"\xd8\x23\x63(a+").body == cbor2.CBORTag(35, "(a+")
    assert hear(Cbor(), b"\xd8\x24\x61x").body == cbor2.CBORTag(36, "x")


def test_without_its_library_cbor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _cbor.cache_clear()
    monkeypatch.setitem(sys.modules, "cbor2", None)
    with pytest.raises(ScenarioError, match=r"the dialect Cbor needs cbor2") as told:
        Cbor()
    assert "pip install 'antiphon[cbor]'" in str(told.value)
    _cbor.cache_clear()


# -- arrays -----------------------------------------------------------------------------------------------------------

PHOENIX = Json("[3]", "[4]", reply="{name}_reply", id="[1]", failed={"status": "error"}, envelope={"[2]": "room"})


def test_messages_may_be_arrays() -> None:
    codec = PHOENIX.codec(Meeting())
    request = codec.request("join", {"user": "a"})
    assert request.raw == '[null,1,"room","join",{"user":"a"}]'
    (reply,) = codec.decode('[null,1,"room","join_reply",{"status":"error"}]')
    assert (reply.name, reply.reply_to, reply.is_failure, reply.body) == ("join_reply", 1, True, {"status": "error"})
    assert codec.encode("leave", None).raw == '[null,null,"room","leave",{}]'


@pytest.mark.parametrize(
    ("data", "name", "body"),
    [
        ('["a","b","c","news",5]', "news", 5),
        ('["a","b","c","news"]', "news", {}),
        ('["a","b"]', "unnamed", ["a", "b"]),
        ('["a","b","c",4,5]', "unnamed", 5),
        ('{"[3]":"news"}', "unnamed", {"[3]": "news"}),
        ("[]", "unnamed", []),
    ],
)
def test_an_array_with_less_in_it_is_heard(data: str, name: str, body: Any) -> None:
    message = hear(PHOENIX, data)
    assert (message.name, message.body) == (name, body)


def test_a_path_may_lead_through_an_array() -> None:
    dialect = Json("head[1].type", "body.items[0]", reply="{name}!", id="head[0]")
    codec = dialect.codec(Meeting())
    request = codec.request("get", {"a": 1})
    assert request.raw == '{"head":[1,{"type":"get"}],"body":{"items":[{"a":1}]}}'
    (heard,) = codec.decode(request.raw)
    assert (heard.name, heard.body, heard.asks) == ("get", {"a": 1}, 1)


def test_an_id_may_stand_in_an_array_of_the_body() -> None:
    dialect = Json("type", "data", reply="{name}!", id="data[0]")
    body = [None, "x"]
    request = dialect.codec(Meeting()).request("get", body)
    assert request.raw == '{"type":"get","data":[1,"x"]}'
    assert body == [None, "x"]
    assert dialect.codec(Meeting()).request("get", ["mine"]).asks == "mine"
    with pytest.raises(DialectError, match=r"so it must be an array, not \{'a': 1\}"):
        dialect.codec(Meeting()).request("get", {"a": 1})


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", "[x]", "[1", "a]", "a[1]b", "[-1]", "a.[1]", "[12345]"])
def test_what_is_no_path_is_told(path: str) -> None:
    with pytest.raises(ScenarioError, match="is no path of a field"):
        Json(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "[0]", "body": "data"}, "name, body and id stand in one object, or in one array"),
        ({"name": "type", "id": "[0]"}, "name, body and id stand in one object, or in one array"),
        ({"name": "[0]"}, "where the name is an item of an array, so is the body"),
        ({"name": "[0]", "body": "[1]", "envelope": {"x": 1}}, "the envelope of an array has items, not 'x'"),
        ({"name": "[0][1]", "body": "[0][1].a"}, r"at or below the name, '\[0\]\[1\]'"),
    ],
)
def test_places_that_do_not_fit_together_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        MessagePack(**options)

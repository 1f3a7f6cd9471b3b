"""Protocol Buffers: by oneof and by type, from generated types, both sides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from antiphon import DialectError, Meeting, Protobuf, ScenarioError

desk_pb2 = grpc.protos("desk.proto")


def sides(*kinds: Any, **options: Any) -> tuple[Any, Any]:
    dialect = Protobuf(*(kinds or (desk_pb2.Said, desk_pb2.Heard)), **options)
    return dialect.codec(Meeting("client")), dialect.codec(Meeting("server"))


def test_the_field_of_the_oneof_names_it() -> None:
    client, server = sides()
    said = client.encode("order", {"what": "tea", "many": (1, 2), "kind": "FANCY", "extra": {"a": b"\xff"}})
    assert (
        said.raw
        == desk_pb2.Said(order={"what": "tea", "many": [1, 2], "kind": 1, "extra": {"a": b"\xff"}}).SerializeToString()
    )
    (heard,) = server.decode(said.raw)
    assert heard.name == "order"
    assert heard.body == {"what": "tea", "many": [1, 2], "kind": "FANCY", "extra": {"a": b"\xff"}, "next": []}
    (scalar,) = client.decode(desk_pb2.Heard(note="größer").SerializeToString())
    assert (scalar.name, scalar.body) == ("note", "größer")


def test_what_is_absent_is_not_there() -> None:
    _, server = sides()
    order = {"price": 0.0, "next": [{"what": "milk"}], "instead_of": {}}
    (heard,) = server.decode(desk_pb2.Said(order=order).SerializeToString())
    assert (heard["price"], heard["instead_of"]) == (0.0, {"number": ""})
    assert "price" not in heard["next"][0]
    assert "instead_of" not in heard["next"][0]


def test_a_frame_in_which_no_field_is_set_has_no_name() -> None:
    client, _ = sides()
    (heard,) = client.decode(b"")
    assert (heard.name, heard.body) == ("unnamed", {"request": 0})


def test_an_enum_of_a_later_version_is_its_number() -> None:
    _, server = sides()
    (heard,) = server.decode(desk_pb2.Said(order={"kind": 7}).SerializeToString())
    assert heard["kind"] == 7


def test_ids_beside_the_oneof() -> None:
    client, _ = sides(id="request")
    request = client.request("cancel", {"number": "7"})
    assert request.raw == desk_pb2.Said(request=request.asks, cancel={"number": "7"}).SerializeToString()
    (reply,) = client.decode(desk_pb2.Heard(request=request.asks, cancelled={"number": "7"}).SerializeToString())
    assert (reply.reply_to, reply.is_answer, reply.is_last) == (request.asks, True, True)
    (event,) = client.decode(desk_pb2.Heard(note="by itself").SerializeToString())
    assert event.reply_to is None


def test_a_type_without_a_oneof() -> None:
    client, server = sides(desk_pb2.Cancel, desk_pb2.Cancelled, id="number", new_id=lambda: "n-1")
    request = client.request("Cancel", None)
    assert request.raw == desk_pb2.Cancel(number="n-1").SerializeToString()
    (heard,) = server.decode(request.raw)
    assert (heard.name, heard.body) == ("Cancel", {"number": "n-1"})
    (reply,) = client.decode(desk_pb2.Cancelled(number="n-1", code=3).SerializeToString())
    assert (reply.reply_to, reply["code"]) == ("n-1", 3)
    with pytest.raises(DialectError, match="all that is said here is a Cancel"):
        client.encode("Order", {})


def test_generated_messages_can_be_said() -> None:
    client, _ = sides()
    said = client.encode("cancel", desk_pb2.Cancel(number="7"))
    assert (said.body, said.raw) == ({"number": "7"}, desk_pb2.Said(cancel={"number": "7"}).SerializeToString())
    assert Protobuf(desk_pb2.Said, desk_pb2.Heard).name_of(desk_pb2.Cancel) == "Cancel"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("odd", {}),
        ("order", {"odd": 1}),
        ("order", {"many": "x"}),
        ("order", {"kind": "ODD"}),
        ("note", {}),
        ("order", 5),
    ],
)
def test_what_cannot_be_said(name: str, body: Any) -> None:
    client, _ = sides()
    with pytest.raises(DialectError, match=r"cannot be written as protobuf \(Said, Heard\)"):
        client.encode(name, body)


@pytest.mark.parametrize("data", [b"\xff\xff", "text", b"\x2a\x01\xff"])
def test_what_cannot_be_read(data: Any) -> None:
    _, server = sides()
    with pytest.raises(DialectError, match="not protobuf") as caught:
        server.decode(data)
    assert caught.value.hint == "is each frame a Said, in the other side's version of it?"


def test_what_is_no_generated_type() -> None:
    with pytest.raises(ScenarioError, match="is no type that protoc has generated"):
        Protobuf(dict, desk_pb2.Heard)


def test_one_of_several_oneofs() -> None:
    oneofs = [SimpleNamespace(name="event"), SimpleNamespace(name="other"), SimpleNamespace(name="_price")]
    kind: Any = SimpleNamespace(
        DESCRIPTOR=SimpleNamespace(name="Both", oneofs=oneofs), FromString=None, SerializeToString=None
    )
    with pytest.raises(ScenarioError, match="Both has several oneofs, event, other") as caught:
        Protobuf(kind, desk_pb2.Heard)
    assert caught.value.hint == "oneof='event' says which of them names messages"
    Protobuf(kind, desk_pb2.Heard, oneof="event")


def test_repeated_fields_of_an_older_library() -> None:
    from antiphon.dialect.protobuf import _is_repeated

    assert _is_repeated(SimpleNamespace(label=3, LABEL_REPEATED=3))

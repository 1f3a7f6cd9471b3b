"""The dialect of JSON messages: where names, bodies and ids stand, and which messages are replies."""

from __future__ import annotations

import datetime
import json
from collections import UserDict
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import UNNAMED, Codec, DialectError, ErrorReply, Json, Message, Raw, ScenarioError, Text
from antiphon.dialect.meeting import Meeting

CENTRE: dict[str, Any] = {"name": "action", "body": "data", "reply": "result{Name}", "failed": {"result": "error"}}


def hear(dialect: Json | Codec, text: str | bytes) -> Message:
    codec = dialect.codec(Meeting()) if isinstance(dialect, Json) else dialect
    (message,) = codec.decode(text)
    return message


def said(dialect: Json | Codec, name: str, body: Any) -> Any:
    codec = dialect.codec(Meeting()) if isinstance(dialect, Json) else dialect
    return json.loads(codec.encode(name, body).raw)


# -- names and bodies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "text", "name", "body"),
    [
        (Json(), '{"type": "a", "x": 1}', "a", {"type": "a", "x": 1}),
        (Json("action", "data"), '{"action": "a", "data": {"x": 1}, "more": 2}', "a", {"x": 1}),
        (Json("action", "data"), ' {"data": [1], "action": "a"}\n', "a", [1]),
        (Json("action", "data"), '{"action": "a", "data": null}', "a", None),
        (Json("action", "data"), '{"action": "a"}', "a", {}),
        (Json("action", "data"), '{"data": {"x": 1}}', UNNAMED, {"x": 1}),
        (Json("action", "data"), '{"x": 1}', UNNAMED, {"x": 1}),
        (Json("action", "data"), "[1, 2]", UNNAMED, [1, 2]),
        (Json("action", "data"), '"text"', UNNAMED, "text"),
        (Json("action", "data"), "null", UNNAMED, None),
        (Json("action"), '{"action": 5}', UNNAMED, {"action": 5}),
        (Json("action"), '{"action": null}', UNNAMED, {"action": None}),
        (Json("action"), '{"action": ""}', UNNAMED, {"action": ""}),
        (Json("action"), '{"action": "a", "action": "b"}', "b", {"action": "b"}),
        (Json("h.type", "b.data"), '{"h": {"type": "a"}, "b": {"data": 1}}', "a", 1),
        (Json("h.type", "b.data"), '{"h": {"type": "a"}, "b": []}', "a", {}),
        (Json("h.type", "b.data"), '{"h": "type", "b": 1}', UNNAMED, {"h": "type", "b": 1}),
        (Json("data.type", "data"), '{"data": {"type": "a", "x": 1}}', "a", {"type": "a", "x": 1}),
        (Json("a.b.c.d"), '{"a": {"b": {"c": {"d": "x"}}}}', "x", {"a": {"b": {"c": {"d": "x"}}}}),
    ],
)
def test_where_name_and_body_stand(dialect: Json, text: str, name: str, body: Any) -> None:
    for data in (text, text.encode()):
        message = hear(dialect, data)
        assert (message.name, message.body, message.raw) == (name, body, data)
        assert message.reply_to is message.asks is None


@pytest.mark.parametrize(
    ("dialect", "name", "body", "text"),
    [
        (Json(), "a", {"x": 1}, '{"type":"a","x":1}'),
        (Json(), "a", {}, '{"type":"a"}'),
        (Json(), "a", None, '{"type":"a"}'),
        (Json(), "a", {"type": "b", "x": 1}, '{"type":"a","x":1}'),
        (Json("action", "data"), "a", {"x": None}, '{"action":"a","data":{"x":null}}'),
        (Json("action", "data"), "a", None, '{"action":"a","data":{}}'),
        (Json("action", "data"), "a", [1], '{"action":"a","data":[1]}'),
        (Json("h.type", "b.data"), "a", 1, '{"h":{"type":"a"},"b":{"data":1}}'),
        (Json("data.type", "data"), "a", {"x": 1}, '{"data":{"x":1,"type":"a"}}'),
        (Json("action", "data", envelope={"v": 2}), "a", 1, '{"v":2,"action":"a","data":1}'),
        (Json("h.type", envelope={"h": {"v": 2}}), "a", {"x": 1}, '{"h":{"v":2,"type":"a"},"x":1}'),
        (Json(), "Grüße", {"x": "🙂\n"}, '{"type":"Grüße","x":"🙂\\n"}'),
    ],
)
def test_what_is_sent(dialect: Json, name: str, body: Any, text: str) -> None:
    message = dialect.codec(Meeting()).encode(name, body)
    assert (message.name, message.raw) == (name, text)


def test_what_the_caller_gave_is_left_alone() -> None:
    envelope = {"head": {"v": 1}}
    body = {"meta": {"x": 1}}
    codec = Json("head.type", "data", id="data.meta.id", envelope=envelope).codec(Meeting())

    sent = codec.request("a", body)

    assert json.loads(sent.raw) == {"head": {"v": 1, "type": "a"}, "data": {"meta": {"x": 1, "id": 1}}}
    assert envelope == {"head": {"v": 1}}
    assert body == {"meta": {"x": 1}}
    assert sent.body is body


class Point(msgspec.Struct):
    x: int
    id: int | None = None


def test_bodies_may_be_more_than_json() -> None:
    moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    assert said(Json("a", "b"), "n", Point(1))["b"] == {"x": 1, "id": None}
    assert said(Json(), "n", Point(1)) == {"type": "n", "x": 1, "id": None}
    assert said(Json(), "n", UserDict(x=1)) == {"type": "n", "x": 1}
    assert said(Json(), "n", {"at": moment, "of": UUID(int=1), "in": (1, {2})}) == {
        "type": "n",
        "at": "2026-01-02T00:00:00Z",
        "of": "00000000-0000-0000-0000-000000000001",
        "in": [1, [2]],
    }


# -- what is no JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("", "the frame is empty"),
        (b"", "the frame is empty"),
        ("hello", "the data begins 'hello'"),
        ("\ufeff{}", "byte order mark"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        (r'{"a": "\ud83d"}', "half a surrogate pair"),
        (rb'{"a": "\uD83D x"}', "half a surrogate pair"),
        ('{"a": "\ud83d"}', "surrogates not allowed"),
        (b'{"a": "\xff"}', "invalid start byte"),
        ('{"a": NaN}', "not JSON"),
        ('{"a": 1e400}', "out of range"),
        ('{"a": 1} x', "trailing characters"),
        ('{"a": "' + "x" * 10_000, "the data begins"),
        ("9" * 5_000, "out of range"),
        ("hello", "is this channel's dialect the right one?"),
    ],
)
def test_what_is_no_json_is_said_so(data: str | bytes, text: str) -> None:
    codec = Json().codec(Meeting())
    with pytest.raises(DialectError) as failure:
        codec.decode(data)
    assert text in str(failure.value)
    assert len(str(failure.value)) < 500
    assert hear(codec, '{"type": "a"}').name == "a"


def test_huge_whole_numbers_are_kept() -> None:
    assert (
        hear(Json("n", "b"), '{"n": "a", "b": 123456789012345678901234567890}').body == 123456789012345678901234567890
    )
    assert said(Json("n", "b"), "a", 2**100)["b"] == 2**100


def endless() -> list[Any]:
    body: list[Any] = []
    body.append(body)
    return body


class Priced(msgspec.Struct):
    price: Any


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"x": float("nan")}, "nan is no JSON number"),
        ({"x": [1, (float("-inf"),)], "y": None}, "-inf is no JSON number"),
        ({"x": Decimal("NaN")}, "NaN is no JSON number"),
        ({"x": Decimal("-Infinity")}, "-Infinity is no JSON number"),
        ({"x": Priced(Decimal("sNaN"))}, "sNaN is no JSON number"),
        ({"x": Priced(float("inf"))}, "inf is no JSON number"),
        ({"x": {"y": {Decimal("1.5"): 2}}}, "a Decimal is no name of a field"),
        ({"x": object()}, "object is unsupported"),
        ({"x": "\ud800"}, "surrogates not allowed"),
        ({(1, 2): 3}, "dict"),
        ({"x": endless()}, "recursion"),
        ({"x": 10**5000}, "digits"),
    ],
)
def test_what_json_cannot_hold_is_said_so(body: Any, text: str) -> None:
    for dialect in (Json(), Json("action", "data")):
        with pytest.raises(DialectError, match="n cannot be written as JSON") as failure:
            dialect.codec(Meeting()).encode("n", body)
        assert text in str(failure.value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+400"), "1E+400"),
        (Decimal("123456789012345678901234567890.5"), "123456789012345678901234567890.5"),
        (2**70, "1180591620717411303424"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
    ],
)
def test_a_number_stays_the_number_that_it_is(number: Any, text: str) -> None:
    for dialect in (Json("a"), Json("a", "b"), Json("a", "b", id="b.id")):
        for body in ({"price": number, "at": "12:30 null NaN"}, Priced(number)):
            message = dialect.codec(Meeting()).encode("n", body)
            assert f'"price":{text}' in message.raw


def test_null_is_no_nan() -> None:
    assert said(Json("a", "b"), "n", {"x": None, "y": ["null", None], "z": 1.5})["b"] == {
        "x": None,
        "y": ["null", None],
        "z": 1.5,
    }


@pytest.mark.parametrize("body", [[1], "text", 5])
def test_a_body_without_fields_has_no_room_for_others(body: Any) -> None:
    for dialect in (Json(), Json("data.type", "data")):
        with pytest.raises(DialectError, match="must be an object"):
            dialect.codec(Meeting()).encode("n", body)
    with pytest.raises(DialectError, match="must be an object"):
        Json("type", "data", id="data.id").codec(Meeting()).request("n", body)


# -- replies ----------------------------------------------------------------------------------------------------------


def test_replies_by_name_belong_to_requests_in_their_order() -> None:
    codec = Json(**CENTRE).codec(Meeting())

    request = codec.request("setHold", {"x": 1})
    answer = hear(codec, '{"action":"resultSetHold","data":{"result":"success"}}')
    failure = hear(codec, '{"action":"resultSetHold","data":{"result":"error"}}')
    event = hear(codec, '{"action":"newState","data":{"result":"error"}}')

    assert request.raw == '{"action":"setHold","data":{"x":1}}'
    assert request.asks == answer.reply_to == failure.reply_to == "resultSetHold"
    assert (answer.is_answer, answer.is_last, answer.is_failure) == (True, True, False)
    assert (failure.is_answer, failure.is_last, failure.is_failure) == (True, True, True)
    assert event.reply_to is None
    assert not event.is_answer | event.is_last | event.is_failure


@pytest.mark.parametrize(
    ("template", "request_name", "reply_name", "others"),
    [
        ("result{Name}", "hold", "resultHold", ["resulthold", "result", "aresultHold", "results", "hold"]),
        ("{name}Result", "hold", "holdResult", ["Result", "holdresult", "hold"]),
        ("{name}.ok", "a.b", "a.b.ok", [".ok", "a.b", "ok"]),
        ("re:{name}", "x", "re:x", ["re:", "x"]),
        ("aXa{name}aXa", "b", "aXabaXa", ["aXa", "aXaXa", "aXaaXa"]),
        ("result{Name}", "1st", "result1st", []),
        ("result{Name}", "über", "resultÜber", ["resultüber"]),
    ],
)
def test_templates(template: str, request_name: str, reply_name: str, others: list[str]) -> None:
    codec = Json("n", reply=template).codec(Meeting())
    assert codec.request(request_name, {}).asks == reply_name
    assert hear(codec, json.dumps({"n": reply_name})).reply_to == reply_name
    for other in others:
        assert hear(codec, json.dumps({"n": other})).reply_to is None


def test_the_names_of_a_peer_that_never_repeats_one_are_not_all_remembered() -> None:
    codec = Json("n", reply="{name}!").codec(Meeting())
    for number in range(3_000):
        assert hear(codec, json.dumps({"n": f"{number}!"})).reply_to == f"{number}!"
        assert hear(codec, json.dumps({"n": f"{number}"})).reply_to is None


@pytest.mark.parametrize(
    ("path", "sent", "reply"),
    [
        ("id", '{"n":"a","b":{"x":1},"id":1}', '{"n": "ra", "id": 1}'),
        ("b.id", '{"n":"a","b":{"x":1,"id":1}}', '{"n": "ra", "b": {"id": 1}}'),
        ("b.meta.id", '{"n":"a","b":{"x":1,"meta":{"id":1}}}', '{"n": "ra", "b": {"meta": {"id": 1}}}'),
        ("head.id", '{"n":"a","b":{"x":1},"head":{"id":1}}', '{"n": "ra", "head": {"id": 1}}'),
    ],
)
def test_replies_by_id(path: str, sent: str, reply: str) -> None:
    codec = Json("n", "b", reply="r{name}", id=path).codec(Meeting())

    assert (codec.request("a", {"x": 1}).raw, codec.request("a", {}).asks) == (sent, 2)
    message = hear(codec, reply)
    assert (message.reply_to, message.is_answer, message.is_last) == (1, True, True)


@pytest.mark.parametrize("bad", ["null", "true", "[1]", '{"a": 1}'])
def test_what_is_no_id(bad: str) -> None:
    codec = Json("n", "b", reply="r{name}", id="id").codec(Meeting())
    message = hear(codec, f'{{"n": "ra", "id": {bad}}}')
    assert message.reply_to is message.asks is None
    assert not message.is_answer


def test_ids_of_another_type_do_not_fit() -> None:
    codec = Json("n", id="id").codec(Meeting())
    request = codec.request("a", {})
    assert hear(codec, '{"n": "a", "id": 1}').reply_to == request.asks
    assert hear(codec, '{"n": "a", "id": "1"}').reply_to != request.asks
    assert hear(codec, '{"n": "a", "id": 0}').reply_to == 0


def test_an_id_outside_of_the_named_place_is_none() -> None:
    codec = Json("n", "b", id="b.id").codec(Meeting())
    assert hear(codec, '{"n": "a", "b": [{"id": 1}], "id": 1}').reply_to is None


def test_with_ids_a_reply_without_one_is_nobody_s() -> None:
    assert hear(Json(**CENTRE, id="data.requestID"), '{"action": "resultA", "data": {}}').reply_to is None


def test_without_a_template_what_carries_an_id_is_a_reply() -> None:
    codec = Json("n", "b", id="id", failed={"error": ...}).codec(Meeting())
    request = codec.request("a", {})
    reply = hear(codec, '{"id": 1, "b": {"error": 5}}')
    assert (reply.name, reply.reply_to, reply.is_failure) == (UNNAMED, request.asks, True)
    assert hear(codec, '{"n": "event"}').reply_to is None


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (Json("n", id="ref"), {"ref": "mine", "x": 1}),
        (Json("n", id="ref"), UserDict(ref="mine", x=1)),
        (Json("n", "b", id="b.ref"), {"ref": "mine", "x": 1}),
        (Json("n", "c.b", id="c.b.ref"), {"ref": "mine", "x": 1}),
    ],
)
def test_an_id_that_the_body_holds_already_is_kept(dialect: Json, body: Any) -> None:
    codec = dialect.codec(Meeting())
    request = codec.request("a", body)
    assert request.asks == "mine"
    assert '"ref":"mine"' in str(request.raw)
    assert codec.request("a", {"ref": None}).asks == 1
    assert codec.request("a", {}).asks == 2


def test_an_id_beside_the_body_is_never_that_of_a_field() -> None:
    assert Json("n", "c.b", id="c.ref").codec(Meeting()).request("a", {"ref": "mine"}).asks == 1


def test_ids_go_into_objects_of_any_kind() -> None:
    request = Json("n", "b", id="b.id").codec(Meeting()).request("a", Point(5))
    assert (request.raw, request.asks) == ('{"n":"a","b":{"x":5,"id":1}}', 1)


def test_ids_of_one_s_own() -> None:
    codec = Json("n", id="id", new_id=iter(["a", 2.5, uuid4()]).__next__).codec(Meeting())
    keys = [codec.request("x", {}).asks for _ in range(3)]
    assert keys[:2] == ["a", 2.5]
    assert UUID(str(keys[2]))
    assert isinstance(keys[2], str)


def test_provisional_replies_are_followed_by_others() -> None:
    codec = Json("n", "b", id="id", failed={"code": range(400, 600)}, provisional={"code": range(100, 200)}).codec(
        Meeting()
    )
    trying, ringing, ok, busy = (
        hear(codec, json.dumps({"n": "a", "id": 1, "b": {"code": code}})) for code in (100, 180, 200, 486)
    )
    assert [message.reply_to for message in (trying, ringing, ok, busy)] == [1, 1, 1, 1]
    assert [message.is_last for message in (trying, ringing, ok, busy)] == [False, False, True, True]
    assert [message.is_answer for message in (trying, ringing, ok, busy)] == [False, False, True, True]
    assert [message.is_failure for message in (trying, ringing, ok, busy)] == [False, False, False, True]


def test_provisional_replies_may_be_told_by_their_name() -> None:
    codec = Json("n", "b", reply="{name}Reply", provisional={"code": range(100, 200)}).codec(Meeting())
    request = codec.request("call", {})
    ringing = hear(codec, '{"n": "callReply", "b": {"code": 180}}')
    answered = hear(codec, '{"n": "callReply", "b": {"code": 200}}')
    assert (ringing.reply_to, ringing.is_answer, ringing.is_last) == (request.asks, False, False)
    assert (answered.reply_to, answered.is_answer, answered.is_last) == (request.asks, True, True)


# -- errors that are no replies ---------------------------------------------------------------------------------------


def test_an_error_fails_the_request_that_it_names() -> None:
    codec = Json(**CENTRE, error="error", error_of="action").codec(Meeting())
    request = codec.request("fly", {})
    error = hear(codec, '{"action":"error","data":{"code":404,"action":"fly"}}')
    assert error.reply_to == request.asks == "resultFly"
    assert error.is_answer & error.is_last & error.is_failure


@pytest.mark.parametrize("data", ['{"code": 400}', '{"action": null}', "[]", "null"])
def test_an_error_that_names_no_request_is_an_event(data: str) -> None:
    for dialect in (
        Json(**CENTRE, error="error", error_of="action"),
        Json("action", "data", id="id", error="error", error_of="action"),
    ):
        error = hear(dialect, f'{{"action":"error","data":{data}}}')
        assert error.reply_to is None
        assert not error.is_answer | error.is_last | error.is_failure


def test_with_ids_an_error_fails_the_oldest_open_request_of_its_name() -> None:
    codec = Json(**CENTRE, id="data.id", error="error", error_of="about.action").codec(Meeting())
    codec.request("a", {})
    for _ in range(3):
        codec.request("b", {})
    assert hear(codec, '{"action":"resultB","data":{"id":2,"result":"success"}}').reply_to == 2
    assert hear(codec, '{"action":"error","data":{"about":{"action":"b"}}}').reply_to == 3
    assert hear(codec, '{"action":"error","data":{"about":{"action":"b"},"id":1}}').reply_to == 1
    assert hear(codec, '{"action":"error","data":{"about":{"action":"b"}}}').reply_to == 4
    assert hear(codec, '{"action":"error","data":{"about":{"action":"b"}}}').reply_to is None


def test_without_a_template_an_error_is_found_by_what_was_asked() -> None:
    codec = Json("n", id="id", error="error", error_of="of").codec(Meeting())
    codec.request("a", {})
    assert hear(codec, '{"n":"error","of":"a"}').reply_to == 1


def test_only_so_many_unanswered_requests_are_remembered() -> None:
    codec = Json("n", id="id", error="error", error_of="of").codec(Meeting())
    for number in range(10_001):
        codec.request(f"request {number}", {})
    assert hear(codec, '{"n":"error","of":"request 0"}').reply_to is None
    assert hear(codec, '{"n":"error","of":"request 1"}').reply_to == 2


# -- answering --------------------------------------------------------------------------------------------------------


def test_an_answer_repeats_name_and_id() -> None:
    codec = Json(**CENTRE, id="data.requestID").codec(Meeting())
    request = hear(codec, '{"action": "getState", "data": {"requestID": "x"}}')
    assert (request.asks, request.reply_to) == ("x", None)
    answer = codec.answer(request, {"result": "success"})
    assert json.loads(answer.raw) == {"action": "resultGetState", "data": {"result": "success", "requestID": "x"}}
    assert answer.name == "resultGetState"


def test_an_answer_to_a_request_without_an_id_has_none() -> None:
    codec = Json(**CENTRE, id="data.requestID").codec(Meeting())
    request = hear(codec, '{"action": "getState", "data": {}}')
    assert json.loads(codec.answer(request, None).raw) == {"action": "resultGetState", "data": {}}


def test_without_a_template_an_answer_has_its_request_s_name() -> None:
    codec = Json("n", "b", id="id").codec(Meeting())
    request = hear(codec, '{"n": "sum", "b": [1, 2], "id": 0}')
    assert json.loads(codec.answer(request, 3).raw) == {"n": "sum", "b": 3, "id": 0}


REQUEST = Message("getState", {}, "{}")


@pytest.mark.parametrize(
    ("failed", "refusal", "body"),
    [
        ({"result": "error"}, ErrorReply(404, "gone"), {"code": 404, "message": "gone", "result": "error"}),
        (
            {"result": "error"},
            ErrorReply(404, "gone", id=5),
            {"code": 404, "message": "gone", "id": 5, "result": "error"},
        ),
        ({"ok": False}, ErrorReply("gone", "no"), {"code": "gone", "message": "no", "ok": False}),
        ({"status": {"bad": True}}, ErrorReply(1, "no"), {"code": 1, "message": "no", "status": {"bad": True}}),
        (
            {"status": {"bad": True}},
            ErrorReply(1, "no", status={"why": "x"}),
            {"code": 1, "message": "no", "status": {"why": "x", "bad": True}},
        ),
        ({"error": str}, ErrorReply(1, "no"), {"code": 1, "message": "no", "error": "no"}),
        ({"error": ...}, ErrorReply(1, "no"), {"code": 1, "message": "no", "error": "no"}),
        ({"status": int}, ErrorReply(500, "no"), {"code": 500, "message": "no", "status": 500}),
        ({"result": {"failed", "error"}}, ErrorReply(1, "no"), {"code": 1, "message": "no", "result": "error"}),
        ({"code": range(400, 600)}, ErrorReply(404, "no"), {"code": 404, "message": "no"}),
        (lambda body: body["code"] > 0, ErrorReply(1, "no"), {"code": 1, "message": "no"}),
        (lambda body: body["ok"] is False, ErrorReply(1, "no", ok=False), {"code": 1, "message": "no", "ok": False}),
    ],
)
def test_a_refusal_fits_the_pattern_of_failures(failed: Any, refusal: ErrorReply, body: Any) -> None:
    codec = Json("n", "b", reply="{name}!", failed=failed).codec(Meeting())
    refused = codec.refuse(REQUEST, refusal)
    assert json.loads(refused.raw) == {"n": "getState!", "b": body}
    assert hear(codec, refused.raw).is_failure


@pytest.mark.parametrize(
    ("failed", "refusal"),
    [
        (None, ErrorReply(1, "no")),
        (lambda body: body["ok"] is False, ErrorReply(1, "no")),
        ({"ok": lambda ok: ok is False}, ErrorReply(1, "no")),
        ({"code": 500}, ErrorReply(404, "no")),
        ({"status": {"bad": True}}, ErrorReply(1, "no", status="bad")),
        ({"result": "error"}, ErrorReply(1, "no", result="success")),
    ],
)
def test_a_refusal_that_would_not_be_one_is_said_so(failed: Any, refusal: ErrorReply) -> None:
    codec = Json("n", "b", reply="{name}!", failed=failed).codec(Meeting())
    with pytest.raises(DialectError, match="would not be one") as failure:
        codec.refuse(REQUEST, refusal)
    assert "give the refusal the fields" in str(failure.value)


def test_where_no_reply_fails_a_refusal_is_the_error_message() -> None:
    codec = Json("action", "data", reply="re:{name}", error="error", error_of="about.action").codec(Meeting())
    refused = codec.refuse(REQUEST, ErrorReply(404, "gone", about={"user": "bob"}))
    assert json.loads(refused.raw) == {
        "action": "error",
        "data": {"code": 404, "message": "gone", "about": {"user": "bob", "action": "getState"}},
    }


def test_a_dialect_without_replies_says_so() -> None:
    codec = Json().codec(Meeting())
    with pytest.raises(DialectError, match="cannot be asked"):
        codec.request("a", {})
    with pytest.raises(DialectError, match="cannot answer"):
        codec.answer(REQUEST, {})
    with pytest.raises(DialectError, match="cannot answer"):
        codec.refuse(REQUEST, ErrorReply(1, "no"))


# -- configurations that cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": ""}, "no path of a field"),
        ({"name": "a..b"}, "no path of a field"),
        ({"body": "data."}, "no path of a field"),
        ({"id": ""}, "no path of a field"),
        ({"reply": "result"}, "no template"),
        ({"reply": "{name}{name}"}, "no template"),
        ({"reply": "{NAME}"}, "no template"),
        ({"error": "error"}, "error= and error_of= together"),
        ({"error_of": "action"}, "error= and error_of= together"),
        ({"name": "a", "body": "a"}, "at or below the name, 'a'"),
        ({"name": "a", "body": "a.b"}, "at or below the name, 'a'"),
        ({"name": "a", "id": "a"}, "at or below the name, 'a'"),
        ({"name": "a.b", "id": "a"}, "at or below the id, 'a'"),
        ({"name": "n", "body": "b.c", "id": "b"}, "at or below the id, 'b'"),
        ({"failed": {"ok": False}}, "which messages are replies is not said"),
        ({"provisional": {"ok": False}}, "which messages are replies is not said"),
        ({"error": "error", "error_of": "of"}, "which messages are replies is not said"),
    ],
)
def test_configurations_that_cannot_be(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ScenarioError, match=text):
        Json(**options)


# -- properties -------------------------------------------------------------------------------------------------------

BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(min_size=1, max_size=8), BODIES)
def test_what_is_said_is_heard(name: str, body: Any) -> None:
    message = hear(Json("action", "data"), Json("action", "data").codec(Meeting()).encode(name, body).raw)
    assert (message.name, message.body) == (name, {} if body is None else body)


@given(st.binary(max_size=30) | st.text(max_size=30) | BODIES.map(json.dumps))
def test_whatever_comes_is_a_message_or_a_dialect_error(data: str | bytes) -> None:
    codec = Json("a", "b.c", reply="{name}!", id="b.i", failed={"x": 1}, error="e", error_of="b").codec(Meeting())
    try:
        (message,) = codec.decode(data)
    except DialectError:
        return
    assert message.raw is data
    assert message.name


# -- one field each for the name and the body: read in one pass -------------------------------------------------------

NAMES = st.sampled_from(["call", "resultCall", "result", "resultx", "", "état"]) | st.text(max_size=6)
ENVELOPED = {"name": "action", "body": "data", "reply": "result{Name}", "failed": {"result": "error"}}
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "action": NAMES | st.none() | st.integers() | st.booleans() | st.lists(st.integers(), max_size=1),
        "data": BODIES | st.fixed_dictionaries({"result": st.sampled_from(["error", "success"])}),
        "id": st.integers(),
    },
)


def seen_as(codec: Codec, data: str) -> Any:
    """All that a codec makes of the data, or that it cannot."""
    try:
        return [msgspec.structs.astuple(message) for message in codec.decode(data)]
    except DialectError as error:
        return str(error)


@given(FIELDS.map(json.dumps) | BODIES.map(json.dumps) | st.text(max_size=10))
def test_in_one_pass_it_is_read_as_by_the_way_that_knows_all_options(data: str) -> None:
    # A pattern that fits nothing changes no message, but has the dialect look at every option.
    general = Json(**ENVELOPED, provisional={"no": "such", "body": "is"})  # type: ignore[arg-type]
    assert seen_as(Json(**ENVELOPED).codec(Meeting()), data) == seen_as(general.codec(Meeting()), data)  # type: ignore[arg-type]


@given(NAMES, BODIES | st.none())
def test_in_one_pass_it_is_written_as_by_the_way_that_knows_all_options(name: str, body: Any) -> None:
    general = Json(**ENVELOPED, provisional={"no": "such", "body": "is"})  # type: ignore[arg-type]
    made = [dialect.codec(Meeting()).request(name, body) for dialect in (Json(**ENVELOPED), general)]  # type: ignore[arg-type]
    assert msgspec.structs.astuple(made[0]) == msgspec.structs.astuple(made[1])


@given(FIELDS.map(json.dumps) | BODIES.map(json.dumps) | st.text(max_size=10))
def test_a_codec_that_says_so_gives_nothing_but_messages(data: str) -> None:
    """Then no channel looks at what it gives."""
    enveloped = Json(**ENVELOPED)  # type: ignore[arg-type]
    for codec in (
        enveloped.codec(Meeting()),
        Json("action", id="id").codec(Meeting()),
        Text().codec(Meeting()),
        Raw().codec(Meeting()),
    ):
        assert codec.gives_messages
        try:
            given_ = codec.decode(data)
        except DialectError:
            continue
        assert type(given_) is tuple
        assert [type(each) for each in given_] == [Message]


def test_a_peer_that_invents_names_fills_no_memory() -> None:
    codec = Json(**ENVELOPED).codec(Meeting())  # type: ignore[arg-type]
    for number in range(2_000):
        (message,) = codec.decode(json.dumps({"action": f"resultName{number}", "data": {}}))
        assert message.is_last
    assert 0 < len(codec._is_reply.__self__) <= 1_024  # type: ignore[attr-defined]


def test_a_request_in_an_envelope_that_cannot_be_written_is_told() -> None:
    codec = Json(**ENVELOPED).codec(Meeting())  # type: ignore[arg-type]
    with pytest.raises(DialectError, match="newCall cannot be written as JSON"):
        codec.request("newCall", object())

"""The dialect of JSON-RPC 2.0; sections are those of https://www.jsonrpc.org/specification."""

from __future__ import annotations

import datetime
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import UNNAMED, UNREADABLE, Codec, DialectError, ErrorReply, JsonRpc, Message
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Unreadable
from antiphon.conversation.waits import Exchange, MessageWait
from antiphon.dialect.meeting import Meeting


@pytest.fixture
def codec() -> Codec:
    return JsonRpc().codec(Meeting())


def hear(codec: Codec, text: str | bytes) -> Message:
    (message,) = codec.decode(text)
    return message


def rpc(**members: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", **members})


# -- what we say (section 4) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ({"uri": "x"}, ',"params":{"uri":"x"}'),
        ([1, None], ',"params":[1,null]'),
        ((1, 2), ',"params":[1,2]'),
        ({}, ',"params":{}'),
        ([], ',"params":[]'),
        (None, ""),
    ],
)
def test_a_body_is_the_params(codec: Codec, body: Any, params: str) -> None:
    assert codec.encode("exit", body).raw == f'{{"jsonrpc":"2.0","method":"exit"{params}}}'
    assert codec.request("exit", body).raw == f'{{"jsonrpc":"2.0","method":"exit"{params},"id":1}}'


class Place(msgspec.Struct):
    line: int


def test_params_may_be_any_object(codec: Codec) -> None:
    assert json.loads(codec.encode("go", Place(1)).raw)["params"] == {"line": 1}
    assert json.loads(codec.encode("go", {1, 2}).raw)["params"] == [1, 2]
    assert '"params":{"line":0.10}' in codec.encode("go", Place(Decimal("0.10"))).raw  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", ["text", 5, True, datetime.date(2026, 1, 1), object(), {"x": float("nan")}, {"x": "\ud800"}]
)
def test_params_are_an_object_or_an_array(codec: Codec, body: Any) -> None:
    for say in (codec.encode, codec.request):
        with pytest.raises(DialectError, match="go cannot be written as JSON"):
            say("go", body)


def test_ids_count_from_1_on_each_connection() -> None:
    dialect = JsonRpc()
    one, other = dialect.codec(Meeting()), dialect.codec(Meeting())
    assert [one.request("a", None).asks for _ in range(3)] == [1, 2, 3]
    assert other.request("a", None).asks == 1


def test_a_notification_has_no_id(codec: Codec) -> None:
    sent = codec.encode("exit", None)
    assert (sent.name, sent.asks, sent.frames) == ("exit", None, None)
    assert "id" not in json.loads(sent.raw)


# -- calls that come in (section 4) -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["1", "0", '"abc"', '""', "2.5", "-7"])
def test_a_request_of_the_peer(codec: Codec, key: str) -> None:
    request = hear(codec, f'{{"jsonrpc": "2.0", "method": "ask/me", "params": [1], "id": {key}}}')
    assert (request.name, request.body, request.asks) == ("ask/me", [1], json.loads(key))
    assert request.is_request
    assert request.reply_to is None
    assert codec.answer(request, True).raw == f'{{"jsonrpc":"2.0","result":true,"id":{key}}}'


def test_null_is_an_id_though_a_discouraged_one(codec: Codec) -> None:
    request = hear(codec, rpc(method="a", id=None))
    assert request.is_request
    assert request.asks is None
    assert codec.answer(request, 1).raw == '{"jsonrpc":"2.0","result":1,"id":null}'


def test_a_notification_of_the_peer(codec: Codec) -> None:
    event = hear(codec, rpc(method="$/progress", params={"token": 1}))
    assert (event.name, event.body, event.asks, event.is_request) == ("$/progress", {"token": 1}, None, False)


@pytest.mark.parametrize("text", [rpc(method="a"), rpc(method="a", params=None)])
def test_a_call_without_params(codec: Codec, text: str) -> None:
    assert hear(codec, text).body is None


def test_a_call_with_an_empty_name(codec: Codec) -> None:
    assert hear(codec, rpc(method="", id=1)).name == UNNAMED


def test_a_request_with_the_id_of_ours_is_no_reply(codec: Codec) -> None:
    mailbox = Mailbox()
    ours = Exchange(codec.request("ours", None), made_ns=0, deadline_ns=None)
    theirs = MessageWait("theirs", made_ns=0, deadline_ns=None)
    mailbox.expect_reply(ours)
    mailbox.expect(theirs)

    mailbox.deliver(hear(codec, rpc(method="theirs", id=1)), 1)
    assert not theirs.is_pending
    assert theirs.error is None
    assert ours.is_pending

    mailbox.deliver(hear(codec, rpc(result="done", id=1)), 2)
    assert not ours.is_pending
    assert ours.error is None
    assert ours.message is not None
    assert ours.message.body == "done"


# -- replies that come in (section 5) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [{"a": 1}, [1], 5, 0, "text", "", True, False, None])
def test_a_result_is_a_body_whatever_it_is(codec: Codec, result: Any) -> None:
    request = codec.request("initialize", {})
    reply = hear(codec, rpc(result=result, id=1))
    assert (reply.name, reply.body, reply.reply_to) == ("initialize.result", result, request.asks)
    assert (reply.is_answer, reply.is_last, reply.is_failure, reply.is_request) == (True, True, False, False)


def test_an_error_is_a_failure(codec: Codec) -> None:
    codec.request("initialize", {})
    error = {"code": -32601, "message": "Method not found", "data": [1]}
    reply = hear(codec, rpc(error=error, id=1))
    assert (reply.name, reply.body, reply.reply_to) == ("initialize.error", error, 1)
    assert (reply.is_answer, reply.is_last, reply.is_failure) == (True, True, True)


def test_replies_are_named_after_their_requests_in_any_order(codec: Codec) -> None:
    for name in ("a", "b", "c"):
        codec.request(name, None)
    texts = [rpc(result=1, id=3), rpc(error={}, id=1), rpc(result=1, id=2)]
    assert [hear(codec, text).name for text in texts] == ["c.result", "a.error", "b.result"]


@pytest.mark.parametrize("key", [7, "1", 1.5, "x"])
def test_a_reply_to_nothing_that_was_asked(codec: Codec, key: Any) -> None:
    codec.request("a", None)
    result, error = hear(codec, rpc(result=1, id=key)), hear(codec, rpc(error={}, id=key))
    assert (result.name, result.reply_to, error.name, error.reply_to) == ("result", key, "error", key)
    assert hear(codec, rpc(result=1, id=1)).name == "a.result"


def test_a_second_reply_is_one_to_nothing(codec: Codec) -> None:
    codec.request("a", None)
    assert [hear(codec, rpc(result=1, id=1)).name for _ in range(2)] == ["a.result", "result"]


def test_an_error_without_an_id_is_an_event(codec: Codec) -> None:
    codec.request("a", None)
    error = hear(codec, rpc(error={"code": -32700, "message": "Parse error"}, id=None))
    assert (error.name, error.reply_to, error.body["code"]) == ("error", None, -32700)
    assert not error.is_answer | error.is_last
    assert error.is_failure


def test_only_so_many_unanswered_requests_are_remembered(codec: Codec) -> None:
    for number in range(10_001):
        codec.request(f"request{number}", None)
    assert hear(codec, rpc(result=1, id=1)).name == "result"
    assert hear(codec, rpc(result=1, id=2)).name == "request1.result"


# -- what is no JSON-RPC ----------------------------------------------------------------------------------------------

INVALID = [
    ("{}", 'no "jsonrpc"'),
    ('{"method": "a"}', 'there is no "jsonrpc" where "2.0" must be'),
    ('{"jsonrpc": "1.0", "method": "a"}', "\"jsonrpc\" is '1.0'"),
    ('{"jsonrpc": 2.0, "method": "a"}', '"jsonrpc" is 2.0'),
    ("5", "a message is an object"),
    ("null", "a message is an object"),
    ("[]", "an empty batch"),
    (rpc(), "neither method, result nor error"),
    (rpc(id=1), "neither method, result nor error"),
    (rpc(id=1, result=1, error={}), "result and error at once"),
    (rpc(id=1, result=1, error=None), "result and error at once"),
    (rpc(result=1), "a reply without an id"),
    (rpc(error={}), "a reply without an id"),
    (rpc(method=5), "a method's name is a string"),
    (rpc(method=None, id=1), "a method's name is a string"),
    (rpc(method="a", params=5), "params are an object or an array"),
    (rpc(method="a", params="x", id=1), "params are an object or an array"),
    (rpc(method="a", id=True), "an id is a string, a number or null"),
    (rpc(method="a", id=[1]), "an id is a string, a number or null"),
    (rpc(result=1, id={}), "an id is a string, a number or null"),
]


@pytest.mark.parametrize(
    ("text", "reason"), [*INVALID, ("{", "not JSON"), ("", "not JSON"), ("[" * 50_000, "not JSON")]
)
def test_what_is_no_json_rpc_is_said_so(codec: Codec, text: str, reason: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(DialectError) as failure:
            codec.decode(data)
        assert reason in str(failure.value)
    assert list(codec.owed()) == []
    assert hear(codec, rpc(method="a")).name == "a"


def test_the_hint_says_how_to_take_it_all_the_same(codec: Codec) -> None:
    with pytest.raises(DialectError) as failure:
        codec.decode('{"method": "a"}')
    assert "JsonRpc(is_strict=False)" in str(failure.value)


@pytest.mark.parametrize(
    ("text", "name", "body"),
    [
        ('{"method": "a"}', "a", None),
        ('{"jsonrpc": "1.0", "method": "a", "params": 5}', "a", 5),
        ('{"id": 7, "result": 1, "error": null}', "result", 1),
        ('{"id": 7, "result": null, "error": {"code": 1}}', "error", {"code": 1}),
        ('{"id": 7, "result": null, "error": null}', "result", None),
        ('{"id": 7, "error": null}', "error", None),
        ('{"result": 1}', "result", 1),
    ],
)
def test_a_lenient_dialect_takes_more(text: str, name: str, body: Any) -> None:
    message = hear(JsonRpc(is_strict=False).codec(Meeting()), text)
    assert (message.name, message.body) == (name, body)


def test_a_lenient_dialect_says_what_it_should() -> None:
    assert JsonRpc(is_strict=False).codec(Meeting()).encode("a", None).raw == '{"jsonrpc":"2.0","method":"a"}'
    with pytest.raises(DialectError):
        JsonRpc(is_strict=False).codec(Meeting()).decode("5")


def test_without_a_version_it_is_json_rpc_1() -> None:
    codec = JsonRpc(version=None).codec(Meeting())
    assert codec.request("a", [1]).raw == '{"method":"a","params":[1],"id":1}'
    reply = hear(codec, '{"id": 1, "result": 5, "error": null}')
    assert (reply.name, reply.body, reply.is_failure) == ("a.result", 5, False)
    notification, request = (
        hear(codec, '{"method": "b", "params": [], "id": null}'),
        hear(codec, '{"method": "b", "id": 5}'),
    )
    assert not notification.is_request
    assert request.is_request
    assert codec.answer(request, 1).raw == '{"result":1,"id":5}'


# -- answers of ours (section 5) --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (ErrorReply(-32602, "Invalid params"), {"code": -32602, "message": "Invalid params"}),
        (ErrorReply(1, "no", why="x", at=[1]), {"code": 1, "message": "no", "data": {"why": "x", "at": [1]}}),
    ],
)
def test_a_refusal_is_an_error(codec: Codec, refusal: ErrorReply, error: Any) -> None:
    request = hear(codec, rpc(method="a", id="x"))
    refused = codec.refuse(request, refusal)
    assert json.loads(refused.raw) == {"jsonrpc": "2.0", "error": error, "id": "x"}
    assert (refused.name, refused.body) == ("a.error", error)


@pytest.mark.parametrize("code", ["not-found", True, 1.5])
def test_codes_are_whole_numbers(codec: Codec, code: Any) -> None:
    with pytest.raises(DialectError, match="integers"):
        codec.refuse(hear(codec, rpc(method="a", id=1)), ErrorReply(code, "no"))


def test_none_is_answered_with_null(codec: Codec) -> None:
    answer = codec.answer(hear(codec, rpc(method="shutdown", id=1)), None)
    assert (answer.name, answer.raw) == ("shutdown.result", '{"jsonrpc":"2.0","result":null,"id":1}')


def test_what_json_cannot_hold_is_said_so(codec: Codec) -> None:
    with pytest.raises(DialectError, match=r"a\.result cannot be written as JSON"):
        codec.answer(hear(codec, rpc(method="a", id=1)), object())


def test_a_notification_has_no_answer(codec: Codec) -> None:
    event = hear(codec, rpc(method="a"))
    with pytest.raises(DialectError, match="notification has no answer"):
        codec.answer(event, 1)
    with pytest.raises(DialectError, match="notification has no answer"):
        codec.refuse(event, ErrorReply(1, "no"))


# -- batches (section 6) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, str.encode])
def test_a_batch_comes_as_its_members_each_with_its_own_data(codec: Codec, kind: Any) -> None:
    codec.request("sum", [1])
    members = [
        '{"jsonrpc": "2.0",  "method": "tick"}',
        '{"jsonrpc":"2.0","result":1e2,"id":1}',
        '{ "id":5, "jsonrpc":"2.0", "method":"Grüße\\u0021", "params":{} }',
    ]
    messages = codec.decode(kind(f" [ {members[0]} ,{members[1]}\n,{members[2]}]\n"))
    assert [message.name for message in messages] == ["tick", "sum.result", "Grüße!"]
    assert [message.raw for message in messages] == list(map(kind, members))
    assert [message.is_request for message in messages] == [False, False, True]
    assert [message.reply_to for message in messages] == [None, 1, None]


def test_answers_to_a_batch_go_out_together(codec: Codec) -> None:
    batch = [rpc(method="a", id=1), rpc(method="note"), rpc(method="b", id="1"), rpc(method="c", id=None)]
    a, note, b, c = codec.decode(f"[{','.join(batch)}]")

    second = codec.answer(b, 2)
    third = codec.refuse(c, ErrorReply(3, "no"))
    assert (second.frames, third.frames) == ((), ())
    assert json.loads(second.raw) == {"jsonrpc": "2.0", "result": 2, "id": "1"}

    first = codec.answer(a, 1)
    assert first.frames is not None
    assert [json.loads(frame) for frame in first.frames] == [
        [
            {"jsonrpc": "2.0", "result": 1, "id": 1},
            {"jsonrpc": "2.0", "result": 2, "id": "1"},
            {"jsonrpc": "2.0", "error": {"code": 3, "message": "no"}, "id": None},
        ]
    ]
    with pytest.raises(DialectError, match="notification"):
        codec.answer(note, 1)


def test_batches_and_requests_do_not_mix_up_their_answers(codec: Codec) -> None:
    single = hear(codec, rpc(method="a", id=1))
    one = codec.decode(f"[{rpc(method='a', id=1)}]")[0]
    two, three = codec.decode(f"[{rpc(method='a', id=1)},{rpc(method='a', id=1)}]")
    assert codec.answer(three, 3).frames == ()
    assert codec.answer(single, 0).frames is None
    assert codec.answer(one, 1).frames == ('[{"jsonrpc":"2.0","result":1,"id":1}]',)
    (frame,) = codec.answer(two, 2).frames or ()
    assert [answer["result"] for answer in json.loads(frame)] == [2, 3]


def test_a_request_of_a_batch_is_answered_once(codec: Codec) -> None:
    first, _ = codec.decode(f"[{rpc(method='a', id=1)},{rpc(method='b', id=2)}]")
    codec.answer(first, 1)
    with pytest.raises(DialectError, match="a has been answered already"):
        codec.answer(first, 1)


def test_an_answer_that_cannot_be_written_can_be_given_again(codec: Codec) -> None:
    (request,) = codec.decode(f"[{rpc(method='a', id=1)}]")
    with pytest.raises(DialectError):
        codec.answer(request, object())
    assert codec.answer(request, 1).frames


@pytest.mark.parametrize("text", [text for text, _ in INVALID])
def test_a_bad_member_of_a_batch_does_not_hide_the_others(codec: Codec, text: str) -> None:
    good = rpc(method="a", id=1)
    before, bad, after = codec.decode(f"[{good}, {text}, {good}]")
    assert (bad.name, bad.body, bad.raw) == (UNREADABLE, text, text)
    assert isinstance(bad, Unreadable)
    assert isinstance(bad.trouble, DialectError)
    assert (before.name, after.name) == ("a", "a")
    assert codec.answer(before, 1).frames == ()
    (frame,) = codec.answer(after, 2).frames or ()
    assert len(json.loads(frame)) == 2


def test_a_bundle_is_one_array(codec: Codec) -> None:
    messages = [codec.request("sum", [1, 2]), codec.encode("tick", None)]
    (frame,) = codec.bundle(messages)
    assert json.loads(frame) == [json.loads(message.raw) for message in messages]
    assert len(JsonRpc().codec(Meeting()).decode(frame)) == 2


def test_answers_to_a_batch_are_not_bundled_into_another(codec: Codec) -> None:
    first, last = codec.decode(f"[{rpc(method='a', id=1)},{rpc(method='b', id=2)}]")
    waiting, complete, event = codec.answer(first, 1), codec.answer(last, 2), codec.encode("tick", None)
    assert codec.bundle([waiting]) == []
    assert list(codec.bundle([waiting, event, complete])) == [f"[{event.raw}]", *(complete.frames or ())]


# -- being a server (section 5.1) -------------------------------------------------------------------------------------


def owed(text: str) -> list[Any]:
    codec = JsonRpc(is_server=True).codec(Meeting())
    with suppress(DialectError):
        codec.decode(text)
    answers = [json.loads(data) for data in codec.owed()]
    assert list(codec.owed()) == []
    return answers


PARSE_ERROR = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}
INVALID_REQUEST = {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": None}


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', [PARSE_ERROR]),
        ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', [INVALID_REQUEST]),
        (
            '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]',
            [PARSE_ERROR],
        ),
        ("[]", [INVALID_REQUEST]),
        ("[1]", [[INVALID_REQUEST]]),
        ("[1,2,3]", [[INVALID_REQUEST] * 3]),
        (rpc(method="a"), []),
        (rpc(method="a", id=1), []),
        (f"[{rpc(method='a')}]", []),
    ],
)
def test_a_server_answers_what_it_cannot_read(text: str, answers: list[Any]) -> None:
    """The examples of section 7."""
    assert owed(text) == answers


def test_a_server_s_answers_to_a_batch_hold_the_errors_too() -> None:
    codec = JsonRpc(is_server=True).codec(Meeting())
    request, bad = codec.decode(f'[{rpc(method="a", id=1)}, {{"foo": "boo"}}]')
    assert bad.name == UNREADABLE
    assert list(codec.owed()) == []
    (frame,) = codec.answer(request, 1).frames or ()
    assert json.loads(frame) == [{"jsonrpc": "2.0", "result": 1, "id": 1}, INVALID_REQUEST]


# -- properties -------------------------------------------------------------------------------------------------------

VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.sampled_from(["2.0", "2.0", "2.0", "1.0", 2]),
        "method": st.text(max_size=3) | VALUES,
        "params": st.dictionaries(st.text(max_size=3), VALUES, max_size=2) | VALUES,
        "result": VALUES,
        "error": st.fixed_dictionaries({"code": st.integers(), "message": st.text(max_size=3)}) | VALUES,
        "id": VALUES,
    },
)


@given(MEMBERS | st.lists(MEMBERS | VALUES, max_size=4) | VALUES, st.booleans(), st.booleans())
def test_whatever_comes_is_messages_or_a_dialect_error(document: Any, is_strict: bool, is_server: bool) -> None:
    codec = JsonRpc(is_strict=is_strict, is_server=is_server).codec(Meeting())
    asked = codec.request("ours", None)
    try:
        messages = codec.decode(json.dumps(document))
    except DialectError:
        assert len(codec.owed()) == is_server
        return
    assert len(messages) == (len(document) if isinstance(document, list) else 1)
    assert all(message.name for message in messages)
    assert all(message.reply_to is None for message in messages if message.is_request)
    frames = [codec.answer(message, None).frames for message in messages if message.is_request]
    if isinstance(document, list) and frames:
        assert frames[:-1] == [()] * (len(frames) - 1)
        assert len(frames[-1] or ()) == 1
    assert codec.request("ours", None).asks == asked.asks + 1  # type: ignore[operator]

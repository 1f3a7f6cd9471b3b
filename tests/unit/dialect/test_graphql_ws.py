"""GraphQL over WebSocket, either side; sections are those of PROTOCOL.md of graphql-ws."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from antiphon import Codec, DialectError, ErrorReply, GraphqlWs, Message, ScenarioError, User, Withdrawal
from antiphon.dialect.meeting import Meeting
from antiphon.testing.speech import data_owed


def client(dialect: GraphqlWs | None = None, **options: Any) -> Codec:
    return (dialect or GraphqlWs()).codec(Meeting("client", **options))


def server(dialect: GraphqlWs | None = None, *, is_open: bool = True) -> Codec:
    codec = (dialect or GraphqlWs()).codec(Meeting("server"))
    if is_open:
        hear(codec, type="connection_init")
        assert said(codec) == [{"type": "connection_ack"}]
    return codec


def hear(codec: Codec, **document: Any) -> Message:
    (message,) = codec.decode(json.dumps(document))
    return message


def said(codec: Codec) -> list[Any]:
    return [json.loads(data) for data in data_owed(codec.owed())]


def subscribe(codec: Codec, key: str = "a", **payload: Any) -> Message:
    return hear(codec, id=key, type="subscribe", payload={"query": "{ hello }", **payload})


# -- the opening ------------------------------------------------------------------------------------------------------


def test_a_client_offers_the_subprotocol_once() -> None:
    meeting = Meeting("client", subprotocols=["other"])
    GraphqlWs().codec(meeting)
    GraphqlWs().codec(meeting)
    assert meeting.subprotocols == ["other", "graphql-transport-ws"]


def test_what_a_client_begins_with_is_its_own() -> None:
    payload = {"authorization": "Bearer {token}", "who": ["{user.name}", 7, ("x",)], "deep": {"a": None}}
    codec = client(GraphqlWs(payload), fields={"token": "t-1"}, user=User(name="alice", password="x"))
    (opening,) = map(json.loads, data_owed(codec.opening()))
    filled = {"authorization": "Bearer t-1", "who": ["alice", 7, ["x"]], "deep": {"a": None}}
    assert opening == {"type": "connection_init", "payload": filled}
    assert data_owed(client().opening()) == ['{"type":"connection_init"}']


def test_subscriptions_are_said_again_if_that_is_asked_for() -> None:
    dialect = GraphqlWs(resubscribes=True)
    first = client(dialect)
    hear(first, type="connection_ack")
    ticks, news, other, left = (
        first.request("subscribe", {"query": query, "variables": {"n": 1}})
        for query in ("subscription { ticks }", "subscription { news }", "{ hello }", "subscription { left }")
    )
    assert [first.resumes(each) for each in (ticks, news, other, left)] == [True, True, False, True]
    second = client(dialect, previous=first, unanswered=[ticks, news, left])
    assert data_owed(second.cancel(left)) == []
    hear(second, type="connection_ack")
    assert said(second) == [json.loads(ticks.raw), json.loads(news.raw)]
    assert second.resumes(ticks)
    assert hear(second, id="1", type="next", payload={"data": {}}).reply_to == ticks.asks == "1"
    assert second.request("subscribe", {"query": "{ a }"}).asks == "5"
    assert [json.loads(each) for each in data_owed(second.cancel(ticks))] == [{"id": "1", "type": "complete"}]


def test_nothing_is_said_again_unless_that_is_asked_for() -> None:
    codec = client()
    assert not codec.resumes(codec.request("subscribe", {"query": "subscription { ticks }"}))


def test_a_client_is_ready_when_it_is_acknowledged() -> None:
    codec = client()
    assert not codec.is_ready
    message = hear(codec, type="connection_ack", payload={"v": 1})
    assert (message.name, message.body, message.is_protocol) == ("connection_ack", {"v": 1}, True)
    assert codec.is_ready


@pytest.mark.parametrize(("admitted", "acknowledged"), [(True, None), ({"id": 7}, {"id": 7}), ({}, {})])
def test_a_server_admits(admitted: Any, acknowledged: Any) -> None:
    codec = server(GraphqlWs(admit=lambda payload: admitted if payload == {"token": "x"} else False), is_open=False)
    assert not codec.is_ready
    hear(codec, type="connection_init", payload={"token": "x"})
    assert codec.is_ready
    details = {"payload": acknowledged} if acknowledged is not None else {}
    assert said(codec) == [{"type": "connection_ack", **details}]


@pytest.mark.parametrize("admitted", [False, None, 0])
def test_a_server_that_does_not_admit_closes(admitted: Any) -> None:
    codec = server(GraphqlWs(admit=lambda _: admitted), is_open=False)
    assert hear(codec, type="connection_init", payload=None).is_protocol
    hear(codec, type="connection_init")
    assert not codec.is_ready
    assert said(codec) == []
    assert codec.ending is not None
    assert (codec.ending.code, codec.ending.reason, codec.ending.by) == (4403, "Forbidden", "us")


def test_nobody_waits_for_whoever_admits() -> None:
    async def admit(_payload: Any) -> bool:
        return False

    with pytest.raises(ScenarioError, match="admit= of GraphqlWs is called, and not awaited"):
        GraphqlWs(admit=admit)


def test_a_second_opening_ends_it() -> None:
    codec = server()
    hear(codec, type="connection_init")
    assert codec.ending is not None
    assert (codec.ending.code, codec.ending.reason) == (4429, "Too many initialisation requests")
    assert not subscribe(codec).is_request


def test_an_operation_before_the_opening_ends_it() -> None:
    codec = server(is_open=False)
    message = subscribe(codec)
    assert (message.is_request, message.is_protocol, message.asks) == (False, True, None)
    assert codec.ending is not None
    assert (codec.ending.code, codec.ending.reason) == (4401, "Unauthorized")


# -- operations -------------------------------------------------------------------------------------------------------


class Query(msgspec.Struct):
    query: str


def test_an_operation_has_an_id_of_its_own() -> None:
    codec = client()
    one, two = (
        codec.request("subscribe", {"query": "{ a }", "variables": {"x": 1}}),
        codec.request("subscribe", Query("b")),
    )
    assert json.loads(one.raw) == {"id": "1", "type": "subscribe", "payload": {"query": "{ a }", "variables": {"x": 1}}}
    assert json.loads(two.raw) == {"id": "2", "type": "subscribe", "payload": {"query": "b"}}
    assert (one.asks, two.asks) == ("1", "2")


def test_a_client_hears_results() -> None:
    codec = client()
    result = hear(codec, id="1", type="next", payload={"data": {"a": 1}})
    assert (result.name, result.body, result.reply_to) == ("next", {"data": {"a": 1}}, "1")
    assert (result.is_answer, result.is_last, result.is_failure, result.is_protocol) == (True, False, False, False)
    failed = hear(codec, id="1", type="error", payload=[{"message": "no"}])
    assert (failed.body, failed.reply_to) == ([{"message": "no"}], "1")
    assert (failed.is_answer, failed.is_last, failed.is_failure) == (True, True, True)
    over = hear(codec, id="2", type="complete")
    assert (over.body, over.reply_to, over.is_answer, over.is_last) == (None, "2", False, True)


def test_what_comes_for_an_operation_that_was_left_is_ignored() -> None:
    codec = client()
    request = codec.request("subscribe", {"query": "a"})
    assert [json.loads(data) for data in data_owed(codec.cancel(request))] == [{"id": "1", "type": "complete"}]
    assert hear(codec, id="1", type="next", payload={}).is_protocol
    assert hear(codec, id="1", type="complete").is_protocol
    assert not hear(codec, id="2", type="next", payload={}).is_protocol


def test_of_operations_that_were_left_the_latest_are_remembered() -> None:
    codec = client()
    for _ in range(10_001):
        list(codec.cancel(codec.request("subscribe", {"query": "a"})))
    assert not hear(codec, id="1", type="next", payload={}).is_protocol
    assert hear(codec, id="2", type="next", payload={}).is_protocol


def test_a_server_hears_an_operation() -> None:
    codec = server()
    request = subscribe(codec, variables=None, operationName="x", extensions={"e": 1})
    assert (request.name, request.asks, request.is_request) == ("subscribe", "a", True)
    assert request["operationName"] == "x"


def test_of_operations_without_an_end_the_latest_are_remembered() -> None:
    codec = server()
    for number in range(10_001):
        subscribe(codec, str(number))
    assert subscribe(codec, "0").is_request
    assert not subscribe(codec, "10000").is_request


def test_a_server_answers_once_or_several_times() -> None:
    codec = server()
    answer = codec.answer(subscribe(codec), {"data": 1})
    result, complete = {"id": "a", "type": "next", "payload": {"data": 1}}, {"id": "a", "type": "complete"}
    assert answer.frames is not None
    assert [json.loads(data) for data in answer.frames] == [result, complete]
    request = subscribe(codec)  # the id is free again
    assert json.loads(codec.answer_interim(request, {"data": 1}).raw) == result
    last = codec.answer(request, None)
    assert (json.loads(last.raw), last.frames) == (complete, None)


def test_a_server_refuses() -> None:
    codec = server()
    refused = codec.refuse(subscribe(codec), ErrorReply("BAD", "no such field", path=["a"]))
    error = {"message": "no such field", "extensions": {"code": "BAD"}, "path": ["a"]}
    assert json.loads(refused.raw) == {"id": "a", "type": "error", "payload": [error]}
    assert subscribe(codec).is_request


def test_an_operation_of_a_key_that_is_taken_ends_it() -> None:
    codec = server()
    key = "ä" * 100
    assert subscribe(codec, key).is_request
    assert not subscribe(codec, key).is_request
    assert codec.ending is not None
    assert codec.ending.code == 4409
    assert codec.ending.reason.startswith("Subscriber for ää")
    assert len(codec.ending.reason.encode()) <= 123


def test_a_client_takes_its_operation_back() -> None:
    codec = server()
    subscribe(codec)
    gone = hear(codec, id="a", type="complete")
    assert isinstance(gone, Withdrawal)
    assert gone.withdraws == "a"
    assert subscribe(codec).is_request
    assert isinstance(hear(codec, id="never there", type="complete"), Withdrawal)
    assert codec.ending is None


# -- pings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", [client(), server()], ids=["client", "server"])
def test_pings_are_answered_by_either_side(codec: Codec) -> None:
    assert hear(codec, type="ping", payload={"n": 1}).is_protocol
    assert hear(codec, type="ping", payload=None).is_protocol
    assert hear(codec, type="pong").is_protocol
    assert said(codec) == [{"type": "pong", "payload": {"n": 1}}, {"type": "pong"}]


def test_pings_are_sent_as_often_as_is_wanted() -> None:
    assert client().heartbeat_s is None
    codec = client(GraphqlWs(ping_every_s=5))
    assert codec.heartbeat_s == 5
    assert data_owed(codec.heartbeat()) == ['{"type":"ping"}']


def test_pings_and_pongs_can_be_sent() -> None:
    assert client().encode("ping", None).raw == '{"type":"ping"}'
    assert json.loads(server().encode("pong", Query("x")).raw) == {"type": "pong", "payload": {"query": "x"}}


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("next", {}, "next cannot be sent: of itself a side says ping and pong only"),
        ("ping", [1], r"the payload of ping is an object, not \[1\]"),
        ("ping", object(), "ping cannot be written as JSON"),
        ("ping", {"a": float("nan")}, "ping cannot be written as JSON"),
    ],
)
def test_what_cannot_be_sent(name: str, body: Any, told: str) -> None:
    with pytest.raises(DialectError, match=told):
        client().encode(name, body)


def test_what_cannot_be_asked() -> None:
    with pytest.raises(DialectError, match="query cannot be asked: an operation is"):
        client().request("query", {"query": "x"})
    with pytest.raises(DialectError, match="the payload of subscribe is an object, not None"):
        client().request("subscribe", None)
    with pytest.raises(DialectError, match="cannot be asked"):
        server().request("subscribe", {"query": "x"})


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[]",
        "null",
        "{}",
        '{"type": ["next"]}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "x"}}',
        '{"type": "connection_init"}',
        '{"type": "connection_ack", "payload": 5}',
        '{"type": "ping", "payload": []}',
        '{"type": "pong", "payload": "x"}',
        '{"type": "next", "payload": {}}',
        '{"type": "next", "id": 1, "payload": {}}',
        '{"type": "next", "id": "", "payload": {}}',
        '{"type": "next", "id": "1"}',
        '{"type": "next", "id": "1", "payload": []}',
        '{"type": "error", "id": "1", "payload": {}}',
        '{"type": "error", "id": "1", "payload": []}',
        '{"type": "error", "id": "1", "payload": ["x"]}',
        '{"type": "complete"}',
    ],
)
def test_what_a_client_does_not_understand_ends_it(data: str) -> None:
    codec = client()
    with pytest.raises(DialectError):
        codec.decode(data)
    assert codec.ending is not None
    assert (codec.ending.code, codec.ending.reason, codec.ending.by) == (4400, "Invalid message received", "us")
    assert not codec.is_ready


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"query": 5},
        {"query": "x", "variables": []},
        {"query": "x", "operationName": 5},
        {"query": "x", "extensions": "x"},
    ],
)
def test_what_a_server_does_not_understand_ends_it(payload: Any) -> None:
    codec = server()
    with pytest.raises(DialectError, match="no message of graphql-transport-ws"):
        hear(codec, id="1", type="subscribe", payload=payload)
    assert codec.ending is not None
    assert codec.ending.code == 4400

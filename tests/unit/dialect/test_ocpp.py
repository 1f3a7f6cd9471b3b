"""OCPP-J, station and central system; sections are those of OCPP-J 1.6 and OCPP 2.0.1 part 4."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
import pytest

from antiphon import Codec, DialectError, ErrorReply, Message, Ocpp, ScenarioError
from antiphon.dialect.codec import namer_of
from antiphon.dialect.meeting import Meeting


@pytest.fixture
def codec() -> Codec:
    return Ocpp().codec(Meeting())


def hear(codec: Codec, *parts: Any) -> Message:
    (message,) = codec.decode(json.dumps(parts))
    return message


class BootNotification(msgspec.Struct):
    model: str


# -- the connection (section 3) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "subprotocol"), [("1.6", "ocpp1.6"), ("2.0.1", "ocpp2.0.1")])
def test_a_station_offers_its_version_once(version: str, subprotocol: str) -> None:
    meeting = Meeting("client", subprotocols=["ocpp1.5"])
    Ocpp(version).codec(meeting)
    Ocpp(version).codec(meeting)
    assert meeting.subprotocols == ["ocpp1.5", subprotocol]


def test_a_central_system_offers_nothing() -> None:
    meeting = Meeting("server", subprotocols=["ocpp2.0.1"])
    Ocpp().codec(meeting)
    assert meeting.subprotocols == ["ocpp2.0.1"]


def test_there_are_two_versions() -> None:
    with pytest.raises(ScenarioError, match=r"version='2\.1' is none of 1\.6, 2\.0\.1"):
        Ocpp("2.1")


# -- calls (section 4.2.1) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (None, "{}"),
        ({}, "{}"),
        ({"a": [None, 0.1]}, '{"a":[null,0.1]}'),
        (BootNotification("x"), '{"model":"x"}'),
        ({"at": datetime(2026, 11, 27, 16, tzinfo=UTC)}, '{"at":"2026-11-27T16:00:00Z"}'),
    ],
)
def test_a_call(codec: Codec, body: Any, payload: str) -> None:
    call = codec.request("BootNotification", body)
    assert (call.raw, call.asks) == (f'[2,"1","BootNotification",{payload}]', "1")


def test_types_are_called_as_they_are() -> None:
    assert namer_of(Ocpp())(BootNotification) == "BootNotification"


def test_ids_go_on_when_the_channel_is_connected_again(codec: Codec) -> None:
    codec.request("A", None)
    again = Ocpp().codec(Meeting(previous=codec))
    assert again.request("A", None).asks == "2"
    assert Ocpp().codec(Meeting(previous=object())).request("A", None).asks == "1"


def test_ids_may_be_made_by_somebody_else() -> None:
    codec = Ocpp(new_id=count(70).__next__).codec(Meeting())
    assert [codec.request("A", None).asks for _ in range(2)] == ["70", "71"]


def test_a_call_of_the_peer(codec: Codec) -> None:
    call = hear(codec, 2, "19223201", "Reset", {"type": "Soft"})
    assert (call.name, call.body, call.asks) == ("Reset", {"type": "Soft"}, "19223201")
    assert call.is_request
    assert call.reply_to is None


def test_nothing_is_sent_without_an_answer(codec: Codec) -> None:
    with pytest.raises(DialectError, match=r"Heartbeat cannot be sent: every call of OCPP has an answer"):
        codec.encode("Heartbeat", None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([1], r"A: a payload of OCPP is an object, not \[1\]"),
        ("x", "A: a payload of OCPP is an object"),
        (object(), "A cannot be written as JSON"),
        ({"a": float("inf")}, "A cannot be written as JSON"),
    ],
)
def test_a_payload_is_an_object(codec: Codec, body: Any, told: str) -> None:
    with pytest.raises(DialectError, match=told):
        codec.request("A", body)


# -- answers (sections 4.2.2 and 4.2.3) -------------------------------------------------------------------------------


def test_a_result_belongs_to_its_call(codec: Codec) -> None:
    codec.request("Heartbeat", None)
    codec.request("Authorize", {"idTag": "x"})
    result = hear(codec, 3, "2", {"idTagInfo": {}})
    assert (result.name, result.body, result.reply_to) == ("Authorize.result", {"idTagInfo": {}}, "2")
    assert (result.is_answer, result.is_last, result.is_failure) == (True, True, False)
    assert hear(codec, 3, "1", {}).name == "Heartbeat.result"
    assert hear(codec, 3, "1", {}).name == "result"


def test_an_error_fails_its_call(codec: Codec) -> None:
    codec.request("Heartbeat", None)
    error = hear(codec, 4, "1", "NotSupported", "", {"a": 1})
    assert (error.name, error.reply_to) == ("Heartbeat.error", "1")
    assert error.body == {"code": "NotSupported", "description": "", "details": {"a": 1}}
    assert (error.is_answer, error.is_last, error.is_failure) == (True, True, True)
    assert hear(codec, 4, "-1", "RpcFrameworkError", "what?", {}).name == "error"


def test_of_calls_without_an_answer_the_latest_are_remembered(codec: Codec) -> None:
    for _ in range(10_001):
        codec.request("Heartbeat", None)
    assert hear(codec, 3, "1", {}).name == "result"
    assert hear(codec, 3, "2", {}).name == "Heartbeat.result"


def test_a_call_is_answered(codec: Codec) -> None:
    call = hear(codec, 2, "a", "Reset", {})
    answer = codec.answer(call, {"status": "Accepted"})
    assert (answer.name, answer.raw) == ("Reset.result", '[3,"a",{"status":"Accepted"}]')
    assert codec.answer(call, None).raw == '[3,"a",{}]'
    with pytest.raises(DialectError, match=r"Reset\.result: a payload of OCPP is an object, not 5"):
        codec.answer(call, 5)


def test_a_call_is_refused(codec: Codec) -> None:
    call = hear(codec, 2, "a", "Reset", {})
    refused = codec.refuse(call, ErrorReply("NotSupported", "not here", since=2016))
    assert (refused.name, refused.raw) == ("Reset.error", '[4,"a","NotSupported","not here",{"since":2016}]')
    assert refused.body == {"code": "NotSupported", "description": "not here", "details": {"since": 2016}}


# -- what is none (section 4.1.3) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "{}",
        "[]",
        "[2]",
        '[2,"1","A"]',
        '[2,1,"A",{}]',
        '[2,"1","",{}]',
        '[2,"1","A",null]',
        '[2,"1","A",[]]',
        '[2,"1","A",{},{}]',
        '[2.0,"1","A",{}]',
        '["2","1","A",{}]',
        '[3,"1"]',
        '[3,"1",null]',
        "[3,null,{}]",
        '[4,"1","x","y"]',
        '[4,"1","x",null,{}]',
        '[4,"1",5,"y",{}]',
        '[5,"1",{}]',
        '[true,"1",{}]',
    ],
)
def test_what_is_no_message(codec: Codec, data: str) -> None:
    with pytest.raises(DialectError):
        codec.decode(data)

"""LSP 3.17 where it says more than JSON-RPC: requests that are taken back ("Cancellation Support")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon import Codec, ErrorReply, Lsp, Message, Withdrawal
from antiphon.dialect.meeting import Meeting
from antiphon.testing.speech import data_owed


@pytest.fixture
def codec() -> Codec:
    return Lsp().codec(Meeting())


def rpc(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


def hear(codec: Codec, **members: Any) -> Message:
    (message,) = codec.decode(json.dumps(rpc(**members)))
    return message


def take_back(codec: Codec, key: Any) -> Message:
    return hear(codec, method="$/cancelRequest", params={"id": key})


def owed(codec: Codec) -> list[Any]:
    return [json.loads(data) for data in data_owed(codec.owed())]


CANCELLED = {"code": -32800, "message": "Request cancelled"}


# -- the peer's requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [0, 1, 2**53, "a", ""])
def test_what_the_peer_takes_back_is_answered(codec: Codec, key: Any) -> None:
    request = hear(codec, method="workspace/symbol", id=key)
    assert (request.is_request, request.is_protocol) == (True, False)
    message = take_back(codec, key)
    assert isinstance(message, Withdrawal)
    assert (message.withdraws, message.is_protocol, message.body) == (key, True, {"id": key})
    assert owed(codec) == [rpc(error=CANCELLED, id=key)]
    assert owed(codec) == []


def test_what_is_answered_after_it_was_taken_back_is_not_sent(codec: Codec) -> None:
    for answer in (
        lambda request: codec.answer(request, 1),
        lambda request: codec.refuse(request, ErrorReply(5, "late")),
    ):
        request = hear(codec, method="a", id=7)
        take_back(codec, 7)
        late = answer(request)
        assert (late.frames, late.is_protocol, json.loads(late.raw)["id"]) == ((), True, 7)
    assert owed(codec) == [rpc(error=CANCELLED, id=7)] * 2


def test_an_id_may_be_used_again_after_it_was_taken_back(codec: Codec) -> None:
    late = hear(codec, method="a", id=7)
    take_back(codec, 7)
    request = hear(codec, method="b", id=7)
    assert codec.answer(late, 1).frames == ()
    answer = codec.answer(request, 2)
    assert (json.loads(answer.raw), answer.frames) == (rpc(result=2, id=7), None)


@pytest.mark.parametrize("is_refused", [False, True])
def test_what_has_been_answered_cannot_be_taken_back(codec: Codec, is_refused: bool) -> None:
    request = hear(codec, method="a", id=7)
    codec.refuse(request, ErrorReply(5, "no")) if is_refused else codec.answer(request, None)
    message = take_back(codec, 7)
    assert (type(message), message.is_protocol) == (Message, True)
    assert owed(codec) == []


@pytest.mark.parametrize("key", [None, True, [], {}])
def test_what_names_no_request_takes_nothing_back(codec: Codec, key: Any) -> None:
    hear(codec, method="a", id=1)
    message = take_back(codec, key)
    assert (type(message), message.is_protocol, message.name) == (Message, False, "$/cancelRequest")
    assert hear(codec, method="$/cancelRequest").body is None
    assert hear(codec, method="$/cancelRequest", params=[1]).body == [1]
    assert owed(codec) == []


def test_a_request_of_that_name_is_one(codec: Codec) -> None:
    hear(codec, method="a", id=1)
    assert hear(codec, method="$/cancelRequest", id=2, params={"id": 1}).is_request
    assert owed(codec) == []


def test_in_a_batch_the_others_are_still_answered(codec: Codec) -> None:
    members = [rpc(method="a", id=1), rpc(method="b", id=2), rpc(method="$/cancelRequest", params={"id": 1})]
    first, second, message = codec.decode(json.dumps(members))
    assert isinstance(message, Withdrawal)
    assert owed(codec) == []
    answer = codec.answer(second, "b")
    assert answer.frames is not None
    assert [json.loads(data) for data in answer.frames] == [[rpc(error=CANCELLED, id=1), rpc(result="b", id=2)]]
    assert codec.answer(first, "a").frames == ()


def test_of_requests_without_an_answer_the_latest_are_remembered(codec: Codec) -> None:
    for key in range(10_001):
        hear(codec, method="a", id=key)
    assert take_back(codec, 0).is_protocol
    assert owed(codec) == []
    take_back(codec, 1)
    assert owed(codec) == [rpc(error=CANCELLED, id=1)]


# -- our own ----------------------------------------------------------------------------------------------------------


def test_what_is_given_up_is_taken_back(codec: Codec) -> None:
    request = codec.request("a", None)
    assert [json.loads(data) for data in data_owed(codec.cancel(request))] == [
        rpc(method="$/cancelRequest", params={"id": 1})
    ]
    told = hear(codec, error=CANCELLED, id=1)
    assert (told.name, told.is_protocol, told.is_failure) == ("a.error", True, True)
    assert not hear(codec, error=CANCELLED, id=1).is_protocol


@pytest.mark.parametrize(
    "answer", [{"result": None}, {"error": {"code": -32801, "message": "modified"}}, {"error": "what?"}]
)
def test_an_answer_that_has_crossed_our_word_is_one(codec: Codec, answer: Any) -> None:
    list(codec.cancel(codec.request("a", None)))
    assert not hear(codec, id=1, **answer).is_protocol


def test_whose_request_was_cancelled_by_itself_is_told(codec: Codec) -> None:
    codec.request("a", None)
    assert not hear(codec, error=CANCELLED, id=1).is_protocol

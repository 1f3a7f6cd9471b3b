"""Waits as data: what they are called, what they accept, and where they stand."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pytest

from antiphon.conversation.message import Message
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import DeadlinePassed

TIMES = {"made_ns": 0, "deadline_ns": None}


def is_ready(body: Any) -> bool:
    return bool(body["state"] == "ready")


class Ready:
    """A predicate that is an object."""

    def __call__(self, body: Any) -> bool:
        return is_ready(body)

    def __repr__(self) -> str:
        return "Ready()"


@pytest.mark.parametrize(
    ("wait", "text"),
    [
        (MessageWait("state", **TIMES), "state"),
        (MessageWait(None, **TIMES), "any message"),
        (MessageWait("state", {"id": 1, "n": int}, **TIMES), "state where {id: 1, n: any int}"),
        (MessageWait("state", list[str], **TIMES), "state where any list[str]"),
        (MessageWait("state", is_ready, **TIMES), "state that is_ready accepts"),
        (MessageWait("state", Ready(), **TIMES), "state that Ready() accepts"),
        (MessageWait("two\nlines", **TIMES), "two lines"),
        (AbsenceWait("error", {"code": 5}, **TIMES), "no error where {code: 5}"),
        (AbsenceWait(None, **TIMES), "no any message"),
        (Exchange(Message("call", {}, ""), **TIMES), "the reply to call"),
        (UntilWait(is_ready, "calls.py:3", **TIMES), "until is_ready at calls.py:3 is true"),
        (UntilWait(Ready(), "", **TIMES), "until it is true"),
        (CloseWait(None, **TIMES), "the close of the connection"),
        (CloseWait(1000, **TIMES), "the close of the connection with code 1000"),
    ],
)
def test_a_wait_says_on_one_line_what_it_is_for(wait: Wait, text: str) -> None:
    assert wait.describe() == text


def test_a_lambda_is_named_by_its_place() -> None:
    wait = MessageWait("state", lambda body: body, **TIMES)
    line = test_a_lambda_is_named_by_its_place.__code__.co_firstlineno + 1
    assert wait.describe() == f"state that the lambda at test_waits.py:{line} accepts"
    assert "functools.partial" in MessageWait("state", partial(is_ready), **TIMES).describe()


def test_what_a_wait_is_for_is_shortened() -> None:
    assert len(MessageWait("x" * 1000, {"y": "z" * 1000}, **TIMES).describe()) < 400


@pytest.mark.parametrize("where", [None, {"state": "ready"}, is_ready, Ready(), dict, {"state": Literal["ready"]}])
@pytest.mark.parametrize("name", ["state", None])
@pytest.mark.parametrize("kind", [MessageWait, AbsenceWait])
def test_selection_is_by_name_number_and_body(kind: Any, name: str | None, where: Any) -> None:
    wait = kind(name, where, since=3, **TIMES)
    fits = Message("state", {"state": "ready"}, "", number=4)
    assert wait.accepts(fits)
    assert not wait.accepts(Message("state", {"state": "ready"}, "", number=3))
    assert wait.accepts(Message("other", {"state": "ready"}, "", number=4)) is (name is None)
    if where is not None:
        assert not wait.accepts(Message("state", 7 if where is dict else {"state": "busy"}, "", number=4))


@pytest.mark.parametrize(("kind", "accepted"), [(MessageWait, False), (AbsenceWait, True)])
def test_a_predicate_that_raises_is_remembered(kind: Any, accepted: bool) -> None:
    wait = kind("state", is_ready, **TIMES)
    assert wait.raised is None
    message = Message("state", {"stat": "ready"}, "", number=1)
    assert wait.accepts(message) is accepted
    assert wait.raised[0] is message
    assert isinstance(wait.raised[1], KeyError)


def test_what_is_no_exception_goes_through() -> None:
    def interrupt(body: Any) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MessageWait("state", interrupt, **TIMES).accepts(Message("state", {}, "", number=1))


def test_a_reply_is_accepted_by_its_key_after_the_request() -> None:
    wait = Exchange(Message("call", {}, "", asks=0), after=3, **TIMES)
    assert wait.key == 0
    assert wait.accepts(Message("reply", {}, "", reply_to=0, number=4))
    assert not wait.accepts(Message("reply", {}, "", reply_to=0, number=3))
    assert not wait.accepts(Message("reply", {}, "", reply_to=1, number=4))
    assert not wait.accepts(Message("reply", {}, "", number=4))
    assert not Exchange(Message("call", {}, ""), **TIMES).accepts(Message("reply", {}, "", number=4))


def test_waits_for_no_message_accept_none() -> None:
    message = Message("state", {}, "", number=1)
    assert not UntilWait(bool, "", **TIMES).accepts(message)
    assert not CloseWait(None, **TIMES).accepts(message)


def test_a_wait_is_pending_then_satisfied_failed_or_abandoned(desk: Any) -> None:
    satisfied, failed, abandoned, pending = desk.expect(), desk.expect(), desk.expect(), desk.expect(within_s=None)
    desk.hear()
    desk.abandon(abandoned)
    desk.expire(5)
    assert [wait.is_pending for wait in (satisfied, failed, abandoned, pending)] == [False, False, False, True]
    assert [desk.is_satisfied(wait) for wait in (satisfied, failed, abandoned, pending)] == [True, False, False, False]
    assert isinstance(failed.error, DeadlinePassed)
    assert repr(satisfied) == "<MessageWait 1 state: satisfied>"
    assert repr(failed).startswith("<MessageWait 2 state: alice.desk waited 5.000 s for state")
    assert repr(abandoned) == "<MessageWait 3 state: abandoned>"
    assert repr(pending) == "<MessageWait 4 state: pending>"


def test_waits_are_told_apart_by_identity() -> None:
    first, second = MessageWait("state", **TIMES), MessageWait("state", **TIMES)
    assert first != second
    assert len({first, second}) == 2
    assert (
        Exchange(Message("call", {}, ""), **TIMES).messages is not Exchange(Message("call", {}, ""), **TIMES).messages
    )


def test_a_wait_of_no_kind_is_for_nothing() -> None:
    wait = Wait(**TIMES)
    with pytest.raises(NotImplementedError):
        wait.describe()
    with pytest.raises(NotImplementedError):
        wait.accepts(Message("state", {}, ""))


def test_the_replies_are_their_own_iterator() -> None:
    replies = aiter(Exchange(Message("call", {}, ""), **TIMES))
    assert aiter(replies) is replies

"""What a failed wait says. Each text is judged as a whole: it is for a person who was not there."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.ending import Ending
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.explanation_text import lines_of
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.waits import AbsenceWait, MessageWait
from antiphon.journal import Argument, StepStarted

STEP = StepStarted(
    at_ns=0, number=1, parent=0, actor="alice", action="outbound_call", arguments=[Argument("890")], source="desk.py:30"
)
HERE = {"source": "calls.py:42", "step": STEP}


def told(wait: Any, headline: str, *details: str, cause: tuple[str, ...] = (), place: bool = True) -> None:
    """The failure of the wait says just this: the cause and what arrived before the places, the details after them."""
    places = ["at calls.py:42", "in the step outbound_call('890') at desk.py:30"] if place else []
    arrived = [line for line in details if "arrived" in line or "had fallen out" in line]
    rest = [line for line in details if line not in arrived]
    assert str(wait.error).splitlines() == [headline, *(f"  {line}" for line in (*cause, *arrived, *places, *rest))]


# -- nothing came ------------------------------------------------------------------------------------------------------


def test_when_nothing_ever_came(desk: Any) -> None:
    wait = desk.at(12.345).expect("newRtc", {"workitemID": 17}, **HERE)
    desk.expire(17.345)
    told(
        wait,
        "alice.desk waited 5.000 s for newRtc where {workitemID: 17}, and it did not come",
        "waiting from 12.345 s to 17.345 s of the run, its limit of 5 s",
        "nothing arrived on this channel at all",
    )


def test_when_nothing_came_since_it_says_how_long_the_channel_was_silent(desk: Any) -> None:
    desk.at(1).hear("ping")
    wait = desk.at(2).expect("newRtc", **HERE, within_s=0.5)
    desk.expire(2.5)
    told(
        wait,
        "alice.desk waited 500 ms for newRtc, and it did not come",
        "waiting from 2.000 s to 2.500 s of the run, its limit of 0.5 s",
        "nothing arrived during the wait; the last message before it was ping, 1.500 s earlier",
    )


def test_without_a_place_and_an_owner(new_desk: Any) -> None:
    desk = new_desk(history=0)
    desk.mailbox.owner = ""
    desk.hear()
    wait = desk.expect("newRtc")
    desk.expire(5)
    told(
        wait,
        "the channel waited 5.000 s for newRtc, and it did not come",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "nothing arrived during the wait",
        place=False,
    )


def test_a_step_without_a_place(desk: Any) -> None:
    step = StepStarted(at_ns=0, number=1, parent=0, actor="alice", action="call", source="")
    wait = desk.expect(step=step)
    desk.expire(5)
    assert "\n  in the step call()\n" in str(wait.error)


# -- something else came -----------------------------------------------------------------------------------------------


def test_what_came_instead_and_the_nearest_with_the_fields_that_differ(desk: Any) -> None:
    wait = desk.at(1).expect("newRtc", {"workitemID": 17, "state": "new"}, **HERE)
    for n in range(3):
        desk.at(1.1 + n / 10).hear("ping", {"seq": n})
    desk.at(2).hear("newRtc", {"workitemID": 18, "state": "new"})
    desk.at(2.5).hear("newRtc", {"workitemID": 18, "state": "old"})
    desk.expire(6)
    told(
        wait,
        "alice.desk waited 5.000 s for newRtc where {workitemID: 17, state: 'new'}, and it did not come",
        "waiting from 1.000 s to 6.000 s of the run, its limit of 5 s",
        "what arrived during the wait: newRtc ×2, ping ×3, and then nothing for 3.500 s",
        cause=("nearest, 1.000 s after the wait began: newRtc (message 4)", "  workitemID is 18, wanted 17"),
    )
    assert wait.error.explanation.nearest.number == 4
    assert [difference.path for difference in wait.error.explanation.nearest_differences] == ["workitemID"]
    assert wait.error.explanation.fitting is None
    assert wait.error.explanation.taker is None
    assert not wait.error.explanation.is_drained


def test_the_nearest_may_lie_in_the_mailbox_already(desk: Any) -> None:
    desk.at(1).hear("newRtc", {"workitemID": 18})
    wait = desk.at(3).expect("newRtc", {"workitemID": 17}, **HERE)
    desk.at(7.99).hear("ping")
    desk.expire(8)
    told(
        wait,
        "alice.desk waited 5.000 s for newRtc where {workitemID: 17}, and it did not come",
        "waiting from 3.000 s to 8.000 s of the run, its limit of 5 s",
        "what arrived during the wait: ping",
        cause=(
            "nearest, 2.000 s before the wait began (unread, it would have counted): newRtc (message 1)",
            "  workitemID is 18, wanted 17",
        ),
    )


@pytest.mark.parametrize("name", ["newWorkItemState", "NEWWORKITEMSTATE", "newWorkitemStates", "newWorkitmState"])
def test_a_name_that_is_nearly_right(desk: Any, name: str) -> None:
    wait = desk.expect("newWorkitemState", {"state": "connected"}, **HERE)
    desk.at(1).hear(name, {"state": "connected"})
    desk.at(1.1).hear("ping")
    desk.expire(5)
    lines = str(wait.error).splitlines()
    assert lines[1] == f"  nearest, 1.000 s after the wait began: {name} (message 1)"
    assert lines[2].removesuffix(" (differs in case)") == f"    its name is '{name}', wanted 'newWorkitemState'"


def test_a_name_that_is_quite_another_is_not_near(desk: Any) -> None:
    wait = desk.expect("newWorkitemState")
    desk.hear("ping")
    desk.expire(5)
    assert wait.error.explanation.nearest is None
    assert "nearest" not in str(wait.error)


def test_a_wait_for_any_message_has_a_nearest_too(desk: Any) -> None:
    wait = desk.expect(None, {"a": 1, "b": 2})
    desk.hear("x", {"a": 1})
    desk.hear("y", {})
    desk.expire(5)
    assert "nearest, 0 ms after the wait began: x (message 1)\n    b is not there, wanted 2\n" in str(wait.error)
    nothing = desk.expect(None, since=desk.mailbox.received)
    desk.expire(10)
    assert nothing.error.explanation.nearest is None


def test_many_differences_are_cut(desk: Any) -> None:
    wait = desk.expect("x", {f"f{n}": n for n in range(50)}, check={f"g{n}": n for n in range(50)})
    desk.hear("x", {})
    desk.expire(5)
    assert "    f5 is not there, wanted 5\n    and 44 more differences\n" in str(wait.error)
    checked = desk.expect("y", check={f"g{n}": n for n in range(50)})
    desk.hear("y")
    assert "  g5 is not there, wanted 5\n  and 44 more differences\n" in str(checked.error)


def test_what_is_no_longer_remembered_is_counted(new_desk: Any) -> None:
    desk = new_desk(history=4, limit=3)
    wait = desk.expect("a", **HERE)
    for n in range(20):
        desk.at(1 + n / 10).hear(f"b{n}")
    desk.expire(5)
    told(
        wait,
        "alice.desk waited 5.000 s for a, and it did not come",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "what arrived during the wait: 20 messages, "
        "the latest of them b16, b17, b18, b19, and then nothing for 2.100 s",
        "17 older messages had fallen out of the mailbox (its limit is 3)",
    )


def test_without_a_history_what_came_is_counted(new_desk: Any) -> None:
    desk = new_desk(history=0)
    wait = desk.expect("a", **HERE)
    desk.hear("b")
    desk.hear("b")
    desk.expire(5)
    told(
        wait,
        "alice.desk waited 5.000 s for a, and it did not come",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "what arrived during the wait: 2 messages",
    )


# -- the right one came, but ... ---------------------------------------------------------------------------------------


def test_it_came_too_late(desk: Any) -> None:
    wait = desk.expect("newRtc", {"id": 1}, **HERE)
    desk.expire(5)
    assert "too late" not in str(wait.error)
    desk.at(5.312).hear("newRtc", {"id": 1})
    assert str(wait.error).splitlines()[1] == (
        "  it came 312 ms too late: give it more time with within_s=, or find out why it is slow"
    )


def test_it_had_come_before_the_mark(desk: Any) -> None:
    desk.at(1.8).hear("newRtc", {"id": 1})
    desk.at(1.9).hear("ping")
    wait = desk.at(2).expect("newRtc", {"id": 1}, since=2, **HERE)
    desk.expire(7)
    told(
        wait,
        "alice.desk waited 5.000 s for newRtc where {id: 1}, and it did not come",
        "waiting from 2.000 s to 7.000 s of the run, its limit of 5 s, for what came after message 2 (since=)",
        "nothing arrived during the wait; the last message before it was ping, 5.100 s earlier",
        cause=(
            "one that fits, newRtc (message 1), had come before the mark, 200 ms before the wait began",
            "  only what came after message 2, ping, counts",
        ),
    )


def test_the_message_at_the_mark_is_not_named_if_there_was_none(desk: Any) -> None:
    desk.hear("newRtc")
    wait = desk.expect("newRtc", since=7)
    desk.expire(5)
    assert "only what came after message 7 counts" in str(wait.error)


def test_someone_else_took_it(desk: Any) -> None:
    other = desk.at(0.5).expect("newRtc", source="calls.py:30", step=STEP)
    taken = "was taken by the wait for newRtc"
    desk.at(1.8).hear("newRtc", {"id": 1})
    wait = desk.at(2).expect("newRtc", {"id": 1}, **HERE)
    desk.at(3).hear("newRtc", {"id": 2})
    desk.expire(7)
    told(
        wait,
        "alice.desk waited 5.000 s for newRtc where {id: 1}, and it did not come",
        "waiting from 2.000 s to 7.000 s of the run, its limit of 5 s",
        "what arrived during the wait: newRtc, and then nothing for 4.000 s",
        cause=(
            f"one that fits, newRtc (message 1), came 200 ms before the wait began, and {taken}",
            "  at calls.py:30",
            "  in the step outbound_call('890') at desk.py:30",
            "nearest, 1.000 s after the wait began: newRtc (message 2)",
            "  id is 2, wanted 1",
        ),
    )
    assert wait.error.explanation.taker is other


def test_one_who_gave_it_back_has_not_taken_it(desk: Any) -> None:
    given_back = desk.expect("newRtc", source="calls.py:10")
    desk.hear("newRtc")
    desk.abandon(given_back)
    desk.expect("newRtc")
    wait = desk.expect("newRtc")
    desk.expire(5)
    assert "one that fits, newRtc (message 1), came 0 ms before the wait began, and was taken by an ear" in str(
        wait.error
    )
    assert "calls.py:10" not in str(wait.error)


@pytest.mark.parametrize(("end", "awaited"), [("a", "an earlier wait like this"), ("c", "the wait for newRtc where")])
def test_a_wait_is_like_another_by_what_it_is_for_and_not_by_how_that_is_told(
    desk: Any, end: str, awaited: str
) -> None:
    """Both are told alike, since what is long is cut in its middle."""
    long = "x" * 500
    where = {"id": {f"{long}a{long}", f"{long}b{long}"}}
    desk.expect("newRtc", {"id": {f"{long}{end}{long}", f"{long}b{long}"}})
    desk.hear("newRtc", {"id": f"{long}b{long}"})
    wait = desk.expect("newRtc", where)
    desk.expire(5)
    assert f"and was taken by {awaited}" in str(wait.error)


@pytest.mark.parametrize(
    ("body", "is_shown"),
    [({"message": "busy", "more": 1}, False), ({"code": "not found", "more": 1}, True), ({"more": 1}, True)],
)
def test_a_refusal_without_a_message_is_shown_as_it_is(desk: Any, body: Any, is_shown: bool) -> None:
    """Whatever the number of words in it."""
    wait = desk.ask(1)
    desk.reply(1, body, is_failure=True)
    assert ("the reply: reply" in str(wait.error)) is is_shown


def test_it_was_drained(desk: Any) -> None:
    desk.hear("newRtc")
    desk.mailbox.drain("newRtc")
    wait = desk.expect("newRtc")
    desk.expire(5)
    assert str(wait.error).splitlines()[1] == (
        "  one that fits, newRtc (message 1), came 0 ms before the wait began, and was drained"
    )


def test_it_fell_out(new_desk: Any) -> None:
    desk = new_desk(limit=1)
    desk.hear("newRtc")
    desk.hear("ping")
    wait = desk.expect("newRtc")
    desk.expire(5)
    lines = str(wait.error).splitlines()
    assert lines[1] == "  one that fits, newRtc (message 1), came 0 ms before the wait began"
    assert lines[3] == "  1 older message had fallen out of the mailbox (its limit is 1)"


def test_its_predicate_raises(desk: Any) -> None:
    """A slip in a lambda must not look like a silent peer."""

    def is_ready(body: Any) -> bool:
        return bool(body["stat"] == "ready")

    wait = desk.expect("state", is_ready, **HERE)
    desk.at(0.2).hear("state", {"state": "ready"})
    desk.expire(5)
    told(
        wait,
        "alice.desk waited 5.000 s for state that is_ready accepts, and it did not come",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "what arrived during the wait: state, and then nothing for 4.800 s",
        cause=(
            "where= raised KeyError: 'stat', on state {'state': 'ready'}",
            "  a predicate that raises does not fit; is there a slip in it?",
            "what it must be: bool(body['stat'] == 'ready')",
            "  body = {'state': 'ready'}",
        ),
    )


# -- replies -----------------------------------------------------------------------------------------------------------


def test_a_reply_that_did_not_come(desk: Any) -> None:
    wait = desk.at(1).ask(0, request="invite", body={"to": "bob"}, **HERE)
    for at_s, name in ((1.1, "100"), (1.2, "180")):
        desk.at(at_s).reply(0, name=name, is_last=False)
    desk.at(2).reply(7, name="result")
    desk.expire(6)
    told(
        wait,
        "alice.desk waited 5.000 s for the reply to invite, and it did not come",
        "waiting from 1.000 s to 6.000 s of the run, its limit of 5 s",
        "the request: invite {'to': 'bob'} (request id 0)",
        "of its replies these came, and not the last: 100, 180",
        "what arrived during the wait: 100, 180, result, and then nothing for 4.000 s",
        cause=("replies to other requests came; the last, result (message 3), is to request id 7",),
    )
    desk.at(6.1).reply(0)
    assert "it came 100 ms too late" in str(wait.error)


def test_a_reply_that_went_to_an_earlier_request(desk: Any) -> None:
    desk.ask("resultCall", body={"n": 1}, within_s=1, source="calls.py:30")
    desk.expire(1)
    wait = desk.at(2).ask("resultCall", body={"n": 2}, **HERE)
    desk.at(2.2).reply("resultCall", {"n": 2}, name="resultCall")
    desk.expire(7)
    told(
        wait,
        "alice.desk waited 5.000 s for the reply to call, and it did not come",
        "waiting from 2.000 s to 7.000 s of the run, its limit of 5 s",
        "the request: call {'n': 2} (its reply is resultCall)",
        "what arrived during the wait: resultCall, and then nothing for 4.800 s",
        cause=(
            "such a reply came, but to an earlier request that had been given up: resultCall {'n': 2}",
            "  that request: call {'n': 1} at calls.py:30",
            "  replies without an id belong to the requests in their order: if one is lost, reconnect to be in step",
        ),
    )


def test_an_earlier_request_that_is_not_remembered_is_not_shown(new_desk: Any) -> None:
    desk = new_desk(history=2)
    desk.abandon(desk.ask("kind"))
    wait = desk.ask("kind")
    desk.reply("kind", {"n": 1})
    for _ in range(2):
        desk.abandon(desk.expect("reply"))
    desk.expire(5)
    assert "had been given up: reply {'n': 1}\n    replies without an id" in str(wait.error)


def test_a_refusal_shows_code_and_message(desk: Any) -> None:
    wait = desk.at(1).ask("resultCall", body={"to": "890"}, **HERE)
    desk.at(1.1).reply(
        "resultCall", {"result": "error", "code": 404, "message": "no such number"}, name="resultCall", is_failure=True
    )
    told(
        wait,
        "alice.desk was refused call: 404 no such number",
        "at 1.100 s of the run",
        "the request: call {'to': '890'}",
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": -32601, "message": "no\nsuch method"}}, ": -32601 no such method"),
        ({"code": -32601, "message": "no such method"}, ": -32601 no such method"),
        ({"errorCode": "NotSupported", "description": "not here"}, ": NotSupported not here"),
        ({"code": "busy", "message": "busy: the line is busy"}, ": busy: the line is busy"),
        ({"error": "denied"}, ": denied"),
        ({"reason": {"deep": 1}}, ""),
        ("busy", ": busy"),
        ([1], ""),
    ],
)
def test_a_refusal_shows_what_looks_like_code_and_message(desk: Any, body: Any, said: str) -> None:
    wait = desk.ask(1)
    desk.reply(1, body, is_failure=True)
    assert str(wait.error).splitlines()[0] == f"alice.desk was refused call{said}"


# -- what should not have been, or been otherwise ----------------------------------------------------------------------


def test_a_check_that_fails(desk: Any) -> None:
    wait = desk.at(1).expect("state", {"id": 1}, check={"state": "connected", "n": [1, 2]}, **HERE)
    desk.at(2).hear("state", {"id": 1, "state": "failed", "n": [1, 3]})
    told(
        wait,
        "alice.desk received state where {id: 1}, but it does not match",
        "at 2.000 s of the run",
        "the message: state {'id': 1, 'state': 'failed', 'n': [1, 3]}",
        cause=("state is 'failed', wanted 'connected'", "n[1] is 3, wanted 2"),
    )
    assert wait.error.explanation.fitting is None
    assert wait.error.explanation.nearest is None


def test_a_reply_whose_check_fails(desk: Any) -> None:
    wait = desk.at(1).ask(4, check={"n": 2}, body={"q": 1}, **HERE)
    desk.reply(4, {"n": 1})
    told(
        wait,
        "alice.desk received the reply to call, but it does not match",
        "at 1.000 s of the run",
        "the request: call {'q': 1}",
        "the reply: reply {'n': 1}",
        cause=("n is 1, wanted 2",),
    )


def test_a_message_that_was_not_to_come(desk: Any) -> None:
    wait = desk.at(2).expect_none("error", {"code": 5}, **HERE)
    desk.at(3).hear("error", {"code": 5, "more": 1})
    told(
        wait,
        "alice.desk received error {'code': 5, 'more': 1}, and no error where {code: 5} was expected",
        "at 3.000 s of the run",
    )


def test_a_message_that_was_not_to_be_there(desk: Any) -> None:
    desk.at(1).hear("error")
    wait = desk.at(2).expect_none("error", **HERE)
    told(
        wait,
        "alice.desk received error {}, and no error was expected",
        "at 2.000 s of the run",
        cause=("it had come 1.000 s before the wait began",),
    )


def test_a_message_that_came_twice(desk: Any) -> None:
    desk.at(1).hear("state", {"state": "held"})
    desk.at(1.1).hear("ping")
    desk.at(1.2).hear("state", {"state": "held"})
    assert desk.expect("state").message.number == 1
    wait = desk.at(2).expect("state", check={"state": "connected"}, **HERE)
    told(
        wait,
        "alice.desk received state, but it does not match",
        "at 2.000 s of the run",
        "the message: state {'state': 'held'}",
        cause=(
            "state is 'held', wanted 'connected'",
            "message 1, 200 ms before this one (3), said the same: did it come twice?",
            "it had lain in the mailbox for 800 ms before the wait began",
        ),
    )
    assert wait.error.explanation.twin.number == 1


@pytest.mark.parametrize("other", [("state", {"state": "ready"}), ("status", {"state": "held"})])
def test_a_message_that_says_something_else_is_no_twin(desk: Any, other: Any) -> None:
    desk.hear(*other)
    desk.hear("state", {"state": "held"})
    wait = desk.expect_none("state", {"state": "held"})
    assert wait.error.explanation.twin is None


def test_an_answer_that_came_twice(desk: Any) -> None:
    asked = desk.at(1).ask(4)
    desk.reply(4, {"n": 1})
    desk.reply(4, {"n": 1})
    assert asked.message.number == 1
    wait = desk.at(2).expect_none("reply", **HERE)
    told(
        wait,
        "alice.desk received reply {'n': 1}, and no reply was expected",
        "at 2.000 s of the run",
        cause=(
            "message 1, 0 ms before this one (2), said the same: did it come twice?",
            "it is an answer, and no request that was open had asked for it",
            "it had come 1.000 s before the wait began: to ignore what came before a moment, give since=mark()",
        ),
    )


def test_a_refusal_that_nobody_has_awaited_is_told_with_what_did_not_come(desk: Any) -> None:
    desk.ask(1, request="start")
    wait = desk.expect("newRtc", **HERE)
    desk.at(1).reply(1, {"code": "unknownWorkitem", "message": "there is none"}, name="resultStart", is_failure=True)
    desk.expire(5)
    told(
        wait,
        "alice.desk expected newRtc and got resultStart: unknownWorkitem 'there is none'",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "what arrived during the wait: resultStart, and then nothing for 4.000 s",
    )


def test_of_many_refusals_the_first_is_the_headline(desk: Any) -> None:
    wait = desk.expect("newRtc")
    for number in range(5):
        desk.reply(number, [number], is_failure=True)
    desk.expire(5)
    replies = ", ".join(["reply", *(f"reply ([{n}])" for n in range(1, 5))])
    assert str(wait.error).splitlines()[:2] == [
        "alice.desk expected newRtc and got reply: [0]",
        f"  what arrived during the wait: {replies}, and then nothing for 5.000 s",
    ]


def test_an_absence_whose_predicate_raises(desk: Any) -> None:
    wait = desk.expect_none("error", lambda body: body["kode"])
    desk.hear("error", {"code": 5})
    assert str(wait.error).splitlines()[1:3] == [
        "  where= raised KeyError: 'kode', on error {'code': 5}",
        "    a predicate that raises has not ruled the message out",
    ]


def test_a_forbidden_message(desk: Any) -> None:
    desk.at(2)
    desk.forbid("error", **HERE)
    desk.at(3).hear("error", {"code": 5})
    assert str(desk.mailbox.violations[0]) == dedent(
        """\
        alice.desk received error {'code': 5}, and no error was expected
          at calls.py:42
          in the step outbound_call('890') at desk.py:30
          at 3.000 s of the run"""
    )


# -- the end of the connection -----------------------------------------------------------------------------------------


def test_a_close_in_the_middle(desk: Any) -> None:
    wait = desk.at(1).expect("newRtc", **HERE)
    desk.at(1.25).hear("ping")
    desk.at(1.3).close(1011, "overloaded")
    told(
        wait,
        "alice.desk waited for newRtc, but the server closed the connection with code 1011 'overloaded'",
        "waiting from 1.000 s to 1.300 s of the run",
        "what arrived during the wait: ping",
    )


def test_a_close_while_nothing_was_to_come(desk: Any) -> None:
    wait = desk.expect_none("error")
    desk.mailbox.close(Ending(), 0)
    assert str(wait.error).startswith("alice.desk waited to hear no error, but the connection was lost\n")


def test_a_close_with_another_code(desk: Any) -> None:
    wait = desk.at(1).expect_close(1000, **HERE)
    desk.at(2).close(1011)
    told(
        wait,
        "alice.desk waited for the close of the connection with code 1000, "
        "but the server closed the connection with code 1011",
        "waiting from 1.000 s to 2.000 s of the run",
    )


def test_a_close_that_did_not_come(desk: Any) -> None:
    wait = desk.expect_close(**HERE)
    desk.at(4.95).hear("ping")
    desk.expire(5)
    told(
        wait,
        "alice.desk waited 5.000 s for the close of the connection, and it did not come",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "what arrived during the wait: ping",
    )


def test_an_until_that_never_was(desk: Any) -> None:
    wait, closed = desk.until(lambda: False, "desk.py:9", **HERE), desk.until(lambda: False, within_s=9)
    desk.expire(5)
    desk.close()
    told(
        wait,
        "alice.desk waited 5.000 s until <lambda> at desk.py:9 is true, and it never was",
        "waiting from 0 ms to 5.000 s of the run, its limit of 5 s",
        "nothing arrived on this channel at all",
    )
    assert str(closed.error).startswith(
        "alice.desk waited until <lambda> is true, but the server closed the connection with code"
    )


# -- for every failure -------------------------------------------------------------------------------------------------


def test_bodies_are_shown_shortened_and_names_on_one_line(desk: Any) -> None:
    wait = desk.expect("x", {"id": 1})
    desk.hear("a\nb" * 200, {"id": 2})
    desk.hear("x", {"id": 2, "sdp": "v=0\n" * 10_000})
    desk.expire(5)
    lines = str(wait.error).splitlines()
    assert len(lines) < 12
    assert max(map(len, lines)) < 400


def test_half_a_message_is_told_of(desk: Any) -> None:
    wait = desk.expect("newRtc")
    desk.expire(5)
    wait.error.explanation.holds_part = True
    assert "\n  part of a message had come, and its rest had not: the server stopped" in str(wait.error)


def test_a_close_tells_of_the_last_message_before_it(desk: Any) -> None:
    desk.hear("ping")
    wait = desk.at(0.5).expect("newRtc")
    desk.at(0.9).close()
    assert "\n  nothing arrived during the wait; the last message before it was ping, 900 ms earlier" in str(wait.error)


def test_what_a_line_is_made_of_is_told_with_it(desk: Any) -> None:
    wait = desk.expect("state", {"id": 1}, **HERE)
    desk.hear("state", {"id": 2})
    desk.expire(5)
    pieces = [(text, role) for line in wait.error.lines() for text, role in line if role]
    assert pieces == [
        ("alice.desk", "name"),
        ("state", "name"),
        ("state", "name"),
        ("id", "name"),
        ("is 2", "found"),
        ("wanted 1", "wanted"),
        ("at calls.py:42", "place"),
        ("outbound_call('890')", "step"),
        (" at desk.py:30", "elsewhere"),
    ]


def test_long_ids_are_shortened_in_the_headline_and_whole_where_they_differ(desk: Any) -> None:
    wanted, found = "5f0c9e12-7643-4058-9637-1538457fb6c2", "5f0c9e12-7643-4058-9637-1538457fb6c3"
    wait = desk.expect("state", {"id": wanted, "name": "a-rather-long-name-without-one"})
    desk.hear("state", {"id": found, "name": "a-rather-long-name-without-one"})
    desk.expire(5)
    lines = str(wait.error).splitlines()
    assert "where {id: '5f0c9e…b6c2', name: 'a-rather-long-name-without-one'}" in lines[0]
    assert lines[2] == f"    id is '{found}', wanted '{wanted}'"


def test_a_newer_message_is_looked_for_only_beside_one_that_was_awaited(desk: Any) -> None:
    asked = desk.ask(4, check={"n": 2})
    desk.reply(4, {"n": 1})
    assert asked.error.explanation.newer is None
    for number in (1, 2, 3):
        desk.hear("state", {"n": number})
    wait = desk.expect("state", check={"n": 3})
    assert wait.error.explanation.newer.number == 4
    assert "  it had lain in the mailbox for 0 ms before the wait began; a newer one, message 4, matches" in str(
        wait.error
    )


def test_an_error_without_a_culprit_can_be_told_too(desk: Any) -> None:
    wait = AbsenceWait("error", made_ns=0, deadline_ns=None)
    assert str(Explanation(wait, desk.mailbox, 0, "forbidden", tell=lines_of)).startswith(
        "alice.desk received nothing, and no error was"
    )
    exchange = desk.ask(1)
    assert str(Explanation(exchange, desk.mailbox, 0, "refused", tell=lines_of)).startswith(
        "alice.desk was refused call\n"
    )


@given(
    name=st.text(max_size=100),
    body=st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=9
    ),
    where=st.none() | st.dictionaries(st.text(), st.integers() | st.text(), max_size=3),
    count=st.integers(0, 100),
)
def test_whatever_came_is_told_in_few_lines(name: str, body: Any, where: Any, count: int) -> None:

    mailbox = Mailbox("both")
    wait = MessageWait("wanted", where, made_ns=0, deadline_ns=1)
    mailbox.expect(wait)
    for n in range(count):
        mailbox.deliver(Message(name if n % 2 else f"{name}{n}", body, "{}"), n)
    mailbox.expire(200)
    if wait.error is not None:
        assert 3 <= len(str(wait.error).splitlines()) <= 40


@pytest.mark.parametrize("is_before", [True, False])
def test_a_close_tells_what_the_last_message_says(desk: Any, is_before: bool) -> None:
    if is_before:
        desk.hear("detached", {"reason": "the target was closed"})
    wait = desk.expect("loaded")
    if not is_before:
        desk.hear("detached", {"reason": "the target was closed"})
    desk.close()
    assert "detached; the last says 'the target was closed'" in str(wait.error)

"""The facts of a failed wait, which whoever wants to tell of it in other words can read."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.explanation import Explanation
from antiphon.conversation.match import Difference
from antiphon.errors import Line


def test_the_facts_are_those_of_the_moment_of_failure(desk: Any) -> None:
    wait = desk.expect("a")
    desk.hear("b")
    desk.expire(5)
    desk.at(6).hear("c")
    explanation = wait.error.explanation
    assert [message.name for message in explanation.came] == ["b"]
    assert explanation.received == 1
    assert explanation.outcome == "deadline"
    assert explanation.is_absence


def test_the_words_are_those_that_it_was_given_and_the_secrets_are_taken_out_of_them(desk: Any) -> None:
    def tell(facts: Explanation) -> list[Line]:
        return [((facts.owner, "name"), (f" at {facts.at_ns}", "")), (("at x.py:1", "place"),)]

    wait = desk.expect("a")
    facts = Explanation(wait, desk.mailbox, 7, "deadline", tell=tell)
    assert str(facts) == "alice.desk at 7\nat x.py:1"
    assert facts.lines()[0][0] == ("alice.desk", "name")
    facts.mask = lambda text: text.replace("alice", "***")
    assert str(facts) == "***.desk at 7\nat x.py:1"
    assert facts.lines() == [(("***.desk at 7", ""),), (("at x.py:1", "place"),)]


def test_what_was_dropped_and_what_is_no_longer_remembered_is_known(new_desk: Any) -> None:
    desk = new_desk(limit=1, history=2)
    wait = desk.expect("a")
    for _ in range(4):
        desk.hear("b")
    desk.expire(5)
    facts = wait.error.explanation
    assert (facts.received, facts.dropped, facts.limit) == (4, 3, 1)
    assert [message.number for message in facts.came] == [3, 4]


def test_the_taker_is_the_wait_that_kept_it(desk: Any) -> None:
    first, taker, late = desk.expect("a"), desk.expect("a"), desk.expect("a")
    desk.hear("a")
    desk.abandon(first)  # gives it to the next
    desk.expire(5)
    facts = late.error.explanation
    assert facts.fitting is taker.message
    assert facts.taker is taker
    assert not facts.is_drained


def test_a_taker_is_alike_if_it_waited_for_the_same(desk: Any) -> None:
    _, alike = desk.expect("a", {"n": 1}), desk.expect("a", {"n": 1})
    desk.hear("a", {"n": 1})
    _, other = desk.expect(None), desk.expect("b")
    desk.hear("b")
    asked, reply_awaited = desk.ask("k"), desk.expect("r")
    desk.reply("k", name="r")
    desk.expire(5)
    assert alike.error.explanation.is_taker_alike
    assert not other.error.explanation.is_taker_alike
    assert reply_awaited.error.explanation.taker is asked
    assert not reply_awaited.error.explanation.is_taker_alike


def test_of_a_reply_the_taker_is_the_earlier_request(desk: Any) -> None:
    earlier, later = desk.ask("k", within_s=1), desk.ask("k")
    desk.expire(1)
    reply = desk.reply("k")
    desk.expire(5)
    facts = later.error.explanation
    assert facts.fitting is reply
    assert facts.taker is earlier


def test_what_was_drained_has_no_taker(desk: Any) -> None:
    wait = desk.expect("a", since=1)
    desk.hear("a")
    (message,) = desk.mailbox.drain()
    desk.expire(5)
    facts = wait.error.explanation
    assert facts.fitting is message
    assert (facts.taker, facts.is_drained) == (None, True)


def test_the_nearest_is_the_latest_of_those_that_differ_least(desk: Any) -> None:
    wait = desk.expect("a", {"x": 1, "y": 2})
    for body in ({"x": 1, "y": 0}, {"x": 0, "y": 0}, {"x": 0, "y": 2}, {"x": 0}):
        desk.hear("a", body)
    desk.expire(5)
    facts = wait.error.explanation
    assert facts.nearest.number == 3
    assert facts.nearest_differences == [Difference("x", 1, 0)]
    assert facts.fitting is None


def test_if_none_has_its_name_the_nearest_is_one_of_nearly_that_name(desk: Any) -> None:
    wait, other = desk.expect("newState"), desk.expect("quite another")
    desk.hear("NewStates")
    desk.expire(5)
    facts = wait.error.explanation
    assert facts.nearest_differences == [Difference("its name", "newState", "NewStates")]
    assert (other.error.explanation.nearest, other.error.explanation.nearest_differences) == (None, [])


def test_only_a_failure_for_want_of_a_message_has_a_fitting_one(desk: Any) -> None:
    judged = desk.expect("a", check={"x": 1})
    desk.hear("a")
    facts = judged.error.explanation
    assert (facts.outcome, facts.is_absence, facts.fitting, facts.taker) == ("check", False, None, None)
    assert facts.culprit is judged.message
    assert [difference.path for difference in facts.differences] == ["x"]


def test_the_twin_of_a_message_says_the_same(desk: Any) -> None:
    first, _other = desk.hear("a", {"x": 1}), desk.hear("a", {"x": 2})
    wait = desk.expect("a", {"x": 1}, since=2, check={"x": 2})
    desk.hear("a", {"x": 1})
    assert wait.error.explanation.twin is first

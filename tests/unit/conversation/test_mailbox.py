"""The promises of waiting, by number (ARCHITECTURE.md), on the machine that keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.checks import soft
from antiphon.conversation.message import Message
from antiphon.conversation.strict import Ignored
from antiphon.errors import (
    ChannelClosed,
    CheckFailed,
    DeadlinePassed,
    ForbiddenMessage,
    RequestRefused,
    ScenarioError,
)

# -- 1. one ordered mailbox ------------------------------------------------------------------------------------------


def test_promise_1_a_message_that_comes_before_anyone_waits_is_kept(desk: Any) -> None:
    early = desk.hear("hello")
    wait = desk.expect("hello")
    assert desk.is_satisfied(wait)
    assert wait.message is early


def test_promise_1_messages_are_numbered_and_kept_in_the_order_in_which_they_came(desk: Any) -> None:
    for name in "abcab":
        desk.hear(name)
    assert [(message.number, message.name) for message in desk.mailbox.kept] == list(enumerate("abcab", 1))
    assert len(desk.mailbox) == desk.mailbox.received == 5


def test_promise_1_two_messages_in_one_read_satisfy_two_waits_before_either_is_told(desk: Any) -> None:
    first, second = desk.expect("a"), desk.expect("b")
    for name in ("b", "a", "a"):
        desk.hear(name)
    assert first.message.number == 2
    assert second.message.number == 1
    assert desk.kept == [3]
    assert desk.woken() == [second, first]


def test_promise_1_a_wait_is_told_once(desk: Any) -> None:
    wait = desk.expect("a")
    desk.hear("a")
    desk.hear("a")
    assert desk.woken() == [wait]
    assert desk.woken() == []


# -- 2. expect ---------------------------------------------------------------------------------------------------------


def test_promise_2_expect_takes_the_oldest_that_matches_and_removes_it(desk: Any) -> None:
    for number in (1, 2, 2):
        desk.hear(body={"id": number})
    assert desk.expect(where={"id": 2}).message.number == 2
    assert desk.kept == [1, 3]
    assert desk.expect(where={"id": 2}).message.number == 3
    assert desk.expect(where={"id": 2}).is_pending


def test_promise_2_expect_waits_for_the_first_that_comes(desk: Any) -> None:
    wait = desk.expect(where={"id": 2})
    desk.hear(body={"id": 1})
    desk.hear("other", {"id": 2})
    assert wait.is_pending
    wanted = desk.hear(body={"id": 2})
    desk.hear(body={"id": 2})
    assert wait.message is wanted
    assert desk.kept == [1, 2, 4]


def test_promise_2_what_does_not_match_stays_for_others(desk: Any) -> None:
    """An event may come before the reply that explains it."""
    exchange = desk.ask("id-1")
    event = desk.hear("event")
    desk.reply("id-1")
    assert desk.is_satisfied(exchange)
    assert desk.expect("event").message is event


def test_promise_2_a_wait_without_a_name_takes_the_oldest_of_any_name(desk: Any) -> None:
    for name in "bab":
        desk.hear(name)
    assert [desk.expect(None).message.number for _ in range(3)] == [1, 2, 3]


def test_promise_2_where_may_be_a_predicate_of_the_body(desk: Any) -> None:
    wait = desk.expect(where=lambda body: body["n"] > 2)
    desk.hear(body={"n": 1})
    desk.hear(body={})  # the predicate raises
    assert wait.is_pending
    desk.hear(body={"n": 3})
    assert wait.message.number == 3


@pytest.mark.parametrize("where", [dict, dict[str, int], {"n": int}, {"n": {1, 2}}])
def test_promise_2_classes_and_annotations_are_patterns_not_predicates(desk: Any, where: Any) -> None:
    desk.hear(body=[1])
    desk.hear(body={"n": 1})
    assert desk.expect(where=where).message.number == 2


# -- 3. one message, one expectation -----------------------------------------------------------------------------------


def test_promise_3_waiting_expectations_are_served_in_the_order_in_which_they_were_made(desk: Any) -> None:
    """Named or not: a second expectation for the same name waits for the second message."""
    waits = [desk.expect("a"), desk.expect(None), desk.expect("a"), desk.expect(None), desk.expect("a")]
    for name in ("a", "b", "a", "a", "a"):
        desk.hear(name)
    assert [wait.message.number for wait in waits] == [1, 2, 3, 4, 5]
    assert desk.kept == []


def test_promise_3_a_wait_that_does_not_want_the_message_does_not_hold_up_the_next(desk: Any) -> None:
    picky, other = desk.expect(where={"id": 2}), desk.expect()
    desk.hear(body={"id": 1})
    assert picky.is_pending
    assert desk.is_satisfied(other)


# -- 4. where selects, check judges ------------------------------------------------------------------------------------


def test_promise_4_a_selected_message_that_fails_the_check_fails_at_once_with_the_difference(desk: Any) -> None:
    wait = desk.expect(where={"id": 1}, check={"state": "connected"})
    desk.hear(body={"id": 2, "state": "failed"})
    assert wait.is_pending
    culprit = desk.hear(body={"id": 1, "state": "failed"})
    assert isinstance(wait.error, CheckFailed)
    assert not desk.is_satisfied(wait)
    [difference] = wait.error.explanation.differences
    assert (difference.path, difference.wanted, difference.found) == ("state", "connected", "failed")
    assert wait.error.explanation.culprit is culprit
    assert desk.kept == [1]


def test_promise_4_a_check_that_fits_passes(desk: Any) -> None:
    wait = desk.expect(check={"state": "connected"})
    desk.hear(body={"state": "connected", "more": 1})
    assert desk.is_satisfied(wait)


def test_promise_4_a_kept_message_is_checked_too(desk: Any) -> None:
    desk.hear(body={"state": "failed"})
    assert isinstance(desk.expect(check={"state": "connected"}).error, CheckFailed)
    assert desk.kept == []


# -- 6. since ----------------------------------------------------------------------------------------------------------


def test_promise_6_since_ignores_what_came_before_the_mark(desk: Any) -> None:
    stale = desk.hear("a")
    mark = desk.mailbox.received
    wait = desk.expect("a", since=mark)
    assert wait.is_pending
    fresh = desk.hear("a")
    assert wait.message is fresh
    assert desk.mailbox.kept == [stale]


def test_promise_6_since_holds_for_every_kind_of_selection(desk: Any) -> None:
    desk.hear("a")
    mark = desk.mailbox.received
    assert desk.expect_none("a", since=mark).is_pending
    assert desk.mailbox.drain("a", since=mark) == []
    assert desk.mailbox.drain(None, since=mark) == []
    assert desk.expect(None, since=mark).is_pending
    assert [message.number for message in desk.mailbox.drain("a", since=0)] == [1]


def test_promise_6_a_message_given_back_stays_before_the_mark(desk: Any) -> None:
    desk.hear("a")
    first = desk.expect("a")
    fresh = desk.expect("a", since=desk.mailbox.received)
    desk.abandon(first)
    assert fresh.is_pending
    assert desk.kept == [1]


# -- 7. deadlines ------------------------------------------------------------------------------------------------------


def test_promise_7_a_deadline_raises(desk: Any) -> None:
    waits = [desk.expect(), desk.ask(1), desk.until(lambda: False), desk.expect_close()]
    desk.expire(4.999)
    assert all(wait.is_pending for wait in waits)
    desk.expire(5)
    assert all(isinstance(wait.error, DeadlinePassed) for wait in waits)
    assert desk.woken() == waits
    assert desk.mailbox.pending == []


def test_promise_7_deadlines_pass_in_their_order_whenever_they_are_looked_at(desk: Any) -> None:
    waits = [desk.expect(within_s=within_s) for within_s in (3, 1, 2, 1)]
    desk.expire(10)
    assert [waits.index(wait) for wait in desk.woken()] == [1, 3, 2, 0]


def test_promise_7_what_is_delivered_before_the_deadline_is_told_counts(desk: Any) -> None:
    """The driver reads what lies in the socket before it lets a deadline pass, also when the loop was blocked."""
    wait = desk.expect()
    desk.at(6).hear()
    desk.expire(6)
    assert desk.is_satisfied(wait)


def test_promise_7_a_message_after_the_deadline_is_kept_and_told_of(desk: Any) -> None:
    wait = desk.expect(where={"id": 1})
    desk.expire(5)
    desk.at(5.2).hear(body={"id": 2})
    assert wait.late_ns == 0
    desk.at(5.312).hear(body={"id": 1})
    desk.at(6).hear(body={"id": 1})
    assert wait.late_ns == 312_000_000
    assert desk.kept == [1, 2, 3]


def test_promise_7_a_late_message_is_late_for_one_wait_only(desk: Any) -> None:
    first, second = desk.expect(), desk.expect()
    desk.expire(5)
    desk.at(6).hear()
    assert (first.late_ns, second.late_ns) == (1_000_000_000, 0)
    desk.at(7).hear()
    assert (first.late_ns, second.late_ns) == (1_000_000_000, 2_000_000_000)


def test_promise_7_after_a_minute_nothing_is_late_any_more(desk: Any) -> None:
    wait = desk.expect()
    desk.expire(5)
    desk.at(66).hear("other")
    desk.hear()
    assert wait.late_ns == 0


def test_promise_7_a_late_close_is_told_of_too(desk: Any) -> None:
    wait, other = desk.expect_close(), desk.expect()
    desk.expire(5)
    desk.at(5.5).close()
    assert wait.late_ns == 500_000_000
    assert other.late_ns == 0


def test_promise_7_the_next_deadline_is_the_earliest(desk: Any) -> None:
    assert desk.mailbox.next_deadline_ns is None
    desk.expect(within_s=None)
    assert desk.mailbox.next_deadline_ns is None
    desk.expect("late", within_s=9)
    early = desk.expect("early", within_s=2)
    assert desk.mailbox.next_deadline_ns == 2_000_000_000
    desk.abandon(early)
    assert desk.mailbox.next_deadline_ns == 9_000_000_000


def test_promise_7_a_wait_without_a_deadline_waits_for_ever(desk: Any) -> None:
    wait = desk.expect(within_s=None)
    desk.expire(1e6)
    assert wait.is_pending


# -- 8. the end of the connection --------------------------------------------------------------------------------------


def test_promise_8_a_close_ends_every_wait_at_once_with_code_and_reason(desk: Any) -> None:
    waits = [desk.expect(), desk.ask(1), desk.until(lambda: False), desk.expect_none("x")]
    desk.at(1).close(1011, "overloaded")
    for wait in waits:
        assert isinstance(wait.error, ChannelClosed)
        assert "1011 'overloaded'" in str(wait.error)
        assert wait.error.explanation.ending.code == 1011
    assert desk.woken() == waits


def test_promise_8_unless_the_close_is_what_was_awaited(desk: Any) -> None:
    any_close, right, wrong = desk.expect_close(), desk.expect_close(1000), desk.expect_close(1001)
    desk.close(1000)
    assert desk.is_satisfied(any_close)
    assert desk.is_satisfied(right)
    assert isinstance(wrong.error, CheckFailed)
    assert "code 1001" in str(wrong.error)


def test_promise_8_a_close_that_has_been_counts(desk: Any) -> None:
    desk.close(1000)
    assert desk.is_satisfied(desk.expect_close())
    assert desk.is_satisfied(desk.expect_close(1000))
    assert isinstance(desk.expect_close(1001).error, CheckFailed)


def test_promise_8_on_a_closed_channel_what_is_kept_can_be_taken_and_all_else_fails_at_once(desk: Any) -> None:
    desk.hear("a")
    desk.close()
    assert desk.is_satisfied(desk.expect("a"))
    for wait in (desk.expect("a"), desk.ask(1), desk.expect_none("a"), desk.until(lambda: False)):
        assert isinstance(wait.error, ChannelClosed)
    assert desk.is_satisfied(desk.until(lambda: True))


def test_promise_8_a_message_that_is_delivered_after_the_close_is_kept(desk: Any) -> None:
    desk.close()
    desk.hear("a")
    assert desk.is_satisfied(desk.expect("a"))


def test_promise_8_of_two_endings_the_first_counts(desk: Any) -> None:
    desk.close(1011, "first")
    desk.close(1006, "second")
    assert desk.mailbox.ending.code == 1011


def test_promise_8_an_until_that_has_become_true_is_not_failed_by_the_close_or_the_deadline(desk: Any) -> None:
    """Its predicate may read what no message changes."""
    states = []
    closed = desk.until(lambda: "closing" in states, within_s=None)
    late = desk.until(lambda: "late" in states)
    states.append("late")
    desk.expire(5)
    assert desk.is_satisfied(late)
    states.append("closing")
    desk.close()
    assert desk.is_satisfied(closed)


def test_promise_8_reopening_keeps_what_was_received_and_what_was_told(desk: Any) -> None:
    kept, wait, exchange = desk.hear("a"), desk.expect("b"), desk.ask("kind")
    desk.close(1001)
    desk.mailbox.reopen()
    assert isinstance(wait.error, ChannelClosed)
    assert isinstance(exchange.error, ChannelClosed)
    assert desk.mailbox.ending is None
    assert desk.mailbox.kept == [kept]
    again = desk.ask("kind")
    desk.reply("kind")
    assert desk.is_satisfied(again)
    assert again.message.number == 2
    desk.close(1000)
    assert desk.is_satisfied(desk.expect_close(1000))


# -- 9. the other words ------------------------------------------------------------------------------------------------


def test_promise_9_expect_none_holds_if_nothing_comes_in_time(desk: Any) -> None:
    wait = desk.expect_none("error", within_s=2)
    desk.hear("other")
    desk.expire(2)
    assert desk.is_satisfied(wait)
    desk.at(3).hear("error")
    assert desk.is_satisfied(wait)
    assert desk.kept == [1, 2]


def test_promise_9_expect_none_fails_at_once_when_it_comes_and_takes_nothing(desk: Any) -> None:
    wait, expected = desk.expect_none("error", {"code": 5}), desk.expect("error", {"code": 5})
    desk.hear("error", {"code": 4})
    assert wait.is_pending
    culprit = desk.at(1).hear("error", {"code": 5})
    assert isinstance(wait.error, ForbiddenMessage)
    assert wait.error.message is culprit
    assert expected.message is culprit


def test_promise_9_expect_none_fails_for_what_lies_in_the_mailbox(desk: Any) -> None:
    culprit = desk.hear("error")
    wait = desk.expect_none("error")
    assert wait.error.message is culprit
    assert desk.kept == [1]


def test_promise_9_several_absences_are_broken_by_one_message(desk: Any) -> None:
    waits = [desk.expect_none("error"), desk.expect_none(None), desk.expect_none("other")]
    desk.hear("error")
    assert [wait.is_pending for wait in waits] == [False, False, True]
    assert desk.kept == [1]


def test_promise_9_forbid_reports_each_such_message_until_it_is_lifted(desk: Any) -> None:
    desk.hear("error")
    ban, other = desk.forbid("error", source="calls.py:7"), desk.forbid("error", {"code": 5})
    assert desk.mailbox.violations == []
    assert ban.source == "calls.py:7"
    first = desk.hear("error")
    second = desk.hear("error", {"code": 5})
    assert [violation.message for violation in desk.mailbox.violations] == [first, second, second]
    desk.mailbox.lift(ban)
    desk.mailbox.lift(other)
    desk.mailbox.lift(ban)
    desk.hear("error", {"code": 5})
    assert len(desk.mailbox.violations) == 3
    assert desk.kept == [1, 2, 3, 4]


def test_promise_9_an_absence_is_not_proved_by_a_predicate_that_raises(desk: Any) -> None:
    """Else a slip in a lambda would look like a peer that behaves."""
    wait, ban = desk.expect_none("error", lambda body: body["kode"] == 5), desk.forbid(None, lambda body: body["kode"])
    desk.hear("error", {"code": 5})
    assert isinstance(wait.error, ForbiddenMessage)
    assert "raised KeyError: 'kode'" in str(wait.error)
    assert "raised KeyError: 'kode'" in str(desk.mailbox.violations[0])
    assert isinstance(desk.expect_none("error", lambda body: body["kode"]).error, ForbiddenMessage)
    assert ban.wait.raised[0].name == "error"


def test_promise_9_drain_takes_all_that_match_oldest_first(desk: Any) -> None:
    for name in "abab":
        desk.hear(name, {"id": desk.mailbox.received})
    assert [message.number for message in desk.mailbox.drain("a")] == [1, 3]
    assert desk.mailbox.drain("a") == []
    assert [message.number for message in desk.mailbox.drain("b", {"id": 3})] == [4]
    desk.hear("c")
    assert [message.number for message in desk.mailbox.drain()] == [2, 5]
    assert desk.kept == []


def test_promise_9_drain_takes_nothing_when_its_predicate_raises(desk: Any) -> None:
    desk.hear(body={"id": 1})
    desk.hear(body={})
    with pytest.raises(ScenarioError, match="drain raised KeyError: 'id', on state"):
        desk.mailbox.drain("state", lambda body: body["id"] == 1)
    assert desk.kept == [1, 2]


def test_promise_9_until_is_looked_at_now_and_again_when_told(desk: Any) -> None:
    state = {"n": 0}
    at_once, wait = desk.until(lambda: True), desk.until(lambda: state["n"])
    assert desk.is_satisfied(at_once)
    desk.mailbox.look_again(1)
    assert wait.is_pending
    state["n"] = 1
    desk.mailbox.look_again(2)
    assert desk.is_satisfied(wait)
    assert wait.settled_ns == 2
    desk.mailbox.look_again(3)
    assert desk.woken() == [at_once, wait]


def test_promise_9_an_until_whose_predicate_raises_fails_with_that(desk: Any) -> None:
    state: dict[str, int] = {}
    at_once = desk.until(lambda: state["n"], "calls.py:3", source="calls.py:3")
    assert isinstance(at_once.error, ScenarioError)
    assert isinstance(at_once.error.__cause__, KeyError)
    assert at_once.error.place == "calls.py:3"
    assert "until <lambda> at calls.py:3 is true, which raised KeyError: 'n'" in str(at_once.error)
    state["n"] = 0
    later = desk.until(lambda: 1 // state["n"] if state["n"] != 0 or "go" in state else False)
    state["go"] = 1
    desk.mailbox.look_again(1)
    assert isinstance(later.error.__cause__, ZeroDivisionError)
    assert desk.mailbox.pending == []


# -- 10. cancelling ----------------------------------------------------------------------------------------------------


def test_promise_10_a_pending_wait_that_is_cancelled_takes_nothing(desk: Any) -> None:
    waits = [desk.expect(), desk.expect_none("x"), desk.until(lambda: False), desk.expect_close(), desk.ask(1)]
    for wait in waits:
        desk.abandon(wait)
        assert wait.is_abandoned
        assert not wait.is_pending
        assert not desk.is_satisfied(wait)
    desk.hear()
    desk.hear("x")
    desk.mailbox.look_again(0)
    desk.expire(9)
    desk.close()
    assert desk.woken() == []
    assert desk.kept == [1, 2]


def test_promise_10_what_was_received_and_not_seen_goes_back_to_its_place(desk: Any) -> None:
    wait = desk.expect("b")
    for name in "abc":
        desk.hear(name)
    assert desk.kept == [1, 3]
    desk.abandon(wait)
    assert desk.kept == [1, 2, 3]
    assert wait.message is None
    assert desk.woken() == []
    assert desk.expect(None).message.number == 1
    assert desk.expect(None).message.number == 2


def test_promise_10_what_goes_back_is_offered_to_those_who_wait_first(desk: Any) -> None:
    first, second = desk.expect(where={"id": 1}), desk.expect()
    third = desk.expect()
    desk.hear(body={"id": 1})
    desk.hear()
    desk.woken()
    desk.abandon(first)
    assert second.message.number == 2
    assert third.message.number == 1
    assert desk.woken() == [third]


def test_promise_10_also_when_it_failed_its_check(desk: Any) -> None:
    wait = desk.expect(check={"id": 2})
    desk.hear(body={"id": 1})
    assert isinstance(wait.error, CheckFailed)
    desk.abandon(wait)
    assert desk.kept == [1]


def test_promise_10_what_was_seen_does_not_go_back(desk: Any) -> None:
    wait = desk.expect()
    desk.hear()
    wait.is_seen = True
    desk.abandon(wait)
    assert desk.kept == []


def test_promise_10_cancelling_twice_gives_back_once(desk: Any) -> None:
    wait = desk.expect()
    desk.hear()
    desk.abandon(wait)
    desk.abandon(wait)
    assert desk.kept == [1]


def test_promise_10_a_cancelled_wait_is_not_told(desk: Any) -> None:
    wait, exchange = desk.expect(), desk.ask(1)
    wait.sleeper = exchange.sleeper = object()
    desk.hear()
    desk.reply(1)
    for each in (wait, exchange):
        desk.abandon(each)
        assert each.sleeper is None
    assert desk.mailbox.settled == []


def test_promise_10_after_the_close_it_goes_back_too(desk: Any) -> None:
    wait = desk.expect()
    desk.hear()
    desk.close()
    desk.abandon(wait)
    assert desk.expect().message.number == 1


def test_promise_10_what_goes_back_breaks_an_absence_that_began_meanwhile(desk: Any) -> None:
    """As if it had never been taken."""
    wait = desk.expect("error")
    desk.hear("error")
    absence = desk.expect_none("error")
    assert absence.is_pending
    desk.abandon(wait)
    assert isinstance(absence.error, ForbiddenMessage)
    assert desk.kept == [1]


def test_promise_10_a_wait_that_no_mailbox_has_can_be_cancelled(desk: Any, new_desk: Any) -> None:
    mine, other = desk.expect(), new_desk().expect()
    desk.abandon(other)
    assert other.is_abandoned
    assert mine.is_pending


# -- 12. bounds --------------------------------------------------------------------------------------------------------


def test_promise_12_the_oldest_falls_out_and_is_counted(new_desk: Any) -> None:
    desk = new_desk(limit=3)
    for name in "abcab":
        desk.hear(name)
    assert desk.kept == [3, 4, 5]
    assert desk.mailbox.dropped == 2


def test_promise_12_a_limit_of_none_keeps_nothing_and_gives_what_is_awaited(new_desk: Any) -> None:
    desk = new_desk(limit=0)
    wait = desk.expect("b")
    for name in "abc":
        desk.hear(name)
    assert wait.message.number == 2
    assert desk.kept == []
    assert desk.mailbox.dropped == 2


def test_promise_12_a_limit_of_one_keeps_the_latest(new_desk: Any) -> None:
    desk = new_desk(limit=1)
    desk.hear("a")
    desk.hear("b")
    assert desk.kept == [2]


def test_promise_12_what_goes_back_into_a_full_mailbox_falls_out_if_it_is_the_oldest(new_desk: Any) -> None:
    desk = new_desk(limit=1)
    wait = desk.expect("a")
    desk.hear("a")
    desk.hear("b")
    desk.abandon(wait)
    assert desk.kept == [2]
    assert desk.mailbox.dropped == 1


def flood(desk: Any, *names: str, size: int = 2) -> None:
    for name in names:
        desk.mailbox.deliver(Message(name, {}, "x" * size), desk.now_ns)


def test_promise_12_what_is_ignored_falls_out_before_what_may_be_expected(new_desk: Any) -> None:
    desk = new_desk(limit=3, ignored=Ignored(("ping",), False, ("capacity",)))
    flood(desk, "news", *["ping"] * 5, *["capacity"] * 5)
    assert desk.kept == [1, 10, 11]
    assert (desk.mailbox.dropped, desk.mailbox.dropped_ignored) == (8, 8)
    assert desk.expect("news").message.number == 1


def test_promise_12_a_mailbox_full_of_what_may_be_expected_keeps_no_more_of_the_ignored(new_desk: Any) -> None:
    desk = new_desk(limit=2, ignored=Ignored(("ping",), False))
    flood(desk, "ping", "news", "news", "ping")
    assert desk.kept == [2, 3]
    flood(desk, "news")
    assert desk.kept == [3, 5]
    assert (desk.mailbox.dropped, desk.mailbox.dropped_ignored) == (3, 2)


def test_promise_12_what_is_ignored_later_is_ignored_in_the_mailbox_too(new_desk: Any) -> None:
    ignored = Ignored((), False)
    desk = new_desk(limit=2, ignored=ignored)
    flood(desk, "news", "mood", "mood")
    assert desk.kept == [2, 3]
    ignored.add("mood")
    desk.mailbox.ignore_more()
    flood(desk, "news")
    assert desk.kept == [3, 4]
    assert (desk.mailbox.dropped, desk.mailbox.dropped_ignored) == (2, 1)


def test_promise_12_what_was_taken_and_given_back_is_not_ignored(new_desk: Any) -> None:
    desk = new_desk(limit=2, ignored=Ignored(("ping",), False))
    flood(desk, "ping", "ping", "ping")
    wait = desk.expect("ping")
    flood(desk, "ping")
    desk.abandon(wait)
    assert desk.kept == [2, 4]


def test_promise_12_the_bytes_that_are_kept_are_bounded_too(new_desk: Any) -> None:
    desk = new_desk(limit_bytes=25)
    flood(desk, "a", "b", "c", size=10)
    assert desk.kept == [2, 3]
    assert desk.mailbox.size_bytes == 20
    flood(desk, "d", size=26)
    assert desk.kept == []
    assert (desk.mailbox.size_bytes, desk.mailbox.dropped) == (0, 4)


def test_promise_12_a_mailbox_that_keeps_all_says_that_it_is_full(new_desk: Any) -> None:
    desk = new_desk(limit_bytes=25, keeps_all=True, ignored=Ignored(("ping",), False))
    flood(desk, "ping", "a", "b", size=10)
    assert desk.kept == [2, 3]
    assert not desk.mailbox.is_full
    flood(desk, "c", size=10)
    assert desk.kept == [2, 3, 4]
    assert desk.mailbox.is_full
    assert desk.mailbox.has_news
    desk.expect("a")
    assert not desk.mailbox.is_full


def test_without_a_history_there_is_nothing_to_shorten(new_desk: Any) -> None:
    desk = new_desk(history=0)
    wait = desk.expect("large")
    flood(desk, "large", size=1 << 20)
    desk.mailbox.past.trim()
    assert wait.message is not None
    assert (list(desk.mailbox.history), list(desk.mailbox.taken)) == ([], [])


def test_a_history_of_large_messages_is_short(new_desk: Any) -> None:
    desk = new_desk()
    for _ in range(20):
        wait = desk.expect("large")
        flood(desk, "large", size=1 << 20)
        desk.mailbox.past.trim()
        assert wait.message is not None
    assert sum(len(message.raw) for message in desk.mailbox.history) == 8 << 20
    assert [number for number, _ in desk.mailbox.taken] == list(range(13, 21))


@pytest.mark.parametrize("sizes", [{"limit": -1}, {"history": -1}, {"limit_bytes": -1}])
def test_promise_12_a_size_below_none_is_refused(new_desk: Any, sizes: dict[str, int]) -> None:
    with pytest.raises(ScenarioError, match="counts, from 0"):
        new_desk(**sizes)


# -- whoever wakes may do anything -------------------------------------------------------------------------------------


def test_the_mailbox_has_finished_its_change_when_it_tells(desk: Any) -> None:
    """Whoever is woken may at once expect, cancel and hear again."""
    first, second = desk.expect(), desk.expect()
    desk.hear()
    desk.hear()
    woken = desk.woken()
    third = desk.expect()
    desk.abandon(second)
    assert woken == [first, second]
    assert third.message.number == 2
    assert desk.woken() == [third]


def test_an_exchange_and_an_expectation_do_not_share_a_message(desk: Any) -> None:
    expected, exchange = desk.expect("reply"), desk.ask(1)
    reply = desk.reply(1)
    assert exchange.message is reply
    assert expected.is_pending


def test_a_reply_to_nobody_is_an_ordinary_message(desk: Any) -> None:
    desk.ask(1)
    reply = desk.reply(2)
    assert desk.expect("reply").message is reply


def test_a_refusal_is_not_confused_with_a_check(desk: Any) -> None:
    exchange = desk.ask(1, check={"ok": True})
    desk.reply(1, {"ok": False}, is_failure=True)
    assert isinstance(exchange.error, RequestRefused)


def test_messages_may_share_a_body(desk: Any) -> None:
    body = {"id": 1}
    for _ in range(3):
        desk.mailbox.deliver(Message("state", body, "{}"), 0)
    assert [desk.expect(where=body).message.number for _ in range(3)] == [1, 2, 3]


# -- no more work ------------------------------------------------------------------------------------------------------

FEW, MANY = 60, 6_000  # both more than what is tried in turn


def test_what_was_said_before_costs_nothing(new_desk: Any, calls_in: Any) -> None:
    def cost(said: int) -> int:
        desk = new_desk()
        for n in range(said):
            desk.ask(n)
            desk.expect()
            desk.hear()
            desk.reply(n)
            desk.woken()

        def converse() -> None:
            desk.ask(said)
            desk.reply(said)
            desk.expect()
            desk.hear()

        return calls_in(converse)

    assert cost(MANY) == cost(FEW)


def test_a_close_with_many_waits_does_not_look_through_what_was_said(new_desk: Any, calls_in: Any) -> None:
    """The words of a failure are made when somebody reads them."""

    def cost(said: int) -> int:
        desk = new_desk()
        for n in range(said):
            desk.hear(body={"id": n})
        for _ in range(50):
            desk.expect(where={"id": -1}, since=said)
        return calls_in(desk.close)

    assert cost(MANY) == cost(FEW)


# -- handing out -------------------------------------------------------------------------------------------------------


def hand_out(desk: Any, name: str = "state", body: Any = None, **correlation: Any) -> Any:
    """What a channel does with a message: it numbers it, and has it handed out."""
    message = Message(name, {} if body is None else body, "{}", **correlation)
    desk.mailbox.received = message.number = desk.mailbox.received + 1
    return desk.mailbox.hand_out(message, desk.now_ns)


ANSWER = {"reply_to": 1, "is_answer": True, "is_last": True}


def test_handing_out_gives_the_wait_that_is_satisfied_and_lists_no_other(desk: Any) -> None:
    for wait, more in ((desk.expect("state"), {}), (desk.ask(1, check={"n": 1}), {**ANSWER, "body": {"n": 1}})):
        assert hand_out(desk, **more) is wait
        assert desk.is_satisfied(wait)
        assert wait.message.number == desk.mailbox.received
        assert desk.woken() == []
        assert not desk.mailbox.has_news


@pytest.mark.parametrize("more", [{}, ANSWER])
def test_handing_out_what_nobody_wants_keeps_it(desk: Any, more: dict[str, Any]) -> None:
    assert hand_out(desk, **more) is None
    assert desk.kept == [1]
    assert (desk.woken(), desk.mailbox.has_news) == ([], False)


@pytest.mark.parametrize("soft_or_not", [dict, soft])
@pytest.mark.parametrize("kind", ["expect", "ask"])
def test_handing_out_lists_a_wait_of_which_there_is_more_to_tell(desk: Any, kind: str, soft_or_not: Any) -> None:
    check = soft_or_not({"n": 1})
    wait = desk.expect("state", check=check) if kind == "expect" else desk.ask(1, check=check)
    assert hand_out(desk, body={"n": 2}, **(ANSWER if kind == "ask" else {})) is None
    assert desk.woken() == [wait]
    assert desk.mailbox.has_news
    assert (wait.error is None, len(desk.mailbox.soft_failures)) == ((True, 1) if soft_or_not is soft else (False, 0))


@pytest.mark.parametrize("more", [{"is_last": False, "is_answer": False}, {"is_failure": True}])
def test_handing_out_lists_an_exchange_for_a_reply_that_is_not_its_only_one_or_refuses(
    desk: Any, more: dict[str, Any]
) -> None:
    exchange = desk.ask(1)
    assert hand_out(desk, **{**ANSWER, **more}) is None
    assert desk.woken() == [exchange]
    assert desk.mailbox.has_news
    assert exchange.message is not None


@pytest.mark.parametrize("kind", ["expect", "ask"])
def test_handing_out_lists_all_who_are_told_together_in_their_order(desk: Any, kind: str) -> None:
    absence = desk.expect_none("state")
    wait = desk.expect("state") if kind == "expect" else desk.ask(1)
    assert hand_out(desk, **(ANSWER if kind == "ask" else {})) is None
    assert desk.woken() == [absence, wait]
    assert desk.mailbox.has_news
    assert hand_out(desk, **ANSWER) is None  # the absence is over, and nobody is left
    assert desk.woken() == []


@pytest.mark.parametrize("by_hand", [True, False])
def test_delivering_and_handing_out_come_to_the_same(desk: Any, by_hand: bool) -> None:
    """Requests of one key, given up and not, provisional and last replies, expectations beside them."""
    waits = [desk.ask(1, check={"n": 3}), desk.ask(1), desk.expect("state", {"n": 5}), desk.ask(2)]
    desk.abandon(waits[1])
    said = [(1, 3, True), (2, 4, False), (1, 5, True), (1, 5, True), (2, 6, True), (None, 7, True)]
    for key, n, is_last in said:
        more: dict[str, Any] = {"body": {"n": n}, "reply_to": key, "is_last": is_last, "is_answer": is_last}
        if by_hand:
            desk.hear("state", **more)
        elif (wait := hand_out(desk, **more)) is not None:
            desk.mailbox.settled.append(wait)
    assert [wait.message and wait.message.number for wait in waits] == [1, None, 3, 5]
    assert all(desk.is_satisfied(wait) == (wait is not waits[1]) for wait in waits)
    assert desk.kept == [4, 6]
    assert [number for number, _ in desk.mailbox.taken] == [1, 2, 3, 3, 5]
    assert set(map(id, desk.woken())) == {id(waits[0]), id(waits[2]), id(waits[3])}

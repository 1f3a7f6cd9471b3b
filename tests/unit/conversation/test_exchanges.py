"""Promise 5: an ask sees only what came after its own send, and only its own replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antiphon.conversation.exchanges import Exchanges
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange
from antiphon.errors import ChannelClosed, CheckFailed, DeadlinePassed, RequestRefused

# -- whose reply it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [0, 7, 0.5, "id-1", ("nested", 1), frozenset({1})])
def test_promise_5_a_reply_belongs_to_the_request_with_its_key(desk: Any, key: Any) -> None:
    other, exchange = desk.ask("other"), desk.ask(key)
    reply = desk.reply(key)
    assert exchange.message is reply
    assert exchange.messages == [reply]
    assert other.is_pending
    assert desk.woken() == [exchange]


def test_promise_5_a_message_without_a_key_is_no_reply(desk: Any) -> None:
    exchange = desk.ask(0)
    desk.hear("reply")
    assert exchange.is_pending
    assert desk.kept == [1]


def test_promise_5_replies_by_kind_belong_to_the_requests_in_their_order(desk: Any) -> None:
    asked = [desk.ask("resultCall") for _ in range(3)]
    for n in range(3):
        desk.reply("resultCall", {"n": n})
    assert [exchange.message["n"] for exchange in asked] == [0, 1, 2]
    assert desk.woken() == asked


def test_promise_5_what_came_before_the_request_is_not_its_reply(desk: Any) -> None:
    stale = desk.reply("resultCall")
    exchange = desk.ask("resultCall")
    assert exchange.is_pending
    assert desk.mailbox.kept == [stale]
    assert desk.reply("resultCall") is exchange.message


def test_promise_5_a_reply_after_the_last_is_an_ordinary_message(desk: Any) -> None:
    exchange = desk.ask(1)
    desk.reply(1)
    again = desk.reply(1)
    assert exchange.messages == [exchange.message]
    assert desk.mailbox.kept == [again]


def test_the_record_of_one_reply_holds_no_list_of_replies(desk: Any) -> None:
    """A wait is kept for long, and whatever it holds that the collector looks into is walked each time."""
    exchange = desk.ask(1)
    reply = desk.reply(1)
    assert exchange.several is None
    assert exchange.messages == [reply]


# -- several replies ---------------------------------------------------------------------------------------------------


def test_promise_5_an_exchange_collects_what_belongs_to_it_up_to_the_last(desk: Any) -> None:
    exchange = desk.ask(1)
    trying, ringing = desk.reply(1, name="100", is_last=False), desk.reply(1, name="180", is_last=False)
    assert exchange.is_pending
    assert desk.woken() == [exchange]  # once for both, for they came before it was told
    desk.hear("event")
    answer = desk.reply(1, name="200")
    assert exchange.messages == [trying, ringing, answer]
    assert exchange.message is answer
    assert desk.woken() == [exchange]
    assert desk.kept == [3]


def test_promise_5_an_exchange_is_told_once_of_several_replies_in_one_read(desk: Any) -> None:
    exchange = desk.ask(1)
    desk.reply(1, is_last=False)
    other = desk.expect("event")
    desk.hear("event")
    desk.reply(1)
    assert desk.woken() == [exchange, other]


def test_promise_5_the_answer_need_not_come_last(desk: Any) -> None:
    """Jupyter's reply may come before the kernel says that it is idle, or after."""
    exchange = desk.ask(1)
    desk.reply(1, name="status", is_last=False)
    answer = desk.reply(1, name="execute_reply", is_last=False, is_answer=True)
    desk.reply(1, name="stream", is_last=False)
    desk.reply(1, name="status", is_answer=False)
    assert exchange.message is answer
    assert len(exchange.messages) == 4


def test_promise_5_if_none_says_that_it_is_the_answer_it_is_the_latest(desk: Any) -> None:
    exchange = desk.ask(1)
    desk.reply(1, is_last=False)
    last = desk.reply(1, is_answer=False)
    assert exchange.message is last


def test_promise_5_the_check_judges_the_answer_at_the_end(desk: Any) -> None:
    right, wrong = desk.ask(1, check={"n": 1}), desk.ask(2, check={"n": 1})
    for key, n in ((1, 1), (2, 2)):
        desk.reply(key, is_last=False)
        desk.reply(key, {"n": n})
    assert desk.is_satisfied(right)
    assert isinstance(wrong.error, CheckFailed)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_promise_5_an_error_reply_fails_it_at_once(desk: Any) -> None:
    exchange = desk.ask(1, check={"n": 1})
    refusal = desk.reply(1, {"code": 404}, is_failure=True)
    assert isinstance(exchange.error, RequestRefused)
    assert exchange.error.message is refusal
    assert exchange.messages == [refusal]


def test_promise_5_also_in_the_middle_of_an_exchange(desk: Any) -> None:
    exchange = desk.ask(1)
    desk.reply(1, is_last=False)
    desk.reply(1, {"code": 500}, is_last=False, is_failure=True)
    assert isinstance(exchange.error, RequestRefused)
    assert desk.woken() == [exchange]


def test_promise_5_what_follows_a_refusal_is_not_taken_for_the_next_reply(desk: Any) -> None:
    refused, following = desk.ask("kind"), desk.ask("kind")
    desk.reply("kind", is_last=False, is_failure=True)
    rest, end = desk.reply("kind", is_last=False), desk.reply("kind")
    assert isinstance(refused.error, RequestRefused)
    assert following.is_pending
    assert desk.mailbox.kept == [rest, end]
    assert desk.reply("kind") is following.message


@pytest.mark.parametrize(
    ("ends", "error"), [(lambda desk: desk.expire(2), DeadlinePassed), (lambda desk: desk.close(), ChannelClosed)]
)
def test_promise_7_what_has_failed_is_no_acceptance_because_interim_replies_had_come(
    desk: Any, ends: Callable[[Any], None], error: type[Exception]
) -> None:
    exchange = desk.ask(1, within_s=1)
    desk.reply(1, {"code": 100}, is_last=False)
    assert exchange.is_pending
    ends(desk)
    desk.mailbox.expect_refusal(exchange, 404)
    assert isinstance(exchange.error, error)


# -- abandoned exchanges -----------------------------------------------------------------------------------------------


def test_promise_10_what_an_exchange_received_and_nobody_saw_goes_back(desk: Any) -> None:
    exchange = desk.ask(1)
    seen, unseen = desk.reply(1, name="100", is_last=False), desk.reply(1, name="180", is_last=False)
    exchange.seen = 1
    desk.abandon(exchange)
    assert desk.mailbox.kept == [unseen]
    assert exchange.messages == [seen]
    assert desk.expect("180").message is unseen


def test_promise_10_also_when_it_was_over_and_nobody_looked(desk: Any) -> None:
    exchange = desk.ask(1)
    reply = desk.reply(1)
    desk.abandon(exchange)
    assert desk.mailbox.kept == [reply]
    assert exchange.message is None
    assert not desk.is_satisfied(exchange)


def test_promise_5_a_late_reply_does_not_satisfy_the_next_ask_of_its_kind(desk: Any) -> None:
    """Cancelled or too late, by kind: the stale reply goes into the mailbox, the fresh one to whom it belongs."""
    cancelled = desk.ask("kind")
    desk.abandon(cancelled)
    expired = desk.ask("kind", within_s=1)
    desk.expire(1)
    exchange = desk.ask("kind")
    stale = [desk.at(1.5).reply("kind", {"of": "cancelled"}), desk.at(2).reply("kind", {"of": "expired"})]
    assert exchange.is_pending
    assert desk.mailbox.kept == stale
    assert isinstance(expired.error, DeadlinePassed)
    assert (cancelled.late_ns, expired.late_ns) == (0, 1_000_000_000)
    assert desk.reply("kind") is exchange.message


def test_promise_7_the_first_of_the_late_replies_tells_how_late_it_was(desk: Any) -> None:
    exchange = desk.ask(1)
    desk.expire(5)
    desk.at(5.25).reply(1, is_last=False)
    desk.at(9).reply(1)
    assert exchange.late_ns == 250_000_000
    assert desk.kept == [1, 2]


def test_promise_5_the_provisional_replies_of_an_abandoned_exchange_do_not_end_it(desk: Any) -> None:
    desk.abandon(desk.ask("kind"))
    exchange = desk.ask("kind")
    desk.reply("kind", is_last=False)
    desk.reply("kind")
    assert exchange.is_pending
    assert desk.reply("kind") is exchange.message
    assert desk.kept == [1, 2]


def test_promise_5_an_abandoned_exchange_between_others_keeps_its_place(desk: Any) -> None:
    first, second, third = (desk.ask("kind") for _ in range(3))
    desk.abandon(second)
    for n in range(3):
        desk.reply("kind", {"n": n})
    assert (first.message["n"], third.message["n"]) == (0, 2)
    assert desk.kept == [2]


def test_promise_5_a_reply_that_is_lost_puts_its_kind_out_of_step_until_the_connection_is_renewed(desk: Any) -> None:
    """Nothing tells which of the two replies was lost: rather no reply than a stale one, and the failure says why."""
    desk.ask("kind", within_s=1)
    desk.expire(1)
    exchange = desk.ask("kind", within_s=1)
    desk.reply("kind")
    desk.expire(2)
    assert isinstance(exchange.error, DeadlinePassed)
    assert "such a reply came, but to an earlier request that had been given up" in str(exchange.error)
    desk.close()
    desk.mailbox.reopen()
    fresh = desk.ask("kind")
    assert desk.reply("kind") is fresh.message


def test_promise_5_by_id_a_lost_reply_harms_no_other(desk: Any) -> None:
    desk.abandon(desk.ask(1))
    exchange = desk.ask(2)
    assert desk.reply(2) is exchange.message


def test_a_request_that_could_not_be_sent_leaves_no_trace(desk: Any) -> None:
    """Else the next reply of its kind would be taken for its own."""
    first, unsent, second = (desk.ask("kind") for _ in range(3))
    desk.mailbox.withdraw(unsent, desk.now_ns)
    assert unsent.is_abandoned
    desk.reply("kind", {"n": 1})
    desk.reply("kind", {"n": 2})
    assert (first.message["n"], second.message["n"]) == (1, 2)
    alone = desk.ask("kind")
    desk.mailbox.withdraw(alone, desk.now_ns)
    again = desk.ask("kind")
    assert desk.reply("kind") is again.message
    assert desk.woken() == [first, second, again]


def test_a_request_on_a_closed_channel_can_be_withdrawn(desk: Any) -> None:
    desk.close()
    exchange = desk.ask("kind")
    desk.mailbox.withdraw(exchange, desk.now_ns)
    assert exchange.is_abandoned
    assert desk.woken() == []


# -- what is remembered of the abandoned -------------------------------------------------------------------------------


def test_of_abandoned_ids_only_the_latest_are_remembered() -> None:
    """A load that gives up thousands of requests does not grow for it."""
    exchanges = Exchanges()
    for key in range(1000):
        exchange = Exchange(Message("call", {}, "{}", asks=key), made_ns=0, deadline_ns=None)
        exchanges.setdefault(key, exchange)
        exchange.settled_ns = 1
        exchanges.abandon(exchange)
    remembered = [key for key in range(1000) if key in exchanges]
    assert remembered == list(range(744, 1000))


def test_a_kind_is_not_forgotten_as_long_as_someone_waits_for_it(desk: Any) -> None:
    cancelled, waiting = desk.ask("kind"), desk.ask("kind")
    desk.abandon(cancelled)
    for key in range(300):
        desk.abandon(desk.ask(key))
    desk.reply("kind")
    assert waiting.is_pending
    assert desk.reply("kind") is waiting.message


def test_a_kind_that_is_only_abandoned_is_forgotten_in_its_turn(desk: Any) -> None:
    first, cancelled = desk.ask("kind"), desk.ask("kind")
    desk.abandon(cancelled)
    desk.reply("kind")
    assert desk.is_satisfied(first)
    for key in range(300):
        desk.abandon(desk.ask(key))
    exchange = desk.ask("kind")
    assert desk.reply("kind") is exchange.message


def test_also_when_the_one_who_waited_was_served_after_that(desk: Any) -> None:
    first, cancelled = desk.ask("kind"), desk.ask("kind")
    desk.abandon(cancelled)
    for key in range(300):
        desk.abandon(desk.ask(key))
    assert desk.reply("kind") is first.message
    for key in range(300, 600):
        desk.abandon(desk.ask(key))
    exchange = desk.ask("kind")
    assert desk.reply("kind") is exchange.message


def test_refused_exchanges_that_never_end_are_forgotten_too(desk: Any) -> None:
    for key in range(300):
        desk.ask(key)
        desk.reply(key, is_last=False, is_failure=True)
    again = desk.ask(0)
    assert desk.reply(0) is again.message

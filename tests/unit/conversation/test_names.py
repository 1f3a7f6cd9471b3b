"""One of several names: the promises of waiting as for a single one."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.names import is_among, names_told
from antiphon.errors import DeadlinePassed, ForbiddenMessage

EITHER = ("accepted", "rejected")
FEW, MANY = 60, 6_000  # both more than what is tried in turn


@pytest.mark.parametrize(
    ("names", "told"),
    [(None, ""), ("one", "one"), (EITHER, "accepted or rejected"), (("a", "b", "c"), "a, b or c")],
)
def test_names_are_told_as_people_say_them(names: Any, told: str) -> None:
    assert names_told(names) == told


def test_a_name_is_among_several_one_or_any() -> None:
    assert is_among("a", None)
    assert is_among("a", "a")
    assert is_among("a", ("b", "a"))
    assert not is_among("a", "ab")
    assert not is_among("a", ("b", "ab"))


def test_promise_2_the_oldest_of_any_of_the_names_is_taken(desk: Any) -> None:
    for name in ("other", "rejected", "accepted", "rejected"):
        desk.hear(name)
    assert [desk.expect(EITHER).message.number for _ in range(3)] == [2, 3, 4]
    assert desk.kept == [1]
    assert desk.expect(EITHER).is_pending


def test_promise_3_waits_for_one_and_for_several_names_are_served_in_the_order_in_which_they_were_made(
    desk: Any,
) -> None:
    either, one, anything, other = desk.expect(EITHER), desk.expect("accepted"), desk.expect(None), desk.expect(EITHER)
    messages = [desk.hear(name) for name in ("accepted", "accepted", "rejected", "rejected")]
    assert [wait.message for wait in (either, one, anything, other)] == messages
    assert desk.woken() == [either, one, anything, other]
    assert desk.mailbox.pending == []


def test_promise_6_and_where_hold_for_each_of_the_names(desk: Any) -> None:
    desk.hear("accepted", {"n": 1})
    mark = desk.mailbox.received
    wait = desk.expect(EITHER, {"n": 1}, since=mark)
    desk.hear("rejected", {"n": 2})
    assert wait.is_pending
    assert desk.hear("rejected", {"n": 1}) is wait.message


def test_promise_9_silence_of_several_names_is_broken_by_any_of_them(desk: Any) -> None:
    kept = desk.hear("rejected")
    at_once, later = desk.expect_none(EITHER), desk.expect_none(("accepted", "busy"))
    ban = desk.forbid(EITHER)
    assert isinstance(at_once.error, ForbiddenMessage)
    assert at_once.error.message is kept
    assert later.is_pending
    desk.hear("busy")
    assert "received busy {}, and no accepted or busy was expected" in str(later.error)
    assert desk.mailbox.violations == []
    desk.hear("accepted")
    assert len(desk.mailbox.violations) == 1
    desk.mailbox.lift(ban)
    assert desk.expect_none(("never", "ever")).is_pending


def test_promise_10_what_was_taken_by_a_wait_for_several_goes_back_to_its_place(desk: Any) -> None:
    desk.hear("accepted")
    wait = desk.expect(EITHER)
    desk.hear("accepted")
    desk.abandon(wait)
    assert desk.kept == [1, 2]
    assert desk.expect(("busy", "accepted")).message.number == 1


def test_a_wait_for_several_that_is_given_up_waits_under_none_of_them(desk: Any) -> None:
    wait, next_one = desk.expect(EITHER), desk.expect("rejected")
    desk.abandon(wait)
    assert desk.hear("rejected") is next_one.message
    desk.hear("accepted")
    assert desk.kept == [2]


def test_several_names_are_drained_oldest_first(desk: Any) -> None:
    for name in ("rejected", "other", "accepted"):
        desk.hear(name)
    assert [message.name for message in desk.mailbox.drain(EITHER)] == ["rejected", "accepted"]
    assert desk.kept == [2]


def test_a_failure_names_all_and_what_came_too_late_is_told(desk: Any) -> None:
    wait = desk.expect(EITHER, {"n": 1}, within_s=1)
    desk.at(0.5).hear("rejected", {"n": 2})
    desk.expire(1)
    text = str(wait.error)
    assert "waited 1.000 s for accepted or rejected where {n: 1}, and it did not come" in text
    assert "nearest, 500 ms after the wait began: rejected (message 1)\n    n is 2, wanted 1" in text
    desk.at(1.25).hear("accepted", {"n": 1})
    assert "it came 250 ms too late" in str(wait.error)


def test_the_nearest_name_is_that_of_any_of_them(desk: Any) -> None:
    wait = desk.expect(EITHER, within_s=1)
    desk.hear("Accepted")
    desk.expire(1)
    assert isinstance(wait.error, DeadlinePassed)
    assert "its name is 'Accepted', wanted 'accepted'" in str(wait.error)


def test_who_took_the_one_that_fits_is_told(desk: Any) -> None:
    wait, other = desk.expect("rejected", within_s=None), desk.expect(EITHER, within_s=1)
    desk.hear("rejected")
    assert not wait.is_pending
    desk.expire(1)
    assert "one that fits, rejected (message 1), came 0 ms after the wait began, and was taken by the wait for" in str(
        other.error
    )


def test_of_many_waits_for_several_names_the_first_that_wants_it_gets_it(desk: Any, shuffled: Any) -> None:
    waits = [desk.expect(EITHER if n % 2 else "accepted", {"id": n}) for n in range(FEW)]
    for n in shuffled(range(FEW)):
        desk.hear("rejected", {"id": n})
        assert waits[n].is_pending is not bool(n % 2)
    for n in shuffled(range(0, FEW, 2)):
        assert desk.hear("accepted", {"id": n}) is waits[n].message
    assert desk.mailbox.pending == []
    assert len(desk.kept) == FEW // 2


def test_of_many_messages_the_oldest_of_several_names_is_found(desk: Any) -> None:
    for n in range(2 * FEW):
        desk.hear(EITHER[n % 2], {"id": n % 10})
    found = [desk.expect(EITHER, {"id": n}).message.number for n in range(10)]
    assert found == list(range(1, 11))
    assert desk.expect(EITHER, {"id": 3}, since=50).message.number == 54


@pytest.mark.parametrize("side", ["waits", "messages"])
def test_several_names_cost_the_same_however_many_wait_or_are_kept(new_desk: Any, calls_in: Any, side: str) -> None:
    def cost(count: int) -> int:
        desk = new_desk()
        for n in range(count):
            if side == "waits":
                desk.expect(EITHER, {"id": n})
            else:
                desk.hear("accepted", {"id": n})
                desk.hear("rejected", {"id": -n})
        if side == "waits":
            return calls_in(lambda: desk.hear("rejected", {"id": count // 2}))
        desk.expect(EITHER, {"id": 1})  # makes the index
        return calls_in(lambda: desk.expect(EITHER, {"id": count // 2}))

    assert cost(MANY) <= cost(FEW)

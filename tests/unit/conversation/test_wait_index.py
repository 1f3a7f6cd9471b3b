"""Many waits pending: the same answers, and no more work for each."""

from __future__ import annotations

from typing import Any

FEW, MANY = 60, 6_000  # both more than what is tried in turn


def test_of_many_waits_the_first_that_wants_it_gets_it(desk: Any, shuffled: Any) -> None:
    waits = [desk.expect(where={"id": n % 50}) for n in range(100)]
    anything = desk.expect()
    unnamed = desk.expect(None, {"id": 49})
    for n in shuffled(range(50)):
        desk.hear(body={"id": n})
        assert waits[n].message["id"] == n
        assert waits[n + 50].is_pending
    assert desk.hear(body={"id": 50}) is anything.message
    desk.abandon(waits[99])
    assert desk.hear(body={"id": 49}) is unnamed.message
    for n in shuffled(range(49)):
        assert desk.hear(body={"id": n}) is waits[n + 50].message
    assert desk.kept == []
    assert desk.mailbox.pending == []


def test_waits_that_want_no_plain_field_take_their_turn_among_the_others(desk: Any) -> None:
    predicate = desk.expect(where=lambda body: body["id"] % 2)
    plain = [desk.expect(where={"id": n}) for n in range(FEW)]
    other = desk.expect(where={"state": "ready"})
    assert desk.hear(body={"id": 1}) is predicate.message
    assert desk.hear(body={"id": 1}) is plain[1].message
    assert desk.hear(body={"id": 1, "state": "ready"}) is other.message
    assert desk.hear(body={"id": 2}) is plain[2].message


def test_a_message_for_one_of_many_waits_costs_the_same_however_many_there_are(new_desk: Any, calls_in: Any) -> None:
    def cost(pending: int) -> int:
        desk = new_desk()
        for n in range(pending):
            desk.expect(where={"id": n})
        return calls_in(lambda: desk.hear(body={"id": pending // 2}))

    assert cost(MANY) == cost(FEW)

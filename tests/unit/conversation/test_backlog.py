"""Many messages kept: the same answers, and no more work for each."""

from __future__ import annotations

from typing import Any

import pytest

FEW, MANY = 60, 6_000  # both more than what is tried in turn


def test_picking_from_the_middle_gives_what_trying_in_turn_would(desk: Any, shuffled: Any) -> None:
    for n in range(400):
        desk.hear(body={"id": n % 100, "kind": n % 3, "n": n})
    taken = []
    for n in shuffled(range(100)):
        first, second = desk.expect(where={"id": n}), desk.expect(where={"id": n, "kind": (n + 100) % 3})
        taken += [first.message["n"], second.message["n"]]
        assert (first.message["n"], second.message["n"]) == (n, n + 100)
    assert desk.kept == [number for number in range(1, 401) if number - 1 not in taken]


@pytest.mark.parametrize("body", [None, [1], "text", {}, {"id": [1]}, {"id": {}}, {"id": None}, {"id": True}])
def test_a_body_that_cannot_fit_a_number_fits_none(desk: Any, body: Any) -> None:
    for _ in range(FEW):
        desk.hear(body=body)
        desk.expect(where={"id": 1}, since=desk.mailbox.received)
    desk.hear(body=body)
    assert desk.expect(where={"id": 1}).is_pending
    assert len(desk.kept) == FEW + 1


def test_numbers_are_equal_by_value_when_looked_up_too(desk: Any) -> None:
    for n in range(FEW):
        desk.hear(body={"id": float(n)})
    assert desk.expect(where={"id": 3}).message.number == 4
    assert desk.expect(where={"id": True}).is_pending


def test_what_is_given_back_is_found_in_its_place(desk: Any) -> None:
    for n in range(FEW):
        desk.hear(body={"id": n % 2})
    first, second = desk.expect(where={"id": 0}), desk.expect(where={"id": 0})
    desk.abandon(first)
    desk.abandon(second)
    assert desk.kept == list(range(1, FEW + 1))
    assert [desk.expect(where={"id": 0}).message.number for _ in range(3)] == [1, 3, 5]
    assert desk.expect(None, {"id": 1}).message.number == 2


def test_a_body_that_its_handler_changes_meanwhile_is_taken_once(desk: Any) -> None:
    messages = [desk.hear(body={"id": n}) for n in range(FEW)]
    assert desk.expect(where={"id": 1}).message.number == 2
    messages[2].body["id"] = -1
    wait = desk.expect(where={"id": 2})
    assert wait.is_pending
    assert [message.number for message in desk.mailbox.drain()] == [1, *range(3, FEW + 1)]
    assert desk.kept == []
    assert desk.hear(body={"id": 2}) is wait.message


def test_patterns_of_many_shapes_are_looked_up_all_the_same(desk: Any) -> None:
    fields = [f"f{n}" for n in range(12)]
    for n in range(FEW):
        desk.hear(body=dict.fromkeys(fields, n))
    for field in [*fields, *fields]:
        wait = desk.expect(where={field: 50})
        assert wait.message.number == 51
        desk.abandon(wait)


def test_a_queue_that_was_emptied_begins_again(desk: Any) -> None:
    for _ in range(2):
        for n in range(FEW):
            desk.hear(body={"id": n})
        assert desk.is_satisfied(desk.expect(where={"id": 5}))
        assert len(desk.mailbox.drain("state")) == FEW - 1
        for n in range(FEW):
            desk.expect(where={"id": n})
        for n in range(FEW):
            desk.hear(body={"id": n})
        assert desk.kept == []
        assert desk.mailbox.pending == []


def test_a_recent_mark_is_looked_for_from_the_newest(desk: Any) -> None:
    for n in range(FEW):
        desk.hear(body={"id": n % 2})
    assert desk.expect(since=FEW - 3).message.number == FEW - 2
    assert desk.expect(where={"id": 1}, since=FEW - 3).message.number == FEW
    assert desk.expect(since=FEW).is_pending


@pytest.fixture(params=["from the middle", "the oldest", "of any name", "after a mark"])
def choice(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_taking_a_kept_message_costs_the_same_however_many_there_are(new_desk: Any, choice: str, calls_in: Any) -> None:
    def cost(kept: int) -> int:
        desk = new_desk()
        for n in range(kept):
            desk.hear(body={"id": n})
        wanted = {
            "from the middle": lambda: desk.expect(where={"id": kept // 2}),
            "the oldest": lambda: desk.expect(),
            "of any name": lambda: desk.expect(None, {"id": kept // 2}),
            "after a mark": lambda: desk.expect(since=kept - 2),
        }[choice]
        first = wanted()  # may have to make an index
        desk.abandon(first)
        return calls_in(lambda: wanted().message.number)

    assert cost(MANY) == cost(FEW)


def test_a_full_mailbox_of_many_names_drops_its_oldest_at_the_same_cost(new_desk: Any, calls_in: Any) -> None:
    def cost(limit: int) -> int:
        desk = new_desk(limit=limit)
        for n in range(limit):
            desk.hear(f"name {n}")
        return calls_in(lambda: desk.hear("one more"))

    assert cost(MANY) == cost(FEW)

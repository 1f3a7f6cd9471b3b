"""The same seed: the same draws, and so the same day."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from antiphon_testbed.seed import Seed


def test_draws_repeat_with_the_seed_and_not_without() -> None:
    first, again, other, free = Seed(1), Seed(1), Seed(2), Seed()
    drawn = [first.uuid("a"), first.uuid("a"), first.uuid("b"), first.token("a")]
    assert len(set(drawn)) == 4
    assert [again.uuid("a"), again.uuid("a"), again.uuid("b"), again.token("a")] == drawn
    assert drawn[0] not in (other.uuid("a"), free.uuid("a"))
    assert UUID(drawn[0]).version == 4


def test_fractions_are_spread() -> None:
    seed = Seed("spread")
    fractions = [seed.fraction("x") for _ in range(2000)]
    assert 0 <= min(fractions) < 0.01
    assert 0.99 < max(fractions) < 1
    assert 0.47 < sum(fractions) / len(fractions) < 0.53


def test_the_same_seed_gives_the_same_ids_whatever_the_others_do(new_hall) -> None:
    def said(*, is_bob_busy: bool) -> list[tuple[str, dict[str, Any]]]:
        hall = new_hall(seed=11)
        if is_bob_busy:
            hall.arrive("bob").connect()
        hall.now_ms = 1_790_000_000_123
        alice = hall.arrive()
        heard = list(alice.heard)
        alice.create()
        heard += alice.heard
        return heard + alice.order("startNewOutInteraction")

    assert said(is_bob_busy=False) == said(is_bob_busy=True)


def test_the_same_seed_gives_the_same_day(new_hall) -> None:
    def day(seed: int) -> list[Any]:
        hall = new_hall(seed=seed)
        alice, bob, dave = hall.ready("alice", "bob", "dave")
        hall.call("1", skill="sales")
        hall.chat("zoe")
        hall.task()
        alice.take_offer()
        hall.call("2")
        hall.advance(11)
        alice.transfer("dave", "blind")
        hall.customer_leaves(next(iter(hall.floor.ledger.contacts)))
        return [*alice.log, *bob.log, *dave.log, *(interaction.record() for interaction in hall.interactions.values())]

    assert day(11) == day(11)
    assert day(11) != day(12)


def test_another_seed_gives_other_ids(new_hall) -> None:
    assert new_hall(seed=1).arrive().agent.desk != new_hall(seed=2).arrive().agent.desk

"""The same seed, and any orders in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from antiphon_testbed.protocol import REQUESTS, OfWorkitem

OF_A_CALL = [action for action, fields in REQUESTS.items() if issubclass(fields, OfWorkitem)]


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


@given(
    st.lists(
        st.tuples(st.sampled_from([*OF_A_CALL, "newOutInteraction", "changeAgentState"]), st.integers(0, 700)),
        max_size=60,
    )
)
def test_after_any_orders_the_record_says_what_the_desk_heard(new_hall, orders: list[tuple[str, int]]) -> None:
    hall = new_hall()
    alice = hall.arrive()
    alice.ids = {"workitemID": "none", "interactionID": "none"}
    heard = []
    for action, pause_ms in orders:
        if action == "newOutInteraction":
            said = alice.ask(action, destination="890000002")
            if said[0][1]["result"] == "success":
                alice.ids = {key: said[0][1][key] for key in ("interactionID", "workitemID")}
        elif action == "changeAgentState":
            said = alice.ask(action, state="ready")
        else:
            said = alice.order(action)
        heard += said + alice.wait(pause_ms / 1000)
        if any(call.state in ("dialling", "connected", "held") for call in hall.floor.calls.values()):
            assert alice.agent.free["voice"] == 0
    for interaction in hall.interactions.values():
        told = [data for name, data in heard if name == "newWorkitemState" and data["interactionID"] == interaction.id]
        states = [entry for entry in interaction.record()["states"] if entry["state"] != "dialling"]
        assert [(entry["state"], entry["at"]) for entry in states] == changes(told)
    alice.wait(60)
    assert len(hall.floor.calls) == len(alice.agent.work) <= 1


def changes(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What was told without the repetitions: a `setMute` that changes nothing is told again."""
    found: list[dict[str, Any]] = []
    for data in told:
        if not found or (data["state"], data["muted"]) != (found[-1]["state"], found[-1]["muted"]):
            found.append(data)
    return [(data["state"], data["at"]) for data in found]

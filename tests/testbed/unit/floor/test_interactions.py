"""What the record of a call says, also after any orders in any order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_testbed.protocol import REQUESTS, OfWorkitem

OF_A_CALL = [action for action, fields in REQUESTS.items() if issubclass(fields, OfWorkitem)]


def test_the_record_has_every_state_and_its_seconds(hall, alice) -> None:
    alice.create()
    hall.advance(1)
    alice.order("startNewOutInteraction")
    hall.advance(2)
    alice.order("acceptRtc")
    hall.advance(0.5 + 10)
    alice.ask("setMute", **alice.workitem, mute=True)
    hall.advance(4)
    alice.order("setHold")
    hall.advance(30)
    alice.order("setResume")
    hall.advance(1.25)
    alice.order("hangUp")
    hall.advance(8)
    alice.order("finishWorkitem")
    record = hall.record(alice.ids["interactionID"])
    assert [(entry["state"], entry["seconds"]) for entry in record["states"]] == [
        ("created", 1.0),
        ("dialling", 2.5),
        ("connected", 10.0),
        ("connected", 4.0),
        ("held", 30.0),
        ("connected", 1.25),
        ("wrapUp", 8.0),
        ("finished", None),
    ]
    assert [entry.get("muted", False) for entry in record["states"]] == [
        False,
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert (record["talk_s"], record["hold_s"]) == (15.25, 30.0)
    assert (record["disposition"], record["ended_by"], record["state"]) == ("resolved", "agent", "finished")
    assert (record["started_at"], record["finished_at"]) == ("2026-09-21T14:13:20.123Z", "2026-09-21T14:14:16.873Z")
    assert (record["user"], record["direction"], record["channel"]) == ("alice", "out", "voice")
    customer = record["parties"][1]
    assert (customer["joined_at"], customer["left_at"]) == (record["states"][2]["at"], record["states"][6]["at"])


def test_a_record_is_there_from_the_first_state_on(hall, alice) -> None:
    alice.create()
    record = hall.record(alice.ids["interactionID"])
    assert (record["state"], record["finished_at"], record["ended_by"]) == ("created", None, None)


@pytest.mark.parametrize("state", ["created", "dialling", "ringing", "connected", "held"])
def test_a_desk_that_goes_in_the_middle_leaves_an_honest_record(hall, alice, state: str) -> None:
    alice.bring_to(state)
    hall.advance(0.25)
    hall.floor.leave(alice.agent, "deskDisconnected", hall.now_ms)
    record = hall.record(alice.ids["interactionID"])
    assert (record["state"], record["ended_by"], record["disposition"]) == ("finished", "deskDisconnected", None)
    assert record["states"][-1]["reason"] == "deskDisconnected"
    assert record["states"][-2]["seconds"] is not None
    assert all(party["left_at"] == record["finished_at"] for party in record["parties"] if party["joined_at"])
    assert record["talk_s"] == (0.25 if state == "connected" else 0.0)
    assert not hall.floor.calls
    assert alice.wait(60) == []


def test_a_desk_that_goes_before_it_has_finished(hall, alice) -> None:
    alice.wrap_up()
    hall.floor.leave(alice.agent, "deskDisconnected", hall.now_ms)
    record = hall.record(alice.ids["interactionID"])
    assert (record["state"], record["ended_by"], record["disposition"]) == ("finished", "agent", None)
    assert record["states"][-1]["reason"] == "deskDisconnected"


def test_a_desk_that_goes_after_it_has_finished(hall, alice) -> None:
    alice.finish()
    before = hall.record(alice.ids["interactionID"])
    hall.floor.leave(alice.agent, "deskDisconnected", hall.now_ms)
    hall.floor.leave(alice.agent, "deskDisconnected", hall.now_ms)
    hall.advance(60)
    assert hall.record(alice.ids["interactionID"]) == before
    assert before["disposition"] == "resolved"
    assert not hall.floor.calls


def test_the_centre_closes_in_the_middle_of_a_call(hall, alice) -> None:
    alice.connect()
    hall.floor.close(hall.now_ms)
    assert hall.record(alice.ids["interactionID"])["ended_by"] == "centreStopped"
    assert not hall.floor.agents


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

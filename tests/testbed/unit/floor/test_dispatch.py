"""An inbound call: queue, routing, offers, and what the desk hears."""

from __future__ import annotations

import pytest


def states(hall, interaction_id: str) -> list[tuple[str, str | None]]:
    return [(entry["state"], entry["user"]) for entry in hall.record(interaction_id)["states"]]


def test_an_inbound_call_message_by_message(hall) -> None:
    (alice,) = hall.ready("alice")
    alice.listen()
    interaction_id = hall.call("79990001122", skill="support")
    assert alice.news().names == ["agentCapacity", "newWorkitemState offered"]
    capacity, offered = (data for _, data in alice.heard)
    assert capacity == {"voice": 0, "chat": 3, "task": 5}
    workitem = {"workitemID": offered["workitemID"]}
    assert offered == {
        **workitem,
        "interactionID": interaction_id,
        "channel": "voice",
        "from": "79990001122",
        "skill": "support",
        "state": "offered",
        "muted": False,
        "at": "2026-09-21T14:13:20.123Z",
    }
    hall.advance(2)
    said = alice.ask("acceptInteraction", **workitem)
    assert said.names == ["resultAcceptInteraction", "newRtc"]
    assert said[0][1] == {"result": "success", "interactionID": interaction_id}
    assert said[1][1]["offer"].startswith("v=0\r\n")
    said = alice.ask("acceptRtc", **workitem, interactionID=interaction_id, answer="v=0")
    assert said.names == ["resultAcceptRtc", "newWorkitemState connected", "workitemPartyList"]
    assert said[2][1]["parties"] == [
        {"role": "customer", "name": "79990001122", "state": "connected"},
        {"role": "agent", "name": "alice", "state": "connected"},
    ]
    hall.advance(3)
    said = alice.ask("hangUp", **workitem)
    assert said.names == ["resultHangUp", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    said = alice.ask("finishWorkitem", **workitem, dispositionID="resolved")
    assert said.names == ["newWorkitemState finished", "resultFinishWorkitem"]
    assert alice.wait(0.3).names == ["agentCapacity", "newAgentState ready"]
    assert alice.wait(600) == []
    record = hall.record(interaction_id)
    assert [(entry["state"], entry["seconds"], entry["user"]) for entry in record["states"]] == [
        ("queued", 0.0, None),
        ("offered", 2.0, "alice"),
        ("accepted", 0.0, "alice"),
        ("connected", 3.0, "alice"),
        ("wrapUp", 0.0, "alice"),
        ("finished", None, "alice"),
    ]
    assert (record["direction"], record["from"], record["user"], record["users"]) == (
        "in",
        "79990001122",
        "alice",
        ["alice"],
    )
    assert (record["talk_s"], record["disposition"], record["ended_by"]) == (3.0, "resolved", "agent")


def test_a_call_waits_until_a_desk_is_ready(hall) -> None:
    alice = hall.arrive("alice")
    interaction_id = hall.call()
    hall.advance(4)
    alice.listen()
    alice.ask("changeAgentState", state="ready")
    assert alice.heard.names == [
        "resultChangeAgentState",
        "newAgentState ready",
        "agentCapacity",
        "newWorkitemState offered",
    ]
    assert hall.record(interaction_id)["states"][0]["seconds"] == 4.0


def test_the_longest_idle_desk_is_first(hall) -> None:
    bob, alice, dave = hall.ready("bob", "alice", "dave")
    assert [hall.offered_to(hall.call()) for _ in range(3)] == ["bob", "alice", "dave"]
    for desk in (alice, dave, bob):
        desk.take_offer()
        desk.order("hangUp")
        desk.order("finishWorkitem")
        hall.advance(0.3)
    assert [hall.offered_to(hall.call()) for _ in range(3)] == ["alice", "dave", "bob"]


def test_only_desks_with_the_skill_get_the_call(hall) -> None:
    hall.ready("bob", "dave", "erin")
    assert hall.offered_to(hall.call(skill="billing")) == "dave"
    assert hall.offered_to(hall.call(skill="billing")) == "erin"
    waiting = hall.call(skill="billing")
    assert hall.offered_to(waiting) is None
    assert hall.offered_to(hall.call(skill="sales")) == "bob"
    assert hall.record(waiting)["state"] == "queued"


def test_a_desk_that_becomes_free_takes_who_came_first(hall) -> None:
    calls = [hall.call("1", skill="billing"), hall.call("2"), hall.call("3", skill="sales")]
    (bob,) = hall.ready("bob")
    assert hall.offered_to(calls[1]) == "bob"
    bob.take_offer()
    bob.order("hangUp")
    bob.order("finishWorkitem")
    assert hall.offered_to(calls[2]) is None
    hall.advance(0.3)
    assert hall.offered_to(calls[2]) == "bob"
    assert hall.offered_to(calls[0]) is None


def test_the_line_that_was_called_rings_first(hall) -> None:
    hall.ready("alice", "bob")
    line = hall.users["bob"].line
    first, second = hall.call(to=line), hall.call(to=line)
    assert (hall.offered_to(first), hall.offered_to(second)) == ("bob", "alice")
    assert hall.record(first)["destination"] == line


def test_what_is_not_accepted_in_time_goes_on_to_the_next(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    interaction_id = hall.call()
    workitem = alice.offered()["workitemID"]
    alice.listen()
    hall.advance(9.999)
    assert alice.heard == []
    hall.advance(0.001)
    assert alice.heard.names == ["newWorkitemState finished", "agentCapacity"]
    assert alice.heard[0][1]["reason"] == "noAnswer"
    assert hall.offered_to(interaction_id) == "bob"
    alice.ask("acceptInteraction", workitemID=workitem).refused("acceptInteraction", "unknownWorkitem")
    bob.take_offer()
    assert states(hall, interaction_id) == [
        ("queued", None),
        ("offered", "alice"),
        ("finished", "alice"),
        ("queued", None),
        ("offered", "bob"),
        ("accepted", "bob"),
        ("connected", "bob"),
    ]
    assert hall.record(interaction_id)["users"] == ["bob"]


def test_a_rejected_call_goes_to_another_desk_and_comes_back_when_there_is_none(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    interaction_id = hall.call()
    said = alice.ask("rejectInteraction", workitemID=alice.offered()["workitemID"])
    assert said.names == ["resultRejectInteraction", "newWorkitemState finished", "agentCapacity"]
    assert said[1][1]["reason"] == "rejected"
    assert said[2][1]["voice"] == 1
    assert hall.offered_to(interaction_id) == "bob"
    bob.ask("rejectInteraction", workitemID=bob.offered()["workitemID"])
    assert hall.offered_to(interaction_id) == "alice"
    bob.ask("changeAgentState", state="break")
    alice.ask("rejectInteraction", workitemID=alice.offered()["workitemID"])
    assert hall.offered_to(interaction_id) == "alice"
    alice.take_offer()


def test_a_desk_that_rejects_stays_the_longest_idle(hall) -> None:
    alice, _ = hall.ready("alice", "bob")
    hall.call()
    alice.ask("rejectInteraction", workitemID=alice.offered()["workitemID"])
    assert hall.offered_to(hall.call()) == "alice"


def test_a_desk_that_rejects_gets_what_waits_before_it_gets_the_same_again(hall) -> None:
    (alice,) = hall.ready("alice")
    first, second = hall.call("1"), hall.call("2")
    alice.ask("rejectInteraction", workitemID=alice.offered()["workitemID"])
    assert (hall.offered_to(first), hall.offered_to(second)) == (None, "alice")


def test_an_offer_stays_when_the_agent_chooses_another_state(hall) -> None:
    (alice,) = hall.ready("alice")
    hall.call()
    alice.ask("changeAgentState", state="break")
    assert alice.take_offer() == "connected"


def test_a_desk_with_a_call_of_its_own_gets_none(hall) -> None:
    (alice,) = hall.ready("alice")
    alice.create()
    interaction_id = hall.call()
    assert hall.offered_to(interaction_id) is None
    alice.order("startNewOutInteraction")
    alice.order("hangUp")
    alice.order("finishWorkitem")
    alice.ask("changeAgentState", state="ready")
    assert hall.offered_to(interaction_id) is None
    hall.advance(0.3)
    assert hall.offered_to(interaction_id) == "alice"
    alice.ask("newOutInteraction", destination="1").refused("newOutInteraction", "wrongState")


def test_the_customer_is_on_the_line_a_little_later(hall) -> None:
    (alice,) = hall.ready("alice")
    hall.call(ring_s=0.7)
    assert alice.take_offer() == "accepted"
    assert alice.wait(0.699) == []
    assert alice.wait(0.001).names == ["newWorkitemState connected", "workitemPartyList"]


@pytest.mark.parametrize("where", ["queue", "offered", "accepted", "connected", "held"])
def test_the_customer_hangs_up(hall, where: str) -> None:
    interaction_id = hall.call()
    if where != "queue":
        (alice,) = hall.ready("alice")
    if where in ("connected", "held"):
        alice.take_offer()
    if where == "held":
        alice.order("setHold")
    if where == "accepted":
        alice.ids = alice.offered()
        alice.order("acceptInteraction")
    if where != "queue":
        alice.listen()
    hall.advance(1.5)
    hall.customer_leaves(interaction_id)
    record = hall.record(interaction_id)
    assert record["ended_by"] == "customer"
    assert record["states"][-1]["reason"] == "customer"
    assert record["parties"][0]["left_at"] == "2026-09-21T14:13:21.623Z"
    assert record["states"][-2]["seconds"] == 1.5
    if where == "queue":
        assert (record["state"], record["user"]) == ("finished", None)
    elif where == "offered":
        assert alice.heard.names == ["newWorkitemState finished", "agentCapacity"]
        assert record["state"] == "finished"
    else:
        assert alice.heard.names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]
        alice.order("finishWorkitem")
        assert alice.wait(0.3).names == ["agentCapacity", "newAgentState ready"]
        assert hall.record(interaction_id)["disposition"] == "resolved"
    assert not hall.floor.ledger.contacts
    assert hall.customer_leaves(interaction_id) == "unknownInteraction"
    if where != "queue":
        assert hall.offered_to(hall.call()) == "alice"


def test_a_customer_who_has_talked_enough_hangs_up(hall) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.call(talk_s=5)
    hall.advance(3)
    alice.take_offer()
    hall.advance(2)
    alice.order("setHold")
    assert alice.wait(2.999) == []
    assert alice.wait(0.001).names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]
    record = hall.record(interaction_id)
    assert (record["talk_s"], record["hold_s"], record["ended_by"]) == (2.0, 3.0, "customer")


def test_the_customer_of_an_outgoing_call_hangs_up_too(hall, alice) -> None:
    alice.ring()
    assert hall.customer_leaves(alice.ids["interactionID"]) == "wrongState"
    alice.wait(0.5)
    alice.listen()
    hall.customer_leaves(alice.ids["interactionID"])
    assert alice.heard.names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]


def test_mute_hold_resume_and_digits(hall) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.call()
    alice.take_offer()
    for action, state in (("setMute", "connected"), ("setHold", "held"), ("setResume", "connected")):
        said = alice.order(action)
        assert said.names[:2] == [f"result{action[0].upper()}{action[1:]}", f"newWorkitemState {state}"]
        assert said[1][1]["muted"] is True
    alice.order("sendDtmf")
    assert hall.record(interaction_id)["digits"] == "1#"


def test_a_desk_that_goes_gives_its_offer_to_the_next_and_ends_its_call(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    first, second = hall.call(), hall.call()
    bob.take_offer()
    hall.leave(alice)
    assert hall.record(first)["state"] == "queued"
    assert hall.record(first)["states"][2]["reason"] == "deskDisconnected"
    hall.leave(bob)
    assert (hall.record(second)["state"], hall.record(second)["ended_by"]) == ("finished", "deskDisconnected")
    hall.ready("carol")
    assert hall.offered_to(first) == "carol"


def test_closing_time_ends_what_waits_too(hall) -> None:
    waiting = hall.call()
    hall.floor.close(hall.now_ms)
    assert (hall.record(waiting)["state"], hall.record(waiting)["ended_by"]) == ("finished", "centreStopped")
    assert not hall.floor.ledger.contacts

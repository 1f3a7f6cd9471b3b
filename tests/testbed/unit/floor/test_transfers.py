"""Transfers: what both desks hear, who has the customer, and what goes wrong."""

from __future__ import annotations

import pytest

CUSTOMER = "79990001122"


def listening(*desks) -> None:
    for desk in desks:
        desk.listen()


def talking(hall, *others: str, **how):
    """Alice has a customer on the line, and others are ready: (interaction's id, alice, *others)."""
    (alice,) = hall.ready("alice")
    interaction_id = hall.call(CUSTOMER, **how)
    alice.take_offer()
    desks = hall.ready(*others)
    listening(alice, *desks)
    return (interaction_id, alice, *desks)


def consulting(hall):
    interaction_id, alice, bob = talking(hall, "bob")
    alice.transfer("bob", "consult")
    hall.advance(1)
    bob.take_offer()
    listening(alice, bob)
    return interaction_id, alice, bob


def parties(said) -> list[tuple[str, str]]:
    """The names and states of the last party list."""
    (data,) = [data for name, data in said if name == "workitemPartyList"][-1:]
    return [(party["name"], party["state"]) for party in data["parties"]]


def stages(hall, interaction_id: str) -> list[tuple[str, str | None, float | None]]:
    return [(entry["state"], entry["user"], entry["seconds"]) for entry in hall.record(interaction_id)["states"]]


def test_a_blind_transfer(hall) -> None:
    interaction_id, alice, bob = talking(hall, "bob", skill="support")
    hall.advance(5)
    said = alice.transfer("bob", "blind")
    assert said.names == [
        "resultTransfer",
        "newWorkitemState wrapUp",
        "newAgentState wrapUp",
        "workitemPartyList",
    ]
    assert said[1][1]["reason"] == "transferred"
    assert parties(said) == [(CUSTOMER, "connected")]
    assert bob.heard.names == ["agentCapacity", "newWorkitemState offered"]
    offered = bob.heard[1][1]
    assert (offered["interactionID"], offered["from"], offered["transferredBy"]) == (interaction_id, CUSTOMER, "alice")
    assert offered["workitemID"] != alice.ids["workitemID"]
    hall.advance(2)
    bob.take_offer()
    assert parties(bob.heard) == [(CUSTOMER, "connected"), ("bob", "connected")]
    hall.advance(3)
    alice.order("finishWorkitem")
    bob.order("hangUp")
    bob.ask("finishWorkitem", **bob.workitem, dispositionID="callback")
    assert stages(hall, interaction_id) == [
        ("queued", None, 0.0),
        ("offered", "alice", 0.0),
        ("accepted", "alice", 0.0),
        ("connected", "alice", 5.0),
        ("wrapUp", "alice", 5.0),
        ("queued", None, 0.0),
        ("offered", "bob", 2.0),
        ("accepted", "bob", 0.0),
        ("connected", "bob", 3.0),
        ("finished", "alice", None),
        ("wrapUp", "bob", 0.0),
        ("finished", "bob", None),
    ]
    record = hall.record(interaction_id)
    assert (record["talk_s"], record["disposition"], record["user"]) == (8.0, "callback", "bob")
    assert record["users"] == ["alice", "bob"]
    assert [(party["name"], party["left_at"]) for party in record["parties"]] == [
        (CUSTOMER, "2026-09-21T14:13:30.123Z"),
        ("alice", "2026-09-21T14:13:25.123Z"),
        ("bob", "2026-09-21T14:13:30.123Z"),
    ]
    assert [entry.get("disposition") for entry in record["states"] if entry["state"] == "finished"] == [
        "resolved",
        "callback",
    ]


def test_a_customer_on_hold_is_transferred_and_held_no_longer(hall) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    alice.order("setHold")
    hall.advance(4)
    alice.transfer("bob", "blind")
    bob.take_offer()
    assert parties(bob.heard) == [(CUSTOMER, "connected"), ("bob", "connected")]
    assert hall.record(interaction_id)["hold_s"] == 4.0


def test_a_blind_transfer_to_a_skill_waits_for_whoever_has_it(hall) -> None:
    interaction_id, alice, erin = talking(hall, "erin")
    erin.ask("changeAgentState", state="break")
    alice.transfer("billing", "blind")
    record = hall.record(interaction_id)
    assert (record["state"], record["skill"], record["user"]) == ("queued", "billing", None)
    hall.ready("bob")
    assert hall.offered_to(interaction_id) is None
    erin.ask("changeAgentState", state="ready")
    assert hall.offered_to(interaction_id) == "erin"


@pytest.mark.parametrize("how", ["rejects", "does not answer", "leaves"])
def test_a_blind_transfer_that_is_not_taken_goes_to_the_others(hall, how: str) -> None:
    interaction_id, alice, bob, dave = talking(hall, "bob", "dave")
    alice.transfer("dave", "blind")
    assert hall.offered_to(interaction_id) == "dave"
    not_taken(hall, dave, how)
    assert hall.offered_to(interaction_id) == "bob"
    bob.take_offer()


def not_taken(hall, desk, how: str) -> None:
    if how == "rejects":
        desk.ask("rejectInteraction", workitemID=desk.offered()["workitemID"])
    elif how == "leaves":
        hall.leave(desk)
    else:
        hall.advance(10)


def test_nobody_takes_it_and_it_comes_back_to_who_gave_it(hall) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    alice.transfer("bob", "blind")
    hall.leave(bob)
    assert hall.record(interaction_id)["state"] == "queued"
    alice.order("finishWorkitem")
    hall.advance(0.3)
    assert hall.offered_to(interaction_id) == "alice"
    alice.take_offer()
    alice.order("hangUp")
    assert [party["name"] for party in hall.record(interaction_id)["parties"]] == [CUSTOMER, "alice", "alice"]


def test_an_outgoing_call_is_transferred_too(hall, alice) -> None:
    (bob,) = hall.ready("bob")
    alice.connect()
    alice.transfer("bob", "blind")
    offered = next(data for name, data in bob.heard if name == "newWorkitemState")
    assert (offered["from"], offered["transferredBy"]) == ("890000002", "alice")
    assert "destination" not in offered
    assert bob.take_offer() == "connected"
    assert hall.record(alice.ids["interactionID"])["direction"] == "out"


def test_a_consult_and_its_completion(hall) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    hall.advance(5)
    said = alice.transfer("bob", "consult")
    assert said.names == ["resultTransfer", "newWorkitemState held", "workitemPartyList"]
    assert parties(said) == [(CUSTOMER, "held"), ("alice", "connected")]
    offered = bob.heard[1][1]
    assert (offered["state"], offered["from"], offered["transferredBy"], offered["consult"]) == (
        "offered",
        CUSTOMER,
        "alice",
        True,
    )
    hall.advance(2)
    alice.listen()
    bob.take_offer()
    assert bob.heard.names == ["resultAcceptRtc", "newWorkitemState connected", "workitemPartyList"]
    assert bob.heard[1][1]["consult"] is True
    assert alice.heard.names == ["workitemPartyList"]
    both = [(CUSTOMER, "held"), ("alice", "connected"), ("bob", "connected")]
    assert parties(alice.heard) == parties(bob.heard) == both
    hall.advance(30)
    bob.listen()
    said = alice.order("completeTransfer")
    assert said.names == [
        "resultCompleteTransfer",
        "newWorkitemState wrapUp",
        "newAgentState wrapUp",
        "workitemPartyList",
    ]
    assert bob.heard.names == ["newWorkitemState connected", "workitemPartyList"]
    assert "consult" not in bob.heard[0][1]
    assert parties(said) == parties(bob.heard) == [(CUSTOMER, "connected"), ("bob", "connected")]
    hall.advance(4)
    bob.order("setHold")
    bob.order("setResume")
    bob.order("hangUp")
    bob.ask("finishWorkitem", **bob.workitem, dispositionID="callback")
    alice.order("finishWorkitem")
    record = hall.record(interaction_id)
    assert (record["talk_s"], record["hold_s"]) == (9.0, 32.0)
    assert (record["disposition"], record["user"], record["users"]) == ("callback", "bob", ["alice", "bob"])
    states = [(entry["state"], entry.get("consult", False)) for entry in record["states"] if entry["user"] == "bob"]
    assert states == [
        *(("offered", True), ("accepted", True), ("connected", True), ("connected", False)),
        *(("held", False), ("connected", False), ("wrapUp", False), ("finished", False)),
    ]
    assert record["state"] == "finished"


@pytest.mark.parametrize("when", ["offered", "accepted", "connected"])
def test_a_consult_that_is_cancelled(hall, when: str) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    alice.order("setHold")
    alice.transfer("bob", "consult")
    bob.ids = bob.offered()
    if when != "offered":
        bob.order("acceptInteraction")
    if when == "connected":
        bob.order("acceptRtc")
    bob.listen()
    said = alice.order("cancelTransfer")
    assert said.names == ["resultCancelTransfer", "newWorkitemState connected", "workitemPartyList"]
    assert parties(said) == [(CUSTOMER, "connected"), ("alice", "connected")]
    if when == "offered":
        assert bob.heard.names == ["newWorkitemState finished", "agentCapacity"]
    else:
        assert bob.heard.names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]
        bob.order("finishWorkitem")
        assert bob.wait(0.3).names == ["agentCapacity", "newAgentState ready"]
    assert hall.record(interaction_id)["disposition"] is None
    alice.order("cancelTransfer").refused("cancelTransfer", "wrongState")
    hall.advance(60)
    alice.transfer("bob", "consult")
    assert hall.offered_to(interaction_id) == "bob"


@pytest.mark.parametrize(
    ("how", "reason"), [("rejects", "rejected"), ("does not answer", "noAnswer"), ("leaves", "deskDisconnected")]
)
def test_a_consult_that_is_not_taken_brings_the_customer_back(hall, how: str, reason: str) -> None:
    _, alice, bob, _ = talking(hall, "bob", "dave")
    alice.transfer("bob", "consult")
    alice.listen()
    not_taken(hall, bob, how)
    assert alice.heard.names == ["newWorkitemState connected", "workitemPartyList"]
    assert alice.heard[0][1]["reason"] == reason
    alice.order("completeTransfer").refused("completeTransfer", "wrongState")
    alice.order("setHold")


def test_a_consult_with_a_skill_goes_on_to_the_next_who_has_it(hall) -> None:
    interaction_id, alice, bob, dave, _ = talking(hall, "bob", "dave", "carol")
    alice.transfer("sales", "consult")
    assert hall.offered_to(interaction_id) == "bob"
    not_taken(hall, bob, "rejects")
    assert hall.offered_to(interaction_id) == "dave"
    alice.listen()
    not_taken(hall, dave, "does not answer")
    assert hall.offered_to(interaction_id) is None
    assert alice.heard.names == ["newWorkitemState connected", "workitemPartyList"]


@pytest.mark.parametrize("how", ["hangs up", "leaves"])
def test_the_agent_who_is_consulted_ends_it(hall, how: str) -> None:
    _, alice, bob = consulting(hall)
    if how == "leaves":
        hall.leave(bob)
    else:
        assert bob.order("hangUp").names == ["resultHangUp", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    assert alice.heard.names == ["newWorkitemState connected", "workitemPartyList"]
    assert alice.heard[0][1]["reason"] == ("deskDisconnected" if how == "leaves" else "hungUp")
    assert parties(alice.heard) == [(CUSTOMER, "connected"), ("alice", "connected")]
    alice.order("hangUp")
    assert hall.record(alice.ids["interactionID"])["state"] == "wrapUp"


@pytest.mark.parametrize("when", ["offered", "connected"])
@pytest.mark.parametrize("who", ["customer", "agent", "deskDisconnected"])
def test_the_call_ends_in_the_middle_of_a_consult(hall, who: str, when: str) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    alice.transfer("bob", "consult")
    if when == "connected":
        bob.take_offer()
    listening(alice, bob)
    if who == "customer":
        hall.customer_leaves(interaction_id)
        assert alice.heard.names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]
    elif who == "agent":
        said = alice.order("hangUp")
        assert said.names == ["resultHangUp", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    else:
        hall.leave(alice)
    if when == "offered":
        assert bob.heard.names == ["newWorkitemState finished", "agentCapacity"]
    else:
        assert bob.heard.names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]
        bob.order("finishWorkitem")
    if who != "deskDisconnected":
        alice.order("finishWorkitem")
    hall.advance(0.3)
    record = hall.record(interaction_id)
    assert (record["state"], record["ended_by"]) == ("finished", who)
    assert all(party["left_at"] for party in record["parties"])
    assert not hall.floor.ledger.workitems
    assert not hall.floor.ledger.contacts
    assert hall.offered_to(hall.call()) == "bob"


def test_the_customer_hangs_up_while_a_blind_transfer_is_offered(hall) -> None:
    interaction_id, alice, bob = talking(hall, "bob")
    alice.transfer("bob", "blind")
    bob.listen()
    hall.customer_leaves(interaction_id)
    assert bob.heard.names == ["newWorkitemState finished", "agentCapacity"]
    alice.order("finishWorkitem")
    record = hall.record(interaction_id)
    assert (record["state"], record["ended_by"], record["disposition"]) == ("finished", "customer", None)


def test_a_customer_hangs_up_by_itself_after_a_transfer(hall) -> None:
    _, alice, bob = talking(hall, "bob", talk_s=6)
    hall.advance(3)
    alice.transfer("bob", "blind")
    bob.take_offer()
    assert bob.wait(2.999) == []
    assert bob.wait(0.001).names == ["newWorkitemState wrapUp", "newAgentState wrapUp"]


@pytest.mark.parametrize("kind", ["blind", "consult"])
@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("nobody", "unknownTarget"),
        ("", "unknownTarget"),
        ("erin", "unknownTarget"),
        ("alice", "ownDesk"),
        ("carol", "targetNotReady"),
        ("bob", "targetBusy"),
        ("dave", "targetNotReady"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_and_changes_nothing(hall, kind: str, to: str, code: str) -> None:
    interaction_id, alice, bob, dave = talking(hall, "bob", "dave")
    hall.arrive("carol")
    bob.create()
    dave.connect()
    dave.order("hangUp")
    before = hall.record(interaction_id)
    alice.transfer(to, kind).refused("transfer", code)
    assert hall.record(interaction_id) == before
    assert alice.order("setHold").names[0] == "resultSetHold"


def test_a_consult_with_a_skill_that_nobody_free_has_is_refused(hall) -> None:
    _, alice, erin = talking(hall, "erin")
    erin.create()
    alice.transfer("billing", "consult").refused("transfer", "targetBusy")


def test_an_unknown_kind_is_refused(hall) -> None:
    _, alice, _ = talking(hall, "bob")
    alice.transfer("bob", "warm").refused("transfer", "unknownKind")


@pytest.mark.parametrize("action", ["setHold", "setResume", "transfer"])
def test_what_the_first_agent_cannot_do_while_consulting(hall, action: str) -> None:
    interaction_id, alice, _ = consulting(hall)
    before = hall.record(interaction_id)
    alice.order(action).refused(action, "wrongState")
    assert hall.record(interaction_id) == before


@pytest.mark.parametrize(
    "action", ["setHold", "setResume", "sendDtmf", "transfer", "completeTransfer", "cancelTransfer"]
)
def test_what_the_consulted_agent_cannot_do(hall, action: str) -> None:
    interaction_id, _, bob = consulting(hall)
    before = hall.record(interaction_id)
    bob.order(action).refused(action, "wrongState")
    assert hall.record(interaction_id) == before


def test_mute_while_consulting(hall) -> None:
    interaction_id, alice, bob = consulting(hall)
    assert alice.order("setMute").names == ["resultSetMute", "newWorkitemState held"]
    said = bob.order("setMute")
    assert said.names == ["resultSetMute", "newWorkitemState connected"]
    assert (said[1][1]["consult"], said[1][1]["muted"]) == (True, True)
    hall.advance(10)
    bob.listen()
    alice.order("completeTransfer")
    assert bob.heard[0][1]["muted"] is True
    assert hall.record(interaction_id)["talk_s"] == 0.0


def test_a_consult_cannot_be_completed_before_the_agents_talk(hall) -> None:
    _, alice, bob = talking(hall, "bob")
    alice.transfer("bob", "consult")
    alice.order("completeTransfer").refused("completeTransfer", "wrongState")
    bob.ids = bob.offered()
    bob.order("acceptInteraction")
    alice.order("completeTransfer").refused("completeTransfer", "wrongState")
    bob.order("acceptRtc")
    assert alice.order("completeTransfer")[0][1]["result"] == "success"


def test_a_chain_of_transfers_is_one_interaction(hall) -> None:
    interaction_id, alice, bob, dave = talking(hall, "bob", "dave")
    alice.transfer("bob", "blind")
    bob.take_offer()
    bob.transfer("dave", "consult")
    dave.take_offer()
    bob.order("completeTransfer")
    dave.transfer("sales", "blind")
    for desk in (alice, bob, dave):
        desk.order("finishWorkitem")
    hall.advance(0.3)
    assert hall.offered_to(interaction_id) == "alice"
    assert hall.record(interaction_id)["users"] == ["alice", "bob", "dave"]

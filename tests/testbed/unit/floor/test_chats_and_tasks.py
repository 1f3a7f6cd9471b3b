"""Chats and tasks: offered, taken, written, given on and done, several at a time and beside a call."""

from __future__ import annotations

import pytest

from antiphon.errors import ErrorReply


def capacity(said) -> dict[str, int]:
    """The room left, as told last."""
    return [data for name, data in said if name == "agentCapacity"][-1]


def texts(said) -> list[tuple[str, str]]:
    return [(data["from"], data["text"]) for name, data in said if name == "newChatMessage"]


def test_a_chat_message_by_message(hall) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.chat("zoe", "hello")
    assert alice.heard.names == ["agentCapacity", "newWorkitemState offered"]
    assert capacity(alice.heard) == {"voice": 1, "chat": 2, "task": 5}
    offered = alice.heard[1][1]
    workitem = {"workitemID": offered["workitemID"]}
    assert offered == {
        **workitem,
        "interactionID": interaction_id,
        "channel": "chat",
        "from": "zoe",
        "text": "hello",
        "state": "offered",
        "at": "2026-09-21T14:13:20.123Z",
    }
    assert hall.customer_writes(interaction_id, "anybody there?")
    hall.advance(2)
    said = alice.ask("acceptInteraction", **workitem)
    assert said.names == [
        "resultAcceptInteraction",
        "newWorkitemState connected",
        "workitemPartyList",
        "newChatMessage",
        "newChatMessage",
    ]
    assert texts(said) == [("zoe", "hello"), ("zoe", "anybody there?")]
    assert said[2][1]["parties"] == [
        {"role": "customer", "name": "zoe", "state": "connected"},
        {"role": "agent", "name": "alice", "state": "connected"},
    ]
    hall.advance(1)
    ((name, answer),) = alice.ask("sendChatMessage", **workitem, text="here I am")
    assert (name, answer["result"]) == ("resultSendChatMessage", "success")
    alice.listen()
    message_id = hall.customer_writes(interaction_id, "good")
    assert alice.heard == [
        (
            "newChatMessage",
            {
                **workitem,
                "interactionID": interaction_id,
                "messageID": message_id,
                "role": "customer",
                "from": "zoe",
                "text": "good",
                "at": "2026-09-21T14:13:23.123Z",
            },
        )
    ]
    said = alice.ask("hangUp", **workitem)
    assert said.names == ["resultHangUp", "newWorkitemState wrapUp"]
    said = alice.ask("finishWorkitem", **workitem, dispositionID="resolved")
    assert said.names == ["newWorkitemState finished", "resultFinishWorkitem"]
    assert alice.wait(0.3) == [("agentCapacity", {"voice": 1, "chat": 3, "task": 5})]
    record = hall.record(interaction_id)
    assert [(message["role"], message["text"]) for message in record["messages"]] == [
        ("customer", "hello"),
        ("customer", "anybody there?"),
        ("agent", "here I am"),
        ("customer", "good"),
    ]
    assert record["messages"][2]["messageID"] == answer["messageID"]
    assert (record["talk_s"], record["disposition"], record["ended_by"]) == (1.0, "resolved", "agent")
    assert [entry["state"] for entry in record["states"]] == ["queued", "offered", "connected", "wrapUp", "finished"]


@pytest.mark.parametrize("where", ["queue", "offered", "connected"])
def test_a_customer_leaves_a_chat(hall, where: str) -> None:
    interaction_id = hall.chat()
    if where != "queue":
        (alice,) = hall.ready("alice")
    if where == "connected":
        alice.take_offer()
    if where != "queue":
        alice.listen()
    hall.customer_leaves(interaction_id, "chat")
    if where == "offered":
        assert alice.heard.names == ["newWorkitemState finished", "agentCapacity"]
    if where == "connected":
        assert alice.heard.names == ["newWorkitemState wrapUp"]
        alice.order("sendChatMessage").refused("sendChatMessage", "wrongState")
        alice.order("finishWorkitem")
    assert (hall.record(interaction_id)["state"], hall.record(interaction_id)["ended_by"]) == ("finished", "customer")
    with pytest.raises(ErrorReply) as refused:
        hall.customer_writes(interaction_id, "one more thing")
    assert refused.value.code == "unknownInteraction"


def test_three_chats_five_tasks_and_a_call_at_one_desk(hall) -> None:
    (alice,) = hall.ready("alice")
    chats = [hall.chat(f"zoe{number}") for number in range(4)]
    tasks = [hall.task(f"task {number}") for number in range(6)]
    call = hall.call()
    offered = {work.interaction.id: work.workitem_id for work in alice.agent.work}
    assert set(offered) == {*chats[:3], *tasks[:5], call}
    assert capacity(alice.heard) == {"voice": 0, "chat": 0, "task": 0}
    for workitem_id in offered.values():
        alice.ask("acceptInteraction", workitemID=workitem_id)
    alice.ask("acceptRtc", workitemID=offered[call], interactionID=call, answer="v=0")
    alice.ask("completeTask", workitemID=offered[tasks[1]], outcome="done")
    assert alice.ask("hangUp", workitemID=offered[chats[2]]).names == ["resultHangUp", "newWorkitemState wrapUp"]
    alice.ask("finishWorkitem", workitemID=offered[chats[2]], dispositionID="resolved")
    assert hall.offered_to(tasks[5]) is None
    alice.listen()
    hall.advance(0.3)
    assert hall.offered_to(tasks[5]) == hall.offered_to(chats[3]) == "alice"
    assert capacity(alice.heard) == {"voice": 0, "chat": 0, "task": 0}
    assert alice.agent.state == "ready"


def test_nothing_new_comes_while_a_call_is_wrapped_up_and_what_goes_on_goes_on(hall) -> None:
    (alice,) = hall.ready("alice")
    chat, call = hall.chat(), hall.call()
    by_contact = {work.interaction.id: work.workitem_id for work in alice.agent.work}
    alice.ask("acceptInteraction", workitemID=by_contact[chat])
    alice.ask("acceptInteraction", workitemID=by_contact[call])
    alice.ask("hangUp", workitemID=by_contact[call])
    assert alice.agent.state == "wrapUp"
    waiting = hall.chat("yan")
    assert hall.offered_to(waiting) is None
    assert alice.ask("sendChatMessage", workitemID=by_contact[chat], text="moment")[0][1]["result"] == "success"
    alice.ask("changeAgentState", state="ready").refused("changeAgentState", "wrongState")
    alice.ask("finishWorkitem", workitemID=by_contact[call], dispositionID="resolved")
    said = alice.wait(0.3)
    assert said.names == ["agentCapacity", "newAgentState ready", "agentCapacity", "newWorkitemState offered"]
    assert (said[0][1], said[2][1]) == ({"voice": 1, "chat": 2, "task": 5}, {"voice": 1, "chat": 1, "task": 5})


def test_a_chat_in_wrap_up_does_not_stop_calls(hall) -> None:
    (alice,) = hall.ready("alice")
    hall.chat()
    alice.take_offer()
    alice.order("hangUp")
    assert hall.offered_to(hall.call()) == "alice"
    assert alice.ask("changeAgentState", state="break")[0][1]["result"] == "success"


def test_chats_go_to_who_has_least_in_hand(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    given = []
    for number in range(6):
        given.append(hall.offered_to(hall.chat(f"zoe{number}")))
        (alice if given[-1] == "alice" else bob).take_offer()
    assert given == ["alice", "bob", "alice", "bob", "alice", "bob"]
    waiting = hall.chat("zoe6")
    assert hall.offered_to(waiting) is None
    bob.order("hangUp")
    bob.order("finishWorkitem")
    hall.advance(0.3)
    assert hall.offered_to(waiting) == "bob"


@pytest.mark.parametrize("kind", ["chat", "task"])
def test_not_taken_goes_to_the_next(hall, kind: str) -> None:
    alice, bob = hall.ready("alice", "bob")
    interaction_id = getattr(hall, kind)()
    said = alice.ask("rejectInteraction", workitemID=alice.offered()["workitemID"])
    assert said.names == ["resultRejectInteraction", "newWorkitemState finished", "agentCapacity"]
    assert hall.offered_to(interaction_id) == "bob"
    hall.advance(10)
    assert hall.offered_to(interaction_id) == "alice"
    alice.take_offer()
    assert bob.agent.free == {"voice": 1, "chat": 3, "task": 5}


@pytest.mark.parametrize("kind", ["chat", "task"])
@pytest.mark.parametrize("state", ["offered", "connected"])
def test_a_desk_that_goes_loses_neither_chats_nor_tasks(hall, kind: str, state: str) -> None:
    alice, bob = hall.ready("alice", "bob")
    interaction_id = getattr(hall, kind)()
    if state == "connected":
        alice.take_offer()
    hall.leave(alice)
    record = hall.record(interaction_id)
    assert (record["state"], record["ended_by"], record["user"]) == ("offered", None, None)
    assert [entry.get("reason") for entry in record["states"] if entry["state"] == "finished"] == ["deskDisconnected"]
    assert bob.take_offer() == "connected"


def test_a_chat_is_transferred_with_all_that_was_written(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    interaction_id = hall.chat("zoe", "hello")
    alice.take_offer()
    alice.order("sendChatMessage")
    said = alice.transfer("bob", "blind")
    assert said.names == ["resultTransfer", "newWorkitemState wrapUp", "workitemPartyList"]
    hall.customer_writes(interaction_id, "and now?")
    alice.order("sendChatMessage").refused("sendChatMessage", "wrongState")
    bob.ids = bob.offered()
    assert texts(bob.order("acceptInteraction")) == [("zoe", "hello"), ("alice", "hello"), ("zoe", "and now?")]
    alice.order("finishWorkitem")
    bob.order("hangUp")
    bob.ask("finishWorkitem", **bob.workitem, dispositionID="callback")
    assert (hall.record(interaction_id)["users"], hall.record(interaction_id)["disposition"]) == (
        ["alice", "bob"],
        "callback",
    )
    bob.order("setHold").refused("setHold", "wrongChannel")


def test_a_chat_is_not_transferred_by_consulting(hall) -> None:
    alice, _ = hall.ready("alice", "bob")
    hall.chat()
    alice.take_offer()
    alice.transfer("bob", "consult").refused("transfer", "wrongChannel")


@pytest.mark.parametrize("text", ["", " \n", "x" * 4097])
def test_a_text_that_cannot_be_is_refused_on_both_sides(hall, text: str) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.chat()
    alice.take_offer()
    alice.ask("sendChatMessage", **alice.workitem, text=text).refused("sendChatMessage", "badText")
    with pytest.raises(ErrorReply, match="characters"):
        hall.customer_writes(interaction_id, text)
    assert len(hall.record(interaction_id)["messages"]) == 1


def test_a_chat_has_an_end_of_messages(hall) -> None:
    interaction_id = hall.chat()
    for number in range(999):
        hall.customer_writes(interaction_id, f"{number}")
    with pytest.raises(ErrorReply, match="1000"):
        hall.customer_writes(interaction_id, "one more")


def test_a_task_message_by_message(hall) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.task("call back", skill="support")
    offered = alice.heard[1][1]
    assert offered == {
        "workitemID": offered["workitemID"],
        "interactionID": interaction_id,
        "channel": "task",
        "title": "call back",
        "due": None,
        "skill": "support",
        "state": "offered",
        "at": "2026-09-21T14:13:20.123Z",
    }
    alice.ids = alice.offered()
    said = alice.order("acceptInteraction")
    assert said.names == ["resultAcceptInteraction", "newWorkitemState connected", "workitemPartyList"]
    hall.advance(20)
    said = alice.ask("completeTask", **alice.workitem, outcome="reached")
    assert said.names == ["resultCompleteTask", "newWorkitemState finished"]
    assert said[1][1]["outcome"] == "reached"
    assert alice.wait(0.3) == [("agentCapacity", {"voice": 1, "chat": 3, "task": 5})]
    record = hall.record(interaction_id)
    assert (record["title"], record["due"], record["outcome"]) == ("call back", None, "reached")
    assert (record["state"], record["ended_by"], record["talk_s"]) == ("finished", "agent", 20.0)
    assert not hall.floor.ledger.contacts
    assert not hall.floor.ledger.workitems


@pytest.mark.parametrize("outcome", ["", "  ", "x" * 201])
def test_an_outcome_that_cannot_be(hall, outcome: str) -> None:
    (alice,) = hall.ready("alice")
    interaction_id = hall.task()
    alice.take_offer()
    alice.ask("completeTask", **alice.workitem, outcome=outcome).refused("completeTask", "badOutcome")
    assert hall.record(interaction_id)["state"] == "connected"


def test_a_task_is_given_to_somebody_else(hall) -> None:
    alice, bob = hall.ready("alice", "bob")
    hall.task()
    alice.take_offer()
    said = alice.transfer("bob", "blind")
    assert said.names == ["resultTransfer", "newWorkitemState finished", "workitemPartyList"]
    assert alice.wait(0.3).names == ["agentCapacity"]
    bob.take_offer()
    assert bob.order("completeTask")[0][1]["result"] == "success"


@pytest.mark.parametrize("action", ["hangUp", "setHold", "setMute", "sendDtmf", "sendChatMessage"])
def test_what_a_task_cannot_do(hall, action: str) -> None:
    (alice,) = hall.ready("alice")
    hall.task()
    alice.take_offer()
    alice.order(action).refused(action, "wrongChannel")


@pytest.mark.parametrize("action", ["sendChatMessage", "hangUp", "completeTask", "finishWorkitem", "transfer"])
def test_what_is_only_offered_cannot_be_worked_on(hall, action: str) -> None:
    (alice,) = hall.ready("alice")
    hall.task() if action == "completeTask" else hall.chat()
    alice.ids = alice.offered()
    alice.order(action).refused(action, "wrongState")

"""The talk's long case and its siblings: customers call, and the records agree with what the desks heard."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import everything
import inbound
import msgspec
import pytest
import transfers

from antiphon import Run, Scenario, Stand, perform
from antiphon.conversation.message import Message
from antiphon.journal import StepEnded, StepStarted
from antiphon_testbed import ContactCentre, Fault, Missing, Twice, WrongField, WrongId

pytestmark = pytest.mark.xdist_group("inbound_call")  # what they share is made once

TELEPHONE = "89161234567"


class Played(msgspec.Struct):
    """A scenario performed at a centre of its own, and all that the centre has recorded."""

    run: Run
    agreement: Any

    @property
    def record(self) -> dict[str, Any]:
        """Of a scenario with one contact."""
        (record,) = self.agreement.records.values()
        return dict(record)


def play_at_centre(
    agreement: Any, scenario: Scenario[Any, Any], faults: tuple[Fault, ...] = (), **parameters: Any
) -> Played:
    async def at_centre() -> Played:
        async with ContactCentre(answer_after_s=0, release_s=0, faults=faults) as centre:
            stand = Stand("test", centre.addresses, users=centre.users)
            run = await perform(scenario, stand=stand, runs=None, strict=not faults, **parameters)
            assert {fault.word for fault in faults} == set(centre.faults_happened)
            return Played(run, await agreement.at(centre, [run]))

    return asyncio.run(at_centre())


@pytest.fixture(scope="module")
def long_case(agreement: Any) -> Played:
    return play_at_centre(agreement, inbound.long_case, telephone=TELEPHONE, rings_s=0.05)


def heard(run: Run, actor: str, name: str) -> list[Message]:
    said = [entry for entry in run.journal if isinstance(entry, Message)]
    return [message for message in said if message.actor == actor and message.name == name and not message.is_sent]


def steps(run: Run, actor: str) -> list[str]:
    return [entry.action for entry in run.journal if isinstance(entry, StepStarted) and entry.actor == actor]


# -- the talk's long case ---------------------------------------------------------------------------------------------


def test_the_long_case_is_done_in_its_order(long_case: Played) -> None:
    done = [entry.title for entry in long_case.run.journal if isinstance(entry, StepStarted)]
    assert done[:4] == ["sign_in()", "set_ready_status()", f"dials('{TELEPHONE}')", f"call(look_up, '{TELEPHONE}')"]
    assert [title.partition("(")[0] for title in done[4:]] == [
        *("wait", "accept_interaction", "mute", "mute", "hold", "resume", "call", "hang_up", "finish_wrapup"),
        *("call", "check"),
    ]
    said = [entry for entry in long_case.run.journal if isinstance(entry, Message) and entry.is_sent]
    asked = [(message.name, message.get("mute")) for message in said if message.name.startswith(("set", "hang"))]
    assert asked == [("setMute", True), ("setMute", False), ("setHold", None), ("setResume", None), ("hangUp", None)]


def test_afterwards_everything_that_was_learnt_is_there(long_case: Played) -> None:
    run = long_case.run
    assert run.returned.names == ["caller", "during", "record"]
    assert run.returned["caller"] == "Ada"
    assert run.operator.interaction_id == run.customer.interaction_id == long_case.record["interactionID"]
    assert (run.returned["during"]["state"], run.returned["during"]["ended_by"]) == ("connected", None)
    assert run.returned["record"]["disposition"] == "resolved"


def test_the_record_over_http_agrees_with_what_the_desk_saw(long_case: Played) -> None:
    """Its seconds are the differences between the times that the desk was told."""
    record, states = long_case.record, heard(long_case.run, "operator", "newWorkitemState")
    assert [state["state"] for state in states] == [
        *("offered", "connected", "connected", "connected", "held", "connected", "wrapUp", "finished"),
    ]
    recorded = [entry for entry in record["states"] if entry["state"] not in ("queued", "accepted")]
    assert [(entry["state"], entry["at"]) for entry in recorded] == [(state["state"], state["at"]) for state in states]
    assert {(entry["user"], entry["workitemID"]) for entry in recorded} == {
        (long_case.run.operator.user.name, long_case.run.operator.workitem_id)
    }
    assert record == long_case.run.returned["record"]
    assert (record["from"], record["direction"], record["ended_by"]) == (TELEPHONE, "in", "agent")


def foreign(record: dict[str, Any]) -> None:
    for entry in record["states"]:
        entry["user"] = entry["user"] and "somebody"


def renamed(record: dict[str, Any]) -> None:
    for entry in record["states"]:
        entry["workitemID"] = entry["workitemID"] and "another"


def later(record: dict[str, Any]) -> None:
    record["states"][-1]["at"] = "2099" + record["states"][-1]["at"][4:]


WRONG: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a state that the desk was not told": lambda record: record["states"].insert(2, record["states"][1]),
    "a state that is not recorded": lambda record: record["states"].pop(4),
    "two states in another order": lambda record: record["states"].reverse(),
    "another time": later,
    "another reason": lambda record: record["states"][-2].update(reason="customer"),
    "another desk": foreign,
    "another workitem": renamed,
    "too much talk": lambda record: record.update(talk_s=record["talk_s"] + 1),
    "no hold": lambda record: record.update(hold_s=record["hold_s"] - 1),
    "a party that was not there": lambda record: record["parties"].pop(),
    "another call": lambda record: record.update(interactionID="another"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_agree_is_found(what: str, long_case: Played, agreement: Any) -> None:
    record = copy.deepcopy(long_case.record)
    WRONG[what](record)
    with pytest.raises(agreement.Disagreement):
        agreement([record], [long_case.run])


def test_a_record_that_is_missing_is_found(long_case: Played, agreement: Any) -> None:
    agreement([long_case.record], [long_case.run])
    with pytest.raises(agreement.Disagreement, match="do not know the same interactions"):
        agreement([], [long_case.run])


def test_two_who_wait_for_each_other(agreement: Any) -> None:
    """The customer hangs up while the operator waits for it."""
    played = play_at_centre(agreement, inbound.impatient, patience_s=0.05)
    assert played.run.operator.interaction_id == played.run.customer.interaction_id
    assert (played.record["state"], played.record["ended_by"]) == ("finished", "customer")
    # How long they talked, the agreement of record and desks has compared: here it counts what came after what.
    order = [
        (type(entry), entry.number if isinstance(entry, StepEnded) else entry.action)
        for entry in played.run.journal
        if isinstance(entry, (StepStarted, StepEnded))
    ]
    patience = next(each for each in played.run.journal if isinstance(each, StepStarted) and each.action == "wait")
    assert [each.value for each in patience.arguments] == [0.05]
    assert order.index((StepEnded, patience.number)) < order.index((StepStarted, "hangs_up"))
    ended = next(state for state in heard(played.run, "operator", "newWorkitemState") if state["state"] == "wrapUp")
    hung_up = next(each for each in played.run.journal if isinstance(each, StepStarted) and each.action == "hangs_up")
    assert hung_up.at_ns < ended.at_ns
    assert steps(played.run, "customer") == ["dials", "hangs_up"]
    assert steps(played.run, "operator")[-2:] == ["see_it_end", "finish_wrapup"]


# -- transfers --------------------------------------------------------------------------------------------------------


def test_a_customer_is_handed_over_after_a_talk(agreement: Any) -> None:
    played = play_at_centre(agreement, transfers.consult)
    alice, bob = played.run.alice.user.name, played.run.bob.user.name
    record = played.record
    assert record == played.run.value
    assert (record["users"], record["user"], record["disposition"]) == ([alice, bob], bob, "resolved")
    assert [(party["role"], party["name"]) for party in record["parties"]] == [
        ("customer", record["from"]),
        ("agent", alice),
        ("agent", bob),
    ]
    by_desk = [(entry["user"], entry["state"], entry.get("consult", False)) for entry in record["states"]]
    assert [(state, consult) for user, state, consult in by_desk if user == bob] == [
        *(("offered", True), ("accepted", True), ("connected", True), ("connected", False)),
        *(("wrapUp", False), ("finished", False)),
    ]
    assert [state for user, state, _ in by_desk if user == alice] == [
        *("offered", "accepted", "connected", "held", "wrapUp", "finished")
    ]


def test_a_customer_is_handed_over_without_a_word(agreement: Any) -> None:
    played = play_at_centre(agreement, transfers.blind)
    alice, bob = played.run.alice.user.name, played.run.bob.user.name
    assert played.run.alice.interaction_id == played.run.bob.interaction_id
    assert played.run.alice.workitem_id != played.run.bob.workitem_id
    assert played.record["users"] == [alice, bob]
    reasons = {(entry["user"], entry["reason"]) for entry in played.record["states"] if entry["state"] == "wrapUp"}
    assert reasons == {(alice, "transferred"), (bob, "agent")}


def test_a_transfer_that_is_cancelled(agreement: Any) -> None:
    played = play_at_centre(agreement, transfers.change_of_mind)
    alice, bob = played.run.alice.user.name, played.run.bob.user.name
    record = played.record
    assert (record["user"], record["users"]) == (alice, [alice, bob])
    cancelled = {(entry["user"], entry["state"]) for entry in record["states"] if entry.get("reason") == "cancelled"}
    assert cancelled == {(alice, "connected"), (bob, "wrapUp")}


# -- a call, chats and a task at once ---------------------------------------------------------------------------------


def test_a_busy_desk(agreement: Any) -> None:
    played = play_at_centre(agreement, everything.busy_desk)
    by_channel = {record["channel"]: record for record in played.agreement.records.values()}
    assert by_channel.keys() == {"voice", "chat", "task"}
    assert {record["user"] for record in by_channel.values()} == {played.run.clerk.user.name}
    assert by_channel["voice"] == played.run.value
    assert [message["text"] for message in by_channel["chat"]["messages"]] == [
        *("where is my parcel?", "it is on its way", "thank you")
    ]
    assert by_channel["task"]["outcome"] == "all there"


@pytest.mark.parametrize(
    "fault",
    [
        WrongField("newWorkitemState", "at", "2026-01-01T00:00:00.000Z", where={"state": "held"}),
        WrongField("newWorkitemState", "interactionID", "another", where={"state": "wrapUp"}),
        WrongField("workitemPartyList", "parties", [{"role": "customer", "name": "somebody else"}]),
        WrongId("workitemPartyList", "workitemID"),
        Twice("newRtc"),
        Twice("newWorkitemState", where={"state": "finished"}),
        Twice("newChatMessage", nth=2),
        Missing("workitemPartyList"),
    ],
    ids=str,
)
def test_a_desk_that_hears_something_else_is_found(fault: Fault, agreement: Any) -> None:
    """What is wrong does the scenario no harm, and the records do not agree with it."""
    with pytest.raises(agreement.Disagreement):
        play_at_centre(agreement, everything.busy_desk, (fault,))

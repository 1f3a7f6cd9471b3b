"""An outgoing call: what the desk hears, in order."""

from __future__ import annotations

import pytest


def test_an_outgoing_call_message_by_message(hall, alice) -> None:
    assert alice.ask("changeAgentState", state="ready").names == ["resultChangeAgentState", "newAgentState ready"]
    said = alice.ask("newOutInteraction", destination="890000002")
    assert said.names == ["resultNewOutInteraction", "newWorkitemState created"]
    answer = said[0][1]
    assert answer["destination"] == "890000002"
    ids = {"workitemID": answer["workitemID"], "interactionID": answer["interactionID"]}
    assert said[1][1] == {
        **ids,
        "channel": "voice",
        "destination": "890000002",
        "state": "created",
        "muted": False,
        "at": "2026-09-21T14:13:20.123Z",
    }
    said = alice.ask("startNewOutInteraction", workitemID=ids["workitemID"], destination="890000002")
    assert said.names == ["agentCapacity", "newRtc"]
    assert said[0][1] == {"voice": 0, "chat": 3, "task": 5}
    assert said[1][1]["workitemID"] == ids["workitemID"]
    assert said[1][1]["offer"].startswith("v=0\r\n")
    assert alice.wait(60).names == []
    said = alice.ask("acceptRtc", **ids, answer="v=0")
    assert said == [("resultAcceptRtc", {"result": "success", "interactionID": ids["interactionID"]})]
    assert alice.wait(0.499).names == []
    said = alice.wait(0.001)
    assert said.names == ["resultStartNewOutInteraction", "newWorkitemState connected", "workitemPartyList"]
    assert said[0][1]["result"] == "success"
    assert said[2][1] == {
        **ids,
        "parties": [
            {"role": "agent", "name": "alice", "state": "connected"},
            {"role": "customer", "name": "890000002", "state": "connected"},
        ],
    }
    said = alice.ask("hangUp", workitemID=ids["workitemID"])
    assert said.names == ["resultHangUp", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    said = alice.ask("finishWorkitem", workitemID=ids["workitemID"], dispositionID="resolved")
    assert said.names == ["newWorkitemState finished", "resultFinishWorkitem"]
    assert alice.wait(0.299).names == []
    said = alice.wait(0.001)
    assert said.names == ["agentCapacity", "newAgentState ready"]
    assert said[0][1] == {"voice": 1, "chat": 3, "task": 5}
    assert alice.wait(600).names == []
    assert not hall.floor.calls


def test_hold_and_resume(alice) -> None:
    alice.connect()
    said = alice.ask("setHold", **alice.workitem)
    assert said.names == ["resultSetHold", "newWorkitemState held", "workitemPartyList"]
    assert said[2][1]["parties"][1]["state"] == "held"
    said = alice.ask("setResume", **alice.workitem)
    assert said.names == ["resultSetResume", "newWorkitemState connected", "workitemPartyList"]
    assert said[2][1]["parties"][1]["state"] == "connected"


@pytest.mark.parametrize("state", ["connected", "held"])
def test_mute(alice, state: str) -> None:
    alice.bring_to(state)
    for mute in (True, True, False, False):
        said = alice.ask("setMute", **alice.workitem, mute=mute)
        assert said.names == ["resultSetMute", f"newWorkitemState {state}"]
        assert said[1][1]["muted"] is mute


def test_a_call_that_was_muted_ends_unmuted(hall, alice) -> None:
    alice.connect()
    alice.ask("setMute", **alice.workitem, mute=True)
    said = alice.ask("hangUp", **alice.workitem)
    assert said[1][1]["muted"] is False


def test_digits_are_recorded(hall, alice) -> None:
    alice.connect()
    assert alice.ask("sendDtmf", **alice.workitem, digits="12*#") == [("resultSendDtmf", {"result": "success"})]
    alice.ask("sendDtmf", **alice.workitem, digits="AD")
    assert hall.record(alice.ids["interactionID"])["digits"] == "12*#AD"


@pytest.mark.parametrize("digits", ["", "x", "1 2", "1" * 33, "\u0661"])
def test_what_is_no_digit_is_refused(hall, alice, digits: str) -> None:
    alice.connect()
    alice.ask("sendDtmf", **alice.workitem, digits=digits).refused("sendDtmf", "badDigits")
    assert hall.record(alice.ids["interactionID"])["digits"] == ""


@pytest.mark.parametrize(("destination", "ring_s"), [("busy", 0.5), ("noanswer", 20.0)])
def test_a_destination_that_does_not_answer(hall, alice, destination: str, ring_s: float) -> None:
    alice.ask("changeAgentState", state="ready")
    alice.ring(destination)
    assert alice.wait(ring_s - 0.001) == []
    said = alice.wait(0.001)
    assert said.names == ["resultStartNewOutInteraction", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    assert (said[0][1]["result"], said[0][1]["code"]) == ("error", destination)
    assert said[1][1]["reason"] == destination
    said = alice.ask("finishWorkitem", **alice.workitem, dispositionID="busy")
    assert said.names == ["newWorkitemState finished", "resultFinishWorkitem"]
    assert alice.wait(0.3).names == ["agentCapacity", "newAgentState ready"]
    record = hall.record(alice.ids["interactionID"])
    assert (record["ended_by"], record["talk_s"], record["disposition"]) == (destination, 0.0, "busy")
    assert record["parties"][1]["joined_at"] is None


@pytest.mark.parametrize("destination", ["invalid", "", "  ", "1" * 65])
def test_a_destination_that_cannot_be_called(hall, alice, destination: str) -> None:
    alice.ask("newOutInteraction", destination=destination).refused("newOutInteraction", "invalidDestination")
    assert not hall.floor.calls
    assert not hall.interactions
    alice.connect()


@pytest.mark.parametrize("state", ["dialling", "ringing"])
def test_hanging_up_before_the_customer_answers(hall, alice, state: str) -> None:
    alice.bring_to(state)
    said = alice.ask("hangUp", **alice.workitem)
    assert said.names == [
        "resultHangUp",
        "resultStartNewOutInteraction",
        "newWorkitemState wrapUp",
        "newAgentState wrapUp",
    ]
    assert (said[1][1]["result"], said[1][1]["code"]) == ("error", "givenUp")
    assert alice.wait(60) == []
    assert hall.record(alice.ids["interactionID"])["talk_s"] == 0.0


def test_hanging_up_before_dialling(alice) -> None:
    alice.create()
    said = alice.ask("hangUp", **alice.workitem)
    assert said.names == ["resultHangUp", "newWorkitemState wrapUp", "newAgentState wrapUp"]
    alice.order("finishWorkitem")
    said = alice.wait(0.3)
    assert said[0] == ("agentCapacity", {"voice": 1, "chat": 3, "task": 5})


def test_the_agent_goes_back_to_what_it_was_before_the_call(alice) -> None:
    alice.ask("changeAgentState", state="break", reason="lunch")
    alice.finish()
    assert alice.wait(0.3)[1] == ("newAgentState", {"state": "break", "reason": "lunch"})


def test_a_state_chosen_during_the_call_is_kept_after_it(alice) -> None:
    alice.ask("changeAgentState", state="ready")
    alice.connect()
    assert alice.ask("changeAgentState", state="break").names == ["resultChangeAgentState", "newAgentState break"]
    alice.order("hangUp")
    alice.order("finishWorkitem")
    assert alice.wait(0.3).names == ["agentCapacity", "newAgentState break"]


def test_no_state_can_be_chosen_before_the_workitem_is_finished(alice) -> None:
    alice.wrap_up()
    alice.ask("changeAgentState", state="ready").refused("changeAgentState", "wrongState")
    assert alice.agent.state == "wrapUp"
    alice.order("finishWorkitem")
    assert alice.ask("changeAgentState", state="ready").names == ["resultChangeAgentState", "newAgentState ready"]
    assert alice.wait(0.3).names == ["agentCapacity", "newAgentState ready"]


def test_the_next_call_waits_for_the_line(alice) -> None:
    alice.finish()
    alice.ask("newOutInteraction", destination="1").refused("newOutInteraction", "wrongState")
    alice.ask("changeAgentState", state="ready")
    alice.ask("newOutInteraction", destination="1").refused("newOutInteraction", "wrongState")
    alice.wait(0.3)
    alice.connect()

"""Orders that the state of a call forbids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from antiphon_testbed.protocol import REQUESTS, OfWorkitem

ALLOWED = {
    "created": {"startNewOutInteraction", "hangUp"},
    "dialling": {"acceptRtc", "hangUp"},
    "ringing": {"hangUp"},
    "connected": {"setMute", "setHold", "sendDtmf", "transfer", "hangUp"},
    "held": {"setMute", "setResume", "transfer", "hangUp"},
    "wrapUp": {"finishWorkitem"},
    "finished": set[str](),
}
OF_OTHERS = {"sendChatMessage", "completeTask"}
OF_A_CALL = [action for action, fields in REQUESTS.items() if issubclass(fields, OfWorkitem)]


def forbidden() -> Iterator[tuple[str, str]]:
    for state, allowed in ALLOWED.items():
        yield from ((state, action) for action in OF_A_CALL if action not in allowed)


@pytest.mark.parametrize(
    ("state", "action"), [(state, action) for state, may in ALLOWED.items() for action in sorted(may)]
)
def test_what_the_state_allows(hall, alice, state: str, action: str) -> None:
    hall.ready("bob")
    alice.bring_to(state)
    said = alice.order(action)
    assert all(data.get("result") != "error" for name, data in said if name != "resultStartNewOutInteraction")


@pytest.mark.parametrize(("state", "action"), list(forbidden()))
def test_what_the_state_forbids_is_refused_and_changes_nothing(hall, alice, state: str, action: str) -> None:
    alice.bring_to(state)
    before = (hall.record(alice.ids["interactionID"]), dict(alice.agent.free), alice.agent.state)
    alice.order(action).refused(action, "wrongChannel" if action in OF_OTHERS else "wrongState")
    assert (hall.record(alice.ids["interactionID"]), alice.agent.free, alice.agent.state) == before


@pytest.mark.parametrize("state", ["created", "dialling", "connected", "held", "wrapUp"])
def test_a_second_call_is_refused(hall, alice, state: str) -> None:
    alice.bring_to(state)
    alice.ask("newOutInteraction", destination="1").refused("newOutInteraction", "wrongState")
    assert len(hall.floor.calls) == 1


@pytest.mark.parametrize("action", OF_A_CALL)
def test_an_unknown_workitem_is_refused(alice, action: str) -> None:
    alice.ids = {"workitemID": "nobody's", "interactionID": "nobody's"}
    alice.order(action).refused(action, "unknownWorkitem")


@pytest.mark.parametrize("action", OF_A_CALL)
def test_a_foreign_workitem_is_refused(hall, alice, action: str) -> None:
    bob = hall.arrive("bob")
    bob.connect()
    before = hall.record(bob.ids["interactionID"])
    alice.ids = bob.ids
    alice.order(action).refused(action, "foreignWorkitem")
    assert hall.record(bob.ids["interactionID"]) == before


def test_another_destination_than_the_interaction_was_made_for_is_refused(alice) -> None:
    alice.create("1")
    said = alice.ask("startNewOutInteraction", **alice.workitem, destination="2")
    said.refused("startNewOutInteraction", "wrongDestination")
    assert alice.agent.free["voice"] == 1


def test_a_wrong_interaction_or_an_empty_answer_is_refused(alice) -> None:
    alice.dial()
    said = alice.ask("acceptRtc", **alice.workitem, interactionID="another", answer="v=0")
    said.refused("acceptRtc", "wrongInteraction")
    alice.ask("acceptRtc", **alice.ids, answer=" ").refused("acceptRtc", "badAnswer")
    assert alice.wait(60) == []


def test_an_unknown_disposition_is_refused_and_changes_nothing(hall, alice) -> None:
    alice.wrap_up()
    said = alice.ask("finishWorkitem", **alice.workitem, dispositionID="shrugged")
    assert "resolved" in said.refused("finishWorkitem", "unknownDisposition")["message"]
    assert hall.record(alice.ids["interactionID"])["state"] == "wrapUp"

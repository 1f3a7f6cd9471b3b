"""Requests that are none: unknown, or with fields that are missing or of another type."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_testbed.actions import ACTIONS
from antiphon_testbed.protocol import REQUESTS


def test_an_unknown_action_is_an_error_that_names_it(alice) -> None:
    ((name, data),) = alice.ask("makeCoffee")
    assert name == "error"
    assert (data["code"], data["action"]) == ("unknownAction", "makeCoffee")


REQUIRED: dict[str, dict[str, Any]] = {
    "getAgentData": {},
    "getDictionaryData": {"name": "states"},
    "changeAgentState": {"state": "ready"},
    "newOutInteraction": {"destination": "890000002"},
    "startNewOutInteraction": {"workitemID": "w", "destination": "890000002"},
    "acceptRtc": {"workitemID": "w", "interactionID": "i", "answer": "v=0"},
    "acceptInteraction": {"workitemID": "w"},
    "rejectInteraction": {"workitemID": "w"},
    "setMute": {"workitemID": "w", "mute": True},
    "setHold": {"workitemID": "w"},
    "setResume": {"workitemID": "w"},
    "sendDtmf": {"workitemID": "w", "digits": "1"},
    "transfer": {"workitemID": "w", "to": "bob", "kind": "blind"},
    "completeTransfer": {"workitemID": "w"},
    "cancelTransfer": {"workitemID": "w"},
    "sendChatMessage": {"workitemID": "w", "text": "hello"},
    "completeTask": {"workitemID": "w", "outcome": "done"},
    "hangUp": {"workitemID": "w"},
    "finishWorkitem": {"workitemID": "w", "dispositionID": "resolved"},
    "pong": {"seq": 1},
}


def test_every_action_is_in_the_list_above() -> None:
    assert set(REQUIRED) == set(REQUESTS)


def test_every_request_has_its_action() -> None:
    assert set(ACTIONS) == set(REQUESTS.values())


@pytest.mark.parametrize(
    ("action", "field"), [(action, field) for action, fields in REQUIRED.items() for field in fields]
)
def test_a_missing_field_is_an_error_that_names_it(alice, action: str, field: str) -> None:
    data = {key: value for key, value in REQUIRED[action].items() if key != field}
    ((name, error),) = alice.ask(action, **data)
    assert (name, error["code"], error["action"]) == ("error", "badField", action)
    assert field in error["message"]


@pytest.mark.parametrize("wrong", [None, [], {}, 1.5, ["x"]])
@pytest.mark.parametrize(
    ("action", "field"), [(action, field) for action, fields in REQUIRED.items() for field in fields]
)
def test_a_wrongly_typed_field_is_an_error_that_names_it(alice, action: str, field: str, wrong: Any) -> None:
    ((name, error),) = alice.ask(action, **{**REQUIRED[action], field: wrong})
    assert (name, error["code"], error["action"]) == ("error", "badField", action)
    assert field in error["message"]


def test_types_are_not_bent(alice) -> None:
    alice.connect()
    assert alice.ask("setMute", **alice.workitem, mute=1)[0][1]["code"] == "badField"
    assert alice.ask("setMute", **alice.workitem, mute="true")[0][1]["code"] == "badField"
    assert alice.ask("pong", seq=True)[0][1]["code"] == "badField"
    assert alice.ask("newOutInteraction", destination=890000002)[0][1]["code"] == "badField"
    assert alice.ask("getAgentData", requestID=["x"])[0][1]["code"] == "badField"

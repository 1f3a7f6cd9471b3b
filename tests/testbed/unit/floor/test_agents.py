"""An agent at a desk: opening, states, dictionaries, heartbeats."""

from __future__ import annotations

import pytest


def test_opening_says_who_is_there_before_the_desk_says_anything(alice) -> None:
    assert alice.heard == [
        ("connectionStatus", {"status": "connected", "user": "alice", "sessionID": alice.agent.desk}),
        ("newAgentState", {"state": "notReady", "reason": "login"}),
        ("agentCapacity", {"voice": 1, "chat": 3, "task": 5}),
    ]


def test_get_agent_data(alice) -> None:
    assert alice.ask("getAgentData") == [
        (
            "resultGetAgentData",
            {
                "result": "success",
                "id": alice.agent.id,
                "name": "alice",
                "skills": ["sales", "support"],
                "line": "1001",
            },
        )
    ]


def test_dictionaries(alice) -> None:
    ((_, dispositions),) = alice.ask("getDictionaryData", name="dispositions")
    assert {"id": "resolved", "title": "Resolved"} in dispositions["items"]
    ((_, states),) = alice.ask("getDictionaryData", name="states")
    assert [item["id"] for item in states["items"]] == ["ready", "notReady", "break"]
    assert all(set(item) == {"id", "title"} for item in dispositions["items"] + states["items"])


def test_an_unknown_dictionary_is_refused(alice) -> None:
    alice.ask("getDictionaryData", name="colours").refused("getDictionaryData", "unknownDictionary")


@pytest.mark.parametrize("state", ["ready", "notReady", "break"])
def test_change_agent_state_answers_and_then_tells(alice, state: str) -> None:
    assert alice.ask("changeAgentState", state=state) == [
        ("resultChangeAgentState", {"result": "success"}),
        ("newAgentState", {"state": state}),
    ]


def test_change_agent_state_with_a_reason(alice) -> None:
    assert alice.ask("changeAgentState", state="break", reason="lunch")[1] == (
        "newAgentState",
        {"state": "break", "reason": "lunch"},
    )


@pytest.mark.parametrize("state", ["lunch", "wrapUp", "", "Ready"])
def test_an_unknown_state_is_refused_and_changes_nothing(alice, state: str) -> None:
    alice.ask("changeAgentState", state=state).refused("changeAgentState", "unknownState")
    assert alice.agent.state == "notReady"


def test_a_request_id_comes_back_with_the_answer(alice) -> None:
    assert alice.ask("getAgentData", requestID="r-1")[0][1]["requestID"] == "r-1"
    assert alice.ask("getAgentData", requestID=0)[0][1]["requestID"] == 0
    assert alice.ask("changeAgentState", state="lunch", requestID=7)[0][1]["requestID"] == 7
    assert alice.ask("changeAgentState", state=1, requestID=8)[0][1]["requestID"] == 8
    assert "requestID" not in alice.ask("getAgentData", requestID=None)[0][1]


def test_a_late_answer_carries_the_request_id_too(alice) -> None:
    alice.create()
    alice.ask("startNewOutInteraction", **alice.workitem, destination="890000002", requestID="start")
    alice.ask("acceptRtc", **alice.ids, answer="v=0", requestID="accept")
    assert alice.wait(0.5)[0][1]["requestID"] == "start"


def test_a_second_desk_replaces_the_first(hall, alice) -> None:
    alice.connect()
    again = hall.arrive("alice")
    assert alice.closed == (4409, "replaced")
    assert again.closed is None
    assert hall.record(alice.ids["interactionID"])["ended_by"] == "deskReplaced"
    assert again.agent.desk != alice.agent.desk
    assert again.agent.id == alice.agent.id
    hall.floor.leave(alice.agent, "deskDisconnected", hall.now_ms)
    again.connect()


def test_pings_that_are_answered(new_hall) -> None:
    hall = new_hall(ping_interval_s=5.0)
    alice = hall.arrive()
    for seq in range(1, 20):
        assert alice.wait(5) == [("ping", {"seq": seq})]
        assert alice.ask("pong", seq=seq) == []
    assert alice.closed is None


def test_two_unanswered_pings_close_the_desk(new_hall) -> None:
    hall = new_hall(ping_interval_s=5.0)
    alice = hall.arrive()
    alice.connect()
    alice.wait(5)
    alice.ask("pong", seq=1)
    assert alice.wait(10).names == ["ping", "ping"]
    assert alice.closed is None
    alice.wait(4.9)
    assert alice.closed == (4408, "no pong")
    assert hall.record(alice.ids["interactionID"])["ended_by"] == "noPong"


def test_one_unanswered_ping_is_forgiven_and_a_pong_answers_those_before_it(new_hall) -> None:
    hall = new_hall(ping_interval_s=5.0)
    alice = hall.arrive()
    for seq in (2, 4, 6, 8):
        alice.wait(10)
        alice.ask("pong", seq=seq)
    assert alice.closed is None


@pytest.mark.parametrize("seq", [0, -1, 3, 2**62])
def test_a_pong_for_no_ping_counts_for_nothing(new_hall, seq: int) -> None:
    hall = new_hall(ping_interval_s=5.0)
    alice = hall.arrive()
    alice.wait(10)
    assert alice.ask("pong", seq=seq) == []
    alice.wait(5)
    assert alice.closed == (4408, "no pong")

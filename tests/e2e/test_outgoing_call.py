"""The outgoing call, end to end: a desk and the contact centre over a real WebSocket, and everything on disk."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import calls
import pytest

from antiphon import Run, Scenario, Stand, perform
from antiphon.journal import StepEnded, StepStarted
from antiphon.journal.file import WrittenMessage, read_journal
from antiphon_testbed import ContactCentre

pytestmark = pytest.mark.xdist_group("outgoing_call")  # what they share is made once

RECEIVED = {
    *("agentCapacity0", "agentCapacity1", "connectionStatus0", "newAgentState0", "newAgentState1", "newAgentState2"),
    *("newRtc0", "newWorkitemState0", "newWorkitemState1", "newWorkitemState2", "newWorkitemState3"),
    *("resultAcceptRtc0", "resultChangeAgentState0", "resultFinishWorkitem0", "resultGetAgentData0"),
    *("resultGetDictionaryData0", "resultHangUp0", "resultNewOutInteraction0", "resultStartNewOutInteraction0"),
    "workitemPartyList0",
}
"""What a desk receives in an outgoing call, beside the pings: a file each."""

SENT = {
    *("acceptRtc0", "changeAgentState0", "finishWorkitem0", "getAgentData0", "getDictionaryData0", "hangUp0"),
    *("newOutInteraction0", "startNewOutInteraction0"),
}


def perform_at_centre(scenario: Scenario[Any, Any], runs: Path, **parameters: Any) -> Run:
    async def at_centre() -> Run:
        async with ContactCentre(ping_interval_s=0.05, answer_after_s=0.05) as centre:
            stand = Stand("test", centre.addresses, users=centre.users)
            return await perform(scenario, stand=stand, runs=runs, **parameters)

    return asyncio.run(at_centre())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return perform_at_centre(calls.outgoing, tmp_path_factory.mktemp("runs"), talk_s=0.2)


def names(run: Run, direction: str) -> set[str]:
    assert run.directory is not None
    return {path.stem for path in (run.directory / direction).iterdir() if path.suffix == ".json"}


def test_every_received_message_is_a_file_and_nothing_else_is(run: Run) -> None:
    received = names(run, "received")
    pings = {name for name in received if name.startswith("ping")}
    assert len(RECEIVED) == 20
    assert received - pings == RECEIVED
    assert pings == {f"ping{number}" for number in range(len(pings))}
    assert pings


def test_every_sent_message_is_a_file_and_every_ping_is_answered(run: Run) -> None:
    sent = names(run, "sent")
    assert {name for name in sent if not name.startswith("pong")} == SENT
    assert {name.replace("pong", "ping") for name in sent - SENT} == {
        n for n in names(run, "received") if n.startswith("ping")
    }


def test_the_files_are_json_that_a_person_can_read(run: Run) -> None:
    assert run.directory is not None
    text = (run.directory / "received" / "resultNewOutInteraction0.json").read_text()
    assert text.startswith("{\n")
    assert json.loads(text)["data"]["interactionID"] == run.operator.interaction_id


def test_the_record_agrees_with_what_the_desk_saw(run: Run) -> None:
    record = run.returned["record"]
    assert record["state"] == "finished"
    assert record["disposition"] == "resolved"
    assert record["interactionID"] == run.operator.interaction_id
    assert record["talk_s"] == pytest.approx(0.2, abs=0.15)
    states = [json.loads(m.raw)["data"]["state"] for m in said(run) if m.name == "newWorkitemState"]
    assert states == ["created", "connected", "wrapUp", "finished"]
    assert [entry["state"] for entry in record["states"] if entry["state"] in states] == states


def said(run: Run) -> list[WrittenMessage]:
    assert run.directory is not None
    return [entry for entry in read_journal(run.directory / "journal.jsonl") if isinstance(entry, WrittenMessage)]


def test_the_journal_holds_everything_in_order(run: Run) -> None:
    assert run.directory is not None
    entries = list(read_journal(run.directory / "journal.jsonl"))
    assert (entries[0].scenario, entries[0].stand) == ("outgoing", "test")
    assert entries[-1].verdict == "passed"
    received = [message for message in said(run) if not message.is_sent]
    assert [message.number for message in received] == list(range(1, len(received) + 1))
    assert {message.name for message in received} == {name.rstrip("0123456789") for name in names(run, "received")}
    steps = [entry.action for entry in entries if isinstance(entry, StepStarted)]
    assert steps == ["sign_in", "set_ready_status", "outbound_call", "wait", "hang_up", "finish_wrapup", "call"]
    assert {entry.outcome for entry in entries if isinstance(entry, StepEnded)} == {"passed"}


def test_no_secret_is_on_disk(run: Run) -> None:
    assert run.directory is not None
    secrets = {run.operator.user.password, run.operator.desk.headers["Cookie"].partition("=")[2]}
    for path in run.directory.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not [secret for secret in secrets if secret in text], path


def test_the_async_scenario_says_the_same_words(tmp_path: Path) -> None:
    run = perform_at_centre(calls.on_hold, tmp_path, hold_s=0.1)
    assert run.value == pytest.approx(0.1, abs=0.08)

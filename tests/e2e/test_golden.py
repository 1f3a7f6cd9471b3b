"""The whole text of each failure, as a person reads it: the contact centre's faults, each with a golden text.

The texts lie in `golden/`. What differs from run to run (ids, times, durations, lines of code) is replaced. With
ANTIPHON_UPDATE_GOLDEN=1 in the environment they are written anew: read the difference before it is committed.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import calls
import desk
import msgspec
import pytest
import transfers

from antiphon import (
    Json,
    Message,
    Scenario,
    Stand,
    WebSocket,
    action,
    await_signal,
    on,
    perform,
    scenario,
    soft,
    together,
)
from antiphon.errors import plain_text
from antiphon.journal import RunEnded
from antiphon.journal.file import read_journal
from antiphon.report.failure_text import few_lines
from antiphon_testbed import (
    Closed,
    ContactCentre,
    Fault,
    HalfFrame,
    Late,
    Missing,
    NotJson,
    Overtaken,
    Reordered,
    Twice,
    WithoutField,
    WrongField,
    WrongId,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("golden")]  # what they share is made once

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
UPDATES = os.environ.get("ANTIPHON_UPDATE_GOLDEN") == "1"

WITHIN_S = 0.6
"""The deadline of every wait. All cases go on side by side, so it is waited for once or twice only."""

LATE_S = 0.9
PAUSE_S = 0.05
"""So long a scenario does nothing, for everything that the centre says at one moment to have come."""

CUSTOMER = "890000002"
WRAP_UP, HELD = {"state": "wrapUp"}, {"state": "held"}


# -- who is played ----------------------------------------------------------------------------------------------------


class Orderly(desk.Operator):
    """Minds the order: first the answer, then the workitem's state, then the agent's."""

    @action
    async def hang_up(self) -> None:
        await self.ask("hangUp", workitemID=self.workitem_id)
        answered = self.mark()
        ended = await self.expect("newWorkitemState", {"state": "wrapUp"}, since=answered)
        await self.expect("newAgentState", {"state": "wrapUp"}, since=ended.number)


class Numbered(desk.Operator):
    """Has ids in the requests."""

    desk = WebSocket(
        "{centre}/desk",
        dialect=Json(name="action", body="data", reply="result{Name}", id="data.requestID", failed={"result": "error"}),
    )


class Clumsy(desk.Operator):
    """Has a handler with a slip in it."""

    @on("newRtc")
    def note_codec(self, offer: Message) -> None:
        self.codec = offer["codec"]


class Curious(desk.Operator):
    """Takes what somebody else may be waiting for."""

    @action
    async def listen(self, name: str, state: str) -> None:
        await self.expect(name, {"state": state})


# -- what is performed ------------------------------------------------------------------------------------------------


@scenario
async def once_only(operator: desk.Operator) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)
    await operator.hold()
    await operator.expect_none("resultSetHold", within_s=0.05)


@scenario
async def orderly(operator: Orderly) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)
    await operator.hang_up()


@scenario
async def numbered(operator: Numbered) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)
    await operator.hang_up()


@scenario
async def clumsy(operator: Clumsy) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)


@scenario
async def hasty(operator: desk.Operator) -> None:
    await operator.sign_in()
    call = await operator.ask("newOutInteraction", destination=CUSTOMER)
    operator.ask("startNewOutInteraction", workitemID=call["workitemID"], destination=CUSTOMER)
    await operator.expect("newRtc", {"workitemID": call["workitemID"]})


@scenario
async def hand_over(operator: desk.Operator) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)
    await operator.transfer("nobody")


@scenario
async def two_listeners(operator: Curious) -> None:
    await operator.sign_in()
    await together(operator.set_ready_status(), operator.listen("newAgentState", "ready"))


@scenario
async def alone_in_a_call(operator: desk.Operator) -> None:
    await operator.sign_in()
    await operator.outbound_call(CUSTOMER)
    await operator.expect("workitemPartyList", check={"parties": [{"role": "agent", "state": "connected"}]})


@scenario
async def softly(operator: desk.Operator) -> None:
    await operator.expect("newAgentState", check=soft({"state": "ready", "reason": "login"}))
    await operator.expect("agentCapacity", check=soft({"voice": 2, "chat": 3}))
    await operator.sign_in()


@scenario
async def unanswered_call(alice: desk.Operator, bob: desk.Operator) -> None:
    await together([alice.sign_in(), await_signal("ready", within_s=WITHIN_S)], bob.sign_in())


class Case(msgspec.Struct):
    """A scenario, what goes wrong, and its parameters."""

    scenario: Scenario[Any, Any]
    faults: tuple[Fault, ...] = ()
    parameters: dict[str, Any] = {}


CASES = {
    "late_answer": Case(calls.on_hold, (Late("resultSetHold", LATE_S),)),
    "late_event": Case(calls.on_hold, (Late("newWorkitemState", LATE_S, where=HELD),)),
    "answer_twice": Case(once_only, (Twice("resultSetHold"),)),
    "event_twice_in_strict_mode": Case(
        calls.on_hold, (Twice("newWorkitemState", where=HELD),), {"strict": True, "hold_s": PAUSE_S}
    ),
    "event_before_its_answer": Case(orderly, (Overtaken("resultHangUp"),)),
    "events_in_another_order": Case(orderly, (Reordered("newWorkitemState", where=WRAP_UP),)),
    "missing_answer": Case(calls.on_hold, (Missing("resultSetHold"),)),
    "missing_event": Case(calls.on_hold, (Missing("newWorkitemState", where=HELD),)),
    "missing_at_the_other_desk": Case(
        transfers.consult, (Missing("newWorkitemState", user="bob", where={"state": "offered"}),)
    ),
    "closed": Case(calls.on_hold, (Closed("resultSetHold", 4000, "maintenance"),)),
    "cut_off": Case(calls.on_hold, (Closed("resultSetHold", 1006),)),
    "half_a_frame": Case(calls.on_hold, (HalfFrame("resultSetHold"),)),
    "not_json": Case(calls.on_hold, (NotJson("resultSetHold"),)),
    "not_json_while_nobody_waits": Case(calls.outgoing, (NotJson("workitemPartyList"),), {"talk_s": 60.0}),
    "wrong_workitem": Case(calls.on_hold, (WrongId("newWorkitemState", "workitemID", where=HELD),)),
    "wrong_interaction": Case(calls.on_hold, (WrongId("resultNewOutInteraction", "interactionID"),)),
    "answer_to_no_request": Case(numbered, (WrongId("resultHangUp", "requestID"),)),
    "wrong_value": Case(calls.on_hold, (WrongField("connectionStatus", "status", "refused"),)),
    "wrong_type": Case(calls.on_hold, (WrongField("newWorkitemState", "muted", "true", where={"muted": True}),)),
    "missing_field": Case(calls.on_hold, (WithoutField("resultNewOutInteraction", "workitemID"),)),
    "refusal_that_nobody_awaits": Case(hasty, (WrongId("resultNewOutInteraction", "workitemID"),)),
    "busy": Case(calls.outgoing, (), {"telephone": "busy"}),
    "no_answer": Case(calls.outgoing, (), {"telephone": "noanswer"}),
    "transfer_to_nobody": Case(hand_over),
    "taken_by_another": Case(two_listeners),
    "wrong_parties": Case(alone_in_a_call),
    "soft_checks": Case(softly),
    "signal_that_nobody_gives": Case(unanswered_call),
    "handler_that_raises": Case(clumsy),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each case says, performed side by side, each at a centre of its own."""

    async def fail(name: str, case: Case) -> str:
        directory = tmp_path_factory.mktemp(name)
        async with ContactCentre(answer_after_s=0, release_s=0, seed=7, faults=case.faults) as centre:
            stand = Stand("test", centre.addresses, users=centre.users, within_s=WITHIN_S)
            linger_s = 1.0 if any(isinstance(fault, Late) for fault in case.faults) else 0.0
            options = {"stand": stand, "directory": directory, "reports": (), "linger_s": linger_s, **case.parameters}
            with pytest.raises(Exception):  # noqa: B017 - which one, the text tells
                await perform(case.scenario, **options)
            assert {fault.word for fault in case.faults} == set(centre.faults_happened)
        (ended,) = (entry for entry in read_journal(directory / "journal.jsonl") if isinstance(entry, RunEnded))
        return ended.error

    async def fail_all() -> dict[str, str]:
        told = await asyncio.gather(*(fail(name, case) for name, case in CASES.items()))
        return dict(zip(CASES, told, strict=True))

    return asyncio.run(fail_all())


def normal(text: str) -> str:
    """The text without what is another in each run; what was one id stays one."""
    ids: dict[str, str] = {}
    text = text.replace(f"{ROOT}/", "")

    def name(found: re.Match[str]) -> str:
        # Also of an id that a headline has by its head and tail.
        key = f"{found[0][:6]}…{found[0][-4:]}"
        told = ids.setdefault(key, f"<id{len(ids) + 1}>")
        return told.replace(">", "…>") if found[0] == key else told

    text = re.sub(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<!…)[0-9a-f]{6}…[0-9a-f]{4}(?![0-9a-f])", name, text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r"\b\d+ ms\b|\b\d+\.\d{3} s\b", "<t>", text)
    text = re.sub(r"\n +<t>  ", "\n    <t>  ", text)
    # Told from 100 ms on, which a busy machine may take between two lines of a scenario.
    text = re.sub(r"\n +it had lain in the mailbox for <t> before the wait began(?=\n)", "", text)
    text = text.replace(", and listening for <t> more", "")
    text = re.sub(r"\b[0-9a-f]{8}…", "<id>…", text)
    text = re.sub(r"(?:waiting from <t> to|at) <t> of the run", "waiting from <t> to <t> of the run", text)
    text = re.sub(r"\bmessage \d+|\(\d+\), said", lambda m: re.sub(r"\d+", "<n>", m[0]), text)
    text = re.sub(r"(127\.0\.0\.1):\d+", r"\1:<port>", text)
    return re.sub(r"(\.py):\d+", r"\1:<line>", text)


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_that_which_was_agreed_on(name: str, texts: dict[str, str]) -> None:
    told, file = normal(texts[name]) + "\n", GOLDEN / f"{name}.txt"
    if UPDATES:
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")


def test_every_golden_text_is_that_of_a_case() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(CASES)


def test_a_text_is_short_enough_to_be_read(texts: dict[str, str]) -> None:
    for text in texts.values():
        assert 2 <= len(text.splitlines()) <= 30
        lines = text.splitlines()
        assert plain_text(few_lines([((line, ""),) for line in lines])).splitlines() == lines

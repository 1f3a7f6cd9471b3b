"""A centre that misbehaves on purpose: the scenarios of the examples meet every fault, and the text names the cause.

Each text must say which message it was, what was wrong with it, at which step, and at which lines of scenario and
actor.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import calls
import desk
import msgspec
import pytest

from antiphon import (
    ChannelClosed,
    CheckFailed,
    DeadlinePassed,
    DialectError,
    FieldMissing,
    ForbiddenMessage,
    Json,
    RequestRefused,
    Run,
    Scenario,
    Stand,
    WebSocket,
    action,
    perform,
    scenario,
)
from antiphon.cli import main
from antiphon.cli.commands import testbed as serving
from antiphon.conversation.wording import seconds
from antiphon.errors import MessagesLeft
from antiphon.journal.file import WrittenMessage, read_journal
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

ROOT = Path(__file__).parents[2]

WITHIN_S = 0.2
"""The deadline of every wait: long for a message that comes, short for a test."""

LATE_S = 0.3


class Outcome(msgspec.Struct):
    """How a run went: its error if it failed, and what it heard."""

    run: Run | None
    error: Any
    heard: list[str]

    @property
    def text(self) -> str:
        """What it says; places as they are told in the project's folder, wherever the tests run."""
        return str(self.error).replace(f"{ROOT}/", "")

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def tells(self, *parts: str) -> None:
        """The text has a line with each of these."""
        for part in parts:
            assert any(part in line for line in self.lines), f"{part!r} is not in:\n{self.text}"


Meet = Callable[..., Outcome]


@pytest.fixture
def meet(tmp_path: Path) -> Meet:
    """Performs a scenario at a centre with faults, each of which must have happened."""

    def meet_it(scenario: Scenario[Any, Any], *faults: Fault, latency_s: float = 0.0, **parameters: Any) -> Outcome:
        """It listens on for what is late only if it is: what is missing does not come."""
        parameters.setdefault("linger_s", 1.0 if latency_s or any(isinstance(f, Late) for f in faults) else 0.0)

        async def at_centre() -> Outcome:
            async with ContactCentre(
                answer_after_s=0, release_s=0, seed=7, latency_s=(latency_s, latency_s), faults=faults
            ) as centre:
                stand = Stand("test", centre.addresses, users=centre.users, within_s=WITHIN_S)
                run, error = None, None
                try:
                    run = await perform(scenario, stand=stand, directory=tmp_path, reports=(), **parameters)
                except Exception as raised:
                    error = raised
                assert centre.failures == []
                assert {fault.word for fault in faults} == set(centre.faults_happened), error
                return Outcome(run, error, heard(tmp_path))

        return asyncio.run(at_centre())

    return meet_it


def heard(directory: Path) -> list[str]:
    entries = read_journal(directory / "journal.jsonl")
    return [entry.name for entry in entries if isinstance(entry, WrittenMessage) and not entry.is_sent]


def line(code: str, function: Any) -> str:
    """Where the code stands in the function, as texts have it: `at examples/contact_centre/desk.py:87`."""
    lines, first = inspect.getsourcelines(function)
    (number,) = (first + index for index, text in enumerate(lines) if code in text)
    return f"at {Path(function.__code__.co_filename).resolve().relative_to(ROOT)}:{number}"


OUTGOING, ON_HOLD = calls.outgoing.function, calls.on_hold.function
HANG_UP, HOLD, MUTE = desk.Operator.hang_up.__wrapped__, desk.Operator.hold.__wrapped__, desk.Operator.mute.__wrapped__
DIAL = desk.Operator.outbound_call.__wrapped__
EXPECT_STATE = line("return await self.expect(", desk.Operator.expect_state)


def in_step(title: str, scenario: Any, code: str) -> str:
    return f"in the step {title} {line(code, scenario)}"


IN_HANG_UP = in_step("hang_up()", OUTGOING, "Operator.hang_up()")
IN_HOLD = in_step("hold()", ON_HOLD, "operator.hold()")
IN_MUTE = in_step("mute()", ON_HOLD, "operator.mute()")
ASKS_TO_HANG_UP = line("self.ask(", HANG_UP)
ASKS_TO_HOLD = line("self.ask(", HOLD)
WRAP_UP, HELD = {"state": "wrapUp"}, {"state": "held"}


# -- late -------------------------------------------------------------------------------------------------------------


def test_a_late_answer(meet: Meet) -> None:
    outcome = meet(calls.outgoing, Late("resultHangUp", LATE_S), talk_s=0.0)
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for the reply to hangUp, and it did not come", ASKS_TO_HANG_UP, IN_HANG_UP)
    outcome.tells("ms too late: give it more time with within_s=, or find out why it is slow")
    assert outcome.error.explanation.wait.late_ns > 0


def test_a_late_event(meet: Meet) -> None:
    outcome = meet(calls.outgoing, Late("newWorkitemState", LATE_S, where=WRAP_UP), talk_s=0.0)
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newWorkitemState where", "state: 'wrapUp'", EXPECT_STATE, IN_HANG_UP, "ms too late")


def test_a_whole_centre_that_is_late(meet: Meet) -> None:
    """`latency_s` is late with every answer: the first one that somebody waits for is told."""

    @scenario
    async def sign_in(operator: desk.Operator) -> None:
        await operator.sign_in()

    outcome = meet(sign_in, latency_s=LATE_S)
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for the reply to getAgentData", "in the step sign_in() at tests/e2e/test_faults.py:", "ms too late")


# -- twice ------------------------------------------------------------------------------------------------------------


@scenario
async def once_only(operator: desk.Operator) -> None:
    await operator.sign_in()
    await operator.outbound_call("890000002")
    await operator.hold()
    await operator.expect_none("resultSetHold", within_s=0.5)
    await operator.expect_none("newWorkitemState", HELD, within_s=0.5)


@pytest.mark.parametrize("after_s", [0.0, 0.01])
def test_an_answer_that_comes_twice(meet: Meet, after_s: float) -> None:
    outcome = meet(once_only, Twice("resultSetHold", after_s))
    assert isinstance(outcome.error, ForbiddenMessage)
    outcome.tells("operator.desk received resultSetHold", "and no resultSetHold was expected")
    outcome.tells(line('expect_none("resultSetHold"', once_only.function))
    outcome.tells("said the same: did it come twice?")
    if not after_s:
        outcome.tells("it is an answer, and no request that was open had asked for it")


def test_an_event_that_comes_twice(meet: Meet) -> None:
    outcome = meet(once_only, Twice("newWorkitemState", where=HELD))
    assert isinstance(outcome.error, ForbiddenMessage)
    outcome.tells("operator.desk received newWorkitemState {", "said the same: did it come twice?")
    assert "no request" not in outcome.text


def test_a_second_copy_that_is_taken_for_the_next_message(meet: Meet) -> None:
    """The old event lies in the mailbox when the next one is awaited: the check fails, and the copy is told of."""

    @scenario
    async def have_a_break(operator: desk.Operator) -> None:
        await operator.sign_in()
        await operator.set_ready_status()
        await operator.ask("changeAgentState", state="break")
        await operator.expect("newAgentState", {"state": lambda state: state != "notReady"}, check={"state": "break"})

    outcome = meet(have_a_break, Twice("newAgentState", where={"state": "ready"}))
    assert isinstance(outcome.error, CheckFailed)
    outcome.tells("state is 'ready', wanted 'break'", "said the same: did it come twice?")
    outcome.tells(line("check=", have_a_break.function))


@pytest.mark.parametrize("fault", [Twice("resultSetHold"), Twice("newWorkitemState", where=HELD)], ids=str)
def test_in_strict_mode_what_came_twice_is_left_over(meet: Meet, fault: Twice) -> None:
    outcome = meet(calls.on_hold, fault, strict=True, hold_s=0.0)
    assert isinstance(outcome.error, MessagesLeft)
    (left,) = (m for m in outcome.error.messages if m.name == fault.message and m.get("state", "held") == "held")
    received = f"  operator.desk received {left.name} after {seconds(left.at_ns)}"
    told = max(index for index, text in enumerate(outcome.lines) if text.startswith(received))
    assert any("twice" in text for text in outcome.lines[told + 1 : told + 3])
    outcome.tells(f"at examples/contact_centre/calls.py:{calls.on_hold.place.rpartition(':')[2]}")


def test_what_comes_twice_does_no_harm_to_those_who_wait_for_one(meet: Meet) -> None:
    outcome = meet(calls.on_hold, Twice("*"), hold_s=0.0)
    assert outcome.error is None
    assert outcome.heard.count("resultHangUp") == outcome.heard.count("connectionStatus") == 2


# -- in another order -------------------------------------------------------------------------------------------------


class OrderlyOperator(desk.Operator):
    """An operator who minds the order: first the answer, then the workitem's state, then the agent's."""

    @action
    async def hang_up(self) -> None:
        await self.ask("hangUp", workitemID=self.workitem_id)
        answered = self.mark()
        ended = await self.expect("newWorkitemState", {"state": "wrapUp"}, since=answered)
        await self.expect("newAgentState", {"state": "wrapUp"}, since=ended.number)


@scenario
async def orderly(operator: OrderlyOperator) -> None:
    await operator.sign_in()
    await operator.outbound_call("890000002")
    await operator.hang_up()


ORDERLY_HANG_UP = OrderlyOperator.hang_up.__wrapped__
IN_ORDERLY = "in the step hang_up() at tests/e2e/"


def test_an_event_before_its_answer(meet: Meet) -> None:
    outcome = meet(orderly, Overtaken("resultHangUp"))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newWorkitemState where {state: 'wrapUp'}, and it did not come", IN_ORDERLY)
    outcome.tells(line("since=answered", ORDERLY_HANG_UP))
    outcome.tells("one that fits, newWorkitemState (message ", "had come before the mark", ", resultHangUp, counts")
    assert outcome.heard[-3:] == ["newWorkitemState", "newAgentState", "resultHangUp"]


def test_events_in_another_order(meet: Meet) -> None:
    outcome = meet(orderly, Reordered("newWorkitemState", where=WRAP_UP))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newAgentState where {state: 'wrapUp'}, and it did not come", IN_ORDERLY)
    outcome.tells(line("since=ended", ORDERLY_HANG_UP))
    outcome.tells("one that fits, newAgentState (message ", "had come before the mark", ", newWorkitemState, counts")
    assert outcome.heard[-3:] == ["resultHangUp", "newAgentState", "newWorkitemState"]


@pytest.mark.parametrize("fault", [Overtaken("resultHangUp"), Reordered("newWorkitemState"), Overtaken("*")], ids=str)
def test_the_order_does_no_harm_to_those_who_do_not_mind(meet: Meet, fault: Fault) -> None:
    assert meet(calls.outgoing, fault, talk_s=0.0).error is None


# -- missing ----------------------------------------------------------------------------------------------------------


def test_a_missing_event(meet: Meet) -> None:
    outcome = meet(calls.on_hold, Missing("newWorkitemState", where=HELD))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newWorkitemState where", "state: 'held'", "and it did not come", EXPECT_STATE, IN_HOLD)
    outcome.tells("what arrived during the wait: workitemPartyList", "state is 'connected', wanted 'held'")
    assert "too late" not in outcome.text


def test_a_missing_answer(meet: Meet) -> None:
    outcome = meet(calls.on_hold, Missing("resultSetHold"))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for the reply to setHold, and it did not come", ASKS_TO_HOLD, IN_HOLD)
    outcome.tells("(its reply is resultSetHold)", "what arrived during the wait: newWorkitemState", "workitemPartyList")
    assert "part of a message" not in outcome.text


# -- the wire ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Closed("resultSetHold", 4000, "maintenance"), "the server closed the connection with code 4000 'maintenance'"),
        (Closed("resultSetHold", 1011), "the server closed the connection with code 1011"),
        (Closed("resultSetHold", 1006), "the connection was lost without a close frame"),
    ],
    ids=str,
)
def test_a_connection_that_is_closed_in_the_middle_of_a_call(meet: Meet, fault: Fault, told: str) -> None:
    outcome = meet(calls.on_hold, fault)
    assert isinstance(outcome.error, ChannelClosed)
    outcome.tells("waited for the reply to setHold, but", told, ASKS_TO_HOLD, IN_HOLD)


def test_half_a_frame_and_then_silence(meet: Meet) -> None:
    outcome = meet(calls.outgoing, HalfFrame("resultHangUp"), talk_s=0.0)
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for the reply to hangUp, and it did not come", ASKS_TO_HANG_UP, IN_HANG_UP)
    outcome.tells("nothing arrived during the wait; the last message before it was workitemPartyList")
    assert (
        outcome.lines[1] == "  part of a message had come, and its rest had not: the server stopped in the middle of it"
    )


def test_what_is_not_json(meet: Meet) -> None:
    outcome = meet(calls.on_hold, NotJson("resultSetHold"))
    assert isinstance(outcome.error, DialectError)
    outcome.tells("not JSON", "502 Bad Gateway", "operator.desk, received message ")
    outcome.tells(f"{IN_HOLD}, waiting for the reply to setHold {ASKS_TO_HOLD}")
    notes = [note for note in outcome.error.__notes__ if not note.startswith("the last messages:")]
    assert not notes, "that the step was cancelled is said already"


def test_what_is_not_json_while_nobody_waits(meet: Meet) -> None:
    outcome = meet(calls.outgoing, NotJson("workitemPartyList"), talk_s=60.0)
    outcome.tells("502 Bad Gateway", in_step("wait(60.0)", OUTGOING, "wait(talk_s)"))


# -- wrong ------------------------------------------------------------------------------------------------------------


def test_an_event_of_another_workitem(meet: Meet) -> None:
    outcome = meet(calls.on_hold, WrongId("newWorkitemState", "workitemID", where=HELD))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newWorkitemState where", EXPECT_STATE, IN_HOLD, "nearest, ")
    (difference,) = (text for text in outcome.lines if text.startswith("    workitemID is '"))
    assert ", wanted '" in difference


def test_an_answer_with_the_id_of_no_workitem(meet: Meet) -> None:
    """What comes of it is a refusal, later and elsewhere, which nobody has awaited yet: it must be told."""

    @scenario
    async def hasty(operator: desk.Operator) -> None:
        await operator.sign_in()
        call = await operator.ask("newOutInteraction", destination="890000002")
        operator.ask("startNewOutInteraction", workitemID=call["workitemID"], destination="890000002")
        await operator.expect("newRtc", {"workitemID": call["workitemID"]})

    outcome = meet(hasty, WrongId("resultNewOutInteraction", "workitemID"))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("expected newRtc where {workitemID: '", line('expect("newRtc"', hasty.function))
    outcome.tells("and got resultStartNewOutInteraction: unknownWorkitem \"there is no workitem '")


def test_an_answer_with_the_id_of_no_interaction(meet: Meet) -> None:
    outcome = meet(calls.on_hold, WrongId("resultNewOutInteraction", "interactionID"))
    assert isinstance(outcome.error, RequestRefused)
    outcome.tells("was refused acceptRtc: wrongInteraction the workitem belongs to interaction ")
    outcome.tells(in_step("outbound_call('890000002')", ON_HOLD, "outbound_call("))


class NumberedOperator(desk.Operator):
    """An operator whose requests have ids."""

    desk = WebSocket(
        "{centre}/desk",
        dialect=Json(name="action", body="data", reply="result{Name}", id="data.requestID", failed={"result": "error"}),
    )


@scenario
async def numbered(operator: NumberedOperator) -> None:
    await operator.sign_in()
    await operator.outbound_call("890000002")
    await operator.hang_up()


def test_an_answer_to_no_request(meet: Meet) -> None:
    outcome = meet(numbered, WrongId("resultHangUp", "requestID"))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells(
        "for the reply to hangUp, and it did not come", ASKS_TO_HANG_UP, "in the step hang_up() at tests/e2e/"
    )
    outcome.tells("(request id ", "replies to other requests came; the last, resultHangUp (message ")


def test_a_field_with_a_wrong_value(meet: Meet) -> None:
    outcome = meet(calls.on_hold, WrongField("connectionStatus", "status", "refused"))
    assert isinstance(outcome.error, CheckFailed)
    outcome.tells("received connectionStatus, but it does not match", "status is 'refused', wanted 'connected'")
    outcome.tells(in_step("sign_in()", ON_HOLD, "operator.sign_in()"))


def test_a_field_of_a_wrong_type(meet: Meet) -> None:
    outcome = meet(calls.on_hold, WrongField("newWorkitemState", "muted", "true", where={"muted": True}))
    assert isinstance(outcome.error, DeadlinePassed)
    outcome.tells("for newWorkitemState where", "muted is 'true', wanted True", IN_MUTE)
    outcome.tells(line("self.expect(", MUTE))


def test_a_field_that_is_not_there(meet: Meet) -> None:
    outcome = meet(calls.on_hold, WithoutField("resultNewOutInteraction", "workitemID"))
    assert isinstance(outcome.error, FieldMissing)
    outcome.tells("resultNewOutInteraction has no field 'workitemID'", "its fields are 'result', 'interactionID'")
    outcome.tells(line("self.interaction_id, self.workitem_id", DIAL))
    outcome.tells(in_step("outbound_call('890000002')", ON_HOLD, "outbound_call("))


# -- aims, and the command line ---------------------------------------------------------------------------------------


def test_a_fault_hits_whom_it_is_meant_for(meet: Meet) -> None:
    @scenario
    async def two_desks(alice: desk.Operator, bob: desk.Operator) -> None:
        for operator in (alice, bob):
            await operator.sign_in()
            await operator.set_ready_status()
            await operator.outbound_call("890000002")
            await operator.hold()

    outcome = meet(two_desks, Missing("resultSetHold", user="bob"))
    outcome.tells("bob.desk waited", "for the reply to setHold, and it did not come")


def test_the_same_seed_misbehaves_in_the_same_way(tmp_path: Path) -> None:
    def play(name: str, seed: int) -> list[str]:
        async def at_centre() -> list[str]:
            faults = ["twice:*,probability=0.3", "reordered:*,probability=0.2"]
            async with ContactCentre(answer_after_s=0, release_s=0, seed=seed, faults=faults) as centre:
                stand = Stand("test", centre.addresses, users=centre.users, within_s=WITHIN_S)
                directory = tmp_path / name
                directory.mkdir()
                await perform(calls.outgoing, stand=stand, directory=directory, reports=(), talk_s=0.0)
                return heard(directory)[:18]

        return asyncio.run(at_centre())

    assert play("one", 1) == play("again", 1)
    assert play("other", 2) != play("third", 3)


def test_faults_from_the_command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given: list[Any] = []
    entry = SimpleNamespace(load=lambda: lambda **options: given.append(options["faults"]))
    monkeypatch.setattr(serving, "testbed_entry", lambda: entry)
    monkeypatch.setattr(serving, "_serve", lambda _centre, _host, _screen: 0)
    assert main(["testbed", "--fault", "late:resultHangUp:2.5", "--fault", "missing:ping,nth=2"]) == 0
    assert main(["testbed"]) == 0
    assert given == [["late:resultHangUp:2.5", "missing:ping,nth=2"], ()]
    monkeypatch.undo()
    assert main(["testbed", "--fault", "late:hangUp:2.5"]) == 2
    assert "the answer to hangUp is resultHangUp" in capsys.readouterr().err

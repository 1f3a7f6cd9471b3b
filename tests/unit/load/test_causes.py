"""What failures of one cause have in common."""

from __future__ import annotations

import sys
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.conftest import Desk

from antiphon import CheckFailed, HandlerFailed, MessagesLeft, ScenarioError, SoftChecksFailed, User
from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import Gap
from antiphon.conversation.interruption import begin_gap
from antiphon.conversation.message import Message
from antiphon.conversation.typed_waits import TypedWait
from antiphon.conversation.vocabulary import body_or_failure
from antiphon.load.causes import MOST_CAUSES, OTHER_CAUSES, Causes, cause_of_failure


class State(StrEnum):
    UP = "up"


def deadline(name: Any = "state", where: Any = None, *heard: dict[str, Any], **more: Any) -> BaseException:
    """The failure of a wait that lasted 5 s while these were heard."""
    desk = Desk()
    wait = desk.expect(name, where, within_s=5, **more)
    for body in heard:
        desk.hear("state", body)
    desk.expire(5)
    assert wait.error is not None
    return wait.error


def text_of(error: BaseException) -> str:
    return cause_of_failure(error)[1]


def test_a_thousand_that_are_alike_are_one_kind() -> None:
    causes = Causes()
    for number in range(1_000):
        where = {"call": number, "token": f"t-{number}", "state": "connected"}
        error = deadline("state", where, {"call": number, "token": f"t-{number}", "state": "held"})
        causes.add("calls", error, f"calls-{number}", str)
    (kind,) = causes.take()
    assert kind.text == "waited 5 s for state where call=…, token=…, state='connected'; nearest: state='held'"
    assert (kind.count, kind.conversation, kind.error) == (1_000, "calls-0", "DeadlinePassed")
    assert causes.take() == []


def test_what_was_told_once_is_only_counted_then() -> None:
    causes = Causes()
    for expected in ("calls-1", "", ""):
        causes.add("calls", ValueError("odd"), "calls-1", str)
        (kind,) = causes.take()
        assert (kind.conversation, bool(kind.example), kind.count) == (expected, bool(expected), 1)


def test_the_kinds_are_as_many_as_can_be_looked_at_and_the_rest_is_one() -> None:
    causes = Causes()
    sizes = []
    for round_number in range(3):
        for number in range(250):
            causes.add("calls", ValueError("a" * number + "!"), "calls-1", str)
        kinds = causes.take()
        assert len(kinds) == MOST_CAUSES + 1
        assert sum(kind.count for kind in kinds) == 250
        (other,) = (kind for kind in kinds if kind.text == OTHER_CAUSES)
        assert (other.count, other.error, bool(other.example)) == (50, "", round_number == 0)
        sizes.append((len(causes._known["calls"]), sys.getsizeof(causes._known["calls"])))
    assert sizes[0] == sizes[1] == sizes[2]
    causes.add("chats", ValueError("another part"), "chats-1", str)
    assert causes.take()[0].text == "another part"


def test_secrets_are_not_in_it() -> None:
    def mask(text: str) -> str:
        return text.replace("hunter-two", "***").replace("hunter2", "***")

    causes = Causes()
    causes.add("calls", deadline("state", {"who": "hunter-two"}), "calls-1", mask)
    causes.add("calls", ValueError("it is hunter2!"), "calls-1", mask)
    first, second = causes.take()
    assert first.text == "waited 5 s for state where who='***'"
    assert second.text == "it is ***!"
    assert "hunter" not in first.example + second.example


def test_what_the_run_was_given_is_of_that_run() -> None:
    error = deadline("state", {"who": "anna", "phone": "home", "state": "on"})
    nobody = SimpleNamespace()
    assert "who='anna'" in text_of(error)
    error.run = SimpleNamespace(  # type: ignore[attr-defined]
        parameters={"phone": "home", "tries": 3}, actors={"a": SimpleNamespace(user=User(name="anna")), "b": nobody}
    )
    nobody.user = User()
    assert text_of(error) == "waited 5 s for state where who=…, phone=…, state='on'"


@pytest.mark.parametrize(
    ("where", "told"),
    [
        (None, ""),
        ({"a": {"b": "on", "n": 7}}, " where a.b='on', a.n=…"),
        ({"a": ["on", 7]}, " where a[…]='on', a[…]=…"),
        ({"a": True, "b": None}, " where a=True, b=None"),
        ({"a": {"on", "off"}}, " where a=one of 'off', 'on'"),
        ({"a": ..., "b": int}, " where a=anything, b=any int"),
        ({"a": {}}, " where a={}"),
        ({}, " where {}"),
        (text_of, " that text_of accepts"),
        ("plain", " where 'plain'"),
    ],
)
def test_how_a_pattern_is_told(where: Any, told: str) -> None:
    assert text_of(deadline("state", where)) == f"waited 5 s for state{told}"


def test_a_literal_number_is_told_with_what_was_there_instead() -> None:
    error = deadline("state", {"code": 200}, {"code": 503}, source=f"{__file__}:{line_of('literal_number') + 1}")
    assert text_of(error).startswith("waited 5 s for state where code=200; nearest: code=503, at test_causes.py:")


def line_of(name: str) -> int:
    code = globals()[f"test_a_{name}_is_told_with_what_was_there_instead"].__code__
    return int(code.co_firstlineno)


def test_one_that_fits_is_told_with_who_took_it() -> None:
    desk = Desk()
    desk.hear("state")
    mark = desk.mailbox.received
    desk.expect("state", source="/x/calls.py:7")
    wait = desk.expect("state", within_s=5)
    before = desk.expect("state", since=mark, within_s=5)
    desk.expire(5)
    assert wait.error is not None
    assert before.error is not None
    assert text_of(wait.error) == "waited 5 s for state; one that fits was taken by a wait at calls.py:7"
    assert text_of(before.error) == "waited 5 s for state; one that fits had come before the mark"


def test_one_that_was_drained() -> None:
    desk = Desk()
    desk.hear("state")
    desk.mailbox.drain("state", None, 0)
    wait = desk.expect("state", within_s=5)
    desk.expire(5)
    assert wait.error is not None
    assert text_of(wait.error) == "waited 5 s for state; one that fits was drained"


def test_a_refusal_that_nobody_awaited_is_told() -> None:
    desk = Desk()
    desk.ask(1)
    wait = desk.expect("state", within_s=5)
    desk.reply(1, {"code": -32601, "message": "no method 17"}, name="resultCall", is_failure=True)
    desk.expire(5)
    assert wait.error is not None
    assert text_of(wait.error) == "waited 5 s for state; resultCall was a refusal: -32601 no method …"


def test_a_while_without_a_connection_is_told() -> None:
    desk = Desk()
    late, silence = desk.expect("state", within_s=5), desk.expect_none("alarm", within_s=5)
    begin_gap(desk.mailbox, Ending(1006), Gap(Ending(1006), 0), lambda _: False, 0)
    desk.expire(5)
    assert late.error is not None
    assert text_of(late.error) == "waited 5 s for state; for a while there was no connection"
    assert silence.error is not None
    assert text_of(silence.error) == "waited to hear no alarm, but for a while there was no connection"


def test_what_says_that_something_failed_is_told_with_why() -> None:
    desk = Desk()
    wait = desk.expect("state")
    desk.hear("denied", {"reason": "members only"})
    desk.expire(5)
    assert wait.error is not None
    assert text_of(wait.error) == "waited 5 s for state; denied came: members only"


def test_what_came_twice_is_told() -> None:
    desk = Desk()
    desk.hear("alarm", {"n": 1})
    desk.mailbox.drain("alarm", None, 0)
    wait = desk.expect_none("alarm", within_s=5)
    desk.hear("alarm", {"n": 1})
    assert wait.error is not None
    assert text_of(wait.error) == "received alarm, and no alarm was expected; the one before it said the same"


def test_errors_without_facts() -> None:
    assert cause_of_failure(ValueError("seat 12 is odd"))[:2] == ("ValueError", "seat … is odd")
    assert cause_of_failure(KeyError()) == ("KeyError", "KeyError", "")
    assert cause_of_failure(OSError(111, "refused by 10")) == ("ConnectionRefusedError", "[Errno 111] refused by …", "")
    wrong = ScenarioError("no user 7", place="/x/calls.py:3")
    wrong.step = "call_out('890') at /x/calls.py:3"
    assert cause_of_failure(wrong) == ("ScenarioError", "no user …, in call_out at calls.py:3", "call_out")
    noted = ValueError("odd")
    noted.add_note("in the step hang_up() at calls.py:9")
    assert cause_of_failure(noted) == ("ValueError", "odd, in hang_up", "hang_up")


def test_soft_checks_and_what_was_left() -> None:
    desk = Desk()
    waits = [desk.expect("state", check={"state": wanted}) for wanted in ("on", "on", "off")]
    for _ in waits:
        desk.hear("state", {"state": "held"})
    soft = SoftChecksFailed([wait.error for wait in waits])  # type: ignore[misc]
    assert text_of(soft) == (
        "received state, but state is 'held', wanted 'on'; received state, but state is 'held', wanted 'off'"
    )
    left = MessagesLeft("3 messages")
    left.messages = [Message(name, {}, "{}") for name in ("news", "call-17", "news")]
    assert text_of(left) == "nobody expected news, …"
    assert text_of(MessagesLeft("desk: 17 more fell out")) == "desk: … more fell out"


@pytest.mark.parametrize("found", [[f"5f0c{number:028x}" for number in range(3)], ["anna", "bert"], [5, 6, 7.5], [""]])
@pytest.mark.parametrize("field", ["name", "state"])
def test_a_body_that_does_not_fit_its_type_is_one_kind_whatever_stands_there(field: str, found: list[Any]) -> None:
    class Call(msgspec.Struct):
        name: bool = True
        state: State = State.UP

    def misfit(value: Any) -> BaseException:
        desk = Desk()
        wait = TypedWait("call", kinds={"call": Call}, made_ns=0, deadline_ns=None)
        desk.mailbox.expect(wait)
        desk.hear("call", {field: value})
        assert wait.error is not None
        return wait.error

    def misfit_of_handler(value: Any) -> BaseException:
        message = Message("call", {field: value}, "", actor="agent", channel="desk")
        with pytest.raises(CheckFailed) as failed:
            body_or_failure(Call, message, "")
        return failed.value

    (text,) = {text_of(misfit(value)) for value in found}
    assert text.startswith(f"received call, but {field} is …, wanted ")
    (text,) = {text_of(misfit_of_handler(value)) for value in found}
    assert text.startswith(f"agent.desk received call, but it is no Call; {field} is …, wanted ")


def test_what_does_not_fit_its_type_is_told_where_it_is_one_of_few() -> None:
    class Call(msgspec.Struct):
        number: int

    for body, told in (({"number": None}, "number is None, wanted int"), ({}, "no number")):
        with pytest.raises(CheckFailed) as failed:
            body_or_failure(Call, Message("call", body, "", actor="agent", channel="desk"), "")
        assert text_of(failed.value).startswith(f"agent.desk received call, but it is no Call; {told}, at ")


def test_of_several_names_all_are_told() -> None:
    assert text_of(deadline(("state", "call"))) == "waited 5 s for state or call"


def test_an_assertion_is_one_cause_whatever_the_values_that_it_tells() -> None:
    causes = Causes()
    for number in range(3):
        failed = AssertionError(f"assert order.state == wanted\n  order.state = 'state {number}'")
        causes.add("calls", failed, f"calls-{number}", str)
        handler = HandlerFailed(f"desk.line: the handler judge raised AssertionError: assert n\n  n = 'n {number}'")
        handler.__cause__ = AssertionError("assert n")
        causes.add("calls", handler, f"calls-{number}", str)
    assert {(kind.text, kind.count) for kind in causes.take()} == {
        ("assert order.state == wanted", 3),
        ("desk.line: the handler judge raised AssertionError: assert n", 3),
    }

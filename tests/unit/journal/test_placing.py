"""Under which step an entry stands: found while it is recorded, and written with it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.journal import (
    Dropped,
    Handled,
    Journal,
    Note,
    RunStarted,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
)
from antiphon.journal.placing import Placing

NUMBERS = count(1)


def begun(*actors: str) -> RunStarted:
    about = {"scenario": "s", "parameters": {}, "stand": "", "started_at": "", "antiphon": "", "python": "", "pid": 1}
    return RunStarted(at_ns=0, actors={actor: ["desk"] for actor in actors}, **about)  # type: ignore[arg-type]


def step(number: int, actor: str = "alice", parent: int = 0) -> StepStarted:
    return StepStarted(at_ns=0, number=number, parent=parent, actor=actor, action="a", source="")


def over(number: int) -> StepEnded:
    return StepEnded(at_ns=0, number=number, outcome="passed")


def wait(number: int, name: str | None, step: int, actor: str = "alice", awaits: Any = "message") -> WaitStarted:
    return WaitStarted(
        at_ns=0,
        number=number,
        actor=actor,
        channel="desk",
        awaits=awaits,
        name=name,
        step=step,
        deadline_ns=None,
        source="",
    )


def ended(number: int, message: int = 0) -> WaitEnded:
    return WaitEnded(at_ns=0, number=number, outcome="satisfied", message=message)


def heard(name: str = "state", number: int = 1, actor: str = "alice") -> Message:
    return Message(name, {}, "{}", actor=actor, channel="desk", number=number)


def said(step: int = 0, actor: str = "alice") -> Message:
    return Message("pong", {}, "{}", actor=actor, channel="desk", number=1, is_sent=True, step=step)


def handled(message: int = 1, actor: str = "alice") -> Handled:
    return Handled(at_ns=0, actor=actor, channel="desk", message=message, handler="hear", took_ns=1)


def place(entries: Iterable[Any]) -> list[Any]:
    """The steps that the entries have, once they are recorded."""
    placing, recorded = Placing(), list(entries)
    for entry in recorded:
        placing(entry)
    return [getattr(entry, "step", None) for entry in recorded]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ([begun("alice")], 0),
        ([begun("alice"), step(1), step(2, parent=1)], 2),
        ([begun("alice"), step(1), step(2, parent=1), over(2)], 1),
        ([begun("alice", "bob"), step(1, "bob")], 0),
        ([begun("alice"), step(1, "bob")], 1),  # the only actor does whatever is done
        ([begun("alice", "bob"), step(1, ""), step(2, "bob", parent=1)], 1),
        ([begun("alice", "bob"), step(1, "bob"), step(2, "alice"), step(3, "")], 2),
        ([begun("alice"), step(1), step(2), wait(1, "state", 1)], 1),
        ([begun("alice"), step(1), step(2), wait(1, "news", 1)], 1),
        ([begun("alice"), step(1), step(2), wait(1, "state", 1), wait(2, "news", 2)], 1),
        ([begun("alice"), step(1), step(2), wait(1, "state", 2, awaits="reply"), wait(2, "news", 1)], 1),
        ([begun("alice"), step(1), step(2), wait(1, "state", 1), over(1)], 2),
        ([begun("alice", "bob"), step(1), step(2), wait(1, "state", 1, "bob")], 2),
        ([begun("alice"), step(1), step(2), wait(1, "state", 1), ended(1)], 2),
    ],
)
def test_a_message_stands_where_it_is_awaited_or_in_what_its_actor_does(before: list[Any], found: int) -> None:
    assert place([*before, heard()])[-1] == found


def test_the_end_of_the_wait_that_takes_it_tells_the_step() -> None:
    entries = [begun("alice"), step(1), step(2), wait(1, "state", 1), wait(2, "state", 2)]
    assert place([*entries, heard(), ended(1, 1)])[-2:] == [2, 1]
    assert place([*entries, heard(), said(), handled(), wait(3, "x", 0), ended(1, 1)])[-5:] == [2, 0, 2, 0, 1]


@pytest.mark.parametrize(
    "between",
    [
        [Note(at_ns=0, text="x")],
        [handled(), said()],  # what is said after the handler is somebody else's
        [said(actor="bob")],
        [heard(number=2)],
        [ended(2)],
        [step(3)],
    ],
)
def test_a_message_that_is_taken_later_stands_where_it_came(between: list[Any]) -> None:
    entries = [begun("alice"), step(1), wait(1, "state", 1), wait(2, "x", 1), heard(), *between]
    assert place([*entries, ended(1, 1)])[-1] is None


@pytest.mark.parametrize("end", [ended(1, 2), ended(9, 1), ended(1)])
def test_a_wait_that_took_another_message_or_none_tells_nothing(end: WaitEnded) -> None:
    assert place([begun("alice"), step(1), wait(1, "state", 1), heard(), end])[-1] is None


def test_a_wait_whose_step_is_over_leaves_the_message_where_it_came() -> None:
    assert place([begun("alice"), step(1), step(2), wait(1, "state", 1), over(1), heard(), ended(1, 1)])[-2:] == [2, 2]


def test_what_a_handler_did_later_and_what_fell_out_stand_in_what_their_actor_does() -> None:
    dropped = Dropped(at_ns=0, actor="alice", channel="desk", count=1, limit=1)
    assert place([begun("alice"), step(1), heard(), step(2), handled(), dropped])[-2:] == [2, 2]


def test_a_journal_without_sinks_places_nothing_and_one_with_them_everything() -> None:
    quiet, watched, sunk = Journal(), Journal(), []
    watched.attach(sunk.append)
    for journal in (quiet, watched):
        for entry in (begun("alice"), step(1), heard()):
            journal.record(entry)
    assert (quiet.entries[-1].step, watched.entries[-1].step, sunk[-1].step) == (0, 1, 1)

"""Fields of messages, waits and steps are written for every message: as those of a class with slots."""

from __future__ import annotations

import gc
from typing import Any

import msgspec
import pytest

from antiphon.conversation.message import Message, Unreadable
from antiphon.conversation.quick_writes import quick_writes
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.journal.performed import PerformedStep

WAITS = (AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait)


@pytest.mark.parametrize("kind", [Message, Unreadable, PerformedStep, *WAITS])
def test_they_are_written_as_any_object_is(kind: Any) -> None:
    assert kind.__setattr__ is object.__setattr__
    assert kind.__delattr__ is object.__delattr__


def test_no_kind_of_wait_is_forgotten() -> None:
    assert {kind for kind in Wait.__subclasses__() if kind.__module__.startswith("antiphon.")} == set(WAITS)


def test_what_is_written_is_read_and_only_fields_can_be() -> None:
    @quick_writes
    class Thing(msgspec.Struct, gc=False):
        count: int
        note: str = ""

    thing: Any = Thing(1)
    thing.count, thing.note = 2, "two"
    assert thing == Thing(2, "two")
    with pytest.raises(AttributeError):
        thing.other = 3


def test_the_collector_finds_what_leads_round_by_way_of_a_wait() -> None:
    """A wait is made with its driver, so it is looked into from the beginning, whatever is written later."""
    driver: Any = type("Driver", (), {})()
    for wait in (
        MessageWait("a", made_ns=0, deadline_ns=None, driver=driver),
        Exchange(Message("ask", None, ""), made_ns=0, deadline_ns=None, driver=driver),
    ):
        assert gc.is_tracked(wait)

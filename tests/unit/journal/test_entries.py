"""Entries: plain data, each kind with a name of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.dialect import JsonRpc
from antiphon.dialect.meeting import Meeting
from antiphon.journal import Argument, Entry, StepStarted, kind_of


def kinds() -> list[type[Entry]]:
    found = [getattr(journal, name) for name in journal.__all__]
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, Entry) and kind is not Entry]


def test_no_two_kinds_are_written_under_one_name() -> None:
    tags = [kind.__struct_config__.tag for kind in kinds()]
    assert len(set(tags)) == len(tags) == 23
    assert all(tag == str(tag).lower() for tag in tags)


def test_an_entry_is_told_by_its_class_and_a_message_is_one_whatever_a_dialect_makes_of_it() -> None:
    arguments = [Argument("8"), Argument(2, "tries")]
    step: Any = StepStarted(at_ns=1, number=1, parent=0, actor="", action="call", arguments=arguments, source="x.py:1")
    assert kind_of(step) is StepStarted
    assert step.title == "call('8', tries=2)"
    (read,) = JsonRpc().codec(Meeting()).decode('{"jsonrpc": "2.0", "method": "hello"}')
    assert kind_of(read) is kind_of(Message("a", {}, "{}")) is Message


def test_what_an_entry_does_not_say_is_not_written() -> None:
    ended = journal.StepEnded(at_ns=1, number=2, outcome="passed")
    assert msgspec.json.decode(msgspec.json.encode(ended)) == {
        "kind": "step-ended",
        "at_ns": 1,
        "number": 2,
        "outcome": "passed",
    }

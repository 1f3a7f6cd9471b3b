"""Entries as they are shown: each with the step that was recorded for it."""

from __future__ import annotations

from typing import Any

from antiphon.journal import Handled, WaitEnded, WaitStarted
from antiphon.journal.placing import Placing
from antiphon.report.placing import Depths, Reading, placed


def wait(number: int, step: int) -> dict[str, Any]:
    place = {"actor": "operator", "channel": "desk", "deadline_ns": None, "source": ""}
    return {"number": number, "awaits": "message", "name": "state", "step": step, **place}


def recorded(entries: list[Any]) -> list[Any]:
    place = Placing()
    for entry in entries:
        place(entry)
    return entries


def test_a_message_is_kept_back_until_it_is_known_what_came_of_it(telling: Any) -> None:
    told = telling()
    outer = told.begin("call")
    told.add(WaitStarted, **wait(1, outer))
    told.begin("other", parent=outer)
    told.say("state")
    told.say("pong", is_sent=True)
    told.add(Handled, actor="operator", channel="desk", message=1, handler="hear", took_ns=1)
    told.add(WaitEnded, number=1, outcome="satisfied", message=1)
    reading = Reading()
    entries = recorded(told.entries)
    assert [len(reading(entry)) for entry in entries] == [1, 1, 1, 1, 0, 0, 0, 4]
    shown = {type(entry).__name__ + getattr(entry, "name", ""): step for entry, step in placed(entries)}
    assert (shown["Messagestate"], shown["Messagepong"], shown["WaitEnded"]) == (outer, outer, outer)
    assert shown["Handled"] == outer


def test_it_is_told_who_took_it_and_who_heard_it(telling: Any) -> None:
    told = telling()
    told.add(WaitStarted, **wait(1, 0))
    told.say("state").add(WaitEnded, number=1, outcome="satisfied", message=1)
    told.say("ping").add(Handled, actor="operator", channel="desk", message=2, handler="hear", took_ns=1)
    reading = Reading()
    shown = [each for entry in recorded(told.entries) for each in reading(entry)]
    shown += reading.flush()
    taken, end, heard = shown[2], shown[3], shown[4]
    assert taken.wait is end.wait is told.entries[1]
    assert (taken.is_aside, end.is_told) == (False, True)
    assert (heard.handler, heard.is_aside, heard.wait) == ("hear", True, None)
    assert reading.flush() == []


def test_once_it_was_shown_the_end_of_its_wait_stands_alone(telling: Any) -> None:
    told = telling()
    told.add(WaitStarted, **wait(1, 0))
    told.say("state").add(WaitEnded, number=1, outcome="satisfied", message=1)
    reading = Reading()
    entries = recorded(told.entries)
    for entry in entries[:-1]:
        reading(entry)
    assert [each.wait for each in reading.flush()] == [None]
    (end,) = reading(entries[-1])
    assert (end.is_told, end.wait) == (False, entries[1])


def test_how_deep_a_step_stands(telling: Any) -> None:
    told, depths = telling(), Depths()
    outer, inner = told.begin("outer"), told.begin("inner", parent=1)
    assert [depths.begin(entry) for entry in told.entries[1:]] == [0, 1]
    assert (depths.inside(inner), depths.inside(outer), depths.inside(99)) == (2, 1, 0)
    ended = told.end(inner).entries[-1]
    assert depths.end(ended) == (told.entries[2], 1)
    assert depths.end(ended) == (None, 0)
    assert depths.inside(inner) == 0

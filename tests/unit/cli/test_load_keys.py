"""What the keys say to a load, and that the terminal is as it was when nobody listens any more."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest
from load_watching import FakeDirector, FakePlan, PlannedPart

from antiphon.cli.load_keys import Keyboard, Steering
from antiphon.journal.figures import LoadChanged
from antiphon.load.profile import Profile


@pytest.fixture
def director() -> FakeDirector:
    return FakeDirector()


def pressed(director: Any, keys: str) -> list[Any]:
    steering = Steering(director)
    for key in keys:
        before = len(director.said)
        steering.press(key)
        for asked in director.said[before:]:
            if isinstance(asked, dict):
                steering.note(LoadChanged(at_ns=0, text="", asked=asked))
    return director.said


def test_more_and_less_are_tenths_of_what_the_plan_asks_for(director: FakeDirector) -> None:
    assert pressed(director, "++-=_") == [
        {"outgoing": 22, "long_case": 9},
        {"outgoing": 24, "long_case": 10},
        {"outgoing": 22, "long_case": 9},
        {"outgoing": 24, "long_case": 10},
        {"outgoing": 22, "long_case": 9},
    ]


def test_nothing_is_asked_for_below_nothing(director: FakeDirector) -> None:
    *_, last = pressed(director, "-" * 12)
    assert last == {"outgoing": 0, "long_case": 0}


def test_in_a_ramp_a_tenth_of_the_top_is_added_to_what_is_asked_for_now() -> None:
    ramp = PlannedPart("calls", Profile.constant(50, 100, 100), is_open=True)
    director = FakeDirector(FakePlan(parts=[ramp]))
    director.now_s = 40
    assert pressed(director, "+") == [{"calls": 25}]


def test_what_others_changed_counts(director: FakeDirector) -> None:
    steering = Steering(director)  # type: ignore[arg-type]
    steering.note(LoadChanged(at_ns=0, text="", asked={"outgoing": 100.0}))
    steering.press("-")
    assert director.said == [{"outgoing": 98, "long_case": 7}]


def test_pause_and_go_on(director: FakeDirector) -> None:
    assert pressed(director, "p p") == ["pause", "go on", "pause"]


def test_stop_and_stop_at_once(director: FakeDirector) -> None:
    assert pressed(director, "sq") == ["end 30", "end 0"]


def test_a_load_that_ends_is_not_changed_any_more(director: FakeDirector) -> None:
    assert pressed(director, "s+-p") == ["end 30"]


def test_other_keys_do_nothing(director: FakeDirector) -> None:
    assert pressed(director, "xyz\r\n0") == []


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The other side of the terminal that is our input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as input_:
        monkeypatch.setattr(sys, "stdin", input_)
        yield ours
    os.close(ours)


def test_keys_come_as_they_are_pressed_and_the_terminal_is_restored(terminal: int) -> None:
    before = termios.tcgetattr(terminal)

    async def listen() -> list[str]:
        came: asyncio.Queue[str] = asyncio.Queue()
        keyboard = Keyboard(came.put_nowait)
        keyboard.open()
        keyboard.open()
        assert termios.tcgetattr(terminal) != before
        keys = []
        # An arrow comes as a sequence in one read, and is no key of ours.
        for sent, expected in ((b"+", "+"), (b"ps", "ps"), (b"\x1b", "\x1b")):
            os.write(terminal, sent)
            keys += [await asyncio.wait_for(came.get(), 20) for _ in expected]
        os.write(terminal, b"\x1b[A")
        await asyncio.sleep(0)
        keyboard.close()
        keyboard.close()
        return keys

    assert Keyboard.is_there()
    assert asyncio.run(listen()) == ["+", "p", "s", "\x1b"]
    assert termios.tcgetattr(terminal) == before


def test_a_pipe_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as input_:
        monkeypatch.setattr(sys, "stdin", input_)
        assert not Keyboard.is_there()
    os.close(writing)
    monkeypatch.setattr(sys, "stdin", None)
    assert not Keyboard.is_there()


def test_looking(director: FakeDirector) -> None:
    assert pressed(director, "lool\x1bo") == ["look", "hold", "let go", "look", "look away", "hold"]


def test_another_look_holds_nothing_any_more(director: FakeDirector) -> None:
    assert pressed(director, "lolo") == ["look", "hold", "look", "hold"]

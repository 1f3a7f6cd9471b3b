"""The keys by which a load is steered while it runs, and the keyboard that they come from."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from antiphon.journal.figures import LoadChanged
from antiphon.load.director import Director

if sys.platform != "win32":
    import termios
    import tty

__all__ = ["KEYS", "LOOKING_KEYS", "Keyboard", "Steering"]

KEYS: Final = "+ more  - less  p pause  s stop  l look"
LOOKING_KEYS: Final = "+ more  - less  p pause  s stop  l look at the next  o hold it open  Esc back"

ESCAPE: Final = "\x1b"

STEP: Final = 0.1
"""By how much of the most that the plan asks for of a part it is raised or lowered."""


class Steering:
    """What a key means to a load: says it to the director."""

    def __init__(self, director: Director) -> None:
        self._director = director
        self._is_held = False
        self._asked: dict[str, float] = {}  # what was changed by whomever, and to what

    def note(self, changed: LoadChanged) -> None:
        """Somebody has changed the load."""
        self._asked |= changed.asked

    def press(self, key: str) -> None:
        """A key was pressed; others than ours do nothing."""
        director = self._director
        if key in "+=" and not director.is_ending:
            self._change(1)
        elif key in "-_" and not director.is_ending:
            self._change(-1)
        elif key in "pP " and not director.is_ending:
            director.pause(not director.is_paused)
        elif key in "lL":
            self._is_held = False
            director.look()
        elif key in "oO":
            self._is_held = not self._is_held
            director.hold(self._is_held)
        elif key == ESCAPE:
            self._is_held = False
            director.look_away()
        elif key in "sSqQ":
            # Whoever says it again does not want to wait.
            director.end(0.0 if director.is_ending else director.plan.grace_s)

    def _change(self, direction: int) -> None:
        director = self._director
        now_s = max(director.now_s, 0.0)
        asked: dict[str, float] = {}
        told: list[str] = []
        for part in director.plan.parts:
            peak = part.profile.peak
            step = STEP * peak if part.is_open else max(math.floor(STEP * peak + 0.5), 1)
            now = self._asked.get(part.name, part.profile.at(now_s))
            level = max(round(now + direction * step, 9), 0.0)
            asked[part.name] = level
            told.append(f"{part.name} {level:g}" + ("/s" if part.is_open else " users"))
        director.change(asked, f"{'raised' if direction > 0 else 'lowered'} by hand: {', '.join(told)}")


class Keyboard:
    """Gives each key that is pressed on the terminal of our input to `press`, at once, in the running loop."""

    def __init__(self, press: Callable[[str], None]) -> None:
        self._press = press
        self._loop = asyncio.get_running_loop()
        self._descriptor = sys.stdin.fileno()
        self._before: Any = None

    @staticmethod
    def is_there() -> bool:
        """Whether our input is a terminal that can be read key by key."""
        return sys.platform != "win32" and sys.stdin is not None and sys.stdin.isatty()

    def open(self) -> None:
        """Begin to hear keys: they come without Enter, and are not shown. Ctrl-C and Ctrl-Z mean what they did."""
        if sys.platform != "win32" and self._before is None:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor, termios.TCSANOW)
            self._loop.add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """Leave the terminal as it was found."""
        if sys.platform != "win32" and self._before is not None:
            before, self._before = self._before, None
            if not self._loop.is_closed():
                self._loop.remove_reader(self._descriptor)
            try:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)
            except termios.error:  # the terminal is gone
                return

    def _read(self) -> None:
        try:
            pressed = os.read(self._descriptor, 64).decode("latin-1")
        except OSError:
            pressed = ""
        if not pressed:
            self._loop.remove_reader(self._descriptor)
            return
        # An arrow or a function key is a sequence, whose letters nobody has pressed.
        if pressed == ESCAPE or not pressed.startswith(ESCAPE):
            for key in pressed:
                self._press(key)

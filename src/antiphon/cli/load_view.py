"""The live view of a load: a frame that fills the terminal while the load runs, or a line now and then without one."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text

from antiphon.cli.canvas import Canvas
from antiphon.cli.load_frame import Course, clock, frame, plain_line
from antiphon.cli.load_keys import KEYS, LOOKING_KEYS, Keyboard, Steering
from antiphon.cli.load_picture import LoadPicture, shown_series
from antiphon.cli.screen import Screen
from antiphon.errors import Line
from antiphon.journal.figures import LoadChanged, ProcessLost, Second
from antiphon.load.director import Director
from antiphon.load.loads import name_of
from antiphon.report.failure_text import painted
from antiphon.report.load.compare import compare
from antiphon.report.load.figures import LoadFigures
from antiphon.report.load.text import lines

__all__ = ["LoadView"]

FRAME_S: Final = 0.25
"""A terminal is drawn at most so often."""

LINE_S: Final = 5.0
"""Where no terminal is there is a line so often."""

_BEYOND_LATIN: Final = "→"

STANDS_STILL_S: Final = 1.0
"""A terminal that takes nothing for so long is left as it is when we are stopped (Ctrl-Z)."""


class LoadView:
    """A watcher (`antiphon.load.loads.Watcher`) that shows from a thread of its own: a terminal that stands still does
    not hold up the load.

    If `is_quiet`, or after the end, only `tell_end` shows something. `baseline` is the load that the end compares with.
    What the view itself raises does not reach the load; `error` has it.
    """

    def __init__(self, screen: Screen, *, is_quiet: bool = False, baseline: LoadFigures | None = None) -> None:
        self.error: Exception | None = None
        self._screen = screen
        self._is_quiet = is_quiet
        cell_len(_BEYOND_LATIN)  # rich imports its tables when it first needs them: then there may be no more files
        self._baseline = baseline
        self._director: Director | None = None
        self._steering: Steering | None = None
        self._presenter: _Frames | _Lines | None = None
        self._terminal: _Terminal | None = None
        self._picture = LoadPicture()
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        # A daemon: a terminal that is stopped (Ctrl-S) must not keep the process.
        self._thread = threading.Thread(target=self._show, name="antiphon load view", daemon=True)

    def begin(self, director: Director, /) -> None:
        """The load is about to begin."""
        self._director = director
        if self._is_quiet:
            return
        self._steering = Steering(director)
        if self._screen.has_cursor and (canvas := Canvas(self._screen)).is_in_front():
            keyboard = Keyboard(self._press) if Keyboard.is_there() else None
            self._terminal = _Terminal(canvas, keyboard)
            self._presenter = _Frames(self._terminal, self._screen, self._picture, self._course)
            self._terminal.open()
        else:
            self._presenter = _Lines(self._screen, self._picture, self._course)
        self._thread.start()

    def see(self, entry: Any, /) -> None:
        """An entry of the load's record."""
        if self._is_quiet:
            return
        if isinstance(entry, LoadChanged) and self._steering is not None:
            self._steering.note(entry)
        point = self._director.figures.latest if isinstance(entry, Second) and self._director is not None else None
        self._waiting.put((entry, shown_series(point) if point is not None else {}))

    def close(self) -> None:
        """The load is over, or never began: leave the terminal as it was."""
        try:
            if self._presenter is not None:
                self._waiting.put(None)
                self._thread.join()
        finally:
            if self._terminal is not None:
                self._terminal.close()
            self._is_quiet = True

    def tell_end(self) -> bool:
        """Show how it ended, in full; False if it never began."""
        if self._director is None or self._director.figures.started is None:
            return False
        figures = self._director.figures
        compared = compare(figures, self._baseline) if self._baseline is not None else None
        told = lines(figures, compared, width=self._screen.width if self._screen.output.is_terminal else None)
        self._screen.print(*_coloured(told))
        return True

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        assert self._presenter is not None
        try:
            while (told := self._next()) is not None:
                entry, series = told
                self._picture.add(entry, series)
                self._presenter.note(entry)
        except Exception as error:
            self.error = error

    def _next(self) -> Any:
        """What comes next. Meanwhile whatever is to be drawn is drawn."""
        assert self._presenter is not None
        while True:
            try:
                return self._waiting.get(timeout=self._presenter.wait_s)
            except Empty:
                self._presenter.draw()

    def _press(self, key: str) -> None:
        if self._steering is not None:
            self._steering.press(key)
            self._waiting.put((key, {}))

    def _course(self) -> Course:
        director = self._director
        assert director is not None
        plan = director.plan
        counts = [part.count for part in plan.parts]
        return Course(
            name_of(plan),
            max(self._picture.at_ns / 1e9, 0.0),
            plan.duration_s,
            None if None in counts else sum(count for count in counts if count is not None),
            frozenset(part.name for part in plan.parts if not part.is_open),
            director.is_paused,
            director.is_ending,
            looked=director.looked,
        )


class _Lines:
    """A line every few seconds, and one for whatever happens to the load."""

    wait_s: float | None = None

    def __init__(self, screen: Screen, picture: LoadPicture, course: Callable[[], Course]) -> None:
        self._screen = screen
        self._picture = picture
        self._course = course
        self._told_s = 0.0

    def note(self, entry: Any) -> None:
        """The picture has become another."""
        if isinstance(entry, LoadChanged):
            self._screen.print(f"{clock(entry.at_ns / 1e9)}  {entry.text}")
        elif isinstance(entry, ProcessLost):
            lost = f"process {entry.process} of the generator was lost: {entry.text}"
            self._screen.print(f"{clock(entry.at_ns / 1e9)}  {lost}")
        elif isinstance(entry, Second) and entry.at_ns / 1e9 >= self._told_s + LINE_S:
            self._told_s = entry.at_ns / 1e9 // LINE_S * LINE_S
            self._screen.print(plain_line(self._picture, self._course()))

    def draw(self) -> None:
        """Nothing has to be drawn again."""


class _Frames:
    """The picture on the whole terminal, drawn when it has become another, and not too often."""

    def __init__(self, terminal: _Terminal, screen: Screen, picture: LoadPicture, course: Callable[[], Course]) -> None:
        self._terminal = terminal
        self._signs = screen.signs
        self._picture = picture
        self._course = course
        self._is_stale = True
        self._drawn_s = 0.0

    @property
    def wait_s(self) -> float:
        """How long nothing has to be drawn. Once a second in any case: the terminal's size may have changed."""
        since_s = time.monotonic() - self._drawn_s
        return max((FRAME_S if self._is_stale else 1.0) - since_s, 0.001)

    def note(self, entry: Any) -> None:
        """The picture has become another."""
        self._is_stale = True
        if time.monotonic() - self._drawn_s >= FRAME_S:
            self.draw()

    def draw(self) -> None:
        """Draw it as it is now."""
        course = self._course()
        if self._terminal.has_keys:
            course.keys = KEYS if course.looked is None else LOOKING_KEYS
        self._terminal.draw(lambda width, height: frame(self._picture, course, width, height, self._signs))
        self._is_stale, self._drawn_s = False, time.monotonic()


class _Terminal:
    """The canvas and the keyboard, ours while the load runs and we are in front: not while we are stopped (Ctrl-Z), nor
    when we go on in the background."""

    def __init__(self, canvas: Canvas, keyboard: Keyboard | None) -> None:
        self.has_keys = keyboard is not None
        self._canvas = canvas
        self._keyboard = keyboard
        self._loop = asyncio.get_running_loop()
        self._lock = threading.RLock()
        self._is_open = False
        self._before: Any = None

    def open(self) -> None:
        """Take it."""
        self._is_open = True
        # Whatever ends the process without ending us, but a kill, calls this.
        atexit.register(self.close)
        # Only the main thread hears of signals.
        if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGTSTP)
            if before == signal.SIG_DFL:
                self._before = signal.signal(signal.SIGTSTP, self._stop)
        self._take()

    def close(self) -> None:
        """Give it back."""
        self._is_open = False
        atexit.unregister(self.close)
        if sys.platform != "win32" and self._before is not None:
            signal.signal(signal.SIGTSTP, self._before)
            self._before = None
        self._give_back()

    def draw(self, frame: Callable[[int, int], Sequence[Text]]) -> None:
        """Draw what `frame` gives for the terminal's width and height, if the terminal is ours."""
        drawn = frame(*self._canvas.size)
        with self._lock:
            if self._canvas.is_shown:
                self._canvas.draw(drawn)
        if self._is_open and not self._canvas.is_shown and self._canvas.is_in_front():
            # We were stopped or in the background, and are back. The keyboard is the loop's.
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        with self._lock:
            if self._is_open and self._canvas.is_in_front():
                self._canvas.enter()
                if self._keyboard is not None:
                    self._keyboard.open()

    def _give_back(self) -> None:
        # Who draws may have to wait for a terminal that stands still, and we would wait for that.
        has_lock = self._lock.acquire(timeout=STANDS_STILL_S)
        try:
            if self._keyboard is not None:
                self._keyboard.close()
            self._canvas.leave()
        finally:
            if has_lock:
                self._lock.release()

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._give_back()
        # What the signal would have done by itself, also where the system knows that nobody could have us go on.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)


def _coloured(told: list[Line]) -> list[Any]:
    """The lines with styles. None is a headline: the first has its own."""
    return painted([(), *told])[1:]

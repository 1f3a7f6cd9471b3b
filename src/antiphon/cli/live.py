"""The live view: a run's conversation on the screen while it goes on."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text

from antiphon.cli.progress import Progress
from antiphon.cli.screen import Screen
from antiphon.conversation.message import Message
from antiphon.journal import RunEnded
from antiphon.report.text import Conversation

__all__ = ["LiveView"]

KEPT_BACK_S: Final = 0.02
"""How long a received message may wait for what comes of it before it is shown."""

LOOK_EVERY_S: Final = 0.2
"""How often a terminal is told what the run waits for, while nothing else happens."""

FURTHEST_BEHIND: Final = 20_000
"""When so many entries wait to be shown, messages are left out."""

_BEYOND_LATIN: Final = "→"


class LiveView:
    """A sink that shows entries from a thread of its own: a terminal that stands still does not hold up the run.

    If `is_quiet`, only the verdict is shown. Call `finish` at the end. `ended` is the run's last entry, None if there
    was none. What the view itself raises does not reach the run; `error` has it.
    """

    def __init__(self, screen: Screen, *, is_quiet: bool = False) -> None:
        self.ended: RunEnded | None = None
        self.error: Exception | None = None
        self._screen = screen
        self._is_quiet = is_quiet
        cell_len(_BEYOND_LATIN)  # rich imports its tables when it first needs them: then there may be no more files
        self._conversation = Conversation(self._write, width=screen.width, signs=screen.signs, explains=False)
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        self._left_out = 0
        self._progress = Progress()
        self._thread = threading.Thread(target=self._show, name="antiphon live view", daemon=True)
        # A daemon: a terminal that is stopped (Ctrl-S) must not keep the process.
        self._thread.start()

    def __call__(self, entry: Any) -> None:
        if isinstance(entry, RunEnded):
            self.ended = entry
        if isinstance(entry, Message) and self._waiting.qsize() > FURTHEST_BEHIND:
            # Only messages: steps, waits and the end are what the reader must not miss, and there are few.
            self._left_out += 1
        else:
            self._waiting.put(entry)

    def finish(self) -> None:
        """Show what is still waiting."""
        self._waiting.put(None)
        self._thread.join()
        if self._left_out:
            self._screen.print(f"{self._left_out} messages were not shown: they came faster than they can be written")

    def _show(self) -> None:
        try:
            while (entry := self._next()) is not None:
                self._progress.note(entry, time.monotonic())
                if isinstance(entry, RunEnded):
                    self._conversation.flush()
                    # The end is shown in any case.
                    self._is_quiet = False
                self._conversation(entry)
            self._conversation.flush()
        except Exception as error:
            self.error = error

    def _next(self) -> Any:
        try:
            return self._waiting.get(timeout=KEPT_BACK_S)
        except Empty:
            self._conversation.flush()
        # Without a cursor there is no line that could be overwritten, so nothing has to be looked at in between.
        if self._is_quiet or not self._screen.has_cursor:
            return self._waiting.get()
        while True:
            try:
                return self._waiting.get(timeout=LOOK_EVERY_S)
            except Empty:
                self._screen.show_status(self._progress.line(time.monotonic(), self._screen.width))

    def _write(self, line: Text) -> None:
        if not self._is_quiet:
            self._screen.show_status("")
            self._screen.print(line)

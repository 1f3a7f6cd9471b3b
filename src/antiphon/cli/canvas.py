"""A terminal's other screen, drawn as a whole: what stood on the terminal is there again when it is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from antiphon.cli.screen import Screen

__all__ = ["Canvas"]

# xterm's control sequences (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html); terminals ignore private modes
# that they do not know, as 2026, which shows a frame only when it is whole.
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_BEGIN_FRAME: Final = "\x1b[?2026h\x1b[H"
_END_FRAME: Final = "\x1b[J\x1b[?2026l"
_REST_OF_LINE: Final = "\x1b[K"


class Canvas:
    """Draws on the output of the screen, which must be a terminal with a cursor.

    Frames are written past the output's buffer: a terminal that stands still holds up whoever draws, and no lock that
    the interpreter's end would wait for. What cannot be written is not.
    """

    def __init__(self, screen: Screen) -> None:
        self._console = screen.output
        self._descriptor = screen.output.file.fileno()
        self.is_shown = False

    @property
    def size(self) -> tuple[int, int]:
        """How many cells a line has that a frame may use, and how many lines there are."""
        try:
            columns, lines = os.get_terminal_size(self._descriptor)
        except OSError:
            columns, lines = 0, 0
        # One less: after the last cell of a line terminals differ in where the cursor is.
        return max((columns or 80) - 1, 1), max(lines or 24, 1)

    def is_in_front(self) -> bool:
        """Whether the terminal is ours to draw on: a shell's job in the background leaves it alone."""
        try:
            return sys.platform == "win32" or os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # it is not the terminal that jobs are controlled from
            return True

    def enter(self) -> None:
        """Show the other screen."""
        if not self.is_shown:
            self.is_shown = True
            self._console.file.flush()
            self._write(_ENTER)

    def leave(self) -> None:
        """Show again what was there before."""
        if self.is_shown:
            self.is_shown = False
            self._write(_LEAVE)

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines, which fit, and nothing else."""
        # Each is written over what was there, never onto a cleared screen: that would flicker.
        drawn = "\r\n".join(self._rendered(line) + _REST_OF_LINE for line in lines)
        self._write(_BEGIN_FRAME + drawn + _END_FRAME)

    def _rendered(self, line: Text) -> str:
        with self._console.capture() as capture:
            self._console.print(line, end="", soft_wrap=True)
        return capture.get()

    def _write(self, text: str) -> None:
        data = memoryview(text.encode(self._console.encoding, "backslashreplace"))
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:  # the terminal is gone, which a signal says as well
            pass

"""Where the command line writes: output and errors, on a terminal or into a pipe that may close at any moment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from pathlib import Path
from textwrap import fill
from typing import IO, Any, Final, TextIO, cast

from rich.console import Console
from rich.text import Text

from antiphon.conversation.wording import visible, visible_lines
from antiphon.errors import Line
from antiphon.report.failure_text import few_lines, painted
from antiphon.report.text import ASCII, UNICODE, Signs

__all__ = ["Screen"]

LOG_WIDTH: Final = 120
"""How wide lines are where there is no terminal."""

HELP_WIDTH: Final = 100


class Screen:
    """Output and errors of one command.

    Colours and attributes only on a terminal, and not if NO_COLOR is set (https://no-color.org). A character that the
    output's encoding does not have is written as an escape. Once the output's reader has gone, writing does nothing.
    """

    def __init__(self) -> None:
        self.output = _Stream(sys.stdout)
        self.errors = _Stream(sys.stderr)
        self._has_status = False

    @property
    def width(self) -> int:
        """How many cells a line of output has."""
        return self.output.width if self.output.is_terminal or "COLUMNS" in os.environ else LOG_WIDTH

    @property
    def signs(self) -> Signs:
        """The signs that the output can show."""
        try:
            "".join(getattr(UNICODE, name) for name in UNICODE.__struct_fields__).encode(self.output.encoding)
        except (UnicodeEncodeError, LookupError):
            return ASCII
        return UNICODE

    @property
    def has_cursor(self) -> bool:
        """Whether lines of output can be overwritten; colours that FORCE_COLOR wants in a file do not say that."""
        return self.output.file.isatty() and not self.output.is_dumb_terminal

    def help_console(self) -> Console:
        """A console for help, which is hard to read in very long lines."""
        width = min(self.width, HELP_WIDTH)
        return _Stream(sys.stdout, width=width) if self.output.is_terminal else _PlainHelp(sys.stdout, width)

    def print(self, *lines: str | Text) -> None:
        """Write lines of output, each as long as it is; nothing in them moves the cursor."""
        for line in lines:
            self.output.write_line(line)

    def show_status(self, text: str) -> None:
        """On a terminal, show a line that is overwritten by whatever is written next; "" takes it away."""
        if text or self._has_status:
            # Written past the console: a line that is rubbed out again must not be wrapped or counted by it.
            self._has_status = bool(text)
            self.output.file.write(f"\r\x1b[2K\x1b[2m{visible(text)}\x1b[0m" if text else "\r\x1b[2K")
            self.output.file.flush()

    def print_prose(self, *lines: str | Text) -> None:
        """Write lines of output; on a terminal they are wrapped between words."""
        for line in lines:
            # Into a pipe each as it is: whoever greps wants whole lines.
            if self.output.is_terminal:
                self.output.print(_harmless(line))
            else:
                self.output.write_line(line)

    @property
    def output_error(self) -> OSError | None:
        """Why output was lost; None if it was not, or if its reader did not want more."""
        return self.output.forgiving.error

    def tell_error(self, told: str | Sequence[Line], *, label: str = "error") -> None:
        """Write an error behind a label, "" for none, in few lines; on a terminal its pieces have colours."""
        lines: list[Line] = [((line, ""),) for line in told.splitlines()] if isinstance(told, str) else list(told)
        first, *rest = painted(few_lines(lines or [(("", ""),)]))
        self.errors.write_line(Text.assemble((f"{label}: ", "bold red"), first) if label else first)
        for line in rest:
            self.errors.write_line(line)

    def tell(self, text: str) -> None:
        """Write something beside the output that is no error."""
        for line in text.splitlines():
            self.errors.write_line(visible(line))


class _Stream(Console):
    """A console that is plain where it should be."""

    def __init__(self, file: TextIO | None, width: int | None = None) -> None:
        self.forgiving = _Forgiving(file)
        options: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
        super().__init__(
            file=cast("IO[str]", self.forgiving), width=width, markup=False, highlight=False, emoji=False, **options
        )

    def write_line(self, line: str | Text) -> None:
        """Write one line as it is, however long; without markup to render that is ten times as fast as `print`."""
        line = _harmless(line)
        if self.is_terminal and self.color_system is not None:
            self.print(line, soft_wrap=True)
        else:
            self.file.write(f"{line}\n")
            self.file.flush()


class _PlainHelp(_Stream):
    """A console for help in plain text, which wraps it itself.

    The plain formatter of cyclopts wraps a description before it puts the option's name in front, so that what then is
    too long would be wrapped once more, in the middle of a paragraph. It is told that lines may have any length.
    """

    def __init__(self, file: TextIO | None, width: int) -> None:
        super().__init__(file, width=_ANY_WIDTH)
        self._wrapped_at = width

    def print(self, *texts: Any, **options: Any) -> None:
        """Write the texts, each of their lines wrapped; what belongs to an option stands below it, indented."""
        if not all(isinstance(text, str) for text in texts):  # what is no plain text wraps itself
            super().print(*texts, **{**options, "width": self._wrapped_at})
            return
        for line in [line for text in texts or ("",) for line in text.splitlines() or [""]]:
            indent = " " * (2 * (len(line) - len(line.lstrip())))
            self.write_line(
                fill(line, self._wrapped_at, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
            )


_ANY_WIDTH: Final = 100_000


def _harmless(line: str | Text) -> str | Text:
    """The line, safe to be shown. Views escape what they show, and keep its styles; this is for what they forgot."""
    if isinstance(line, str):
        return visible_lines(line)
    return line if visible(line.plain) == line.plain else Text(visible(line.plain))


class _Forgiving:
    """A text file that does not mind when it cannot be written: a run must not end because nobody reads of it.

    `error` is why, None if the reader has simply gone, or never was. A character that its encoding does not have is
    written as an escape.
    """

    def __init__(self, file: TextIO | None) -> None:
        if isinstance(file, TextIOWrapper):
            # A name that the encoding lacks must not end a run with a UnicodeEncodeError.
            file.reconfigure(errors="backslashreplace")
        self.encoding = file.encoding if file is not None else "utf-8"
        self.error: OSError | None = None
        self._file = file

    def isatty(self) -> bool:
        return self._file is not None and self._file.isatty()

    def fileno(self) -> int:
        if self._file is None:
            raise OSError("there is no file")
        return self._file.fileno()

    def write(self, text: str) -> int:
        with self._forgiving() as file:
            file.write(text)
        return len(text)

    def flush(self) -> None:
        with self._forgiving() as file:
            file.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[TextIO]:
        file = self._file
        try:
            yield file if file is not None else StringIO()
        except OSError as error:
            assert file is not None
            # From now on nothing is written: the reader of a pipe may be gone in the middle of a run, which goes on.
            self._file = None
            self.error = None if isinstance(error, BrokenPipeError) else error
            # What is left in the buffer is written when the interpreter ends: it must not fail then either.
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), file.fileno())

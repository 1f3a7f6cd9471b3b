"""Errors as the command line tells them: what happened, where in the author's code, and what to do about it."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from cyclopts.exceptions import CycloptsError, MissingArgumentError, UnusedCliTokensError

from antiphon.cli.exit_codes import BUG, USAGE, exit_code, is_told_to_end
from antiphon.cli.screen import Screen
from antiphon.errors import AntiphonError, Line, in_pieces, plain_line, plain_text
from antiphon.journal import RunEnded
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.report.failure_text import has_transcript, show_command
from antiphon.runtime.exhaustion import as_exhaustion
from antiphon.runtime.tracebacks import author_frame
from antiphon.scenarios.outcome import CODE_INDENT, failure_lines

__all__ = ["fail"]


def fail(
    error: BaseException,
    screen: Screen,
    *,
    ended: RunEnded | None = None,
    shows_traceback: bool = False,
    directory: Path | None = None,
) -> int:
    """Tell of an error, and give the exit code that it means.

    `ended` is how the journal tells of it, if it was a run that failed: there its secrets are masked. `directory` is
    where that run is recorded: what shows it is told. The traceback of a bug of ours goes there too, or into a
    temporary file if there is none.
    """
    if isinstance(error, CycloptsError):
        about = getattr(error.argument, "parameter", None) if isinstance(error, MissingArgumentError) else None
        told = f"{about.help}; " if about is not None and about.help else ""
        usage = AntiphonError(_usage_text(error), hint=f"{told}{_command_of(error)} --help shows what there is")
        screen.tell_error(usage.lines())
        return USAGE
    error = as_exhaustion(error)
    code = exit_code(error)
    lines = failure_lines(error)
    plain = str(error) if isinstance(error, AntiphonError) else f"{type(error).__name__}: {error}"
    text = ended.error if ended is not None and ended.error else plain_text(lines)
    # The traceback has the error's text once more, unmasked.
    trace = "".join(traceback.format_exception(error)).replace(plain, text)
    if shows_traceback:
        screen.tell(trace.rstrip())
    if is_told_to_end(code):
        if ended is None:
            screen.tell("interrupted")
    elif code == BUG:
        # Not on the screen: it is for us, and would hide what the author should see.
        where = "above" if shows_traceback else _written(trace, directory)
        claim = f"This is a bug of antiphon, whatever your code did; the traceback is {where}. Please report it."
        first = in_pieces(text, lines)[0]
        screen.tell_error([first, *_author_lines(error), (("  ", ""), (claim, ""))], label="internal error")
    else:
        # The output's last line has the verdict: another word for it would read like another failure.
        is_told = ended is not None and ended.verdict in {"failed", "error"}
        screen.tell_error(_with_place(in_pieces(text, lines), error), label="" if is_told else "error")
    if ended is None or directory is None or is_told_to_end(code):
        return code
    journal = directory / FILE_NAME
    if journal.is_file() and has_transcript(read_journal(journal)):  # it may be that it could not be written
        screen.tell(f"  transcript: {show_command(directory)}")
    return code


def _with_place(lines: list[Line], error: BaseException) -> list[Line]:
    """The lines, with the author's where none of them is a place, or where the author's code raised the cause."""
    # What is told below, with the line of code, is not told twice.
    if not isinstance(error, AntiphonError):
        lines = _without_places(lines, _is_place)
    elif error.called_at and error.__cause__ is not None:
        called = (f"at {error.called_at}", "place")
        lines = _without_places(lines, lambda line: called in line)
    if error.__cause__ is not None or not any(map(_is_place, lines)):
        told = _author_lines(error)
        # The same line of code, where it is told without the function that it is in.
        lines = _without_places(lines, lambda line: bool(told) and _is_place(line) and _begins_with(told[0], line))
        lines[1:1] = [line for line in told if line not in lines]
    return lines


def _without_places(lines: list[Line], is_one: Callable[[Line], bool]) -> list[Line]:
    """The lines without such places, and without the code below them."""
    kept: list[Line] = []
    is_below = False
    for line in lines:
        is_below = is_one(line) or (is_below and plain_line(line).startswith(CODE_INDENT))
        if not is_below:
            kept.append(line)
    return kept


def _begins_with(author: Line, line: Line) -> bool:
    return plain_line(author).startswith(f"{plain_line(line)}, in ")


def _is_place(line: Line) -> bool:
    return any(role == "place" for _, role in line)


def _author_lines(error: BaseException) -> list[Line]:
    frame = author_frame(error)
    if frame is None:
        return []
    code: list[Line] = [((f"{CODE_INDENT}{frame.line}", ""),)] if frame.line else []
    return [(("  ", ""), (f"at {_from_here(frame.filename)}:{frame.lineno}, in {frame.name}", "place")), *code]


def _from_here(file: str) -> Path:
    """The path, relative to the working directory if it lies below it."""
    path = Path(file)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _written(trace: str, directory: Path | None) -> str:
    """Where the traceback was written."""
    try:
        handle, name = tempfile.mkstemp(prefix="traceback-", suffix=".txt", dir=directory)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return "shown with --traceback"
    return f"in {_from_here(name)}"


def _usage_text(error: CycloptsError) -> str:
    error.verbose = False
    if isinstance(error, MissingArgumentError) and error.argument is not None and not error.argument.tokens:
        return f"{error.argument.name} is missing" if error.keyword is None else str(error)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"nothing here takes {error.unused_tokens[0]!r}"
    return str(error)


def _command_of(error: CycloptsError) -> str:
    if error.command_chain:
        return " ".join(["antiphon", *error.command_chain])
    return error.app.name[0] if error.app is not None and error.app.name else "antiphon"

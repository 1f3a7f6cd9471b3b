"""The text of a failure as it is shown: in few lines, and with colours for where there are any."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from antiphon.conversation.message import Message
from antiphon.conversation.wording import visible
from antiphon.errors import Line, Role
from antiphon.journal import HttpExchange, HttpRequested
from antiphon.journal.file import WrittenMessage

__all__ = ["MOST_LINES", "few_lines", "has_transcript", "painted", "show_command"]

MOST_LINES: Final = 48
"""With the command below them that is 49; a text of a run has some 30."""

LONGEST_LINE: Final = 1_000
LAST_LINES: Final = 8
"""Of a text that is too long, so many lines at the end are shown: there are the hints."""


def few_lines(lines: Sequence[Line], limit: int = MOST_LINES) -> list[Line]:
    """The lines, at most `limit` (10 or more) of at most 1,000 characters, safe to be shown.

    Of more lines those in the middle are left out.
    """
    if len(lines) > limit:
        left_out: Line = ((f"  … {len(lines) - limit + 1} lines are left out …", ""),)
        # Cause first, hints last: what is between them can be read in the journal.
        lines = [*lines[: limit - LAST_LINES - 1], left_out, *lines[-LAST_LINES:]]
    return [tuple(_cut(line)) for line in lines]


def painted(lines: Sequence[Line]) -> list[Text]:
    """The lines with styles: the headline red, names bold, what was found red and what was wanted green, places dim."""
    return [_painted(line, is_headline=not index) for index, line in enumerate(lines)]


def has_transcript(entries: Iterable[Any]) -> bool:
    """Whether anything was said in a run, so that there is something to be shown beside its failure."""
    said = (Message, WrittenMessage, HttpRequested, HttpExchange)
    return any(isinstance(entry, said) and not getattr(entry, "is_protocol", False) for entry in entries)


def show_command(directory: Path) -> str:
    """The command that shows the trace of the run in that directory, as it can be given from here."""
    here = Path.cwd()
    path = directory.relative_to(here) if directory.is_relative_to(here) else directory
    return f"antiphon show {shlex.quote(str(path))}"


def _cut(line: Line) -> Iterator[tuple[str, Role]]:
    length = sum(len(text) for text, _ in line)
    room = LONGEST_LINE - 1 if length > LONGEST_LINE else length
    for text, role in line:
        yield visible(text[:room]), role
        room = max(room - len(text), 0)
    if length > LONGEST_LINE:
        yield "…", ""


def _painted(line: Line, *, is_headline: bool) -> Text:
    text = Text()
    for piece, role in line:
        text.append(piece, None if is_headline and role != "name" else _STYLES[role] or None)
    if is_headline:
        text.stylize("red", 0, len(text))
    return text


_STYLES: Final[dict[Role, str]] = {
    "": "",
    "name": "bold",
    "place": "dim",
    "elsewhere": "dim",
    "step": "bold",
    "found": "red",
    "wanted": "green",
    "late": "bold red",
    "hint": "cyan",
    "aside": "dim",
}

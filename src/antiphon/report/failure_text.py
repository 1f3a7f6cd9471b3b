"""The text of a failure as it is shown: in few lines, and with colours for where there are any.

The text itself is composed once, by the error; what it means is told from how its lines begin.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from rich.text import Text

from antiphon.conversation.wording import visible

__all__ = ["MOST_LINES", "few_lines", "painted", "show_command"]

MOST_LINES: Final = 48
"""With the last messages and the command below them that is 60."""

LONGEST_LINE: Final = 1_000
LAST_LINES: Final = 8
"""Of a text that is too long, so many lines at the end are shown: there are the hints."""


def few_lines(text: str, limit: int = MOST_LINES) -> list[str]:
    """The lines of the text, at most `limit` (10 or more) of at most 1,000 characters, safe to be shown.

    Of more lines those in the middle are left out.
    """
    lines = text.splitlines() or [""]
    if len(lines) > limit:
        left_out = len(lines) - limit + 1
        lines = [*lines[: limit - LAST_LINES - 1], f"  … {left_out} lines are left out …", *lines[-LAST_LINES:]]
    return [visible(line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…") for line in lines]


def painted(lines: list[str]) -> list[Text]:
    """The lines with styles: the headline red, names bold, what is red and what is wanted green, places dim."""
    return [_painted(line, is_headline=not index) for index, line in enumerate(lines)]


def show_command(directory: Path) -> str:
    """The command that shows the trace of the run in that directory, as it can be given from here."""
    here = Path.cwd()
    path = directory.relative_to(here) if directory.is_relative_to(here) else directory
    return f"antiphon show {shlex.quote(str(path))}"


def _painted(line: str, *, is_headline: bool) -> Text:
    text = Text(line)
    if is_headline:
        text.stylize("red")
        for name in _NAMES_IN_HEADLINES.finditer(line):
            text.stylize("bold", *name.span(1))
        return text
    for pattern, styles in _STYLES:
        found = pattern.match(line)
        if found is not None:
            for group, style in enumerate(styles, 1):
                if found[group] is not None:
                    text.stylize(style, *found.span(group))
            break
    return text


_NAMES_IN_HEADLINES: Final = re.compile(r"(?:^|\b(?:reply to|for(?! the\b)|received|was refused) )([^\s,:]+)")

_STYLES: Final = tuple(
    (re.compile(pattern), styles)
    for pattern, styles in (
        (r"(\s+at \S+:\d+.*)$", ("dim",)),
        (r"\s+in the step (.+?)( at \S+:\d+.*)?$", ("bold", "dim")),
        (r"\s+(is      .*)$", ("red",)),
        (r"\s+(too many  .*)$", ("red",)),
        (r"\s+(wanted  .*)$", ("green",)),
        (r"\s+(missing   .*)$", ("green",)),
        (r"\s+(.+?) (is .+), (wanted .+)$", ("bold", "red", "green")),
        (r"\s+(.+?) (has \d+ items?), (wanted \d+)$", ("bold", "red", "green")),
        (r"\s+(it came .* too late): ", ("bold red",)),
        (r"\s+nearest, .*?: (\S+)", ("bold",)),
        (r"\s+one that fits, (\S+) ", ("bold",)),
        (r"\s+(\S+) was a refusal: (.*)$", ("bold", "red")),
        (r"\s+(?:the (?:request|reply|message)): (\S+) ", ("bold",)),
        (r"\s+(hint:) ", ("cyan",)),
        (r"\s+((?:because of that|and then) .*)$", ("dim",)),
    )
)
"""How a line begins, and the styles of its parts."""

"""GitHub-flavoured Markdown in which whatever was said stays text."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, TextIO

from antiphon.conversation.wording import visible

__all__ = ["add_to_step_summary", "code", "escaped", "write_code"]

_PUNCTUATION: Final = re.compile(r"([\\`*_{}\[\]#!|<>~&@:])")
_FENCES: Final = re.compile("`{3,}")


def escaped(text: str) -> str:
    """Text on one line that Markdown and HTML leave as it is (GFM section 2.4), that links nothing and calls no one."""
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", visible(text))


def code(text: str) -> str:
    """The same as code within a line."""
    return f"<code>{escaped(text)}</code>"


def write_code(file: TextIO, text: str) -> None:
    """A block of code, in a fence that is longer than any in it (GFM section 4.5)."""
    longest = max((len(fence) for fence in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    file.write(f"{fence}text\n{text}\n{fence}\n\n")


def add_to_step_summary(text: str) -> None:
    """Append it to the page of a workflow's step, where GITHUB_STEP_SUMMARY names one, as in GitHub Actions."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        # Appended, as GitHub asks: the steps of a job share the file.
        with Path(page).open("a", encoding="utf-8", errors="backslashreplace") as summary:
            summary.write(text)

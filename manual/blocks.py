"""The blocks of code of the pages, as tests run them and type checkers read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from manual.places import ROOT, page_files

__all__ = ["BLOCK", "BLOCKS", "PAGES", "Block", "joined"]

BLOCK: Final = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r'^(?P<fence>`{3,})(?P<language>\w*)(?: title="(?P<title>[^"\n]+)")?\n(?P<text>.*?)^(?P=fence)$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of a page."""

    page: str
    language: str
    text: str
    reason: str | None
    """Why it cannot be run; None if it can."""
    title: str = ""
    """The file that it is, "" if it does not say."""

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0].partition('  #')[0].rstrip()}"


PAGES: Final = [
    page
    for page in (str(file.relative_to(ROOT)) for file in page_files())
    if page not in {"ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md"}
]
"""The pages that have blocks."""


def _blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(page, found["language"], found["text"], found["reason"], found["title"] or "")
        for found in BLOCK.finditer(text)
    ]


BLOCKS: Final = [block for page in PAGES for block in _blocks(page)]


def joined(page: str, language: str) -> str:
    """What the page has in that language and can be run, as one file."""
    return "\n\n".join(
        block.text for block in BLOCKS if (block.page, block.language, block.reason) == (page, language, None)
    )

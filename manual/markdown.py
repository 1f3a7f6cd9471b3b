"""What Markdown is made of, as far as pages are looked through: fences, links, headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

__all__ = ["LINK", "anchors", "headings", "outside_of_code", "slug"]

LINK: Final = re.compile(r"(?P<text>!?\[[^\]\n]*\])\((?P<target>[^)\s]+)\)")
_FENCE: Final = re.compile(r"^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)$", re.DOTALL | re.MULTILINE)
_SPAN: Final = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_HEADING: Final = re.compile(r"^#{1,6} (.+?)(?: \{#([\w-]+)\})?$", re.MULTILINE)


def outside_of_code(page: str, change: Callable[[str], str], *, spans: bool = True) -> str:
    """The page with that done to all that is in no fence and, with `spans`, in no code span."""
    changed, done = [], 0
    for fence in _FENCE.finditer(page):
        changed += [
            _outside(_SPAN, page[done : fence.start()], change) if spans else change(page[done : fence.start()])
        ]
        changed += [fence.group()]
        done = fence.end()
    rest = page[done:]
    return "".join([*changed, _outside(_SPAN, rest, change) if spans else change(rest)])


def _outside(code: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """A link's text may have code in it, so links are put together again around it."""
    spans: list[str] = []

    def keep(found: re.Match[str]) -> str:
        spans.append(found.group())
        return f"\x00{len(spans) - 1}\x00"

    return re.sub(r"\x00(\d+)\x00", lambda found: spans[int(found[1])], change(code.sub(keep, text)))


def headings(page: str) -> list[tuple[str, str]]:
    """The headings with the anchors that they were given by hand, "" for none."""
    return [(text, given or "") for text, given in _HEADING.findall(_FENCE.sub("", page))]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it and as the site is told to."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = "".join(
        each for each in unicodedata.normalize("NFC", text.strip().lower()) if each.isalnum() or each in " -_"
    )
    return kept.replace(" ", "-")


def anchors(page: str) -> set[str]:
    """Where links into the page may lead."""
    found: set[str] = set()
    for text, given in headings(page):
        anchor, times = given or slug(text), 1
        while anchor in found:
            anchor, times = f"{slug(text)}-{times}", times + 1
        found.add(anchor)
    return found

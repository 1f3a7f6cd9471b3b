"""The pages that are written by hand, as the site has them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from manual.examples import anchor_of, example_pages, language_of
from manual.markdown import LINK, outside_of_code
from manual.places import EXAMPLES, ROOT, page_files

__all__ = ["attached_files", "written_pages"]

_ELSEWHERE: Final = ("http://", "https://", "mailto:", "#")
_NOT_RUN: Final = re.compile(r"<!-- not run: [^\n]+ -->\n")
_CODE: Final = re.compile(r"(?<![\[`\w])`([A-Za-z_]\w*)`(?![\]`])")
_TO_LINK: Final = ("docs/howto/", "docs/START.md", "docs/FROM_THE_TALK", "docs/WRITING_SCENARIOS.md")
"""On these pages the names of the reference lead there."""


def written_pages(entries: Mapping[str, str]) -> dict[str, str]:
    """The pages by their place; `entries` are the places of the reference's entries by their names."""
    pages = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in page_files()}
    pages |= example_pages()
    return {place: _as_on_site(place, page, entries) for place, page in pages.items()}


def attached_files(pages: Mapping[str, str]) -> list[str]:
    """The places of what the pages lead to beside pages."""
    found = set()
    for place, page in pages.items():
        for link in LINK.finditer(page):
            path = link["target"].partition("#")[0]
            file = Path(os.path.normpath(ROOT / Path(place).parent / path))
            if not link["target"].startswith(_ELSEWHERE) and file.is_file() and file.suffix != ".md":
                found.add(str(file.relative_to(ROOT)))
    return sorted(found)


def _as_on_site(place: str, page: str, entries: Mapping[str, str]) -> str:
    page = outside_of_code(page, lambda text: LINK.sub(lambda link: _relinked(place, link), text))
    page = _NOT_RUN.sub("", page)  # for whoever tests the page, and no comment within a list
    if place.startswith(_TO_LINK):
        page = _with_links_to_entries(place, page, entries)
    return page


def _relinked(place: str, link: re.Match[str]) -> str:
    """A link to a folder leads to its page, one to a file of an example to where it is shown."""
    target = link["target"]
    if target.startswith(_ELSEWHERE):
        return link.group()
    path, hash_sign, anchor = target.partition("#")
    file = Path(os.path.normpath(ROOT / Path(place).parent / path))
    if not file.is_relative_to(ROOT) or not file.exists():
        raise SystemExit(f"{place} leads to {target}, which is not there")
    if file.is_dir():
        return f"{link['text']}({path.rstrip('/')}/README.md{hash_sign}{anchor})"
    if file.suffix != ".md" and file.is_relative_to(ROOT / EXAMPLES) and language_of(file) is not None:
        shown = os.path.relpath(file.parent / "README.md", ROOT / Path(place).parent)
        return f"{link['text']}({shown}#{anchor_of(file)})"
    return link.group()


def _with_links_to_entries(place: str, page: str, entries: Mapping[str, str]) -> str:
    """The first time that a name of the reference stands alone as code, it leads to its entry."""
    linked: set[str] = set()

    def link(found: re.Match[str]) -> str:
        name = found[1]
        if name in linked or name not in entries:
            return found.group()
        linked.add(name)
        return f"[`{name}`]({os.path.relpath(entries[name], Path(place).parent)})"

    def link_lines(text: str) -> str:
        return "\n".join(
            line if line.startswith(("#", "<!--")) or LINK.search(line) else _CODE.sub(link, line)
            for line in text.split("\n")
        )

    return outside_of_code(page, link_lines, spans=False)

"""Look through the built site: every link leads somewhere, and nothing is fetched from elsewhere.

`python -m manual.check`, behind the build. Links to other sites are not followed.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from manual.places import ROOT

__all__ = ["troubles"]

_FETCHES: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_IS_FETCHED: Final = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch"}


class _Page(HTMLParser):
    """What a page has of anchors and links."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        wanted = _FETCHES.get(tag)
        if wanted in given and (tag != "link" or _IS_FETCHED & set(given.get("rel", "").split())):
            self.fetched.append(given[wanted])


def troubles(site: Path) -> list[str]:
    """What is wrong with the site, a line each."""
    pages = {file: _read(file) for file in sorted(site.rglob("*.html"))}
    found = []
    for file, page in pages.items():
        place = file.relative_to(site)
        found += [f"{place} fetches {each}" for each in page.fetched if urlsplit(each).netloc]
        if file.name != "404.html":  # its links are for wherever the site will be
            found += [f"{place} leads to {link}" for link in page.links if not _leads(link, file, pages)]
    return found if pages else [f"there are no pages in {site}"]


def _read(file: Path) -> _Page:
    page = _Page()
    page.feed(file.read_text(encoding="utf-8"))
    return page


def _leads(link: str, file: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].anchors


def main() -> int:
    """Say what is wrong; the exit code."""
    found = troubles(ROOT / "site")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

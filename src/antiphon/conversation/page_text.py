"""The words of a page of HTML, as a server sends it to say why it refuses."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

__all__ = ["page_text"]


def page_text(html: str) -> str:
    """What the page shows, on one line; its title if it shows nothing; as it is if it is no page after all."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return " ".join(reader.shown) or " ".join(reader.title) or html


class _Reader(HTMLParser):
    """What is read is kept in two parts: what the page shows, and its title."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.title: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        if tag in _UNSHOWN:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            del self._within[self._within.index(tag) :]

    def handle_data(self, data: str) -> None:
        if words := data.split():
            into = self.title if self._within == ["title"] or self._within == ["head", "title"] else self.shown
            if into is self.title or not self._within:
                into.append(" ".join(words))


_UNSHOWN: Final = frozenset({"head", "title", "script", "style", "template", "noscript"})

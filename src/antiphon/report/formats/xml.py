"""XML as it is written, an element after the other."""

from __future__ import annotations

import re
from typing import Final, TextIO
from xml.sax.saxutils import escape, quoteattr

from antiphon.conversation.wording import visible

__all__ = ["Xml"]

_UNHOLDABLE: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (section 2.2)."""


class Xml:
    """XML as it is written, with what it cannot hold escaped."""

    def __init__(self, file: TextIO) -> None:
        self._write = file.write
        self._write('<?xml version="1.0" encoding="utf-8"?>\n')
        self._open: list[str] = []

    def begin(self, element: str, **attributes: str) -> None:
        """Begin an element."""
        self._write(f"<{element}")
        for name, value in attributes.items():
            self._write(f" {name}={quoteattr(_holdable(visible(value)))}")
        self._write(">")
        self._open.append(element)

    def text(self, text: str) -> None:
        """Text inside an element."""
        self._write(escape(_holdable(text)))

    def end(self) -> None:
        """End the element that was begun last."""
        self._write(f"</{self._open.pop()}>\n")


def _holdable(text: str) -> str:
    return _UNHOLDABLE.sub(lambda found: _escaped(ord(found[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

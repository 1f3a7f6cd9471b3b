"""The id of the last event of a stream of Server-Sent Events (HTML Standard, section 9.2.6)."""

from __future__ import annotations

from typing import Final

from antiphon.conversation.event_lines import EventLines

__all__ = ["LastEventId"]

_LONGEST_BYTES: Final = 4 * 1024


class LastEventId:
    """Reads a stream in pieces. `value` is "" while no event had an id; that of an event counts once it is whole."""

    def __init__(self) -> None:
        self.value = ""
        self._next = ""
        self._lines = EventLines()

    def begin(self) -> None:
        """Another stream begins: what was not whole of the last one is forgotten."""
        self._lines = EventLines()
        self._next = self.value

    def feed(self, data: bytes) -> None:
        """A piece has come."""
        for line in self._lines.feed(data):
            if not line:
                self.value = self._next
                continue
            name, _, value = line.partition(b":")
            if name == b"id" and b"\0" not in value:
                self._next = value.removeprefix(b" ").decode("utf-8", "replace")
        if len(self._lines.rest) > _LONGEST_BYTES:  # no id is so long: a comment takes its place
            self._lines.rest = b":"

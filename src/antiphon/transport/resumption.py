"""What a stream of Server-Sent Events says for the one that follows it (HTML Standard, section 9.2.6)."""

from __future__ import annotations

from typing import Final

from antiphon.conversation.event_lines import EventLines

__all__ = ["Resumption"]

_LONGEST_BYTES: Final = 4 * 1024
_LONGEST_S: Final = 24 * 3600.0
"""Whoever asks for more than a day asks for never."""
_MOST_DIGITS: Final = 15


class Resumption:
    """Reads a stream in pieces.

    `last_event_id` is "" while no event had an id; that of an event counts once it is whole. `retry_s` is how long to
    wait before the next stream is opened, None if nothing was said of that.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry_s: float | None = None
        self._next = ""
        self._lines = EventLines()

    def begin(self) -> None:
        """Another stream begins: what was not whole of the last one is forgotten."""
        self._lines = EventLines()
        self._next = self.last_event_id

    def feed(self, data: bytes) -> None:
        """A piece has come."""
        for line in self._lines.feed(data):
            if not line:
                self.last_event_id = self._next
                continue
            name, _, value = line.partition(b":")
            if name == b"id" and b"\0" not in value:
                self._next = value.removeprefix(b" ").decode("utf-8", "replace")
            elif name == b"retry" and (milliseconds := value.removeprefix(b" ")).isdigit():
                self.retry_s = min(int(milliseconds[:_MOST_DIGITS]) / 1e3, _LONGEST_S)
        if len(self._lines.rest) > _LONGEST_BYTES:  # no id is so long: a comment takes its place
            self._lines.rest = b":"

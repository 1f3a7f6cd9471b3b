"""Server-Sent Events (HTML Standard, section 9.2): a framing under any dialect, and a dialect with their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from antiphon.conversation.event_lines import EventLines
from antiphon.conversation.message import UNREADABLE, Data, Message, Unreadable
from antiphon.dialect.codec import Codec
from antiphon.dialect.framing import DEFAULT_LIMIT_BYTES, Framing, as_bytes
from antiphon.dialect.json_text import JSON, NOT_WRITABLE, encode_json
from antiphon.errors import DialectError, TransportError

__all__ = ["EventStream", "Events"]

_END: Final = re.compile("\r\n|\r|\n")

UNNAMED_EVENT: Final = "message"
"""What an event is called that has no name (section 9.2.6)."""


class _Event(msgspec.Struct):
    """An event that is coming in."""

    name: str = ""
    data: list[str] = []
    lines: list[bytes] = []
    size_bytes: int = 0


class Events(Framing):
    """Each event is a frame: its data, as text. Names and ids are left out, comments and events without data too.

    On a stream whose sayings are requests of their own (`HttpStream`) nothing is wrapped; elsewhere each frame that is
    said becomes an event.
    """

    def __init__(self, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        super().__init__(limit_bytes=limit_bytes)
        self._lines = EventLines()
        self._event = _Event()

    @property
    def holds_part(self) -> bool:
        return bool(self._lines.rest or self._event.lines)

    def feed(self, data: bytes) -> Iterator[Data]:
        for event in self.events(data):
            yield "\n".join(event.data)

    def events(self, data: bytes) -> Iterable[_Event]:
        """The events with data that this completes. Raises DialectError for one over the limit."""
        for line in self._lines.feed(data):
            if line:
                self._read(line)
                continue
            event, self._event = self._event, _Event()
            if event.data:
                yield event
        self._check_size(self._event.size_bytes + len(self._lines.rest))

    def wrap(self, data: Data) -> bytes:
        try:
            text = as_bytes(data).decode()
        except UnicodeDecodeError as error:
            raise TransportError(f"an event is text, and this is no UTF-8: {error}") from error
        return _written("", text).encode()

    def _read(self, line: bytes) -> None:
        event = self._event
        event.size_bytes += len(line)
        self._check_size(event.size_bytes)
        event.lines.append(line)
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            event.data.append(text)
        elif field == b"event":
            event.name = text


class EventStream(Codec):
    """Each event is a message: its name is the event's ("message" for one without), its body the data.

    body: "json" for data that is JSON, "text" for data as it is. A message that is said becomes an event likewise.
    """

    def __init__(self, *, body: str = "json", limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._is_json = body == "json"
        self._events = Events(limit_bytes=limit_bytes)

    def decode(self, data: Data) -> Sequence[Message]:
        return [self._message(event) for event in self._events.events(data.encode() if isinstance(data, str) else data)]

    def encode(self, name: str, body: Any) -> Message:
        try:
            text = encode_json(body) if self._is_json else "" if body is None else str(body)
        except NOT_WRITABLE as error:
            raise JSON.unwritable(name, body, error) from error
        event = _written(name, text)
        try:
            event.encode()
        except UnicodeEncodeError as error:
            raise DialectError(f"{name} cannot be sent as text: {error}") from error
        return Message(name, body, event)

    def _message(self, event: _Event) -> Message:
        name, text = event.name or UNNAMED_EVENT, "\n".join(event.data)
        raw = b"\n".join((*event.lines, b"", b"")).decode("utf-8", "replace")
        if not self._is_json:
            return Message(name, text, raw)
        try:
            return Message(name, msgspec.json.decode(text), raw)
        except (msgspec.DecodeError, RecursionError) as error:  # the events behind it count all the same
            told = f"the data of the event {name} is no JSON: {error}"
            trouble = DialectError(told, hint='EventStream(body="text") takes it as it is')
            return Unreadable(UNREADABLE, raw, raw, trouble=trouble)


def _written(name: str, text: str) -> str:
    """An event. Raises DialectError for a name that is more than one line."""
    if "\n" in name or "\r" in name:
        raise DialectError("the name of an event is one line", hint="what has several belongs into its data")
    head = f"event: {name}\n" if name and name != UNNAMED_EVENT else ""
    return head + "".join(f"data: {line}\n" for line in _END.split(text)) + "\n"

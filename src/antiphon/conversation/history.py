"""What a channel has heard lately, and who took it: for explanations only."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.waits import Wait

__all__ = ["History"]

LIMIT_BYTES: Final = 8 * 1024 * 1024
"""How much raw data is remembered once a large message has come."""

MOST_ASIDES: Final = 5


class History:
    """The latest `limit` messages, oldest first, and as many pairs of a message's number and who took it.

    None stands for a message that was drained. Both are plain deques, for each message that comes is added. `asides`
    are the latest lines that came beside the messages.
    """

    __slots__ = ("asides", "messages", "taken")

    def __init__(self, limit: int) -> None:
        self.messages: deque[Message] = deque(maxlen=limit)
        self.taken: deque[tuple[int, Wait[Any] | None]] = deque(maxlen=limit)
        self.asides: tuple[str, ...] = ()

    def add_asides(self, lines: Iterable[str]) -> None:
        """These have come beside the messages."""
        self.asides = (*self.asides, *lines)[-MOST_ASIDES:]

    def trim(self) -> None:
        """A large message has come: remember fewer, so that what is remembered stays small; at least the latest."""
        messages, taken = self.messages, self.taken
        size_bytes = sum(len(message.raw) for message in messages)
        while size_bytes > LIMIT_BYTES and len(messages) > 1:
            size_bytes -= len(messages.popleft().raw)
        if messages:
            oldest = messages[0].number
            kept = [pair for pair in taken if pair[0] >= oldest]  # whoever took a message holds it
            taken.clear()
            taken.extend(kept)

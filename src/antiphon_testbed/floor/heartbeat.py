"""The pings that a desk owes an answer to."""

from __future__ import annotations

__all__ = ["UNANSWERED_AT_MOST", "Heartbeat"]

UNANSWERED_AT_MOST = 1
"""How many pings may be unanswered when the next one is due; one more, and nobody is there."""


class Heartbeat:
    """Counts pings (1, 2, …) and the pongs that come for them. A pong answers every ping up to its own."""

    __slots__ = ("_answered", "_sent")

    def __init__(self) -> None:
        self._sent = 0
        self._answered = 0

    @property
    def is_lost(self) -> bool:
        """Whether too many pings are unanswered."""
        return self._sent - self._answered > UNANSWERED_AT_MOST

    def beat(self) -> int:
        """The next ping's number."""
        self._sent += 1
        return self._sent

    def heard(self, seq: int) -> None:
        """A pong came. One that answers no ping counts for nothing."""
        if self._answered < seq <= self._sent:
            self._answered = seq

"""Back pressure towards a peer: reading pauses while a full mailbox has nobody who waits."""

from __future__ import annotations

from antiphon.actor.sending import Sender
from antiphon.conversation.mailbox import Mailbox

__all__ = ["ReadingPause"]


class ReadingPause:
    """Of one channel. Whoever waits for a message that is not there yet lets the reading go on: it cannot come else."""

    __slots__ = ("_mailbox", "_sender", "is_paused")

    def __init__(self, mailbox: Mailbox, sender: Sender) -> None:
        self._mailbox = mailbox
        self._sender = sender
        self.is_paused = False

    def begin_if_full(self) -> None:
        """A message has been kept."""
        connection = self._sender.connection
        if connection is not None and not self.is_paused and self._mailbox.is_full and not self._mailbox.pending:
            self.is_paused = True
            connection.pause()

    def look_again(self) -> None:
        """A wait has been made, or messages were taken."""
        if self.is_paused and (self._mailbox.pending or not self._mailbox.is_full):
            self.is_paused = False
            if self._sender.connection is not None:
                self._sender.connection.resume()

"""Chats and tasks at an agent's desk: what goes on beside a call, several at a time.

Chat: what is written goes both ways while it is `connected`. Whoever takes a chat gets all that was written before, as
`newChatMessage` one by one.

Task: something to do, with nobody to talk to. Completing it finishes it, without wrap-up.
"""

from __future__ import annotations

from typing import Any, Final

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect, Event, Request, success
from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.interactions import iso
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["LONGEST_TEXT", "Chat", "Task", "write"]

LONGEST_TEXT: Final = 4096
MOST_MESSAGES: Final = 1000
LONGEST_OUTCOME: Final = 200


def write(contact: Contact, message_id: str, role: str, name: str, text: str, now_ms: int) -> dict[str, Any]:
    """Add a message to the chat's record; ErrorReply for a text that cannot be, or one too many."""
    messages: list[dict[str, Any]] = contact.interaction.extras.setdefault("messages", [])
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ErrorReply("badText", f"the text has {len(text)} characters; 1 to {LONGEST_TEXT}, not all blank, can be")
    if len(messages) == MOST_MESSAGES:
        raise ErrorReply("tooManyMessages", f"the chat has {MOST_MESSAGES} messages, and cannot have more")
    message = {"messageID": message_id, "role": role, "from": name, "text": text, "at": iso(now_ms)}
    messages.append(message)
    return message


class Chat(Workitem):
    """A chat at one desk."""

    channel = "chat"

    def send(self, request: Request, text: str, now_ms: int) -> list[Effect]:
        """The agent writes."""
        self.refuse_unless("connected")
        message_id = self._host.message_id(self.contact)
        write(self.contact, message_id, "agent", self.agent.user.name, text, now_ms)
        self._host.note(self.interaction)
        return [success(request, messageID=message_id)]

    def hear(self, message: dict[str, Any]) -> list[Effect]:
        """The customer has written; the desk hears it if the chat is connected, or else when it will be."""
        return [self._tell(message)] if self.state == "connected" else []

    def hang_up(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent ends the chat."""
        self.refuse_unless("connected")
        return [success(request), *self._host.end(self.contact, "agent", now_ms)]

    def _connect(self, now_ms: int) -> list[Effect]:
        return [*super()._connect(now_ms), *map(self._tell, self.interaction.extras["messages"])]

    def _wrap_up(self, by: str, now_ms: int) -> list[Effect]:
        self.party.leave(now_ms)
        return super()._wrap_up(by, now_ms)

    def _tell(self, message: dict[str, Any]) -> Event:
        ids = {"workitemID": self.workitem_id, "interactionID": self.interaction.id}
        return Event(self.agent.desk, "newChatMessage", {**ids, **message})


class Task(Workitem):
    """A task at one desk."""

    channel = "task"

    def complete(self, request: Request, outcome: str, now_ms: int) -> list[Effect]:
        """The agent has done it. The desk has room for another one a little later."""
        self.refuse_unless("connected")
        if not outcome.strip() or len(outcome) > LONGEST_OUTCOME:
            raise ErrorReply("badOutcome", f"the outcome has {len(outcome)} characters; 1 to {LONGEST_OUTCOME} can be")
        self.interaction.extras["outcome"] = outcome
        finished = self._enter("finished", now_ms, outcome=outcome)
        ended = self._host.end(self.contact, "agent", now_ms)
        return [success(request), finished, *ended, self._release_later()]

    def _wrap_up(self, by: str, now_ms: int) -> list[Effect]:
        return [self._enter("finished", now_ms, reason=by), self._release_later()]

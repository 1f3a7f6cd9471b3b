"""The names of all that the centre says to a desk."""

from __future__ import annotations

from typing import Final

from antiphon_testbed.actions import ORDERS
from antiphon_testbed.effects import Answer, Say

__all__ = ["EVENTS", "MESSAGES", "answer_to", "name_of"]

EVENTS: Final = frozenset(
    {
        *("agentCapacity", "connectionStatus", "error", "newAgentState", "newChatMessage", "newRtc"),
        *("newWorkitemState", "ping", "workitemPartyList"),
    }
)
"""What the centre says by itself."""


def answer_to(action: str) -> str:
    """The name of a request's answer: that of `hangUp` is `resultHangUp`."""
    return f"result{action[:1].upper()}{action[1:]}"


MESSAGES: Final = EVENTS | {answer_to(action) for action in ORDERS if action != "pong"}
"""Everything that the centre says: events, and the answers to requests. A `pong` has none."""


def name_of(item: Say | Answer) -> str:
    """The message's name on the wire."""
    return item.name if isinstance(item, Say) else answer_to(item.request.name)

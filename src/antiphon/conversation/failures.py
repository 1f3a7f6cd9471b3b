"""What a wait fails with: an error for each way, with the facts as they are at that moment."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.checks import why
from antiphon.conversation.explanation import FailureKind, Memory
from antiphon.conversation.explanation_text import explain
from antiphon.conversation.gap import gaps_within
from antiphon.conversation.message import Message
from antiphon.conversation.refusal import ExpectedRefusal
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, Wait
from antiphon.errors import ChannelClosed, CheckFailed, DeadlinePassed, ForbiddenMessage, RequestRefused

__all__ = ["closed", "forbidden", "misjudged", "misjudged_close", "refused", "too_late", "unproven"]


def too_late(wait: Wait[Any], memory: Memory, now_ns: int) -> DeadlinePassed:
    """P7: its deadline has passed."""
    return DeadlinePassed("", explanation=explain(wait, memory, now_ns, "deadline"))


def closed(wait: Wait[Any], memory: Memory, now_ns: int) -> ChannelClosed:
    """P8: the connection has ended."""
    return ChannelClosed("", explanation=explain(wait, memory, now_ns, "closed"))


def refused(exchange: Exchange, memory: Memory, now_ns: int, refusal: Message) -> RequestRefused:
    """The request was answered with a failure."""
    error = RequestRefused("", explanation=explain(exchange, memory, now_ns, "refused", culprit=refusal))
    error.message = refusal
    return error


def forbidden(wait: AbsenceWait, memory: Memory, now_ns: int, message: Message) -> ForbiddenMessage:
    """P9: what was ruled out has come."""
    error = ForbiddenMessage("", explanation=explain(wait, memory, now_ns, "forbidden", culprit=message))
    error.message = message
    return error


def unproven(wait: AbsenceWait, memory: Memory, now_ns: int) -> ChannelClosed | None:
    """Nothing has come, but for part of the time nothing could have; None if it could all the time."""
    if not gaps_within(memory.gaps, wait, now_ns):
        return None
    return ChannelClosed("", explanation=explain(wait, memory, now_ns, "unproven"))


def misjudged(wait: MessageWait | Exchange, check: Any, memory: Memory, now_ns: int) -> CheckFailed:
    """P4: what it was given does not fit its check."""
    message = wait.message
    assert message is not None
    outcome: FailureKind = "accepted" if isinstance(check, ExpectedRefusal) and check.refusal is None else "check"
    found = why(check, message.body) if outcome == "check" else ()
    return CheckFailed("", explanation=explain(wait, memory, now_ns, outcome, culprit=message, differences=found))


def misjudged_close(wait: CloseWait, memory: Memory, now_ns: int) -> CheckFailed:
    """The connection has ended, but not with the code that was awaited."""
    return CheckFailed("", explanation=explain(wait, memory, now_ns, "closed"))

"""What becomes of a mailbox's waits while there is no connection, and when another one follows.

What waits for something that may still come, waits on, with its deadline unchanged. A request was asked of the
connection that is gone: its reply comes on the next one only if the protocol carries on with it there.
"""

from __future__ import annotations

from collections.abc import Callable

from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import MOST_GAPS, Gap
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.waits import CloseWait, Exchange

__all__ = ["begin_gap", "carry_on", "end_gap"]

Resumes = Callable[[Message], bool]
"""Whether the replies to that request may come on the next connection."""


def begin_gap(mailbox: Mailbox, ending: Ending, gap: Gap, resumes: Resumes, now_ns: int) -> None:
    """The connection has ended like that, and another one is to follow; or one that was to follow has ended, too.

    Who waits for the end is told (P8), and so is who waits for replies that do not come on the next one.
    """
    mailbox.ending = ending
    if mailbox.gap is not gap:
        mailbox.gap, mailbox.gaps = gap, (*mailbox.gaps[1 - MOST_GAPS :], gap)
    mailbox.look_again(now_ns)
    over = [wait for wait in mailbox.pending if _is_over(wait, resumes)]
    mailbox.end(over, ending, now_ns)
    gap.carried = mailbox.exchanges.keep_pending()


def carry_on(mailbox: Mailbox, gap: Gap, resumes: Resumes, now_ns: int) -> None:
    """The next connection is open: whose replies do not come on it after all is told."""
    gap.to_ns = now_ns
    carried, gap.carried = gap.carried, ()
    lost = [each for each in carried if each.is_pending and not resumes(each.request)]
    for exchange in lost:
        mailbox.exchanges.withdraw(exchange)
    mailbox.end(lost, gap.ending, now_ns)


def end_gap(mailbox: Mailbox, now_ns: int) -> None:
    """All that was to be done on the next connection is done."""
    mailbox.reopen()
    mailbox.look_again(now_ns)


def _is_over(wait: object, resumes: Resumes) -> bool:
    return isinstance(wait, CloseWait) or (isinstance(wait, Exchange) and not resumes(wait.request))

"""A refusal of the connection that is what was expected."""

from __future__ import annotations

from typing import Any, Protocol

from antiphon.conversation.mailbox import Mailbox
from antiphon.errors import ExpectationFailed, UpgradeRefused

__all__ = ["refusal_of"]


class Refusable(Protocol):
    """What is asked of a channel."""

    mailbox: Mailbox

    async def open(self) -> None: ...

    def close(self) -> Any: ...


async def refusal_of(channel: Refusable, status: int | None) -> UpgradeRefused:
    """See `Channel.expect_refusal`."""
    owner = channel.mailbox.owner
    try:
        await channel.open()
    except UpgradeRefused as refused:
        if status is not None and refused.status != status:
            text = f"{owner} was refused with {refused.status}, wanted {status}"
            raise ExpectationFailed(text) from refused
        return refused
    await channel.close()
    raise ExpectationFailed(f"{owner} was let in, but a refusal{f' with {status}' if status else ''} was expected")

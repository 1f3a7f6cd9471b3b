"""A protocol's own opening, after the connection is there: waited for, refused, or ended before it was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final, Protocol

from antiphon.actor.sending import Sender
from antiphon.conversation.ending import Ending
from antiphon.conversation.mailbox import Mailbox
from antiphon.errors import ConnectFailed, ExpectationFailed, OpeningRefused
from antiphon.transport.timeouts import timeout

__all__ = ["Openable", "ProtocolOpening", "refusal_of"]

_GONE_WITHIN_S: Final = 5.0
"""How long an aborted connection may take to be gone; every transport of ours needs no more than a turn."""


class ProtocolOpening:
    """Of one connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sender: Sender, owner: str) -> None:
        self._loop = loop
        self._sender = sender
        self._codec = sender.codec
        self._owner = owner
        self._failure: ConnectFailed | None = None
        self._is_over = False
        self._changed: asyncio.Future[None] | None = None

    @property
    def _is_done(self) -> bool:
        return self._codec.is_ready or self._failure is not None

    async def until_ready(self, address: str, within_s: float) -> None:
        """See `Housekeeping.until_ready`."""
        if self._codec.is_ready and self._failure is None:
            return
        try:
            async with timeout(within_s):
                while not self._is_done:
                    await self._change()
        except TimeoutError:
            text = f"the connection is there, but its protocol did not open within {within_s:g} s"
            self._failure = ConnectFailed(text)
        except BaseException:  # whoever was opening it is gone: nobody would close it
            self._abort()
            raise
        failure, self._failure = self._failure, None
        if failure is not None:
            # Without a goodbye: in a protocol that is not open there are no words for one.
            self._abort()
            await self._gone()
            failure.place = failure.place or address
            try:
                raise failure.with_traceback(None)  # not by way of the codec: whose line that is helps nobody
            finally:
                del failure  # whose traceback has this frame

    def refuse(self, refusal: OpeningRefused) -> bool:
        """The peer refuses; False if the protocol is open already."""
        if self._codec.is_ready:
            return False
        self._failure = self._failure or refusal
        self.look()
        return True

    def look(self) -> None:
        """Something has changed, perhaps."""
        if self._changed is not None and (self._is_done or self._is_over) and not self._changed.done():
            self._changed.set_result(None)

    def end(self, ending: Ending) -> None:
        """The connection has ended."""
        self._is_over = True
        if not self._codec.is_ready and self._failure is None:
            text = f"{self._owner}: {ending}, before its protocol was open"
            # A code is what the peer refuses with where its protocol has no message for that.
            code = ending.code if ending.by == "peer" else None
            self._failure = OpeningRefused(code, text) if code is not None else ConnectFailed(text)
        self.look()

    async def _change(self) -> None:
        self._changed = self._loop.create_future()
        try:
            await self._changed
        finally:
            self._changed = None

    def _abort(self) -> None:
        if self._sender.connection is not None:
            self._sender.connection.abort()

    async def _gone(self) -> None:
        """The channel can be opened again only when the old connection is gone."""
        with suppress(TimeoutError):
            async with timeout(_GONE_WITHIN_S):
                while not self._is_over:
                    await self._change()


class Openable(Protocol):
    """What can be opened, as a channel can."""

    mailbox: Mailbox

    async def open(self) -> None: ...

    def close(self) -> Awaitable[Any]: ...


async def refusal_of(channel: Openable, code: int | str | None) -> OpeningRefused:
    """See `Channel.expect_refusal`."""
    owner = channel.mailbox.owner
    try:
        await channel.open()
    except OpeningRefused as refused:
        if code is not None and refused.code != code:
            raise ExpectationFailed(f"{owner} was refused with {refused.code}, wanted {code}") from refused
        return refused
    await channel.close()
    wanted = "" if code is None else f" with {code}"
    raise ExpectationFailed(f"{owner} was let in, but a refusal{wanted} was expected")

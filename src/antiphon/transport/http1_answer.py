"""The answer to a request that wanted the connection for something else: an upgrade, or a way through a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from antiphon.transport import http1_head as heads
from antiphon.transport.http1_body import Body, body_of_response
from antiphon.transport.http1_head import HEAD_END, MAX_HEAD_BYTES, ResponseHead
from antiphon.transport.read_buffer import ReadBuffer
from antiphon.transport.timeouts import BusyTolerantTimer

__all__ = ["RefusalBody", "take_answer"]

MAX_BODY_BYTES: Final = 64 * 1024
BODY_WITHIN_S: Final = 1.0
"""How long a refusal's body may take to come; what came by then is what there is."""


def take_answer(received: ReadBuffer) -> ResponseHead | None:
    """The head of an answer, taken from what was received; None as long as it is not there.

    Raises ValueError, whose text goes on after "its answer ".
    """
    head = received.take_until(HEAD_END)
    if len(head if head is not None else received.data) > MAX_HEAD_BYTES:
        raise ValueError(f"has a head of more than {MAX_HEAD_BYTES} bytes")
    if head is None:
        return None
    try:
        return heads.read_response(head)
    except ValueError as error:
        raise ValueError(f"is no HTTP: {error}") from error


class RefusalBody:
    """The body of an answer that refuses: `content` is what of it came in time, and fits; `flaw` why there is no more.

    `on_end` is called when there is no more to wait for, which may be at the first `take`.
    """

    def __init__(self, answer: ResponseHead, on_end: Callable[[], None]) -> None:
        self.flaw = ""
        self._on_end = on_end
        self._body = Body(0)
        self._overdue: BusyTolerantTimer | None = None
        try:
            self._body = body_of_response(answer, MAX_BODY_BYTES)
        except ValueError as error:  # nothing more can be told of it (RFC 9112 section 6.3, number 5)
            self.flaw = str(error)
        else:
            self._overdue = BusyTolerantTimer(asyncio.get_running_loop(), BODY_WITHIN_S, on_end)

    @property
    def content(self) -> bytes:
        return bytes(self._body.content)

    def take(self, data: bytes) -> None:
        """More of it has come."""
        if not self.flaw:
            try:
                self._body.take(data)
            except ValueError as error:  # what came of a body that is not in order is more than nothing
                self.flaw = str(error)
        if self.flaw or self._body.is_done or self._body.is_full:
            self._on_end()

    def cancel(self) -> None:
        """Do not wait any more."""
        if self._overdue is not None:
            self._overdue.cancel()

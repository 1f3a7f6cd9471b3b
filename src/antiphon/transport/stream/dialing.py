"""Connecting a stream: within a time, told when it is there, and leaving nothing behind when it is not to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from antiphon.errors import ConnectFailed
from antiphon.transport.interface import Opening, Receiver
from antiphon.transport.stream.connection import StreamConnection
from antiphon.transport.timeouts import timeout

__all__ = ["dial"]


async def dial(
    create: Callable[[Callable[[], StreamConnection]], Awaitable[tuple[Any, StreamConnection]]],
    opening: Opening,
    receiver: Receiver,
    close_within_s: float,
    address: str,
    explain: Callable[[OSError | ValueError], tuple[str, str | None]],
) -> StreamConnection:
    """Have the event loop make a stream, and tell the receiver of it.

    Raises ConnectFailed, which `explain` gives words; for an opening with headers or subprotocols, too.
    """
    if opening.headers or opening.subprotocols:
        text = "a stream of bytes has no headers and no subprotocols to open with"
        raise ConnectFailed(text, place=address, hint="leave them out, or say them in the dialect's opening()")
    # A host may have several addresses, and each attempt has a protocol of its own: none may be left open.
    attempts: list[StreamConnection] = []

    def begin() -> StreamConnection:
        attempts.append(StreamConnection(receiver, close_within_s))
        return attempts[-1]

    try:
        async with timeout(opening.within_s):
            _, connection = await create(begin)
    except BaseException as error:
        for attempt in attempts:
            attempt.abandon()
        if isinstance(error, (OSError, ValueError)):
            text, hint = explain(error)
            raise ConnectFailed(text, place=address, hint=hint) from error
        raise
    # Only now: the loops differ in what they call after a connect that is cancelled late.
    connection.open()
    return connection

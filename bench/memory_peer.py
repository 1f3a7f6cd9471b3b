"""A peer in this process, without sockets: what is counted over it is the same each time."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon import Ending
from bench.conversation import reply

__all__ = ["MemoryPeer"]

_REPLY = reply(b"workitem-000000000001").decode()


class _Connection:
    """Answers whatever is sent with the reply, in the next turn of the event loop."""

    subprotocol = ""
    unsent_bytes = 0

    def __init__(self, receiver: Any) -> None:
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()

    def send(self, _data: str | bytes) -> None:
        self._loop.call_soon(self._receiver.on_data, _REPLY)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self._loop.call_soon(self._receiver.on_ended, Ending(code=code, reason=reason, by="us", is_clean=True))

    def abort(self) -> None:
        self.close()

    async def drained(self) -> None:
        return

    def pause(self) -> None:
        """Nothing comes that was not asked for."""

    def resume(self) -> None:
        """It was never paused."""


class MemoryPeer:
    """The transport that leads to it."""

    async def connect(self, _address: str, _opening: Any, receiver: Any) -> _Connection:
        connection = _Connection(receiver)
        receiver.on_opened(connection)
        return connection

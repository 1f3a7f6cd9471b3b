"""Reading on after the last word was said, so that the peer comes to read it.

A TCP socket that is closed while unread data lies in it resets the connection, and a reset throws away what the peer
has not yet read: it would hear of a broken connection instead of the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["Drain", "end_writing"]

BUFFER_BYTES: Final = 16 * 1024


class Drain(asyncio.BufferedProtocol):
    """Reads until the end and keeps nothing; `on_lost` is called when the connection is gone."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._buffer = bytearray(BUFFER_BYTES)

    def get_buffer(self, _sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, _nbytes: int) -> None:
        pass

    def connection_lost(self, _exc: Exception | None) -> None:
        self._on_lost()


def end_writing(stream: asyncio.Transport) -> None:
    """Tell the peer that nothing more will come, where that can be told: TLS streams have no half-closed state."""
    if stream.can_write_eof():
        stream.write_eof()

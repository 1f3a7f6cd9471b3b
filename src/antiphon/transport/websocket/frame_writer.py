"""Frames written without picows, for what is still to be said when its parser has failed."""

from __future__ import annotations

import asyncio
import secrets

from antiphon.conversation.message import Data
from antiphon.transport.websocket.rfc6455 import CLOSE, PONG, frame_head, masked

__all__ = ["FrameWriter"]


class FrameWriter:
    """Writes frames to a stream, with the methods of picows' transport that a connection calls."""

    def __init__(self, stream: asyncio.Transport, *, is_client_side: bool) -> None:
        self.is_client_side = is_client_side
        self._stream = stream

    def send(self, kind: int, data: Data, rsv1: bool = False) -> None:
        """One whole frame. Raises UnicodeEncodeError for text that UTF-8 cannot carry."""
        payload = data.encode() if isinstance(data, str) else bytes(data)
        # A client's mask is not to be guessed by whoever chose the payload (section 10.3).
        mask = secrets.token_bytes(4) if self.is_client_side else b""
        head = frame_head(int(kind), len(payload), mask=mask, has_rsv1=rsv1)
        self._stream.write(head + masked(payload, mask))

    def send_pong(self, payload: bytes) -> None:
        """The answer to a ping (section 5.5.3)."""
        self.send(PONG, payload)

    def send_close(self, code: int, reason: str) -> None:
        """A goodbye (section 5.5.1)."""
        self.send(CLOSE, code.to_bytes(2, "big") + reason.encode())

"""WebSocket connections that break while what was said has not left: nothing is lost without a word."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from antiphon import (
    Actor,
    ChannelClosed,
    Ending,
    Raw,
    Stand,
    TransportError,
    WebSocket,
    perform,
    scenario,
)
from antiphon.journal import ChannelEnded

SIZE_BYTES = 32 * 1024 * 1024  # more than the kernel's buffers hold
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Teller(Actor):
    line = WebSocket("{peer}", dialect=Raw(), within_s=60)


class Deaf:
    """Lets one client in, reads nothing more, and resets the connection when it is told to."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.sock: socket.socket = self.listening

    @property
    def stand(self) -> Stand:
        return Stand("test", {"peer": f"ws://127.0.0.1:{self.listening.getsockname()[1]}"})

    async def let_in(self) -> None:
        loop = asyncio.get_running_loop()
        self.sock, _ = await loop.sock_accept(self.listening)
        head = b""
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(self.sock, 4096)
        found = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        assert found is not None
        accept = base64.b64encode(hashlib.sha1(found[1] + GUID).digest())
        upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        await loop.sock_sendall(self.sock, upgraded + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")

    def reset(self) -> None:
        """At once: the client's socket knows of it when this returns."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def perform(self, talk: Any, **options: Any) -> Any:
        _, run = await asyncio.gather(self.let_in(), perform(talk, stand=self.stand, runs=None, **options))
        return run


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    peer = Deaf()
    yield peer
    peer.sock.close()
    peer.listening.close()


@pytest.mark.slow
def test_what_a_break_after_our_goodbye_threw_away_is_counted_and_fails_the_run(deaf: Deaf) -> None:
    entries: list[Any] = []

    @scenario
    async def lost(teller: Teller) -> None:
        teller.line.send_data(b"x" * SIZE_BYTES)
        goodbye = teller.close()
        deaf.reset()
        await goodbye

    with pytest.raises(TransportError, match="sent before it had not left when the connection was lost") as failed:
        asyncio.run(deaf.perform(lost, watch=entries.append))
    assert "does not read" not in failed.value.text
    (ended,) = (entry for entry in entries if isinstance(entry, ChannelEnded))
    assert 0 < ended.unsent_bytes <= SIZE_BYTES + 20


def test_a_break_after_all_has_left_loses_nothing(deaf: Deaf) -> None:
    @scenario
    async def said(teller: Teller) -> Ending:
        teller.line.send_data(b"x")
        goodbye = teller.close()
        deaf.reset()
        return await goodbye

    ending = asyncio.run(deaf.perform(said)).value
    assert (ending.by, ending.unsent_bytes) == ("us", 0)


def test_flushing_a_connection_that_has_broken_tells_so(deaf: Deaf) -> None:
    """Before the loop has told of the end: what is said then goes nowhere."""

    @scenario
    async def flushing(teller: Teller) -> Ending | None:
        deaf.reset()
        teller.line.send_data(b"x" * SIZE_BYTES)
        with pytest.raises(ChannelClosed, match="closed before all that was said had left"):
            await teller.line.flushed()
        return teller.line.ending

    ending = asyncio.run(deaf.perform(flushing)).value
    assert (ending.by, ending.code) == ("wire", 1006)


def test_closing_a_connection_that_has_broken_is_no_goodbye(deaf: Deaf) -> None:
    @scenario
    async def closing(teller: Teller) -> Ending:
        deaf.reset()
        teller.line.send_data(b"x" * SIZE_BYTES)
        return await teller.close()

    ending = asyncio.run(deaf.perform(closing)).value
    assert (ending.by, ending.code) == ("wire", 1006)

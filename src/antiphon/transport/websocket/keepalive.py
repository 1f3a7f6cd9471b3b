"""Pings of one connection (RFC 6455 section 5.5.2): those that somebody asks for, and those that find a dead peer."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import msgspec

from antiphon.errors import ScenarioError
from antiphon.transport.stream_buffers import taken, untaken_bytes
from antiphon.transport.timeouts import BusyTolerantTimer

__all__ = ["DEFAULT_WITHIN_S", "Keepalive", "Pings"]

DEFAULT_WITHIN_S: Final = 10.0


class Pings(msgspec.Struct, frozen=True):
    """What a side does with pings.

    `every_s`: how often it sends one by itself, None for never; the connection ends if the pong does not come within
    `within_s`. `are_answered`: by a pong, as the standard asks; False is for tests of the peer. `are_shown`: to a
    receiver that has `on_protocol`, with the pongs. Raises ScenarioError for times that are none.
    """

    every_s: float | None = None
    within_s: float = DEFAULT_WITHIN_S
    are_answered: bool = True
    are_shown: bool = False

    def __post_init__(self) -> None:
        for name, value in (("ping_every_s", self.every_s), ("ping_within_s", self.within_s)):
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if value is not None and not (is_number and 0 < value < float("inf")):
                raise ScenarioError(f"{name} is {value!r}, not a number of seconds above 0")


class Pinged(Protocol):
    """The connection that pings are sent on."""

    def send_ping(self, payload: bytes) -> None:
        """Send one; after our goodbye it is ignored."""
        ...

    def end_dead(self, detail: str) -> None:
        """The peer is dead: end the connection, if nobody has said goodbye on it."""
        ...

    @property
    def is_paused(self) -> bool:
        """Whether we do not read, and so would not hear a pong."""
        ...


class Keepalive:
    """Sends pings and knows which are not answered. `begin` has them sent by themselves."""

    def __init__(self, connection: Pinged, stream: asyncio.WriteTransport, pings: Pings) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._stream = stream
        self._pings = pings
        self._count = 0
        self._sent: dict[bytes, tuple[asyncio.Future[float | None] | None, float]] = {}
        """Pings that are not answered, oldest first: who waits, and when it was sent."""
        self._next: asyncio.TimerHandle | None = None
        self._overdue: BusyTolerantTimer | None = None
        self._watched = b""
        self._before: object = None

    def begin(self) -> None:
        """Send one after each `every_s`, until `end`."""
        if self._pings.every_s is not None:
            self._next = self._loop.call_later(self._pings.every_s, self._send_watched)

    async def ping(self) -> float | None:
        """How long, in seconds, the pong of a ping took that is sent now; None if the connection ended before."""
        answer: asyncio.Future[float | None] = self._loop.create_future()
        payload = self._send(answer)
        try:
            return await answer
        finally:
            self._sent.pop(payload, None)

    def hear_pong(self, payload: bytes) -> None:
        """It answers its ping, and those before: a peer need answer the latest only (section 5.5.3)."""
        if payload not in self._sent:
            return  # one that nobody asked for (the same section)
        now = self._loop.time()
        for each in list(self._sent):
            answer, sent_at = self._sent.pop(each)
            if answer is not None and not answer.done():
                answer.set_result(now - sent_at)
            if each == self._watched:
                self._stop_watching()
            if each == payload:
                return

    def end(self) -> None:
        """The connection has ended."""
        if self._next is not None:
            self._next.cancel()
        self._stop_watching()
        for answer, _ in self._sent.values():
            if answer is not None and not answer.done():
                answer.set_result(None)
        self._sent.clear()

    def _send(self, answer: asyncio.Future[float | None] | None) -> bytes:
        self._count += 1
        payload = str(self._count).encode()
        self._sent[payload] = (answer, self._loop.time())
        self._connection.send_ping(payload)
        return payload

    def _send_watched(self) -> None:
        self.begin()
        if self._overdue is None:
            self._watched = self._send(None)
            self._watch()

    def _watch(self) -> None:
        self._before = taken(self._stream)
        self._overdue = BusyTolerantTimer(self._loop, self._pings.within_s, self._look)

    def _look(self) -> None:
        """What a pong waits for may be us, or what was sent before the ping and is still leaving."""
        is_leaving = untaken_bytes(self._stream) > 0 and taken(self._stream) != self._before
        if self._connection.is_paused or is_leaving:
            self._watch()
            return
        self._overdue = None
        text = f"no pong came within {self._pings.within_s:g} s: the other side hangs, or the connection is half-open"
        self._connection.end_dead(text)

    def _stop_watching(self) -> None:
        self._watched = b""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

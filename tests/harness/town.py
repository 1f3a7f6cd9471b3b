"""Where a scripted peer lives: a network of its own, from which it may be away, and where it may refuse who comes."""

from __future__ import annotations

from typing import Any

from antiphon import Actor, Backoff, Json, Link, Opening, RejectConnection, Run, Stand, perform
from antiphon.testing import run_virtual
from antiphon.transport.interface import Receiver
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
SOON = Backoff(first_s=0.001, jitter=0)
SECOND = Backoff(first_s=1, jitter=0, attempts=4)


class Caller(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SECOND)


class Hasty(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=30, reopens=SOON)


class Town:
    """Where the peer lives: it may be away, or refuse those who come."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer
        self.refusals: list[int] = []
        self.retry_after = ""
        self.network = MemoryNetwork()
        self._listening: Any = None

    def accept(self, opening: Opening) -> Receiver:
        if self.refusals:
            raise RejectConnection(self.refusals.pop(0), headers={"Retry-After": self.retry_after})
        receiver: Receiver = self.peer.accept(opening)
        return receiver

    async def open(self) -> None:
        self._listening = await self.network.listen("memory://peer", self.accept)

    async def open_if_away(self) -> None:
        if self._listening is None:
            await self.open()

    async def close(self) -> None:
        """End every connection with 1001, and be away."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await listening.close()


def performed(peer: Any, scene: Any, town: Town | None = None, **options: Any) -> Run:
    """In virtual time."""

    async def play_here() -> Run:
        where = town or Town(peer)
        await where.open()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": where.network})
        try:
            return await perform(scene, stand=stand, **{"runs": None, "linger_s": 0.0, **options})
        finally:
            await where.close()

    return run_virtual(play_here())


def entries(run: Run, *kinds: type) -> list[Any]:
    return [entry for entry in run.journal if isinstance(entry, kinds)]

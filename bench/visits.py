"""A conversation as a whole: connect, ask once, leave; some at once, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bench.meter import Meter, Party, Plan

__all__ = ["AT_ONCE", "Tally", "Visit", "visit_again_and_again"]

AT_ONCE: Final = 10
"""So many are under way together."""


class Tally:
    """Counts the conversations that have ended."""

    done = 0


class Visit(Meter):
    """What a client asks in one conversation, which is over when one reply has come."""

    def __init__(self) -> None:
        super().__init__(_ONE)
        self._party: Party | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has asked."""
        return self._party is not None and self._party.done > 0

    async def join(self, party: Party) -> None:
        """It is connected."""
        self._party = party


async def visit_again_and_again(converse: Callable[[str, Meter], Awaitable[None]], address: str, meter: Meter) -> None:
    """Have the client hold one conversation after the other, until the meter says that it is over."""
    tally = Tally()

    async def some() -> None:
        while not meter.is_over:
            await converse(address, Visit())
            tally.done += 1

    await meter.join(tally)
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


_ONE: Final = Plan(1, 0.0, 0.0)

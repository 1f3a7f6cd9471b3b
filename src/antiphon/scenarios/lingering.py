"""Listening on for a while after a deadline, to be able to say that what was awaited came too late."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from antiphon.actor.actor import Actor
from antiphon.errors import DeadlinePassed
from antiphon.journal import Note
from antiphon.runtime.runtime import Runtime

__all__ = ["LINGER_S", "linger"]

LINGER_S: Final = 1.0
"""How long a run whose deadline passed listens on."""


async def linger(error: DeadlinePassed, runtime: Runtime, actors: Collection[Actor], linger_s: float) -> None:
    """Listen on until the late message comes, or `linger_s` has passed."""
    if error.explanation is None or error.explanation.wait.is_abandoned:  # it was no message that was awaited
        return
    wait = error.explanation.wait
    before_ns = runtime.now_ns()
    while not wait.late_ns and runtime.now_ns() - before_ns < linger_s * 1e9:
        # P8: over a connection that is gone nothing comes late.
        if not any(actor.is_connected for actor in actors):
            return
        await asyncio.sleep(min(0.02, linger_s))
    if wait.late_ns:
        text = f"{wait.describe()} came {wait.late_ns / 1e6:.0f} ms too late"
        runtime.record(Note(at_ns=runtime.now_ns(), text=text))
    else:
        error.explanation.listened_ns = runtime.now_ns() - before_ns

"""What goes wrong in the event loop beside all conversations, as in a task that one has begun and nobody awaited."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

__all__ = ["StrayFailures"]

MOST_LOGGED: Final = 10
"""Thousands of conversations that leave the same behind would fill the disk that standard error goes to."""

_MOST_KINDS: Final = 50
_OTHERS: Final = "in the event loop: other failures"


class StrayFailures:
    """The exception handler of a loop while a load is performed in it: all are counted, the first are logged as ever.

    Where somebody has set a handler of their own, that hears of each.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._before = loop.get_exception_handler()
        self._logged = 0
        self._kinds: set[str] = set()
        self._counts: Counter[str] = Counter()
        loop.set_exception_handler(self)

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something has gone wrong; see `asyncio.loop.call_exception_handler`."""
        self._counts[self._kind(context)] += 1
        if self._before is not None:
            self._before(loop, context)
        elif self._logged < MOST_LOGGED:
            self._logged += 1
            loop.default_exception_handler(context)

    def take(self) -> dict[str, int]:
        """What has gone wrong since the last call, as sentences, and how often."""
        counts, self._counts = self._counts, Counter()
        return counts

    def close(self) -> None:
        """The load is over."""
        if self._loop.get_exception_handler() is self:
            self._loop.set_exception_handler(self._before)

    def _kind(self, context: dict[str, Any]) -> str:
        error = context.get("exception")
        # Not what the error says: that may be another for each, and has not been looked through for secrets.
        kind = f"in the event loop: {context.get('message', '')}" + (f": {type(error).__name__}" if error else "")
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            return _OTHERS
        self._kinds.add(kind)
        return kind
